"""Sampling masks: which pixels the microscope measures, and how long that takes.

A pattern is written `name:value`, the way the command line and the provenance spell it; the same pattern, shape and
seed always give the same mask.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import BoolArray

#: time that a scattered point costs beside its dwell: the feedback settles (s)
SETTLING_S = 1e-3
#: less than this part of an image is not even a pixel of the largest one
_LEAST_PART = 1e-9


@dataclass(frozen=True)
class Mask:
    """A sampling mask: `measured` (rows, columns), True where a value is measured, and what made it."""

    measured: BoolArray
    pattern: str
    seed: int = 0

    @property
    def fraction(self) -> float:
        return float(self.measured.mean())

    @property
    def whole_lines(self) -> bool:
        """Whether every line is measured whole or not at all, so that the scanner rasters as always."""
        per_line = self.measured.sum(axis=1)
        return bool(np.isin(per_line, (0, self.measured.shape[1])).all())

    def acquisition_time_s(self, line_time_s: tuple[float, float] = (1.0, 1.0)) -> float:
        """Seconds the measurement takes, from the time of one line forward and backward.

        Lines with any measured pixel on a regular raster are scanned whole, there and back: time is
        lines x (forward + backward), so `grid:n` saves a factor n, not n squared. Scattered points are visited one by
        one: each dwells as long as in the raster, settles, and the tip travels at scan speed between neighbours of a
        serpentine path.
        """
        columns = self.measured.shape[1]
        forward, backward = line_time_s
        lines = int(self.measured.any(axis=1).sum())
        raster = lines * (forward + backward)
        if self.whole_lines or self.pattern.startswith("grid:"):
            return raster
        dwell = forward / columns
        r, c = np.nonzero(self.measured)
        order = np.lexsort((np.where(r % 2 == 0, c, -c), r))
        travel = np.hypot(np.diff(r[order]), np.diff(c[order])).sum() * dwell if r.size > 1 else 0.0
        return min(float(r.size * (dwell + SETTLING_S) + travel), raster)


def full(rows: int, columns: int) -> Mask:
    """Everything measured."""
    return Mask(np.ones((rows, columns), dtype=np.bool_), "full")


def _lines(shape: tuple[int, int], value: float, _: np.random.Generator) -> BoolArray:
    n = int(value)
    rows = np.arange(shape[0])
    # the middle line of each group of n, so that both edges are equally far from a measured line
    return np.broadcast_to(((rows % n) == (n - 1) // 2)[:, None], shape).copy()


def _lines_random(shape: tuple[int, int], value: float, rng: np.random.Generator) -> BoolArray:
    count = max(1, round(value * shape[0]))
    rows = np.zeros(shape[0], dtype=np.bool_)
    rows[rng.choice(shape[0], size=count, replace=False)] = True
    return np.broadcast_to(rows[:, None], shape).copy()


def _grid(shape: tuple[int, int], value: float, _: np.random.Generator) -> BoolArray:
    n = int(value)
    first = (n - 1) // 2
    measured = np.zeros(shape, dtype=np.bool_)
    measured[first::n, first::n] = True
    return measured


def _grid_jitter(shape: tuple[int, int], value: float, rng: np.random.Generator) -> BoolArray:
    n = int(value)
    measured = np.zeros(shape, dtype=np.bool_)
    top, left = np.meshgrid(np.arange(0, shape[0], n), np.arange(0, shape[1], n), indexing="ij")
    r = np.minimum(top + rng.integers(0, n, top.shape), shape[0] - 1)
    c = np.minimum(left + rng.integers(0, n, left.shape), shape[1] - 1)
    measured[r, c] = True
    return measured


def _pixels(shape: tuple[int, int], value: float, rng: np.random.Generator) -> BoolArray:
    count = max(1, round(value * shape[0] * shape[1]))
    measured = np.zeros(shape[0] * shape[1], dtype=np.bool_)
    measured[rng.choice(measured.size, size=count, replace=False)] = True
    return measured.reshape(shape)


def _spiral(shape: tuple[int, int], value: float, _: np.random.Generator) -> BoolArray:
    """Archimedean spiral from the centre out to the corners, arms spaced so that it measures the wanted part."""
    pitch = 1.2 / value  # a line of unit width rounds onto about 1.2 pixels per pixel of length
    centre = (np.array(shape) - 1) / 2
    # to the corners and one pixel on: no further, or a wide pitch would be sampled for ever
    turns = (math.hypot(*shape) / 2 + 1) / pitch
    # arc length grows as pitch * pi * turns^2; four samples a pixel leave no gaps
    theta = 2 * math.pi * np.sqrt(np.linspace(0, turns**2, int(4 * math.pi * pitch * turns**2) + 16))
    radius = pitch * theta / (2 * math.pi)
    r = np.rint(centre[0] + radius * np.sin(theta)).astype(int)
    c = np.rint(centre[1] + radius * np.cos(theta)).astype(int)
    inside = (r >= 0) & (r < shape[0]) & (c >= 0) & (c < shape[1])
    measured = np.zeros(shape, dtype=np.bool_)
    measured[r[inside], c[inside]] = True
    return measured


_Maker = Callable[[tuple[int, int], float, np.random.Generator], BoolArray]
_WHOLE: dict[str, _Maker] = {"lines": _lines, "grid": _grid, "grid-jitter": _grid_jitter}
_FRACTION: dict[str, _Maker] = {"lines-random": _lines_random, "pixels": _pixels, "spiral": _spiral}
PATTERNS = ("lines:N", "lines-random:F", "grid:N", "grid-jitter:N", "pixels:F", "spiral:F")


def parse_pattern(pattern: str) -> tuple[str, float]:
    """Splits `name:value` and checks both; raises RequestError that lists the patterns."""
    name, _, text = pattern.partition(":")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if name in _WHOLE and value == int(value if math.isfinite(value) else -1) and 1 <= value <= 4096:
        return name, value
    if name in _FRACTION and _LEAST_PART <= value <= 1:
        return name, value
    if name in _WHOLE:
        raise RequestError(f"mask '{pattern}': {name} needs a whole number from 1 to 4096, such as {name}:4")
    if name in _FRACTION:
        raise RequestError(f"mask '{pattern}': {name} needs the measured part, over 0 up to 1, such as {name}:0.25")
    raise RequestError(f"mask '{pattern}' is unknown; patterns are {', '.join(PATTERNS)}, with N whole and F a part")


def make_mask(pattern: str, rows: int, columns: int, seed: int = 0) -> Mask:
    """The mask of a pattern for an image of that many rows and columns.

    Raises RequestError for an unknown pattern, one that leaves nothing measured at this size, and a negative seed.
    """
    name, value = parse_pattern(pattern)
    if seed < 0:
        raise RequestError(f"the seed of a mask must not be negative, as {seed} is")
    measured = {**_WHOLE, **_FRACTION}[name]((rows, columns), value, np.random.default_rng(seed))
    if not measured.any():
        raise RequestError(f"mask '{pattern}' measures nothing on {columns} x {rows} pixels; choose a smaller number")
    return Mask(measured, pattern, seed)
