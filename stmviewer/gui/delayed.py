"""Something that is to be done a moment after the last reason for it."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


def delayed(parent: QObject, act: Callable[[], object], delay_ms: int = 0) -> QTimer:
    """A timer that acts once after each `start`; a start before that begins the delay anew."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(delay_ms)
    timer.timeout.connect(act)
    return timer
