"""Degradations whose parameters are drawn from other ranges than those of their class."""

import math
from dataclasses import dataclass, fields, replace

import numpy as np

from stmviewer.simulate.degradations.degradation import Degradation


@dataclass(frozen=True)
class Ranged:
    """`kind`, drawn as it draws itself, and then the parameters in `ranges` (name, low, high) drawn anew: log-uniform
    in size, with the sign that the class drew.

    A name such as `sigma_m` for a parameter `sigma_px` gives the range in metres, whatever the pixels are.
    """

    kind: type[Degradation]
    ranges: tuple[tuple[str, float, float], ...]

    @property
    def __name__(self) -> str:
        return self.kind.__name__

    def draw(self, rng: np.random.Generator, pixel_m: float) -> Degradation:
        drawn = self.kind.draw(rng, pixel_m)
        names = parameter_names(self.kind)
        changed = {}
        for name, low, high in self.ranges:
            size = low * (high / low) ** rng.random()
            if name not in names:
                name, size = in_pixels(name), size / pixel_m
            changed[name] = math.copysign(size, getattr(drawn, name))
        return replace(drawn, **changed)  # type: ignore[type-var]  # every degradation is a dataclass


def ranged(kind: type[Degradation], **ranges: tuple[float, float]) -> Ranged:
    """`kind` with ranges of its own, such as ranged(WhiteNoise, rms_m=(1e-13, 1e-11)).

    Raises ValueError for a parameter that the class has not, and for a range that is none.
    """
    names = parameter_names(kind)
    for name, (low, high) in ranges.items():
        if name not in names and in_pixels(name) not in names:
            raise ValueError(f"{kind.__name__} has no parameter {name}; it has {', '.join(names)}")
        if not 0 < low <= high < math.inf:
            raise ValueError(f"{kind.__name__}.{name}: {low:g} to {high:g} is no range of sizes")
    return Ranged(kind, tuple((name, low, high) for name, (low, high) in ranges.items()))


def parameter_names(kind: type[Degradation]) -> tuple[str, ...]:
    """The parameters of a class of degradations."""
    return tuple(f.name for f in fields(kind))  # type: ignore[arg-type]  # every degradation is a dataclass


def in_pixels(name: str) -> str:
    """`sigma_px` for `sigma_m`; other names as they are."""
    return name.removesuffix("_m") + "_px" if name.endswith("_m") else name
