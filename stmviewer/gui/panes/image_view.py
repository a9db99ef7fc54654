"""One pane: a title, an image with pan and zoom, scale bar and cross-hair."""

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from stmviewer.gui.display import FLAT, Frame, Lut, Picture, Plane
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


class Pane(QWidget):
    """A title above a view of physical coordinates. `view` is the ViewBox to link.

    `hovered` gives the cursor as QPointF in nm or px, or None; `menu_asked` where on the screen a menu is wanted.
    """

    hovered = Signal(object)
    reset_asked = Signal()
    hide_asked = Signal()
    menu_asked = Signal(QPoint)

    def __init__(self, title: str, hint: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = ElidedLabel(title)
        self._title.setObjectName("paneTitle")
        #: further widgets of the title row
        self.corner = QHBoxLayout()
        self.corner.setSpacing(4)
        self.cross = QToolButton()
        self.cross.setObjectName("paneCross")
        self.cross.setText("✕")
        self.cross.setAutoRaise(True)
        self.cross.setToolTip("Hide this pane")
        self.cross.setAccessibleName("Hide this pane")
        self.cross.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.cross.clicked.connect(self.hide_asked)
        self.cross.hide()  # until somebody can hide it
        head = QHBoxLayout()
        head.setContentsMargins(2, 0, 0, 0)
        head.setSpacing(4)
        head.addWidget(self._title, 1)
        head.addLayout(self.corner)
        head.addWidget(self.cross)
        self._head = QWidget()
        self._head.setLayout(head)
        self._head.setFixedHeight(TITLE_HEIGHT)

        self.viewport_widget = _Viewport()
        self.viewport_widget.setMinimumSize(32, 32)
        self.view = pg.ViewBox(lockAspect=True, invertY=True, enableMenu=False, enableMouse=True, border=None)
        self.view.setDefaultPadding(0)
        self.viewport_widget.setCentralItem(self.view)
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

    @property
    def title(self) -> str:
        return self._title.full_text

    def set_title(self, title: str, tooltip: str = "") -> None:
        self._title.show_text(title, tooltip)

    def set_hint(self, hint: str) -> None:
        """What the empty pane says."""
        self._hint.setText(hint)

    def set_cursor(self, at: QPointF | None, readout: tuple[str, ...] = ()) -> None:
        self.overlay.set_cursor(at, readout)

    def frame(self) -> Frame | None:
        """Where the shown image lies, None while there is none."""
        raise NotImplementedError

    def value_at(self, x: float, y: float) -> float | None:
        """What the pane shows at that position, levelling included; NaN where nothing was measured, None outside."""
        raise NotImplementedError

    def wear_theme(self) -> None:
        self.viewport_widget.setBackground(tones(self.palette()).canvas)

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._hint.setGeometry(self.viewport_widget.rect().adjusted(16, 8, -16, -8))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.wear_theme()

    def _set_frame(self, frame: Frame | None) -> None:
        self._hint.setVisible(frame is None)
        rect = QRectF(frame.x, frame.y, frame.width, frame.height) if frame else QRectF()
        self.overlay.set_image(rect, frame.unit if frame else "px")

    def _mouse_moved(self, scene_position: QPointF) -> None:
        if self.frame() is None or not self.view.sceneBoundingRect().contains(scene_position):
            self.hovered.emit(None)
        else:
            self.hovered.emit(self.view.mapSceneToView(scene_position))

    def _mouse_clicked(self, event: object) -> None:
        if event.double():  # type: ignore[attr-defined]
            self.reset_asked.emit()
        elif event.button() == Qt.MouseButton.RightButton:  # type: ignore[attr-defined]
            self.menu_asked.emit(QCursor.pos())


class ImagePane(Pane):
    """Shows one Picture."""

    def __init__(self, title: str, hint: str = "", parent: QWidget | None = None) -> None:
        super().__init__(title, hint, parent)
        self.raster = RasterItem()
        self.view.addItem(self.raster, ignoreBounds=True)
        self.wear_theme()
        self.show_picture(None)

    @property
    def picture(self) -> Picture | None:
        return self.raster.picture

    def frame(self) -> Frame | None:
        return self.picture.frame if self.picture else None

    def show_picture(
        self,
        picture: Picture | None,
        plane: Plane = FLAT,
        limits: tuple[float, float] = (0.0, 1.0),
        lut: Lut | None = None,
        tint: Picture | None = None,
    ) -> None:
        """Shows `picture` less `plane` between `limits`; None empties the pane and shows its hint."""
        if picture is None or lut is None:
            self.raster.clear()
        else:
            self.raster.show_picture(picture, plane, limits, lut, tint)
        self._set_frame(self.frame())

    def value_at(self, x: float, y: float) -> float | None:
        if self.picture is None:
            return None
        value = self.picture.value_at(x, y)
        return None if value is None else value - self.raster.plane.at(x, y)

    def wear_theme(self) -> None:
        super().wear_theme()
        colours = tones(self.palette())
        self.raster.set_gap_colours(colours.gap, colours.gap_lines, colours.tint)
