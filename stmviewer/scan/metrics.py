"""Image quality against a known truth: SSIM, PSNR, mean absolute error, whole and on hidden pixels.

With the image x, the truth y and the data range L:

    SSIM = <(2 mx my + c1)(2 cxy + c2) / ((mx^2 + my^2 + c1)(vx + vy + c2))>,   c1 = (0.01 L)^2, c2 = (0.03 L)^2
    PSNR = 10 log10(L^2 / <(x - y)^2>)        MAE = <|x - y|>, in the truth's unit or in % of L

m, v and c are local means, variances and the covariance, and <> is the mean over pixels: all of them, or those that the
method was not given. SSIM: Wang et al., IEEE Trans. Image Process. 13, 600 (2004), eq. 13, Gaussian window of sigma 1.5
as in the paper, population covariance. The data range is the 1 to 99 % range of the truth, so that one spike does not
make every method look perfect. Before, the plane of the truth is taken from both images and the lower end of that
range is put to zero, where SSIM expects it: neither the tilt of a sample nor the zero of its height may change a score
(a tilt of ten times the corrugation lifts the SSIM of anything over 0.99).
"""

from dataclasses import dataclass

import numpy as np

from stmviewer.scan.geometry import BoolArray, FloatArray
from stmviewer.scan.levelling import fit_plane, robust_range


@dataclass(frozen=True)
class Quality:
    """Agreement of an image with the truth.

    `ssim` in [-1, 1] and `psnr_db` over the whole image; `_hidden` over the pixels that were not given to the method
    (the SSIM map averaged there), NaN when there are none; `mae_hidden` in the truth's unit, `mae_percent` the same in
    % of the truth's 1 to 99 % range. `mae` is over the whole image, in the truth's unit; `span` that range.
    """

    ssim: float
    psnr_db: float
    ssim_hidden: float
    psnr_hidden_db: float
    mae_hidden: float
    mae_percent: float
    mae: float
    span: float


def ssim_map(image: FloatArray, truth: FloatArray, data_range: float) -> FloatArray:
    """Local SSIM, shape (rows, columns), of two images without NaN that are at least 11 pixels a side."""
    from skimage.metrics import structural_similarity

    _, full = structural_similarity(  # type: ignore[no-untyped-call]
        image, truth, data_range=data_range, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    result: FloatArray = np.asarray(full, dtype=np.float64)
    return result


def psnr(image: FloatArray, truth: FloatArray, data_range: float) -> float:
    """Peak signal to noise ratio, 10 log10(range^2 / mean squared error), in dB; infinite when they are equal."""
    error = float(np.mean((image - truth) ** 2))
    return float("inf") if error == 0 else float(10 * np.log10(data_range**2 / error))


def compare(image: FloatArray, truth: FloatArray, hidden: BoolArray | None = None) -> Quality:
    """Scores `image` against `truth`, both (rows, columns) in one unit; `hidden` marks what the method did not see.

    Pixels where the truth is NaN count nowhere: they are set equal for the SSIM map and left out of the averages.
    """
    known = np.isfinite(truth)
    plane = fit_plane(truth)
    low, high = robust_range(truth - plane)
    span = high - low
    image = np.where(known, image - plane - low, span / 2)
    reference = np.where(known, truth - plane - low, span / 2)
    local = ssim_map(image, reference, span) if min(truth.shape) >= 11 else np.full(truth.shape, np.nan)
    unseen = known if hidden is None else known & hidden
    nothing = float("nan")
    mae = float(np.abs(image - reference)[unseen].mean()) if unseen.any() else nothing
    return Quality(
        ssim=float(local[known].mean()) if known.any() else nothing,
        psnr_db=psnr(image[known], reference[known], span) if known.any() else nothing,
        ssim_hidden=float(local[unseen].mean()) if unseen.any() else nothing,
        psnr_hidden_db=psnr(image[unseen], reference[unseen], span) if unseen.any() else nothing,
        mae_hidden=mae,
        mae_percent=100 * mae / span,
        mae=float(np.abs(image - reference)[known].mean()) if known.any() else nothing,
        span=span if known.any() else nothing,
    )
