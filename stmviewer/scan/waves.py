"""The waves of an image: its spectrum, the sharp peaks in it, and its autocorrelation."""

from dataclasses import dataclass

import numpy as np

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import FloatArray, Geometry
from stmviewer.scan.levelling import fit_plane
from stmviewer.scan.processing.filling import nearest_filled

_LEAST = 16
#: a peak stands this far over the median of its ring, and has at least this part of the strongest one
_OVER_RING, _OVER_AROUND, _OF_STRONGEST = 5.0, 1.8, 0.06
_MOST_PEAKS = 12
#: waves longer than this part of the image are steps and slow background
_LONGEST = 1 / 3.5
#: images are padded to at least this many pixels a side, so that peaks are round
_PADDED = 2


@dataclass(frozen=True)
class Wave:
    """A peak of a spectrum: cycles per metre (per pixel without a size) across and down, and its amplitude."""

    kx: float
    ky: float
    amplitude: float

    @property
    def period(self) -> float:
        """In metres, or pixels."""
        return 1.0 / float(np.hypot(self.kx, self.ky))

    @property
    def angle_deg(self) -> float:
        """The direction in which the wave runs, from the x axis counter-clockwise, 0 to 180."""
        return float(np.degrees(np.arctan2(-self.ky, self.kx))) % 180


@dataclass(frozen=True)
class PowerSpectrum:
    """Amplitudes of waves, zero frequency in the middle; `step_x`, `step_y` are cycles per metre (or pixel) a point."""

    amplitude: FloatArray
    step_x: float
    step_y: float

    @property
    def centre(self) -> tuple[int, int]:
        return self.amplitude.shape[0] // 2, self.amplitude.shape[1] // 2

    @property
    def most(self) -> tuple[float, float]:
        """The largest frequencies across and down that it shows."""
        return self.amplitude.shape[1] / 2 * self.step_x, self.amplitude.shape[0] / 2 * self.step_y


def spectrum_of(data: FloatArray, geometry: Geometry, *, padded: int = 1) -> PowerSpectrum:
    """The amplitude of every wave in the image, its plane and mean taken away, under a Hann window.

    Gaps count as their nearest measured pixel. A wave of amplitude 1 has a peak of 1. `padded` times as many points
    are worked out. Raises RequestError for an image too small for any wave, and for one without values.
    """
    if min(data.shape) < _LEAST:
        raise RequestError(
            f"{data.shape[1]} x {data.shape[0]} pixels are too few for a spectrum; {_LEAST} is the least"
        )
    if not np.isfinite(data).any():
        raise RequestError("nothing was measured here")
    level = nearest_filled(data - fit_plane(data))
    rows, columns = (np.hanning(n + 2)[1:-1] for n in level.shape)
    window = rows[:, None] * columns[None, :]
    level = (level - (level * window).sum() / window.sum()) * window
    shape = tuple(n * padded for n in level.shape)
    spectrum: FloatArray = np.fft.fftshift(np.abs(np.fft.fft2(level, shape))) * (2 / float(window.sum()))
    return PowerSpectrum(spectrum, 1 / (geometry.pixel_width * shape[1]), 1 / (geometry.pixel_height * shape[0]))


def lattice_waves(data: FloatArray, geometry: Geometry, most: int = _MOST_PEAKS) -> list[Wave]:
    """The sharp peaks of the spectrum, each once (k and -k are the same wave), the strongest first."""
    return peaks_of(spectrum_of(data, geometry, padded=_PADDED), geometry, most)


def peaks_of(spectrum: PowerSpectrum, geometry: Geometry, most: int = _MOST_PEAKS) -> list[Wave]:
    """The peaks of a spectrum that stand out of their ring of equal frequency, between its points by parabolas."""
    from scipy.ndimage import maximum_filter, median

    a = spectrum.amplitude
    rows, columns = a.shape
    cy, cx = spectrum.centre
    ky = (np.arange(rows) - cy)[:, None] * spectrum.step_y
    kx = (np.arange(columns) - cx)[None, :] * spectrum.step_x
    k = np.hypot(ky, kx)
    longest = min(geometry.width, geometry.height) * _LONGEST
    # rings of equal frequency in waves per pixel, so that they are round in oblong images too
    rings = np.rint(48 * np.hypot(ky * geometry.pixel_height, kx * geometry.pixel_width)).astype(int)
    floor = np.asarray(median(a, rings, index=np.arange(rings.max() + 1)))[rings]
    padding = max(1, round(1 / (spectrum.step_x * geometry.width)))
    near = 2 * padding + 1
    allowed = (k * longest >= 1) & ((kx > 0) | ((kx == 0) & (ky > 0)))
    good = allowed & (a == maximum_filter(a, size=near)) & (a > _OVER_RING * floor)
    if not good.any():
        return []
    good &= a > _OF_STRONGEST * a[good].max()
    found = np.argwhere(good)
    found = found[np.argsort(-a[good], kind="stable")]
    at = [(int(r), int(c)) for r, c in found if _sharp(a, int(r), int(c), padding)][:most]
    return [
        Wave(
            (c + _vertex(a[r, c - 1 : c + 2]) - cx) * spectrum.step_x,
            (r + _vertex(a[r - 1 : r + 2, c]) - cy) * spectrum.step_y,
            float(a[r, c]),
        )
        for r, c in at
        if 0 < r < rows - 1 and 0 < c < columns - 1
    ]


def _sharp(a: FloatArray, row: int, column: int, padding: int) -> bool:
    """Whether a peak stands out of what is three to five bins away: hills and steps make broad ones."""
    reach = round(4.6 * padding)
    top, left = max(row - reach, 0), max(column - reach, 0)
    part = a[top : row + reach + 1, left : column + reach + 1]
    y, x = np.ogrid[: part.shape[0], : part.shape[1]]
    away = np.hypot(y - (row - top), x - (column - left))
    ring = part[(away >= 2.9 * padding) & (away < 4.6 * padding)]
    return bool(not ring.size or a[row, column] > _OVER_AROUND * ring.max())


def _vertex(three: FloatArray) -> float:
    """Where between -1/2 and 1/2 a parabola through the logarithms of three values is highest."""
    if len(three) != 3 or three.min() <= 0:
        return 0.0
    before, at, after = np.log(three)
    curve = before - 2 * at + after
    return float(np.clip(0.5 * (before - after) / curve, -0.5, 0.5)) if curve < 0 else 0.0


def autocorrelation(data: FloatArray) -> FloatArray:
    """How alike the image is to itself moved by (row, column), -1 to 1, no move in the middle.

    Of the levelled image; each value is the mean over the pixels that then lie on measured ones, over the variance:
    G(m, n) = sum z(r, c) z(r + m, c + n) / N(m, n) / var z. Moves by over half the image, where few pixels are left,
    are not worked out: the result has about as many rows and columns as the image.
    """
    if min(data.shape) < 4 or not np.isfinite(data).any():
        raise RequestError("too few pixels were measured for an autocorrelation")
    level = data - fit_plane(data)
    known = np.isfinite(level)
    z = np.where(known, level - level[known].mean(), 0.0)
    shape = tuple(2 * n for n in z.shape)
    spectrum, weight = np.fft.rfft2(z, shape), np.fft.rfft2(known.astype(np.float64), shape)
    total = np.fft.fftshift(np.fft.irfft2(np.abs(spectrum) ** 2, shape))
    count = np.fft.fftshift(np.fft.irfft2(np.abs(weight) ** 2, shape))
    variance = float((z**2).sum() / known.sum())
    if variance <= 0:
        raise RequestError("the image is flat: it has no autocorrelation")
    middle = tuple(slice(n // 2 - n // 4, n // 2 + n // 4 + 1) for n in shape)
    few = count < 0.5
    result: FloatArray = np.where(few, np.nan, total / np.maximum(count, 1.0)) / variance
    return result[middle]
