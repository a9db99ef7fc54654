"""Help as the main window knows it: its commands, and the windows that they open."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication

from stmviewer.gui.beside import BesideWindow
from stmviewer.gui.commands import Command
from stmviewer.gui.error_report import report
from stmviewer.gui.help.finder import Finder
from stmviewer.gui.help.log_panel import LogPanel
from stmviewer.gui.help.sheet import ShortcutSheet

if TYPE_CHECKING:
    from stmviewer.gui.window import MainWindow


class Help:
    """Made before the menus, which need its commands; what it opens needs the menus."""

    def __init__(self, window: "MainWindow") -> None:
        self._window = window
        self._finder: Finder | None = None
        self._sheet = BesideWindow(lambda: ShortcutSheet(window.menus.commands, window))
        self._log = BesideWindow(lambda: LogPanel(self.diagnostics, window.open_log_folder, window))

    @property
    def finder(self) -> Finder:
        if self._finder is None:
            menus = self._window.menus
            commands = [c for c in menus.commands if c.name != "finder"]
            self._finder = Finder(commands, menus.actions, self._window)
        return self._finder

    @property
    def sheet(self) -> BesideWindow:
        return self._sheet

    @property
    def log(self) -> BesideWindow:
        return self._log

    def diagnostics(self) -> str:
        """Versions, device, settings and the last lines of the log; nothing of what files hold."""
        window = self._window
        device = window.device_line.text() or "not asked for yet"
        return report(device, window.settings.told())

    def copy_diagnostics(self) -> None:
        QApplication.clipboard().setText(self.diagnostics())
        self._window.say("Copied: versions, device, settings and the last lines of the log")

    def commands(self) -> tuple[Command, ...]:
        acts: Mapping[str, tuple[str, str, Callable[[], None]]] = {
            "finder": ("&Find a command…", "Ctrl+K", lambda: self.finder.open()),
            "shortcuts": ("&Shortcuts", "F1", self._sheet.show),
            "log": ("&Log", "", self._log.show),
            "diagnostics": ("Copy &diagnostics", "", self.copy_diagnostics),
        }
        placed = {"log": "log-folder", "diagnostics": "log"}
        first = [
            Command(name, "Help", text, lambda _w, _, act=act: act(), keys, after=placed.get(name, ""))  # type: ignore[misc]
            for name, (text, keys, act) in acts.items()
        ]
        return tuple(first)

    def close(self) -> None:
        self._sheet.close()
        self._log.close()
