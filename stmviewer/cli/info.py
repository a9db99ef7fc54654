"""`stmviewer info`: what a microscopist wants to know of a file."""

import argparse
from pathlib import Path
from typing import Any

from stmviewer.cli.console import duration, print_json, quantity
from stmviewer.files import kind_of, open_scan, read_grid, read_spectrum
from stmviewer.scan import Grid, Scan, Spectrum
from stmviewer.scan.levelling import robust_range
from stmviewer.scan.lines import line_factor, looks_line_sparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--json", action="store_true", help="for machines")


def run(arguments: argparse.Namespace) -> int:
    kind = kind_of(arguments.file)
    if kind == "dat":
        spectrum = read_spectrum(arguments.file)
        facts, text = describe_spectra(spectrum), _spectra_text(spectrum)
    else:
        scan = open_scan(arguments.file)
        facts = describe(scan)
        text = _text(scan, facts)
        if kind == "3ds":
            grid = read_grid(arguments.file)
            facts["spectra"] = describe_spectra(grid)
            text += "\n" + _spectra_text(grid)
    if arguments.json:
        print_json(facts)
    else:
        print(text)
    return 0


def describe_spectra(measured: Spectrum | Grid) -> dict[str, Any]:
    """The facts of a spectrum, or of the spectra of a grid, in SI units, for JSON. Reads no stack of a grid."""
    sweep = measured.sweep
    facts: dict[str, Any] = {
        "file": str(measured.path),
        "format": measured.format,
        "experiment": measured.experiment,
        "sweep": {"name": sweep.name, "unit": sweep.unit, "start": float(sweep.data[0]), "end": float(sweep.data[-1])},
        "points": sweep.data.size,
        "channels": [{"name": c.name, "direction": c.direction, "unit": c.unit} for c in measured.channels],
        "bias_v": measured.bias_v,
        "setpoint_a": measured.setpoint_a,
        "recorded": measured.recorded,
        "comment": measured.comment,
        "notes": list(measured.notes),
    }
    if isinstance(measured, Spectrum):
        facts["position"] = list(measured.position) if measured.position else None
    else:
        facts["measured_fraction"] = float(measured.measured.mean())
    return facts


def _spectra_text(measured: Spectrum | Grid) -> str:
    sweep = measured.sweep
    ends = " to ".join(quantity(float(v), sweep.unit) for v in sweep.data[[0, -1]])
    rows = [("Sweep", f"{sweep.name}, {ends}, {sweep.data.size} points")]
    if isinstance(measured, Spectrum):
        rows.insert(0, ("File", f"{measured.name} ({measured.format})"))
        if measured.position is not None:
            rows.append(("Position", ", ".join(quantity(v, "m", 4) for v in measured.position)))
        if measured.bias_v is not None:
            rows.append(("Bias", quantity(measured.bias_v, "V")))
        if measured.setpoint_a is not None:
            rows.append(("Setpoint", quantity(measured.setpoint_a, "A")))
        rows += [(k, v) for k, v in (("Recorded", measured.recorded), ("Comment", measured.comment)) if v]
        rows += [("Note", note) for note in measured.notes]
    lines = [f"{name + ':':<11}{value}" for name, value in rows]
    lines.append("Spectra:")
    lines += [f"  {c.label}" + (f" ({c.unit})" if c.unit else "") for c in measured.channels]
    return "\n".join(lines)


def describe(scan: Scan) -> dict[str, Any]:
    """The facts of a scan in SI units, for JSON."""
    g = scan.geometry
    channels = []
    for c in scan.channels:
        low, high = robust_range(c.data)
        channels.append(
            {
                "name": c.name,
                "direction": c.direction,
                "role": c.role,
                "unit": c.unit,
                "range_1_99": [low, high] if c.measured.any() else None,
                "measured_fraction": c.measured_fraction,
                "not_restorable": c.why_not_restorable(),
            }
        )
    return {
        "file": str(scan.path),
        "format": scan.format,
        "columns": g.columns,
        "rows": g.rows,
        "width": g.width,
        "height": g.height,
        "lateral_unit": g.unit,
        "pixel_width": g.pixel_width,
        "pixel_height": g.pixel_height,
        "angle_deg": g.angle_deg,
        "centre": list(g.centre),
        "scan_direction": scan.scan_direction,
        "bias_v": scan.bias_v,
        "setpoint_a": scan.setpoint_a,
        "line_time_s": list(scan.line_time_s) if scan.line_time_s else None,
        "recorded": scan.recorded,
        "comment": scan.comment,
        "channels": channels,
        "notes": list(scan.notes),
        "line_factor": line_factor(g) if looks_line_sparse(g) else None,
        "provenance": scan.provenance,
    }


def _text(scan: Scan, facts: dict[str, Any]) -> str:
    g = scan.geometry
    rows = [("File", f"{scan.name} ({scan.format})"), ("Pixels", f"{g.columns} x {g.rows}")]
    if g.calibrated:
        rows.append(("Size", f"{quantity(g.width, 'm', 4)} x {quantity(g.height, 'm', 4)}"))
        pixel = quantity(g.pixel_width, "m")
        rows.append(("Pixel", pixel if g.square_pixels else f"{pixel} x {quantity(g.pixel_height, 'm')}"))
        rows.append(("Angle", f"{g.angle_deg:g} degrees"))
    else:
        rows.append(("Size", "unknown: the file has no scale"))
    if scan.bias_v is not None:
        rows.append(("Bias", f"{quantity(scan.bias_v, 'V')} ({'filled' if scan.bias_v < 0 else 'empty'} states)"))
    if scan.setpoint_a is not None:
        rows.append(("Setpoint", quantity(scan.setpoint_a, "A")))
    if scan.line_time_s is not None:
        forward, backward = scan.line_time_s
        rows.append(("Line time", f"{quantity(forward, 's')} forward, {quantity(backward, 's')} backward"))
        rows.append(("Scan time", duration(g.rows * (forward + backward))))
    rows.append(("Direction", scan.scan_direction))
    rows += [(k, v) for k, v in (("Recorded", scan.recorded), ("Comment", scan.comment.strip())) if v]
    lines = [f"{name + ':':<11}{value}" for name, value in rows]
    lines.append("Channels:")
    width = max(len(c.label) for c in scan.channels)
    for c, fact in zip(scan.channels, facts["channels"], strict=True):
        span = fact["range_1_99"]
        values = "nothing measured" if span is None else f"{quantity(span[0], c.unit)} to {quantity(span[1], c.unit)}"
        part = "" if c.measured_fraction == 1 else f", {100 * c.measured_fraction:.1f} % measured"
        lines.append(f"  {c.label:<{width}}  {values}{part}" + ("" if c.role == "raw" else f"  [{c.role}]"))
    if facts["line_factor"]:
        lines.append(
            f"Note:      {g.rows} lines for {g.columns} pixels a line over this range: "
            f"{facts['line_factor']:.3g} x sparse in lines if it is not cropped (restore --task sparse --mask file)"
        )
    lines += [f"Note:      {note}" for note in scan.notes]
    return "\n".join(lines)
