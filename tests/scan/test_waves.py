"""Spectra, their peaks and autocorrelations of images that are known."""

import numpy as np
import pytest

from stmviewer.scan import Geometry, RequestError
from stmviewer.scan.waves import autocorrelation, lattice_waves, spectrum_of

GEOMETRY = Geometry(120, 100, 12e-9, 20e-9)  # pixels of 0.1 x 0.2 nm


def lattice(period: float = 0.9e-9, angle: float = 25.0) -> np.ndarray:
    y, x = np.mgrid[0:100, 0:120]
    a = np.deg2rad(angle)
    along = x * 1e-10 * np.cos(a) - y * 2e-10 * np.sin(a)
    across = x * 1e-10 * np.sin(a) + y * 2e-10 * np.cos(a)
    return 2e-11 * np.cos(2 * np.pi * along / period) + 1e-11 * np.cos(2 * np.pi * across / 1.3e-9) + 1e-13 * x


def test_periods_and_directions_of_a_lattice() -> None:
    first, second = lattice_waves(lattice(), GEOMETRY)
    assert first.period == pytest.approx(0.9e-9, rel=0.01)
    assert first.angle_deg == pytest.approx(25, abs=1)
    assert first.amplitude == pytest.approx(2e-11, rel=0.1)
    assert second.period == pytest.approx(1.3e-9, rel=0.01)
    assert second.angle_deg == pytest.approx(115, abs=1)


def test_noise_has_no_lattice_and_an_image_without_size_has_pixels() -> None:
    noise = np.random.default_rng(0).normal(size=(100, 120))
    assert len(lattice_waves(noise, Geometry.of_pixels(100, 120))) <= 1
    x = np.mgrid[0:64, 0:64][1]
    (wave,) = lattice_waves(np.cos(2 * np.pi * x / 7.3), Geometry.of_pixels(64, 64))
    assert wave.period == pytest.approx(7.3, rel=0.01)


def test_the_axes_of_a_spectrum() -> None:
    spectrum = spectrum_of(lattice(), GEOMETRY)
    assert spectrum.amplitude.shape == (100, 120)
    assert spectrum.most == pytest.approx((1 / 2e-10, 1 / 4e-10))
    for small in (np.zeros((8, 100)), np.full((40, 40), np.nan)):
        with pytest.raises(RequestError):
            spectrum_of(small, Geometry.of_pixels(*small.shape))


def test_the_autocorrelation_has_the_period_of_the_image() -> None:
    x = np.mgrid[0:80, 0:90][1]
    data = np.cos(2 * np.pi * x / 10.0) + np.random.default_rng(0).normal(0, 0.2, x.shape)
    data[20:30, 40:50] = np.nan
    g = autocorrelation(data)
    assert g.shape == (81, 91)
    row, column = 40, 45
    assert g[row, column] == pytest.approx(1)
    assert g[row, column + 10] > 0.85 > -0.85 > g[row, column + 5]
    assert g == pytest.approx(g[::-1, ::-1], abs=1e-9)
    with pytest.raises(RequestError, match="flat"):
        autocorrelation(np.ones((30, 30)))
