"""Drift is put into images of known shape and taken out again."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from stmviewer.scan import Geometry, History, RequestError
from stmviewer.scan.processing import drift
from stmviewer.scan.processing.drift import lag, lattice_drift
from stmviewer.scan.processing.image import Image

GEOMETRY = Geometry(160, 160, 16e-9, 16e-9)


def lattice(kind: str, shear: float, stretch: float) -> np.ndarray:
    """A lattice seen by a drifting scanner: the true place of a pixel is (x + shear y, stretch y)."""
    y, x = (np.mgrid[0:160, 0:160] - 79.5) * 0.1
    x, y = x + shear * y, stretch * y
    k = 2 * np.pi / 0.9

    def wave(angle: float, of: float = 1.0) -> np.ndarray:
        return np.cos(of * k * (x * np.cos(0.3 + angle) + y * np.sin(0.3 + angle)))

    z = {
        "hexagonal": lambda: sum(wave(a) for a in (0, np.pi / 3, 2 * np.pi / 3)),
        "square": lambda: wave(0) + wave(np.pi / 2),
        "2x1": lambda: wave(0, 0.5) + 0.6 * wave(np.pi / 2),
    }[kind]()
    noisy: np.ndarray = 1e-11 * (z + np.random.default_rng(0).normal(0, 0.3, x.shape))
    return noisy


@pytest.mark.parametrize("kind", ["hexagonal", "square", "2x1"])
@pytest.mark.parametrize(("shear", "stretch"), [(0.0, 1.0), (0.1, 1.08), (-0.08, 0.93)])
def test_the_lattice_tells_the_drift(kind: str, shear: float, stretch: float) -> None:
    found = lattice_drift(lattice(kind, shear, stretch), GEOMETRY, kind)  # type: ignore[arg-type]
    assert found == pytest.approx((shear, stretch), abs=0.004)


def test_the_corrected_lattice_needs_no_correction() -> None:
    image = Image(lattice("square", 0.1, 1.08), GEOMETRY)
    after = History.from_text("drift:lattice,square").replay(image)
    assert np.isfinite(after.data).all()
    assert lattice_drift(after.data, after.geometry, "square") == pytest.approx((0, 1), abs=0.01)
    kept = History.from_text("drift:lattice,square,keep").replay(image)
    assert kept.geometry.height == pytest.approx(1.08 * 16e-9, rel=0.01)
    assert kept.geometry.centre == GEOMETRY.centre


def test_no_lattice_no_correction() -> None:
    noise = np.random.default_rng(0).normal(size=(160, 160))
    with pytest.raises(RequestError, match="no hexagonal lattice whose peaks stand out"):
        lattice_drift(noise, GEOMETRY, "hexagonal")


@pytest.mark.parametrize("period", [9.0, 90.0])
def test_the_middle_of_a_large_image_tells_enough_or_the_whole_is_asked(
    period: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drift, "_ENOUGH", 256)
    y, x = np.mgrid[0:800, 0:800] - 399.5
    x, k = x + 0.06 * y, 2 * np.pi / period
    angles = np.deg2rad([20, 80, 140])
    z = sum(np.cos(k * (x * np.cos(a) + y * np.sin(a))) for a in angles)
    found = lattice_drift(z, Geometry(800, 800, 80e-9, 80e-9), "hexagonal")
    assert found == pytest.approx((0.06, 1.0), abs=0.01)


def directions() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(what is there, forward, backward, the lag in pixels)."""
    scene = gaussian_filter(np.random.default_rng(1).normal(size=(120, 260)), 2.5)
    y, x = np.mgrid[0:120, 0:200].astype(float)
    d = 1.5 + 1.2 * (x / 200 - 0.5) - 2 * (x / 200 - 0.5) ** 2 + 0.8 * (y / 120 - 0.5)

    def seen(by: np.ndarray | float) -> np.ndarray:
        values: np.ndarray = map_coordinates(scene, (y, x + 30 - by), order=3)
        return values

    return seen(0.0), seen(d), seen(-d), d


def test_the_lag_between_directions_is_found() -> None:
    _, forward, backward, d = directions()
    assert np.abs(lag(forward, backward) - d).max() < 0.1


def test_both_directions_show_the_same_afterwards() -> None:
    there, forward, backward, _ = directions()
    image = Image(forward, Geometry(200, 120, 20e-9, 12e-9), backward)
    after = History.from_text("drift:directions").replay(image)
    assert after.geometry == image.geometry
    assert after.other is not None
    inside = np.s_[4:-4, 8:-8]
    before = np.abs(forward - there)[inside].mean()
    assert np.nanmean(np.abs(after.data - there)[inside]) < 0.1 * before
    assert np.nanmean(np.abs(after.other - there)[inside]) < 0.1 * before


def test_directions_that_cannot_be_compared_are_refused() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 60, 100))
    with pytest.raises(RequestError, match="do not show the same"):
        History.from_text("drift:directions").replay(Image(a, Geometry.of_pixels(60, 100), b))
    with pytest.raises(RequestError, match="no lines in the other direction"):
        History.from_text("drift:directions").replay_data(a)
    with pytest.raises(RequestError, match="too few to compare"):
        lag(a[:8], b[:8])
