import numpy as np
import pytest
from scipy import ndimage

from stmviewer.simulate.degradations.tips import BluntTip, DullTip, ExtraTip, MultiTip, SeveralTips

PIXEL = 0.1e-9
KAPPA = 11e9


@pytest.fixture
def image():
    rng = np.random.default_rng(0)
    return 50e-12 * ndimage.gaussian_filter(rng.normal(size=(64, 80)), 2)


def test_multi_tip_is_the_formula(image):
    extra = ExtraTip(x_px=4, y_px=-7, amplitude=1.7, c=6.0, d=8.5, kind="gaussian", kernel_px=1, kernel=((1.0,),))
    low, high = image.min(), image.max()
    h = (image - low) / (high - low)
    expected = h.copy()
    for y in range(64 - 7):
        for x in range(4, 80):
            expected[y, x] += 1.7 / (1 + np.exp(6.0 - 8.5 * h[y + 7, x - 4]))
    f = (MultiTip((extra,)).apply(image, np.random.default_rng(0)) - low) / (high - low)
    np.testing.assert_allclose(f[:57, 4:], expected[:57, 4:], atol=1e-9)


def test_multi_tip_draws_the_ranges_of_the_source():
    rng = np.random.default_rng(1)
    tips = [MultiTip.draw(rng, PIXEL) for _ in range(2000)]
    counts = np.bincount([len(t.tips) for t in tips], minlength=5) / 2000
    np.testing.assert_allclose(counts[2:5], [0.5, 0.3, 0.2], atol=0.04)
    extra = [e for t in tips for e in t.tips]
    for values, low, high in (
        ([e.c for e in extra], 5, 9),
        ([e.d for e in extra], 7, 10),
        ([e.amplitude for e in extra], 1, 2.5),
        ([abs(e.x_px) for e in extra], 1, 11),
        ([abs(e.y_px) for e in extra], 1, 11),
    ):
        assert low <= min(values) and max(values) <= high
        assert np.mean(values) == pytest.approx((low + high) / 2, rel=0.05)
    assert {e.kind for e in extra} == {"gaussian", "median", "random"}
    assert {np.sign(e.x_px) for e in extra} == {-1, 1}
    assert all(np.sum(e.kernel) == pytest.approx(1) for e in extra if e.kernel)


def test_multi_tip_leaves_a_constant_image(image):
    tip = MultiTip.draw(np.random.default_rng(2), PIXEL)
    flat = np.full((20, 20), 3e-10)
    np.testing.assert_array_equal(tip.apply(flat, np.random.default_rng(0)), flat)


def test_equal_tips_in_one_place_only_retract(image):
    tip = SeveralTips((0.0, 0.0), (0.0, 0.0), (0.0, 0.0), KAPPA)
    z = tip.apply(image, np.random.default_rng(0))
    np.testing.assert_allclose(z - image, np.log(3) / (2 * KAPPA), rtol=1e-9)


def test_two_equal_tips_one_beside_the_other_on_a_flat_surface_are_ln_2_higher():
    z = SeveralTips((13.0,), (-7.0,), (0.0,), KAPPA).apply(np.full((30, 30), 4e-10), np.random.default_rng(0))
    np.testing.assert_allclose(z - 4e-10, np.log(2) / (2 * KAPPA), rtol=1e-6)  # 31.5 pm


def test_several_tips_are_the_logarithm_of_the_sum_of_their_currents(image):
    tip = SeveralTips((3.0, -5.0), (2.0, 0.0), (0.03e-9, -0.01e-9), KAPPA)
    weights = [1.0, np.exp(-2 * KAPPA * 0.03e-9), np.exp(2 * KAPPA * 0.01e-9)]
    currents = [np.exp(2 * KAPPA * h) for h in (image, np.roll(image, (2, 3), (0, 1)), np.roll(image, -5, 1))]
    expected = np.log(sum(w * i for w, i in zip(weights, currents, strict=True))) / (2 * KAPPA)
    z = tip.apply(image, np.random.default_rng(0))
    np.testing.assert_allclose(z[2:, 3:-5], expected[2:, 3:-5], atol=1e-18)


def test_several_tips_are_drawn_as_far_apart_as_in_laboratories():
    tips = [SeveralTips.draw(np.random.default_rng(s), PIXEL) for s in range(1000)]
    distances = np.array([np.hypot(x, y) * PIXEL for t in tips for x, y in zip(t.x_px, t.y_px, strict=True)])
    assert 0.3e-9 <= distances.min() < 0.32e-9
    assert 5.6e-9 < distances.max() <= 6e-9
    assert np.median(distances) == pytest.approx(np.sqrt(0.3 * 6) * 1e-9, rel=0.1)
    assert all(9.5e9 <= t.kappa_per_m <= 11.5e9 for t in tips)


def test_a_far_shorter_tip_is_not_seen_and_a_far_longer_one_takes_over(image):
    rng = np.random.default_rng(0)
    np.testing.assert_allclose(SeveralTips((5.0,), (3.0,), (1e-9,), KAPPA).apply(image, rng), image, atol=1e-18)
    z = SeveralTips((5.0,), (3.0,), (-1e-9,), KAPPA).apply(image, rng)
    np.testing.assert_allclose(z[3:, 5:], image[:-3, :-5] + 1e-9, atol=1e-18)


def test_blunt_tip_has_the_width_asked_for():
    point = np.zeros((31, 31))
    point[15, 15] = 1.0
    blurred = BluntTip(2.0).apply(point, np.random.default_rng(0))
    x = np.arange(31) - 15
    assert blurred.sum() == pytest.approx(1)
    assert (blurred.sum(axis=0) * x**2).sum() == pytest.approx(4, rel=0.02)


def test_a_dull_tip_is_as_wide_in_nanometres_at_any_pixel_size():
    fine, coarse = (DullTip.draw(np.random.default_rng(3), pixel) for pixel in (0.05e-9, 0.2e-9))
    assert fine.sigma_px == pytest.approx(4 * coarse.sigma_px)


def test_tips_do_not_change_their_input(image):
    rng = np.random.default_rng(5)
    before = image.copy()
    for kind in (BluntTip, DullTip, MultiTip, SeveralTips):
        result = kind.draw(rng, PIXEL).apply(image, rng)
        assert result.shape == image.shape
        np.testing.assert_array_equal(image, before)
