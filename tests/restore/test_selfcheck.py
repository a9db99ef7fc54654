"""Folds, self-check and choice: hidden pixels stay hidden, errors are those at the hidden pixels, winners win."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from stmviewer.restore import RestoreRequest
from stmviewer.restore.case import Case, prepare
from stmviewer.restore.choice import Mixing, choose, fit_weights
from stmviewer.restore.filling import kind_of_mask
from stmviewer.restore.folding import fold
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.pipeline import restore
from stmviewer.restore.selfcheck import factor, judge, try_out, window
from stmviewer.scan import Cancelled, FloatArray, Geometry, Progress, Scan, make_mask

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
def test_a_fold_parts_the_measured_pixels(mask: str, make_scan: MakeScan) -> None:
    scan = make_scan(rows=64, columns=80)
    case = sparse_case(scan, mask)
    parts = fold(case)
    assert parts is not None
    kept, held = parts.kept.mask.measured, parts.held.mask.measured
    assert not (kept & held).any()
    assert np.array_equal(kept | held, case.mask.measured)
    assert 0.1 < held.sum() / case.mask.measured.sum() <= 0.5
    assert np.isnan(parts.kept.raw[~kept]).all()  # nothing of the rest is given away
    assert parts.kept.truth is None and parts.held.truth is None
    truth = scan.channel().data
    assert parts.errors(truth + 2e-12) == pytest.approx(np.full(held.sum(), 2e-12), rel=1e-3)
    assert kind_of_mask(case.mask.measured) == MASKS[mask]


def test_gaps_of_a_full_scan_are_tried_with_gaps_elsewhere(make_scan: MakeScan) -> None:
    data = np.array(make_scan().channel().data)
    data[50:] = np.nan  # the scan was stopped
    case = sparse_case(make_scan(data), "file")
    assert kind_of_mask(case.mask.measured) == "gaps"
    parts = fold(case)
    assert parts is not None
    hidden_rows = np.unique(np.nonzero(parts.held.mask.measured)[0])
    assert len(hidden_rows) > 8 and hidden_rows.max() < 50


def test_lines_between_rows_are_hidden_at_their_own_place(make_scan: MakeScan) -> None:
    lines = np.array(make_scan(rows=24, columns=64).channel().data)
    frame = Geometry(64, 24, 64e-10, 64e-10)  # 2.67 rows a line
    case = sparse_case(make_scan(lines, geometry=frame), "file")
    parts = fold(case)
    assert parts is not None and parts.kept.placement is not None and parts.held.lines is not None
    assert np.array_equal(np.sort(np.concatenate([parts.kept.placement.positions, parts.held.placement.positions])),  # type: ignore[union-attr]
                          np.sort(case.placement.positions))  # type: ignore[union-attr]  # fmt: skip
    assert np.array_equal(parts.held.lines, lines[1::2])
    result = run(make_scan(lines, geometry=frame), mask="file", model="linear")
    assert result.provenance["self_check"]["hidden"] == "every 2nd measured line"


@pytest.mark.parametrize("mask", ["lines:16", "grid:12"])
def test_too_little_is_not_hidden_further(mask: str, make_scan: MakeScan) -> None:
    assert fold(sparse_case(make_scan(), mask)) is None
    result = run(make_scan(), mask=mask)
    assert [m["name"] for m in result.provenance["methods"]] == ["regression-tiny"]
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

    def test_methods_far_behind_are_left_out_and_the_reason_is_said(self, make_scan: MakeScan) -> None:
        truth = make_scan().channel().data
        noise = RNG.normal(0, 1e-12, truth.shape)
        case = sparse_case(make_scan(), "pixels:0.3")

        def show(_: Case, name: str, __: Progress) -> FloatArray:
            return truth + {"net": 2.0, "linear": 1.0, "tv": 1.1}[name] * np.roll(noise, len(name), axis=1)

        trial = try_out(case, ["net", "linear", "tv"], show, Progress())
        assert trial is not None
        net = ModelInfo("net", "regression", "", "", ("sparse",), learned=True)
        choice = choose(trial, judge(case, trial, "m"), [net])
        assert set(choice.weights) == {"linear", "tv"}
        assert choice.reason.startswith("on hidden pixels of this scan linear is better than net: ")
        assert choice.reason.endswith("and no network")

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
        assert result.checks == ()

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
