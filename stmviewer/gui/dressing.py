"""Keeps the application light or dark as the user has chosen, while a window is open."""

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from stmviewer.gui.settings import Settings
from stmviewer.gui.theme import ThemeChoice, apply_theme


class Dressing(QObject):
    """Dresses at once, and again when the desktop changes between light and dark and the choice is to follow it."""

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        self._app, self._settings = app, settings
        self._open = True
        app.styleHints().colorSchemeChanged.connect(self._on_desktop)
        self._dress()

    def choose(self, choice: ThemeChoice) -> None:
        self._settings.theme = choice
        self._dress()

    def close(self) -> None:
        """A window that is gone must not dress the application any more."""
        if self._open:
            self._open = False
            self._app.styleHints().colorSchemeChanged.disconnect(self._on_desktop)

    def _dress(self) -> None:
        apply_theme(self._app, self._settings.theme)

    def _on_desktop(self) -> None:
        if self._settings.theme == "system":
            self._dress()
