"""Dialogs that stay open beside the window."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog

from stmviewer.gui.on_screen import keep_on_screen


class BesideWindow:
    """A dialog that is made when it is first asked for, shown once, and made anew after it was closed."""

    def __init__(self, make: Callable[[], QDialog]) -> None:
        self._make = make
        #: the dialog that is open; None when there is none
        self.dialog: QDialog | None = None

    def show(self) -> None:
        """Opens the dialog, or brings it to the front."""
        if self.dialog is None:
            dialog = self._make()
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.destroyed.connect(self._gone)
            self.dialog = dialog
            keep_on_screen(dialog)
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    @property
    def busy(self) -> bool:
        """Whether something is under way in the dialog that is open, if it can say so."""
        return bool(getattr(self.dialog, "busy", False))

    def close(self) -> None:
        if self.dialog is not None:
            self.dialog.close()

    def _gone(self) -> None:
        self.dialog = None


class BesideDialog(QDialog):
    """One that works on something: whichever way it is closed, it is told to `end` that."""

    def end(self) -> None:
        """Nothing more is wanted of what is under way; called once or twice."""

    def closeEvent(self, event: QCloseEvent) -> None:
        self.end()
        super().closeEvent(event)

    def done(self, result: int) -> None:
        self.end()
        super().done(result)
