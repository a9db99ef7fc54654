"""The direction of dimer rows from the spectrum of the whole scan: which waves stand out of it, aliases included.

Where patches are too few or too noisy to agree, the whole scan still shows sharp peaks: both directions of the rows,
their overtones and the dimers along them, each at its own aliases. It needs more rows than patches do.
"""

from dataclasses import dataclass

import numpy as np

from stmviewer.restore.case import Case
from stmviewer.restore.rows.evidence import BEYOND, looks_like
from stmviewer.restore.rows.measured import background
from stmviewer.scan import BoolArray, FloatArray

#: fewer rows than this across the scan do not tell a direction from its lookalikes surely enough
LEAST_ROWS = 8.0
#: spacings that are tried, in units of the known one, and how well calibrations are trusted (standard deviation)
_SPACINGS, _CALIBRATION = np.exp(np.linspace(-0.07, 0.07, 15)), 0.03
#: a wave is seen where its logarithmic height over its surroundings reaches this
_SEEN = 1.0
#: gaps carry waves of up to half a cycle from one line to the next, interpolation well those below this
_CARRIED = 0.3
#: overtones of the rows, and dimers along them, as multiples of the two directions; what the two clearest count
_ORDERS, _ORDERS_COUNT = ((2, 0), (0, 2), (1, 2), (1, -2), (2, 1), (2, -1)), 0.75
#: how far the best direction must be ahead of those more than so many degrees away, and of nothing at all
_SURE, _APART_DEG = 2.0, 8.0
#: waves that look longer than this (cycles a pixel) in the measured lines are background as well as rows
_LONG = 0.085
#: heights above this are hardly surer, but nearer to the middle of their peak; what more of it counts
_CLEAR, _MORE = 6.0, 0.3
#: peaks weaker than this part of the strongest one may be the foot of it (power)
_FLOOR = 3e-5
#: looked at about the centre (px a side)
_MOST_SIDE = 512


@dataclass(frozen=True)
class Seen:
    """Wave vectors (2, 2; x and y in cycles a pixel) across the rows of both terraces, and how far they are ahead of
    others (natural logarithms of power over its surroundings, summed)."""

    vectors: FloatArray
    margin: float


def seen_by_spectrum(case: Case, spacing: FloatArray, gaps: FloatArray) -> Seen | None:
    """The rows, `spacing` (x, y; px) apart, of a scan measured with those gaps; None where none are clearly seen."""
    spectrum = Spectrum(case, gaps)
    if spectrum.empty:
        return None
    turn = max(0.5, np.degrees(0.35 * float((spacing / case.raw.shape[::-1]).max())))
    spacings, turns = (a.ravel() for a in np.meshgrid(_SPACINGS, np.radians(np.arange(0, 90, turn)), indexing="ij"))
    x, y = np.cos(turns) * spacings / spacing[0], np.sin(turns) * spacings / spacing[1]
    across = y * spacing[1] / spacing[0], -x * spacing[0] / spacing[1]  # turned by 90 degrees on the sample
    first, second = spectrum.seen(x, y), spectrum.seen(*across)
    orders = [spectrum.seen(h * x + k * across[0], h * y + k * across[1]) for h, k in _ORDERS]
    # without the rows themselves, what would be their overtones is something else
    further = np.minimum(np.sort(orders, axis=0)[-2:].sum(axis=0), first + second)
    score = first + second + _ORDERS_COUNT * further
    score -= (np.log(spacings) / _CALIBRATION) ** 2 / 2
    best = int(score.argmax())
    off = np.abs((turns - turns[best] + np.pi / 4) % (np.pi / 2) - np.pi / 4)
    rivals = score[off > np.radians(max(_APART_DEG, 6 * turn))]
    margin = float(score[best] - max(0.0, float(rivals.max(initial=0.0))))
    if margin < _SURE:
        return None
    pairs = [(float(x[best]), float(y[best])), (float(across[0][best]), float(across[1][best]))]
    both = [spectrum.summit(wave) for wave in pairs]
    rows = [wave for wave in both if spectrum.one(wave) > _SEEN]
    if not any(max(abs(x) * gaps[0], abs(y) * gaps[1]) > _CARRIED for x, y in rows):
        return None
    return Seen(np.array(both), margin)


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
        half = np.fft.rfft2(np.where(measured, np.clip(detail, low, high), 0.0) * window, padded)
        #: of frequencies along x that are not negative: those of the opposite wave are the same
        self._power = np.abs(half) ** 2
        self._padded = padded
        self._floor = _FLOOR * float(self._power.max()) + 1e-300
        self._gaps = gaps
        self._sides = shape

    def power(self, x: FloatArray, y: FloatArray) -> FloatArray:
        from scipy.ndimage import map_coordinates

        x = x - np.rint(x)  # -1/2 to 1/2
        y = np.where(x < 0, -y, y)
        places = [(y - np.floor(y)) * self._padded[0], np.abs(x) * self._padded[1]]
        return np.asarray(map_coordinates(self._power, places, order=1, mode="grid-wrap"))

    def seen(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """How far these frequencies stand out of those around them; 0 where that cannot be told."""
        turns = np.arange(12)[:, None] * np.pi / 6
        dx, dy = 3.2 * np.cos(turns) / self._sides[1], 3.2 * np.sin(turns) / self._sides[0]
        around = np.median(self.power(x + dx, y + dy), axis=0)
        height = np.log((self.power(x, y) + self._floor) / (around + self._floor))
        long = looks_like(x, y, self._gaps) < _LONG
        beyond = (np.abs(x) > BEYOND) | (np.abs(y) > BEYOND)
        result: FloatArray = np.where(
            long | beyond, 0.0, np.clip(height, 0, _CLEAR) + _MORE * np.clip(height - _CLEAR, 0, None)
        )
        return result

    def one(self, wave: tuple[float, float]) -> float:
        """`seen` of a single frequency."""
        x, y = (np.array([value]) for value in wave)
        return float(self.seen(x, y)[0])

    def summit(self, wave: tuple[float, float]) -> tuple[float, float]:
        """The highest place within a line of the spectrum from `wave`: drift bends a lattice a little."""
        x, y = wave
        for step in (0.25, 0.125, 0.06, 0.03):
            dx, dy = (a.ravel() for a in np.meshgrid(np.arange(-2, 3) * step, np.arange(-2, 3) * step))
            xs, ys = x + dx / self._sides[1], y + dy / self._sides[0]
            best = int(self.power(xs, ys).argmax())
            x, y = float(xs[best]), float(ys[best])
        return x, y
