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

import math
from dataclasses import dataclass

import numpy as np

from stmviewer.scan.geometry import BoolArray, FloatArray
from stmviewer.scan.levelling import Plane, find_plane, robust_range, strips
from stmviewer.scan.progress import Progress

#: width of the SSIM's window, and its half: what lies further away does not count at a pixel
_SIGMA, _REACH = 1.5, 5
#: rows of the map that are worked at a time: two images may be compared at once
_STRIP = 80


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
    from scipy.ndimage import gaussian_filter

    x, y = (np.asarray(a, dtype=np.float64) for a in (image, truth))
    # the variances count by their sum alone, so that it takes four local means and not five
    local = gaussian_filter(np.stack([x, y, x**2 + y**2, x * y]), (0, _SIGMA, _SIGMA), radius=_REACH)
    mean_x, mean_y, squares, product = local
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    means = mean_x**2 + mean_y**2
    both = mean_x * mean_y
    result: FloatArray = (2 * both + c1) * (2 * (product - both) + c2) / ((means + c1) * (squares - means + c2))
    return result


def psnr(image: FloatArray, truth: FloatArray, data_range: float) -> float:
    """Peak signal to noise ratio, 10 log10(range^2 / mean squared error), in dB; infinite when they are equal."""
    return _decibels(float(np.mean((image - truth) ** 2)), data_range)


def _decibels(square: float, data_range: float) -> float:
    return math.inf if square == 0 else float(10 * np.log10(data_range**2 / square))


@dataclass(frozen=True)
class Ground:
    """What images are compared on: the plane of the truth, and the 1 to 99 % range of what stands on it (its lower end
    and its length), in the truth's unit."""

    plane: Plane
    low: float
    span: float

    @classmethod
    def of(cls, truth: FloatArray) -> "Ground":
        """That of a truth (rows, columns)."""
        plane = find_plane(truth)
        low, high = robust_range(plane.taken_from(truth))
        return cls(plane, low, high - low)


def compare(
    image: FloatArray,
    truth: FloatArray,
    hidden: BoolArray | None = None,
    ground: Ground | None = None,
    progress: Progress | None = None,
) -> Quality:
    """Scores `image` against `truth`, both (rows, columns) in one unit; `hidden` marks what the method did not see.

    Pixels where the truth is NaN count nowhere: they are set equal for the SSIM map and left out of the averages.
    `ground` is that of the truth, for those who compare several images with it. Raises Cancelled when
    the user stops `progress`: an image of 4096 x 4096 pixels takes seconds.
    """
    ground = Ground.of(truth) if ground is None else ground
    span = ground.span
    every, unseen = _Sums(), _Sums()
    # strip by strip, with what the window reaches above and below: the whole map of a 4096 x 4096 image took 2.5 GB
    for rows in strips(len(truth), _STRIP):
        if progress is not None:
            progress.check()
        top = max(0, rows.start - _REACH)
        seen, inner = slice(top, rows.stop + _REACH), slice(rows.start - top, rows.stop - top)
        known = np.isfinite(truth[seen])
        level = ground.plane.on(seen) + ground.low
        one, other = (np.where(known, a[seen] - level, span / 2) for a in (image, truth))
        local = ssim_map(one, other, span) if min(truth.shape) >= 11 else np.full(one.shape, np.nan)
        error = np.abs(one - other)
        every.add(local[inner], error[inner], known[inner])
        unseen.add(local[inner], error[inner], known[inner] if hidden is None else known[inner] & hidden[rows])
    return Quality(
        ssim=every.ssim,
        psnr_db=every.psnr(span),
        ssim_hidden=unseen.ssim,
        psnr_hidden_db=unseen.psnr(span),
        mae_hidden=unseen.mae,
        mae_percent=100 * unseen.mae / span,
        mae=every.mae,
        span=span if every.count else math.nan,
    )


@dataclass
class _Sums:
    """Sums over pixels of an image, strip by strip; averages are NaN where there were none."""

    count: int = 0
    local: float = 0.0
    absolute: float = 0.0
    square: float = 0.0

    def add(self, local: FloatArray, error: FloatArray, where: BoolArray) -> None:
        """The SSIM map and the absolute error of a strip, at the pixels `where`."""
        self.count += int(where.sum())
        self.local += float(local[where].sum())
        self.absolute += float(error[where].sum())
        self.square += float((error[where] ** 2).sum())

    @property
    def ssim(self) -> float:
        return self.local / self.count if self.count else math.nan

    @property
    def mae(self) -> float:
        return self.absolute / self.count if self.count else math.nan

    def psnr(self, span: float) -> float:
        return _decibels(self.square / self.count, span) if self.count else math.nan
