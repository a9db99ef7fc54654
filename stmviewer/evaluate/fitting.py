"""Fits the chances and ranges of a preset to real degraded images.

The loss is the mean distance of `likeness` plus a small pull to where the search began, so that what the images say
nothing of stays as it was. The search is a cross-entropy method: candidates are drawn from a normal distribution for
every number, which then moves to the best of them (Rubinstein and Kroese, The Cross-Entropy Method, Springer 2004).
Every candidate is judged on the same surfaces with the same random numbers.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stmviewer.evaluate import likeness
from stmviewer.evaluate.comparison import stored_alike
from stmviewer.evaluate.likeness import Values
from stmviewer.evaluate.matched import Field, degraded
from stmviewer.evaluate.real_images import RealImage
from stmviewer.scan import FloatArray, Progress
from stmviewer.simulate.degradations import Degradation, LineOffsets, LineSlopes, PlaneTilt, Quantisation
from stmviewer.simulate.presets import Chance, Preset
from stmviewer.simulate.ranges import Ranged

PARTS = ("tips", "before_crop", "after_crop")
#: flattening lines takes these away, and 8 bits hide the steps of a converter: the images say nothing of them
UNSEEN = (PlaneTilt, LineOffsets, LineSlopes, Quantisation)
#: chances stay within these: nothing is certain, and nothing that laboratories know of is ruled out
CHANCES = (0.03, 0.9)
#: of the tips, of which at most one is drawn
_TIPS = (0.04, 0.4)
#: half the width of a range in decades: at least a factor of 4 between its ends, that training stays broad
_WIDTHS = (0.3, 0.9)
#: how far the middle of a range may move (decades)
_FARTHEST = 1.0
#: ranges of shares of pixels or lines end here
_MOST_SHARE = 0.8
_SHARES = ("probability", "share")
_LEAST_FACTOR = 2.9
#: weight of the pull to the start, per squared unit and number
_PULL = 0.15
_ELITE = 0.25
_SMOOTHING = 0.6


@dataclass(frozen=True)
class Slot:
    """One number that is fitted: the chance of an entry (`parameter` None), or the middle or width of a range."""

    part: str
    entry: int
    parameter: str | None = None
    what: str = "chance"


@dataclass(frozen=True)
class Space:
    """A preset as a vector of numbers, each of the order of 1, with 0 where the search begins."""

    start: Preset
    slots: tuple[Slot, ...]

    @classmethod
    def of(cls, preset: Preset) -> "Space":
        """Every chance but those of `UNSEEN`, and every range of the preset's `Ranged` entries."""
        slots = []
        for part in PARTS:
            for k, (_, kind) in enumerate(getattr(preset, part)):
                if kind in UNSEEN:
                    continue
                slots.append(Slot(part, k))
                for name, *_ in kind.ranges if isinstance(kind, Ranged) else ():
                    slots += [Slot(part, k, name, "middle"), Slot(part, k, name, "width")]
        return cls(preset, tuple(slots))

    def preset(self, numbers: FloatArray) -> Preset:
        """The preset at a point of the space; numbers beyond the limits are taken at them."""
        values = dict(zip(self.slots, (float(n) for n in numbers), strict=True))
        parts = {
            part: tuple(self._entry(part, k, chance, values) for k, chance in enumerate(getattr(self.start, part)))
            for part in PARTS
        }
        total = sum(chance for chance, _ in parts["tips"])
        if total > 0.95:  # at most one tip is drawn, and some images have a good one
            parts["tips"] = tuple((chance * 0.95 / total, kind) for chance, kind in parts["tips"])
        return replace(self.start, **parts)

    def _entry(self, part: str, k: int, entry: Chance, values: dict[Slot, float]) -> Chance:
        chance, kind = entry
        if kind in UNSEEN:
            return entry
        low, high = _TIPS if part == "tips" else CHANCES
        moved = _logit(chance) + values[Slot(part, k)]
        chance = min(max(1 / (1 + math.exp(-moved)), low), high)
        if not isinstance(kind, Ranged):
            return chance, kind
        ranges = tuple(
            self._range(one, values[Slot(part, k, one[0], "middle")], values[Slot(part, k, one[0], "width")])
            for one in kind.ranges
        )
        return chance, replace(kind, ranges=ranges)

    @staticmethod
    def _range(one: tuple[str, float, float], middle: float, width: float) -> tuple[str, float, float]:
        name, low, high = one
        centre = math.log10(low * high) / 2 + min(max(0.5 * middle, -_FARTHEST), _FARTHEST)
        half = min(max(math.log10(high / low) / 2 * 1.5**width, _WIDTHS[0]), _WIDTHS[1])
        low, high = 10 ** (centre - half), 10 ** (centre + half)
        if name in _SHARES:
            high = min(high, _MOST_SHARE)
            low = min(low, high / _LEAST_FACTOR)
        return name, low, high


def _logit(chance: float) -> float:
    chance = min(max(chance, 0.01), 0.99)
    return math.log(chance / (1 - chance))


@dataclass(frozen=True)
class Problem:
    """Real images with the surfaces simulated for them."""

    real: Sequence[RealImage]
    marks: Values
    fields: Sequence[Field]
    seed: int

    def distance(self, preset: Preset, progress: Progress) -> float:
        """The mean distance of the preset's images to the real ones."""
        images = stored_alike(degraded(self.fields, preset, self.seed, progress), self.real)
        simulated = likeness.measure(images, progress)
        return likeness.total(likeness.family_distances(self.marks, simulated))


@dataclass(frozen=True)
class Fitted:
    """The preset found, its distance, that of the start, and the best distance after each generation."""

    preset: Preset
    distance: float
    before: float
    history: tuple[float, ...]


def fit(
    problem: Problem,
    start: Preset,
    progress: Progress,
    *,
    generations: int = 20,
    population: int = 18,
    spread: float = 0.8,
    tell: Callable[[str], None] = lambda _: None,
) -> Fitted:
    """The preset that is nearest to the real images, starting from `start`, its numbers rounded to two digits.

    `spread` is how far candidates lie from it at first: 1 changes the odds of a chance by a factor of e and moves a
    range by half a decade.
    """
    space = Space.of(start)
    rng = np.random.default_rng(problem.seed)
    mean, spreads = np.zeros(len(space.slots)), np.full(len(space.slots), spread)
    still = progress.part(0.0)  # moves no bar, and stops when asked to
    before = problem.distance(start, still)
    best, lowest = mean, before
    history = []
    ticks = progress.part(1.0, "Fitting", generations * population)
    elite = max(3, round(_ELITE * population))
    for generation in range(generations):
        tried = mean + spreads * rng.standard_normal((population, len(mean)))
        tried[0] = mean
        losses = []
        for numbers in tried:
            distance = problem.distance(space.preset(numbers), still)
            losses.append(distance + _PULL * float(np.mean(np.minimum(numbers**2, 25))) / 10)
            if distance < lowest:
                best, lowest = numbers, distance
            ticks.step = f"Fitting, {before:.3f} at first, {lowest:.3f} now"
            ticks.tick()
        chosen = tried[np.argsort(losses)[:elite]]
        mean = (1 - _SMOOTHING) * mean + _SMOOTHING * chosen.mean(axis=0)
        spreads = np.maximum((1 - _SMOOTHING) * spreads + _SMOOTHING * chosen.std(axis=0), 0.05)
        history.append(float(min(losses)))
        tell(f"generation {generation + 1}: loss {min(losses):.4f}, mean {np.mean(losses):.4f}, best {lowest:.4f}")
    # the middle of the distribution is less bound to these very accidents than the luckiest candidate
    middle = problem.distance(space.preset(mean), still)
    found = rounded(space.preset(mean if middle < lowest * 1.05 else best))
    return Fitted(found, problem.distance(found, still), before, tuple(history))


def rounded(preset: Preset) -> Preset:
    """The preset with chances and ranges as one writes them down: two digits."""

    def entry(chance: float, kind: type[Degradation] | Ranged) -> Chance:
        if isinstance(kind, Ranged):
            kind = replace(kind, ranges=tuple((n, _two_digits(low), _two_digits(high)) for n, low, high in kind.ranges))
        return _two_digits(chance), kind

    parts = {part: tuple(entry(*one) for one in getattr(preset, part)) for part in PARTS}
    return replace(preset, **parts)


def _two_digits(value: float) -> float:
    return float(f"{value:.1e}")


def described(preset: Preset) -> list[dict[str, Any]]:
    """The entries of a preset as JSON can hold them."""
    return [
        {
            "part": part,
            "name": kind.__name__,
            "chance": chance,
            "ranges": {n: [low, high] for n, low, high in kind.ranges} if isinstance(kind, Ranged) else {},
        }
        for part in PARTS
        for chance, kind in getattr(preset, part)
    ]
