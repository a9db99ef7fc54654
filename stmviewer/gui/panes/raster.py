"""An image drawn in physical coordinates, with its gaps hatched."""

import math

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QBrush, QColor, QImage, QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from stmviewer.gui.display import FLAT, Frame, Lut, Picture, Plane, colourise

#: below this many screen pixels per image pixel the image is smoothed; above, one sees its pixels
_SMOOTH_BELOW = 3.0
_MOST_REPEATED = 4096


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
        self._hatch = QBrush()
        self._gap_colour = QColor("grey")
        self._images: dict[tuple[int, ...], QImage] = {}

    @property
    def picture(self) -> Picture | None:
        return self._picture

    @property
    def plane(self) -> Plane:
        return self._plane

    def show_picture(self, picture: Picture, plane: Plane, limits: tuple[float, float], lut: Lut) -> None:
        """What to draw from now on."""
        self.prepareGeometryChange()
        self._picture, self._plane, self._limits, self._lut = picture, plane, limits, lut
        self._images.clear()
        self.update()

    def clear(self) -> None:
        """Draws nothing from now on."""
        self.prepareGeometryChange()
        self._picture = None
        self._images.clear()
        self.update()

    def set_gap_colours(self, ground: QColor, lines: QColor) -> None:
        self._gap_colour, self._hatch = ground, QBrush(lines, pg.QtCore.Qt.BrushStyle.BDiagPattern)
        self.update()

    def boundingRect(self) -> QRectF:
        return _rect(self._picture.frame) if self._picture else QRectF()

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
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
        per_cell = per_x * fx, per_y * fy
        smooth = min(per_cell) < _SMOOTH_BELOW
        # smoothing is for the fine axis: the lines of a sparse scan stay as sharp as they are
        again = (_repeats(per_cell[0], columns), _repeats(per_cell[1], rows)) if smooth else (1, 1)
        image = self._image(fx, fy, again)
        # the last cells may reach over the edge of the image
        target = QRectF(
            rect.x(),
            rect.y(),
            rect.width() * image.width() * fx / columns / again[0],
            rect.height() * image.height() * fy / rows / again[1],
        )
        painter.save()
        if self._picture.has_gaps:
            painter.save()
            painter.resetTransform()  # the hatch keeps its size on the screen at any zoom
            painter.fillRect(on_screen, self._gap_colour)
            painter.fillRect(on_screen, self._hatch)
            painter.restore()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.setClipRect(rect)
        painter.drawImage(target, image)
        painter.restore()

    def _image(self, fx: int, fy: int, again: tuple[int, int]) -> QImage:
        """The colours of cells of fx x fy pixels, each repeated `again` = (columns, rows) times."""
        key = (fx, fy, *again)
        if key not in self._images:
            assert self._picture is not None and self._lut is not None
            values, part = self._picture.shrunk(fx, fy)
            frame, (rows, columns) = self._picture.frame, self._picture.data.shape
            cells = Frame(
                frame.x,
                frame.y,
                frame.width * values.shape[1] * fx / columns,
                frame.height * values.shape[0] * fy / rows,
                frame.unit,
            )
            colours = colourise(values - self._plane.on(cells, values.shape), part, self._limits, self._lut)
            colours = np.ascontiguousarray(colours.repeat(again[1], axis=0).repeat(again[0], axis=1))
            height, width = colours.shape[:2]
            image = QImage(colours.data, width, height, 4 * width, QImage.Format.Format_RGBA8888_Premultiplied)
            # a copy of Qt's own, in the format that it draws fastest; the numpy buffer may go
            self._images[key] = image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
        return self._images[key]


def _factor(per_pixel: float, count: int) -> int:
    """The power of two of pixels to a cell, so that a cell covers between half a screen pixel and one."""
    if per_pixel >= 0.75:
        return 1
    factor: int = 2 ** math.ceil(math.log2(0.75 / per_pixel))
    return max(min(factor, 2 ** math.floor(math.log2(count))), 1)


def _repeats(per_cell: float, count: int) -> int:
    """How often a coarse cell is repeated, so that smoothing blurs only its edge."""
    return max(min(int(per_cell), _MOST_REPEATED // count), 1) if per_cell >= _SMOOTH_BELOW else 1


def _rect(frame: Frame) -> QRectF:
    return QRectF(frame.x, frame.y, frame.width, frame.height)
