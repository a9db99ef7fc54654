"""Thermal drift and creep: the tip is not where the scanner thinks."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.degradations.degradation import BothWays, draw_line_time
from stmviewer.simulate.degradations.shifts import lines_at, shift_rows

#: when creep is counted from after the scanner went to the frame, as makers of piezos do
_CREEP_START_S = 0.1


@dataclass(frozen=True)
class Drift:
    """The tip creeps away over the sample: steadily (thermal drift), and slowing down after the start (piezo creep).

        z(x, k) = h(x + d_x(k), k + d_y(k)),    d(k) = v T k / p + c log10(1 + k T / 0.1 s)  less its mean over the scan

    for line k of a scan with the line time T (`line_time_s`, forward and backward) and pixels p (`pixel_m`), v the
    drift (`x_m_per_s`, `y_m_per_s`) and c the creep (`creep_x_m`, `creep_y_m`, per decade of time). Piezos creep by
    some 1 % of their last step per decade of time (Physik Instrumente, Fundamentals of Piezo Technology). Within a
    line nothing moves. The mean is taken off so that the frame stays where it is. `undo` is the inverse.

    Drawn: drift of 10^U(-1.7, -0.2) nm per minute (0.02-0.6) in a random direction, with probability 1/2 creep along
    each axis, normal with 0.15 nm per decade. Along the slow axis a scan is squeezed or stretched by half at most:
    a tip that goes backwards has no inverse.
    """

    moves: ClassVar[bool] = True

    x_m_per_s: float
    y_m_per_s: float
    creep_x_m: float
    creep_y_m: float
    line_time_s: float
    pixel_m: float

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> "Drift":
        direction = rng.uniform(0, 2 * np.pi)
        speed = 10 ** rng.uniform(-1.7, -0.2) * 1e-9 / 60
        creep = rng.normal(0, 0.15e-9, 2) if rng.random() < 0.5 else np.zeros(2)
        return cls(
            x_m_per_s=float(speed * np.cos(direction)),
            y_m_per_s=float(speed * np.sin(direction)),
            creep_x_m=float(creep[0]),
            creep_y_m=float(creep[1]),
            line_time_s=draw_line_time(rng),
            pixel_m=pixel_m,
        )

    def displacement_px(self, rows: int) -> tuple[FloatArray, FloatArray]:
        """d_x and d_y of every line, each (rows,), in pixels."""
        time = self.line_time_s * np.arange(rows)
        decades = np.log10(1 + time / _CREEP_START_S)

        def along(speed: float, creep: float) -> FloatArray:
            moved = (speed * time + creep * decades) / self.pixel_m
            return np.asarray(moved - moved.mean())

        down = along(self.y_m_per_s, self.creep_y_m)
        if rows > 1:
            # limited to half a line per line, so that no line is scanned out of turn
            steps = np.clip(np.diff(down), -0.5, 0.5)
            down = np.concatenate([[0.0], np.cumsum(steps)])
            down -= down.mean()
        return along(self.x_m_per_s, self.creep_x_m), down

    def reach_over(self, rows: int) -> float:
        return max(float(np.abs(d).max()) for d in self.displacement_px(rows)) + 2

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        across, down = self.displacement_px(image.shape[0])
        rows = np.arange(image.shape[0]) + down
        return shift_rows(lines_at(image, rows), -across)

    def apply_both(self, forward: FloatArray, backward: FloatArray, rng: np.random.Generator) -> BothWays:
        return self.apply(forward, rng), self.apply(backward, rng)

    def undo(self, image: FloatArray) -> FloatArray:
        """The image as it would be without drift, as far as the scan saw it; lines beyond are its outermost ones."""
        across, down = self.displacement_px(image.shape[0])
        index = np.arange(image.shape[0], dtype=np.float64)
        return lines_at(shift_rows(image, across), np.interp(index, index + down, index))
