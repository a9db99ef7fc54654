"""The findings on a result, one row each: a coloured mark, the text, and on a click what it means."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from stmviewer.gui.sentences import sentence
from stmviewer.gui.theme import tones
from stmviewer.gui.trust import MARK_TEXTS, Finding, Mark

_SIDE = 14


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
    """One finding; a click or Enter opens the sentence on what it means."""

    toggled = Signal()

    def __init__(self, finding: Finding, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.finding = finding
        self._text = QLabel(f"{finding.about}: {finding.text}")
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self.meaning = QLabel("\n".join(t for t in (_sentence(finding.more), finding.meaning) if t))
        self.meaning.setObjectName("quiet")
        self.meaning.setWordWrap(True)
        self.meaning.hide()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 1, 0, 1)
        grid.setHorizontalSpacing(6)
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

    def toggle(self) -> None:
        if self.meaning.text():
            self.meaning.setVisible(self.meaning.isHidden())
            self.toggled.emit()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.rect().contains(event.position().toPoint()):
            self.toggle()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.toggle()
        else:
            super().keyPressEvent(event)


def _sentence(text: str) -> str:
    return f"{sentence(text)}." if text else ""


class TrustList(QScrollArea):
    """All findings; scrolls where there is no room for them."""

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
        self._column.setSpacing(1)
        self._rows: list[FindingRow] = []
        self._head: list[QWidget] = []
        self._column.addStretch(1)
        self.setWidget(self._body)
        self._clear_ground()

    @property
    def rows(self) -> list[FindingRow]:
        return self._rows

    def put_above(self, widget: QWidget) -> None:
        """A widget above the findings that scrolls with them."""
        self._column.insertWidget(len(self._head), widget)
        self._head.append(widget)

    def show_findings(self, findings: Sequence[Finding]) -> None:
        if [row.finding for row in self._rows] == list(findings):
            return  # what has been opened stays open
        for row in self._rows:
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._rows = [FindingRow(finding) for finding in findings]
        for k, row in enumerate(self._rows):
            self._column.insertWidget(len(self._head) + k, row)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._clear_ground()

    def _clear_ground(self) -> None:
        # a scroll area fills itself with the colour of text fields otherwise
        self.viewport().setAutoFillBackground(False)
        self._body.setAutoFillBackground(False)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 40)
