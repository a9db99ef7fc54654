"""Scans and spectra as lines of text, for `stmviewer info`."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from stmviewer.cli.console import duration, quantity
from stmviewer.files.nanonis_header import table
from stmviewer.files.units import parse_quantity
from stmviewer.scan import Channel, Grid, Scan, Spectrum

_NAME_WIDTH = 12
#: enough digits that the two ends of a range differ, but no more than a float32 file holds
_FEWEST_DIGITS, _MOST_DIGITS = 3, 7


def aligned(rows: Iterable[tuple[str, str]]) -> list[str]:
    """`Name:    value`; further lines of a value stand below its first."""
    lines = []
    for name, value in rows:
        first, *others = value.splitlines() or [""]
        lines.append(f"{name + ':':<{_NAME_WIDTH}}{first}".rstrip())
        lines += [" " * _NAME_WIDTH + other if other.strip() else "" for other in others]
    return lines


def scan_text(scan: Scan, facts: Mapping[str, Any]) -> str:
    """What a microscopist wants to know; `facts` are those of `describe`."""
    lines = aligned(_rows(scan))
    lines.append("Channels:")
    width = max(len(c.label) for c in scan.channels)
    said = {id(c): _values(c, fact) for c, fact in zip(scan.channels, facts["channels"], strict=True)}
    for c in scan.channels:
        role = "" if c.role == "raw" else f"  [{c.role}]"
        lines.append(f"  {c.label:<{width}}  {said[id(c)]}".rstrip() + role)
    if facts["line_factor"]:
        g = scan.geometry
        lines.append(
            f"{'Note:':<{_NAME_WIDTH}}{g.rows} lines for {g.columns} pixels a line over this range: "
            f"{facts['line_factor']:.3g} x sparse in lines if it is not cropped (restore --task sparse --mask file)"
        )
    lines += aligned(("Note", note) for note in scan.notes)
    return "\n".join(lines)


def _rows(scan: Scan) -> list[tuple[str, str]]:
    g = scan.geometry
    rows = [("File", f"{scan.name} ({scan.format})")]
    if not scan.part.alone:
        rows.append(("Part", f"{scan.part.number} of {scan.part.count}: {scan.part.name}"))
    rows.append(("Pixels", f"{g.columns} x {g.rows}"))
    if g.calibrated:
        rows.append(("Size", f"{quantity(g.width, 'm', 4)} x {quantity(g.height, 'm', 4)}"))
        pixel = quantity(g.pixel_width, "m")
        rows.append(("Pixel", pixel if g.square_pixels else f"{pixel} x {quantity(g.pixel_height, 'm')}"))
        rows.append(("Angle", f"{g.angle_deg:g} degrees"))
        if any(g.centre):
            rows.append(("Centre", f"x {quantity(g.centre[0], 'm', 4)}, y {quantity(g.centre[1], 'm', 4)}"))
    else:
        rows.append(("Size", "unknown: the file has no scale (give one with --pixel-nm or --size-nm)"))
    if scan.bias_v is not None:
        rows.append(("Bias", f"{quantity(scan.bias_v, 'V')} ({_states(scan.bias_v)})"))
    setpoint = quantity(scan.setpoint_a, "A") if scan.setpoint_a is not None else _other_setpoint(scan)
    if setpoint:
        rows.append(("Setpoint", setpoint))
    if scan.line_time_s is not None:
        forward, backward = scan.line_time_s
        rows.append(("Line time", f"{quantity(forward, 's')} forward, {quantity(backward, 's')} backward"))
        rows.append(("Scan time", duration(g.rows * (forward + backward))))
    rows.append(("Direction", scan.scan_direction))
    rows.append(("Measured", _measured(scan)))
    return rows + [(k, v) for k, v in (("Recorded", scan.recorded), ("Comment", scan.comment.strip())) if v]


def _other_setpoint(scan: Scan) -> str:
    """The setpoint of a Nanonis scan whose feedback is not on the current, such as `-14 Hz (df)`; else nothing."""
    controllers = table(scan.header.get("Z-CONTROLLER", ""))
    found = parse_quantity(controllers[0].get("setpoint", "")) if controllers else None
    if found is None or not found[1]:
        return ""
    name = controllers[0].get("name", "")
    return quantity(*found) + (f" ({name})" if name else "")


def _states(bias_v: float) -> str:
    return "filled states" if bias_v < 0 else "empty states" if bias_v > 0 else "zero"


def _measured(scan: Scan) -> str:
    """The part of the pixels that has a value, of all raw channels or of those with the least and the most."""
    raw = [c for c in scan.channels if c.role == "raw"] or list(scan.channels)
    fractions = sorted({round(100 * c.measured_fraction, 1) for c in raw})
    if fractions == [0.0]:
        return "nothing (the scan never ran)"
    words = [_percent(value) for value in (fractions[0], fractions[-1])]
    return words[0] if len(fractions) == 1 else f"{words[0]} to {words[1]}, by channel"


def _percent(value: float) -> str:
    return f"{value:.0f} %" if value == round(value) else f"{value:.1f} %"


def _values(channel: Channel, fact: Mapping[str, Any]) -> str:
    """The range that holds 98 % of the values, how wide it is, and how many there are where not all."""
    span = fact["range_1_99"]
    if span is None:
        return f"nothing measured{_unit_alone(channel.unit)}"
    part = "" if channel.measured_fraction == 1 else f", {100 * channel.measured_fraction:.1f} % measured"
    values = channel.data[channel.measured]
    if (values == values[0]).all():
        return f"{quantity(float(values[0]), channel.unit)}, constant{part}"
    return value_range(span[0], span[1], channel.unit) + part


def _unit_alone(unit: str) -> str:
    return f" ({unit})" if unit else ""


def value_range(low: float, high: float, unit: str) -> str:
    """`-73.91 nm to -73.74 nm (171 pm)`: as many digits as tell the ends apart, and how far apart they are."""
    largest = max(abs(low), abs(high))
    needed = math.ceil(math.log10(largest / (high - low))) + 2 if high > low and largest > 0 else _FEWEST_DIGITS
    digits = min(max(needed, _FEWEST_DIGITS), _MOST_DIGITS)
    width = f" ({quantity(high - low, unit)})" if needed > _FEWEST_DIGITS else ""
    return f"{quantity(low, unit, digits)} to {quantity(high, unit, digits)}{width}"


def spectra_text(measured: Spectrum | Grid) -> str:
    """A spectrum, or the spectra of a grid below its images. Reads no stack of a grid."""
    sweep = measured.sweep
    ends = " to ".join(quantity(float(v), sweep.unit) for v in sweep.data[[0, -1]])
    rows = [("Sweep", f"{sweep.name}, {ends}, {sweep.data.size} points")]
    if isinstance(measured, Grid):
        share = float(measured.measured.mean())
        if share < 1:
            rows.append(("Measured", f"{100 * share:.1f} % of the spectra"))
        return "\n".join(
            [*aligned(rows), "Spectra:", *(f"  {c.label}{_unit_alone(c.unit)}" for c in measured.channels)]
        )
    rows.insert(0, ("File", f"{measured.name} ({measured.format})"))
    if measured.experiment:
        rows.insert(1, ("Experiment", measured.experiment))
    if measured.position is not None:
        x, y, z = (quantity(v, "m", 4) for v in measured.position)
        rows.append(("Position", f"x {x}, y {y}, z {z}"))
    if measured.bias_v is not None:
        rows.append(("Bias", f"{quantity(measured.bias_v, 'V')} ({_states(measured.bias_v)})"))
    if measured.setpoint_a is not None:
        rows.append(("Setpoint", quantity(measured.setpoint_a, "A")))
    rows += [(k, v) for k, v in (("Recorded", measured.recorded), ("Comment", measured.comment)) if v]
    rows += [("Note", note) for note in measured.notes]
    lines = [*aligned(rows), "Spectra:"]
    width = max((len(c.label) for c in measured.channels), default=0)
    for curve in measured.channels:
        values = curve.data[np.isfinite(curve.data)]
        span = value_range(float(values.min()), float(values.max()), curve.unit) if values.size else "no values"
        lines.append(f"  {curve.label:<{width}}  {span}")
    return "\n".join(lines)
