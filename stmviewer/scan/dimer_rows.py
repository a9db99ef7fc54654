"""Whether an image of known scale shows Si(001): dimer rows 0.768 nm apart, dimers 0.384 nm apart along them.

`corrugation.find_rows` looks for such rows at any spacing, to find the size of pixels; here the size is known, and
the question is whether the lattice is that of silicon. Rows turn by 90 degrees at monatomic steps, so that both
directions count together. What speaks against it: three waves 60 degrees apart (a hexagonal lattice of any constant,
such as the third order of Si(111)-7x7, which lies at 0.777 nm), and waves of two or three times the spacing along the
same line, of which the rows would only be an overtone. Plain numpy.
"""

from dataclasses import dataclass

import numpy as np

from stmviewer.scan.corrugation import ROW_SPACING_M
from stmviewer.scan.geometry import FloatArray

#: pixels are averaged until they are this large: enough for the dimers, and quick
_PIXEL_M = 0.085e-9
#: looked at (averaged pixels a side, about the centre), and the fewest
_MOST_SIDE, _LEAST_SIDE = 256, 12
#: spacings in units of the known one: calibrations are off by some per cent, and drift stretches
_SPACINGS = np.exp(np.linspace(-0.09, 0.09, 13))
_TURNS = np.radians(np.arange(0, 180, 3.0))
#: beyond this frequency (1/px) nothing is seen of a wave
_SEEN = 0.45
#: peaks weaker than this part of the strongest one say nothing
_FLOOR = 3e-3
#: constants of hexagonal lattices that are tried, as first order over that of the rows, and their directions
_RIVALS = np.exp(np.linspace(np.log(0.22), np.log(1.9), 64))
_SIXTH = np.radians(np.arange(0, 60, 2.5))
#: heights under these are what noise has, too; rows any clearer than that are no surer
_NOISE, _CLEAR = 1.5, 3.0
_HEXAGONAL, _OVERTONE = 1.0, 2.0
#: a logistic rule, fitted on real H:Si(100) of five sessions, none of validation, simulated surfaces with and
#: without faults, and scans of Cu, Au, Si(111)-7x7, moire, molecules and graphite; order of `Signs`
_WEIGHTS, _BIAS = (1.27, 0.87, 1.45, -2.65, -2.5, -1.03), -2.76


@dataclass(frozen=True)
class Signs:
    """What speaks for and against the rows, each the natural logarithm of a power over its surroundings.

    first      the rows themselves, over noise, at most 3
    dimers     geometric mean of that and of the clearest further order (rows' second, dimers, both together)
    more       the next clearest of these, where it and the rows are clear
    hexagonal  the weakest of three waves 60 degrees apart, at the constant where that is most, over noise
    overtone   waves at 1/3, 1/2, 2/3 and 3/2 of the rows' frequency along the same line, over noise
    blind      1 where pixels are too large for the dimers
    """

    first: float
    dimers: float
    more: float
    hexagonal: float
    overtone: float
    blind: float


def silicon_rows(image: FloatArray, height_m: float, width_m: float) -> float:
    """How sure it is, 0 to 1, that `image` (rows, columns; without NaN) shows the dimer rows of Si(001).

    `height_m` and `width_m` are the sides of its pixels. 0 for images that are too small or sampled too coarsely.
    """
    signs = read(image, height_m, width_m)
    if signs is None:
        return 0.0
    values = (signs.first, signs.dimers, signs.more, signs.hexagonal, signs.overtone, signs.blind)
    return float(1 / (1 + np.exp(-(_BIAS + np.dot(_WEIGHTS, values)))))


def read(image: FloatArray, height_m: float, width_m: float) -> Signs | None:
    """The signs of silicon in an image; None where it cannot show any."""
    fy, fx = (max(1, int(_PIXEL_M / side)) for side in (height_m, width_m))
    image = _middle(_averaged(image, fy, fx))
    sides = fy * height_m, fx * width_m
    if min(image.shape) < _LEAST_SIDE or max(sides) > _SEEN * ROW_SPACING_M:
        return None
    low, high = np.percentile(image, (2, 98))
    if not high > low:
        return None
    waves = _Waves(np.clip(image, low, high), *sides)
    turns, spacings = np.meshgrid(_TURNS, _SPACINGS, indexing="ij")
    rows = waves.along(turns, 1 / (ROW_SPACING_M * spacings))
    first = rows(1, 0)
    others = np.stack([rows(0, 1), rows(2, 0), rows(0, 2), _either(rows, 1, 2), _either(rows, 2, 1)])
    # it depends on the bias which of the orders shows, so that the two clearest count
    second, third = np.sort(others, axis=0)[:-3:-1]
    best = np.unravel_index(int((2 * first + second + third).argmax()), first.shape)
    one = waves.along(turns[best], 1 / (ROW_SPACING_M * spacings[best]))
    overtone = max(float(one(part, 0)) for part in (1 / 2, 1 / 3, 2 / 3, 3 / 2))
    clear = float(first[best])
    return Signs(
        _over_noise(clear),
        float(np.sqrt(_over_noise(clear) * _over_noise(float(second[best])))),
        _over_noise(min(clear, float(third[best]))),
        max(waves.hexagonal() - _HEXAGONAL, 0.0),
        max(overtone - _OVERTONE, 0.0),
        float(2 * max(sides) > _SEEN * ROW_SPACING_M * float(spacings[best])),
    )


def _over_noise(height: float) -> float:
    return float(np.clip(height - _NOISE, 0, _CLEAR))


def _either(rows: "_Along", along: int, across: int) -> FloatArray:
    return np.maximum(rows(along, across), rows(along, -across))


class _Waves:
    """How far each wave of an image stands out of others of its length; frequencies in 1/m."""

    def __init__(self, image: FloatArray, height_m: float, width_m: float) -> None:
        rows, columns = image.shape
        y, x = np.linspace(-1, 1, rows)[:, None], np.linspace(-1, 1, columns)[None, :]
        level = image - image.mean()
        level = level - 3 * (level * y).mean() * y - 3 * (level * x).mean() * x
        level = level * np.outer(np.hanning(rows + 2)[1:-1], np.hanning(columns + 2)[1:-1])
        side = int(2 ** np.ceil(np.log2(max(128, 2 * max(image.shape)))))
        power = np.fft.fftshift(np.abs(np.fft.rfft2(level, (side, side))) ** 2, axes=0)
        ky = np.fft.fftshift(np.fft.fftfreq(side, height_m))[:, None]
        radius = np.hypot(ky, np.fft.rfftfreq(side, width_m)[None, :])
        weighted = power * radius
        ring = np.rint(np.log(np.maximum(radius * side * max(height_m, width_m), 1.0)) * 8).astype(np.int64)
        order = np.argsort(ring, axis=None, kind="stable")
        counts = np.bincount(ring.ravel())
        flat, ends = weighted.ravel()[order], np.cumsum(counts)
        usual = np.array([np.median(flat[e - n : e]) if n else 0.0 for n, e in zip(counts, ends, strict=True)])
        # noise that differs from line to line, such as mains hum, fills columns of the spectrum
        level = np.maximum(usual[ring], np.median(power, axis=0)[None, :] * radius)
        self._height = np.log1p(weighted / (level + max(float(weighted.max()) * _FLOOR, 1e-300)))
        self._side, self._steps = side, (side * height_m, side * width_m)

    def along(self, turn: FloatArray, frequency: FloatArray) -> "_Along":
        return _Along(self, turn, frequency)

    def at(self, fx: FloatArray, fy: FloatArray) -> FloatArray:
        """Heights at frequencies between those of the transform (bilinear); 0 beyond the sampling."""
        half = self._side // 2
        sign = np.where(fx < 0, -1.0, 1.0)
        column, row = sign * fx * self._steps[1], sign * fy * self._steps[0] + half
        seen = (column <= half - 1) & (np.abs(row - half) <= half - 1)
        column, row = np.clip(column, 0, half - 1), np.clip(row, 0, self._side - 2)
        c, r = column.astype(np.int64), row.astype(np.int64)
        u, v = column - c, row - r
        h = self._height
        between = (1 - v) * ((1 - u) * h[r, c] + u * h[r, c + 1]) + v * ((1 - u) * h[r + 1, c] + u * h[r + 1, c + 1])
        result: FloatArray = np.where(seen, between, 0.0)
        return result

    def hexagonal(self) -> float:
        """The weakest of three waves 60 degrees apart, where that is most."""
        frequency, turn = np.meshgrid(_RIVALS / ROW_SPACING_M, _SIXTH, indexing="ij")
        three = [
            self.at(frequency * np.cos(turn + k * np.pi / 3), frequency * np.sin(turn + k * np.pi / 3))
            for k in range(3)
        ]
        return float(np.min(three, axis=0).max())


@dataclass(frozen=True)
class _Along:
    """Orders of a square lattice: (1, 0) is a wave of `frequency` (1/m) in the direction `turn` from the fast axis."""

    waves: _Waves
    turn: FloatArray
    frequency: FloatArray

    def __call__(self, along: float, across: float) -> FloatArray:
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        return self.waves.at(
            self.frequency * (along * cos - across * sin), self.frequency * (along * sin + across * cos)
        )


def _averaged(image: FloatArray, down: int, right: int) -> FloatArray:
    """Means over `down` x `right` pixels."""
    rows, columns = image.shape[0] // down, image.shape[1] // right
    cut = image[: rows * down, : columns * right]
    means: FloatArray = cut.reshape(rows, down, columns, right).mean(axis=(1, 3))
    return means


def _middle(image: FloatArray) -> FloatArray:
    rows, columns = (min(n, _MOST_SIDE) for n in image.shape)
    top, left = (image.shape[0] - rows) // 2, (image.shape[1] - columns) // 2
    return image[top : top + rows, left : left + columns]
