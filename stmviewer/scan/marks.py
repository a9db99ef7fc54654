"""The marks that a tip, a scanner and electronics leave in an image, as numbers.

Images are (rows, columns) without NaN; rows are scan lines and the fast axis is horizontal. Only ratios count, so
heights may be in any unit and uncalibrated: `normalised` brings an image to a zero and a scale of its own that a few
spikes do not move. Plain numpy.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stmviewer.scan.geometry import BoolArray, FloatArray

#: pixels this many half ranges off are spikes; nothing in a lattice is
_CLIP = 4.0
#: a normal distribution's standard deviation from its median absolute value
_MAD = 1.4826
#: line-to-line differences below this part of the half range are quantisation (8 bits), not signal
_QUANTUM = 0.01
#: edges of the frequency bins (cycles a pixel): half octaves from 1/32 to 1/2
BAND_EDGES: FloatArray = 0.5 ** np.arange(5.0, 0.75, -0.5)


def flatten_lines(image: FloatArray) -> FloatArray:
    """Each line less its least-squares straight line.

    Many programs do this before they show or save an image, so it is done to both before a flattened image is
    compared with one that is not. Offsets, slopes and walks of lines are gone after it.
    """
    x = np.linspace(-1.0, 1.0, image.shape[1])
    level: FloatArray = image - image.mean(axis=1, keepdims=True)
    if image.shape[1] < 3:
        return level
    slope = level @ x / (x @ x)
    result: FloatArray = level - slope[:, None] * x[None, :]
    return result


def normalised(image: FloatArray) -> FloatArray:
    """The image less its median, in units of half its 5 to 95 % range, spikes clipped to 4 of them.

    All zero for an image whose 5 to 95 % range is empty.
    """
    low, middle, high = np.percentile(image, (5, 50, 95))
    if not high > low:
        return np.zeros_like(image)
    result: FloatArray = np.clip((image - middle) * (2 / (high - low)), -_CLIP, _CLIP)
    return result


def correlation(image: FloatArray, lags: NDArray[np.int64], axis: int) -> FloatArray:
    """Correlation of the image with itself, moved by each of `lags` pixels along `axis`; shape (lags,).

        C(k) = <z(y) z(y + k)> / sqrt(<z(y)^2> <z(y + k)^2>),   z without its mean, over the pixels that both have

    Along axis 0 that is the correlation of lines k apart, which noise between lines lowers at once and drift with k;
    along axis 1 the same for pixels of a line. 0 for a constant image, and for lags that do not fit.
    """
    z = np.ascontiguousarray(np.moveaxis(image - image.mean(), axis, 0))
    result = np.zeros(len(lags))
    for n, lag in enumerate(lags):
        if lag >= len(z):
            continue
        one, other = z[: len(z) - lag], z[lag:]
        norm = np.sqrt(np.vdot(one, one) * np.vdot(other, other))
        result[n] = np.vdot(one, other) / norm if norm > 0 else 0.0
    return result


def axis_spectrum(image: FloatArray, axis: int) -> FloatArray:
    """log10 of the power per bin along `axis`, its share of the power in all bins; shape (bins,).

    Mean periodogram of the lines along that axis (Hann window), summed over the half-octave bins of `BAND_EDGES`.
    White noise doubles from octave to octave. Bins that the length has no frequency for are NaN.
    """
    z = np.moveaxis(image, axis, 1)
    z = (z - z.mean(axis=1, keepdims=True)) * np.hanning(z.shape[1])[None, :]
    power = (np.abs(np.fft.rfft(z, axis=1)) ** 2).mean(axis=0)
    return _shares(np.fft.rfftfreq(z.shape[1]), power)


def radial_spectrum(image: FloatArray) -> FloatArray:
    """log10 of the power in rings of the two-dimensional spectrum, its share of the power in all; shape (bins,).

    Hann window in both directions, rings between the frequencies `BAND_EDGES`; corners beyond 1/2 cycle a pixel are
    left out.
    """
    rows, columns = image.shape
    z = (image - image.mean()) * np.hanning(rows)[:, None] * np.hanning(columns)[None, :]
    power = np.abs(np.fft.rfft2(z)) ** 2
    power[:, 1 : (columns + 1) // 2] *= 2  # the half that a real transform leaves out
    radius = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)[None, :])
    return _shares(radius.ravel(), power.ravel())


def _shares(frequency: NDArray[np.floating[Any]], power: FloatArray) -> FloatArray:
    bins = np.searchsorted(BAND_EDGES, frequency, side="right") - 1
    # the highest frequency belongs to the last bin
    bins[np.isclose(frequency, BAND_EDGES[-1])] = len(BAND_EDGES) - 2
    inside = (bins >= 0) & (bins < len(BAND_EDGES) - 1)
    total = np.bincount(bins[inside], power[inside], minlength=len(BAND_EDGES) - 1)
    there = np.bincount(bins[inside], minlength=len(BAND_EDGES) - 1) > 0
    share = total / total.sum() if total.sum() > 0 else np.ones_like(total) / len(total)
    return np.where(there, np.log10(np.maximum(share, 1e-9)), np.nan)


def quantiles(image: FloatArray, at: tuple[float, ...]) -> FloatArray:
    """The heights below which the parts `at` (0 to 1) of the pixels lie; of a normalised image, its histogram."""
    return np.quantile(image, at)


def skewness(values: FloatArray) -> float:
    """Third moment over the 3/2th power of the second: 0 for what is symmetric, positive for a tail of high values."""
    z = values - values.mean()
    spread = float(np.sqrt(np.mean(z * z)))
    return float(np.mean(z * z * z)) / spread**3 if spread > 0 else 0.0


def slope_skewness(image: FloatArray, axis: int) -> float:
    """Skewness of the differences between neighbours along `axis`.

    0 for flanks that rise as steeply as they fall. A feedback that lags makes it differ from 0 along the fast axis,
    an asymmetric tip in whatever direction it lies. Differences over six standard deviations (robust) are cut off
    there: scars are counted elsewhere.
    """
    step = np.diff(image, axis=axis).ravel()
    most = 6 * max(float(_MAD * np.median(np.abs(step))), _QUANTUM)
    return skewness(np.clip(step, -most, most))


def noise(image: FloatArray, axis: int) -> float:
    """Standard deviation of noise that is independent between neighbours along `axis`, robust.

    From the second differences z(k - 1) - 2 z(k) + z(k + 1), which a smooth image hardly has, divided by sqrt(6).
    """
    second = np.diff(image, n=2, axis=axis)
    return float(_MAD * np.median(np.abs(second)) / np.sqrt(6)) if second.size else 0.0


@dataclass(frozen=True)
class Streaks:
    """Scars of an image: how many a line, their mean length in pixels (0 without any), the part of pixels in them."""

    per_line: float
    length_px: float
    part: float


def streaks(image: FloatArray, *, height: float = 3.0, least_px: int = 3) -> Streaks:
    """Short stretches of a line that lie off both neighbouring lines, to the same side.

    A pixel is off when it differs from those above and below it by more than `height` standard deviations of all
    line-to-line differences (robust, and no less than 1 % of half the range); `least_px` of them in a row are a scar.
    """
    inside = streak_mask(image, height=height)
    edge = np.diff(np.pad(inside, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    begin, end = np.nonzero(edge == 1)[1], np.nonzero(edge == -1)[1]
    length = (end - begin)[end - begin >= least_px]
    return Streaks(
        per_line=len(length) / image.shape[0],
        length_px=float(length.mean()) if len(length) else 0.0,
        part=float(length.sum() / image.size),
    )


def streak_mask(image: FloatArray, *, height: float = 3.0) -> BoolArray:
    """Where a pixel lies off its neighbours above and below, to the same side; shape (rows, columns)."""
    inside = np.zeros(image.shape, dtype=np.bool_)
    if image.shape[0] < 3:
        return inside
    low, high = np.percentile(image, (5, 95))
    step = np.diff(image, axis=0)
    spread = max(float(_MAD * np.median(np.abs(step))), _QUANTUM * float(high - low) / 2, 1e-300)
    above, below = step[:-1], -step[1:]
    off = np.minimum(np.abs(above), np.abs(below)) > height * spread
    inside[1:-1] = off & (np.sign(above) == np.sign(below))
    return inside


def line_steps(image: FloatArray) -> FloatArray:
    """Median difference of each line to the one before it; shape (rows - 1,).

    What moves a whole line up or down, adsorbates and steps left out. In a flattened image what is left of it.
    """
    result: FloatArray = np.median(np.diff(image, axis=0), axis=1)
    return result


@dataclass(frozen=True)
class Jump:
    """The largest jump between two lines: the first line after it, and how much larger it is than usual (1: as usual).

    `contrast` is the largest |ln| of the ratio of the standard deviations below and above any line.
    """

    line: int
    size: float
    contrast: float


def largest_jump(image: FloatArray) -> Jump:
    """Where the image changes most from one line to the next, as it does when the tip changes.

    The size is the greatest mean |difference| of two lines over the median of all of them (no less than 1 % of half
    the range). Images of fewer than 8 lines have none.
    """
    rows = image.shape[0]
    if rows < 8:
        return Jump(0, 1.0, 0.0)
    low, high = np.percentile(image, (5, 95))
    step = np.abs(np.diff(image, axis=0)).mean(axis=1)
    usual = max(float(np.median(step)), _QUANTUM * float(high - low) / 2, 1e-300)
    variance = image.var(axis=1)
    above = np.cumsum(variance)
    split = np.arange(rows // 8, rows - rows // 8)
    upper, lower = above[split - 1] / split, (above[-1] - above[split - 1]) / (rows - split)
    both = (upper > 0) & (lower > 0)
    contrast = float(np.abs(np.log(lower[both] / upper[both])).max() / 2) if both.any() else 0.0
    return Jump(int(step.argmax()) + 1, float(step.max()) / usual, contrast)
