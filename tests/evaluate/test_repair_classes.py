import numpy as np
import pytest

from stmviewer.evaluate import failure_pictures, repair_classes
from stmviewer.evaluate.repair_classes import EXPLICIT, Failure
from stmviewer.scan import FileError, Progress, RequestError
from stmviewer.simulate import degradations

ONE = "SeveralTips, 1 further"


@pytest.fixture(scope="module")
def found():
    return repair_classes.report(2, ["tv"], Progress(), kinds=["LineOffsets", ONE], side=96)


def test_every_class_of_the_simulator_is_there():
    """All but unfinished scans, which have no value to repair."""
    classes = set(degradations.__all__) - {"Degradation", "describe", "Unfinished"}
    assert classes <= set(repair_classes.class_names())


def test_scores_of_every_method_on_every_class(found):
    assert [(s.kind, s.method) for s in found.scores] == [
        (kind, method) for kind in ("LineOffsets", ONE) for method in ("input", "row-median", "tv")
    ]
    for s in found.scores:
        assert s.images == 2
        assert s.interval[0] <= s.ssim <= s.interval[1]
        # the surface under another end may fit better than the one under the main end, never worse
        assert s.ssim_any_end >= s.ssim - 0.2
    by = {(s.kind, s.method): s for s in found.scores}
    offsets, tv = by["LineOffsets", "row-median"], by["LineOffsets", "tv"]
    assert offsets.gain == 0
    assert tv.gain == pytest.approx(tv.ssim - offsets.ssim)


def test_the_table_is_markdown(found):
    text = repair_classes.table(found)
    assert "| class | input | row-median | tv |" in text
    assert f"| {ONE} | " in text
    assert "Gain over row-median" in text
    assert "Further ends found" not in text  # no network was asked


def test_the_same_surfaces_every_time(found):
    again = repair_classes.report(2, ["tv"], Progress(), kinds=["LineOffsets"], side=96)
    assert again.scores == [s for s in found.scores if s.kind == "LineOffsets"]


def test_surfaces_of_one_pixel_size():
    """A class may gain in the mean and lose where pixels are small."""
    jobs = repair_classes._jobs(2, [ONE], 64, [0.05e-9])
    assert [job.scene.pixel_m for job in jobs] == [0.05e-9, 0.05e-9]
    assert [job.scene.pixel_m for job in repair_classes._jobs(4, [ONE], 64, repair_classes.PIXELS_M)] == [
        0.05e-9, 0.10e-9, 0.18e-9, 0.05e-9,
    ]  # fmt: skip


def test_unknown_classes_and_models():
    with pytest.raises(RequestError, match="no class of degradations 'Rain'"):
        repair_classes.report(1, ["tv"], Progress(), kinds=["Rain"])
    with pytest.raises(RequestError, match="magic"):
        repair_classes.report(1, ["magic"], Progress())


def test_offsets_count_as_found_with_either_sign():
    facts = {"further_ends": [{"x_px": 10.4, "y_px": -5.0}]}
    assert repair_classes._found([(-10.0, 5.5), (1.0, 1.0), (20.0, 0.0)], facts, 256) == (True, 2, 1)
    assert repair_classes._found([(90.0, 0.0)], {"further_ends": []}, 256) == (False, 0, 0)


def test_models_are_scored_without_and_with_tips(monkeypatch):
    info = type("Info", (), {"name": "net-x", "learned": True})
    monkeypatch.setattr(repair_classes.library, "resolve", lambda name, task: info)
    assert [m[0] for m in repair_classes._methods(["net-x", "net-x"])] == [
        "input", "row-median", "net-x", "net-x" + EXPLICIT,
    ]  # fmt: skip


# pictures


def failure(seed, ssim):
    images = np.random.default_rng(seed).normal(0, 1e-11, (3, 40, 40))
    return Failure(f"kind {seed}", ssim, *images)


def test_a_strip_has_a_column_for_each_failure(tmp_path):
    failures = [failure(k, 0.1 * k) for k in range(5)]
    picture = failure_pictures.strip(failures)
    assert picture.shape[1] == pytest.approx(4 * 150, abs=10)
    assert failure_pictures.strip(failures, 2).shape[1] == pytest.approx(2 * 150, abs=10)
    failure_pictures.write_strip(failures, tmp_path / "new" / "worst.png")
    assert 1_000 < (tmp_path / "new" / "worst.png").stat().st_size < 200_000


def test_a_strip_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FileError):
        failure_pictures.write_strip([failure(0, 0.1)], tmp_path / "file" / "worst.png")
