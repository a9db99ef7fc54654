"""Units in files and in print: SI in, SI out, prefixes only for the eye."""

import math
import re

_PREFIXES = {
    "f": 1e-15,
    "p": 1e-12,
    "n": 1e-9,
    "u": 1e-6,
    "µ": 1e-6,
    "μ": 1e-6,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
}
_BASES = ("m", "A", "V", "Hz", "s", "N", "W")
_SHOWN = {-15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
#: units that are customary as they are: no millidegrees, no kilopercent
_BARE = ("", "deg", "°", "%", "px", "rad", "a.u.")

_QUANTITY = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S*)")


def si_unit(unit: str) -> tuple[str, float]:
    """The SI unit of a unit as written, and the factor into it: `nm` is ('m', 1e-9); unknown units stay as they are."""
    unit = unit.strip()
    if unit in ("Å", "Å", "Angstrom", "angstrom"):
        return "m", 1e-10
    if len(unit) > 1 and unit[0] in _PREFIXES and unit[1:] in _BASES:
        return unit[1:], _PREFIXES[unit[0]]
    return unit, 1.0


def parse_quantity(text: str) -> tuple[float, str] | None:
    """A number and its unit as `1.0E-10 A`, `-0.4 V` or `100 pA`, in SI; None where the text is not one."""
    if "." not in text:
        text = text.replace(",", ".", 1)  # a computer set to German
    match = _QUANTITY.match(text)
    if match is None:
        return None
    value = float(match[1])
    if not math.isfinite(value):
        return None
    unit, factor = si_unit(match[2])
    return value * factor, unit


def quantity_in(text: str, unit: str) -> float | None:
    """The number in `text` where it is in `unit` (SI) or bare, else None: a setpoint in Hz is no current."""
    quantity = parse_quantity(text)
    return quantity[0] if quantity is not None and quantity[1] in (unit, "") else None


def shown_unit(largest: float, unit: str) -> tuple[str, float]:
    """The unit to print values up to `largest` (SI) in, and the factor into it: (3e-10, 'm') gives ('pm', 1e12)."""
    if unit in _BARE or not math.isfinite(largest) or largest == 0:
        return unit, 1.0
    # from 1 up to under 1000 of the unit
    power = 3 * math.floor(math.log10(abs(largest)) / 3 + 1e-12)
    power = min(max(power, min(_SHOWN)), max(_SHOWN))
    return _SHOWN[power] + unit, 10.0**-power


def shown_quantity(value: float, unit: str, digits: int = 3) -> str:
    """A value in print: (2.5e-10, 'A') gives '250 pA'."""
    name, factor = shown_unit(value, unit)
    return f"{value * factor:.{digits}g} {name}".rstrip()
