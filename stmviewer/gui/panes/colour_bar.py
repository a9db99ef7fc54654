"""The colour bar: which colour is which height, how often each value occurs, and handles to change the range."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from stmviewer.gui.display import Lut
from stmviewer.gui.quantities import Scale, scale_for
from stmviewer.gui.theme import tones
from stmviewer.scan import FloatArray
from stmviewer.scan.levelling import constant_value

_TOP, _BAR, _TEXT, _MOST_HISTOGRAM = 22, 12, 18, 120
_BINS, _MOST_COUNTED = 160, 50_000
_CONSTANT = "the same value everywhere"
#: from a handle to where it can be taken, in screen pixels
_NEAR = 7
#: what lies outside of the automatic range is there to drag into: this much of the values is left out at each end
_TAIL = 0.1
_ROOM = 0.04

Grip = Literal["low", "high", "both"]


@dataclass(frozen=True)
class Extent:
    """The values at the left and right end of a colour bar, which reach a little beyond its limits."""

    low: float
    high: float

    @classmethod
    def of(cls, limits: tuple[float, float], samples: tuple[FloatArray, ...]) -> "Extent":
        ends = [limits, *(tuple(np.percentile(s, (_TAIL, 100 - _TAIL))) for s in samples if s.size)]
        low, high = float(min(e[0] for e in ends)), float(max(e[1] for e in ends))
        # far outliers leave the limits where they can be seen
        span = limits[1] - limits[0]
        low, high = max(low, limits[0] - 2 * span), min(high, limits[1] + 2 * span)
        return cls(low - _ROOM * (high - low), high + _ROOM * (high - low))

    def part(self, value: float) -> float:
        return (value - self.low) / (self.high - self.low)

    def value(self, part: float) -> float:
        return self.low + part * (self.high - self.low)


class ColourBar(QWidget):
    """A horizontal bar; above it, where there is room, how often values occur.

    Where it is `adjustable`, its ends can be dragged (`range_dragged` gives both, in SI) and a double click asks for
    the automatic range.
    """

    range_dragged = Signal(float, float)
    automatic_asked = Signal()

    def __init__(self, parent: QWidget | None = None, *, adjustable: bool = False) -> None:
        super().__init__(parent)
        self.caption = ""
        self.limits = (0.0, 1.0)
        self._unit = ""
        self.scale: Scale = scale_for(0, 1, "")
        self._extent = Extent(0.0, 1.0)
        self._lut: Lut = np.zeros((256, 3), dtype=np.uint8)
        self._samples: tuple[FloatArray, ...] = ()
        self._counts: list[tuple[NDArray[np.float64], bool]] = []
        self._constant = False
        self._adjustable = adjustable
        self._grip: Grip | None = None
        self._from = 0.0, (0.0, 1.0)
        self.setMouseTracking(adjustable)
        #: buttons at the right end of the caption
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(4)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addLayout(self.buttons)
        column.addLayout(row)
        column.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.limit_histogram(_MOST_HISTOGRAM)

    def limit_histogram(self, pixels: int) -> None:
        """How high the histogram may be where there is room."""
        self.setMaximumHeight(_TOP + _BAR + _TEXT + pixels)

    def sizeHint(self) -> QSize:
        return QSize(240, _TOP + _BAR + _TEXT + 60)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, _TOP + _BAR + _TEXT)

    def show_range(self, caption: str, limits: tuple[float, float], unit: str, lut: Lut, *samples: FloatArray) -> None:
        """Limits in the SI `unit`; `samples` (n,) of the shown values: the first is drawn filled, others as a line."""
        self.caption, self.limits, self._unit, self._lut = caption, limits, unit, lut
        # the limits of such an image are made up: a metre apart for a channel that is zero
        self._constant = any(s.size for s in samples) and all(constant_value(s) is not None for s in samples if s.size)
        self.scale = scale_for(*limits, unit)
        same = len(samples) == len(self._samples) and all(a is b for a, b in zip(samples, self._samples, strict=True))
        if self._grip is None or not same:  # while one drags an end the bar stays where it is
            self._count(samples, same=same)
        low, high = limits
        span = f"{self.scale.text(low)} to {self.scale.text(high)}"
        drag = "\nDrag an end to change it, or between them to move both; double click for the automatic range"
        self.setToolTip(
            f"{caption}: {_CONSTANT}" if self._constant else f"{caption}: {span}{drag if self._adjustable else ''}"
        )
        self.update()

    def _count(self, samples: tuple[FloatArray, ...], *, same: bool) -> None:
        """Takes the extent and the histograms of `samples`: of a part of them, which a hundred bars do not show."""
        few = tuple(s[:: max(s.size // _MOST_COUNTED, 1)] for s in samples)
        extent = Extent.of(self.limits, few) if self._adjustable else Extent(*self.limits)
        if not same or extent != self._extent:
            ends = (extent.low, extent.high)
            self._counts = [(np.histogram(s, _BINS, ends)[0] / s.size, k == 0) for k, s in enumerate(few) if s.size]
        self._samples, self._extent = samples, extent

    def tick_texts(self) -> tuple[str, str, str]:
        """What is written below the bar: lower limit, middle, upper limit with the unit."""
        if self._constant:
            return "", _CONSTANT, ""
        low, high = self.limits
        return self.scale.number(low), self.scale.number((low + high) / 2), self.scale.text(high)

    # painting

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        reserved = self.buttons.sizeHint().width() if self.buttons.count() else 0
        bar = self.draw(painter, QRectF(self.rect()), reserved)
        if self._adjustable and not self._constant:
            self._draw_handles(painter, bar)

    def draw(self, painter: QPainter, area: QRectF, reserved: float = 0.0) -> QRectF:
        """Draws the bar into `area` and returns where its colours are; `reserved` of its caption row is left free.

        Also used for figures.
        """
        colours = tones(self.palette())
        painter.save()
        painter.setFont(self.font())
        painter.translate(area.topLeft())
        width, height = area.width(), area.height()
        painter.setPen(colours.quiet)
        left_top = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        room = width - reserved - 6
        caption = painter.fontMetrics().elidedText(self.caption, Qt.TextElideMode.ElideRight, int(room))
        painter.drawText(QRectF(0, 0, room, _TOP), left_top, caption)
        bar = QRectF(0.5, height - _TEXT - _BAR - 0.5, width - 1, _BAR)
        self._draw_histogram(painter, QRectF(1, _TOP, width - 2, bar.top() - _TOP - 1), colours.quiet)
        self._draw_gradient(painter, bar)
        painter.setPen(QPen(colours.line, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(bar)
        painter.setPen(self.palette().text().color())
        self._draw_ticks(painter, bar)
        painter.restore()
        return bar

    def _at(self, value: float, width: float) -> float:
        return 0.5 + self._extent.part(value) * (width - 1)

    def _draw_gradient(self, painter: QPainter, bar: QRectF) -> None:
        ratio = painter.device().devicePixelRatioF()
        count = max(int(bar.width() * ratio), 2)
        values = self._extent.low + (np.arange(count) + 0.5) / count * (self._extent.high - self._extent.low)
        low, high = self.limits
        index = np.clip((values - low) * (255.999 / (high - low)), 0, 255).astype(np.uint8)
        row = np.ascontiguousarray(self._lut[index][None])
        image = QImage(row.data, count, 1, 3 * count, QImage.Format.Format_RGB888).copy()
        painter.drawImage(bar, image)

    def _draw_handles(self, painter: QPainter, bar: QRectF) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(self.palette().text().color(), 1.2))
        painter.setBrush(self.palette().base())
        for value in self.limits:
            x = self._at(value, bar.width() + 1)
            painter.drawRoundedRect(QRectF(x - 2.5, bar.top() - 3, 5, bar.height() + 6), 2, 2)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _draw_ticks(self, painter: QPainter, bar: QRectF) -> None:
        texts = self.tick_texts()
        metrics = painter.fontMetrics()
        low, high = self.limits
        widths = [metrics.horizontalAdvance(text) + 2.0 for text in texts]
        centres = [self._at(value, bar.width() + 1) for value in (low, (low + high) / 2, high)]
        lefts = [min(max(c - w / 2, 0.0), bar.width() + 1 - w) for c, w in zip(centres, widths, strict=True)]
        if lefts[0] + widths[0] + 4 > lefts[2]:  # ends close together: side by side as far as they go
            lefts[0] = max(lefts[2] - widths[0] - 4, 0.0)
        fits = lefts[0] + widths[0] + 4 <= lefts[1] and lefts[1] + widths[1] + 4 <= lefts[2]
        for k, text in enumerate(texts):
            if k == 1 and not (fits or self._constant):
                continue
            place = QRectF(lefts[k], bar.bottom() + 3, widths[k], _TEXT)
            painter.drawText(place, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, text)

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

    # dragging

    def grip_at(self, x: float) -> Grip:
        """What a press at `x` would take: an end that is near, else both."""
        ends = {"low": self._at(self.limits[0], self.width()), "high": self._at(self.limits[1], self.width())}
        nearest = min(ends, key=lambda name: abs(ends[name] - x))
        if abs(ends[nearest] - x) <= _NEAR or not ends["low"] < x < ends["high"]:
            return "low" if nearest == "low" else "high"
        return "both"

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self._adjustable or self._constant or event.button() != Qt.MouseButton.LeftButton:
            return
        self._grip = self.grip_at(event.position().x())
        self._from = event.position().x(), self.limits

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if not self._adjustable or self._constant:
            return
        x = event.position().x()
        if self._grip is None:
            shape = Qt.CursorShape.SizeHorCursor if self.grip_at(x) != "both" else Qt.CursorShape.OpenHandCursor
            self.setCursor(shape)
            return
        start, (low, high) = self._from
        moved = (x - start) / max(self.width() - 1, 1) * (self._extent.high - self._extent.low)
        least = 1e-3 * (self._extent.high - self._extent.low)
        if self._grip == "low":
            low = min(low + moved, high - least)
        elif self._grip == "high":
            high = max(high + moved, low + least)
        else:
            low, high = low + moved, high + moved
        if moved:
            self.range_dragged.emit(low, high)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._grip is not None:
            self._grip = None
            # now the bar may take its new extent
            self.show_range(self.caption, self.limits, self._unit, self._lut, *self._samples)

    def mouseDoubleClickEvent(self, _: QMouseEvent) -> None:
        if self._adjustable:
            self._grip = None
            self.automatic_asked.emit()
