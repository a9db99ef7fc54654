"""Numbers as a microscopist reads them: SI prefixes, round lengths, times. No Qt."""

import math
from dataclasses import dataclass

from stmviewer.files.units import parse_quantity, shown_unit
from stmviewer.scan import RequestError

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Scale:
    """How values of a unit are written: divided by `factor`, with `label` and `decimals`."""

    factor: float
    label: str
    decimals: int

    def number(self, value: float) -> str:
        if not math.isfinite(value):
            return "–"
        text = f"{value / self.factor:.{self.decimals}f}"
        if float(text) == 0:
            text = text.lstrip("-")  # no minus zero
        return text.replace("-", MINUS)

    def text(self, value: float) -> str:
        """The value with its unit; 'not measured' for NaN."""
        if not math.isfinite(value):
            return "not measured"
        return f"{self.number(value)} {self.label}".rstrip()


def scale_for(low: float, high: float, unit: str) -> Scale:
    """The scale for a colour bar from `low` to `high` in the SI `unit`: 120 pm rather than 1.2e-10 m.

    The prefix follows the larger end, the decimals follow the span, so that both ends of a narrow range far from
    zero still differ.
    """
    largest, span = max(abs(low), abs(high)), abs(high - low)
    label, factor = shown_unit(largest, unit)
    if label == unit and largest > 0 and not 1e-3 <= largest < 1e5:
        # a unit without prefixes, or none at all: heights of an image that says nothing about itself
        power = 3 * math.floor(math.log10(largest) / 3)
        label, factor = f"×10{str(power).translate(_RAISED)} {unit}".rstrip(), 10.0**-power
    shown = (span or largest) * factor
    decimals = min(max(2 - math.floor(math.log10(shown)), 0), 9) if shown > 0 and math.isfinite(shown) else 0
    return Scale(1 / factor, label, decimals)


def quantity(value: float, unit: str, digits: int = 3) -> str:
    """One value with prefix and `digits` significant digits: `50 pA`, `−1.8 V`, `1.23 kHz`."""
    label, factor = shown_unit(float(f"{value:.{digits}g}"), unit)
    return f"{float(f'{value * factor:.{digits}g}'):.10g} {label}".rstrip().replace("-", MINUS)


def parse(text: str, unit: str, scale: Scale) -> float:
    """A typed value in the SI `unit`: `-50 pm`, or a bare number that is meant in the label of `scale`. Raises
    RequestError."""
    said = text.strip().replace(MINUS, "-")
    found = parse_quantity(said)
    if found is not None and scale.label and said.endswith(scale.label):
        found = parse_quantity(said.removesuffix(scale.label))
    if found is not None and found[1] == "":
        return found[0] * scale.factor
    if found is None or found[1] != unit:
        example = f"12 {scale.label}".rstrip()
        raise RequestError(f"'{text.strip()}' is no such value: type a number such as {example}")
    return found[0]


def length(value: float, unit: str) -> str:
    """A lateral length given in nm or px: `500 pm`, `20 nm`, `1 µm`, `50 px`."""
    return quantity(value * 1e-9, "m") if unit == "nm" else f"{value:.10g} {unit}"


def round_length(longest: float) -> float:
    """The longest of 1, 2 or 5 times a power of ten that is not over `longest` (> 0): the length of a scale bar."""
    power = 10.0 ** math.floor(math.log10(longest) + 1e-9)
    # a hair of tolerance: 5.0 may arrive as 4.999999999
    return max(step for step in (1.0, 2.0, 5.0) if step * power <= longest * (1 + 1e-9)) * power


def duration(seconds: float) -> str:
    """A time as one would say it: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
