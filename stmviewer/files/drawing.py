"""Draws the panels of a figure, by matplotlib's object interface: nothing global, no window, any thread.

Everything is laid out in inches, so that panels of any shape stand at the same scale beside each other.
"""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from stmviewer.files.colours import lookup_table
from stmviewer.files.units import shown_quantity, shown_unit
from stmviewer.scan import FloatArray, Geometry

_PANEL = 3.2
_GAP = 0.15
_BAR_GAP, _BAR, _BAR_LABELS = 0.08, 0.13, 0.75
_TITLE, _LINE = 0.32, 0.2
#: room for the pixel numbers of an image without a size
_AXIS = 0.55
#: frames longer than this are drawn shorter, or nothing could be seen of a few lines over a wide range
_LONGEST_ASPECT = 4.0
#: unmeasured pixels: a colour that no map has
_UNMEASURED = "#4a6a8a"


@dataclass(frozen=True)
class Panel:
    """One image of a figure: `values` (rows, columns) in `unit`, the range of its colours, and the kind of them.

    Panels of heights with the same range share one colour bar, beside the last of them.
    """

    title: str
    values: FloatArray
    unit: str
    limits: tuple[float, float]
    kind: Literal["height", "mask", "deviation", "residual"]


def round_length(longest: float) -> float:
    """The longest length of 1, 2 or 5 times a power of ten that is not over `longest` (positive)."""
    power = 10.0 ** math.floor(math.log10(longest) + 1e-9)
    return max(step for step in (1.0, 2.0, 5.0) if step * power <= longest * (1 + 1e-9)) * power


def draw(panels: Sequence[Panel], frame: Geometry, heading: str, dpi: float) -> Figure:
    """The figure of `panels` side by side, all on the geometry `frame`, under a heading."""
    aspect = min(max(frame.height / frame.width, 1 / _LONGEST_ASPECT), _LONGEST_ASPECT)
    width = _PANEL if aspect <= 1.5 else _PANEL * 1.5 / aspect
    height = width * aspect
    axis_room = 0.0 if frame.calibrated else _AXIS
    with_bar = [_has_bar(panel, panels[i + 1 :]) for i, panel in enumerate(panels)]
    bar_room = _BAR_GAP + _BAR + _BAR_LABELS
    total = sum(axis_room + width + (bar_room if bar else _GAP) for bar in with_bar)

    figure = Figure(figsize=(total, height), dpi=dpi)
    FigureCanvasAgg(figure)
    lines = _broken(figure, heading, max(total, 4.0))
    below = axis_room
    full = below + height + _TITLE + _LINE * (len(lines) + 0.3)
    figure.set_size_inches(total, full)
    figure.text(0.5, 1.0, "\n".join(lines), ha="center", va="top", fontsize=11, parse_math=False)

    left = 0.0
    for panel, bar in zip(panels, with_bar, strict=True):
        left += axis_room
        axes = figure.add_axes((left / total, below / full, width / total, height / full))
        shown = _image(axes, panel, frame, panel.values.shape[1] <= width * dpi)
        axes.set_title(panel.title, fontsize=10, parse_math=False)
        _frame(axes, frame, height)
        left += width
        if bar:
            place = ((left + _BAR_GAP) / total, below / full, _BAR / total, height / full)
            figure.colorbar(shown, cax=figure.add_axes(place)).set_label(_shown_unit(panel)[0])
        left += bar_room if bar else _GAP
    return figure


def _has_bar(panel: Panel, later: Sequence[Panel]) -> bool:
    if panel.kind == "mask" or not np.isfinite(panel.values).any() or panel.limits[0] == panel.limits[1]:
        return False
    scale = (panel.kind, panel.unit, panel.limits)
    return panel.kind != "height" or scale not in [(other.kind, other.unit, other.limits) for other in later]


def _shown_unit(panel: Panel) -> tuple[str, float]:
    return shown_unit(max(abs(limit) for limit in panel.limits), panel.unit)


def _image(axes: Axes, panel: Panel, frame: Geometry, pixels_show: bool) -> AxesImage:
    factor = _shown_unit(panel)[1]
    bottom, top = (limit * factor for limit in panel.limits)
    if not np.isfinite(panel.values).any():
        axes.text(0.5, 0.5, "no pixel was measured", color="white", ha="center", transform=axes.transAxes)
    return axes.imshow(
        np.ma.masked_invalid(panel.values * factor),
        cmap=_colours(panel),
        # a constant image gets the colour of the middle
        vmin=bottom if top > bottom else bottom - 1.0,
        vmax=top if top > bottom else bottom + 1.0,
        extent=(0, frame.width, frame.height, 0),
        aspect="auto",
        # pixels as they are where they can be seen, averaged where they are smaller than those of the figure
        interpolation="nearest" if pixels_show else "auto",
    )


def _colours(panel: Panel) -> Colormap:
    match panel.kind:
        case "height":
            colours: Colormap = ListedColormap(lookup_table() / 255.0)
        case "mask":
            colours = ListedColormap([_UNMEASURED, "#e7e3d6"])
        case _:
            # not to be taken for heights
            from matplotlib import colormaps

            colours = colormaps["viridis"].copy()
    return colours.with_extremes(bad=_UNMEASURED)


def _frame(axes: Axes, frame: Geometry, height: float) -> None:
    """Pixel numbers around an image without a size, a scale bar in one that has a size."""
    if not frame.calibrated:
        axes.set_xlabel("px")
        axes.set_ylabel("px")
        return
    axes.set_xticks([])
    axes.set_yticks([])
    length = round_length(frame.width * 0.35)
    left, bottom, thick = 0.05, min(0.15 / height, 0.2), 0.05 / height
    bar = Rectangle((left, bottom), length / frame.width, thick, facecolor="white", edgecolor="black", linewidth=0.8)
    bar.set_transform(axes.transAxes)
    axes.add_patch(bar)
    axes.annotate(
        shown_quantity(length, "m"),
        (left, bottom + thick),
        xycoords="axes fraction",
        xytext=(0, 3),
        textcoords="offset points",
        color="white",
        fontsize=10,
        path_effects=[withStroke(linewidth=3, foreground="black")],
    )


def _broken(figure: Figure, heading: str, inches: float) -> list[str]:
    """The heading in lines that fit into `inches`, three at the most: file names are long."""
    text = figure.text(0, 0, heading, fontsize=11, parse_math=False)
    letters = max(len(heading), 1)
    lines = [heading]
    while letters > 8 and text.get_window_extent().width > inches * figure.dpi:
        letters = min(letters - 1, int(letters * 0.95))
        lines = textwrap.wrap(heading, letters, max_lines=3, placeholder=" …")
        text.set_text("\n".join(lines))
    text.remove()
    return lines
