"""Small images beside each other that are no scans: spectra and autocorrelations."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from stmviewer.gui.display import FLAT, Frame, Lut, Picture
from stmviewer.gui.drawing import DrawLayer, Keys, Ring, Shape, Tool
from stmviewer.gui.panes.raster import RasterItem
from stmviewer.gui.theme import tones

_GREY: Lut = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)


@dataclass(frozen=True, eq=False)
class PlaneLook:
    """One image: its title, what to draw, its colour limits, and rings with labels on it."""

    title: str
    picture: Picture
    limits: tuple[float, float]
    rings: tuple[Ring, ...] = ()
    #: how far from the middle is seen at first; None for all of it
    focus: float | None = None


class _Rings(Tool):
    """Shows rings and, where that is wanted, makes new ones by drags."""

    drawn = Signal(QPointF, float)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rings: tuple[Ring, ...] = ()
        self.makes = False
        self._new: tuple[QPointF, float] | None = None
        self.colour = pg.mkColor("#ffd24d")

    def shapes(self) -> Sequence[Shape]:
        new = () if self._new is None else (Ring(*self._new, self.colour),)
        return (*self.rings, *new)

    def press(self, at: QPointF, reach: float, keys: Keys) -> None:
        self._new = (at, reach / 2) if self.makes else None

    def drag(self, at: QPointF, keys: Keys) -> None:
        if self._new is not None:
            away = at - self._new[0]
            self._new = self._new[0], max(float(np.hypot(away.x(), away.y())), 1e-12)
            self.changed.emit()

    def release(self, at: QPointF, keys: Keys) -> None:
        new, self._new = self._new, None
        self.changed.emit()
        if new is not None:
            self.drawn.emit(*new)

    def click(self, at: QPointF, keys: Keys) -> None:
        if self.makes:
            self.drawn.emit(at, 0.0)


class _Plane(QWidget):
    """One image with its title. `hovered` gives a position, or None."""

    hovered = Signal(object)
    drawn = Signal(QPointF, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QLabel()
        self.title.setObjectName("paneTitle")
        self.canvas = pg.GraphicsView()
        self.canvas.setMinimumSize(60, 60)
        self.view = pg.ViewBox(lockAspect=True, invertY=True, enableMenu=False, border=None)
        self.view.setDefaultPadding(0)
        self.canvas.setCentralItem(self.view)
        self._raster = RasterItem()
        self.view.addItem(self._raster, ignoreBounds=True)
        self.rings = _Rings(self)
        self._layer = DrawLayer(self.view)
        self.rings.changed.connect(self._layer.update)
        self.rings.drawn.connect(self.drawn)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.title)
        layout.addWidget(self.canvas, 1)
        self.canvas.scene().sigMouseMoved.connect(self._moved)
        self.wear_theme()

    def show_look(self, look: PlaneLook, *, makes: bool) -> None:
        self.title.setText(look.title)
        self._raster.show_picture(look.picture, FLAT, look.limits, _GREY)
        self.rings.rings, self.rings.makes = look.rings, makes
        # without rings to make, drags pan
        self._layer.set_tool(self.rings)
        self._layer.setAcceptedMouseButtons(Qt.MouseButton.LeftButton if makes else Qt.MouseButton.NoButton)
        self._layer.setEnabled(makes)
        self.rings.changed.emit()

    def fit(self, rect: QRectF) -> None:
        self.view.setRange(rect, padding=0, disableAutoRange=True)

    def wear_theme(self) -> None:
        colours = tones(self.palette())
        self.canvas.setBackground(colours.canvas)
        self._raster.set_gap_colours(colours.gap, colours.gap_lines)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.wear_theme()

    def _moved(self, at: QPointF) -> None:
        inside = self.view.sceneBoundingRect().contains(at)
        self.hovered.emit(self.view.mapSceneToView(at) if inside else None)


class PlanesView(QWidget):
    """Up to two images that zoom together. `hovered` gives the place under the cursor, `drawn` a ring that was made."""

    hovered = Signal(object)
    drawn = Signal(QPointF, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.planes = (_Plane(), _Plane())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        self._linking = False
        for plane in self.planes:
            layout.addWidget(plane, 1)
            plane.hovered.connect(self.hovered)
            plane.drawn.connect(self.drawn)
            plane.view.sigRangeChangedManually.connect(lambda _, p=plane: self._follow(p))
        self._frame: Frame | None = None

    def show_looks(self, looks: Sequence[PlaneLook], *, makes: bool = False) -> None:
        """Shows one or two images; stays zoomed where their frame is the same as before."""
        for plane, look in zip(self.planes, looks, strict=False):
            plane.show_look(look, makes=makes)
        for number, plane in enumerate(self.planes):
            plane.setVisible(number < len(looks))
        frame = looks[0].picture.frame if looks else None
        if frame is not None and frame != self._frame:
            rect = QRectF(frame.x, frame.y, frame.width, frame.height)
            focus = looks[0].focus
            if focus is not None:
                rect = rect.intersected(QRectF(-focus, -focus, 2 * focus, 2 * focus))
            for plane in self.planes:
                plane.fit(rect)
        self._frame = frame

    def _follow(self, moved: _Plane) -> None:
        if self._linking:
            return
        self._linking = True
        for plane in self.planes:
            if plane is not moved:
                plane.fit(moved.view.viewRect())
        self._linking = False
