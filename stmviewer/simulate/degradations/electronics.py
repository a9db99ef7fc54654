"""What electronics and control leave behind: hum, spikes, steps of the converter, lines that were never scanned."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.degradations.degradation import BothWays, EachWayAnew, SameBothWays, draw_line_time


@dataclass(frozen=True)
class MainsHum:
    """The mains in the signal: a sine in time, whose phase from line to line follows from the line time.

        z(x, k) = h(x, k) + A sin(2 pi f t + phase),    t = T (k + x / (2 n))            forward
                                                        t = T (k + 1 - (x + 1) / (2 n))  backward

    for column x of n and line k; T is the line time (forward and backward), f the mains frequency. There are f T / 2
    periods along a line, and the stripes lean by what is left of f T over the next whole number. Drawn: 50 or 60 Hz,
    A = 10^U(-12.5, -11.3) m (0.3-5 pm).
    """

    moves: ClassVar[bool] = False

    amplitude_m: float
    frequency_hz: float
    line_time_s: float
    phase: float

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> "MainsHum":
        return cls(
            amplitude_m=float(10 ** rng.uniform(-12.5, -11.3)),
            frequency_hz=float(rng.choice((50.0, 60.0))),
            line_time_s=draw_line_time(rng),
            phase=float(rng.uniform(0, 2 * np.pi)),
        )

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        rows, columns = image.shape
        return image + self._at(rows, np.arange(columns) / (2 * columns))

    def apply_both(self, forward: FloatArray, backward: FloatArray, rng: np.random.Generator) -> BothWays:
        rows, columns = backward.shape
        return self.apply(forward, rng), backward + self._at(rows, 1 - np.arange(1, columns + 1) / (2 * columns))

    def _at(self, rows: int, shares: FloatArray) -> FloatArray:
        """The hum (rows, columns) at these shares of each line's time."""
        time = self.line_time_s * (np.arange(rows)[:, None] + shares[None, :])
        hum: FloatArray = self.amplitude_m * np.sin(2 * np.pi * self.frequency_hz * time + self.phase)
        return hum


@dataclass(frozen=True)
class Spikes(EachWayAnew):
    """Single pixels far off: the current breaks in or a pulse couples in.

    Each pixel is hit with probability `share`; heights are exponentially distributed with mean `height_m`, of either
    sign. Drawn: share 10^U(-4.5, -2.7), mean height U(50, 400) pm.
    """

    share: float
    height_m: float

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> "Spikes":
        return cls(float(10 ** rng.uniform(-4.5, -2.7)), float(rng.uniform(50e-12, 400e-12)))

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        result = image.copy().ravel()
        count = rng.binomial(result.size, self.share)
        hit = rng.choice(result.size, count, replace=False)
        result[hit] += rng.exponential(self.height_m, count) * rng.choice((-1, 1), count)
        return result.reshape(image.shape)


@dataclass(frozen=True)
class Quantisation(SameBothWays):
    """The converter knows steps only: z = q round(h / q) with q = `step_m`, the z range over 2^bits.

    Adds an error of q / sqrt(12) (Bennett, Bell Syst. Tech. J. 27, 446 (1948)). Drawn: 10^U(-13, -11) m: 20 bits over
    100 nm make 0.1 pm, 16 bits over 650 nm make 10 pm.
    """

    step_m: float

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> "Quantisation":
        return cls(float(10 ** rng.uniform(-13, -11)))

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        return np.asarray(self.step_m * np.round(image / self.step_m))


@dataclass(frozen=True)
class Unfinished:
    """The scan was stopped: NaN from the line at `where` (a share of the rows) and `within` (a share of it) on.

    Stopped on the way forward, so that the last line has no backward part. Drawn: where U(0.2, 0.95). In no preset,
    since training must not see it; `simulate_scan` adds it when asked to.
    """

    moves: ClassVar[bool] = False

    where: float
    within: float

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> "Unfinished":
        return cls(float(rng.uniform(0.2, 0.95)), float(rng.random()))

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        rows, columns = image.shape
        result = image.copy().ravel()
        result[min(int(self.where * rows), rows - 1) * columns + int(self.within * columns) :] = np.nan
        return result.reshape(image.shape)

    def apply_both(self, forward: FloatArray, backward: FloatArray, rng: np.random.Generator) -> BothWays:
        rows = backward.shape[0]
        back = backward.copy()
        back[min(int(self.where * rows), rows - 1) :] = np.nan
        return self.apply(forward, rng), back
