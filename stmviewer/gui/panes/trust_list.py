"""The findings on a result, one row each: a coloured mark, the text, and what it means.

How much of it is seen depends on the room: everything; the texts, and on a click what one means; the texts of the
first, which matter most, and the marks of the others; the marks alone.
"""

import textwrap
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from stmviewer.gui.sentences import sentence
from stmviewer.gui.theme import tones
from stmviewer.gui.trust import MARK_TEXTS, Finding, Mark

_SIDE = 14
#: between a mark and its text, and between rows
_BESIDE, _BETWEEN = 6, 1
#: of a row, above and below
_EDGE = 1
#: letters in a line of a tip
_TIP_COLUMNS = 80


class MarkDot(QWidget):
    """A coloured mark with a sign in it, so that it is not told by its colour alone."""

    def __init__(self, mark: Mark, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mark: Mark = mark
        self.setFixedSize(QSize(_SIDE, _SIDE))
        self.setToolTip(MARK_TEXTS[mark])
        self.setAccessibleName(MARK_TEXTS[mark])

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        colours = tones(self.palette())
        colour = {"ok": colours.ok, "look": colours.look, "unknown": colours.unknown}[self._mark]
        area = QRectF(1, 1, _SIDE - 2, _SIDE - 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(area)
        pen = QPen(self.palette().base().color(), 1.8)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        if self._mark == "ok":
            x, y = area.left(), area.top()
            painter.drawLine(int(x + 3), int(y + 6), int(x + 5), int(y + 8))
            painter.drawLine(int(x + 5), int(y + 8), int(x + 9), int(y + 4))
        else:
            font = self.font()
            font.setPixelSize(10)
            font.setBold(True)
            painter.setFont(font)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, "!" if self._mark == "look" else "?")


class FindingRow(QWidget):
    """One finding; a click or Enter opens the sentence on what it means, or closes it."""

    toggled = Signal()

    def __init__(self, finding: Finding, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.finding = finding
        #: whether the user has opened or closed it; None: as the room allows
        self._asked: bool | None = None
        self._text = QLabel(f"{finding.about}: {finding.text}")
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self.meaning = QLabel("\n".join(t for t in (_sentence(finding.more), finding.meaning) if t))
        self.meaning.setObjectName("quiet")
        self.meaning.setWordWrap(True)
        self.meaning.hide()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, _EDGE, 0, _EDGE)
        grid.setHorizontalSpacing(_BESIDE)
        grid.setVerticalSpacing(0)
        grid.addWidget(MarkDot(finding.mark), 0, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self._text, 0, 1)
        grid.addWidget(self.meaning, 1, 1)
        grid.setColumnStretch(1, 1)
        self.setAccessibleName(f"{MARK_TEXTS[finding.mark]}: {self._text.text()}")
        if self.meaning.text():
            self.setCursor(Qt.CursorShape.PointingHandCursor)
            self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self.setToolTip("Click: what this means")

    @property
    def text(self) -> str:
        return self._text.text()

    def height_at(self, width: int, *, opened: bool) -> int:
        """How high it is at that width."""
        room = max(width - _SIDE - _BESIDE, 1)
        high = max(self._text.heightForWidth(room), _SIDE) + 2 * _EDGE
        return high + (self.meaning.heightForWidth(room) if opened and self.meaning.text() else 0)

    def open_as_room(self, roomy: bool) -> None:
        """Opens or closes it, unless the user has."""
        self.meaning.setVisible(bool(self.meaning.text()) and (roomy if self._asked is None else self._asked))

    def toggle(self) -> None:
        if self.meaning.text():
            self._asked = self.meaning.isHidden()
            self.meaning.setVisible(self._asked)
            self.toggled.emit()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.rect().contains(event.position().toPoint()):
            self.toggle()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.toggle()
        else:
            super().keyPressEvent(event)


class FindingMark(QWidget):
    """A finding where there is no room for its text: the mark and the subject; the rest on a click and in the tip."""

    def __init__(self, finding: Finding, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, _EDGE, 0, _EDGE)
        row.setSpacing(_BESIDE)
        row.addWidget(MarkDot(finding.mark))
        row.addWidget(QLabel(finding.about), 1)
        said = (f"{finding.about}: {_sentence(finding.text)}", _sentence(finding.more), finding.meaning)
        # a tip of plain text is as wide as its longest line: some would reach from one side of the screen to the other
        self.setToolTip("\n".join(textwrap.fill(text, _TIP_COLUMNS) for text in said if text))
        self.setAccessibleName(f"{MARK_TEXTS[finding.mark]}: {finding.about}: {finding.text}")
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        QToolTip.showText(self.mapToGlobal(QPoint(0, self.height())), self.toolTip(), self)


def _sentence(text: str) -> str:
    return f"{sentence(text)}." if text else ""


class TrustList(QScrollArea):
    """All findings, in as much detail as there is room for; scrolls where the user has opened more than that."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._body = QWidget()
        self._column = QVBoxLayout(self._body)
        self._column.setContentsMargins(0, 0, 4, 0)
        self._column.setSpacing(_BETWEEN)
        self._rows: list[FindingRow] = []
        self._summary: QWidget | None = None
        self._table: QWidget | None = None
        self._has_table = False
        self._marks: list[FindingMark] = []
        self._grid_widget = QWidget()
        self._grid = QGridLayout(self._grid_widget)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(0)
        self._grid_widget.hide()
        self._column.addWidget(self._grid_widget)
        self._column.addStretch(1)
        self.setWidget(self._body)
        self._clear_ground()

    @property
    def rows(self) -> list[FindingRow]:
        return self._rows

    @property
    def marks(self) -> list[FindingMark]:
        """What stands for the rows that there is no room for: the last ones, or all."""
        return [] if self._grid_widget.isHidden() else [mark for mark in self._marks if not mark.isHidden()]

    def put_above(self, summary: QLabel, table: QWidget) -> None:
        """What stands above the findings and scrolls with them; the table only where there is room."""
        self._summary, self._table = summary, table
        self._column.insertWidget(0, summary)
        self._column.insertWidget(1, table)

    def show_findings(self, findings: Sequence[Finding], *, table: bool = False) -> None:
        """Shows findings, and the table above them where there is one and room for it."""
        self._has_table = table
        if [row.finding for row in self._rows] != list(findings):  # else what has been opened stays open
            for old in (*self._rows, *self._marks):
                old.hide()
                old.deleteLater()
            self._rows = [FindingRow(finding) for finding in findings]
            self._marks = [FindingMark(finding) for finding in findings]
            for k, row in enumerate(self._rows):
                self._column.insertWidget(2 + k, row)
        self._fit()

    def _fit(self) -> None:
        """As much as there is room for."""
        if self._summary is None or self._table is None:
            return
        # with the scroll bar, whether it is there or not: what it takes must not decide whether it is needed
        width = self.width() - self.verticalScrollBar().sizeHint().width() - self._column.contentsMargins().right()
        room = self.viewport().height()
        summary = self._summary.heightForWidth(max(width, 1)) + _BETWEEN
        table = self._table.sizeHint().height() + _BETWEEN if self._has_table else 0
        texts, opened = (sum(row.height_at(width, opened=on) + _BETWEEN for row in self._rows) for on in (False, True))
        roomy = summary + table + opened <= room
        self._table.setVisible(self._has_table and summary + table + texts <= room)
        told = self._told(width, room - summary)
        for k, row in enumerate(self._rows):
            row.setVisible(k < told)
            row.open_as_room(roomy)
        self._place_marks(width, told)
        self._grid_widget.setVisible(told < len(self._rows))

    def _told(self, width: int, room: int) -> int:
        """How many findings, from the first on, can be told in words, with room for the marks of all others."""
        told = len(self._rows)
        high = sum(row.height_at(width, opened=False) + _BETWEEN for row in self._rows)
        while told and high > room:
            told -= 1
            left = self._marks[told:]
            high = sum(row.height_at(width, opened=False) + _BETWEEN for row in self._rows[:told]) + _BETWEEN
            high += -(-len(left) // self._columns(width)) * left[0].sizeHint().height()
        return told

    def _columns(self, width: int) -> int:
        """How many marks stand beside each other."""
        widest = max(mark.sizeHint().width() for mark in self._marks) + self._grid.horizontalSpacing()
        return min(max(width // widest, 1), 4)

    def _place_marks(self, width: int, first: int) -> None:
        """The marks of the findings from `first` on, the others away."""
        for mark in self._marks:
            self._grid.removeWidget(mark)
            mark.hide()
        if first == len(self._marks):
            return
        columns = self._columns(width)
        for k, mark in enumerate(self._marks[first:]):
            self._grid.addWidget(mark, k // columns, k % columns)
            mark.show()
        for column in range(5):
            self._grid.setColumnStretch(column, int(column == columns))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._clear_ground()
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    def _clear_ground(self) -> None:
        # a scroll area fills itself with the colour of text fields otherwise
        self.viewport().setAutoFillBackground(False)
        self._body.setAutoFillBackground(False)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 40)
