"""Up to four images of one place in one view, side by side under dividers that can be dragged."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from stmviewer.gui.display import Frame
from stmviewer.gui.looks import PaneLook
from stmviewer.gui.panes.image_view import Pane
from stmviewer.gui.panes.raster import RasterItem
from stmviewer.gui.theme import tones

_GRIP = 9.0
#: dividers stay this part of the width apart
_LEAST = 0.02


class Divider(pg.GraphicsObject):
    """A vertical line at a part of the `span` (x to x in the view); `moved` gives the part that it is dragged to."""

    moved = Signal(float)

    def __init__(self, view: pg.ViewBox, span: Callable[[], tuple[float, float]]) -> None:
        super().__init__()
        self.setParentItem(view)
        self._view, self._span = view, span
        self.at = 0.5
        self._hovering = False
        self.setZValue(1100)
        self.setCursor(Qt.CursorShape.SplitHCursor)
        view.sigResized.connect(lambda _: self._changed())
        view.sigRangeChanged.connect(lambda *_: self._changed())

    def place(self, at: float) -> None:
        self.at = at
        self._changed()

    def _changed(self) -> None:
        self.prepareGeometryChange()
        self.update()

    def _x(self) -> float:
        left, right = self._span()
        return left + self.at * (right - left)

    def boundingRect(self) -> QRectF:
        room = self._view.rect()
        return QRectF(self._x() - _GRIP, room.top(), 2 * _GRIP, room.height())

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        room, x = self._view.rect(), round(self._x()) + 0.5
        for colour, width in ((QColor(0, 0, 0, 150), 4), (QColor(255, 255, 255), 2 if self._hovering else 1)):
            painter.setPen(QPen(colour, width))
            painter.drawLine(QPointF(x, room.top()), QPointF(x, room.bottom()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(QColor(0, 0, 0, 150), 1))
        painter.setBrush(QColor(255, 255, 255))
        middle = room.center().y()
        painter.drawRoundedRect(QRectF(x - 5, middle - 14, 10, 28), 5, 5)
        painter.setPen(QPen(QColor(90, 90, 90), 1))
        for shift in (-1.5, 1.5):
            painter.drawLine(QPointF(x + shift, middle - 5), QPointF(x + shift, middle + 5))

    def hoverEvent(self, event: object) -> None:
        mine = not event.isExit() and event.acceptDrags(Qt.MouseButton.LeftButton)  # type: ignore[attr-defined]
        if mine != self._hovering:
            self._hovering = mine
            self.update()

    def mouseDragEvent(self, event: object) -> None:
        if event.button() != Qt.MouseButton.LeftButton:  # type: ignore[attr-defined]
            event.ignore()  # type: ignore[attr-defined]
            return
        event.accept()  # type: ignore[attr-defined]
        left, right = self._span()
        self.moved.emit((event.pos().x() - left) / max(right - left, 1.0))  # type: ignore[attr-defined]


@dataclass(frozen=True, eq=False)
class _Band:
    raster: RasterItem
    look: PaneLook


class ComparePane(Pane):
    """Shows up to four looks, each named at its top, between dividers."""

    def __init__(self, hint: str = "", parent: QWidget | None = None) -> None:
        super().__init__("Compare", hint, parent)
        self._bands: list[_Band] = []
        self._held: PaneLook | None = None
        self._cuts: list[float] = []
        self._dividers = [Divider(self.view, self._span) for _ in range(3)]
        self._holder = RasterItem()
        self.view.addItem(self._holder, ignoreBounds=True)
        for k, divider in enumerate(self._dividers):
            divider.moved.connect(lambda to, k=k: self.move_divider(k, to))
        self.wear_theme()
        self.show_looks([])

    @property
    def looks(self) -> list[PaneLook]:
        return [band.look for band in self._bands]

    @property
    def cuts(self) -> list[float]:
        """Where the dividers are, as parts of the visible width of the image."""
        return self._cuts

    def show_looks(self, looks: Sequence[PaneLook]) -> None:
        """Shows these, from left to right; dividers stay where they are while their number is the same."""
        while len(self._bands) > len(looks):
            self.view.removeItem(self._bands.pop().raster)
        for k, look in enumerate(looks):
            assert look.picture is not None
            assert look.lut is not None
            if k < len(self._bands):
                raster = self._bands[k].raster
                self._bands[k] = _Band(raster, look)
            else:
                raster = RasterItem()
                self.view.addItem(raster, ignoreBounds=True)
                self._bands.append(_Band(raster, look))
            raster.show_picture(look.picture, look.plane, look.limits, look.lut, look.tint)
        if len(self._cuts) != max(len(looks) - 1, 0):
            self._cuts = [(k + 1) / len(looks) for k in range(len(looks) - 1)]
        self._set_frame(self.frame())
        self.wear_theme()
        self._divide()

    def hold(self, look: PaneLook | None) -> None:
        """Shows one image in place of all of them; None goes back."""
        self._held = look
        if look is not None and look.picture is not None and look.lut is not None:
            self._holder.show_picture(look.picture, look.plane, look.limits, look.lut)
        else:
            self._holder.clear()
        self._divide()

    def move_divider(self, k: int, to: float) -> None:
        """Moves a divider, and others before it where it would pass them."""
        cuts = list(self._cuts)
        if not 0 <= k < len(cuts):
            return
        cuts[k] = min(max(to, _LEAST * (k + 1)), 1 - _LEAST * (len(cuts) - k))
        for j in range(k - 1, -1, -1):
            cuts[j] = min(cuts[j], cuts[j + 1] - _LEAST)
        for j in range(k + 1, len(cuts)):
            cuts[j] = max(cuts[j], cuts[j - 1] + _LEAST)
        self._cuts = cuts
        self._divide()

    def frame(self) -> Frame | None:
        picture = self._bands[0].look.picture if self._bands else None
        return picture.frame if picture else None

    def look_at(self, x: float) -> PaneLook | None:
        """What is shown at that place across (nm or px)."""
        if self._held is not None:
            return self._held
        index = next((k for k in range(len(self._bands)) if x < self._edges(k)[1]), -1)
        return self._bands[index].look if self._bands else None

    def value_at(self, x: float, y: float) -> float | None:
        look = self.look_at(x)
        value = look.picture.value_at(x, y) if look is not None and look.picture is not None else None
        return None if value is None or look is None else value - look.plane.at(x, y)

    def wear_theme(self) -> None:
        super().wear_theme()
        colours = tones(self.palette())
        for raster in [self._holder, *(band.raster for band in self._bands)]:
            raster.set_gap_colours(colours.gap, colours.gap_lines, colours.tint)

    def _visible(self) -> tuple[float, float]:
        """The part of the image that is seen, x to x (physical)."""
        seen, frame = self.view.viewRect(), self.frame()
        if frame is None:
            return seen.left(), seen.right()
        left, right = max(seen.left(), frame.x), min(seen.right(), frame.x + frame.width)
        return (left, right) if left < right else (seen.left(), seen.right())

    def _span(self) -> tuple[float, float]:
        """The same in the coordinates of the view on the screen."""
        left, right = (self.view.mapFromView(QPointF(x, 0.0)).x() for x in self._visible())
        return left, right

    def _edges(self, k: int) -> tuple[float, float]:
        """Where the band is, x to x (physical); the outer ones reach as far as anything does."""
        left, right = self._visible()
        cuts = [-math.inf, *(left + cut * (right - left) for cut in self._cuts), math.inf]
        return cuts[k], cuts[k + 1]

    def _divide(self) -> None:
        edges = [0.0, *self._cuts, 1.0]
        held = self._held is not None
        for k, band in enumerate(self._bands):
            band.raster.set_band(partial(self._edges, k))
            band.raster.setVisible(not held)
        self._holder.setVisible(held)
        for k, divider in enumerate(self._dividers):
            divider.setVisible(k < len(self._cuts) and not held)
            if k < len(self._cuts):
                divider.place(self._cuts[k])
        if held and self._held is not None:
            self.overlay.set_labels([(0.0, 1.0, self._held.title)])
        else:
            self.overlay.set_labels([(edges[k], edges[k + 1], b.look.title) for k, b in enumerate(self._bands)])
