"""The physical claims of Au(111)."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from stmviewer.simulate.surfaces.au111 import ATOM_SPACING_M, PERIOD_M, Au111

from .waves import maxima, peak, spots

STRAIGHT = Au111(elbow_m=0.0, angle_deg=30.0)  # ridges along the rows axis


def test_the_period_is_22_atom_spacings():
    assert pytest.approx(6.336e-9) == PERIOD_M
    for angle in (0.0, 50.0):
        z = replace(STRAIGHT, angle_deg=angle).make(300, 300, 0.15e-9, np.random.default_rng(0))
        period, _ = peak(z, 0.15e-9, angle - 30, 6.34e-9)
        assert period == pytest.approx(6.336e-9, rel=0.01)


def test_ridges_come_in_pairs_20_pm_high():
    pixel = 0.05e-9
    z = replace(STRAIGHT, corrugation_m=0.0).make(40, 500, pixel, np.random.default_rng(1))
    profile = z.mean(axis=0)
    tops = np.nonzero((profile == ndimage.maximum_filter1d(profile, 15)) & (profile > 10e-12))[0]
    assert np.ptp(z) == pytest.approx(20e-12, rel=0.03)
    gaps = np.diff(tops) * pixel
    # hcp between the two of a pair, fcc between pairs
    np.testing.assert_allclose(np.sort(gaps[:2]), [0.4 * PERIOD_M, 0.6 * PERIOD_M], rtol=0.03)
    assert gaps[0] + gaps[1] == pytest.approx(PERIOD_M, rel=0.01)


def test_23_atoms_lie_on_22_places():
    surface = replace(STRAIGHT, corrugation_m=20e-12, ridge_m=0.0, tip_height_m=0.2e-9)
    pixel = PERIOD_M / 500
    z = surface.make(60, 1100, pixel, np.random.default_rng(2))
    row = z[np.argmax(z.max(axis=1))]  # along a close-packed row
    tops = np.nonzero((row == ndimage.maximum_filter1d(row, 15)) & (row > 5e-12))[0]
    first = tops[0]
    assert np.count_nonzero((tops >= first) & (tops < first + 500)) == 23
    # between the walls the atoms keep their distance: the walls hold what is extra
    spacing = np.diff(tops) * pixel
    assert spacing.max() == pytest.approx(ATOM_SPACING_M, rel=0.03)
    assert spacing.min() < 0.93 * ATOM_SPACING_M
    assert spacing[:23].mean() == pytest.approx(PERIOD_M / 23, rel=0.01)


def test_elbows_turn_the_ridges_by_120_degrees_at_their_distance():
    pixel, elbow = 0.2e-9, 12e-9
    z = Au111(elbow_m=elbow, corrugation_m=0.0).make(600, 300, pixel, np.random.default_rng(3))
    # the ridges of both domains, 30 degrees to either side
    found = [peak(z, pixel, angle, 6.336e-9) for angle in (-30, 30)]
    assert found[1][1] - found[0][1] == pytest.approx(60, abs=3)
    # at an elbow the ridges turn back: where a ridge is farthest to the right, every two elbows
    smooth = ndimage.gaussian_filter(z, 2)
    drift = []
    column = int(np.argmax(smooth[0, 100:200])) + 100
    for row in smooth:
        near = row[max(column - 3, 0) : column + 4]
        column = max(column - 3, 0) + int(np.argmax(near))
        drift.append(column)
    drift = np.array(drift) * pixel
    cycle = np.abs(np.fft.rfft((drift - drift.mean()) * np.hanning(600), 8192))
    period = 8192 * pixel / np.argmax(cycle)
    assert period == pytest.approx(2 * elbow, rel=0.05)
    # 30 degrees to either side, less rounded corners and the narrow elbows' squeeze
    assert 0.78 * elbow * np.tan(np.pi / 6) < np.ptp(drift) < elbow * np.tan(np.pi / 6)


def test_atoms_are_a_hexagonal_lattice_between_the_ridges():
    pixel = 0.04e-9
    z = replace(STRAIGHT, corrugation_m=15e-12, ridge_m=0.0).make(300, 60, pixel, np.random.default_rng(8))
    rows, _ = maxima(z, 2, 0.0)
    area = 300 * 60 * pixel**2
    density = 2 / np.sqrt(3) / ATOM_SPACING_M**2
    assert len(rows) == pytest.approx(density * area, rel=0.15)


def test_dark_adsorbates_are_as_many_as_asked_and_as_deep():
    quiet = replace(STRAIGHT, surface_state=0.0)
    dark = replace(quiet, dark_per_m2=0.02e18, dark_depth_m=40e-12)
    pixel, lost = 0.1e-9, 0
    for seed in range(4):
        lost_here = quiet.make(300, 300, pixel, np.random.default_rng(seed)) - dark.make(
            300, 300, pixel, np.random.default_rng(seed)
        )
        assert 30e-12 < lost_here.max() < 75e-12  # the ridge that it lies on is lost too
        lost += spots(lost_here, 20e-12)
    expected = 4 * 0.02e18 * (300 * pixel) ** 2
    assert abs(lost - expected) < 4 * np.sqrt(expected)
