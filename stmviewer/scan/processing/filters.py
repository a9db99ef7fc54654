"""Filters: median, Gaussian, and in the Fourier domain."""

from collections.abc import Sequence

import numpy as np

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import FloatArray, Geometry
from stmviewer.scan.processing.filling import nearest_filled
from stmviewer.scan.progress import Progress

#: values that a median looks at between two questions for Cancel
_BAND_WORK = 20_000_000
#: edges of a pass band are this wide, in octaves
_EDGE = 0.25


def median_filter(data: FloatArray, size: int, progress: Progress | None = None) -> FloatArray:
    """The median over `size` x `size` pixels; gaps stay gaps and count as their nearest measured pixel."""
    from scipy.ndimage import median_filter as filtered

    filled = nearest_filled(data)
    rows, columns = data.shape
    # wide medians of large images take minutes: in bands, between which Cancel is heard
    height = max(_BAND_WORK // (columns * size**2), 1)
    work = (progress or Progress()).part(1.0, "Median", -(-rows // height))
    result = np.empty_like(filled)
    for top in range(0, rows, height):
        first, last = max(top - size, 0), min(top + height + size, rows)
        band = filtered(filled[first:last], size=size, mode="nearest")
        result[top : top + height] = band[top - first : top - first + height]
        work.tick()
    return np.where(np.isfinite(data), result, np.nan)


def gaussian_filter(data: FloatArray, sigma: float) -> FloatArray:
    """The mean under a Gaussian of that sigma in pixels, over measured pixels alone; gaps stay gaps."""
    from scipy.ndimage import gaussian_filter as filtered

    known = np.isfinite(data)
    if known.all():
        smooth: FloatArray = filtered(data, sigma, mode="nearest")
        return smooth
    weight = filtered(known.astype(np.float64), sigma, mode="nearest")
    total = filtered(np.where(known, data, 0.0), sigma, mode="nearest")
    return np.where(known, total / np.maximum(weight, 1e-12), np.nan)


def frequencies(geometry: Geometry) -> tuple[FloatArray, FloatArray]:
    """(ky (rows, 1), kx (1, columns)): cycles per length in the order of numpy's FFT.

    The length is nm, or pixels where the image has no size.
    """
    factor = 1e9 if geometry.calibrated else 1.0
    ky = np.asarray(np.fft.fftfreq(geometry.rows, geometry.pixel_height * factor), dtype=np.float64)[:, None]
    kx = np.asarray(np.fft.fftfreq(geometry.columns, geometry.pixel_width * factor), dtype=np.float64)[None, :]
    return ky, kx


def band(geometry: Geometry, shortest: float, longest: float) -> FloatArray:
    """What of each wave passes, 0 to 1: those with periods from `shortest` to `longest` (nm or px); 0 is no limit.

    The edges are cosines over a quarter of an octave: sharp ones would ring.
    """
    if shortest and longest and not shortest < longest:
        raise RequestError(f"the shortest period ({shortest:g}) must be under the longest ({longest:g})")
    ky, kx = frequencies(geometry)
    k = np.hypot(ky, kx)
    passed = np.ones_like(k)
    with np.errstate(divide="ignore"):
        octaves = np.log2(k)
    if shortest:
        passed *= _fall((octaves + np.log2(shortest)) / _EDGE)
    if longest:
        passed *= 1 - _fall((octaves + np.log2(longest)) / _EDGE)
    return passed


def _fall(x: FloatArray) -> FloatArray:
    """1 for x < -1/2, 0 for x > 1/2, half a cosine between."""
    result: FloatArray = 0.5 - 0.5 * np.sin(np.pi * np.clip(x, -0.5, 0.5))
    return result


Circle = tuple[float, float, float]


def circles_of(text: str) -> list[Circle]:
    """Circles on the spectrum from "kx ky r kx ky r ...". Raises RequestError."""
    try:
        numbers = [float(word) for word in text.split()]
    except ValueError:
        raise RequestError(f"circles on the spectrum are numbers 'kx ky radius', not '{text}'") from None
    if not numbers or len(numbers) % 3 or not np.isfinite(numbers).all() or min(numbers[2::3], default=0) <= 0:
        raise RequestError("mark the spectrum first: circles are three numbers each, 'kx ky radius'")
    return [(numbers[i], numbers[i + 1], numbers[i + 2]) for i in range(0, len(numbers), 3)]


def spots(geometry: Geometry, circles: Sequence[Circle]) -> FloatArray:
    """How much each wave lies in the circles (kx, ky, r in cycles per nm or px) or in those opposite, 0 to 1.

    A circle is never smaller than one point of the transform; its edge is soft over a quarter of its radius.
    """
    ky, kx = frequencies(geometry)
    factor = 1e9 if geometry.calibrated else 1.0
    least = 0.75 / (min(geometry.width, geometry.height) * factor)
    inside = np.zeros(np.broadcast_shapes(ky.shape, kx.shape))
    for x, y, radius in circles:
        radius = max(radius, least)
        for sign in (1, -1):
            distance = np.hypot(kx - sign * x, ky - sign * y)
            inside = np.maximum(inside, _fall((distance - radius) / (0.25 * radius)))
    return inside


def filtered_in_fourier(data: FloatArray, passed: FloatArray, *, keep_mean: bool = True) -> FloatArray:
    """`data` with each wave multiplied by `passed` (rows, columns, FFT order); gaps stay gaps.

    What does not fit together at opposite edges would draw a cross into the spectrum: it is taken away as a smooth
    image first (periodic plus smooth decomposition, Moisan 2011) and its slow part added again. The mean stays.
    """
    known = np.isfinite(data)
    if not known.any():
        return data.copy()
    whole = nearest_filled(data)
    mean = float(whole[known].mean())
    periodic, smooth = decomposed(whole - mean)
    passed = passed.copy()
    dc = passed[0, 0]
    passed[0, 0] = 1.0
    result = np.fft.ifft2(np.fft.fft2(periodic) * passed).real
    # slopes and bows are slow: they pass where the slowest waves do
    result = result + smooth * float(dc) + (mean if keep_mean else 0.0)
    return np.where(known, result, np.nan)


def decomposed(image: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(periodic, smooth) with image = periodic + smooth: L. Moisan, J. Math. Imaging Vis. 39, 161 (2011)."""
    rows, columns = image.shape
    v = np.zeros_like(image)
    v[0] += image[-1] - image[0]
    v[-1] += image[0] - image[-1]
    v[:, 0] += image[:, -1] - image[:, 0]
    v[:, -1] += image[:, 0] - image[:, -1]
    cos_y = np.cos(2 * np.pi * np.arange(rows) / rows)[:, None]
    cos_x = np.cos(2 * np.pi * np.arange(columns) / columns)[None, :]
    denominator = 2 * cos_x + 2 * cos_y - 4
    denominator[0, 0] = 1.0
    spectrum = np.fft.fft2(v) / denominator
    spectrum[0, 0] = 0.0
    smooth: FloatArray = np.fft.ifft2(spectrum).real
    return image - smooth, smooth
