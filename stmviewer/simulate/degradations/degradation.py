"""What every degradation is."""

import math
from dataclasses import asdict
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from stmviewer.scan.geometry import FloatArray

#: forward and backward image of one scan, the backward one mirrored as every viewer shows it
BothWays = tuple[FloatArray, FloatArray]


class Degradation(Protocol):
    """One thing that goes wrong while scanning: a frozen dataclass of its parameters.

    Heights are in metres, lateral lengths in pixels. Rows are the scan lines, in the order of their measurement, and
    the fast axis is horizontal. A line is measured from left to right (forward, the trace), then from right to left
    (backward, the retrace).
    """

    #: whether it only places the tip elsewhere: then the clean image is taken at the same places
    moves: ClassVar[bool]

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> Self:
        """Random parameters for an image with pixels of `pixel_m` (ranges in the class's docstring)."""

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        """The degraded copy of a forward image (rows, columns), metres; `rng` makes what is random in time."""

    def apply_both(self, forward: FloatArray, backward: FloatArray, rng: np.random.Generator) -> BothWays:
        """The degraded copies of the two images of one scan, each (rows, columns), metres."""


class SameBothWays:
    """Base of what tip and scanner do: forward and backward see the same, down to the last random number."""

    moves: ClassVar[bool] = False

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        raise NotImplementedError

    def apply_both(self, forward: FloatArray, backward: FloatArray, rng: np.random.Generator) -> BothWays:
        seed = int(rng.integers(2**63))
        first, second = (self.apply(z, np.random.default_rng(seed)) for z in (forward, backward))
        return first, second


class EachWayAnew:
    """Base of noise: forward and backward are measured one after the other and share nothing."""

    moves: ClassVar[bool] = False

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        raise NotImplementedError

    def apply_both(self, forward: FloatArray, backward: FloatArray, rng: np.random.Generator) -> BothWays:
        return self.apply(forward, rng), self.apply(backward, rng)


def draw_line_time(rng: np.random.Generator) -> float:
    """Seconds from the start of a line to the start of the next: 0.1 to 2, log-uniform."""
    return float(0.1 * 20 ** rng.random())


def in_time(forward: NDArray[Any], backward: NDArray[Any]) -> NDArray[Any]:
    """Both ways in the order of measurement: (rows, 2 columns), each line forward and then back."""
    return np.concatenate([forward, backward[:, ::-1]], axis=1)


def both_ways(in_order: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Undoes `in_time`."""
    columns = in_order.shape[1] // 2
    return in_order[:, :columns].copy(), in_order[:, columns:][:, ::-1].copy()


def reach(degradation: Degradation, rows: int) -> int:
    """How many pixels away the farthest pixel is that matters to one of a degraded image of `rows` lines.

    A degradation says so by `reach_px`, or by `reach_over(rows)` where it grows along the scan; else it is 0.
    """
    if hasattr(degradation, "reach_over"):
        return math.ceil(degradation.reach_over(rows))
    return math.ceil(getattr(degradation, "reach_px", 0.0))


def describe(degradation: Degradation) -> dict[str, Any]:
    """Name and parameters as JSON can hold them."""
    parameters = asdict(degradation)  # type: ignore[call-overload]  # every degradation is a dataclass
    result: dict[str, Any] = {"name": type(degradation).__name__}
    for name, value in parameters.items():
        inner = getattr(degradation, name)
        result[name] = describe(inner) if isinstance(value, dict) else value
    return result
