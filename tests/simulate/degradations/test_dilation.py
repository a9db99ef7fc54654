import numpy as np
import pytest
from scipy import ndimage

from stmviewer.simulate.degradations import DilatedTip
from stmviewer.simulate.degradations.dilation import APEXES

PIXEL = 0.1e-9
RNG = np.random.default_rng(0)


def surface():
    return 50e-12 * ndimage.gaussian_filter(np.random.default_rng(1).normal(size=(60, 70)), 1.5)


def touch(tip: DilatedTip, image: np.ndarray) -> np.ndarray:
    return tip.apply(image, RNG)


def eroded(tip: DilatedTip, image: np.ndarray) -> np.ndarray:
    """Villarrubia's reconstruction of the surface: erosion by the (symmetric) tip is dilation upside down."""
    return -touch(tip, -image)


@pytest.mark.parametrize("apex", APEXES)
def test_a_needle_is_imaged_as_the_tip_upside_down(apex):
    radius, height = 8.0, 150e-12
    needle = np.zeros((41, 41))
    needle[20, 20] = height
    y, x = np.mgrid[-20:21, -20:21]
    distance_m = np.hypot(x, y) * PIXEL
    radius_m = radius * PIXEL
    if apex == "paraboloid":
        fall = distance_m**2 / (2 * radius_m)
    else:
        fall = radius_m - np.sqrt(np.maximum(radius_m**2 - distance_m**2, 0))
        fall[distance_m > radius_m] = np.inf
    expected = np.maximum(0, height - fall)
    np.testing.assert_allclose(touch(DilatedTip(radius, PIXEL, apex), needle), expected, atol=1e-18)


@pytest.mark.parametrize("apex", APEXES)
def test_it_is_the_grey_dilation_of_scipy(apex):
    tip, image = DilatedTip(12.0, PIXEL, apex), surface()
    y, x = np.mgrid[-12:13, -12:13]
    fall = tip.height(np.hypot(x, y))
    expected = ndimage.grey_dilation(
        image, structure=np.where(np.isfinite(fall), -fall, -1.0), mode="constant", cval=-1
    )
    np.testing.assert_allclose(touch(tip, image), expected, atol=1e-18)


@pytest.mark.parametrize("apex", APEXES)
def test_nothing_gets_lower_and_what_was_touched_is_touched_again(apex):
    """Dilation raises; dilated and eroded again (a closing), a surface is what the tip can know of it, for good."""
    tip, image = DilatedTip(10.0, PIXEL, apex), surface()
    assert (touch(tip, image) >= image).all()
    known = eroded(tip, touch(tip, image))
    assert (known >= image - 1e-18).all()
    np.testing.assert_allclose(touch(tip, known), touch(tip, image), atol=1e-18)
    np.testing.assert_allclose(eroded(tip, touch(tip, known)), known, atol=1e-18)


def test_flat_terraces_and_heights_stay():
    """The top of a step keeps its height; its edge moves out by where the tip's flank has fallen by the step."""
    step = np.zeros((5, 60))
    step[:, 30:] = 136e-12
    z = touch(DilatedTip(10.0, PIXEL), step)
    assert z.max() == 136e-12
    np.testing.assert_array_equal(z[:, :13], 0)
    flank = np.sqrt(2 * 10 * 1.36)  # 5.2 px
    lifted = np.nonzero(z[2] > 0)[0][0]
    assert 30 - lifted == int(flank)


def test_a_sharper_tip_lifts_less_and_physical_size_counts():
    image = surface()
    lift = [float((touch(DilatedTip(r, PIXEL), image) - image).mean()) for r in (2, 5, 20)]
    assert lift[0] < lift[1] < lift[2]
    fine, coarse = (DilatedTip.draw(np.random.default_rng(3), p) for p in (0.05e-9, 0.2e-9))
    assert fine.radius_px * fine.pixel_m == pytest.approx(coarse.radius_px * coarse.pixel_m)
    radii = [t.radius_px * t.pixel_m for t in (DilatedTip.draw(np.random.default_rng(s), PIXEL) for s in range(300))]
    assert 0.3e-9 <= min(radii) < 0.35e-9
    assert 2.6e-9 < max(radii) <= 3e-9
