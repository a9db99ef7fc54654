"""Presets: lists of degradations with their chances, in the order in which physics applies them.

The tip meets the surface first, then the scanner moves it, then the electronics add noise.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.degradation import Degradation, describe
from stmviewer.simulate.scanner import LineMisalignment, LineNoise, LineOffsets, PlaneTilt, Scars, WhiteNoise
from stmviewer.simulate.tip_change import TipChange
from stmviewer.simulate.tips import BluntTip, DullTip, MultiTip, SeveralTips

#: with that probability a degradation of that class, its parameters drawn
Chance = tuple[float, type[Degradation]]

#: pixels around a crop that its degradations reach into: the reference's offsets and half a kernel
MARGIN_PX = 14


@dataclass(frozen=True)
class Pair:
    """A clean image and what the microscope would have shown of it, pixel for pixel.

    `clean` and `degraded` are heights in metres, shape (rows, columns), on square pixels of `pixel_m`. `recipe` is
    everything that was drawn, as JSON can hold it.
    """

    clean: FloatArray
    degraded: FloatArray
    pixel_m: float
    recipe: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Preset:
    """Degradations before and after the random crop. `one_of` picks exactly one of its (weight, class) first."""

    before_crop: tuple[Chance, ...]
    after_crop: tuple[Chance, ...] = ()
    tips: tuple[Chance, ...] = ()

    def draw(self, rng: np.random.Generator, pixel_m: float) -> tuple[list[Degradation], list[Degradation]]:
        """The degradations of one image: before and after the crop."""
        before = [kind.draw(rng, pixel_m) for chance, kind in self.before_crop if rng.random() < chance]
        after = [kind.draw(rng, pixel_m) for chance, kind in self.after_crop if rng.random() < chance]
        draw = rng.random()
        for chance, kind in self.tips:
            if 0 <= draw < chance:
                before.insert(0, kind.draw(rng, pixel_m))
            draw -= chance
        return before, after


PRESETS: dict[str, Preset] = {
    "reference": Preset(
        before_crop=((0.9, MultiTip), (0.5, LineMisalignment)),
        after_crop=((0.5, BluntTip),),
    ),
    "mild": Preset(
        tips=((0.1, SeveralTips), (0.25, DullTip)),
        before_crop=((0.2, LineMisalignment), (0.3, LineOffsets), (0.1, Scars), (0.3, PlaneTilt)),
        after_crop=((0.6, LineNoise), (0.8, WhiteNoise)),
    ),
    "realistic": Preset(
        tips=((0.25, SeveralTips), (0.2, MultiTip), (0.25, DullTip)),
        before_crop=((0.15, TipChange), (0.4, LineMisalignment), (0.6, LineOffsets), (0.35, Scars), (0.7, PlaneTilt)),
        after_crop=((0.8, LineNoise), (0.8, WhiteNoise)),
    ),
    "severe": Preset(
        tips=((0.4, SeveralTips), (0.45, MultiTip), (0.15, DullTip)),
        before_crop=((0.4, TipChange), (0.7, LineMisalignment), (0.9, LineOffsets), (0.8, Scars), (0.9, PlaneTilt)),
        after_crop=((1.0, LineNoise), (1.0, WhiteNoise)),
    ),
}


def degrade(
    image: FloatArray,
    preset: str,
    rng: np.random.Generator,
    *,
    pixel_m: float,
    crop: tuple[int, int] | None = None,
    rotate: bool = True,
) -> Pair:
    """A degraded copy of `image` (rows, columns; heights in metres) beside the clean one, both rotated and cropped.

    Square images are first rotated by 0, 90, 180 or 270 degrees, others by 0 or 180 (`rotate=False`: not at all),
    since scan lines stay horizontal whatever the surface does. `crop` (rows, columns) is cut at a random place, after
    the degradations that move pixels: what they bring in from beyond the edges is real as far as the image reaches.
    Raises RequestError for an unknown preset or a crop that does not fit.
    """
    if preset not in PRESETS:
        raise RequestError(f"preset '{preset}' is unknown; there are {', '.join(PRESETS)}")
    clean = np.asarray(image, dtype=np.float64)
    turns = 0
    if rotate:
        turns = int(rng.integers(4)) if clean.shape[0] == clean.shape[1] else 2 * int(rng.integers(2))
        clean = np.rot90(clean, turns)
    before, after = PRESETS[preset].draw(rng, pixel_m)
    degraded = clean
    for degradation in before:
        degraded = degradation.apply(degraded, rng)
    rows, columns = crop or clean.shape
    if rows > clean.shape[0] or columns > clean.shape[1]:
        raise RequestError(f"a crop of {columns} x {rows} pixels does not fit in {clean.shape[1]} x {clean.shape[0]}")
    top = int(rng.integers(clean.shape[0] - rows + 1))
    left = int(rng.integers(clean.shape[1] - columns + 1))
    window = np.s_[top : top + rows, left : left + columns]
    degraded = degraded[window]
    for degradation in after:
        degraded = degradation.apply(degraded, rng)
    recipe = {
        "preset": preset,
        "quarter_turns": turns,
        "crop": [top, left, rows, columns],
        "degradations": [describe(degradation) for degradation in (*before, *after)],
    }
    return Pair(np.ascontiguousarray(clean[window]), np.array(degraded), pixel_m, recipe)
