"""Figures of a scan: raw, mask and restored image side by side, with scale bar, colour bar and what was measured."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

import stmviewer
from stmviewer.files.drawing import Panel, draw
from stmviewer.files.ownership import SOFTWARE_KEY
from stmviewer.files.provenance import to_json
from stmviewer.files.roles import Result, result_of
from stmviewer.files.units import shown_quantity
from stmviewer.files.writing import export
from stmviewer.scan import Channel, FileError, FloatArray, Scan
from stmviewer.scan.levelling import constant_value, fit_plane, is_levelled, robust_range

_FORMATS = {".png": "png", ".pdf": "pdf", ".svg": "svg"}
_DPI = 150
_NO_BREAK = "\N{NO-BREAK SPACE}"
#: matplotlib's fonts are shared and not made for threads
_drawing = threading.Lock()


def save_figure(
    scan: Scan,
    path: Path | str,
    *,
    channels: Sequence[Channel] | None = None,
    title: str | None = None,
    label: bool = True,
) -> Path:
    """Draws `scan` into a .png, .pdf or .svg file and returns its path.

    Panels are raw, mask, restored and deviation, as far as there are any, or the `channels` given. Raw and restored
    share one plane, taken off heights, and one colour range, so that they can be compared. A restored panel says how
    much of it was measured, unless `label` is false: an explicit choice. Raises FileError for another suffix and for
    what the disk refuses.
    """
    path = Path(path)
    form = _FORMATS.get(path.suffix.casefold())
    if form is None:
        raise FileError(path, f"figures are written as {', '.join(_FORMATS)}, not as '{path.suffix}'")
    result = result_of(scan)
    shown = list(channels) if channels is not None else _default_channels(result)
    heading = _heading(scan, shown) if title is None else title
    heading = "".join(letter for letter in heading if letter.isprintable() or letter in ("\n", _NO_BREAK))

    def write(file: BinaryIO) -> None:
        with _drawing:
            figure = draw(panels_of(shown, result, label), scan.geometry, heading, _DPI)
            facts = _metadata(scan, heading, form)
            figure.savefig(file, format=form, dpi=_DPI, bbox_inches="tight", pad_inches=0.12, metadata=facts)

    return export(scan, path, write)


def measured_label(fraction: float) -> str:
    """`restored, 25 % measured`; 100 % only where all of it was."""
    percent = 100.0 if fraction == 1 else min(100 * fraction, 99.9)
    return f"restored, {percent:.3g} % measured"


def panels_of(channels: Sequence[Channel], result: Result, label: bool = True) -> list[Panel]:
    """What to draw of each channel. Heights of the same unit share the plane and range of the restored channel."""
    level = _Level(result.image if result.image in channels else channels[0])
    panels = []
    for channel in channels:
        match channel.role:
            case "mask":
                share = float(np.mean(np.nan_to_num(channel.data) > 0.5))
                panels.append(Panel(f"measured: {100 * share:.3g} %", channel.data, "", (0.0, 1.0), "mask"))
            case "deviation" | "residual":
                title = "deviation (estimated)" if channel.role == "deviation" else "residual at measured pixels"
                bottom, top = robust_range(channel.data)
                # nothing is taken off, and zero stays in the range
                limits = (min(bottom, 0.0), max(top, 0.0))
                panels.append(Panel(title, channel.data, channel.unit, limits, channel.role))
            case _:
                shared = channel.unit == level.unit and level.constant is None
                own = level if shared else _Level(channel)
                title = channel.label if channel.role == "restored" else f"{channel.role}, {channel.label}"
                if channel.role == "restored" and label:
                    title = measured_label(float(result.measured.mean()))
                if own.constant is not None:
                    title += f": {shown_quantity(own.constant, channel.unit)} everywhere"
                panels.append(Panel(title, channel.data - own.plane, channel.unit, own.limits, "height"))
    return panels


class _Level:
    """The plane (rows, columns) to take off, zero where it is no heights, and the robust range of what is left."""

    def __init__(self, channel: Channel) -> None:
        self.unit = channel.unit
        #: the value of every measured pixel, where they are all the same
        self.constant: float | None = None
        if channel.measured.any():
            self.constant = constant_value(channel.data[channel.measured])
        plane: FloatArray = np.zeros(channel.data.shape)
        if is_levelled(channel.unit) or self.constant is not None:
            plane = fit_plane(channel.data)
            if channel.measured.any():
                plane = plane + float(np.nanmedian(channel.data - plane))
        self.plane = plane
        self.limits = (0.0, 0.0) if self.constant is not None else robust_range(channel.data - plane)


def _default_channels(result: Result) -> list[Channel]:
    if result.restored is None:
        return [result.image]
    found = (result.raw, result.mask, result.restored, result.deviation)
    return [channel for channel in found if channel is not None]


def _metadata(scan: Scan, heading: str, form: str) -> dict[str, str]:
    """What the file says of itself beside the picture: title, program, and provenance as JSON."""
    program = {"png": SOFTWARE_KEY, "pdf": "Creator", "svg": "Creator"}[form]
    told = {
        "Title": heading,
        program: f"stmviewer {stmviewer.__version__}",
    }
    if scan.provenance is not None:
        told["Subject" if form == "pdf" else "Description"] = to_json(scan.provenance, ascii_only=True)
    return told


def _heading(scan: Scan, channels: Sequence[Channel]) -> str:
    said = [scan.name, channels[0].label]
    if scan.bias_v is not None:
        said.append(shown_quantity(scan.bias_v, "V").replace(" ", _NO_BREAK))
    if scan.setpoint_a is not None:
        said.append(shown_quantity(scan.setpoint_a, "A").replace(" ", _NO_BREAK))
    return ", ".join(said)
