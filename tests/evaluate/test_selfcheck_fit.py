"""The correction of the self-check: factors found again, units that do not matter, surfaces left out."""

from pathlib import Path

import numpy as np
import pytest
import torch

from stmviewer.evaluate.selfcheck_fit import Row, fit, measure, resource, surface_of, table
from stmviewer.evaluate.sets import Case
from stmviewer.restore import ModelInfo, RestoreRequest, library
from stmviewer.restore.models import RegressionModel
from stmviewer.restore.networks import UNetConfig
from stmviewer.restore.pipeline import restore
from stmviewer.restore.weights import save_weights
from stmviewer.scan import Channel, Geometry, Progress, RequestError, Scan


def rows(spread: float = 0.1, surfaces: int = 6) -> list[Row]:
    """True errors 0.8 times the self-checked ones, both anything from 1 to 20 % of the range."""
    rng = np.random.default_rng(7)
    found = []
    for k in range(40 * surfaces):
        checked = float(np.exp(rng.uniform(np.log(0.01), np.log(0.2))))
        true = 0.8 * checked * float(np.exp(spread * rng.standard_normal()))
        found.append(Row(f"set {k % surfaces}", "g", "lines:4", "lines", "linear", checked, true, 0.9))
    return found


def test_factor_spread_and_correlation() -> None:
    found = fit(rows())["lines"]["linear"]
    assert found["factor"] == pytest.approx(0.8, rel=0.03)
    assert found["spread"] == pytest.approx(np.exp(0.97 * 0.1), rel=0.03)
    assert 0.97 < found["correlation"] < 1
    low, middle, high = found["left_out"]
    assert low < 1 < high
    assert middle == pytest.approx(1, abs=0.03)
    assert np.log(high / low) == pytest.approx(0.2, rel=0.2)


def test_errors_that_are_not_foreseen_do_not_correlate() -> None:
    rng = np.random.default_rng(8)
    pairs = rng.uniform(0.01, 0.2, (300, 2)).tolist()
    random = [Row("s", "g", "lines:4", "lines", "linear", checked, true, 0.9) for checked, true in pairs]
    assert abs(fit(random)["lines"]["linear"]["correlation"]) < 0.15


def test_a_surface_of_its_own_is_not_foreseen_by_the_others() -> None:
    other = [Row("simulated ge001", "g", "lines:4", "lines", "linear", 0.1, 0.2, 0.9) for _ in range(200)]
    _, _, high = fit(rows() + other)["lines"]["linear"]["left_out"]
    assert high > 2  # a factor 2.5 over what the others say


@pytest.mark.parametrize(
    ("name", "surface"),
    [
        ("simulated fine", "Si(001):H"),
        ("real H:Si(100) coarse", "Si(001):H"),
        ("simulated si001h", "Si(001):H"),
        ("simulated ge001", "ge001"),
        ("real Cu(111)", "Cu(111)"),
        ("unknown lattice", "unknown lattice"),
    ],
)
def test_surfaces_of_sets(name: str, surface: str) -> None:
    assert surface_of(name) == surface


def test_without_scans_it_says_so() -> None:
    with pytest.raises(RequestError, match="no scan"):
        measure({}, ["lines:4"], Progress())


def test_measuring_from_scan_to_resource(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stmviewer.paths.shipped_models", lambda: tmp_path)
    monkeypatch.setattr("stmviewer.restore.learned.fast_bf16", lambda device: False)
    torch.manual_seed(1)
    info = ModelInfo("regression-tiny", "regression", "tiny", "", ("sparse",), learned=True)
    tiny = RegressionModel(UNetConfig(channels=(8, 16, 16), blocks=(1, 1, 1), head=8, embedding=16))
    save_weights(tiny.eval(), tmp_path / "regression-tiny.safetensors")
    library.register(info, tmp_path)
    rng = np.random.default_rng(9)
    y, x = np.mgrid[0:48, 0:48]
    sets: dict[str, list[Case]] = {}
    for name, factor in (("one", 1e-12), ("two", 1e3)):  # metres and something else
        data = factor * (np.sin(x / 3) * np.cos(y / 4) + 0.1 * rng.standard_normal(x.shape))
        scan = Scan([Channel("Z", "m" if name == "one" else "Hz", data)], Geometry.of_pixels(48, 48))
        sets[name] = [Case(scan, None, "g")]
    measured = measure(sets, ["lines:2", "pixels:0.3"], Progress(), device="cpu")
    assert {r.method for r in measured.rows} == {"auto", "regression-tiny", "plate", "cubic", "tv", "linear", "cs-dct"}
    assert all(0 < r.true < 1 for r in measured.rows)  # shares of the range, whatever the unit
    assert len(measured.shares) == 4
    assert all(r.stake > 0 for r in measured.shares)
    found = resource(measured)
    assert set(found) == {"made", "kinds", "choice"}
    assert "4 masked scans of choice_sets: one, two; no real scan" in found["made"]
    assert set(found["choice"]["compared"]) == {"lines", "scattered"}
    anew = found["choice"].get("not_better", found["choice"])
    assert {s["scans"] for s in anew["left_out"].values()} == {2}
    monkeypatch.setattr("stmviewer.evaluate.selfcheck_fit.shipped", dict)
    assert resource(measured)["choice"]["kinds"] == anew["kinds"]  # without a rule there is nothing to keep
    # what auto would show is what it shows
    request = RestoreRequest(task="sparse", model="auto", mask="pixels:0.3", device="cpu")
    shown = restore(sets["two"][0].scan, request, Progress()).scores[0].ssim
    (told,) = (r.ssim for r in measured.rows if (r.set, r.task, r.method) == ("two", "pixels:0.3", "auto"))
    assert told == pytest.approx(shown, abs=1e-6)
    assert "| one |" in table(measured.rows)
