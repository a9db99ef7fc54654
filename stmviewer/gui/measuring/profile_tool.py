"""Lines across the image: dragged on any pane, their ends moved, Shift in steps of 45 degrees."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QLineF, QObject, QPointF, Qt
from PySide6.QtGui import QColor

from stmviewer.gui.drawing import Keys, Line, Shape, Tool

#: readable on the colours of heights and on light and dark plots
COLOURS = tuple(QColor(c) for c in ("#22b8cf", "#e64980", "#51a341", "#e8870c", "#7b6cf0"))
_MOST = len(COLOURS)
_SNAP = np.pi / 4


@dataclass(frozen=True)
class Ends:
    """The ends of a profile (nm or px)."""

    start: QPointF
    end: QPointF

    @property
    def length(self) -> float:
        return QLineF(self.start, self.end).length()


class ProfileTool(Tool):
    """Up to five lines; a drag makes one, or moves the end that it begins at."""

    hint = "Drag a line on an image; Shift turns it in steps of 45°. Drag an end to move it. Esc: leave."

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.lines: list[Ends] = []
        #: what is averaged over, in nm or px
        self.width = 0.0
        #: the line and the end (0 or 1) that are being moved
        self._held: tuple[int, int] | None = None

    def shapes(self) -> Sequence[Shape]:
        return [Line(e.start, e.end, COLOURS[k], str(k + 1), self.width) for k, e in enumerate(self.lines)]

    def press(self, at: QPointF, reach: float, keys: Keys) -> None:
        for index, ends in enumerate(self.lines):
            for side, point in enumerate((ends.start, ends.end)):
                if QLineF(at, point).length() <= reach:
                    self._held = index, side
                    return
        if len(self.lines) == _MOST:
            self.lines.pop()
        self.lines.append(Ends(at, at))
        self._held = len(self.lines) - 1, 1

    def drag(self, at: QPointF, keys: Keys) -> None:
        if self._held is None:
            return
        index, side = self._held
        fixed = self.lines[index].start if side else self.lines[index].end
        if keys & Qt.KeyboardModifier.ShiftModifier:
            at = snapped(fixed, at)
        self.lines[index] = Ends(fixed, at) if side else Ends(at, fixed)
        self.changed.emit()

    def release(self, at: QPointF, keys: Keys) -> None:
        self._held = None
        self.lines = [ends for ends in self.lines if ends.length > 0]
        self.changed.emit()

    def remove(self, index: int) -> None:
        del self.lines[index]
        self.changed.emit()

    def clear(self) -> None:
        self.lines.clear()
        self.changed.emit()


def snapped(start: QPointF, at: QPointF) -> QPointF:
    """`at` moved onto the nearest direction of 0, 45, 90 degrees and so on from `start`."""
    away = at - start
    angle = round(np.arctan2(away.y(), away.x()) / _SNAP) * _SNAP
    length = away.x() * np.cos(angle) + away.y() * np.sin(angle)
    return start + QPointF(float(length * np.cos(angle)), float(length * np.sin(angle)))
