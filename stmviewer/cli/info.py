"""`stmviewer info`: what a microscopist wants to know of a file."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stmviewer.cli.calibration import add_calibration, calibration_of
from stmviewer.cli.console import print_json
from stmviewer.cli.scan_text import aligned, scan_text, spectra_text
from stmviewer.files import kind_of, read_grid, read_spectrum
from stmviewer.scan import Grid, RequestError, Scan, Spectrum
from stmviewer.scan.levelling import robust_range
from stmviewer.scan.lines import line_factor, looks_line_sparse
from stmviewer.services.opening import open_calibrated


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument(
        "--tip-state", action="store_true", help="judge the tip from the topography: good, double, changed, blurry"
    )
    add_calibration(parser)


def run(arguments: argparse.Namespace) -> int:
    said = calibration_of(arguments)
    kind = kind_of(arguments.file)
    if kind == "dat":
        spectrum = read_spectrum(arguments.file)
        if said is not None:
            raise RequestError(f"{spectrum.name} is a spectrum, which has no pixels to give a size")
        if arguments.tip_state:
            raise RequestError(f"{spectrum.name} is a spectrum; the tip is judged from images")
        facts, text = describe_spectra(spectrum), spectra_text(spectrum)
    else:
        parts = open_calibrated(arguments.file, said)
        all_facts = [describe(part) for part in parts]
        facts, text = all_facts[0], "\n\n".join(map(scan_text, parts, all_facts))
        if arguments.tip_state:
            states = [describe_tip(part) for part in parts]
            facts = facts | {"tip_state": states[0]}
            all_facts = [one | {"tip_state": state} for one, state in zip(all_facts, states, strict=True)]
            told = [scan_text(part, one) for part, one in zip(parts, all_facts, strict=True)]
            text = "\n\n".join(f"{one}\n{_tip_line(state)}" for one, state in zip(told, states, strict=True))
        if len(parts) > 1:
            facts = facts | {"parts": all_facts}
        if kind == "3ds":
            grid = read_grid(arguments.file)
            facts["spectra"] = describe_spectra(grid)
            text += "\n" + spectra_text(grid)
    if arguments.json:
        print_json(facts)
    else:
        print(text)
    return 0


def describe_tip(scan: Scan) -> dict[str, Any]:
    """What the judge says of the tip that measured the topography, for JSON; `refused` where it cannot tell."""
    from stmviewer.services.judging import tip_state

    try:
        state = tip_state(scan)
    except RequestError as error:
        return {"refused": str(error)}
    return {
        "kind": state.kind,
        "sure": state.sure,
        "probabilities": dict(state.probabilities),
        "changed_at": state.changed_at,
        "good_after": state.good_after,
        "recognised": state.recognised,
        "second_end": None if state.second is None else asdict(state.second),
        "advice": state.advice,
        "text": state.text,
        "model": state.model,
    }


def _tip_line(facts: dict[str, Any]) -> str:
    if "refused" in facts:
        return "\n".join(aligned([("Tip", facts["refused"])]))
    shares = ", ".join(f"{name} {100 * share:.0f} %" for name, share in facts["probabilities"].items())
    return "\n".join(aligned([("Tip", f"{facts['text'].removeprefix('Tip: ')}\n{shares}")]))


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
        "part": scan.part.number,
        "part_name": scan.part.name,
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
        "calibration": scan.calibration,
        "provenance": scan.provenance,
    }
