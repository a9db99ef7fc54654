"""The spectrum of what a sparse scan measured: which waves stand out of it, and which look alike in its lines."""

import numpy as np

from stmviewer.restore.case import Case
from stmviewer.scan import BoolArray, FloatArray
from stmviewer.scan.levelling import fit_plane

#: waves that look longer than this (cycles a pixel) in the measured lines are background as well as rows
_LONG = 0.085
#: heights above this are hardly surer, but nearer to the middle of their peak; what more of it counts
_CLEAR, _MORE = 6.0, 0.3
#: peaks weaker than this part of the strongest one may be the foot of it (power)
_FLOOR = 3e-5
#: beyond this frequency (1/px) nothing is seen of a wave
_BEYOND = 0.48
#: three running means of this width (px) leave nothing of the rows, as in `normalise`
_WINDOW, _PASSES = 25, 3
#: looked at about the centre (px a side)
_MOST_SIDE = 512


def background(image: FloatArray, measured: BoolArray) -> FloatArray:
    """The plane and the hills of an image (rows, columns) without gaps; the plane is that of its `measured` pixels."""
    from scipy.ndimage import uniform_filter

    plane = fit_plane(image, measured)  # at the edges running means do not follow a slope
    smooth = image - plane
    for _ in range(_PASSES):
        smooth = uniform_filter(smooth, _WINDOW, mode="nearest")
    smooth += plane
    return smooth


class Spectrum:
    """The power of what was measured at any frequency, its background taken away; aliases look as the wave itself."""

    def __init__(self, case: Case, gaps: FloatArray) -> None:
        measured: BoolArray = case.mask.measured
        guess = case.guess()
        top, left = (max(0, (n - _MOST_SIDE) // 2) for n in guess.shape)
        middle = np.s_[top : top + _MOST_SIDE, left : left + _MOST_SIDE]
        guess, measured = guess[middle], measured[middle]
        detail = np.where(measured, guess - background(guess, measured), 0.0)
        low, high = np.percentile(detail[measured], (3, 97))
        #: nothing but a plane and rounding
        self.empty = bool(high - low <= 1e-9 * np.ptp(case.raw[case.mask.measured]))
        shape = detail.shape
        window = np.outer(np.hanning(shape[0] + 2)[1:-1], np.hanning(shape[1] + 2)[1:-1])
        padded = [max(256, (4 if n <= 256 else 2) << (n - 1).bit_length()) for n in shape]
        self._power = np.abs(np.fft.fft2(np.where(measured, np.clip(detail, low, high), 0.0) * window, padded)) ** 2
        self._floor = _FLOOR * float(self._power.max()) + 1e-300
        self._gaps = gaps
        self._sides = shape

    def power(self, x: FloatArray, y: FloatArray) -> FloatArray:
        from scipy.ndimage import map_coordinates

        rows, columns = self._power.shape
        places = [np.mod(y * rows, rows), np.mod(x * columns, columns)]
        return np.asarray(map_coordinates(self._power, places, order=1, mode="grid-wrap"))

    def seen(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """How far these frequencies stand out of those around them; 0 where that cannot be told."""
        turns = np.arange(12) * np.pi / 6
        away = [(3.2 * np.cos(t) / self._sides[1], 3.2 * np.sin(t) / self._sides[0]) for t in turns]
        around = np.median([self.power(x + dx, y + dy) for dx, dy in away], axis=0)
        height = np.log((self.power(x, y) + self._floor) / (around + self._floor))
        long = self._looks(x, y) < _LONG
        beyond = (np.abs(x) > _BEYOND) | (np.abs(y) > _BEYOND)
        result: FloatArray = np.where(
            long | beyond, 0.0, np.clip(height, 0, _CLEAR) + _MORE * np.clip(height - _CLEAR, 0, None)
        )
        return result

    def one(self, wave: tuple[float, float]) -> float:
        """`seen` of a single frequency."""
        x, y = (np.array([value]) for value in wave)
        return float(self.seen(x, y)[0])

    def apart(self, a: tuple[float, float], b: tuple[float, float]) -> float:
        """How far from each other two waves are in the measured lines (cycles a pixel)."""
        alike = [self._looks(np.array(a[0] + sign * b[0]), np.array(a[1] + sign * b[1])) for sign in (1, -1)]
        return float(min(alike))

    def _looks(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """The lowest frequency that the measured lines cannot tell from this one."""
        folded = [((f * gap + 0.5) % 1 - 0.5) / gap for f, gap in zip((x, y), self._gaps, strict=True)]
        return np.asarray(np.hypot(*folded))

    def summit(self, wave: tuple[float, float]) -> tuple[float, float]:
        """The highest place within a line of the spectrum from `wave`: drift bends a lattice a little."""
        x, y = wave
        for step in (0.25, 0.125, 0.06, 0.03):
            dx, dy = (a.ravel() for a in np.meshgrid(np.arange(-2, 3) * step, np.arange(-2, 3) * step))
            xs, ys = x + dx / self._sides[1], y + dy / self._sides[0]
            best = int(self.power(xs, ys).argmax())
            x, y = float(xs[best]), float(ys[best])
        return x, y
