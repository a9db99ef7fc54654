"""Which values the ends of a colour map stand for: a part of the values, or what the user has said. No Qt."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from stmviewer.gui.colours import KINDS, MAPS, Kind, default_map
from stmviewer.gui.quantities import Scale, parse
from stmviewer.scan import FloatArray, RequestError
from stmviewer.scan.levelling import robust_range

#: percentiles of the automatic range
LOW, HIGH = 1.0, 99.0


@dataclass(frozen=True)
class Fixed:
    """Ends that the user has given, in SI; they hold for images of that unit that are levelled (or not) alike."""

    low: float
    high: float
    unit: str
    levelled: bool


@dataclass(frozen=True)
class ColourRange:
    """The values at the ends of the colours: percentiles, unless `fixed` fits the image on show."""

    low: float = LOW
    high: float = HIGH
    fixed: Fixed | None = None

    def fixed_for(self, unit: str, levelled: bool) -> Fixed | None:
        """The given ends where they mean something for such an image: -50 pm is nothing for a current."""
        return self.fixed if self.fixed and (self.fixed.unit, self.fixed.levelled) == (unit, levelled) else None

    def automatic(self) -> "ColourRange":
        return ColourRange()

    def with_fixed(self, low: float, high: float, unit: str, levelled: bool) -> "ColourRange":
        return replace(self, fixed=Fixed(low, high, unit, levelled))

    def limits(self, values: FloatArray, unit: str, levelled: bool) -> tuple[float, float]:
        """The ends for an image of which `values` (n,) are a sample."""
        fixed = self.fixed_for(unit, levelled)
        return (fixed.low, fixed.high) if fixed else robust_range(values, self.low, self.high)

    @classmethod
    def percentiles(cls, low: str, high: str) -> "ColourRange":
        """From two typed numbers; RequestError says what is wrong with them."""
        try:
            one, other = (float(text.replace(",", ".").rstrip(" %")) for text in (low, high))
        except ValueError:
            raise RequestError("type two percentages, such as 1 and 99") from None
        if not 0 <= one < other <= 100:
            raise RequestError("the percentages must rise, from 0 to 100")
        return cls(one, other)

    @classmethod
    def typed(cls, low: str, high: str, unit: str, scale: Scale, levelled: bool) -> "ColourRange":
        """From two typed values, `-50 pm` or a number in the label of `scale`; RequestError says what is wrong."""
        one, other = (parse(text, unit, scale) for text in (low, high))
        if not one < other:
            raise RequestError("the upper end must be higher than the lower one")
        return cls(fixed=Fixed(one, other, unit, levelled))


@dataclass(frozen=True)
class Colouring:
    """How one kind of image is coloured."""

    map: str
    inverted: bool = False
    range: ColourRange = field(default_factory=ColourRange)


@dataclass(frozen=True)
class Display:
    """All that decides how images look and changes nothing about them."""

    levelled: bool = True
    tint: bool = False
    heights: Colouring = field(default_factory=lambda: Colouring(default_map("heights")))
    difference: Colouring = field(default_factory=lambda: Colouring(default_map("difference")))
    deviation: Colouring = field(default_factory=lambda: Colouring(default_map("deviation")))

    def of(self, kind: Kind) -> Colouring:
        colouring: Colouring = getattr(self, kind)
        return colouring

    def with_colouring(self, kind: Kind, **changes: Any) -> "Display":
        return self.with_kind(kind, replace(self.of(kind), **changes))

    def with_kind(self, kind: Kind, colouring: Colouring) -> "Display":
        changed: dict[str, Any] = {kind: colouring}
        return replace(self, **changed)

    def to_json(self) -> str:
        """What is remembered from day to day: not the given ends of a range, which belong to a scan."""
        kept = self
        for kind in KINDS:
            kept = kept.with_colouring(kind, range=replace(kept.of(kind).range, fixed=None))
        return json.dumps(asdict(kept))

    @classmethod
    def from_json(cls, text: str) -> "Display":
        """What `to_json` wrote; whatever is not as it should be takes its default."""
        display = cls()
        try:
            found = json.loads(text)
            values = {f.name: found[f.name] for f in fields(cls) if f.name in found}
        except (ValueError, TypeError):
            return display
        for name in ("levelled", "tint"):
            if isinstance(values.get(name), bool):
                display = replace(display, **{name: values[name]})
        for kind in KINDS:
            said = values.get(kind)
            if isinstance(said, dict):
                display = display.with_colouring(kind, **_colouring(kind, said))
        return display


def _colouring(kind: Kind, said: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if said.get("map") in MAPS[kind]:
        changes["map"] = said["map"]
    if isinstance(said.get("inverted"), bool):
        changes["inverted"] = said["inverted"]
    with suppress(RequestError, KeyError, TypeError):
        changes["range"] = ColourRange.percentiles(str(said["range"]["low"]), str(said["range"]["high"]))
    return changes
