"""A key that does something while it is held, wherever the focus is but in a text field."""

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QMainWindow,
    QPlainTextEdit,
    QTextEdit,
)


class HoldKey(QObject):
    """Emits `held` when the key goes down over `window` and again when it comes up or the window loses the focus.

    It watches the window of the system, which gets keys before any widget does: a button that has the focus would
    take the space bar as a click.
    """

    held = Signal(bool)

    def __init__(self, window: QMainWindow, key: Qt.Key = Qt.Key.Key_Space) -> None:
        super().__init__(window)
        self._window, self._key = window, key
        self.enabled = False
        self._down = False
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if watched is self._window:
            if kind == QEvent.Type.Show and (handle := self._window.windowHandle()) is not None:
                handle.removeEventFilter(self)
                handle.installEventFilter(self)
            elif kind in (QEvent.Type.WindowDeactivate, QEvent.Type.Hide):
                self._release()
            return False
        if isinstance(event, QKeyEvent) and event.key() == self._key:
            if kind == QEvent.Type.KeyPress:
                return self._press(event)
            if kind == QEvent.Type.KeyRelease and self._down:
                if not event.isAutoRepeat():
                    self._release()
                return True
        return False

    def _press(self, event: QKeyEvent) -> bool:
        if self._down:
            return True  # it repeats while it is held
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        if not self.enabled or not plain or QApplication.activePopupWidget() is not None or _types_text():
            return False
        self._down = True
        self.held.emit(True)
        return True

    def _release(self) -> None:
        if self._down:
            self._down = False
            self.held.emit(False)


def _types_text() -> bool:
    """Whether the focus is where a space is a letter."""
    focus = QApplication.focusWidget()
    if isinstance(focus, QLineEdit | QPlainTextEdit | QTextEdit):
        return not focus.isReadOnly()
    return isinstance(focus, QAbstractSpinBox) or (isinstance(focus, QComboBox) and focus.isEditable())
