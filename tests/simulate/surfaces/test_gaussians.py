import numpy as np

from stmviewer.simulate.surfaces.gaussians import gaussian_sum


def test_equals_the_direct_sum_over_sources_across_tiles_and_beyond_the_edges():
    rng = np.random.default_rng(0)
    rows, columns, count = 150, 200, 40
    x, y = rng.uniform(-20, columns + 20, count), rng.uniform(-20, rows + 20, count)
    amplitude, sigma = rng.normal(size=count), rng.uniform(0.5, 12, count)
    r, c = np.mgrid[0:rows, 0:columns]
    direct = sum(
        a * np.exp(-((c - u) ** 2 + (r - v) ** 2) / (2 * s**2))
        for a, u, v, s in zip(amplitude, x, y, sigma, strict=True)
    )
    np.testing.assert_allclose(gaussian_sum(rows, columns, x, y, amplitude, sigma), direct, atol=1e-6)


def test_no_sources_give_zeros():
    assert not gaussian_sum(10, 12, [], [], 1.0, 2.0).any()
