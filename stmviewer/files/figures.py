"""Figures of a scan: raw, mask and restored image side by side, with scale bar, colour bar and what was measured."""

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from stmviewer.files.colours import lookup_table
from stmviewer.files.roles import Result, result_of
from stmviewer.files.saving import export
from stmviewer.files.units import shown_quantity, shown_unit
from stmviewer.scan import Channel, FileError, FloatArray, Geometry, Scan
from stmviewer.scan.levelling import fit_plane, robust_range

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

_FORMATS = {".png": "png", ".pdf": "pdf", ".svg": "svg"}
_DPI = 150
_PANEL_INCHES = 3.2
#: frames longer than this are drawn shorter, or nothing could be seen of a few lines over a wide range
_LONGEST_ASPECT = 4.0
#: unmeasured pixels: a colour that the map has not
_UNMEASURED = "#4a6a8a"
#: matplotlib's fonts are shared and not made for threads
_drawing = threading.Lock()


def save_figure(
    scan: Scan, path: Path | str, *, channels: Sequence[Channel] | None = None, title: str | None = None
) -> Path:
    """Draws `scan` into a .png, .pdf or .svg file and returns its path.

    Panels are raw, mask, restored and deviation, as far as there are any, or the `channels` given. Raw and restored
    share one plane, taken off, and one colour range, so that they can be compared. A restored panel says how much
    of it was measured. Raises FileError for another suffix and for what the disk refuses.
    """
    path = Path(path)
    form = _FORMATS.get(path.suffix.casefold())
    if form is None:
        raise FileError(path, f"figures are written as {', '.join(_FORMATS)}, not as '{path.suffix}'")
    result = result_of(scan)
    panels = list(channels) if channels is not None else _default_panels(result)
    heading = _heading(scan, result) if title is None else title

    def write(file: BinaryIO) -> None:
        with _drawing:
            _draw(scan, result, panels, heading).savefig(file, format=form, dpi=_DPI)

    return export(scan, path, write)


def round_length(longest: float) -> float:
    """The longest length of 1, 2 or 5 times a power of ten that is not over `longest` (positive)."""
    power = 10.0 ** math.floor(math.log10(longest) + 1e-9)
    return max(step for step in (1.0, 2.0, 5.0) if step * power <= longest * (1 + 1e-9)) * power


def measured_label(fraction: float) -> str:
    """`restored, 25 % measured`; 100 % only where all of it was."""
    percent = 100.0 if fraction == 1 else min(100 * fraction, 99.9)
    return f"restored, {percent:.3g} % measured"


def _default_panels(result: Result) -> list[Channel]:
    if result.restored is None:
        return [result.image]
    found = (result.raw, result.mask, result.restored, result.deviation)
    return [channel for channel in found if channel is not None]


def _heading(scan: Scan, result: Result) -> str:
    said = [scan.name, result.image.label]
    if scan.bias_v is not None:
        said.append(shown_quantity(scan.bias_v, "V"))
    if scan.setpoint_a is not None:
        said.append(shown_quantity(scan.setpoint_a, "A"))
    return ", ".join(said)


@dataclass(frozen=True)
class _Scale:
    """How heights become colours: the plane (rows, columns) that is taken off, and the range over what is left."""

    plane: FloatArray
    bottom: float
    top: float
    unit: str

    @classmethod
    def of(cls, channel: Channel) -> "_Scale":
        plane = fit_plane(channel.data)
        level = channel.data - plane
        plane = plane + (float(np.nanmedian(level)) if channel.measured.any() else 0.0)
        return cls(plane, *robust_range(channel.data - plane), channel.unit)


def _draw(scan: Scan, result: Result, panels: Sequence[Channel], heading: str) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    frame = scan.geometry
    aspect = min(max(frame.height / frame.width, 1 / _LONGEST_ASPECT), _LONGEST_ASPECT)
    width = _PANEL_INCHES if aspect <= 1.5 else _PANEL_INCHES * 1.5 / aspect
    size = (len(panels) * width + 1.4, width * aspect + 1.2)
    figure = Figure(figsize=(max(size[0], 4.5), size[1]), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    scale = _Scale.of(result.image)
    shared: list[tuple[Axes, AxesImage]] = []
    for axis, channel in zip(axes, panels, strict=True):
        axis.set_title(_panel_title(channel, result), fontsize=10, parse_math=False)
        if channel.role == "mask":
            _image(axis, channel.data, frame, "grey", (0.0, 1.0))
        elif channel.role in ("raw", "restored") and channel.unit == scale.unit:
            shared.append((axis, _shown(axis, channel, frame, scale)))
        else:
            own = _Scale.of(channel) if channel.role == "raw" else _absolute(channel)
            _colour_bar(figure, _shown(axis, channel, frame, own), [axis], own)
    if shared:
        _colour_bar(figure, shared[-1][1], [shared[-1][0]], scale)
    _add_heading(figure, heading)
    return figure


def _panel_title(channel: Channel, result: Result) -> str:
    match channel.role:
        case "restored":
            return measured_label(float(result.measured.mean()))
        case "mask":
            return f"measured: {100 * float(np.nanmean(channel.data > 0.5)):.3g} %"
        case "deviation":
            return "deviation of the samples"
        case "residual":
            return "residual at measured pixels"
        case _:
            return f"raw, {channel.label}"


def _absolute(channel: Channel) -> _Scale:
    """Deviations and residuals are shown as they are: nothing is taken off, and zero stays in the range."""
    bottom, top = robust_range(channel.data)
    return _Scale(np.zeros_like(channel.data), min(bottom, 0.0), max(top, 0.0) or 1.0, channel.unit)


def _shown(axis: "Axes", channel: Channel, frame: Geometry, scale: _Scale) -> "AxesImage":
    from matplotlib.colors import ListedColormap

    colours = ListedColormap(lookup_table() / 255.0)
    colours.set_bad(_UNMEASURED)
    factor = shown_unit(max(abs(scale.bottom), abs(scale.top)), scale.unit)[1]
    limits = (scale.bottom * factor, scale.top * factor)
    return _image(axis, (channel.data - scale.plane) * factor, frame, colours, limits)


def _image(axis: "Axes", values: FloatArray, frame: Geometry, colours: Any, limits: tuple[float, float]) -> "AxesImage":
    stretched = not 1 / _LONGEST_ASPECT <= frame.height / frame.width <= _LONGEST_ASPECT
    shown = axis.imshow(
        np.ma.masked_invalid(values),
        cmap=colours,
        vmin=limits[0],
        vmax=limits[1],
        extent=(0, frame.width, frame.height, 0),
        aspect="auto" if stretched else "equal",
    )
    if frame.calibrated:
        axis.set_xticks([])
        axis.set_yticks([])
        _scale_bar(axis, frame)
    else:
        axis.set_xlabel("px")
        axis.set_ylabel("px")
    return shown


def _scale_bar(axis: "Axes", frame: Geometry) -> None:
    """A bar of a round length in the lower left corner, white with a dark rim to be seen on any colour."""
    from matplotlib.patheffects import withStroke

    length = round_length(frame.width * 0.35)
    left, rim = 0.06, [withStroke(linewidth=3, foreground="black")]
    axis.plot(
        [left, left + length / frame.width],
        [0.07, 0.07],
        transform=axis.transAxes,
        color="white",
        linewidth=3,
        solid_capstyle="butt",
        path_effects=[withStroke(linewidth=5, foreground="black")],
    )
    axis.text(
        left, 0.1, shown_quantity(length, "m"), transform=axis.transAxes, color="white", fontsize=10, path_effects=rim
    )


def _colour_bar(figure: "Figure", shown: "AxesImage", axes: "list[Axes]", scale: _Scale) -> None:
    unit = shown_unit(max(abs(scale.bottom), abs(scale.top)), scale.unit)[0]
    bar = figure.colorbar(shown, ax=axes, fraction=0.05, pad=0.03)
    bar.set_label(unit)


def _add_heading(figure: "Figure", heading: str) -> None:
    """The title, broken into lines that fit: file names are long, and may hold a dollar sign that is no formula."""
    import textwrap

    text = figure.suptitle(heading, fontsize=11, parse_math=False)
    widest = figure.get_figwidth() * figure.dpi * 0.96
    letters = len(heading)
    while letters > 8 and text.get_window_extent().width > widest:
        letters = int(letters * 0.9)
        text.set_text("\n".join(textwrap.wrap(heading, letters, max_lines=3, placeholder=" …")))
