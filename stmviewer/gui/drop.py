"""Files and folders dropped anywhere on the window, the drawing surfaces included."""

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QRect, Qt, Signal
from PySide6.QtGui import QColor, QDragEnterEvent, QDragMoveEvent, QDropEvent, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

_ENTERING = (QEvent.Type.DragEnter, QEvent.Type.DragMove)


class DropTarget(QObject):
    """Makes widgets accept dropped files. (A QGraphicsView takes drag events for its scene and would swallow them.)"""

    dropped = Signal(list)
    hovering = Signal(bool)

    def watch(self, widget: QWidget) -> None:
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDragEnterEvent | QDragMoveEvent) and event.type() in _ENTERING:
            if dropped_paths(event):
                event.setDropAction(Qt.DropAction.CopyAction)
                event.accept()
                self.hovering.emit(True)
            else:
                event.ignore()
            return True
        if event.type() == QEvent.Type.DragLeave:
            self.hovering.emit(False)
            return True
        if isinstance(event, QDropEvent) and event.type() == QEvent.Type.Drop:
            self.hovering.emit(False)
            paths = dropped_paths(event)
            if paths:
                event.setDropAction(Qt.DropAction.CopyAction)  # never 'move': the source must not delete the file
                event.accept()
                self.dropped.emit(paths)
            return True
        return False


def dropped_paths(event: QDropEvent) -> list[Path]:
    """The local files and folders of a drag; nothing for links to elsewhere."""
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]


class DropVeil(QWidget):
    """Lies over the window while files hover over it, and says that they can be dropped."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def set_hovering(self, hovering: bool) -> None:
        self.setGeometry(self._window.rect())
        self.setVisible(hovering)
        if hovering:
            self.raise_()

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        accent = self.palette().highlight().color()
        ground = QColor(self.palette().window().color())
        ground.setAlpha(200)
        painter.fillRect(self.rect(), ground)
        painter.setPen(QPen(accent, 3, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRect(self.rect()).adjusted(12, 12, -12, -12), 12, 12)
        font = QFont(self.font())
        font.setPixelSize(22)
        painter.setFont(font)
        painter.setPen(self.palette().text().color())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "Drop to open")
