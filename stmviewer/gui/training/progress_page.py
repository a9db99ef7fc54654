"""The third page: how the training goes. Curves, the same few scans restored again and again, and what computes."""

import logging
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from stmviewer.gui.elided_label import ElidedLabel
from stmviewer.gui.measuring.plots import Plot
from stmviewer.gui.theme import is_dark
from stmviewer.gui.training.course import SETS, TASKS, WITHOUT, Course, machine_text, verdict
from stmviewer.gui.training.picture_grid import PictureGrid, Tile, limits_of
from stmviewer.scan import BoolArray, FloatArray

_log = logging.getLogger(__name__)
_COLOURS = {"repair": ("#b3541e", "#e8995f"), "sparse": ("#2f6f9f", "#6fb4e3")}
_LOSS = ("#5d6166", "#a2a6ab")
#: of the scans restored again and again so many are shown, and so many of the times
_MOST_PROBES, _MOST_TIMES = 4, 5
_SIDE = 118
_WAITING = "After the first check the same scans are shown here, restored as the model would do it by then"


class ProgressPage(QWidget):
    """Shows a Course and nothing of its own."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._course = Course()
        self._seen: tuple[object, ...] = ()
        self.verdict = ElidedLabel()
        self.verdict.setObjectName("scanName")
        self.machine = ElidedLabel()
        self.machine.setObjectName("quiet")
        self.loss = Plot()
        self.loss.name_axes("Training time (min)", "Error in training")
        self.scores = Plot()
        self.scores.name_axes("Training time (min)", "Likeness (SSIM)")
        self.sets = QComboBox()
        self.sets.setAccessibleName("Scans that are checked on")
        self.sets.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.legend = QLabel()
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.grid = PictureGrid(most=_SIDE)
        self.grid.show_hint(_WAITING)
        self.sets.activated.connect(lambda _: self._draw_scores())
        self._lay_out()

    def show_course(self, course: Course) -> None:
        """Draws what is new since the last time."""
        self._course = course
        self.verdict.show_text(verdict(course) or ("The curves begin with the first steps" if not course.steps else ""))
        self.machine.show_text(machine_text(course))
        seen = (id(course), len(course.steps), len(course.validations), len(course.probes))
        before, self._seen = self._seen or (0, -1, -1, -1), seen
        if seen[:2] != before[:2]:
            self._draw_loss()
        if (seen[0], seen[2]) != (before[0], before[2]):
            self._fill_sets()
            self._draw_scores()
        if (seen[0], seen[3]) != (before[0], before[3]):
            self._draw_probes()

    def changeEvent(self, event: object) -> None:
        super().changeEvent(event)  # type: ignore[arg-type]
        if event.type() == event.Type.PaletteChange and hasattr(self, "legend"):  # type: ignore[attr-defined]
            self._draw_loss()
            self._draw_scores()

    def _colour(self, pair: tuple[str, str]) -> QColor:
        return QColor(pair[is_dark(self.palette())])

    def _draw_loss(self) -> None:
        self.loss.clear()
        minutes, losses = self._course.losses()
        if minutes:
            self.loss.plot(minutes, losses, pen=_pen(self._colour(_LOSS)), **_dots(minutes, self._colour(_LOSS)))

    def _fill_sets(self) -> None:
        names = self._course.sets()
        chosen = self.sets.currentData()
        with QSignalBlocker(self.sets):
            self.sets.clear()
            for name in names:
                self.sets.addItem(f"Checked on {SETS[name]}", name)
            self.sets.setCurrentIndex(max(self.sets.findData(chosen), 0 if names else -1))
        self.sets.setVisible(bool(names))

    def _draw_scores(self) -> None:
        self.scores.clear()
        words = []
        for line in self._course.lines(self.sets.currentData() or ""):
            colour = self._colour(_COLOURS[line.task])
            self.scores.plot(line.minutes, line.scores, pen=_pen(colour), **_dots(line.minutes, colour))
            if all(math.isfinite(b) for b in line.baseline):
                level = float(np.mean(line.baseline))
                dashed = pg.InfiniteLine(level, angle=0, pen=_pen(colour, dashed=True))
                self.scores.addItem(dashed)
                # an endless line does not count for the range of the axis
                self.scores.plot([line.minutes[0]], [level], pen=None)
            words.append(
                f'<span style="color:{colour.name()}">●</span> {TASKS[line.task]} (dashed: {WITHOUT[line.task]})'
            )
        self.legend.setText("&nbsp;&nbsp; ".join(words))

    def _draw_probes(self) -> None:
        found = [(p.step, read_probes(p.path)) for p in _spread(self._course.probes, _MOST_TIMES)]
        loaded = [(step, arrays) for step, arrays in found if arrays is not None]
        if not loaded:
            self.grid.show_hint(_WAITING)
            return
        last = loaded[-1][1]
        count = min(len(arrays["restored"]) for _, arrays in loaded)
        rows = []
        for k in _both_kinds(last["measured"][:count] > 0)[:_MOST_PROBES]:
            limits, measured = limits_of(last["truth"][k]), last["measured"][k] > 0
            what = "bad tip" if measured.all() else f"{100 * float(measured.mean()):.0f} % measured"
            given = Tile(last["raw"][k], limits, measured, what)
            rows.append([given, *(Tile(a["restored"][k], limits) for _, a in loaded), Tile(last["truth"][k], limits)])
        self.grid.show_tiles(("given", *(f"step {step:,}" for step, _ in loaded), "truth"), rows)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.sets)
        head.addWidget(self.legend, 1)
        curves = QHBoxLayout()
        curves.setSpacing(10)
        curves.addWidget(self.scores, 3)
        curves.addWidget(self.loss, 2)
        self.scores.setToolTip("Likeness of the restored pieces to the true ones: 1 is the same image")
        for plot in (self.scores, self.loss):
            plot.setMinimumHeight(150)
            plot.setLimits(xMin=0)  # around a single point a range is chosen that goes below
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(self.grid)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.setSpacing(6)
        layout.addWidget(self.verdict)
        layout.addLayout(head)
        layout.addLayout(curves, 2)
        layout.addWidget(scroll, 3)
        layout.addWidget(self.machine)
        self.sets.hide()


def read_probes(path: Path) -> dict[str, FloatArray] | None:
    """The arrays raw, measured, restored and truth, each (count, rows, columns); None where the file is not whole."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {
                name: np.asarray(file[name], dtype=np.float64) for name in ("raw", "measured", "restored", "truth")
            }
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        _log.info("no probes in %s: %s", path, error)
        return None
    shapes = {a.shape for a in arrays.values()}
    return arrays if len(shapes) == 1 and len(next(iter(shapes))) == 3 and next(iter(shapes))[0] else None


def _both_kinds(measured: BoolArray) -> list[int]:
    """Numbers of the probes, repairs and sparse scans in turn."""
    whole = measured.all(axis=(1, 2))
    kinds = [list(np.flatnonzero(whole)), list(np.flatnonzero(~whole))]
    return [int(kind[k]) for k in range(len(measured)) for kind in kinds if k < len(kind)]


def _spread(items: list[Any], most: int) -> list[Any]:
    """At most so many, the first and the last among them, evenly spread."""
    if len(items) <= most:
        return items
    return [items[round(k * (len(items) - 1) / (most - 1))] for k in range(most)]


def _pen(colour: QColor, *, dashed: bool = False) -> QPen:
    pen = pg.mkPen(colour, width=1 if dashed else 2)
    if dashed:
        pen.setStyle(Qt.PenStyle.DashLine)
    return pen


def _dots(points: Sequence[float], colour: QColor) -> dict[str, object]:
    """A curve of few points shows them: one alone would not be seen at all."""
    few = len(points) <= 30
    return {"symbol": "o", "symbolSize": 5, "symbolBrush": colour, "symbolPen": None} if few else {}
