"""Planted lattices: invented and removed ones are told, faithful ones pass in silence, aliases cannot be verified."""

import numpy as np
import pytest

from stmviewer.restore.filling import fill
from stmviewer.restore.lattice_check import findings, lattice_checks
from stmviewer.scan import FloatArray, Geometry, make_mask
from stmviewer.simulate import simulate_scan

N = 128
Y, X = np.mgrid[0:N, 0:N].astype(float)
RNG = np.random.default_rng(3)
FRAME = Geometry(N, N, N * 1e-10, N * 1e-10)
MASKS = ["lines:2", "lines:4", "grid:2", "grid:4", "pixels:0.25", "lines-random:0.25"]


def wave(period_x: float, period_y: float = np.inf, phase: float = 0.3) -> FloatArray:
    result: FloatArray = np.cos(2 * np.pi * (X / period_x + Y / period_y) + phase)
    return result


def lattice() -> FloatArray:
    """Rows 12 pixels apart, atoms 16 apart along them, a step, a tilt, noise: all waves under every mask's Nyquist."""
    noise: FloatArray = RNG.normal(0, 0.15, (N, N))
    return wave(12) + 0.8 * wave(np.inf, 16) + 1.5 * (X + Y > N) + 0.02 * X + noise


def kinds(image: FloatArray, truth: FloatArray, mask: str) -> set[str]:
    measured = make_mask(mask, N, N).measured
    return {f.kind for f in findings(image, np.where(measured, truth, np.nan), measured)}


@pytest.mark.parametrize("mask", MASKS)
def test_the_truth_passes_in_silence(mask: str) -> None:
    assert kinds(lattice(), lattice(), mask) == set()


@pytest.mark.parametrize("mask", ["lines:2", "lines:4", "grid:2", "pixels:0.25"])
def test_interpolation_of_what_is_well_sampled_passes_in_silence(mask: str) -> None:
    truth = lattice()
    assert kinds(fill(truth, make_mask(mask, N, N).measured), truth, mask) == set()


@pytest.mark.parametrize("mask", MASKS)
def test_an_invented_period_is_told(mask: str) -> None:
    truth = lattice()
    measured = make_mask(mask, N, N).measured
    # it stays away from the measured pixels, as a model would have it that keeps them
    image = np.where(measured, truth, truth + 2 * wave(9.1, 14.2))
    assert "invented" in kinds(image, truth, mask)


def test_waves_that_vanish_at_every_measured_line_are_invented() -> None:
    truth = lattice()
    image = truth + 1.5 * np.sin(np.pi * (Y - 1) / 4) * wave(10)  # zero on lines 1, 5, 9 ...: those of lines:4
    measured = make_mask("lines:4", N, N).measured
    assert np.abs(image - truth)[measured].max() < 1e-9
    assert "invented" in kinds(image, truth, "lines:4")


@pytest.mark.parametrize("mask", MASKS)
def test_a_removed_period_is_told(mask: str) -> None:
    truth = lattice() + 1.5 * wave(20, 22)
    assert "vanished" in kinds(truth - 1.5 * wave(20, 22), truth, mask)


def test_a_wave_with_a_longer_alias_cannot_be_verified() -> None:
    # 3.2 pixels along the slow axis looks like 16 on every 4th line
    truth = wave(12) + wave(np.inf, 3.2) + RNG.normal(0, 0.1, (N, N))
    assert kinds(truth, truth, "lines:4") == {"unverified"}
    assert kinds(truth, truth, "lines-random:0.5") == set()  # no aliases
    assert kinds(truth, truth, "pixels:0.25") == set()


def test_an_imprint_of_the_mask_is_called_so() -> None:
    truth = lattice()
    measured = make_mask("lines:4", N, N).measured
    assert kinds(np.where(measured, truth, truth + 1.5), truth, "lines:4") == {"imprint"}


def test_the_alias_shown_in_place_of_the_wave_is_consistent_and_passes() -> None:
    # nobody can tell: the longest wave is what interpolation shows
    truth = wave(12) + wave(np.inf, 3.2)
    shown = fill(truth, make_mask("lines:4", N, N).measured)
    assert "invented" not in kinds(shown, truth, "lines:4")


def test_fast_axis_waves_are_verified_on_lines() -> None:
    truth = wave(3.1) + RNG.normal(0, 0.1, (N, N))
    assert kinds(truth, truth, "lines:4") == set()


def test_repairs_may_sharpen_but_not_invent() -> None:
    scan = lattice()
    everything = np.ones((N, N), dtype=bool)
    sharper = scan + 0.5 * wave(12)
    assert findings(sharper, scan, everything) == []
    assert {f.kind for f in findings(scan + wave(9.1, 14.2), scan, everything)} == {"invented"}
    assert {f.kind for f in findings(scan - wave(12), scan, everything)} == {"vanished"}


def test_words_name_period_and_direction() -> None:
    truth = lattice()
    measured = make_mask("pixels:0.25", N, N).measured
    (check,) = lattice_checks(truth + wave(8.0), np.where(measured, truth, np.nan), measured, FRAME, "sparse")
    assert check.warns
    assert "a period of 0.8 nm at 0°" in check.text
    uncalibrated = Geometry.of_pixels(N, N)
    (check,) = lattice_checks(
        truth + wave(8.0, 8.0), np.where(measured, truth, np.nan), measured, uncalibrated, "sparse"
    )
    assert "5.66 px at 135°" in check.text  # runs down and to the right


@pytest.mark.parametrize("shape", [(8, 8), (31, 200), (64, 33), (33, 64), (200, 40)])
def test_any_shape(shape: tuple[int, int]) -> None:
    image = RNG.normal(size=shape)
    assert findings(image, image, np.ones(shape, dtype=bool)) == []


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("mask", ["lines:2", "grid:2", "pixels:0.25"])
def test_simulated_surfaces_pass(mask: str, seed: int) -> None:
    clean = simulate_scan("si001h", 160, 160, 0.08e-9, "mild", (5, seed)).clean
    measured = make_mask(mask, 160, 160).measured
    found = findings(fill(clean, measured), np.where(measured, clean, np.nan), measured)
    assert {f.kind for f in found} <= {"unverified", "imprint"}
