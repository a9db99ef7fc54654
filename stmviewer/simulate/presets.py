"""Presets: lists of degradations with their chances, in the order in which physics applies them.

The tip meets the surface; the scanner puts it beside where it should be; the tip changes in the course of time; the
feedback loop follows; the frame leans and the electronics add their noise; the converter rounds.

`realistic` is fitted to real degraded images of H:Si(100) by `stmviewer simulate --fit`
(resources/fits/realistic.json lists them). Mean distance of their marks in units of the real spread
(evaluate/likeness.py), before and after: 0.59 and 0.45 on the images of the fit, 0.86 and 0.65 on those of three
sessions that were held back; real sessions are 0.4 from each other. Tilt, offsets and slopes of lines and the
converter's steps stay as they were chosen, since the images had been flattened line by line and stored in 8 bits.
"""

from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.degradations import (
    BluntTip,
    Bow,
    DilatedTip,
    Drift,
    DullTip,
    FeedbackLag,
    FeedbackOvershoot,
    LineMisalignment,
    LineNoise,
    LineOffsets,
    LineSlopes,
    LoopNoise,
    MainsHum,
    MultiTip,
    PickedUpAdsorbate,
    PlaneTilt,
    Quantisation,
    Scars,
    SeveralTips,
    Spikes,
    TipChange,
    TipSwitching,
    WhiteNoise,
)
from stmviewer.simulate.degradations.degradation import Degradation, describe, draw_line_time, reach
from stmviewer.simulate.ranges import Ranged, ranged

#: with that probability a degradation of that class, its parameters drawn
Chance = tuple[float, type[Degradation] | Ranged]


@dataclass(frozen=True)
class Pair:
    """A clean image and what the microscope would have shown of it, pixel for pixel.

    `clean` and `degraded` are heights in metres, shape (rows, columns), on square pixels of `pixel_m`. Where the scan
    drifts, `clean` was taken at the same drifted places; `Drift.undo` with the numbers of the recipe takes both back.
    `recipe` is everything that was drawn, as JSON can hold it. `backward` is the retrace of the same scan, mirrored
    as viewers show it, where it was asked for.
    """

    clean: FloatArray
    degraded: FloatArray
    pixel_m: float
    recipe: dict[str, Any] = field(default_factory=dict)
    backward: FloatArray | None = None


@dataclass(frozen=True)
class Damage:
    """The degradations drawn for one image, before and after its crop."""

    before_crop: tuple[Degradation, ...]
    after_crop: tuple[Degradation, ...] = ()
    #: from the start of a line to the start of the next; None where nothing needs it
    line_time_s: float | None = None

    @property
    def margin_px(self) -> int:
        """`margin` of a crop of 128 lines, as training takes them."""
        return self.margin(128)

    def margin(self, rows: int) -> int:
        """How much of the surface around a crop of so many lines is seen in it: by a tip that is wide or has a second
        end, or that drifts."""
        return sum(reach(degradation, rows) for degradation in self.before_crop)


@dataclass(frozen=True)
class Preset:
    """Degradations with their chances before and after the random crop, and `tips`, of which at most one is drawn."""

    before_crop: tuple[Chance, ...]
    after_crop: tuple[Chance, ...] = ()
    tips: tuple[Chance, ...] = ()

    def draw(self, rng: np.random.Generator, pixel_m: float) -> Damage:
        """The degradations of one image with pixels of `pixel_m`."""
        line_time = draw_line_time(rng)
        before = [
            timed(kind.draw(rng, pixel_m), line_time) for chance, kind in self.before_crop if rng.random() < chance
        ]
        after = [timed(kind.draw(rng, pixel_m), line_time) for chance, kind in self.after_crop if rng.random() < chance]
        draw = rng.random()
        for chance, kind in self.tips:
            if 0 <= draw < chance:
                before.insert(0, kind.draw(rng, pixel_m))
            draw -= chance
        return Damage(tuple(before), tuple(after), line_time)


def timed(degradation: Degradation, line_time_s: float) -> Degradation:
    """The degradation with the line time of the scan that it is part of."""
    names = [f.name for f in fields(degradation)]  # type: ignore[arg-type]  # every degradation is a dataclass
    return replace(degradation, line_time_s=line_time_s) if "line_time_s" in names else degradation  # type: ignore[type-var]


PRESETS: dict[str, Preset] = {
    # the list and the ranges of arXiv 2510.25921, turns and crop included; how often each is taken is ours
    "reference": Preset(
        before_crop=((0.9, MultiTip), (0.5, LineMisalignment)),
        after_crop=((0.5, BluntTip),),
    ),
    "mild": Preset(
        tips=((0.1, SeveralTips), (0.2, DullTip), (0.1, DilatedTip)),
        before_crop=((0.3, Drift), (0.2, LineMisalignment), (0.03, TipSwitching)),
        after_crop=(
            (0.1, Scars),
            (0.2, FeedbackLag),
            (0.3, PlaneTilt),
            (0.2, Bow),
            (0.3, LineOffsets),
            (0.1, LineSlopes),
            (0.5, LineNoise),
            (0.3, LoopNoise),
            (0.6, WhiteNoise),
            (0.1, MainsHum),
            (0.03, Spikes),
            (0.3, Quantisation),
        ),
    ),
    # fitted to real images; the module's docstring has the numbers
    "realistic": Preset(
        tips=(
            (0.19, SeveralTips),
            (0.25, MultiTip),
            (0.28, ranged(DullTip, sigma_m=(26e-12, 130e-12))),
            (0.066, ranged(DilatedTip, radius_m=(160e-12, 1.4e-9))),
        ),
        before_crop=(
            (0.56, Drift),
            (0.55, ranged(LineMisalignment, probability=(0.27, 0.8), sigma_m=(13e-12, 62e-12))),
            (0.1, ranged(TipChange, jump_m=(12e-12, 53e-12))),
            (0.062, PickedUpAdsorbate),
            (0.15, ranged(TipSwitching, rest_px=(580, 3.1e4), away_px=(8.3, 530), jump_m=(14e-12, 99e-12))),
        ),
        after_crop=(
            (0.37, ranged(Scars, per_line=(4.2e-3, 0.13), length_px=(4.3, 41), height_m=(11e-12, 67e-12))),
            (0.55, ranged(FeedbackLag, time_constant_px=(0.34, 3.4))),
            (0.06, ranged(FeedbackOvershoot, period_px=(2.8, 12))),
            (0.7, PlaneTilt),
            (0.42, Bow),
            (0.6, LineOffsets),
            (0.3, LineSlopes),
            (0.52, ranged(LineNoise, rms_m=(0.4e-12, 4.4e-12), exponent=(0.24, 2.8))),
            (0.71, ranged(LoopNoise, rms_m=(0.85e-12, 9.1e-12), correlation_px=(3.2, 33))),
            (0.61, ranged(WhiteNoise, rms_m=(0.059e-12, 1.3e-12))),
            (0.24, ranged(MainsHum, amplitude_m=(0.16e-12, 2.9e-12))),
            (0.082, ranged(Spikes, share=(3.1e-5, 1.1e-3), height_m=(21e-12, 260e-12))),
            (0.5, Quantisation),
        ),
    ),
    "severe": Preset(
        tips=((0.35, SeveralTips), (0.35, MultiTip), (0.15, DullTip), (0.1, DilatedTip)),
        before_crop=(
            (0.8, Drift),
            (0.7, LineMisalignment),
            (0.3, TipChange),
            (0.1, PickedUpAdsorbate),
            (0.25, TipSwitching),
        ),
        after_crop=(
            (0.6, Scars),
            (0.5, FeedbackLag),
            (0.3, FeedbackOvershoot),
            (0.9, PlaneTilt),
            (0.7, Bow),
            (0.9, LineOffsets),
            (0.6, LineSlopes),
            (0.9, LineNoise),
            (0.9, LoopNoise),
            (0.9, WhiteNoise),
            (0.5, MainsHum),
            (0.2, Spikes),
            (0.7, Quantisation),
        ),
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
    return degraded_pair(plan(image, preset, rng, pixel_m=pixel_m, crop=crop, rotate=rotate, damage=damage))


def degrade_both_ways(
    image: FloatArray,
    preset: str,
    rng: np.random.Generator,
    *,
    pixel_m: float,
    crop: tuple[int, int] | None = None,
    rotate: bool = True,
    damage: Damage | None = None,
) -> Pair:
    """As `degrade`, with the backward image of the same scan: of the same surface with the same tip and drift, but
    with a noise of its own, and lagging to the other side."""
    job = plan(image, preset, rng, pixel_m=pixel_m, crop=crop, rotate=rotate, damage=damage)
    forward = backward = job.clean
    for one in job.damage.before_crop:
        forward, backward = one.apply_both(forward, backward, rng)
    forward, backward = forward[job.window], backward[job.window]
    for one in job.damage.after_crop:
        forward, backward = one.apply_both(forward, backward, rng)
    return replace(job.pair(np.array(forward)), backward=np.array(backward))


@dataclass(frozen=True)
class Plan:
    """All that is drawn before an image is degraded: `clean` (rows, columns), turned, and the `window` of its crop.

    `rng` goes on with what is random in time.
    """

    clean: FloatArray
    window: tuple[slice, slice]
    damage: Damage
    pixel_m: float
    recipe: dict[str, Any]
    rng: np.random.Generator

    def pair(self, degraded: FloatArray) -> Pair:
        """The pair with what the degradations made of the crop."""
        clean = self.clean
        for one in self.damage.before_crop:
            if one.moves:  # the clean image where the tip really was
                clean = one.apply(clean, self.rng)
        return Pair(np.ascontiguousarray(clean[self.window]), degraded, self.pixel_m, self.recipe)


def degraded_pair(job: Plan) -> Pair:
    """Does what was planned, forward alone."""
    degraded = job.clean
    for one in job.damage.before_crop:
        degraded = one.apply(degraded, job.rng)
    degraded = degraded[job.window]
    for one in job.damage.after_crop:
        degraded = one.apply(degraded, job.rng)
    return job.pair(np.array(degraded))


def plan(
    image: FloatArray,
    preset: str,
    rng: np.random.Generator,
    *,
    pixel_m: float,
    crop: tuple[int, int] | None = None,
    rotate: bool = True,
    damage: Damage | None = None,
) -> Plan:
    """What `degrade` draws before it begins; the same errors."""
    damage = damage or find_preset(preset).draw(rng, pixel_m)
    clean = np.asarray(image, dtype=np.float64)
    turns = 0
    if rotate:
        turns = int(rng.integers(4)) if clean.shape[0] == clean.shape[1] else 2 * int(rng.integers(2))
        clean = np.rot90(clean, turns)
    rows, columns = crop or clean.shape
    if rows > clean.shape[0] or columns > clean.shape[1]:
        raise RequestError(f"a crop of {columns} x {rows} pixels does not fit in {clean.shape[1]} x {clean.shape[0]}")
    margin = damage.margin(rows)
    top, left = (_place(whole, part, margin, rng) for whole, part in zip(clean.shape, (rows, columns), strict=True))
    recipe = {
        "preset": preset,
        "quarter_turns": turns,
        "crop": [top, left, rows, columns],
        "line_time_s": damage.line_time_s,
        "degradations": [describe(one) for one in (*damage.before_crop, *damage.after_crop)],
    }
    return Plan(clean, np.s_[top : top + rows, left : left + columns], damage, pixel_m, recipe, rng)


def _place(whole: int, part: int, margin: int, rng: np.random.Generator) -> int:
    """A random start of `part` in `whole`, `margin` away from both ends or as far as can be."""
    margin = min(margin, (whole - part) // 2)
    return margin + int(rng.integers(whole - part - 2 * margin + 1))
