"""Presets: lists of degradations with their chances, in the order in which physics applies them.

The tip meets the surface first, then the scanner moves it, then the electronics add noise.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.degradations.degradation import Degradation, describe, reach
from stmviewer.simulate.degradations.noise import LineNoise, LoopNoise, WhiteNoise
from stmviewer.simulate.degradations.scanner import LineMisalignment, LineOffsets, PlaneTilt, Scars
from stmviewer.simulate.degradations.tip_change import TipChange
from stmviewer.simulate.degradations.tips import BluntTip, DullTip, MultiTip, SeveralTips

#: with that probability a degradation of that class, its parameters drawn
Chance = tuple[float, type[Degradation]]

#: pixels around a crop that the reference's degradations reach into: offsets of 11 px, a kernel, a misaligned line
MARGIN_PX = 16


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
class Damage:
    """The degradations drawn for one image, before and after its crop."""

    before_crop: tuple[Degradation, ...]
    after_crop: tuple[Degradation, ...] = ()

    @property
    def margin_px(self) -> int:
        """How much of the surface around the crop is seen in it, by a tip that is wide or has a second end."""
        return sum(reach(degradation) for degradation in self.before_crop)


@dataclass(frozen=True)
class Preset:
    """Degradations with their chances before and after the random crop, and `tips`, of which at most one is drawn."""

    before_crop: tuple[Chance, ...]
    after_crop: tuple[Chance, ...] = ()
    tips: tuple[Chance, ...] = ()

    def draw(self, rng: np.random.Generator, pixel_m: float) -> Damage:
        """The degradations of one image with pixels of `pixel_m`."""
        before = [kind.draw(rng, pixel_m) for chance, kind in self.before_crop if rng.random() < chance]
        after = [kind.draw(rng, pixel_m) for chance, kind in self.after_crop if rng.random() < chance]
        draw = rng.random()
        for chance, kind in self.tips:
            if 0 <= draw < chance:
                before.insert(0, kind.draw(rng, pixel_m))
            draw -= chance
        return Damage(tuple(before), tuple(after))


PRESETS: dict[str, Preset] = {
    "reference": Preset(
        before_crop=((0.9, MultiTip), (0.5, LineMisalignment)),
        after_crop=((0.5, BluntTip),),
    ),
    "mild": Preset(
        tips=((0.1, SeveralTips), (0.25, DullTip)),
        before_crop=((0.2, LineMisalignment), (0.3, LineOffsets), (0.1, Scars), (0.3, PlaneTilt)),
        after_crop=((0.5, LineNoise), (0.3, LoopNoise), (0.6, WhiteNoise)),
    ),
    "realistic": Preset(
        tips=((0.25, SeveralTips), (0.2, MultiTip), (0.25, DullTip)),
        before_crop=((0.15, TipChange), (0.4, LineMisalignment), (0.6, LineOffsets), (0.35, Scars), (0.7, PlaneTilt)),
        after_crop=((0.6, LineNoise), (0.6, LoopNoise), (0.6, WhiteNoise)),
    ),
    "severe": Preset(
        tips=((0.4, SeveralTips), (0.45, MultiTip), (0.15, DullTip)),
        before_crop=((0.4, TipChange), (0.7, LineMisalignment), (0.9, LineOffsets), (0.8, Scars), (0.9, PlaneTilt)),
        after_crop=((0.9, LineNoise), (0.9, LoopNoise), (0.9, WhiteNoise)),
    ),
}


def find_preset(name: str) -> Preset:
    """The preset of that name; raises RequestError that lists what there is."""
    if name not in PRESETS:
        raise RequestError(f"preset '{name}' is unknown; there are {', '.join(PRESETS)}")
    return PRESETS[name]


def degrade(
    image: FloatArray,
    preset: str,
    rng: np.random.Generator,
    *,
    pixel_m: float,
    crop: tuple[int, int] | None = None,
    rotate: bool = True,
    damage: Damage | None = None,
) -> Pair:
    """A degraded copy of `image` (rows, columns; heights in metres) beside the clean one, both rotated and cropped.

    Square images are first rotated by 0, 90, 180 or 270 degrees, others by 0 or 180 (`rotate=False`: not at all),
    since scan lines stay horizontal whatever the surface does. `crop` (rows, columns) is cut at a random place after
    the degradations that move pixels, as far inside the image as they reach where it is large enough (beyond the
    edges it is taken as mirrored). `damage` are degradations that were drawn from the preset before. Raises
    RequestError for an unknown preset or a crop that does not fit.
    """
    damage = damage or find_preset(preset).draw(rng, pixel_m)
    clean = np.asarray(image, dtype=np.float64)
    turns = 0
    if rotate:
        turns = int(rng.integers(4)) if clean.shape[0] == clean.shape[1] else 2 * int(rng.integers(2))
        clean = np.rot90(clean, turns)
    rows, columns = crop or clean.shape
    if rows > clean.shape[0] or columns > clean.shape[1]:
        raise RequestError(f"a crop of {columns} x {rows} pixels does not fit in {clean.shape[1]} x {clean.shape[0]}")
    top, left = (
        _place(whole, part, damage.margin_px, rng) for whole, part in zip(clean.shape, (rows, columns), strict=True)
    )
    window = np.s_[top : top + rows, left : left + columns]
    degraded = clean
    for degradation in damage.before_crop:
        degraded = degradation.apply(degraded, rng)
    degraded = degraded[window]
    for degradation in damage.after_crop:
        degraded = degradation.apply(degraded, rng)
    recipe = {
        "preset": preset,
        "quarter_turns": turns,
        "crop": [top, left, rows, columns],
        "degradations": [describe(one) for one in (*damage.before_crop, *damage.after_crop)],
    }
    return Pair(np.ascontiguousarray(clean[window]), np.array(degraded), pixel_m, recipe)


def _place(whole: int, part: int, margin: int, rng: np.random.Generator) -> int:
    """A random start of `part` in `whole`, `margin` away from both ends or as far as can be."""
    margin = min(margin, (whole - part) // 2)
    return margin + int(rng.integers(whole - part - 2 * margin + 1))
