"""Image quality against direct evaluations of the definitions."""

import math
import threading

import numpy as np
import pytest

from stmviewer.scan import Cancelled, Progress
from stmviewer.scan.levelling import fit_plane, robust_range
from stmviewer.scan.metrics import Ground, compare, psnr, ssim_map

RNG = np.random.default_rng(0)


def surface(rows: int = 48, columns: int = 40) -> np.ndarray:
    y, x = np.mgrid[0:rows, 0:columns]
    corrugated: np.ndarray = np.cos(2 * np.pi * x / 7.3) * np.cos(2 * np.pi * y / 11.1) + 0.3 * (x > 17)
    return corrugated


def wang_ssim(a: np.ndarray, b: np.ndarray, data_range: float, row: int, column: int) -> float:
    """Wang et al. (2004), eq. 13 with eqs. 14-16: an 11 x 11 Gaussian window of sigma 1.5, at one pixel."""
    i = np.arange(-5, 6)
    w = np.exp(-(i[:, None] ** 2 + i[None, :] ** 2) / (2 * 1.5**2))
    w /= w.sum()
    pa, pb = (z[row - 5 : row + 6, column - 5 : column + 6] for z in (a, b))
    ma, mb = float((w * pa).sum()), float((w * pb).sum())
    va, vb = float((w * (pa - ma) ** 2).sum()), float((w * (pb - mb) ** 2).sum())
    cab = float((w * (pa - ma) * (pb - mb)).sum())
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    return (2 * ma * mb + c1) * (2 * cab + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))


def test_ssim_is_the_equation_of_wang_and_others() -> None:
    truth = surface() + 1.5
    image = truth + RNG.normal(0, 0.3, truth.shape)
    found = ssim_map(image, truth, 2.5)
    for row in range(5, 43, 7):
        for column in range(5, 35, 5):
            assert found[row, column] == pytest.approx(wang_ssim(image, truth, 2.5, row, column), abs=1e-12)


def test_an_image_is_like_itself() -> None:
    truth = surface()
    q = compare(truth, truth, truth > 0)
    assert (q.ssim, q.ssim_hidden, q.mae_hidden, q.mae_percent) == (pytest.approx(1), pytest.approx(1), 0, 0)
    assert q.psnr_db == q.psnr_hidden_db == math.inf


def test_psnr_of_a_constant_error() -> None:
    assert psnr(np.full((9, 9), 1.5), np.ones((9, 9)), 5.0) == pytest.approx(20 * math.log10(5.0 / 0.5))
    assert psnr(np.ones((9, 9)), np.ones((9, 9)), 5.0) == math.inf


def test_errors_are_counted_in_the_range_of_the_truth() -> None:
    """A truth whose values are uniform over 0 to 1, at random places, has a 1 to 99 % range of 0.98."""
    truth = RNG.permutation((np.arange(6400) + 0.5) / 6400).reshape(64, 100)
    q = compare(truth + 0.049, truth)
    assert q.mae_hidden == pytest.approx(0.049)
    assert q.mae_percent == pytest.approx(5.0, rel=0.02)
    assert q.psnr_db == pytest.approx(20 * math.log10(0.98 / 0.049), abs=0.2)


@pytest.mark.parametrize("scale", [1.0, 1e-11, 1e5])
@pytest.mark.parametrize("tilt", [0.0, 0.5, 30.0])
def test_neither_unit_nor_tilt_nor_zero_of_the_height_change_a_score(scale: float, tilt: float) -> None:
    truth = surface()
    image = truth + RNG.normal(0, 0.2, truth.shape)
    hidden = RNG.random(truth.shape) < 0.5
    y, x = np.mgrid[0 : truth.shape[0], 0 : truth.shape[1]]
    ground = tilt * (x - 0.3 * y + 11)
    there, here = compare(image, truth, hidden), compare(scale * (image + ground), scale * (truth + ground), hidden)
    for name in ("ssim", "ssim_hidden", "psnr_db", "psnr_hidden_db", "mae_percent"):
        assert getattr(here, name) == pytest.approx(getattr(there, name), rel=1e-6)
    assert here.mae_hidden == pytest.approx(scale * there.mae_hidden, rel=1e-6)
    assert there.ssim < 0.95  # it does tell noise from the truth


def test_hidden_scores_see_hidden_pixels_only() -> None:
    truth = surface()
    hidden = np.zeros(truth.shape, dtype=bool)
    hidden[:, 25:] = True
    image = truth.copy()
    image[:, :10] += 0.7  # bad where it was measured, further from the hidden part than a window
    q = compare(image, truth, hidden)
    assert (q.ssim_hidden, q.psnr_hidden_db, q.mae_hidden) == (pytest.approx(1), math.inf, 0)
    assert q.ssim < 0.95
    assert q.psnr_db < 20
    image = truth.copy()
    image[:, 25:] += np.where(np.arange(15) % 2, 0.5, -0.5)
    assert compare(image, truth, hidden).mae_hidden == pytest.approx(0.5)
    assert compare(image, truth).mae_hidden == pytest.approx(0.5 * 15 / 40)


def test_where_the_truth_is_unknown_nothing_counts() -> None:
    truth = surface()
    image = truth + RNG.normal(0, 0.2, truth.shape)
    unknown = np.zeros(truth.shape, dtype=bool)
    unknown[30:40, 10:20] = True
    holed = np.where(unknown, np.nan, truth)
    kept = holed.copy()
    results = [compare(np.where(unknown, rubbish, image), holed) for rubbish in (0.0, 1e9, np.nan, np.inf)]
    assert len(set(results)) == 1
    q = results[0]
    assert q.mae_hidden == pytest.approx(np.abs(image - truth)[~unknown].mean())
    whole = compare(image, truth)
    assert q.ssim == pytest.approx(whole.ssim, abs=0.1)
    assert np.array_equal(holed, kept, equal_nan=True)


def test_nothing_hidden_and_nothing_known_have_no_score() -> None:
    truth = surface()
    q = compare(truth, truth, np.zeros(truth.shape, dtype=bool))
    assert math.isnan(q.ssim_hidden)
    assert math.isnan(q.psnr_hidden_db)
    assert math.isnan(q.mae_hidden)
    assert q.ssim == pytest.approx(1)
    nothing = compare(truth, np.full(truth.shape, np.nan))
    assert all(math.isnan(v) for v in vars(nothing).values())


def test_images_smaller_than_the_window_have_no_ssim() -> None:
    truth = surface(10, 40)
    q = compare(truth + 0.1, truth, truth > 0)
    assert math.isnan(q.ssim)
    assert math.isnan(q.ssim_hidden)
    assert q.mae_hidden == pytest.approx(0.1)


def test_one_spike_in_the_truth_does_not_flatter() -> None:
    truth = surface()
    image = truth + RNG.normal(0, 0.2, truth.shape)
    spiked = truth.copy()
    spiked[20, 20] = 1e3
    assert compare(image, spiked).ssim < compare(image, truth).ssim + 0.01


@pytest.mark.parametrize("rows", [11, 127, 129, 300])
def test_scores_found_strip_by_strip_are_those_of_the_whole_image(rows: int) -> None:
    """Against scikit-image on the whole image at once, levelled and shifted as the definition says."""
    from skimage.metrics import structural_similarity

    truth = surface(rows, 45) + 0.1 * RNG.normal(size=(rows, 45))
    image = truth + RNG.normal(0, 0.2, truth.shape)
    hidden = RNG.random(truth.shape) < 0.5
    found = compare(image, truth, hidden)
    plane = fit_plane(truth)
    low, high = robust_range(truth - plane)
    span = high - low
    _, whole = structural_similarity(
        image - plane - low,
        truth - plane - low,
        data_range=span,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    error = np.abs(image - truth)
    assert found.ssim == pytest.approx(whole.mean(), abs=1e-9)
    assert found.ssim_hidden == pytest.approx(whole[hidden].mean(), abs=1e-9)
    assert found.psnr_db == pytest.approx(psnr(image, truth, span), abs=1e-9)
    assert found.psnr_hidden_db == pytest.approx(psnr(image[hidden], truth[hidden], span), abs=1e-9)
    assert (found.mae, found.mae_hidden) == pytest.approx((error.mean(), error[hidden].mean()), rel=1e-9)


def test_pixels_without_a_truth_count_nowhere_whatever_the_strip() -> None:
    truth = surface(300, 40)
    image = truth + RNG.normal(0, 0.2, truth.shape)
    there = compare(image, truth)
    truth[100:140, 5:9] = np.nan
    image[100:140, 5:9] = 1e3
    here = compare(image, truth)
    known = np.isfinite(truth)
    assert here.mae == pytest.approx(np.abs(image - truth)[known].mean())
    assert here.ssim == pytest.approx(there.ssim, abs=0.02)
    assert np.isfinite([here.psnr_db, here.ssim_hidden, here.mae_hidden]).all()


def test_a_large_image_is_scored_in_little_memory() -> None:
    """A map of the whole image took some twenty times its size."""
    import tracemalloc

    truth = RNG.normal(size=(2048, 512))
    image = truth + 0.1
    hidden = np.zeros(truth.shape, dtype=np.bool_)
    hidden[1::2] = True
    compare(image[:256], truth[:256])  # imports
    tracemalloc.start()
    try:
        compare(image, truth, hidden)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 4 * truth.nbytes


def test_a_comparison_can_be_stopped() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        compare(surface(), surface(), progress=Progress(stop=stop))


def test_several_images_share_the_ground_of_their_truth() -> None:
    truth = surface()
    image = truth + 0.1 * RNG.normal(size=truth.shape)
    assert compare(image, truth, ground=Ground.of(truth)) == compare(image, truth)
