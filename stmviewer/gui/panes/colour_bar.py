"""The colour bar: which colour is which height, and how often each value occurs."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from stmviewer.gui.display import Lut
from stmviewer.gui.quantities import Scale, scale_for
from stmviewer.gui.theme import tones
from stmviewer.scan import FloatArray
from stmviewer.scan.levelling import constant_value

_BAR, _TEXT, _MOST_HISTOGRAM = 12, 18, 130
_BINS = 128
_CONSTANT = "the same value everywhere"


class ColourBar(QWidget):
    """A horizontal bar from the lower to the upper limit; above it, where there is room, how often values occur."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.caption = ""
        self.limits = (0.0, 1.0)
        self.scale: Scale = scale_for(0, 1, "")
        self._gradient = QImage()
        self._counts: list[tuple[NDArray[np.float64], bool]] = []
        self._constant = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMaximumHeight(_BAR + 2 * _TEXT + _MOST_HISTOGRAM)

    def sizeHint(self) -> QSize:
        return QSize(240, _BAR + 2 * _TEXT + 60)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, _BAR + 2 * _TEXT)

    def show_range(self, caption: str, limits: tuple[float, float], unit: str, lut: Lut, *samples: FloatArray) -> None:
        """Limits in the SI `unit`; `samples` (n,) of the shown values: the first is drawn filled, others as a line."""
        self.caption, self.limits = caption, limits
        # the limits of such an image are made up: a metre apart for a channel that is zero
        self._constant = any(s.size for s in samples) and all(constant_value(s) is not None for s in samples if s.size)
        self.scale = scale_for(*limits, unit)
        row = np.ascontiguousarray(lut[None])
        self._gradient = QImage(row.data, 256, 1, 768, QImage.Format.Format_RGB888).copy()
        low, high = limits
        self._counts = [(np.histogram(s, _BINS, limits)[0] / s.size, k == 0) for k, s in enumerate(samples) if s.size]
        span = f"{self.scale.text(low)} to {self.scale.text(high)}, 1 % to 99 % of the values"
        self.setToolTip(f"{caption}: {_CONSTANT if self._constant else span}")
        self.update()

    def tick_texts(self) -> tuple[str, str, str]:
        """What is written below the bar: lower limit, middle, upper limit with the unit."""
        if self._constant:
            return "", _CONSTANT, ""
        low, high = self.limits
        return self.scale.number(low), self.scale.number((low + high) / 2), self.scale.text(high)

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        colours = tones(self.palette())
        width, height = self.width(), self.height()
        bar = QRectF(0.5, height - _TEXT - _BAR - 0.5, width - 1, _BAR)
        painter.setPen(colours.quiet)
        painter.drawText(
            QRectF(0, 0, width, _TEXT), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, self.caption
        )
        self._draw_histogram(painter, QRectF(1, _TEXT, width - 2, bar.top() - _TEXT - 1), colours.quiet)
        painter.drawImage(bar, self._gradient)
        painter.setPen(QPen(colours.line, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(bar)
        painter.setPen(self.palette().text().color())
        below = QRectF(0, bar.bottom() + 2, width, _TEXT)
        for text, align in zip(
            self.tick_texts(),
            (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignRight),
            strict=True,
        ):
            painter.drawText(below, align | Qt.AlignmentFlag.AlignTop, text)

    def _draw_histogram(self, painter: QPainter, area: QRectF, colour: QColor) -> None:
        most = max((float(c.max()) for c, _ in self._counts), default=0.0)
        if area.height() < 16 or most <= 0:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        for counts, filled in self._counts:
            x = area.left() + (np.arange(counts.size) + 0.5) * (area.width() / counts.size)
            y = area.bottom() - counts / most * area.height()
            line = [QPointF(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
            if filled:
                tint = QColor(colour)
                tint.setAlpha(80)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(tint)
                painter.drawPolygon(
                    QPolygonF([QPointF(line[0].x(), area.bottom()), *line, QPointF(line[-1].x(), area.bottom())])
                )
            else:
                painter.setPen(QPen(self.palette().highlight().color(), 1.5))
                painter.drawPolyline(QPolygonF(line))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
