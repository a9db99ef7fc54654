"""What every degradation is."""

import math
from dataclasses import asdict
from typing import Any, Protocol, Self

import numpy as np

from stmviewer.scan.geometry import FloatArray


class Degradation(Protocol):
    """One thing that goes wrong while scanning: a frozen dataclass of its parameters.

    Heights are in metres, lateral lengths in pixels. Rows are the scan lines, in the order of their measurement, and
    the fast axis is horizontal.
    """

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> Self:
        """Random parameters for an image with pixels of `pixel_m` (ranges in the class's docstring)."""

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        """The degraded copy of `image` (rows, columns), heights in metres; `rng` makes what is random in time."""


def reach(degradation: Degradation) -> int:
    """How many pixels away the farthest pixel is that matters to one of the degraded image (its `reach_px`, else 0)."""
    return math.ceil(getattr(degradation, "reach_px", 0.0))


def describe(degradation: Degradation) -> dict[str, Any]:
    """Name and parameters as JSON can hold them."""
    parameters = asdict(degradation)  # type: ignore[call-overload]  # every degradation is a dataclass
    result: dict[str, Any] = {"name": type(degradation).__name__}
    for name, value in parameters.items():
        inner = getattr(degradation, name)
        result[name] = describe(inner) if isinstance(value, dict) else value
    return result
