"""A rectangle of the images, or all of them: statistics, spectra, autocorrelations, heights of terraces."""

import numpy as np
from PySide6.QtCore import QObject, QPointF, QRectF
from PySide6.QtGui import QColor

from stmviewer.gui.display import Picture
from stmviewer.gui.drawing import BoxTool, Ring
from stmviewer.gui.measuring.panel import MeasurePanel
from stmviewer.gui.measuring.planes import PlaneLook
from stmviewer.gui.measuring.plots import Trace
from stmviewer.gui.measuring.strip import Strip
from stmviewer.gui.measuring.tables import statistics_table, terraces_table, waves_table
from stmviewer.gui.measuring.work import (
    Likeness,
    Mode,
    Result,
    Source,
    Waves,
    finite_range,
    likeness_frame,
    measured_all,
)
from stmviewer.gui.processing.spectrum_marks import spectrum_look
from stmviewer.gui.worker import JobDesk
from stmviewer.scan.statistics import Histogram, Statistics
from stmviewer.services import events

_BOX = QColor("#ffd24d")
_RAW, _RESTORED = QColor("#8a93a0"), QColor("#22b8cf")
HINT = "Drag a rectangle for a part of the image; click for all of it. Esc: leave."


class Areas(QObject):
    """Works out in jobs what is asked of the rectangle, and shows it, while the rectangle is the tool in use."""

    def __init__(self, panel: MeasurePanel, strip: Strip, desk: JobDesk, parent: QObject) -> None:
        super().__init__(parent)
        self._panel, self._strip = panel, strip
        self.tool = BoxTool(_BOX, HINT, self)
        self.found: list[tuple[Source, Result]] = []
        #: what is measured; None while another tool is in use
        self._mode: Mode | None = None
        self._sources: list[Source] = []
        self._lane = desk.lane(desk.files, self._on_result)
        self.tool.drawn.connect(lambda _: self._measure())
        self.tool.cleared.connect(self._measure)
        strip.planes.hovered.connect(self._hovered)

    def measure(self, mode: Mode, sources: list[Source]) -> None:
        """Measures these, now and when the rectangle changes."""
        self._mode, self._sources = mode, sources
        self._measure()

    def clear(self) -> None:
        """Goes back to the whole image."""
        self.tool.set_rect(QRectF())
        self._measure()

    def leave(self) -> None:
        """Another tool is in use, or none."""
        self._mode = None
        self._lane.drop()

    def _measure(self) -> None:
        mode, sources = self._mode, self._sources
        if mode is None:
            return
        box = self.tool.rect
        rect = None if box.isEmpty() else (box.x(), box.y(), box.width(), box.height())
        self._panel.show_fault("")
        self._lane.start("Measuring", lambda _: measured_all(mode, sources, rect))

    def _on_result(self, event: events.Event) -> None:
        match event:
            case events.Finished(list() as found):
                self.found = found
                self._show_found()
            case events.Failed(message):
                self.found = []
                self._panel.show_rows([])
                self._panel.show_fault(message)
                self._strip.hide()

    def _show_found(self) -> None:
        strip = self._strip
        match self._mode:
            case "region":
                strip.hide()
                self._panel.show_rows(statistics_table([(s, r) for s, r in self.found if isinstance(r, Statistics)]))
            case "spectrum":
                waves = [(s, r) for s, r in self.found if isinstance(r, Waves)]
                self._panel.show_rows(waves_table(waves))
                strip.planes.show_looks([_waves_look(s, r) for s, r in waves])
                strip.show_page(strip.planes)
            case "autocorrelation":
                alike = [(s, r) for s, r in self.found if isinstance(r, Likeness)]
                strip.planes.show_looks([_alike_look(s, r) for s, r in alike])
                strip.show_page(strip.planes)
                self._panel.show_rows([])
            case "steps":
                self._show_steps([(s, r) for s, r in self.found if isinstance(r, Histogram)])

    def _show_steps(self, found: list[tuple[Source, Histogram]]) -> None:
        self._panel.show_rows(terraces_table(found))
        traces = []
        marks = []
        for source, h in found:
            colour = _RESTORED if source.wide else _RAW
            traces.append(Trace(source.name, h.heights, h.counts, colour, wide=source.wide))
            marks += [(t.height, colour) for t in h.terraces]
        if found:
            self._strip.histograms.show_histograms(traces, marks, found[0][0].channel.unit)
            self._strip.show_page(self._strip.histograms)

    def _hovered(self, at: QPointF | None) -> None:
        """Period and direction under the cursor on a spectrum, distance on an autocorrelation."""
        if self._mode not in ("spectrum", "autocorrelation") or at is None:
            self._strip.readout.setText(" ")
            return
        x, y = at.x(), at.y()
        size = float(np.hypot(x, y))
        angle = float(np.degrees(np.arctan2(-y, x))) % 180
        lateral, _ = self._sources[0].lateral
        if self._mode == "spectrum":
            told = f"period {1 / size:.4g} {lateral}" if size > 0 else "the mean"
        else:
            told = f"moved by {size:.4g} {lateral}"
        self._strip.readout.setText(f"{told}     {angle:.0f}°")


def _waves_look(source: Source, found: Waves) -> PlaneLook:
    factor = 1e-9 if found.geometry.calibrated else 1.0
    size = 1.2 * max(found.spectrum.step_x, found.spectrum.step_y) * factor
    size = max(size, 0.012 * max(found.spectrum.most) * factor)
    rings = [
        Ring(QPointF(sign * w.kx * factor, sign * w.ky * factor), size, _BOX, str(number) if sign > 0 else "")
        for number, w in enumerate(found.waves[:6], 1)
        for sign in (1, -1)
    ]
    return spectrum_look(f"Spectrum, {source.name}", found.spectrum, found.geometry, rings)


def _alike_look(source: Source, found: Likeness) -> PlaneLook:
    picture = Picture(found.values, likeness_frame(found))
    return PlaneLook(f"Autocorrelation, {source.name}", picture, finite_range(found.values))
