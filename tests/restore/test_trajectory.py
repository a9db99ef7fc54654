"""The ways from noise to image against closed forms: schedules, steps, and samplers of data that are Gaussian."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from stmviewer.restore.trajectory import COSINE, STRAIGHT, Trajectory, times

BOTH = pytest.mark.parametrize("way", [STRAIGHT, COSINE], ids=lambda w: w.shape)


def drawn(seed: int) -> Tensor:
    return torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@BOTH
def test_the_way_goes_from_the_source_alone_to_the_image_alone(way: Trajectory) -> None:
    clean, source = way.shares(torch.linspace(0, 1, 101, dtype=torch.float64))
    assert (clean[0], source[0]) == pytest.approx((0, 1), abs=1e-12)
    assert (clean[-1], source[-1]) == pytest.approx((1, 0), abs=1e-7)
    assert (clean.diff() > 0).all()
    assert (source.diff() < 0).all()


def test_diffusion_keeps_the_variance_and_has_the_cosine_schedule() -> None:
    """Nichol and Dhariwal's eq. 17 with the time that is left, u = 1 - t."""
    t = torch.linspace(0, 1, 21, dtype=torch.float64)
    clean, source = COSINE.shares(t)
    assert torch.allclose(clean**2 + source**2, torch.ones_like(t), atol=1e-12)
    f = [math.cos((1 - float(x) + 0.008) / 1.008 * math.pi / 2) ** 2 for x in t]
    assert (clean**2).tolist() == pytest.approx([v / f[-1] for v in f], abs=1e-12)


def test_a_step_of_diffusion_is_that_of_ddim_without_noise() -> None:
    """Song, Meng, Ermon, eq. 12, sigma = 0: sqrt(a') x1 + sqrt(1 - a') eps, eps = (x - sqrt(a) x1) / sqrt(1 - a)."""
    state, clean = drawn(0), drawn(1)
    for t, t_next in ((0.0, 0.1), (0.2, 0.7), (0.9, 0.95)):
        alpha, alpha_next = (float(COSINE.shares(torch.tensor(x, dtype=torch.float64))[0]) ** 2 for x in (t, t_next))
        eps = (state - math.sqrt(alpha) * clean) / math.sqrt(1 - alpha)
        expected = math.sqrt(alpha_next) * clean + math.sqrt(1 - alpha_next) * eps
        assert torch.allclose(COSINE.step(state, clean, t, t_next), expected, atol=1e-10)


def test_a_step_on_the_straight_way_is_an_euler_step_along_the_velocity() -> None:
    state, clean = drawn(0), drawn(1)
    for t, t_next in ((0.0, 0.25), (0.25, 0.3), (0.5, 1.0)):
        expected = state + (t_next - t) * (clean - state) / (1 - t)
        assert torch.allclose(STRAIGHT.step(state, clean, t, t_next), expected, atol=1e-12)


@BOTH
@pytest.mark.parametrize("steps", [1, 3, 8])
def test_a_perfect_predictor_stays_on_the_way_and_lands_on_the_image(way: Trajectory, steps: int) -> None:
    source, clean = drawn(2), drawn(3)
    state = source
    for t, t_next in pairwise(times(steps)):
        state = way.step(state, clean, t, t_next)
        assert torch.allclose(state, way.state(source, clean, torch.tensor(t_next, dtype=torch.float64)), atol=1e-6)
    assert torch.allclose(state, clean, atol=1e-6)


@BOTH
def test_samples_of_gaussian_data_have_their_mean_and_deviation(way: Trajectory) -> None:
    """For x1 ~ N(m, d^2) and white noise the best prediction is known, and so is where every noise must end: m + d x0.

    E[x1 | x_t] = m + a d^2 / (a^2 d^2 + s^2) (x_t - a m); the way of x0 keeps its quantile in N(a m, a^2 d^2 + s^2).
    """
    mean, deviation = 0.7, 0.3
    source = drawn(4)

    def landed(steps: int) -> Tensor:
        state = source
        for t, t_next in pairwise(times(steps)):
            a, s = (float(x) for x in way.shares(torch.tensor(t, dtype=torch.float64)))
            clean = mean + a * deviation**2 / (a**2 * deviation**2 + s**2) * (state - a * mean)
            state = way.step(state, clean, t, t_next)
        return state

    expected = mean + deviation * source
    errors = [float((landed(steps) - expected).abs().max()) for steps in (8, 400)]
    assert errors[1] < 0.02
    assert errors[1] < 0.1 * errors[0]
    assert torch.allclose(landed(1), torch.full_like(source, mean), atol=1e-12)  # one step: the mean
