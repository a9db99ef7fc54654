"""Windows that open no larger than the screen: what lies beyond its edge, such as a Start button, cannot be reached."""

from PySide6.QtCore import QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

#: of the height of the screen, for the title bar
_TITLE_BAR = 40


def room_for(window: QWidget) -> QSize | None:
    """The room for what is below the title bar; None where there is no screen that anybody sees."""
    if QGuiApplication.platformName() == "offscreen":  # it makes up one of 800 x 800
        return None
    return window.screen().availableGeometry().size() - QSize(0, _TITLE_BAR)


def keep_on_screen(window: QWidget) -> None:
    """Makes a window that is about to be shown no larger than its screen.

    That of a laptop has 1280 x 720 pixels at a scale of 150 %. Qt does this only where the size was remembered on
    about the same screen.
    """
    room = room_for(window)
    if room is not None and not (window.isMaximized() or window.isFullScreen()):
        window.resize(window.size().boundedTo(room))
