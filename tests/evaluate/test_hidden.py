import math

import numpy as np
import pytest

from stmviewer import paths
from stmviewer.evaluate.hidden import Score, bootstrap, evaluate, table
from stmviewer.evaluate.sets import Case
from stmviewer.scan import (
    Cancelled,
    Channel,
    Geometry,
    Progress,
    RequestError,
    Scan,
    make_mask,
)
from stmviewer.scan.levelling import fit_plane
from stmviewer.scan.metrics import compare


def image(seed: int = 0, side: int = 48) -> np.ndarray:
    y, x = np.mgrid[0:side, 0:side]
    noise = np.random.default_rng(seed).standard_normal((side, side))
    return 4e-11 * np.sin(2 * np.pi * (x + seed) / 9) * np.cos(2 * np.pi * y / 13) + 2e-12 * noise + 1e-12 * x


def scan(data: np.ndarray) -> Scan:
    rows, columns = data.shape
    return Scan([Channel("Z", "m", data)], Geometry(columns, rows, columns * 1e-10, rows * 1e-10))


def cases(count: int = 2) -> list[Case]:
    return [Case(scan(image(k)), None, f"place {k}") for k in range(count)]


def score(sets, models, tasks, **options) -> list[Score]:
    return evaluate(sets, models, tasks, Progress(), device="cpu", **options)


@pytest.fixture(autouse=True)
def _no_shipped_models(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "shipped_models", lambda: tmp_path / "none")


def test_linear_interpolation_of_lines_scores_what_numpy_says():
    """np.interp down each column between the measured lines, compared with the truth: the whole chain's oracle."""
    found = score({"own": cases(2)}, ["linear"], ["lines:4"])[0]
    expected = []
    for case in cases(2):
        truth = case.scan.channel().data
        mask = make_mask("lines:4", *truth.shape).measured
        lines = np.nonzero(mask[:, 0])[0]
        rows = np.arange(truth.shape[0])
        guess = np.stack([np.interp(rows, lines, column[lines]) for column in truth.T], axis=1)
        expected.append(compare(guess, truth, ~mask))
    assert found.images == 2
    # not to the last digit: above the first line and below the last one the restorer goes on along the scan's plane
    assert found.ssim == pytest.approx(np.mean([q.ssim for q in expected]), abs=2e-5)
    assert found.ssim_hidden == pytest.approx(np.mean([q.ssim_hidden for q in expected]), abs=2e-5)
    assert found.psnr_db == pytest.approx(np.mean([q.psnr_db for q in expected]), abs=0.02)
    assert found.mae_percent == pytest.approx(np.mean([q.mae_percent for q in expected]), rel=2e-3)
    low, high = found.interval
    assert low <= found.ssim <= high


def test_more_lines_score_better():
    found = score({"own": cases(2)}, ["linear"], ["lines:2", "lines:4"])
    assert [s.task for s in found] == ["lines:2", "lines:4"]
    assert found[0].ssim_hidden > found[1].ssim_hidden
    assert found[0].mae_percent < found[1].mae_percent


def test_repairs_are_scored_against_the_truth_beside_the_untouched_image():
    truth = image()
    bad = truth + np.random.default_rng(1).normal(0, 2e-11, (48, 1)) + np.linspace(0, 3e-10, 48)  # offsets and a tilt
    found = score({"pair": [Case(scan(bad), truth, "a")]}, ["row-median"], ["repair"])
    assert [s.model for s in found] == ["input", "row-median"]
    before, after = found

    def level(data: np.ndarray) -> np.ndarray:
        flat = data - fit_plane(data)
        return flat - np.median(flat)

    assert before.ssim == pytest.approx(compare(level(bad), level(truth)).ssim, abs=1e-9)
    assert before.seconds == 0
    assert after.ssim > before.ssim + 0.05
    assert all(math.isnan(bound) for bound in after.interval)  # one place says nothing of the next


def test_a_tilt_or_an_offset_costs_no_score():
    truth = image()
    tilted = truth + 1e-9 * np.arange(48)[:, None] + 5e-9
    (found,) = score({"pair": [Case(scan(tilted), truth, "a")]}, [], ["repair"])
    assert found.ssim == pytest.approx(1, abs=1e-4)
    assert found.mae_percent < 0.1


def test_sets_without_a_truth_have_no_repairs():
    found = score({"own": cases(1)}, ["tv", "linear"], ["repair", "lines:2"])
    assert {(s.model, s.task) for s in found} == {("tv", "lines:2"), ("linear", "lines:2")}


def test_clean_images_of_pairs_are_what_is_hidden_in():
    """Sparse tasks on simulated pairs start from a good tip's image, with the same noise in every run."""
    pair = [Case(scan(np.zeros((48, 48)) + 5), image(), "a")]
    one, other = (score({"pair": pair}, ["linear"], ["lines:2"])[0] for _ in range(2))
    assert one.ssim == other.ssim
    assert 0.3 < one.ssim < 1


@pytest.mark.parametrize(
    ("models", "tasks", "says"),
    [
        (["nope"], ["lines:2"], "no model 'nope'"),
        (["linear"], ["nope:2"], "mask 'nope:2' is unknown"),
        (["linear"], ["lines:2", "file"], "mask 'file' is unknown"),
        (["linear"], ["lines:0"], "whole number"),
        (["row-median"], ["lines:2"], "nothing to score"),
        (["linear"], ["repair"], "nothing to score"),
        ([], ["lines:2"], "nothing to score"),
    ],
)
def test_bad_requests_are_refused_before_anything_is_restored(monkeypatch, models, tasks, says):
    monkeypatch.setattr("stmviewer.evaluate.hidden.restore", None)
    with pytest.raises(RequestError, match=says):
        score({"own": cases(1)}, models, tasks)


def test_evaluation_can_be_cancelled():
    progress = Progress()
    progress._root.stop.set()
    with pytest.raises(Cancelled):
        evaluate({"own": cases(1)}, ["linear"], ["lines:2"], progress)


def test_an_interval_of_equal_values_has_no_width():
    assert bootstrap(np.full(6, 0.8), np.array(list("aabbcc"))) == (pytest.approx(0.8), pytest.approx(0.8))


def test_one_group_has_no_interval():
    assert all(math.isnan(x) for x in bootstrap(np.array([0.1, 0.9, 0.5]), np.array(["a", "a", "a"])))


def test_images_of_one_place_count_as_one():
    """Ten images of each of two places: the interval is that of two values, not of twenty."""
    rng = np.random.default_rng(3)
    values = np.concatenate([0.2 + 0.001 * rng.standard_normal(10), 0.8 + 0.001 * rng.standard_normal(10)])
    places = np.repeat(["a", "b"], 10)
    low, high = bootstrap(values, places)
    assert low == pytest.approx(0.2, abs=0.01)
    assert high == pytest.approx(0.8, abs=0.01)
    alone_low, alone_high = bootstrap(values, np.arange(20))
    assert 0.2 < alone_low < 0.5 < alone_high < 0.8
    assert alone_high - alone_low < 0.9 * (high - low)


def test_the_interval_of_many_groups_is_that_of_the_mean():
    values = np.random.default_rng(0).normal(0.7, 0.1, 400)
    low, high = bootstrap(values, np.arange(400))
    width = 2 * 1.96 * values.std() / math.sqrt(400)
    assert high - low == pytest.approx(width, rel=0.15)
    assert (low + high) / 2 == pytest.approx(values.mean(), abs=0.2 * width)


def test_larger_groups_weigh_more():
    values = np.array([1.0, 1.0, 1.0, 0.0])
    low, high = bootstrap(values, np.array(["a", "a", "a", "b"]))
    assert (low, high) == (0.0, 1.0)


def row(model: str, task: str, ssim: float, name: str = "own") -> Score:
    return Score(name, task, model, 7, ssim, ssim, 20.0, 3.0, (ssim, ssim), 0.1)


def test_the_table_has_models_down_tasks_across_and_the_best_in_bold():
    text = table(
        [
            row("linear", "lines:2", 0.91),
            row("linear", "lines:4", 0.705),
            row("cubic", "lines:2", 0.95),
            row("input", "repair", 0.4),
            row("linear", "lines:2", 0.5, "other"),
        ]
    )
    own, other = text.split("\n\nSSIM, other")
    assert own.splitlines() == [
        "SSIM, own (7 images)",
        "",
        "| model | lines:2 | lines:4 | repair |",
        "|---|---|---|---|",
        "| linear | 0.910 | **0.705** |  |",
        "| cubic | **0.950** |  |  |",
        "| input |  |  | **0.400** |",
    ]
    assert other.endswith("| linear | **0.500** |")


def test_models_as_good_as_the_best_are_bold_too():
    text = table([row("linear", "lines:2", 0.9000), row("cubic", "lines:2", 0.9002), row("tv", "lines:2", 0.89)])
    assert "| linear | **0.900** |" in text
    assert "| cubic | **0.900** |" in text
    assert "| tv | 0.890 |" in text
