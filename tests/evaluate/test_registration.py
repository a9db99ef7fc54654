import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from stmviewer.evaluate import registration
from stmviewer.evaluate.registration import Match, overlay, prepared, same_contrast, spectrum
from stmviewer.scan.metrics import compare


def place(seed: int, side: int = 260) -> np.ndarray:
    """A lattice that every place shares, and adsorbates of this one."""
    y, x = np.mgrid[:side, :side]
    rng = np.random.default_rng(seed)
    spots = np.zeros((side, side))
    spots[rng.integers(0, side, 60), rng.integers(0, side, 60)] = 1
    return np.sin(2 * np.pi * (x + 0.5 * y) / 14) + 60 * gaussian_filter(spots, 3)


def match(one: np.ndarray, other: np.ndarray) -> Match:
    return registration.match(spectrum(one), spectrum(other))


def noisy(image: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return image + 0.3 * rng.standard_normal(image.shape) + 0.5 * rng.standard_normal((len(image), 1))


def test_a_shift_is_found_in_noise_and_told_from_another_place():
    whole = place(0)
    one, other = noisy(whole[20:220, 30:230], 1), noisy(whole[27:227, 18:218], 2)
    found = match(prepared(one), prepared(other))
    assert (found.rows, found.columns) == (-7, 12)
    elsewhere = match(prepared(one), prepared(noisy(place(5)[27:227, 18:218], 3)))
    assert found.height > 2 * elsewhere.height
    assert found.lead > 1.3


def test_a_jump_of_the_height_between_lines_is_no_common_place():
    """Two scans that both jump at some line look alike to a plain correlation."""
    one, other = noisy(place(0)[:200, :200], 1), noisy(place(1)[:200, :200], 2)
    one[120:] += 30
    other[100:] += 30
    assert match(prepared(one), prepared(other)).height < 12


def test_drift_within_the_scan_is_followed():
    whole = place(0)
    line = np.arange(200.0)
    at = np.broadcast_arrays((20 + 5 + 0.97 * line)[:, None], 30 - 4 + 0.02 * line[:, None] + np.arange(200.0))
    drifted = map_coordinates(whole, at, order=3)
    first, second = noisy(whole[20:220, 30:230], 1), noisy(drifted, 2)
    laid = overlay(first, second, match(prepared(first), prepared(second)))
    assert laid is not None
    truth = whole[20:220, 30:230][laid.window]
    assert laid.image.shape == truth.shape
    assert truth.size > 0.8 * first.size
    clean = overlay(first, drifted, match(prepared(first), prepared(drifted)))
    assert clean is not None
    assert compare(clean.image, whole[20:220, 30:230][clean.window]).ssim > 0.9


def test_what_shares_too_little_is_not_laid_upon_each_other():
    one, other = noisy(place(0)[:80, :80], 1), noisy(place(1)[:80, :80], 2)
    found = match(prepared(one), prepared(other))
    laid = overlay(one, other, found)
    assert laid is None or laid.image.shape >= (64, 64)
    flat = match(np.zeros((80, 80)), np.zeros((80, 80)))
    assert (flat.rows, flat.columns, flat.height) == (0, 0, 0.0)


def test_contrast_and_tilt_are_matched_and_never_inverted():
    truth = place(0)[:120, :150]
    y, x = np.mgrid[:120, :150]
    np.testing.assert_allclose(same_contrast(0.01 * truth + 3 - 0.002 * x + 0.001 * y, truth), truth, atol=0.15)
    assert np.ptp(same_contrast(-truth, truth)) < 0.5 * np.ptp(truth)


@pytest.mark.parametrize("shift", [(0, 0), (11, -9)])
def test_the_second_image_comes_into_the_frame_of_the_first(shift):
    whole = place(3)
    first = whole[30:230, 30:230]
    second = whole[30 - shift[0] : 230 - shift[0], 30 - shift[1] : 230 - shift[1]]
    laid = overlay(first, second, match(prepared(first), prepared(second)))
    assert laid is not None
    np.testing.assert_allclose(laid.image, first[laid.window], atol=0.3)
