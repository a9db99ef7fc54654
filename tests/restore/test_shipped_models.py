"""The models that come with this version, where the source tree has them."""

import numpy as np
import pytest

from stmviewer import paths
from stmviewer.files import file_sha256
from stmviewer.restore import RestoreRequest, library
from stmviewer.restore.entry import Entry
from stmviewer.restore.library import read_manifest
from stmviewer.restore.pipeline import restore
from stmviewer.restore.weights import load_weights
from stmviewer.scan import Channel, Geometry, Progress, Scan
from stmviewer.simulate import Si001H

NAMES = sorted(read_manifest(paths.shipped_models()))
pytestmark = pytest.mark.skipif(not NAMES, reason="models/ has no weights")


@pytest.fixture
def entry(request: pytest.FixtureRequest) -> Entry:
    return library.entries()[request.param]


@pytest.mark.parametrize("entry", NAMES, indirect=True)
def test_weights_are_those_that_the_manifest_names(entry: Entry) -> None:
    assert file_sha256(entry.weights) == entry.sha256
    assert load_weights(entry.weights).kind == entry.info.kind
    assert entry.card.read_text(encoding="utf-8").strip()
    assert entry.info.name == f"{entry.info.kind}-{entry.info.family}"
    assert entry.info.source == "shipped"
    assert entry.info.summary
    assert entry.info.licence


@pytest.mark.parametrize("entry", NAMES, indirect=True)
def test_each_knows_what_it_was_trained_on(entry: Entry) -> None:
    """Or it could not warn outside of that."""
    for low, high in (entry.info.pixels_m, entry.info.noise, entry.info.contrast_m, entry.info.periods_px):
        assert 0 < low < high


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        ("pixels of", {"pixel_m": 1e-9}),
        ("noise of", {"noise": 6.0}),
        ("corrugations of", {"height_m": 5e-9}),
        ("lattices of", {"period_px": 2.3}),
        ("", {}),
    ],
)
def test_the_recommended_one_warns_of_each_that_lies_outside(words: str, changes: dict[str, float]) -> None:
    known = {"pixel_m": 0.1e-9, "noise": 0.05, "height_m": 30e-12, "period_px": 8.0} | changes
    y, x = np.mgrid[0:288, 0:288] / known["period_px"]
    wave = np.cos(2 * np.pi * (x + y)) + np.cos(2 * np.pi * (x - y))
    noise = known["noise"] * np.random.default_rng(0).standard_normal(wave.shape)
    side = 288 * known["pixel_m"]
    scan = Scan([Channel("Z", "m", known["height_m"] * (wave + noise))], Geometry(288, 288, side, side))
    result = restore(scan, RestoreRequest(device="cpu", check=False), Progress())
    told = [check for check in result.checks if check.about == "range"]
    if words:
        assert any(words in check.text for check in told if check.warns)
    else:
        assert [(check.text[:6], check.warns) for check in told] == [("Within", False)]


def coarse_scan(seed: int) -> Scan:
    """A clean Si(001):H scan with some 4 pixels a dimer row, as overview scans have it, with a little noise."""
    rng = np.random.default_rng(seed)
    pixel_m = 0.19e-9
    surface = Si001H.random(rng).make(128, 128, pixel_m, rng)
    noisy = surface + 0.05 * np.std(surface) * rng.standard_normal(surface.shape)
    return Scan([Channel("Z", "m", noisy)], Geometry(128, 128, 128 * pixel_m, 128 * pixel_m))


def test_the_model_of_simulated_surfaces_beats_linear_interpolation_on_coarse_lines() -> None:
    name = "regression-sim" if "regression-sim" in NAMES else "regression"
    request = RestoreRequest(task="sparse", mask="lines:4", model=name, device="cpu")
    gains = []
    for seed in range(4):
        model, linear = restore(coarse_scan(seed), request, Progress()).scores
        assert linear.method == "linear"
        gains.append(model.ssim_hidden - linear.ssim_hidden)
    assert np.mean(gains) > 0.02
