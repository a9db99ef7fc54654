"""The batch as the main window knows it: its dialog, its commands, and a line that says how far it is."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QToolButton, QWidget

from stmviewer.gui.batch.dialog import BatchDialog
from stmviewer.gui.batch.runner import BatchRunner
from stmviewer.gui.beside import BesideWindow
from stmviewer.gui.commands import Command
from stmviewer.gui.session import Session
from stmviewer.gui.settings import Settings
from stmviewer.restore import RestoreRequest


class BatchControl(QObject):
    """Owns the runner and shows its dialog. `asked` gives the settings of the window; raises RequestError."""

    def __init__(
        self, session: Session, settings: Settings, asked: Callable[[], RestoreRequest], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._session = session
        self.runner = BatchRunner(session.desk, session.services.restore_next_job, self)

        def shown() -> RestoreRequest:
            """With the channel on show and its steps, as the Restore button has it."""
            request, on_show = asked(), session.shown
            if on_show is None or on_show.raw.channel.role != "raw":
                return request
            raw, steps = on_show.raw.channel, on_show.history.to_text()
            return request.replaced(channel=raw.name, direction=raw.direction, process=steps)

        self._window = BesideWindow(lambda: BatchDialog(self.runner, settings, shown, parent))
        #: for the status bar: how far the batch is; a click shows it
        self.line = QToolButton()
        self.line.setAutoRaise(True)
        self.line.setToolTip("Show the batch")
        self.line.clicked.connect(lambda _: self.show())
        self.line.hide()
        self.runner.changed.connect(self._tell)

    @property
    def dialog(self) -> BatchDialog | None:
        """The dialog that is open."""
        found = self._window.dialog
        return found if isinstance(found, BatchDialog) else None

    def show(self, files: Sequence[Path] = ()) -> None:
        """Opens the dialog, with these files added."""
        self._window.show()
        if files and self.dialog is not None:
            self.dialog.add(list(files))

    def refresh(self) -> None:
        """The settings of the window have changed."""
        if self.dialog is not None:
            self.dialog.refresh()

    def close(self) -> None:
        self._window.close()

    def commands(self) -> tuple[Command, ...]:
        def folder() -> None:
            self.show(self._session.opening.files)

        return (
            Command(
                "batch",
                "Restore",
                "Restore &many files…",
                lambda _w, _: self.show(),
                "Ctrl+B",
                separator=True,
                after="copy-command",
            ),
            Command(
                "batch-all",
                "Restore",
                "Add the files of the &list to the batch",
                lambda _w, _: folder(),
                "Ctrl+Shift+B",
                lambda _: bool(self._session.opening.files),
                after="batch",
            ),
        )

    def _tell(self) -> None:
        queue = self.runner.queue
        self.line.setVisible(bool(queue.rows))
        self.line.setText(f"Batch: {queue.text}")
