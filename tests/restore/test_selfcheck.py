"""Folds, self-check and choice: hidden pixels stay hidden, errors are those at the hidden pixels, winners win."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stmviewer.restore import RestoreRequest, library
from stmviewer.restore.case import Case, prepare
from stmviewer.restore.choice import Choice, Mixing, choose, fit_weights
from stmviewer.restore.filling import kind_of_mask
from stmviewer.restore.folding import fine_waves, folds
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.pipeline import restore
from stmviewer.restore.problem import Answer, Options, Problem, Restorer
from stmviewer.restore.request import Device
from stmviewer.restore.selfcheck import factor, judge, try_out, unseen_below, window
from stmviewer.scan import Cancelled, FileError, FloatArray, Geometry, Progress, Scan, make_mask
from stmviewer.scan.levelling import fit_plane

RNG = np.random.default_rng(0)
MakeScan = Callable[..., Scan]

pytestmark = pytest.mark.usefixtures("tiny_models")
MASKS = {
    "lines:2": "lines",
    "lines:4": "lines",
    "lines-random:0.4": "lines",
    "grid:3": "grid",
    "pixels:0.25": "scattered",
}


def sparse_case(scan: Scan, mask: str) -> Case:
    return prepare(scan, scan.channel(), RestoreRequest(task="sparse", mask=mask))


def run(scan: Scan, **request: Any) -> Any:
    return restore(scan, RestoreRequest(task="sparse", device="cpu", **request), Progress())


@pytest.mark.parametrize("mask", MASKS)
def test_folds_part_the_measured_pixels(mask: str, make_scan: MakeScan) -> None:
    scan = make_scan(rows=64, columns=80)
    case = sparse_case(scan, mask)
    parts = folds(case)
    assert len(parts) == 5  # a small scan
    truth, given = scan.channel().data, case.mask.measured
    times = np.zeros(given.shape, dtype=int)
    for part in parts:
        kept, held = part.kept.mask.measured, part.held.mask.measured
        assert not (kept & held).any()
        assert np.array_equal(kept | held, given)
        assert 0.1 < held.sum() / given.sum() < 0.3
        assert np.isnan(part.kept.raw[~kept]).all()  # nothing of the rest is given away
        assert part.kept.truth is None and part.held.truth is None
        assert part.errors(truth + 2e-12) == pytest.approx(np.full(held.sum(), 2e-12), rel=1e-3)
        times += held
    assert times.max() == (2 if MASKS[mask] == "grid" else 1)  # of grids, lines and columns by turns
    assert (times[given] > 0).mean() > 0.5
    assert kind_of_mask(given) == MASKS[mask]


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize(("lines_a_wave", "left"), [(12, 0.0), (5, 0.0), (3.2, 1.0), (2.3, 1.0)])
def test_fine_waves_are_those_of_under_four_lines(axis: int, lines_a_wave: float, left: float) -> None:
    wave = np.cos(2 * np.pi * np.arange(120) / lines_a_wave)[:, None] * RNG.normal(0, 1, 40)
    lines = wave + 5.0 if axis == 0 else wave.T + 5.0
    found = fine_waves(lines, axis)
    assert found.shape == lines.shape
    assert np.sum(found**2) / np.sum(wave**2) == pytest.approx(left, abs=0.06)


@pytest.mark.parametrize("axis", [0, 1])
def test_a_tilted_sample_has_no_other_fine_waves(axis: int) -> None:
    y, x = np.mgrid[0:64, 0:64]
    lines = RNG.normal(0, 1, (64, 64))
    level = lines - fit_plane(lines)
    np.testing.assert_allclose(fine_waves(level + 20.0 * y - 35.0 * x, axis), fine_waves(level, axis), atol=1e-9)


@pytest.mark.parametrize("mask", ["lines:2", "grid:2", "pixels:0.25"])
def test_folds_know_the_fine_waves_of_what_they_hide(mask: str, make_scan: MakeScan) -> None:
    y, x = np.mgrid[0:96, 0:96]
    # period 5.6 lines of the scan: gaps of two carry it, gaps of four do not
    wave = 1e-11 * np.cos(2 * np.pi * (y / 5.6 + x / 9.7))
    case = sparse_case(make_scan(wave), mask)
    for part in folds(case):
        if mask == "pixels:0.25":
            assert part.fine is None
            continue
        assert part.fine is not None and part.fine.shape == part.errors(wave).shape
        if part.held.mask.measured.any(axis=1).sum() < 48:  # lines, not columns of a grid
            hidden = wave[part.held.mask.measured]
            assert np.corrcoef(part.fine, hidden)[0, 1] > 0.95


@pytest.mark.parametrize(("side", "count"), [(256, 1), (160, 2), (48, 5)])
def test_small_scans_are_tried_more_often(side: int, count: int, make_scan: MakeScan) -> None:
    assert len(folds(sparse_case(make_scan(rows=side, columns=side), "lines:4"))) == count


def test_the_first_and_the_last_line_are_given(make_scan: MakeScan) -> None:
    case = sparse_case(make_scan(rows=64, columns=64), "lines:4")
    lines = np.nonzero(case.mask.measured.any(axis=1))[0]
    for part in folds(case):
        hidden = np.nonzero(part.held.mask.measured.any(axis=1))[0]
        assert lines[0] < hidden.min() and hidden.max() < lines[-1]
        assert (np.diff(hidden) >= 5 * 4).all()  # single lines: the gap doubles and no more


def test_gaps_of_a_full_scan_are_tried_with_gaps_elsewhere(make_scan: MakeScan) -> None:
    data = np.array(make_scan().channel().data)
    data[50:] = np.nan  # the scan was stopped
    case = sparse_case(make_scan(data), "file")
    assert kind_of_mask(case.mask.measured) == "gaps"
    (part,) = folds(case)
    hidden_rows = np.unique(np.nonzero(part.held.mask.measured)[0])
    assert len(hidden_rows) > 8 and hidden_rows.max() < 50


def test_lines_between_rows_are_hidden_at_their_own_place(make_scan: MakeScan) -> None:
    lines = np.array(make_scan(rows=24, columns=64).channel().data)
    frame = Geometry(64, 24, 64e-10, 64e-10)  # 2.67 rows a line
    case = sparse_case(make_scan(lines, geometry=frame), "file")
    part = folds(case)[0]
    assert part.kept.placement is not None and part.held.lines is not None
    assert np.array_equal(np.sort(np.concatenate([part.kept.placement.positions, part.held.placement.positions])),  # type: ignore[union-attr]
                          np.sort(case.placement.positions))  # type: ignore[union-attr]  # fmt: skip
    assert np.array_equal(part.held.lines, lines[1:-1:5])
    assert part.fine is not None and part.fine.size == part.held.lines.size
    result = run(make_scan(lines, geometry=frame), mask="file", model="linear")
    assert result.provenance["self_check"]["hidden"] == "every 5th measured line (5 times, others each time)"


@pytest.mark.parametrize("mask", ["lines:16", "grid:12"])
def test_too_little_is_not_hidden_further(mask: str, make_scan: MakeScan) -> None:
    assert folds(sparse_case(make_scan(), mask)) == []
    result = run(make_scan(), mask=mask)
    methods = {m["name"]: m["weight"] for m in result.provenance["methods"]}
    assert set(methods) > {"regression-tiny", "plate"}
    assert sum(methods.values()) == pytest.approx(1, abs=1e-5)
    assert "too little was measured" in result.provenance["choice"]
    assert any("nothing to check with" in c.text for c in result.checks)


def test_scores_are_the_mean_error_at_hidden_pixels(make_scan: MakeScan) -> None:
    scan = make_scan()
    truth = scan.channel().data
    case = sparse_case(scan, "pixels:0.3")
    offset = {"linear": 3e-12, "tv": -1e-12}

    def show(_: Case, name: str, __: Progress) -> FloatArray:
        return truth + offset[name]

    trial = try_out(case, list(offset), show, Progress())
    assert trial is not None
    check = judge(case, trial, "m")
    assert [s.method for s in check.scores] == ["tv", "linear"]
    assert check.score("linear").error == pytest.approx(3e-12, rel=1e-3)
    correction, _ = factor("scattered", "tv")
    assert check.score("tv").expected == pytest.approx(1e-12 * correction, rel=1e-3)
    assert "tv misses it by 1 pm, linear interpolation by 3 pm" in check.text("tv")
    assert "%" in judge(case, trial, "").text("tv")


@pytest.mark.parametrize(
    ("kind", "method"), [(k, m) for k in ("lines", "grid", "scattered") for m in ("x", "linear", "tv")]
)
def test_the_fitted_factors_make_larger_gaps_smaller(kind: str, method: str) -> None:
    value, spread = factor(kind, method)
    assert 0.3 < value < 1.1
    assert 1 < spread < 2


def test_a_large_scan_is_tried_on_its_middle(make_scan: MakeScan) -> None:
    scan = make_scan(rows=300, columns=400)
    case = sparse_case(scan, "grid:3")
    middle = window(case)
    assert middle.raw.shape == (256, 256)
    assert np.array_equal(middle.raw, case.raw[22:278, 72:328], equal_nan=True)
    assert middle.geometry.pixel_width == pytest.approx(case.geometry.pixel_width)
    lines = make_scan(np.array(scan.channel().data[::4]), geometry=Geometry(400, 75, 400e-10, 300e-10))
    placed = window(sparse_case(lines, "file"))
    assert placed.placement is not None and placed.lines is not None
    assert placed.raw.shape == (256, 256)
    assert np.array_equal(placed.placement.spread(placed.lines), placed.raw, equal_nan=True)


class TestWeights:
    def test_the_better_method_gets_more(self) -> None:
        good, bad = RNG.normal(0, 1, 4000), RNG.normal(0, 1.25, 4000)
        weights = fit_weights(np.stack([good, bad], axis=1))
        assert weights.sum() == pytest.approx(1)
        assert weights[0] > 0.55 > 0.45 > weights[1]

    def test_independent_errors_average_out_and_equal_ones_share(self) -> None:
        errors = RNG.normal(0, 1, (4000, 3))
        assert fit_weights(errors) == pytest.approx(np.full(3, 1 / 3), abs=0.03)
        assert fit_weights(np.repeat(errors[:, :1], 2, axis=1)) == pytest.approx([0.5, 0.5], abs=1e-3)

    def test_units_do_not_matter_nor_do_perfect_methods(self) -> None:
        errors = RNG.normal(0, (1, 2), (500, 2))
        assert fit_weights(1e-12 * errors) == pytest.approx(fit_weights(errors), abs=1e-6)
        assert fit_weights(np.zeros((10, 2))) == pytest.approx([0.5, 0.5])
        assert fit_weights(errors[:, :1]) == pytest.approx([1.0])

    def test_the_usual_weights_stand_where_nothing_speaks_against_them(self) -> None:
        usual = np.array([0.7, 0.3])
        same = np.repeat(RNG.normal(0, 1, (4000, 1)), 2, axis=1)
        assert fit_weights(same, usual) == pytest.approx(usual, abs=1e-3)
        assert fit_weights(np.zeros((10, 2)), usual) == pytest.approx(usual)

    @pytest.mark.parametrize(("said", "expected"), [(None, None), (0.1, 1.0), (3.0, 3.0)])
    def test_the_deviation_of_a_mixture_knows_that_its_methods_disagree(
        self, said: float | None, expected: float | None
    ) -> None:
        mixing = Mixing()
        mixing.add(0.5, np.full((4, 4), 7.0), None)
        mixing.add(0.5, np.full((4, 4), 9.0), None if said is None else np.full((4, 4), said))
        assert mixing.mean == pytest.approx(np.full((4, 4), 8.0))
        if expected is None:
            assert mixing.deviation is None
        else:
            assert mixing.deviation == pytest.approx(np.full((4, 4), expected))


class TestChoice:
    """Networks and interpolations with errors made to measure."""

    NET = ModelInfo("net", "regression", "", "", ("sparse",), learned=True)

    def choice(self, make_scan: MakeScan, errors: dict[str, FloatArray]) -> Choice:
        """What is chosen of methods with those errors."""
        truth = make_scan().channel().data
        case = sparse_case(make_scan(), "pixels:0.3")
        trial = try_out(case, list(errors), lambda _, name, __: truth + errors[name], Progress())
        assert trial is not None
        return choose(list(errors), [self.NET], case, trial, judge(case, trial, "m"))

    def test_methods_far_behind_are_left_out_and_the_reason_is_said(self, make_scan: MakeScan) -> None:
        noise = RNG.normal(0, 1e-12, make_scan().geometry.shape)
        other = RNG.normal(0, 1e-12, noise.shape)
        choice = self.choice(
            make_scan, {"net": noise + 5 * other, "linear": noise, "tv": 1.1 * noise, "cubic": 2 * noise}
        )
        assert set(choice.weights) == {"linear", "tv"}
        assert choice.reason.startswith("shown is a mixture, ")
        assert ", and no network: on hidden pixels of this scan linear is better than net (" in choice.reason
        assert ", but " not in choice.reason

    def test_a_network_that_is_right_is_shown(self, make_scan: MakeScan) -> None:
        noise = RNG.normal(0, 1e-12, make_scan().geometry.shape)
        detail = RNG.normal(0, 2e-12, noise.shape)  # which interpolation misses
        choice = self.choice(make_scan, {"net": noise, "linear": noise + detail, "plate": noise + 1.05 * detail})
        assert choice.evidence is not None
        assert choice.evidence.hidden == pytest.approx(1, abs=0.1)
        assert choice.weights["net"] > 0.75
        assert next(iter(choice.weights)) == "net"
        assert "net is better than linear" in choice.reason

    def test_detail_that_is_made_up_is_not(self, make_scan: MakeScan) -> None:
        noise = RNG.normal(0, 1e-12, make_scan().geometry.shape)
        made_up = RNG.normal(0, 1e-12, noise.shape)
        choice = self.choice(make_scan, {"net": noise + made_up, "linear": noise})
        assert choice.evidence is not None
        assert choice.evidence.hidden == pytest.approx(0, abs=0.1)
        assert choice.weights.get("net", 0.0) < 0.3

    def test_where_the_surface_is_recognised_its_expert_counts_for_more(
        self, make_scan: MakeScan, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        noise = RNG.normal(0, 1e-12, make_scan().geometry.shape)
        errors = {"expert": noise, "net": noise, "linear": noise + RNG.normal(0, 1e-12, noise.shape)}
        expert = ModelInfo("expert", "regression", "si100h", "", ("sparse",), learned=True)
        case = sparse_case(make_scan(), "pixels:0.3")
        trial = try_out(case, list(errors), lambda _, name, __: make_scan().channel().data + errors[name], Progress())
        assert trial is not None
        check = judge(case, trial, "m")
        shares = {}
        for known in (0.0, 1.0):
            monkeypatch.setattr("stmviewer.restore.choice.familiarity", lambda *_, known=known: known)
            choice = choose(list(errors), [expert, self.NET], case, trial, check)
            assert choice.networks is not None
            shares[known] = choice.networks["expert"]
            assert ("dimer rows" in choice.reason) == (known > 0)
        assert shares == pytest.approx({0.0: 0.5, 1.0: 0.8}, abs=1e-3)

    @pytest.mark.parametrize(
        ("share", "familiar", "why"),
        [
            (
                0.8,
                0.0,
                r"linear is better than net \(.+\), but \d+ % of the detail that sets the networks apart is right",
            ),
            (
                0.8,
                1.0,
                r"know; on hidden .+ linear is better than net \(.+\), but gaps are wider there than in the scan$",
            ),
            (0.1, 0.0, r"linear is better than net \([^,]+\)$"),
        ],
    )
    def test_what_is_shown_against_the_hidden_pixels_has_its_reason(
        self, share: float, familiar: float, why: str, make_scan: MakeScan, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("stmviewer.restore.choice.share", lambda _: share)
        monkeypatch.setattr("stmviewer.restore.choice.familiarity", lambda *_: familiar)
        noise = RNG.normal(0, 1e-12, (2, *make_scan().geometry.shape))
        choice = self.choice(make_scan, {"net": noise[0] + noise[1], "linear": noise[0]})
        assert re.search(why, choice.reason)

    def test_rows_that_networks_know_are_no_reason_to_show_none(
        self, make_scan: MakeScan, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("stmviewer.restore.choice.share", lambda _: 0.0)
        monkeypatch.setattr("stmviewer.restore.choice.familiarity", lambda *_: 1.0)
        noise = RNG.normal(0, 1e-12, (2, *make_scan().geometry.shape))
        choice = self.choice(make_scan, {"net": noise[0] + noise[1], "linear": noise[0]})
        assert choice.reason.startswith("shown is linear, and no network: on hidden pixels")

    def test_interpolation_against_the_hidden_pixels_has_its_reason(
        self, make_scan: MakeScan, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("stmviewer.restore.choice.share", lambda _: 0.1)
        noise = RNG.normal(0, 1e-12, (2, *make_scan().geometry.shape))
        choice = self.choice(make_scan, {"net": noise[0], "linear": noise[0] + noise[1]})
        assert choice.reason.endswith("but in its own gaps, which are narrower, interpolation gains more")

    def test_without_a_network_the_interpolations_are_mixed(self, make_scan: MakeScan) -> None:
        noise = RNG.normal(0, 1e-12, (2, *make_scan().geometry.shape))
        choice = self.choice(make_scan, {"linear": noise[0], "cubic": noise[1]})
        assert sum(choice.weights.values()) == pytest.approx(1)
        assert set(choice.weights) == {"linear", "cubic"}
        assert choice.evidence is None


class TestUnseen:
    """Waves that the measured lines show as longer ones: hidden lines do so, too, and nothing tells."""

    @staticmethod
    def case(mask: str, pixel_nm: float | None = 0.1, side: int = 64) -> Case:
        g = Geometry.of_pixels(side, side)
        if pixel_nm:
            g = Geometry(side, side, side * pixel_nm * 1e-9, side * pixel_nm * 1e-9)
        return Case(np.zeros((side, side)), make_mask(mask, side, side), g)

    @pytest.mark.parametrize(
        ("mask", "pixel_nm", "words"),
        [
            ("lines:4", 0.1, "0.8 nm across the lines"),
            ("lines:2", 0.1, "0.4 nm across the lines"),
            ("grid:4", 0.1, "0.8 nm"),
            ("lines:4", None, "8 pixels across the lines"),
            ("lines:4", 0.02, ""),  # no lattice has rows so close
            ("lines-random:0.25", 0.1, ""),
            ("pixels:0.25", 0.1, ""),
        ],
    )
    def test_below_which_period(self, mask: str, pixel_nm: float | None, words: str) -> None:
        assert unseen_below(self.case(mask, pixel_nm)) == words

    def test_fewer_lines_in_a_file(self, make_scan: MakeScan) -> None:
        scan = make_scan(rows=32, columns=64, geometry=Geometry(64, 32, 64e-10, 64e-10))
        case = prepare(scan, scan.channel(), RestoreRequest(task="sparse", mask="file"))
        assert case.placement is not None
        assert unseen_below(case) == "0.4 nm across the lines"

    def test_a_lattice_finer_than_two_lines_deceives_the_check_and_it_says_where(self, make_scan: MakeScan) -> None:
        """Rows 0.384 nm apart along the lines, every fourth measured: they show a wave of 9.6 nm."""
        y, x = np.mgrid[0:128, 0:128] * 1e-10
        noise = np.random.default_rng(0).normal(size=x.shape)
        heights = 1e-10 * (np.cos(2 * np.pi * x / 0.768e-9) + 0.4 * np.cos(2 * np.pi * y / 0.384e-9) + 0.05 * noise)
        scan = make_scan(heights)
        result = run(scan, mask="lines:4", model="linear")
        true = float(np.abs(result.mean - heights)[~result.mask.measured].mean())
        (score,) = result.provenance["self_check"]["scores"][:1]
        assert true > 4 * score["expected"]
        (told,) = [c.text for c in result.checks if c.about == "self-check"]
        assert "unless something is finer than 0.8 nm across the lines" in told
        assert result.provenance["self_check"]["unseen_below"] == "0.8 nm across the lines"
        at_random = run(scan, mask="pixels:0.25", model="linear")
        assert "finer" not in next(c.text for c in at_random.checks if c.about == "self-check")


class TestAuto:
    @pytest.mark.parametrize("mask", ["lines:2", "pixels:0.3"])
    def test_an_untrained_network_does_not_spoil_what_is_shown(self, mask: str, make_scan: MakeScan) -> None:
        scan = make_scan(rows=72, columns=72)
        result = run(scan, mask=mask)
        best = min(run(scan, mask=mask, model=m).scores[0].mae_hidden for m in ("linear", "cubic"))
        assert result.model == "auto"
        assert result.scores[0].mae_hidden < 1.2 * best
        given = result.mask.measured
        assert np.array_equal(result.mean[given], scan.channel().data[given])
        methods = result.provenance["methods"]
        assert sum(m["weight"] for m in methods) == pytest.approx(1)
        assert any(c.about == "choice" for c in result.checks)

    @pytest.mark.parametrize("mask", ["lines:2", "pixels:0.3"])
    def test_detail_invented_by_a_trusted_network_is_found_in_the_mixture(
        self, mask: str, make_scan: MakeScan, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        y, x = np.mgrid[0:128, 0:128]
        data = 1e-11 * (np.cos(2 * np.pi * y / 9.1) + np.cos(2 * np.pi * x / 11.3) + 0.1 * RNG.normal(0, 1, y.shape))
        made_up = np.cos(2 * np.pi * x / 5.3)

        class Inventive:
            def __init__(self, real: Restorer) -> None:
                self.info = real.info

            def restore(self, problem: Problem, _: Options, __: Progress) -> Answer:
                return Answer(problem.image + made_up[: problem.image.shape[0], : problem.image.shape[1]])

        def load(info: ModelInfo, device: Device) -> tuple[Restorer, str]:
            restorer, sha256 = library.load(info, device)
            return (Inventive(restorer), sha256) if info.learned else (restorer, sha256)

        request = RestoreRequest(task="sparse", mask=mask, device="cpu")
        # nothing is hidden to betray it: the share of the network is what a rule says
        with monkeypatch.context() as trusting:
            trusting.setattr("stmviewer.restore.choice.share", lambda _: 0.6)
            result = restore(make_scan(data), request, Progress(), load)
        assert len(result.provenance["methods"]) > 1
        (found,) = [c for c in result.checks if c.about == "lattice"]
        assert found.warns and "0.53" in found.text
        # left to itself, what is hidden of the scan shows that it is made up
        honest = restore(make_scan(data), request, Progress(), load)
        assert not any(c.about == "lattice" and c.warns for c in honest.checks)

    def test_a_damaged_model_of_the_users_own_is_left_out_and_named(
        self, make_scan: MakeScan, tiny_models: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        own = tmp_path / "own"
        shutil.copytree(tiny_models, own)
        listed = json.loads((own / "manifest.json").read_text())
        # with a hash of its own: weights of one hash are held but once
        entry = listed["regression-tiny"] | {"sha256": "0" * 64}
        (own / "manifest.json").write_text(json.dumps({"regression-mylab": entry}))
        (own / "regression-tiny.safetensors").rename(own / "regression-mylab.safetensors")
        monkeypatch.setattr("stmviewer.paths.user_models", lambda: own)
        monkeypatch.setattr("stmviewer.restore.loading._loaded", {})
        (own / "regression-mylab.safetensors").write_bytes(b"damaged")
        result = run(make_scan(), mask="pixels:0.5")
        tried = {score["method"] for score in result.provenance["self_check"]["scores"]}
        assert "regression-tiny" in tried and "regression-mylab" not in tried
        (told,) = [w for w in result.warnings if "left out" in w]
        assert told.startswith("regression-mylab was left out: ") and "wrong hash" in told
        monkeypatch.setattr("stmviewer.restore.loading._loaded", {})  # where the same weights are held by another name
        with pytest.raises(FileError, match="wrong hash"):
            run(make_scan(), mask="pixels:0.5", model="regression-mylab")

    def test_the_same_request_gives_the_same_image(self, make_scan: MakeScan) -> None:
        one, other = (run(make_scan(), mask="pixels:0.3") for _ in range(2))
        assert np.array_equal(one.mean, other.mean)
        assert one.provenance["methods"] == other.provenance["methods"]

    def test_what_is_hidden_decides_nothing(self, make_scan: MakeScan) -> None:
        data = np.array(make_scan().channel().data)
        given = make_mask("lines:4", *data.shape).measured
        other = np.where(given, data, data + RNG.normal(0, 1e-10, data.shape))
        one, two = run(make_scan(data), mask="lines:4"), run(make_scan(other), mask="lines:4")
        assert one.provenance["methods"] == two.provenance["methods"]
        assert np.array_equal(one.mean, two.mean)

    def test_a_named_model_is_used_and_a_better_one_is_named(self, make_scan: MakeScan) -> None:
        result = run(make_scan(), mask="lines:2", model="regression")
        assert [m["name"] for m in result.provenance["methods"]] == ["regression-tiny"]
        assert any("is better than regression-tiny" in w for w in result.warnings)

    def test_without_checks_the_model_asked_for_runs_alone(self, make_scan: MakeScan) -> None:
        result = run(make_scan(), mask="lines:2", model="regression", check=False)
        assert result.provenance["self_check"] is None
        assert [c.about for c in result.checks] == ["range"]  # which costs nothing

    def test_repairs_take_the_recommended_model(self, make_scan: MakeScan) -> None:
        result = restore(make_scan(), RestoreRequest(device="cpu"), Progress())
        assert result.model == "regression-tiny"

    def test_it_is_cancelled_within(self, make_scan: MakeScan) -> None:
        import threading

        stop = threading.Event()
        seen = []

        def report(advance: Any) -> None:
            seen.append(advance.step)
            if advance.step == "Self-check":
                stop.set()

        with pytest.raises(Cancelled):
            restore(make_scan(), RestoreRequest(task="sparse", mask="lines:4"), Progress(report, stop))
        assert "Self-check" in seen


def test_scattered_pixels_are_tried_with_compressed_sensing_and_large_scans_with_what_is_quick():
    from stmviewer.restore.case import Case
    from stmviewer.restore.choice import affordable
    from stmviewer.scan import Geometry, make_mask

    def names(pattern, side):
        mask = make_mask(pattern, side, side, 0)
        return affordable(Case(np.zeros((side, side)), mask, Geometry.of_pixels(side, side)))

    assert names("pixels:0.25", 64) == ["cs-dct", "plate", "tv"]
    assert names("lines:4", 64) == ["plate", "cubic", "tv", "linear"]
    assert set(names("lines:4", 2400)) == {"linear", "cubic"}
    assert names("pixels:0.25", 2400) == []
