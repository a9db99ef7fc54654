import numpy as np
import pytest

from stmviewer.simulate.surfaces.gaussians import gaussian_sum
from stmviewer.simulate.surfaces.lattice import Lattice, Motif
from stmviewer.simulate.surfaces.stamps import stamp
from stmviewer.simulate.surfaces.topography import contrast, excess, heights, stack, with_holes

LATTICES = {
    "hexagonal": Lattice.hexagonal(0.6e-9, 0.4, (0.2, 0.7), 0.05e-9),
    "rectangular": Lattice.rectangular(0.9e-9, 0.5e-9, -1.1, (0.5, 0.1), 0.05e-9),
    "oblique": Lattice(1e-9 * np.array([[0.7, 0.1], [-0.2, 0.6]]), 2.0, (0.0, 0.3), 0.05e-9),
}


@pytest.fixture(params=LATTICES)
def lattice(request):
    return LATTICES[request.param]


def cell_m2(lattice):
    return abs(np.linalg.det(lattice.vectors_m))


def test_the_fourier_sum_is_the_sum_over_atoms(lattice):
    sites = np.array([[0.0, 0.0], [0.3, 0.6]])
    sigma, peaks = np.array([0.1e-9, 0.16e-9]), np.array([1.0, 0.5])
    motif = Motif.of(sites, peaks * 2 * np.pi * sigma**2 / cell_m2(lattice), sigma)
    i, j = lattice.sample(40, 50, 2e-9, 1.0, np.random.default_rng(0))
    direct = np.zeros((40, 50))
    for site, one, peak in zip(sites, sigma, peaks, strict=True):
        x, y = lattice.place(i + site[0], j + site[1])
        direct += gaussian_sum(40, 50, x, y, peak, one / lattice.pixel_m)
    np.testing.assert_allclose(lattice.density(40, 50, motif), direct, atol=0.02)


def test_the_range_is_that_of_a_large_field(lattice):
    motif = Motif.of([(0.0, 0.0), (0.4, 0.2)], (0.7, 0.3), 0.12e-9)
    field = lattice.density(300, 300, motif)
    least, most = lattice.range(motif)
    assert least == pytest.approx(field.min(), abs=0.02)
    assert most == pytest.approx(field.max(), rel=0.02)
    assert field.mean() == pytest.approx(1, abs=0.02)


def test_coordinates_are_the_inverse_of_place(lattice):
    rng = np.random.default_rng(1)
    i, j = rng.uniform(-9, 9, (2, 20))
    np.testing.assert_allclose(lattice.coordinates(*lattice.place(i, j)), (i, j), atol=1e-9)


@pytest.mark.parametrize("share", [0.02, 0.3, 1.0])
def test_sampled_cells_are_the_share_of_those_in_the_field(lattice, share):
    i, j = lattice.sample(400, 300, 0.0, share, np.random.default_rng(2))
    cells = 399 * 299 * lattice.pixel_m**2 / cell_m2(lattice)
    assert len(i) == pytest.approx(share * cells, abs=4 * np.sqrt(share * cells) + 1)
    assert len(set(zip(i.tolist(), j.tolist(), strict=True))) == len(i)
    x, y = lattice.place(i, j)
    assert x.min() >= 0
    assert x.max() <= 299
    assert y.min() >= 0
    assert y.max() <= 399


@pytest.mark.parametrize("corrugation", [1e-12, 30e-12, 100e-12])
def test_contrast_gives_the_corrugation_whatever_the_orbital(corrugation):
    for sigma in (0.08e-9, 0.15e-9):
        lattice = Lattice.hexagonal(0.3e-9, 0.0, (0.0, 0.0), 0.01e-9)
        motif = Motif.of((0.0, 0.0), 1.0, sigma)
        share = contrast(lattice.range(motif), corrugation, 11e9)
        z = heights(1 + share * (lattice.density(100, 100, motif) - 1), 11e9)
        assert np.ptp(z) == pytest.approx(corrugation, rel=0.02)


def test_far_from_the_surface_there_is_no_lattice():
    lattice = Lattice.hexagonal(0.1e-9, 0.0, (0.0, 0.0), 0.01e-9)
    assert contrast(lattice.range(Motif.of((0.0, 0.0), 1.0, 0.5e-9)), 1e-11, 11e9) == 0


def test_an_excess_raises_a_terrace_by_its_height_and_a_hole_lowers_it():
    assert heights(1 + excess(0.1e-9, 11e9), 11e9) == pytest.approx(0.1e-9)
    hole = with_holes(np.ones(3), np.array([0.0, 1.0, 7.0]), 50e-12, 11e9)
    np.testing.assert_allclose(heights(hole, 11e9), [0, -50e-12, -50e-12], atol=1e-16)


def test_no_density_makes_heights_that_are_not_finite():
    assert np.isfinite(heights(np.array([-1.0, 0.0, 1e-30]), 11e9)).all()


@pytest.mark.parametrize("width", [0.0, 1.5])
def test_levels_are_stacked_at_their_heights(width):
    level = np.repeat([0, 1, 3], 20)[None, :] * np.ones((60, 1), dtype=int)
    z = heights(stack([1.0, 2.0], level, 0.2e-9, 11e9, width), 11e9)
    odd = np.log(2.0) / 22e9
    np.testing.assert_allclose(z[30, [5, 30, 55]], [0, 0.2e-9 + odd, 0.6e-9 + odd], atol=1e-15)


def test_stamps_are_turned_and_placed_to_fractions_of_a_pixel():
    scale, size = 4.0, 81
    lobe = gaussian_sum(size, size, 40 + 16.0, 40.0, 1.0, 6.0)  # a lobe 4 field pixels to the right of its middle
    x, y = np.array([20.3, 45.5]), np.array([30.8, 20.0])
    angle, weight = np.array([0.0, np.pi / 2]), np.array([1.0, 2.0])
    field = stamp(60, 70, x, y, angle, weight, lobe, scale)
    # turned from the columns axis towards the rows axis: right becomes down
    direct = gaussian_sum(60, 70, [24.3, 45.5], [30.8, 24.0], weight, 6.0 / scale)
    np.testing.assert_allclose(field, direct, atol=0.03)


def test_stamps_partly_or_wholly_outside():
    picture = np.ones((5, 5))
    field = stamp(6, 6, np.array([0.0, 50.0]), np.zeros(2), np.zeros(2), np.ones(2), picture, 1.0)
    assert field[:3, :3].min() == 1
    assert field.sum() == 9
