"""Drawing on the images: one tool at a time takes the drags on every pane, and its shapes are seen on all of them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pyqtgraph as pg
from PySide6.QtCore import QLineF, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPainter, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from stmviewer.gui.display import Frame

_UNDER = QColor(0, 0, 0, 150)
_FILL = QColor(255, 255, 255, 38)
_LARGE = 1e7


@dataclass(frozen=True)
class Line:
    """From `start` to `end` (nm or px), `width` wide, with handles at both ends."""

    start: QPointF
    end: QPointF
    colour: QColor
    label: str = ""
    width: float = 0.0


@dataclass(frozen=True)
class Box:
    """An upright rectangle (nm or px)."""

    rect: QRectF
    colour: QColor
    label: str = ""


@dataclass(frozen=True)
class Stroke:
    """What a brush of that radius (nm or px) has painted."""

    points: Sequence[QPointF]
    radius: float
    colour: QColor


@dataclass(frozen=True)
class Ring:
    """A circle (in the units of its view), and a point inside."""

    centre: QPointF
    radius: float
    colour: QColor
    label: str = ""


Shape = Line | Box | Stroke | Ring
Keys = Qt.KeyboardModifier


class Tool(QObject):
    """What is drawn. `changed` when its shapes are others; positions are in nm or px of the shown image."""

    changed = Signal()
    hint = ""

    def shapes(self) -> Iterable[Shape]:
        return ()

    def press(self, at: QPointF, reach: float, keys: Keys) -> None:
        """The drag begins; `reach` is how far (nm or px) a handle may be off."""

    def drag(self, at: QPointF, keys: Keys) -> None: ...

    def release(self, at: QPointF, keys: Keys) -> None: ...

    def click(self, at: QPointF, keys: Keys) -> None: ...


class DrawLayer(pg.GraphicsObject):
    """Lies over the image of one view while a tool is in use, takes its drags with the left button, and draws."""

    def __init__(self, view: pg.ViewBox, shows: Callable[[], bool] = lambda: True) -> None:
        """`shows` says whether there is an image to draw on."""
        super().__init__()
        self._view, self._shows = view, shows
        self._tool: Tool | None = None
        self.setZValue(900)
        self.setVisible(False)
        view.addItem(self, ignoreBounds=True)

    def set_tool(self, tool: Tool | None) -> None:
        self._tool = tool
        self.setVisible(tool is not None)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.update()

    def boundingRect(self) -> QRectF:
        return QRectF(-_LARGE, -_LARGE, 2 * _LARGE, 2 * _LARGE)

    def mouseDragEvent(self, event: object) -> None:
        tool = self._tool
        if tool is None or event.button() != Qt.MouseButton.LeftButton:  # type: ignore[attr-defined]
            event.ignore()  # type: ignore[attr-defined]
            return
        event.accept()  # type: ignore[attr-defined]
        at, keys = QPointF(event.pos()), event.modifiers()  # type: ignore[attr-defined]
        if event.isStart():  # type: ignore[attr-defined]
            tool.press(QPointF(event.buttonDownPos()), 10 * self._pixel(), keys)  # type: ignore[attr-defined]
        if event.isFinish():  # type: ignore[attr-defined]
            tool.drag(at, keys)
            tool.release(at, keys)
        else:
            tool.drag(at, keys)

    def mouseClickEvent(self, event: object) -> None:
        if self._tool is None or event.button() != Qt.MouseButton.LeftButton or event.double():  # type: ignore[attr-defined]
            event.ignore()  # type: ignore[attr-defined]
            return
        event.accept()  # type: ignore[attr-defined]
        self._tool.click(QPointF(event.pos()), event.modifiers())  # type: ignore[attr-defined]

    def _pixel(self) -> float:
        """A screen pixel in the units of the view."""
        width, _ = self._view.viewPixelSize()
        return float(width)

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        if self._tool is None or not self._shows():
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        for shape in self._tool.shapes():
            for pen in (_pen(_UNDER, 4.0), _pen(shape.colour, 1.8)):
                painter.setPen(pen)
                self._draw(painter, shape)
            self._name(painter, shape)

    def _draw(self, painter: QPainter, shape: Shape) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        match shape:
            case Line(start, end, _, _, width):
                painter.drawLine(start, end)
                if width > 0:
                    self._edges(painter, QLineF(start, end), width)
                for point in (start, end):
                    painter.drawEllipse(point, 3.5 * self._pixel(), 3.5 * self._pixel())
            case Box(rect):
                painter.fillRect(rect, _FILL)
                painter.drawRect(rect)
            case Stroke(points, radius, colour):
                tint = QColor(colour)
                tint.setAlpha(60)
                pen = QPen(tint, 2 * radius, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
                painter.setPen(pen)
                painter.drawPolyline(list(points) if len(points) > 1 else [points[0], points[0] + QPointF(1e-6, 0)])
            case Ring(centre, radius):
                painter.drawEllipse(centre, radius, radius)

    def _edges(self, painter: QPainter, line: QLineF, width: float) -> None:
        """The sides of what is averaged over, dashed."""
        across = line.normalVector().unitVector()
        offset = QPointF(across.dx(), across.dy()) * (width / 2)
        pen = painter.pen()
        dashed = QPen(pen)
        dashed.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(dashed)
        for by in (offset, -offset):
            painter.drawLine(line.p1() + by, line.p2() + by)
        painter.setPen(pen)

    def _name(self, painter: QPainter, shape: Shape) -> None:
        """The label beside a shape, the same size at every zoom."""
        match shape:
            case Line(start=at, label=label) if label:
                pass
            case Box(rect=rect, label=label) if label:
                at = rect.topLeft()
            case Ring(centre=centre, radius=radius, label=label) if label:
                at = centre + QPointF(radius, 0)
            case _:
                return
        painter.save()
        place = painter.worldTransform().map(at)
        painter.resetTransform()
        ratio = painter.device().devicePixelRatioF()
        painter.scale(ratio, ratio)
        font = QFont(painter.font())
        font.setPixelSize(12)
        font.setBold(True)
        painter.setFont(font)
        corner = QPointF(place.x() / ratio + 6, place.y() / ratio - 5)
        for colour, shift in ((_UNDER, 1.0), (shape.colour, 0.0)):
            painter.setPen(colour)
            painter.drawText(corner + QPointF(shift, shift), label)
        painter.restore()


class Toolbox(QObject):
    """Which tool is in use, on every view; with each comes whether it shows an image.

    `turned` tells when it is another tool, or none.
    """

    turned = Signal()

    def __init__(self, views: Iterable[tuple[pg.ViewBox, Callable[[], bool]]], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._layers = [DrawLayer(view, shows) for view, shows in views]
        self.tool: Tool | None = None

    def use(self, tool: Tool | None) -> None:
        """Takes a tool, or none; the one before is left."""
        if tool is self.tool:
            return
        if self.tool is not None:
            self.tool.changed.disconnect(self._redraw)
        self.tool = tool
        if tool is not None:
            tool.changed.connect(self._redraw)
        for layer in self._layers:
            layer.set_tool(tool)
        self.turned.emit()

    def _redraw(self) -> None:
        for layer in self._layers:
            layer.update()


class BoxTool(Tool):
    """Drags one rectangle within the image; `drawn` gives it as QRectF when the button comes up.

    A click takes it away: `cleared`.
    """

    drawn = Signal(QRectF)
    cleared = Signal()

    def __init__(self, colour: QColor, hint: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.colour, self.hint = colour, hint
        self.rect = QRectF()
        self.limits = QRectF()
        self._start = QPointF()

    def shapes(self) -> Iterable[Shape]:
        return () if self.rect.isEmpty() else (Box(self.rect, self.colour),)

    def set_frame(self, frame: Frame) -> None:
        self.limits = QRectF(frame.x, frame.y, frame.width, frame.height)

    def set_rect(self, rect: QRectF) -> None:
        self.rect = rect
        self.changed.emit()

    def press(self, at: QPointF, reach: float, keys: Keys) -> None:
        self._start = at

    def drag(self, at: QPointF, keys: Keys) -> None:
        self.set_rect(QRectF(self._start, at).normalized().intersected(self.limits))

    def release(self, at: QPointF, keys: Keys) -> None:
        if not self.rect.isEmpty():
            self.drawn.emit(self.rect)

    def click(self, at: QPointF, keys: Keys) -> None:
        self.set_rect(QRectF())
        self.cleared.emit()


class BrushTool(Tool):
    """Paints strokes of a `radius` (nm or px); `painted` gives each as a list of QPointF."""

    painted = Signal(list)

    def __init__(self, colour: QColor, hint: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.colour, self.hint = colour, hint
        self.radius = 1.0
        self._points: list[QPointF] = []

    def shapes(self) -> Iterable[Shape]:
        return (Stroke(self._points, self.radius, self.colour),) if self._points else ()

    def press(self, at: QPointF, reach: float, keys: Keys) -> None:
        self._points = [at]

    def drag(self, at: QPointF, keys: Keys) -> None:
        if self._points and QLineF(self._points[-1], at).length() >= 0.25 * self.radius:
            self._points.append(at)
            self.changed.emit()

    def release(self, at: QPointF, keys: Keys) -> None:
        points, self._points = self._points, []
        self.changed.emit()
        if points:
            self.painted.emit(points)

    def click(self, at: QPointF, keys: Keys) -> None:
        self.painted.emit([at])


def _pen(colour: QColor, width: float) -> QPen:
    pen = QPen(colour, width)
    pen.setCosmetic(True)  # as wide at every zoom
    return pen
