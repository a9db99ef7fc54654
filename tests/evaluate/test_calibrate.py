"""Planted errors: the scale of deviations is found, the correction of the self-check, too, and both are kept."""

from pathlib import Path

import numpy as np
import pytest

from stmviewer.evaluate import calibrate as calibrate_module
from stmviewer.evaluate.calibrate import NOMINAL, Coverage, calibrate, fit_scale, on_others, to_json
from stmviewer.evaluate.calibrate import table as coverage_table
from stmviewer.evaluate.sets import Case
from stmviewer.restore import RestoreRequest, library
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.models import RegressionModel
from stmviewer.restore.networks import UNetConfig
from stmviewer.restore.pipeline import restore
from stmviewer.restore.weights import save_weights
from stmviewer.scan import Channel, Geometry, Progress, RequestError, Scan

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("planted", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("kind", ["normal", "laplace"])
def test_a_planted_scale_is_found_and_covers_what_it_should(planted: float, kind: str) -> None:
    # deviations differ from pixel to pixel, and are all wrong by one factor
    deviation = np.exp(RNG.normal(0, 0.7, 50_000))
    drawn = RNG.normal(0, 1, deviation.size) if kind == "normal" else RNG.laplace(0, 0.5**0.5, deviation.size)
    scale, one, two = fit_scale(np.abs(planted * deviation * drawn) / deviation)
    if kind == "normal":
        assert scale == pytest.approx(planted, rel=0.03)
    assert abs(one - NOMINAL[0]) < 0.05
    assert abs(two - NOMINAL[1]) < 0.05


def test_a_scale_is_tried_on_groups_that_it_was_not_fitted_on() -> None:
    def drawn(scale: float) -> list[np.ndarray]:
        return [np.abs(scale * RNG.normal(0, 1, 20_000)) for _ in range(2)]

    alike = on_others({"a": drawn(2.0), "b": drawn(2.0), "c": drawn(2.0)})
    assert alike == pytest.approx(NOMINAL, abs=0.03)
    # deviations of every second group are three times too small: on the other half the scale is wrong by that
    one, _ = on_others({"a": drawn(1.0), "b": drawn(3.0), "c": drawn(1.0), "d": drawn(3.0)})
    assert one < NOMINAL[0] - 0.03
    assert all(np.isnan(on_others({"a": drawn(1.0)})))


def test_what_was_not_measured_is_said_to_be_missing() -> None:
    found = [Coverage("lines", 1.0, 0.7, 0.95, 3), Coverage("grid", 1.0, 0.7, 0.95, 3, 0.65, 0.93)]
    assert [row["off_others"] for row in to_json(found)] == [None, pytest.approx(3.3)]
    lines = coverage_table(found).splitlines()
    assert lines[2].endswith("| - | - | - |")
    assert lines[3].endswith("| 65.0 % | 93.0 % | 3.3 points |")


def test_nothing_to_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="no deviation"):
        fit_scale(np.array([]))


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shipped"
    folder.mkdir()
    monkeypatch.setattr("stmviewer.paths.shipped_models", lambda: folder)
    model = RegressionModel(UNetConfig(channels=(8, 16, 16), blocks=(1, 1, 1), head=8, embedding=16)).eval()
    save_weights(model, folder / "regression-tiny.safetensors")
    library.register(ModelInfo("regression-tiny", "regression", "tiny", "x", ("repair", "sparse"), True), folder)
    return folder


def cases(count: int = 2) -> list[Case]:
    y, x = np.mgrid[0:64, 0:64]
    found = []
    for k in range(count):
        data = 1e-10 * (np.cos(2 * np.pi * x / (9 + k)) * np.cos(2 * np.pi * y / 17) + RNG.normal(0, 0.1, x.shape))
        found.append(Case(Scan([Channel("Z", "m", data)], Geometry(64, 64, 64e-10, 64e-10)), None, f"{k}"))
    return found


def test_scales_are_kept_in_the_manifest_and_used(shipped: Path) -> None:
    before = restore(cases(1)[0].scan, RestoreRequest(task="sparse", mask="lines:2", model="regression"), Progress())
    found = calibrate("regression-tiny", {"made": cases()}, ["lines:2", "pixels:0.3"], Progress(), device="cpu")
    assert [c.family for c in found] == ["lines", "scattered"]
    assert all(c.off < 8 for c in found)  # small images of an untrained network
    kept = dict(library.entries()["regression-tiny"].info.deviation_scale)
    assert kept == {c.family: pytest.approx(c.scale, rel=1e-3) for c in found}
    after = restore(cases(1)[0].scan, RestoreRequest(task="sparse", mask="lines:2", model="regression"), Progress())
    assert before.deviation is not None and after.deviation is not None
    hidden = ~after.mask.measured
    assert np.median(after.deviation[hidden]) / np.median(before.deviation[hidden]) == pytest.approx(
        kept["lines"], rel=0.3
    )
    # fitted anew it is the same scale, not that of a scaled deviation
    again = calibrate("regression-tiny", {"made": cases()}, ["lines:2"], Progress(), device="cpu")
    assert again[0].scale == pytest.approx(kept["lines"], rel=0.3)
    assert set(dict(library.entries()["regression-tiny"].info.deviation_scale)) == {"lines", "scattered"}


def test_methods_without_deviation_cannot_be_calibrated(shipped: Path) -> None:
    with pytest.raises(RequestError, match="no learned model 'linear'"):
        calibrate("linear", {"made": cases(1)}, ["lines:2"], Progress())
    with pytest.raises(RequestError, match="predicts no deviation"):
        calibrate("regression-tiny", {"made": cases(1)}, ["repair"], Progress())


def test_the_middle_of_levelled_images_is_zero() -> None:
    y, x = np.mgrid[0:20, 0:30].astype(float)
    assert np.abs(calibrate_module._level(3 * x - y + 7)).max() < 1e-9
