"""An image drawn in physical coordinates, with its gaps hatched."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from stmviewer.gui.display import FLAT, Frame, Lut, Picture, Plane, colourise, tinted

#: below this many screen pixels per image pixel the image is smoothed; above, one sees its pixels
_SMOOTH_BELOW = 3.0
#: this close above one screen pixel per image pixel, smoothing would blur bands and leave the rest sharp
_ONE_TO_ONE = (1.0, 1.06)
_MOST_REPEATED = 4096
#: images of at most that many cells a side are coloured whole
_WHOLE = 1024

#: gives the ends of a strip, x to x
Band = Callable[[], tuple[float, float]]


class RasterItem(pg.GraphicsObject):
    """Draws a Picture less a plane, between two limits, through a colour table; no value shows as a neutral hatch.

    Zoomed out it draws means over cells of pixels, never a pick of them. (pyqtgraph's own ImageItem picks, takes a
    gap for the lowest colour in some modes, and lets one inf spoil its levels.)
    """

    def __init__(self) -> None:
        super().__init__()
        self._picture: Picture | None = None
        self._plane: Plane = FLAT
        self._limits = (0.0, 1.0)
        self._lut: Lut | None = None
        self._tint: Picture | None = None
        self._tint_colour = QColor("teal")
        self._band: Band | None = None
        self._hatch = QBrush()
        self._gap_colour = QColor("grey")
        self._parts: dict[tuple[int, ...], _Drawn] = {}

    @property
    def picture(self) -> Picture | None:
        return self._picture

    @property
    def lut(self) -> Lut | None:
        return self._lut

    @property
    def limits(self) -> tuple[float, float]:
        return self._limits

    @property
    def plane(self) -> Plane:
        return self._plane

    def show_picture(
        self,
        picture: Picture,
        plane: Plane,
        limits: tuple[float, float],
        lut: Lut,
        tint: Picture | None = None,
    ) -> None:
        """What to draw from now on; `tint`, on the same pixels, is 1 where the colours are tinted."""
        same = picture is self._picture and (plane, limits, tint) == (self._plane, self._limits, self._tint)
        if same and self._lut is not None and np.array_equal(lut, self._lut):
            return  # what has been coloured stays
        self.prepareGeometryChange()
        self._picture, self._plane, self._limits, self._lut, self._tint = picture, plane, limits, lut, tint
        self._parts.clear()
        self.update()

    def set_band(self, band: "Band | None") -> None:
        """Draws only from x to x (physical), which `band` gives whenever it is drawn; None for all of it."""
        self._band = band
        self.update()

    def clear(self) -> None:
        """Draws nothing from now on."""
        self.prepareGeometryChange()
        self._picture = None
        self._parts.clear()
        self.update()

    def set_gap_colours(self, ground: QColor, lines: QColor, tint: QColor | None = None) -> None:
        if tint is not None and tint != self._tint_colour:
            self._tint_colour = tint
            self._parts.clear()
        self._gap_colour, self._hatch = ground, QBrush(lines, Qt.BrushStyle.BDiagPattern)
        self.update()

    def boundingRect(self) -> QRectF:
        return _rect(self._picture.frame) if self._picture else QRectF()

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if self._picture is None:
            return
        rows, columns = self._picture.data.shape
        rect = self.boundingRect()
        on_screen = painter.worldTransform().mapRect(rect)
        ratio = painter.device().devicePixelRatioF()
        per_x, per_y = on_screen.width() * ratio / columns, on_screen.height() * ratio / rows
        if min(per_x, per_y) <= 0:
            return
        fx, fy = _factor(per_x, columns), _factor(per_y, rows)
        seen = painter.worldTransform().inverted()[0].mapRect(QRectF(widget.rect())) if widget else rect
        per_cell = per_x * fx, per_y * fy
        near_one = _ONE_TO_ONE[0] <= min(per_cell) <= max(per_cell) < _ONE_TO_ONE[1]
        smooth = min(per_cell) < _SMOOTH_BELOW and not near_one
        # smoothing is for the fine axis: the lines of a sparse scan stay as sharp as they are
        again = (_repeats(per_cell[0], columns), _repeats(per_cell[1], rows)) if smooth else (1, 1)
        clip = rect if self._band is None else _strip(rect, *self._band())
        if clip.isEmpty():
            return
        part = self._drawn(fx, fy, again, seen.intersected(rect))
        painter.save()
        painter.setClipRect(clip, Qt.ClipOperation.IntersectClip)
        if self._picture.has_gaps:
            painter.save()
            painter.resetTransform()  # the hatch keeps its size on the screen at any zoom
            painter.fillRect(on_screen, self._gap_colour)
            painter.fillRect(on_screen, self._hatch)
            painter.restore()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(part.target, part.image)
        painter.restore()

    def _drawn(self, fx: int, fy: int, again: tuple[int, int], seen: QRectF) -> "_Drawn":
        """The colours of cells of fx x fy pixels, each repeated `again` = (columns, rows) times, where `seen` is.

        Small images are coloured whole and once; of large ones only what is seen and a little around it.
        """
        key = (fx, fy, *again)
        known = self._parts.get(key)
        hair = 1e-6 * min(seen.width(), seen.height())  # of rounding
        if known is not None and known.target.contains(seen.adjusted(hair, hair, -hair, -hair)):
            return known
        assert self._picture is not None and self._lut is not None
        values, part = self._picture.shrunk(fx, fy)
        frame, (rows, columns) = self._picture.frame, self._picture.data.shape
        width, height = frame.width * fx / columns, frame.height * fy / rows  # of a cell
        down = _span(seen.top() - frame.y, seen.height(), height, values.shape[0])
        across = _span(seen.left() - frame.x, seen.width(), width, values.shape[1])
        values, part = values[down, across], part[down, across]
        cells = Frame(
            frame.x + across.start * width,
            frame.y + down.start * height,
            values.shape[1] * width,
            values.shape[0] * height,
            frame.unit,
        )
        plane = self._plane.rows_and_columns(cells, values.shape)
        colours = colourise(values, part, self._limits, self._lut, plane)
        if self._tint is not None and self._tint.data.shape == self._picture.data.shape:
            tint = self._tint_colour
            tinted(colours, self._tint.shrunk(fx, fy)[0][down, across], (tint.red(), tint.green(), tint.blue()))
        colours = np.ascontiguousarray(colours.repeat(again[1], axis=0).repeat(again[0], axis=1))
        high, wide = colours.shape[:2]
        image = QImage(colours.data, wide, high, 4 * wide, QImage.Format.Format_RGBA8888_Premultiplied)
        # a copy of Qt's own, in the format that it draws fastest; the numpy buffer may go
        drawn = _Drawn(_rect(cells), image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied))
        self._parts[key] = drawn
        return drawn


@dataclass(frozen=True)
class _Drawn:
    """Colours that were worked out, and the place that they cover. The last cells may reach over the image's edge."""

    target: QRectF
    image: QImage


def _span(start: float, length: float, cell: float, count: int) -> slice:
    """The cells to colour so that those from `start` over `length` are there: all of few, some of many."""
    if count <= _WHOLE:
        return slice(0, count)
    room = max(length / 4, 128 * cell)  # to be panned into
    first = max(math.floor((start - room) / cell), 0)
    last = min(math.ceil((start + length + room) / cell), count)
    return slice(min(first, count - 1), max(last, first + 1))


def _factor(per_pixel: float, count: int) -> int:
    """The power of two of pixels to a cell, so that a cell covers between half a screen pixel and one."""
    if per_pixel >= 0.75:
        return 1
    factor: int = 2 ** math.ceil(math.log2(0.75 / per_pixel))
    return max(min(factor, 2 ** math.floor(math.log2(count))), 1)


def _repeats(per_cell: float, count: int) -> int:
    """How often a coarse cell is repeated, so that smoothing blurs only its edge."""
    return max(min(int(per_cell), _MOST_REPEATED // count), 1) if per_cell >= _SMOOTH_BELOW else 1


def _strip(rect: QRectF, left: float, right: float) -> QRectF:
    left, right = max(left, rect.left()), min(right, rect.right())
    return QRectF(left, rect.top(), max(right - left, 0.0), rect.height())


def _rect(frame: Frame) -> QRectF:
    return QRectF(frame.x, frame.y, frame.width, frame.height)
