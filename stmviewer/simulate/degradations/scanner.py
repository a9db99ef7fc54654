"""What the scanner does to the image: misplaced lines, lines that jump or lean, streaks, tilt and bow."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import signal

from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.degradations.degradation import BothWays, EachWayAnew, SameBothWays
from stmviewer.simulate.degradations.shifts import shift_rows


@dataclass(frozen=True)
class LineMisalignment(SameBothWays):
    """Each line is shifted horizontally with `probability` by a Gaussian of `sigma_px`.

    Source: arXiv 2510.25921, probability 0.3, sigma 0.8 px.
    """

    probability: float = 0.3
    sigma_px: float = 0.8

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> "LineMisalignment":
        return cls()

    @property
    def reach_px(self) -> float:
        return 3 * self.sigma_px

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        return shift_rows(image, self.shifts_px(len(image), rng))

    def shifts_px(self, rows: int, rng: np.random.Generator) -> FloatArray:
        """How far each line is moved to the right, (rows,)."""
        moved = rng.random(rows) < self.probability
        return np.where(moved, rng.normal(0, self.sigma_px, rows), 0.0)


@dataclass(frozen=True)
class LineOffsets:
    """Height of each line: a random walk over the lines (`walk_m` a line) plus white (`white_m`).

    z(x, y) = h(x, y) + sum_{y' <= y} walk g(y') + white g'(y) with g, g' standard normal. The walk is what creep and
    drift of the height leave between lines, the white part what the 1/f noise of the current does. The walk pulls
    back to zero over 50 lines, as the feedback of a scanner in use does. Forward and backward lines share the walk.
    Drawn: walk 10^U(-13, -11.7) m (0.1-2 pm), white 10^U(-12.7, -11.3) m (0.2-5 pm).
    """

    moves: ClassVar[bool] = False

    walk_m: float
    white_m: float

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> "LineOffsets":
        return cls(float(10 ** rng.uniform(-13, -11.7)), float(10 ** rng.uniform(-12.7, -11.3)))

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        return image + self.offsets_m(len(image), rng)[:, None]

    def apply_both(self, forward: FloatArray, backward: FloatArray, rng: np.random.Generator) -> BothWays:
        rows = len(forward)
        walk = self._walk(rows, rng)
        first = forward + (walk + self._white(rows, rng))[:, None]
        return first, backward + (walk + self._white(rows, rng))[:, None]

    def offsets_m(self, rows: int, rng: np.random.Generator) -> FloatArray:
        """The height of each forward line, (rows,)."""
        return self._walk(rows, rng) + self._white(rows, rng)

    def _walk(self, rows: int, rng: np.random.Generator) -> FloatArray:
        return np.asarray(signal.lfilter([1.0], [1.0, -(1 - 1 / 50)], rng.normal(0, self.walk_m, rows)))

    def _white(self, rows: int, rng: np.random.Generator) -> FloatArray:
        return rng.normal(0, self.white_m, rows)


@dataclass(frozen=True)
class LineSlopes(EachWayAnew):
    """Each line leans by its own slope: z(x, y) = h(x, y) + r g(y) (x - n/2) / n with g standard normal.

    `rise_m` r is the standard deviation of the height that a line gains from its one end to the other: the height
    drifts while it is scanned. Drawn: 10^U(-12.5, -11) m (0.3-10 pm).
    """

    rise_m: float

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> "LineSlopes":
        return cls(float(10 ** rng.uniform(-12.5, -11)))

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        rows, columns = image.shape
        across = (np.arange(columns) - (columns - 1) / 2) / columns
        result: FloatArray = image + rng.normal(0, self.rise_m, (rows, 1)) * across
        return result


@dataclass(frozen=True)
class Scars(EachWayAnew):
    """Short streaks along lines: the tip's end or the current switches for a moment and comes back.

    `per_line` is the mean number of streaks a line; each starts anywhere, lasts for an exponentially distributed
    length of mean `length_px`, and lies `height_m` (its standard deviation; either sign, mostly up) off. Drawn:
    10^U(-2.3, -0.5) a line, 3-40 px, 10-80 pm.
    """

    per_line: float
    length_px: float
    height_m: float

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> "Scars":
        return cls(
            per_line=float(10 ** rng.uniform(-2.3, -0.5)),
            length_px=float(3 * 13 ** rng.random()),
            height_m=float(rng.uniform(10e-12, 80e-12)),
        )

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        rows, columns = image.shape
        result = image.copy()
        for _ in range(rng.poisson(self.per_line * rows)):
            row, start = int(rng.integers(rows)), int(rng.integers(columns))
            stop = start + 1 + int(rng.exponential(self.length_px))
            height = abs(rng.normal(0, self.height_m)) * (1 if rng.random() < 0.65 else -1)
            result[row, start:stop] += height
        return result


@dataclass(frozen=True)
class PlaneTilt(SameBothWays):
    """The sample is not level: z = h + slope_x x + slope_y y. Drawn: each slope normal with 2 mrad (0.1 degrees)."""

    slope_x_m: float
    slope_y_m: float

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> "PlaneTilt":
        x, y = rng.normal(0, 2e-3 * pixel_m, 2)
        return cls(float(x), float(y))

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        rows, columns = image.shape
        x, y = np.arange(columns) - (columns - 1) / 2, np.arange(rows) - (rows - 1) / 2
        result: FloatArray = image + self.slope_x_m * x[None, :] + self.slope_y_m * y[:, None]
        return result


@dataclass(frozen=True)
class Bow(SameBothWays):
    """The scanner swings in an arc instead of a plane: z = h + c_x (x - x_0)^2 + c_y (y - y_0)^2, centre of the image.

    A tube of length L tilts as it bends, c = p^2 / (2 L) at least, more where its z creeps while it scans (Chen,
    Introduction to Scanning Tunneling Microscopy, chapter on piezoelectric scanners). `x_m` and `y_m` are c_x and c_y
    in metres per pixel squared. Drawn: normal, such that 64 pixels from the centre make 15 pm.
    """

    x_m: float
    y_m: float

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> "Bow":
        x, y = rng.normal(0, 15e-12 / 64**2, 2)
        return cls(float(x), float(y))

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        rows, columns = image.shape
        x, y = np.arange(columns) - (columns - 1) / 2, np.arange(rows) - (rows - 1) / 2
        result: FloatArray = image + self.x_m * x[None, :] ** 2 + self.y_m * y[:, None] ** 2
        return result
