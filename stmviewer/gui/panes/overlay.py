"""What lies over an image in screen pixels: scale bar, cross-hair, the value under it, and names of its parts."""

from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QFontMetricsF, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsObject, QStyleOptionGraphicsItem, QWidget

from stmviewer.gui.panes.scale_bar import ScaleBar, scale_bar

_LIGHT, _DARK = QColor(255, 255, 255), QColor(0, 0, 0, 170)
_PILL = QColor(16, 18, 20, 190)
_BAR_HEIGHT, _INSET, _FONT = 4.0, 10.0, 12
#: from the edge of the view to a readout or a label
_EDGE = 5.0
#: a readout would cover most of a smaller image; the line at the bottom of the window has it, too
_LEAST_READ = 170.0
#: of a label
_MOST_LINES = 3


class Overlay(QGraphicsObject):
    """Lies over a ViewBox. White with a dark outline or on a dark ground: readable on any colour."""

    def __init__(self, view: pg.ViewBox) -> None:
        super().__init__(view)
        self._view = view
        self._unit = "nm"
        self._image = QRectF()
        self._cursor: QPointF | None = None
        self._readout: tuple[str, ...] = ()
        self._labels: tuple[tuple[float, float, str], ...] = ()
        self._badge = ""
        self._label_lines = 1
        self.setZValue(1000)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        view.sigRangeChanged.connect(lambda *_: self.update())
        view.sigResized.connect(lambda _: self._resized())

    def set_image(self, image: QRectF, unit: str) -> None:
        """The rectangle that the image covers (physical), and its unit; an empty one shows no scale bar."""
        if (image, unit) != (self._image, self._unit):
            self._image, self._unit = image, unit
            self.update()

    def set_cursor(self, at: QPointF | None, readout: Sequence[str] = ()) -> None:
        """Where the cross-hair is (physical), None for none, and what is read there: place and value."""
        if at != self._cursor or tuple(readout) != self._readout:
            self._cursor, self._readout = at, tuple(readout)
            self.update()

    def set_labels(self, labels: Sequence[tuple[float, float, str]]) -> None:
        """Names over parts of the visible image: from, to (0 left, 1 right), text."""
        self._labels = tuple(labels)
        self.update()

    def set_badge(self, text: str) -> None:
        """A fact on the image that stands at its upper left corner, in copies too; empty for none."""
        if text != self._badge:
            self._badge = text
            self.update()

    @property
    def badge(self) -> str:
        return self._badge

    @property
    def cursor_at(self) -> QPointF | None:
        return self._cursor

    @property
    def readout(self) -> str:
        """What is read at the cursor, as it is written."""
        return "   ".join(self._readout)

    @property
    def labels(self) -> list[str]:
        return [text for _, _, text in self._labels]

    def shown_scale_bar(self) -> ScaleBar | None:
        """The scale bar as it is drawn now."""
        seen = self._view.viewRect()
        width = seen.intersected(self._image).width()
        if width <= 0 or self._view.width() < 40:
            return None
        return scale_bar(width, self._view.width() / seen.width(), self._unit)

    def boundingRect(self) -> QRectF:
        return self._view.rect()

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        if self._image.isEmpty():
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        image = self._on_screen()
        if self._cursor is not None:
            self._draw_cross(painter, image)
        bar = self.shown_scale_bar()
        if bar is not None:
            self._draw_bar(painter, bar, image.intersected(self.boundingRect()))
        self._draw_labels(painter, image.intersected(self.boundingRect()))
        if self._badge:
            painter.setFont(_font(painter))
            seen = image.intersected(self.boundingRect())
            width = min(painter.fontMetrics().horizontalAdvance(self._badge) + 12.0, seen.width() - 2 * _EDGE)
            at = QPointF(seen.left() + _EDGE + width / 2, seen.top() + _EDGE)
            _pill(painter, [self._badge], at, seen.width() - 2 * _EDGE)
        if self._cursor is not None and self._readout and self._view.width() >= _LEAST_READ:
            self._draw_readout(painter)

    def _on_screen(self) -> QRectF:
        corners = (self._view.mapFromView(p) for p in (self._image.topLeft(), self._image.bottomRight()))
        return QRectF(*corners).normalized()

    def _draw_cross(self, painter: QPainter, image: QRectF) -> None:
        assert self._cursor is not None
        at = self._view.mapFromView(self._cursor)
        x, y = round(at.x()) + 0.5, round(at.y()) + 0.5
        seen = image.intersected(self.boundingRect())
        for colour, width in ((QColor(0, 0, 0, 110), 3), (QColor(255, 255, 255, 190), 1)):
            painter.setPen(QPen(colour, width))
            if seen.left() <= x <= seen.right():
                painter.drawLine(QPointF(x, seen.top()), QPointF(x, seen.bottom()))
            if seen.top() <= y <= seen.bottom():
                painter.drawLine(QPointF(seen.left(), y), QPointF(seen.right(), y))

    def _draw_bar(self, painter: QPainter, bar: ScaleBar, seen: QRectF) -> None:
        left, bottom = round(seen.left() + _INSET), round(seen.bottom() - _INSET)
        rect = QRectF(left, bottom - _BAR_HEIGHT, round(bar.pixels), _BAR_HEIGHT)
        painter.fillRect(rect.adjusted(-1, -1, 1, 1), _DARK)
        painter.fillRect(rect, _LIGHT)
        font = _font(painter, bold=True)
        path = QPainterPath()
        text_width = QFontMetricsF(font).horizontalAdvance(bar.label)
        path.addText(QPointF(max(rect.center().x() - text_width / 2, left), rect.top() - 5), font, bar.label)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.strokePath(
            path, QPen(_DARK, 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
        )
        painter.fillPath(path, _LIGHT)

    def _draw_labels(self, painter: QPainter, room: QRectF) -> None:
        painter.setFont(_font(painter, bold=True))
        self._label_lines = 1
        for start, end, text in self._labels:
            left, right = room.left() + start * room.width(), room.left() + end * room.width()
            most = right - left - 2 * _EDGE
            lines = _wrapped(text, painter.fontMetrics(), most - 12)
            self._label_lines = max(self._label_lines, len(lines))
            _pill(painter, lines, QPointF((left + right) / 2, room.top() + _EDGE), most)

    def _draw_readout(self, painter: QPainter) -> None:
        assert self._cursor is not None
        painter.setFont(_font(painter))
        room, metrics = self.boundingRect(), painter.fontMetrics()
        one_line = "   ".join(self._readout)
        # beside the scale bar, if there is room
        fits = metrics.horizontalAdvance(one_line) + 12 < 0.62 * room.width()
        lines = [one_line] if fits else list(self._readout)
        width = min(max(metrics.horizontalAdvance(line) for line in lines) + 12.0, room.width() - 2 * _EDGE)
        height = len(lines) * metrics.height() + 4.0
        at = self._view.mapFromView(self._cursor)
        place = QRectF(room.right() - _EDGE - width, room.bottom() - _EDGE - height, width, height)
        if place.adjusted(-16, -16, 16, 16).contains(at):
            above = self._label_lines * metrics.height() + 10.0 if self._labels or self._badge else 0.0
            place.moveTop(room.top() + _EDGE + above)
        _pill(painter, lines, QPointF(place.center().x(), place.top()), room.width() - 2 * _EDGE)

    def _resized(self) -> None:
        self.prepareGeometryChange()
        self.update()


def _font(painter: QPainter, *, bold: bool = False) -> QFont:
    font = QFont(painter.font())
    font.setPixelSize(_FONT)
    font.setBold(bold)
    return font


def _wrapped(text: str, metrics: QFontMetrics, room: float) -> list[str]:
    """A label in lines that fit, at most three: divided before what it is of, then between words."""
    if metrics.horizontalAdvance(text) <= room:
        return [text]
    lines: list[str] = []
    for part in text.split(" · "):
        lines.append("")
        for word in part.split():
            longer = f"{lines[-1]} {word}".strip()
            if not lines[-1] or metrics.horizontalAdvance(longer) <= room or len(lines) == _MOST_LINES:
                lines[-1] = longer
            else:
                lines.append(word)
    return [*lines[: _MOST_LINES - 1], " ".join(lines[_MOST_LINES - 1 :])] if len(lines) > _MOST_LINES else lines


def _pill(painter: QPainter, lines: Sequence[str], top_middle: QPointF, most: float) -> None:
    """Lines of text on a dark ground, their top in the middle at a point; nothing where there is no room."""
    metrics = painter.fontMetrics()
    shown = [metrics.elidedText(line, Qt.TextElideMode.ElideRight, int(most - 12)) for line in lines]
    if most < 30 or not any(shown):
        return
    width = max(metrics.horizontalAdvance(line) for line in shown) + 12.0
    rect = QRectF(top_middle.x() - width / 2, top_middle.y(), width, len(shown) * metrics.height() + 4.0)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_PILL)
    painter.drawRoundedRect(rect, 4, 4)
    painter.setPen(_LIGHT)
    painter.drawText(rect.adjusted(6, 2, -6, -2), Qt.AlignmentFlag.AlignCenter, "\n".join(shown))
