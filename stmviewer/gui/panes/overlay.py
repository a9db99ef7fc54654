"""What lies over an image in screen pixels: the scale bar and the cross-hair."""

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsObject, QStyleOptionGraphicsItem, QWidget

from stmviewer.gui.panes.scale_bar import ScaleBar, scale_bar

_LIGHT, _DARK = QColor(255, 255, 255), QColor(0, 0, 0, 170)
_BAR_HEIGHT, _INSET = 4.0, 10.0


class Overlay(QGraphicsObject):
    """Lies over a ViewBox. White with a dark outline: readable on any colour."""

    def __init__(self, view: pg.ViewBox) -> None:
        super().__init__(view)
        self._view = view
        self._unit = "nm"
        self._image = QRectF()
        self._cursor: QPointF | None = None
        self.setZValue(1000)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        view.sigRangeChanged.connect(lambda *_: self.update())
        view.sigResized.connect(lambda _: self._resized())

    def set_image(self, image: QRectF, unit: str) -> None:
        """The rectangle that the image covers (physical), and its unit; an empty one shows no scale bar."""
        self._image, self._unit = image, unit
        self.update()

    def set_cursor(self, at: QPointF | None) -> None:
        """Where the cross-hair is (physical), None for none."""
        self._cursor = at
        self.update()

    @property
    def cursor_at(self) -> QPointF | None:
        return self._cursor

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
        font = QFont(painter.font())
        font.setPixelSize(12)
        font.setBold(True)
        path = QPainterPath()
        text_width = QFontMetricsF(font).horizontalAdvance(bar.label)
        path.addText(QPointF(max(rect.center().x() - text_width / 2, left), rect.top() - 5), font, bar.label)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.strokePath(
            path, QPen(_DARK, 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
        )
        painter.fillPath(path, _LIGHT)

    def _resized(self) -> None:
        self.prepareGeometryChange()
        self.update()
