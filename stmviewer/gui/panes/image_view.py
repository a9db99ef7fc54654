"""One pane: a title, an image with pan and zoom, scale bar and cross-hair."""

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from stmviewer.gui.display import FLAT, Lut, Picture, Plane
from stmviewer.gui.elided_label import ElidedLabel
from stmviewer.gui.panes.overlay import Overlay
from stmviewer.gui.panes.raster import RasterItem
from stmviewer.gui.theme import tones

TITLE_HEIGHT = 26


class _Viewport(pg.GraphicsView):
    """The drawing surface. Its minimum stays small, so that the arrangement of panes alone decides its size."""

    left = Signal()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.left.emit()


class ImagePane(QWidget):
    """Shows one Picture. `view` is the ViewBox to link; `hovered` gives the cursor as QPointF in nm or px, or None."""

    hovered = Signal(object)
    reset_asked = Signal()

    def __init__(self, title: str, hint: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = ElidedLabel(title)
        self._title.setObjectName("paneTitle")
        self.corner = QHBoxLayout()
        head = QHBoxLayout()
        head.setContentsMargins(2, 0, 0, 0)
        head.addWidget(self._title, 1)
        head.addLayout(self.corner)
        self._head = QWidget()
        self._head.setLayout(head)
        self._head.setFixedHeight(TITLE_HEIGHT)

        self.viewport_widget = _Viewport()
        self.viewport_widget.setMinimumSize(32, 32)
        self.view = pg.ViewBox(lockAspect=True, invertY=True, enableMenu=False, enableMouse=True, border=None)
        self.view.setDefaultPadding(0)
        self.viewport_widget.setCentralItem(self.view)
        self.raster = RasterItem()
        self.view.addItem(self.raster, ignoreBounds=True)
        self.overlay = Overlay(self.view)
        self._hint = QLabel(hint, self.viewport_widget)
        self._hint.setObjectName("paneHint")
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setWordWrap(True)
        self._hint.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._head)
        layout.addWidget(self.viewport_widget, 1)

        scene = self.viewport_widget.scene()
        scene.sigMouseMoved.connect(self._mouse_moved)
        scene.sigMouseClicked.connect(self._mouse_clicked)
        self.viewport_widget.left.connect(lambda: self.hovered.emit(None))
        self._wear_theme()
        self.show_picture(None)

    @property
    def picture(self) -> Picture | None:
        return self.raster.picture

    @property
    def title(self) -> str:
        return self._title.full_text

    def set_title(self, title: str) -> None:
        self._title.show_text(title)

    def set_hint(self, hint: str) -> None:
        """What the empty pane says."""
        self._hint.setText(hint)

    def show_picture(
        self,
        picture: Picture | None,
        plane: Plane = FLAT,
        limits: tuple[float, float] = (0.0, 1.0),
        lut: Lut | None = None,
    ) -> None:
        """Shows `picture` less `plane` between `limits`; None empties the pane and shows its hint."""
        if picture is None or lut is None:
            self.raster.clear()
            self.overlay.set_image(QRectF(), "px")
            self._hint.show()
            return
        self._hint.hide()
        self.raster.show_picture(picture, plane, limits, lut)
        frame = picture.frame
        self.overlay.set_image(QRectF(frame.x, frame.y, frame.width, frame.height), frame.unit)

    def set_cursor(self, at: QPointF | None) -> None:
        self.overlay.set_cursor(at)

    def value_at(self, x: float, y: float) -> float | None:
        """What the pane shows at that position, levelling included; NaN where nothing was measured, None outside."""
        if self.picture is None:
            return None
        value = self.picture.value_at(x, y)
        return None if value is None else value - self.raster.plane.at(x, y)

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._hint.setGeometry(self.viewport_widget.rect().adjusted(16, 8, -16, -8))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._wear_theme()

    def _wear_theme(self) -> None:
        colours = tones(self.palette())
        self.viewport_widget.setBackground(colours.canvas)
        self.raster.set_gap_colours(colours.gap, colours.gap_lines)

    def _mouse_moved(self, scene_position: QPointF) -> None:
        if self.picture is None or not self.view.sceneBoundingRect().contains(scene_position):
            self.hovered.emit(None)
        else:
            self.hovered.emit(self.view.mapSceneToView(scene_position))

    def _mouse_clicked(self, event: object) -> None:
        if event.double():  # type: ignore[attr-defined]
            self.reset_asked.emit()
