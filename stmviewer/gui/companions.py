"""What stands beside the scan on show: the list of files, the batch, the live folder, other dialogs, help."""

from pathlib import Path
from typing import TYPE_CHECKING

from stmviewer.gui.batch.control import BatchControl
from stmviewer.gui.beside import BesideWindow
from stmviewer.gui.commands import Command
from stmviewer.gui.folder.browsing import Browsing
from stmviewer.gui.folder.commands import browse_commands
from stmviewer.gui.help.control import Help
from stmviewer.gui.live.control import LiveControl
from stmviewer.gui.recalling import panel_commands, show_files
from stmviewer.gui.reporting import report_dialog
from stmviewer.gui.simulating import simulation_dialog
from stmviewer.gui.training.control import TrainingControl
from stmviewer.scan import Scan

if TYPE_CHECKING:
    from stmviewer.gui.window import MainWindow


class Companions:
    """Makes them, connects them with each other and with the window, and closes them."""

    def __init__(self, window: "MainWindow") -> None:
        session, settings = window.session, window.settings
        self._window = window
        self.browsing = Browsing(session, window.files, settings, window)
        self.batch = BatchControl(session, settings, window.controls.request, window)
        self.live = LiveControl(session, settings, window.restore, window)
        self.training = TrainingControl(session, settings, window.controls.model.prefer, window)
        self.simulation = BesideWindow(lambda: simulation_dialog(session.desk, settings, self._take, window))
        self.reports = BesideWindow(lambda: report_dialog(session.desk, settings, session.models, window))
        self.help = Help(window)
        self.browsing.batch_asked.connect(self.batch.show)
        self.browsing.notes.told.connect(window.messages.tell_kept)
        self.live.changed.connect(self._on_live)
        self.live.landed.connect(self.browsing.look_again)
        session.desk.slow.connect(self._on_slow)
        window.controls.changed.connect(self.batch.refresh)
        session.shown_changed.connect(self.batch.refresh)

    def commands(self) -> tuple[tuple[Command, ...], ...]:
        """The tables of commands that they bring along."""
        return (
            panel_commands(self._window),
            browse_commands(self.browsing),
            self._dialog_commands(),
            self.batch.commands(),
            self.live.commands(self._window),
            self.training.commands(),
            self.help.commands(),
        )

    def under_way(self) -> list[str]:
        """What would be lost if the window were closed now, in words."""
        window, found = self._window, []
        if window.session.run.busy:
            found.append("a restoration")
        if self.batch.runner.busy:
            left = len(self.batch.runner.queue.rows) - len(self.batch.runner.queue.outcomes())
            found.append(f"a batch with {left} file{'s' * (left != 1)} to go")
        if self.training.runner.busy:
            found.append("a training")
        if window.workbench.processing.busy:
            found.append("the steps for the whole folder")
        if window.session.exporting.busy:
            found.append("an export")
        if self.reports.busy:
            found.append("a report")
        if self.browsing.notes.unkept:
            found.append(f"the note on {', '.join(path.name for path in self.browsing.notes.unkept)}")
        return found

    def close(self) -> None:
        """No timer runs and no dialog is open after this."""
        self.browsing.close()
        self.batch.close()
        self.live.close()
        self.help.close()
        self.training.close()
        self.simulation.close()
        self.reports.close()

    def finish(self) -> None:
        """After `close`, when the window is out of sight: waits for the end of what takes a moment to stop."""
        self.browsing.notes.finish()
        self.training.finish()

    def _dialog_commands(self) -> tuple[Command, ...]:
        return (
            Command(
                "simulate",
                "Simulate",
                "&Simulate a scan…",
                lambda *_: self.simulation.show(),
                "Ctrl+Shift+S",
                after="copy-command",
            ),
            Command(
                "report",
                "Simulate",
                "Compare &models and report…",
                lambda *_: self.reports.show(),
                "Ctrl+Shift+E",
                after="simulate",
            ),
        )

    def _take(self, scan: Scan) -> None:
        """A simulated scan."""
        self._window.messages.dismiss("error")
        self._window.session.opening.take(scan)

    def _on_slow(self, title: str) -> None:
        bar = self._window.statusBar()
        if title:
            bar.showMessage(f"{title}… The folder or the file is slow to answer; other files can be opened meanwhile")
        else:
            bar.clearMessage()

    def _on_live(self) -> None:
        window = self._window
        show_files(window)
        folder: Path | None = self.live.folder
        self.browsing.thumbnails.alone_too = folder is not None
        if folder is not None:
            window.show_workspace()
        if window.session.shown is None:
            window.view.say_absent("Waiting for the first scan" if folder is not None else "Open or drop a scan")
        window.refresh()
