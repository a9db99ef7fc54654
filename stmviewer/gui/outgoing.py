"""What goes out of the window: results and figures into files, figures and command lines onto the clipboard."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QApplication, QMainWindow

from stmviewer.gui import dialogs
from stmviewer.gui.commands import Command
from stmviewer.gui.panes.figure import copy, png_of
from stmviewer.gui.scan_view import ScanView
from stmviewer.gui.seen import figure, pane_figure
from stmviewer.gui.session import Session
from stmviewer.gui.settings import Settings
from stmviewer.scan import Scan


class Outgoing:
    """Asks where to, and writes. `tell` shows a line for a moment."""

    def __init__(
        self, window: QMainWindow, view: ScanView, session: Session, settings: Settings, tell: Callable[[str], None]
    ) -> None:
        self._window, self._view, self._session, self._settings, self._tell = window, view, session, settings, tell
        view.copy_asked.connect(self.copy_figure)

    def export(self) -> None:
        """Asks for a name and a format, and writes the result on show."""
        scan, restored = self._session.scan, self._session.restored
        if scan is None or restored is None:
            return
        last = self._settings.text("export-format")
        path = dialogs.ask_export_path(self._window, restored.restoration, scan, self._folder(scan), last)
        if path is not None:
            self._settings.set_text("export-folder", str(path.parent))
            self._settings.set_text("export-format", path.suffix.lower().lstrip("."))
            self._session.exporting.export(restored.restoration, path)

    def save_figure(self) -> None:
        """Writes what is seen into a PNG file."""
        image, scan = figure(self._view), self._session.scan
        if image is None or scan is None:
            return
        path = dialogs.ask_picture_path(self._window, self._folder(scan) / f"{Path(scan.name).stem}_view.png")
        if path is not None:
            self._settings.set_text("export-folder", str(path.parent))
            self._session.exporting.save_picture(png_of(image), path)

    def copy_figure(self) -> None:
        if copy(figure(self._view)):
            self._tell("Copied: the panes and colour bars as they are seen")

    def copy_pane(self) -> None:
        if copy(pane_figure(self._view)):
            self._tell("Copied: the pane as it is seen")

    def copy_command(self) -> None:
        command = self._session.restoring.command()
        if command:
            QApplication.clipboard().setText(command)
            self._tell(f"Copied: {command}")

    def _folder(self, scan: Scan) -> Path:
        """Where something was written the last time, else beside the scan."""
        return Path(self._settings.text("export-folder") or (scan.path.parent if scan.path else Path.home()))


def outgoing_commands(outgoing: Outgoing) -> tuple[Command, ...]:
    return (
        Command(
            "export",
            "File",
            "&Export result…",
            lambda *_: outgoing.export(),
            "Ctrl+E",
            lambda s: s.result,
            separator=True,
            after="next",
        ),
        Command(
            "copy-figure",
            "File",
            "&Copy figure",
            lambda *_: outgoing.copy_figure(),
            "Ctrl+Shift+C",
            lambda s: s.scan,
            separator=True,
            after="calibrate",
        ),
        Command(
            "copy-pane",
            "File",
            "Copy &pane",
            lambda *_: outgoing.copy_pane(),
            "Ctrl+Alt+C",
            lambda s: s.scan,
            after="copy-figure",
        ),
        Command(
            "save-figure",
            "File",
            "&Save figure…",
            lambda *_: outgoing.save_figure(),
            "Ctrl+Alt+S",
            lambda s: s.scan,
            after="copy-pane",
        ),
        Command(
            "copy-command",
            "Restore",
            "Copy as command &line",
            lambda *_: outgoing.copy_command(),
            "Ctrl+Shift+L",
            lambda s: s.result_has_path,
            separator=True,
            after="cancel",
        ),
    )
