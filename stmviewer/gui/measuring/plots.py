"""Plots below the images: profiles with two cursors, and histograms of heights."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from stmviewer.gui.quantities import Scale, scale_for
from stmviewer.gui.theme import tones
from stmviewer.scan import FloatArray


@dataclass(frozen=True, eq=False)
class Trace:
    """A curve: x in the lateral unit (nm or px), y in the unit of the channel (SI)."""

    name: str
    x: FloatArray
    y: FloatArray
    colour: QColor
    dashed: bool = False
    wide: bool = False


class Plot(pg.PlotWidget):
    """A plot in the colours of the window."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMenuEnabled(False)
        self.hideButtons()
        self.setMinimumSize(80, 90)
        self.getPlotItem().showGrid(x=True, y=True, alpha=0.15)
        self.wear_theme()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        # it comes while the widget is being made, too
        if event.type() == QEvent.Type.PaletteChange and getattr(self, "plotItem", None) is not None:
            self.wear_theme()

    def wear_theme(self) -> None:
        self.setBackground(tones(self.palette()).canvas)
        ink = self.palette().text().color()
        legend = self.plotItem.legend
        if legend is not None:
            legend.setLabelTextColor(ink)
        for side in ("left", "bottom"):
            axis = self.getAxis(side)
            axis.enableAutoSIPrefix(False)
            axis.setPen(tones(self.palette()).quiet)
            axis.setTextPen(ink)

    def name_axes(self, bottom: str, left: str) -> None:
        self.setLabel("bottom", bottom)
        self.setLabel("left", left)


class ProfilePlot(Plot):
    """Profiles on one pair of axes. `cursors_moved` when one of the two cursors is elsewhere."""

    cursors_moved = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.legend = self.addLegend(offset=(-8, 8), labelTextSize="9pt")
        self.wear_theme()
        self.traces: tuple[Trace, ...] = ()
        self.scale_y = Scale(1.0, "", 0)
        self.cursors = tuple(
            pg.InfiniteLine(angle=90, movable=True, label=name, labelOpts={"position": 0.94, "movable": False})
            for name in "AB"
        )
        for line in self.cursors:
            line.sigPositionChanged.connect(lambda _: self.cursors_moved.emit())
        self._length = 0.0

    def show_traces(self, traces: Sequence[Trace], lateral: str, unit: str) -> None:
        """Shows profiles; the cursors stay unless the longest profile has another length."""
        self.clear()
        self.legend.clear()
        self.legend.setColumnCount(2 if len(traces) > 2 else 1)
        self.traces = tuple(traces)
        finite = [t.y[np.isfinite(t.y)] for t in traces]
        values = np.concatenate(finite) if finite else np.zeros(0)
        low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
        self.scale_y = scale_for(low, high, unit)
        for trace in traces:
            style = Qt.PenStyle.DashLine if trace.dashed else Qt.PenStyle.SolidLine
            pen = pg.mkPen(trace.colour, width=2 if trace.wide else 1.4, style=style)
            self.plot(trace.x, trace.y / self.scale_y.factor, pen=pen, name=trace.name, connect="finite")
        self.name_axes(f"Distance ({lateral})", f"Value ({self.scale_y.label})" if self.scale_y.label else "Value")
        length = max((float(t.x[-1]) for t in traces), default=0.0)
        if traces:
            for line, part in zip(self.cursors, (0.25, 0.75), strict=True):
                if length != self._length or not 0 <= line.value() <= length:
                    line.setValue(part * length)
                line.setPen(pg.mkPen(tones(self.palette()).quiet, width=1.5))
                line.label.setColor(self.palette().text().color())
                self.addItem(line, ignoreBounds=True)
        self._length = length
        self.autoRange()

    def at_cursors(self, trace: Trace) -> tuple[float, float]:
        """The values (SI) of a trace at both cursors, NaN beyond its ends."""
        first, second = (
            float(np.interp(line.value(), trace.x, trace.y, left=np.nan, right=np.nan)) for line in self.cursors
        )
        return first, second

    @property
    def between(self) -> float:
        """The distance from cursor A to B."""
        return float(self.cursors[1].value() - self.cursors[0].value())


class HistogramPlot(Plot):
    """Histograms of heights, the terraces marked."""

    def show_histograms(self, traces: Sequence[Trace], marks: Sequence[tuple[float, QColor]], unit: str) -> None:
        """Traces with heights (SI) as x and parts of the pixels as y; `marks` are heights."""
        self.clear()
        ends = [(float(t.x[0]), float(t.x[-1])) for t in traces]
        scale = scale_for(min(a for a, _ in ends), max(b for _, b in ends), unit) if ends else Scale(1.0, unit, 0)
        for trace in traces:
            pen = pg.mkPen(trace.colour, width=1.8, style=Qt.PenStyle.DashLine if trace.dashed else None)
            fill = QColor(trace.colour)
            fill.setAlpha(40)
            self.plot(
                trace.x / scale.factor, trace.y, pen=trace.colour if not trace.dashed else pen, fillLevel=0, brush=fill
            )
        for height, colour in marks:
            self.addItem(pg.InfiniteLine(height / scale.factor, pen=pg.mkPen(colour, width=1)))
        self.name_axes(f"Height ({scale.label})" if scale.label else "Height", "Pixels")
        self.autoRange()
