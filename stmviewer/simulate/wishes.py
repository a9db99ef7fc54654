"""What somebody wishes of a simulated scan: each degradation by chance, never, or always and how strong.

Nothing here names a degradation: what there is, and in which order, is read off the presets.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.degradations.degradation import Degradation
from stmviewer.simulate.pairs import Scene
from stmviewer.simulate.presets import PRESETS, Chance, Damage, find_preset, timed

How = Literal["chance", "always", "never"]
HOW: tuple[How, ...] = get_args(How)
_PARTS = ("tips", "before_crop", "after_crop")
#: that many sets of parameters are drawn to choose one of the wished strength from
_DRAWS = 15
#: what they are tried on (pixels a side)
_PROBE = 64


@dataclass(frozen=True)
class Wish:
    """`how` often; `strength` is the place among what the preset draws, 0 the weakest to 1 the strongest."""

    how: How = "chance"
    strength: float = 0.5


@dataclass(frozen=True)
class Entry:
    """One class of degradations: its name, the first sentence of its docstring, the part of the microscope that it
    belongs to, and its chance in each preset that has it."""

    name: str
    summary: str
    part: str
    chances: Mapping[str, float]


def catalogue() -> list[Entry]:
    """Every class of degradations that a preset has, in the order in which they are applied."""
    entries: dict[str, Entry] = {}
    for part in _PARTS:
        # the presets with the most entries give the order
        for name in sorted(PRESETS, key=lambda n: -_length(n)):
            for chance, kind in getattr(PRESETS[name], part):
                plain = getattr(kind, "kind", kind)
                known = entries.get(plain.__name__)
                chances = {**(known.chances if known else {}), name: chance}
                summary = " ".join((plain.__doc__ or "").split("\n\n")[0].split()).split(": ")[0].rstrip(".:")
                module = plain.__module__.rpartition(".")[2]
                entries[plain.__name__] = Entry(plain.__name__, summary, module, chances)
    return list(entries.values())


def _length(preset: str) -> int:
    return sum(len(getattr(PRESETS[preset], part)) for part in _PARTS)


def wished_damage(scene: Scene, preset: str, wishes: Mapping[str, Wish]) -> Damage:
    """The degradations of a scan of `scene`: what the preset draws by chance, with the wishes in place of it.

    A class that is wished always is drawn several times over its range and taken at the wished strength, which is
    how far it changes the image (rms). One that is wished and that the preset does not know is drawn as another preset
    has it. Where a tip is wished always, no other one is drawn by chance. Raises RequestError for a name that no
    preset has.
    """
    known = {entry.name for entry in catalogue()}
    for name in wishes:
        if name not in known:
            raise RequestError(f"degradation '{name}' is unknown; there are {', '.join(sorted(known))}")
    drawn = scene.draw(preset)
    by_chance = {type(one).__name__: one for one in (*drawn.before_crop, *drawn.after_crop)}
    tips = {_plain_name(kind) for _, kind in _entries(preset, "tips")}
    if any(wish.how == "always" for name, wish in wishes.items() if name in tips):
        by_chance = {name: one for name, one in by_chance.items() if name not in tips}
    chosen: dict[str, list[Degradation]] = {part: [] for part in _PARTS}
    line_time = drawn.line_time_s or 1.0
    for part in _PARTS:
        for _, kind in _entries(preset, part):
            name = _plain_name(kind)
            wish = wishes.get(name, Wish())
            if wish.how == "always":
                chosen[part].append(timed(_of_strength(kind, wish.strength, scene), line_time))
            elif wish.how == "chance" and name in by_chance:
                chosen[part].append(by_chance[name])
    return Damage((*chosen["tips"], *chosen["before_crop"]), tuple(chosen["after_crop"]), drawn.line_time_s)


def _plain_name(kind: object) -> str:
    return str(getattr(kind, "__name__", ""))


def _entries(preset: str, part: str) -> list[Chance]:
    """The entries of a part of a preset, then those that it does not have, as the other presets have them."""
    own = find_preset(preset)
    elsewhere = {_plain_name(kind) for p in _PARTS for _, kind in getattr(own, p)}
    entries = list(getattr(own, part))
    for name in sorted(PRESETS, key=lambda n: -_length(n)):
        for chance, kind in getattr(PRESETS[name], part):
            if _plain_name(kind) not in elsewhere:
                elsewhere.add(_plain_name(kind))
                entries.append((chance, kind))
    order = [entry.name for entry in catalogue()]
    return sorted(entries, key=lambda entry: order.index(_plain_name(entry[1])))


def _of_strength(kind: object, strength: float, scene: Scene) -> Degradation:
    # a stream of its own for each class: wishing for another one leaves this one as it is
    seed = scene.seed if isinstance(scene.seed, tuple) else (scene.seed,)
    rng = np.random.default_rng((*seed, zlib.crc32(_plain_name(kind).encode())))
    drawn = [kind.draw(rng, scene.pixel_m) for _ in range(_DRAWS)]  # type: ignore[attr-defined]
    changes = [_change(one, _probe(scene)) for one in drawn]
    place = round(min(max(strength, 0.0), 1.0) * (_DRAWS - 1))
    chosen: Degradation = drawn[int(np.argsort(changes, kind="stable")[place])]
    return chosen


def _probe(scene: Scene) -> FloatArray:
    """The middle of the scene, small."""
    rows, columns = scene.heights.shape
    top, left = (max((n - _PROBE) // 2, 0) for n in (rows, columns))
    return scene.heights[top : top + _PROBE, left : left + _PROBE]


def _change(one: Degradation, image: FloatArray) -> float:
    difference = one.apply(image, np.random.default_rng(0)) - image
    return float(np.nanstd(difference))
