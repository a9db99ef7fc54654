"""Names of signals as Nanonis writes them in spectra and grids: `Current [bwd] (A)`, `Input 3 (A) [bwd] [filt]`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from stmviewer.files.units import quantity_in, si_unit
from stmviewer.scan import Direction

_UNIT = re.compile(r"\s*\(([^()]*)\)(?=\s*(?:\[[^\[\]]*\]\s*)*$)")
_BACKWARD = re.compile(r"\s*\[bwd\]", re.IGNORECASE)


@dataclass(frozen=True)
class Signal:
    """A signal: its name without unit and direction (other marks such as `[filt]` stay), SI unit, factor into it."""

    name: str
    unit: str
    factor: float
    direction: Direction


def parse_signal(text: str) -> Signal:
    """What a column title or channel name says; a unit is what stands in the last brackets."""
    match = _UNIT.search(text)
    unit, factor = si_unit(match[1]) if match else ("", 1.0)
    bare = text[: match.start()] + text[match.end() :] if match else text
    direction: Direction = "backward" if _BACKWARD.search(bare) else "forward"
    return Signal(_BACKWARD.sub("", bare).strip() or text.strip() or "untitled", unit, factor, direction)


def number(text: str | None) -> float | None:
    """The number of a field such as `-19.4904E-9`; None where the field is missing, empty, `N/A` or not finite."""
    return quantity_in(text, "") if text else None


def current_setpoint(header: Mapping[str, str]) -> float | None:
    """The current setpoint in A; None where the feedback regulates on something else, such as a frequency shift."""
    value, unit = header.get("Z-Controller>Setpoint", ""), header.get("Z-Controller>Setpoint unit", "")
    return quantity_in(f"{value} {unit}", "A")
