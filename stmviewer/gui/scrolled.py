"""What is too high for its place scrolls."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget


def scrolled(widget: QWidget, width: int | None = None) -> QScrollArea:
    """Around `widget`, without a frame; it is as wide as its place, or as `width` says."""
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setWidget(widget)
    if width is not None:
        scroll.setFixedWidth(width)
    return scroll
