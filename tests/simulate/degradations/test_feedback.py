import numpy as np
import pytest

from stmviewer.simulate.degradations import FeedbackLag, FeedbackOvershoot

RNG = np.random.default_rng(0)
LOOPS = (FeedbackLag(4.0), FeedbackOvershoot(12.0, 0.4))


def step(columns=200, at=100):
    z = np.zeros((3, columns))
    z[:, at:] = 100e-12
    return z


def test_a_step_is_followed_with_the_time_constant():
    z = FeedbackLag(5.0).apply(step(), RNG)[1] / 100e-12
    np.testing.assert_array_equal(z[:100], 0)
    # heights are held over a pixel, so that n pixels into the step (n + 1) / tau have passed
    np.testing.assert_allclose(z[100:], 1 - np.exp(-np.arange(1, 101) / 5), atol=1e-12)
    assert z[104] == pytest.approx(1 - np.exp(-1))


def test_a_slope_is_followed_late_by_the_time_constant():
    ramp = np.tile(1e-12 * np.arange(200.0), (2, 1))
    late = (ramp - FeedbackLag(6.0).apply(ramp, RNG))[:, 150] / 1e-12
    # less the pixel that is held: 1 / (exp(1 / tau) - 1), which is tau - 1/2 for a slow loop
    np.testing.assert_allclose(late, 1 / np.expm1(1 / 6), rtol=1e-6)


@pytest.mark.parametrize("damping", [0.2, 0.5])
def test_a_fast_loop_overshoots_and_rings_as_its_damping_says(damping):
    period = 40.0
    z = FeedbackOvershoot(period, damping).apply(step(800, 500), RNG)[0][500:] / 100e-12
    root = np.sqrt(1 - damping**2)
    assert z.max() - 1 == pytest.approx(np.exp(-np.pi * damping / root), rel=0.01)
    assert np.argmax(z) + 1 == pytest.approx(period / root / 2, abs=1)
    time = np.arange(1, 301) * 2 * np.pi / period
    answer = 1 - np.exp(-damping * time) * (np.cos(root * time) + damping / root * np.sin(root * time))
    np.testing.assert_allclose(z, answer, atol=1e-9)  # the textbook's step response at the pixels


@pytest.mark.parametrize("loop", LOOPS)
def test_the_retrace_is_the_trace_in_a_mirror(loop):
    surface = np.random.default_rng(1).normal(size=(20, 80)) * 1e-11
    _, backward = loop.apply_both(surface, surface, RNG)
    mirrored, _ = loop.apply_both(surface[:, ::-1], surface, RNG)
    np.testing.assert_allclose(backward, mirrored[:, ::-1], atol=1e-24)
    # a step seen late lies to the right in the trace and to the left in the retrace
    there, back = FeedbackLag(4.0).apply_both(step(), step(), RNG)
    assert there[0, 101] < 50e-12 < back[0, 98]


@pytest.mark.parametrize("loop", LOOPS)
def test_level_surfaces_are_followed_exactly(loop):
    np.testing.assert_allclose(loop.apply(np.full((4, 30), 7e-10), RNG), 7e-10, rtol=1e-9)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_line_begins_as_the_turn_around_leaves_it(loop):
    """Before a line is its mirror image: the loop remembers neither zero nor a height out of nowhere."""
    surface = np.random.default_rng(2).normal(size=(10, 100)) * 1e-11
    turned = np.concatenate([surface[:, ::-1], surface], axis=1)
    np.testing.assert_allclose(loop.apply(surface, RNG), loop.apply(turned, RNG)[:, 100:], atol=3e-13)
