"""Small pictures in a grid, with a word above each column and below each picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from stmviewer.gui.colours import heights
from stmviewer.gui.theme import tones
from stmviewer.scan import BoolArray, FloatArray
from stmviewer.scan.levelling import robust_range

_GAP, _LEAST = 8, 76


@dataclass(frozen=True, eq=False)
class Tile:
    """A picture: `image` (rows, columns) on the colour range `limits`; what is not `measured` is left out."""

    image: FloatArray
    limits: tuple[float, float]
    measured: BoolArray | None = None
    caption: str = ""


class PictureGrid(QWidget):
    """Shows tiles row by row, as large as they fit into the width, at most `most` pixels; asks for the height that
    they need."""

    def __init__(self, parent: QWidget | None = None, *, most: int = 200) -> None:
        super().__init__(parent)
        self._most = most
        self._heads: tuple[str, ...] = ()
        self._rows: tuple[tuple[Tile, ...], ...] = ()
        self._hint = ""
        self._drawn: dict[tuple[int, int], QImage] = {}
        self._gap = QColor()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    @property
    def rows(self) -> tuple[tuple[Tile, ...], ...]:
        return self._rows

    @property
    def heads(self) -> tuple[str, ...]:
        return self._heads

    def show_tiles(self, heads: Sequence[str], rows: Sequence[Sequence[Tile]]) -> None:
        """Rows of one tile for each head."""
        self._heads, self._rows, self._hint = tuple(heads), tuple(map(tuple, rows)), ""
        self._drawn.clear()
        self._fit()

    def show_hint(self, text: str) -> None:
        """No pictures, and why."""
        self._heads, self._rows, self._hint = (), (), text
        self._drawn.clear()
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(480, self._needed())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.setMinimumHeight(self._needed())
        self.update()

    def _side(self) -> int:
        columns = max(len(self._heads), 1)
        return min(max((self.width() - _GAP) // columns - _GAP, _LEAST), self._most)

    def _line(self) -> int:
        return self.fontMetrics().lineSpacing()

    def _caption_height(self) -> int:
        return self._line() + 2 if any(tile.caption for row in self._rows for tile in row) else 0

    def _needed(self) -> int:
        if not self._rows:
            return 120
        return self._line() + 6 + len(self._rows) * (self._side() + self._caption_height() + _GAP)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        palette, colours = self.palette(), tones(self.palette())
        if self._gap != colours.gap:  # the other theme
            self._gap = colours.gap
            self._drawn.clear()
        if not self._rows:
            painter.setPen(colours.quiet)
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._hint)
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        side, line = self._side(), self._line()
        for column, head in enumerate(self._heads):
            at = QRect(_GAP + column * (side + _GAP), 0, side, line)
            painter.setPen(palette.text().color())
            painter.drawText(at, Qt.AlignmentFlag.AlignCenter, head)
        for row, tiles in enumerate(self._rows):
            top = line + 6 + row * (side + self._caption_height() + _GAP)
            for column, tile in enumerate(tiles):
                box = QRect(_GAP + column * (side + _GAP), top, side, side)
                if (row, column) not in self._drawn:
                    self._drawn[row, column] = drawn(tile, self._gap)
                painter.drawImage(box, self._drawn[row, column])
                if tile.caption:
                    painter.setPen(colours.quiet)
                    below = QRect(box.left(), box.bottom() + 2, 2 * side + _GAP, line)
                    painter.drawText(below, Qt.AlignmentFlag.AlignLeft, tile.caption)


def drawn(tile: Tile, gap: QColor) -> QImage:
    """The picture of a tile in the colours of heights, `gap` where nothing is measured or there is no value."""
    low, high = tile.limits
    with np.errstate(invalid="ignore"):
        level = 1 + 254 * np.clip((tile.image - low) / ((high - low) or 1.0), 0, 1)
    known = np.isfinite(level) if tile.measured is None else np.isfinite(level) & tile.measured
    index = np.where(known, np.rint(np.where(known, level, 0)), 0).astype(np.uint8)
    rows, columns = index.shape
    image = QImage(np.ascontiguousarray(index).tobytes(), columns, rows, columns, QImage.Format.Format_Indexed8)
    image.setColorTable([gap.rgb(), *(QColor(*colour).rgb() for colour in heights()[1:].tolist())])
    return image.convertToFormat(QImage.Format.Format_RGB32)


def limits_of(image: FloatArray) -> tuple[float, float]:
    """The colour range of an image, outliers left out; (0, 1) where there is none."""
    known = image[np.isfinite(image)]
    if not known.size:
        return 0.0, 1.0
    low, high = robust_range(image)
    return (low, high) if high > low else (low - 0.5, low + 0.5)
