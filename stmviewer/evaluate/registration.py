"""Finding the same place in two scans, and laying one upon the other.

Images of one session show one place again and again, a little shifted by thermal drift and creep, once with a good tip
and once with a bad one. Laid upon each other they are real pairs of degraded and good.

Phase correlation: Kuglin and Hines, Proc. IEEE Conf. Cybernetics and Society, 163 (1975). It weighs all frequencies
alike, so the lattice, which every image of the surface shares, counts no more than the defects that tell one place
from another.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stmviewer.restore.normalise import normalisation
from stmviewer.scan import FloatArray
from stmviewer.scan.levelling import fit_plane

#: sigma (px) of the Gaussian that the correlation is smoothed by: drift within a scan smears its peak
_SMOOTHING_PX = 3.0
#: horizontal frequencies below this (bins) are left out: there lie the jumps between lines, which every scan has
_LINE_BINS = 3
#: the shift is looked for up to this part of the image's side
MOST_SHIFT = 0.25
#: pixels about a peak that are no other peak
_PEAK_PX = 6
#: strips that the drift within a scan is followed on, and how far (px) each may differ from the whole
_STRIPS = 6
_STRIP_PX = 6
#: a strip whose correlation is below this tells nothing
_STRIP_CORRELATION = 0.3


@dataclass(frozen=True)
class Match:
    """Where the second image has what the first one shows: at (row + `rows`, column + `columns`).

    `height` is the peak of the phase correlation in standard deviations of all of it, `lead` its ratio to the highest
    other place.
    """

    rows: int
    columns: int
    height: float
    lead: float


@dataclass(frozen=True)
class Overlay:
    """One image laid upon another: `image` in the other's frame on the `window` (rows, columns) that both show."""

    image: FloatArray
    window: tuple[slice, slice]


def prepared(image: FloatArray) -> FloatArray:
    """Detail of an image for registration: corrugation about 1, line offsets removed, torn lines faded out."""
    detail = np.clip(normalisation(image, np.ones(image.shape, dtype=np.bool_)).forward(image), -3, 3)
    detail = detail - np.median(detail, axis=1, keepdims=True)
    step = np.abs(np.diff(detail, axis=0)).mean(axis=1)
    torn = np.maximum(np.append(step, step[-1]), np.append(step[0], step))
    weight = np.clip(2 * np.median(step) / np.maximum(torn, 1e-9), 0, 1) ** 2
    result: FloatArray = detail * weight[:, None]
    return result


@dataclass(frozen=True)
class Spectrum:
    """The transform of a prepared image of `shape`, windowed and padded to `size`: taken once for many matches."""

    shape: tuple[int, int]
    size: tuple[int, int]
    values: NDArray[np.complex64]


def spectrum(image: FloatArray) -> Spectrum:
    """The spectrum of a prepared image (rows, columns)."""
    from scipy import fft

    rows, columns = image.shape
    # half as large again: a shift wraps round onto zeros
    size = (fft.next_fast_len(int(1.5 * rows), real=True), fft.next_fast_len(int(1.5 * columns), real=True))
    window = np.hanning(rows)[:, None] * np.hanning(columns)[None, :]
    values = fft.rfft2(((image - image.mean()) * window).astype(np.float32), size)
    return Spectrum((rows, columns), size, values)


def match(first: Spectrum, second: Spectrum) -> Match:
    """The shift between two images of one shape."""
    from scipy import fft

    size = first.size
    cross = np.conj(first.values) * second.values
    strength = np.abs(cross)
    if not strength.max() > 1e-20:
        return Match(0, 0, 0.0, 1.0)  # a flat image has no place
    cross /= strength + 1e-9 * float(strength.max())
    fy, fx = fft.fftfreq(size[0])[:, None], fft.rfftfreq(size[1])[None, :]
    cross *= np.exp(-2 * (np.pi * _SMOOTHING_PX) ** 2 * (fy**2 + fx**2)).astype(np.float32)
    cross[:, :_LINE_BINS] = 0
    surface = fft.fftshift(fft.irfft2(cross, size))
    spread = float(surface.std())
    reach = int(MOST_SHIFT * min(first.shape))
    middle = [n // 2 for n in size]
    near = surface[middle[0] - reach : middle[0] + reach + 1, middle[1] - reach : middle[1] + reach + 1]
    row, column = divmod(int(near.argmax()), near.shape[1])
    rest = near.copy()
    rest[max(row - _PEAK_PX, 0) : row + _PEAK_PX + 1, max(column - _PEAK_PX, 0) : column + _PEAK_PX + 1] = -np.inf
    peak, next_best = float(near[row, column]), max(float(rest.max()), 1e-12)
    return Match(row - reach, column - reach, peak / spread, peak / next_best)


def overlay(first: FloatArray, second: FloatArray, found: Match) -> Overlay | None:
    """`second` in the frame of `first` (both as measured), shifted by `found` and by a drift that grows from line to
    line; cubic splines. None where they share less than 64 x 64 pixels or the lines cannot be followed."""
    from scipy.ndimage import map_coordinates

    rows, columns = first.shape
    line = np.arange(rows, dtype=np.float64)
    down, right = np.full(rows, float(found.rows)), np.full(rows, float(found.columns))
    one, other = prepared(first), prepared(second)
    followed = _strip_shifts(one, other, found)
    if len(followed) < 3:
        return None
    centre, dy, dx = np.array(followed).T
    down = down + np.polyval(_robust_line(centre, dy), line)
    right = right + np.polyval(_robust_line(centre, dx), line)
    top = int(np.argmax(line + down >= 0))
    inside = np.nonzero(line + down <= second.shape[0] - 1)[0]
    bottom = int(inside[-1]) + 1 if len(inside) else 0
    left = max(0, int(np.ceil(-right.min())))
    end = min(columns, int(np.floor(columns - 1 - right.max())) + 1)
    if bottom - top < 64 or end - left < 64:
        return None
    window = np.s_[top:bottom, left:end]
    at_row = np.broadcast_to((line + down)[top:bottom, None], (bottom - top, end - left))
    at_column = right[top:bottom, None] + np.arange(left, end)[None, :]
    image: FloatArray = map_coordinates(second, [at_row, at_column], order=3, mode="nearest")
    return Overlay(image, window)


def _strip_shifts(one: FloatArray, other: FloatArray, found: Match) -> list[tuple[float, float, float]]:
    """Centre line, further rows and further columns of each horizontal strip that can be followed."""
    rows, columns = one.shape
    edges = np.linspace(0, rows, _STRIPS + 1).astype(int)
    left, right = max(0, -found.columns) + _STRIP_PX, min(columns, columns - found.columns) - _STRIP_PX
    result = []
    for top, bottom in pairwise(edges):
        strip = one[top:bottom, left:right]
        scores = np.full((2 * _STRIP_PX + 1, 2 * _STRIP_PX + 1), -1.0)
        for i in range(scores.shape[0]):
            start = top + found.rows + i - _STRIP_PX
            if start < 0 or start + len(strip) > other.shape[0]:
                continue
            for j in range(scores.shape[1]):
                begin = left + found.columns + j - _STRIP_PX
                scores[i, j] = _correlation(strip, other[start : start + len(strip), begin : begin + right - left])
        i, j = divmod(int(scores.argmax()), scores.shape[1])
        if scores[i, j] >= _STRIP_CORRELATION and 0 < i < 2 * _STRIP_PX and 0 < j < 2 * _STRIP_PX:
            dy = i - _STRIP_PX + _vertex(scores[i - 1 : i + 2, j])
            dx = j - _STRIP_PX + _vertex(scores[i, j - 1 : j + 2])
            result.append(((top + bottom - 1) / 2, dy, dx))
    return result


def _correlation(a: FloatArray, b: FloatArray) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / size if size > 0 else 0.0


def agreement(first: FloatArray, second: FloatArray) -> float:
    """Correlation of two images that lie upon each other, their details levelled by lines; -1 to 1."""
    return _correlation(prepared(first), prepared(second))


def _vertex(values: FloatArray) -> float:
    """Where a parabola through three values has its top, relative to the middle one."""
    below, middle, above = (float(v) for v in values)
    bend = below - 2 * middle + above
    return float(np.clip(0.5 * (below - above) / bend, -0.5, 0.5)) if bend < 0 else 0.0


def _robust_line(x: FloatArray, y: FloatArray) -> FloatArray:
    """Slope and offset by Theil and Sen: the median of the slopes of all pairs, so that one bad strip moves nothing."""
    i, j = np.triu_indices(len(x), 1)
    slope = float(np.median((y[j] - y[i]) / (x[j] - x[i])))
    return np.array([slope, float(np.median(y - slope * x))])


def same_contrast(image: FloatArray, truth: FloatArray) -> FloatArray:
    """`image` scaled, shifted and tilted to `truth` by least squares: 8-bit images have a scale of their own each.

    The best any such scaling can do, for whatever is compared; a negative scale is taken as none.
    """
    level = image - fit_plane(image)
    rows, columns = truth.shape
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    design = np.stack([level.ravel(), np.ones(truth.size), x.ravel(), y.ravel()], axis=1)
    solution = np.linalg.lstsq(design, truth.ravel(), rcond=None)[0]
    if solution[0] < 0:
        solution = np.concatenate([[0.0], np.linalg.lstsq(design[:, 1:], truth.ravel(), rcond=None)[0]])
    result: FloatArray = (design @ solution).reshape(truth.shape)
    return result
