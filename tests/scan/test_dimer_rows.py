"""Dimer rows of Si(001) are told from other lattices where the pixel size is known."""

import numpy as np
import pytest

from stmviewer.scan.dimer_rows import silicon_rows
from stmviewer.simulate import simulate_scan, to_scan


def seen(surface: str, pixel_m: float, seed: int, preset: str = "mild", side: int = 160) -> float:
    image = to_scan(simulate_scan(surface, side, side, pixel_m, preset, seed)).channel().data
    return silicon_rows(image, pixel_m, pixel_m)


def test_silicon_is_recognised_at_any_sampling_and_with_faults() -> None:
    found = [seen("si001h", pixel, seed) for pixel in (0.05e-9, 0.1e-9, 0.18e-9) for seed in range(3)]
    assert np.mean(np.array(found) > 0.5) > 0.7


@pytest.mark.parametrize("surface", ["au111", "si111-7x7", "graphite", "hexagonal"])
def test_other_surfaces_are_not(surface: str) -> None:
    found = [seen(surface, 0.1e-9, seed) for seed in range(4)]
    assert np.mean(np.array(found) > 0.5) <= 0.25


def test_noise_a_flat_image_and_a_tiny_one_are_nothing() -> None:
    rng = np.random.default_rng(0)
    assert silicon_rows(rng.normal(size=(128, 128)), 1e-10, 1e-10) < 0.5
    assert silicon_rows(np.zeros((64, 64)), 1e-10, 1e-10) < 0.5
    assert silicon_rows(rng.normal(size=(8, 8)), 1e-10, 1e-10) == pytest.approx(0, abs=0.5)


def test_rows_of_another_spacing_are_not_those_of_silicon() -> None:
    x = np.arange(192) * 0.1e-9
    for spacing, wanted in ((0.768e-9, True), (1.1e-9, False), (0.6e-9, False)):
        rows = np.cos(2 * np.pi * x / spacing)[None, :]
        dimers = 0.4 * np.cos(2 * np.pi * x / (spacing / 2))[:, None]
        image = rows + dimers + np.random.default_rng(0).normal(0, 0.3, (192, 192))
        assert (silicon_rows(image, 1e-10, 1e-10) > 0.5) == wanted
