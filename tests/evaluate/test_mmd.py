import math

import numpy as np
import pytest

from stmviewer.evaluate import mmd


def test_by_hand():
    """x = {0, 2}, y = {1} twice, sigma 1: k(0, 2) = e^-2, k(0, 1) = k(2, 1) = e^-1/2, k(1, 1) = 1."""
    x, y = np.array([[0.0], [2.0]]), np.array([[1.0], [1.0]])
    k = mmd.kernels(x, y, 1.0)
    cross = math.exp(-0.5)
    assert mmd.squared_mmd(k, biased=True) == pytest.approx((2 + 2 * math.exp(-2)) / 4 + 1 - 2 * cross)
    assert mmd.squared_mmd(k) == pytest.approx(math.exp(-2) + 1 - 2 * cross)


def test_a_set_is_no_distance_from_itself():
    x = np.random.default_rng(0).standard_normal((20, 5))
    assert mmd.squared_mmd(mmd.kernels(x, x, 2.0), biased=True) == pytest.approx(0, abs=1e-12)


def test_unbiased_is_zero_on_average_for_equal_distributions_and_biased_is_not():
    rng = np.random.default_rng(0)
    kernels = [mmd.kernels(rng.standard_normal((12, 4)), rng.standard_normal((9, 4)), 2.0) for _ in range(300)]
    values = np.array([mmd.squared_mmd(k) for k in kernels])
    assert abs(values.mean()) < 3 * values.std() / math.sqrt(300)
    assert values.min() < 0
    assert np.mean([mmd.squared_mmd(k, biased=True) for k in kernels]) > 0.05


def test_the_population_value_of_a_planted_shift():
    """Two unit Gaussians of dimension d, s apart: MMD^2 = 2 a (1 - exp(-s^2 / (2 (sigma^2 + 2)))),
    a = (sigma^2 / (sigma^2 + 2))^(d / 2) (Gaussian integrals)."""
    rng = np.random.default_rng(1)
    sigma, shift, d = 1.5, 1.2, 3
    x, y = rng.standard_normal((1500, d)), rng.standard_normal((1500, d))
    y[:, 0] += shift
    expected = 2 * (sigma**2 / (sigma**2 + 2)) ** (d / 2) * (1 - math.exp(-(shift**2) / (2 * (sigma**2 + 2))))
    assert mmd.squared_mmd(mmd.kernels(x, y, sigma)) == pytest.approx(expected, rel=0.08)


def test_median_heuristic():
    assert mmd.median_distance(np.array([[0.0], [1.0], [4.0]])) == 3.0


def test_sets_that_are_too_small_have_no_distance():
    one, two = np.zeros((1, 2)), np.ones((2, 2))
    assert math.isnan(mmd.squared_mmd(mmd.kernels(one, two, 1.0)))
    assert math.isnan(mmd.squared_mmd(mmd.kernels(np.zeros((0, 2)), two, 1.0), biased=True))


def test_groups_are_drawn_whole_and_for_both_sets():
    x, y = mmd.draws(["a", "a", "b"], ["b", "c"], 200)
    assert x.shape == (200, 3)
    np.testing.assert_array_equal(x[:, 0], x[:, 1])
    np.testing.assert_array_equal(x[:, 2], y[:, 0])
    np.testing.assert_array_equal(x[:, 0] + x[:, 2] + y[:, 1], 3)


def test_each_vector_drawn_once_is_the_distance_itself():
    rng = np.random.default_rng(2)
    k = mmd.kernels(rng.standard_normal((6, 3)), rng.standard_normal((5, 3)) + 1, 2.0)
    once = (np.ones((1, 6)), np.ones((1, 5)))
    for biased in (False, True):
        assert mmd.resampled(k, once, biased=biased)[0] == pytest.approx(mmd.squared_mmd(k, biased=biased))


def test_the_bootstrap_interval_covers_and_drawing_twice_does_not_shrink_the_distance():
    """The pair of a vector with its own copy is left out: with it every resampled distance would be too large."""
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((60, 3)), rng.standard_normal((60, 3)) + 0.8
    names = [str(k) for k in range(60)]
    k = mmd.kernels(x, y, 2.0)
    values = mmd.resampled(k, mmd.draws(names, [f"other {n}" for n in names], 400))
    low, high = mmd.interval(values)
    assert low < mmd.squared_mmd(k) < high
    assert values.mean() == pytest.approx(mmd.squared_mmd(k), rel=0.1)


def test_no_interval_of_nothing():
    assert all(math.isnan(v) for v in mmd.interval(np.array([np.nan])))
