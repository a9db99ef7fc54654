"""The relief beside the window: drag to turn it, the wheel for its height, the same colours as the panes."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from stmviewer.gui.delayed import delayed
from stmviewer.gui.looks import PaneLook
from stmviewer.gui.panes.figure import copy
from stmviewer.gui.relief.surface import Camera, draw
from stmviewer.scan import FloatArray

#: longest side of the field that is drawn: more points than the screen has are none
_MOST = 700
_DEGREES_A_PIXEL = 0.4
#: while it is turned, pixels are so much coarser
_COARSE = 2
_SETTLE_MS = 160
_LOW, _HIGH = 1, 60


def field(look: PaneLook) -> FloatArray | None:
    """Heights of a pane over its colour range (rows, columns), square pixels, NaN without a value; None if empty."""
    if look.picture is None:
        return None
    factor = 1
    while max(look.picture.data.shape) / factor > _MOST:
        factor *= 2
    values, part = look.picture.shrunk(factor, factor)
    frame, (rows, columns) = look.picture.frame, values.shape
    heights = np.where(part > 0, values, np.nan) - look.plane.on(frame, (rows, columns))
    low, high = look.limits
    level: FloatArray = (heights - low) / (high - low) if high > low else np.zeros_like(heights)
    # pixels of the scan need not be square: the coarser axis is repeated
    aspect = (frame.height / rows) / (frame.width / columns)
    if aspect > 1.02:
        level = level[np.linspace(0, rows - 1, min(round(rows * aspect), _MOST)).round().astype(int)]
    elif aspect < 0.98:
        level = level[:, np.linspace(0, columns - 1, min(round(columns / aspect), _MOST)).round().astype(int)]
    return level


class ReliefView(QWidget):
    """The picture alone. `moved` when the user turned it or changed its height."""

    moved = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.camera = Camera()
        self._level: FloatArray | None = None
        self._look = PaneLook("")
        self._image: QImage | None = None
        self._grabbed: QPoint | None = None
        self._settled = delayed(self, self._refine, _SETTLE_MS)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(320, 220)
        self.setCursor(Qt.CursorShape.OpenHandCursor)

    def sizeHint(self) -> QSize:
        return QSize(760, 520)

    def show_look(self, look: PaneLook) -> None:
        self._look, self._level = look, field(look)
        self._refine()

    def set_camera(self, camera: Camera) -> None:
        self.camera = camera
        self._coarse()
        self.moved.emit()

    def picture(self, width: int, height: int) -> QImage | None:
        """The relief drawn at that size; None while there is nothing to see."""
        if self._level is None or self._look.lut is None or not np.isfinite(self._level).any():
            return None
        drawn = np.ascontiguousarray(draw(self._level, self._look.lut, self.camera, width, height))
        image = QImage(drawn.data, width, height, 4 * width, QImage.Format.Format_RGBA8888_Premultiplied)
        return image.copy()  # `drawn` is gone when this returns

    def _coarse(self) -> None:
        self._image = self.picture(max(1, self.width() // _COARSE), max(1, self.height() // _COARSE))
        self._settled.start()
        self.update()

    def _refine(self) -> None:
        ratio = self.devicePixelRatioF()
        self._image = self.picture(max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio)))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if self._image is not None:
            painter.drawImage(self.rect(), self._image)
        else:
            painter.setPen(self.palette().placeholderText().color())
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "Open a scan to see it as a relief")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._coarse()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._grabbed = event.position().toPoint()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grabbed is not None:
            by = event.position().toPoint() - self._grabbed
            self._grabbed = event.position().toPoint()
            self.set_camera(self.camera.moved(-by.x() * _DEGREES_A_PIXEL, by.y() * _DEGREES_A_PIXEL))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grabbed = None
        self.setCursor(Qt.CursorShape.OpenHandCursor)

    def wheelEvent(self, event: QWheelEvent) -> None:
        percent = 100 * self.camera.relief * 1.15 ** (event.angleDelta().y() / 120)
        self.set_camera(replace(self.camera, relief=float(np.clip(percent, _LOW, _HIGH)) / 100))


class ReliefDialog(QDialog):
    """`looks` gives the panes that can be seen as a relief; the dialog is told by `refresh` when they change."""

    def __init__(self, looks: Callable[[], Sequence[PaneLook]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Relief")
        self._looks = looks
        self.view = ReliefView(self)
        self.which = QComboBox()
        self.which.setAccessibleName("Image shown as a relief")
        self.which.activated.connect(self.refresh)
        self.height_slider = QSlider(Qt.Orientation.Horizontal)
        self.height_slider.setAccessibleName("Height of the relief")
        self.height_slider.setRange(_LOW, _HIGH)
        self.height_slider.setValue(round(100 * self.view.camera.relief))
        self.height_slider.valueChanged.connect(self._set_height)
        self.caption = QLabel()
        self.caption.setObjectName("quiet")
        self.caption.setWordWrap(True)
        front, copying = QPushButton("From the front"), QPushButton("Copy picture")
        front.clicked.connect(lambda: self.view.set_camera(replace(self.view.camera, turn=0.0, tilt=42.0)))
        copying.clicked.connect(lambda: copy(self.view.picture(2 * self.view.width(), 2 * self.view.height())))
        for button in (front, copying):
            button.setAutoDefault(False)
        row = QHBoxLayout()
        row.addWidget(self.which, 1)
        row.addWidget(QLabel("Height"))
        row.addWidget(self.height_slider, 1)
        row.addWidget(front)
        row.addWidget(copying)
        column = QVBoxLayout(self)
        column.addWidget(self.view, 1)
        column.addWidget(self.caption)
        column.addLayout(row)
        self.view.moved.connect(self._tell)
        self.refresh()

    def refresh(self) -> None:
        """Shows what the window shows now; the chosen image stays where there still is one of its place."""
        looks = list(self._looks())
        at = max(self.which.currentIndex(), 0)
        at = min(at, len(looks) - 1)
        self.which.clear()
        self.which.addItems([look.title for look in looks])
        self.which.setEnabled(len(looks) > 1)
        if looks:
            self.which.setCurrentIndex(at)
        self.view.show_look(looks[at] if looks else PaneLook(""))
        self._tell()

    def _set_height(self, percent: int) -> None:
        if round(100 * self.view.camera.relief) != percent:
            self.view.set_camera(replace(self.view.camera, relief=percent / 100))

    def _tell(self) -> None:
        camera = self.view.camera
        self.height_slider.setValue(round(100 * camera.relief))
        self.caption.setText(
            f"Drag to turn, wheel for the height. Turned by {camera.turn:.0f}°, seen from {camera.tilt:.0f}° above; "
            f"the colour range is drawn {100 * camera.relief:.0f} % as high as the scan is long."
        )
