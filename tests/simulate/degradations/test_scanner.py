from itertools import pairwise

import numpy as np
import pytest

from stmviewer.scan.levelling import fit_plane
from stmviewer.simulate.degradations.degradation import in_time
from stmviewer.simulate.degradations.noise import LineNoise, LoopNoise, WhiteNoise
from stmviewer.simulate.degradations.scanner import Bow, LineMisalignment, LineOffsets, LineSlopes, PlaneTilt, Scars

FLAT = np.zeros((400, 300))


def test_lines_are_misaligned_as_often_and_as_far_as_asked():
    wave = np.tile(np.sin(2 * np.pi * np.arange(300) / 50), (2000, 1))
    result = LineMisalignment(0.3, 0.8).apply(wave, np.random.default_rng(0))
    # the phase of each line's wave is its shift, edges left out
    carrier = np.exp(-2j * np.pi * np.arange(300) / 50)
    inner = slice(25, 275)
    phase = np.angle((result[:, inner] * carrier[inner]).sum(axis=1) / (wave[:, inner] * carrier[inner]).sum(axis=1))
    shift = -phase * 50 / (2 * np.pi)
    moved = np.abs(shift) > 1e-6
    assert moved.mean() == pytest.approx(0.3, abs=0.04)
    assert shift[moved].std() == pytest.approx(0.8, rel=0.1)


def test_line_offsets_are_constant_along_a_line():
    z = LineOffsets(walk_m=2e-12, white_m=3e-12).apply(np.zeros((4000, 5)), np.random.default_rng(1))
    assert np.ptp(z, axis=1).max() == 0
    # white noise twice and one step of the walk lie between neighbours
    assert np.diff(z[:, 0]).std() == pytest.approx(np.hypot(2e-12, np.sqrt(2) * 3e-12), rel=0.05)
    # far lines differ by what the walk, pulled back over 50 lines, reaches: walk sqrt(25)
    assert z[:, 0].std() == pytest.approx(np.hypot(2e-12 * 5, 3e-12), rel=0.2)


def test_scars_are_streaks_along_lines():
    z = Scars(per_line=0.05, length_px=20, height_m=50e-12).apply(np.zeros((4000, 300)), np.random.default_rng(2))
    rises = np.diff(z != 0, axis=1, prepend=False).astype(bool)
    count = (rises & (z != 0)).sum()
    assert count == pytest.approx(0.05 * 4000, rel=0.25)
    assert (z != 0).sum() / count == pytest.approx(20, rel=0.3)
    assert np.abs(z).max() > 50e-12


def test_white_noise_has_its_rms_and_no_memory():
    z = WhiteNoise(4e-12).apply(FLAT, np.random.default_rng(3))
    assert z.std() == pytest.approx(4e-12, rel=0.02)
    assert abs(np.corrcoef(z[:, 1:].ravel(), z[:, :-1].ravel())[0, 1]) < 0.02


def test_loop_noise_forgets_over_its_correlation_length():
    z = LoopNoise(4e-12, 6.0).apply(np.zeros((2000, 60)), np.random.default_rng(8))
    assert z.std() == pytest.approx(4e-12, rel=0.03)
    # stationary from the first pixel of a line on, and lines do not know of each other
    assert z[:, 0].std() == pytest.approx(4e-12, rel=0.06)
    for lag in (1, 3, 6):
        assert np.corrcoef(z[:, :-lag].ravel(), z[:, lag:].ravel())[0, 1] == pytest.approx(np.exp(-lag / 6), abs=0.03)
    assert abs(np.corrcoef(z[1:].ravel(), z[:-1].ravel())[0, 1]) < 0.05


def test_white_noise_has_a_flat_spectrum():
    z = WhiteNoise(4e-12).apply(np.zeros((400, 512)), np.random.default_rng(4))
    power = (np.abs(np.fft.rfft(z, axis=1)) ** 2).mean(axis=0)[1:-1]
    slope = np.polyfit(np.log(np.arange(1, 256)), np.log(power), 1)[0]
    assert slope == pytest.approx(0, abs=0.03)
    assert power.mean() == pytest.approx(512 * (4e-12) ** 2, rel=0.02)


@pytest.mark.parametrize("exponent", [0.8, 1.3])
def test_noise_in_time_runs_on_through_the_retrace(exponent):
    """Slow noise of the two ways belongs together where they meet in time, at the right edge; fast noise does not."""
    flat = np.zeros((3000, 64))
    forward, backward = LineNoise(5e-12, exponent).apply_both(flat, flat, np.random.default_rng(5))
    power = np.abs(np.fft.rfft(in_time(forward, backward).ravel())) ** 2
    frequency = np.arange(1, power.size)
    edges = np.geomspace(8, power.size - 2, 12).astype(int)
    level, centre = (
        [np.log(values[a : b + 1].mean()) for a, b in pairwise(edges[1:])] for values in (power[1:], frequency)
    )
    assert np.polyfit(centre, level, 1)[0] == pytest.approx(-exponent, abs=0.1)
    meet = np.corrcoef(forward[:, -1], backward[:, -1])[0, 1]
    apart = np.corrcoef(forward[:, 0], backward[:, 0])[0, 1]
    assert meet > apart + 0.05


def test_the_two_ways_share_the_walk_of_their_lines_but_not_what_is_white():
    flat = np.zeros((5000, 3))
    offsets = LineOffsets(walk_m=2e-12, white_m=3e-12)
    forward, backward = offsets.apply_both(flat, flat, np.random.default_rng(6))
    assert (forward - backward)[:, 0].std() == pytest.approx(np.sqrt(2) * 3e-12, rel=0.05)
    assert np.corrcoef(forward[:, 0], backward[:, 0])[0, 1] > 0.8


@pytest.mark.parametrize("exponent", [0.0, 0.8, 1.3])
def test_noise_along_time_has_its_spectrum(exponent):
    power = 0
    variance = []
    for seed in range(8):
        z = LineNoise(5e-12, exponent).apply(np.zeros((100, 512)), np.random.default_rng(seed))
        variance.append(z.var())
        power = power + (np.abs(np.fft.rfft(z * np.hanning(512), axis=1)) ** 2).mean(axis=0)
    frequency = np.arange(4, 200)
    slope = np.polyfit(np.log(frequency), np.log(power[4:200]), 1)[0]
    assert slope == pytest.approx(-exponent, abs=0.12)
    assert np.sqrt(np.mean(variance)) == pytest.approx(5e-12, rel=0.25)


def test_plane_tilt_is_a_plane():
    z = PlaneTilt(3e-12, -2e-12).apply(FLAT, np.random.default_rng(4))
    np.testing.assert_allclose(fit_plane(z), z, atol=1e-18)
    assert z[0, 1] - z[0, 0] == pytest.approx(3e-12)
    assert z[1, 0] - z[0, 0] == pytest.approx(-2e-12)


def test_bow_is_of_second_order_about_the_centre():
    z = Bow(2e-15, -1e-15).apply(np.zeros((41, 61)), np.random.default_rng(4))
    assert z[20, 30] == 0
    assert z[20, 60] == z[20, 0] == pytest.approx(2e-15 * 30**2)
    assert z[0, 30] == z[40, 30] == pytest.approx(-1e-15 * 20**2)


def test_line_slopes_are_straight_level_and_as_steep_as_asked():
    z = LineSlopes(5e-12).apply(np.zeros((4000, 64)), np.random.default_rng(5))
    np.testing.assert_allclose(z.mean(axis=1), 0, atol=1e-20)
    np.testing.assert_allclose(np.diff(z, n=2, axis=1), 0, atol=1e-20)
    assert (z[:, -1] - z[:, 0]).std() == pytest.approx(5e-12 * 63 / 64, rel=0.04)
