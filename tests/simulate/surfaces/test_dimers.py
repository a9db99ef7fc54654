import numpy as np
import pytest

from stmviewer.simulate.surfaces.dimers import DIMER_SPACING_M, ROW_SPACING_M, DimerLattice, DimerOrbital
from stmviewer.simulate.surfaces.gaussians import gaussian_sum

ORBITAL = DimerOrbital(sigma_m=0.14e-9, half_m=0.17e-9, centre=0.35)


@pytest.mark.parametrize("angle", [0.0, 0.4, 1.9])
def test_fourier_series_equals_the_sum_over_dimers(angle):
    lattice = DimerLattice(angle, (0.3, 0.7), 0.05e-9)
    rows, columns = 60, 90
    i, j = lattice.sites(rows, columns, 1.5e-9)
    direct = np.zeros((rows, columns))
    for offset, weight in ((0.0, 0.35), (-0.17e-9, 0.325), (0.17e-9, 0.325)):
        x, y = lattice.place(i, j, offset)
        direct += gaussian_sum(rows, columns, x, y, weight * ORBITAL.peak, ORBITAL.sigma_m / lattice.pixel_m)
    # harmonics below 1e-3 are left out of the series
    np.testing.assert_allclose(lattice.density(rows, columns, ORBITAL), direct, atol=5e-3)


def test_sites_have_the_density_of_the_lattice():
    i, _ = DimerLattice(0.7, (0.1, 0.2), 0.1e-9).sites(300, 400, 0.0)
    assert len(i) == pytest.approx(30e-9 * 40e-9 / (ROW_SPACING_M * DIMER_SPACING_M), rel=0.01)


def test_range_is_the_extremes_of_the_density():
    density = DimerLattice(0.0, (0.0, 0.0), 0.008e-9).density(300, 300, ORBITAL)
    assert ORBITAL.range() == pytest.approx((density.min(), density.max()), abs=2e-3)
