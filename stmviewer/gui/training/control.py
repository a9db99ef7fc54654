"""Training as the main window knows it: its dialog, its command, and a line that says how far it is."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QToolButton, QWidget

from stmviewer import paths
from stmviewer.gui.beside import BesideWindow
from stmviewer.gui.commands import Command
from stmviewer.gui.session import Session
from stmviewer.gui.settings import Settings
from stmviewer.gui.training.course import progress_text
from stmviewer.gui.training.runner import Phase, TrainingRunner
from stmviewer.restore import Task
from stmviewer.services import events
from stmviewer.services.training import adopt_job
from stmviewer.services.training_events import CheckpointMade

if TYPE_CHECKING:
    from stmviewer.gui.training.dialog import TrainingDialog


class TrainingControl(QObject):
    """Owns the runner: a training goes on when its dialog is closed. `prefer` chooses a model in the window.

    `told` carries a line for the dialog and the name of the model that it is about, '' for a complaint.
    """

    told = Signal(str, str)

    def __init__(
        self, session: Session, settings: Settings, prefer: Callable[[str, Sequence[Task]], None], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.session, self._prefer = session, prefer
        self.runner = TrainingRunner(paths.user_models, session.services.training_program, self)
        self._adopting = session.desk.lane(session.desk.files, self._on_adopted)
        self._waiting: list[CheckpointMade] = []

        def make() -> "TrainingDialog":
            from stmviewer.gui.training.dialog import TrainingDialog

            return TrainingDialog(self, settings, parent)

        self._window = BesideWindow(make)
        #: for the status bar; a click shows the dialog
        self.line = QToolButton(parent)
        self.line.setAutoRaise(True)
        self.line.setToolTip("Show the training")
        self.line.clicked.connect(lambda _: self.show())
        self.line.hide()
        self.runner.changed.connect(self._tell)
        self.runner.model_made.connect(lambda _: session.list_models())
        self.runner.checkpoint_made.connect(self._adopt)

    @property
    def dialog(self) -> "TrainingDialog | None":
        """The dialog that is open."""
        from stmviewer.gui.training.dialog import TrainingDialog

        found = self._window.dialog
        return found if isinstance(found, TrainingDialog) else None

    @property
    def models(self) -> Path:
        return paths.user_models()

    def show(self) -> None:
        self._window.show()

    def use(self, name: str) -> None:
        """Chooses a model in the window, for what it was trained on."""
        request = self.runner.request
        tasks: tuple[Task, ...] = ("repair", "sparse")
        if request is not None and request.task != "both":
            tasks = (request.task,)
        self._prefer(name, tasks)
        self.session.list_models()

    def close(self) -> None:
        """Asks a training to stop and closes the dialog; `finish` waits for its end."""
        self.runner.stop()
        self._window.close()
        self._adopting.drop()

    def finish(self) -> None:
        """After this no process is left."""
        self.runner.close()

    def commands(self) -> tuple[Command, ...]:
        return (
            Command(
                "train",
                "Simulate",
                "&Train on your own scans…",
                lambda _w, _: self.show(),
                "Ctrl+T",
                separator=True,
                after="report",
            ),
        )

    def _adopt(self, made: CheckpointMade) -> None:
        self._waiting.append(made)
        self._adopt_next()

    def _adopt_next(self) -> None:
        if not self._waiting or self._adopting.busy:
            return
        made = self._waiting.pop(0)
        if made.path is not None:
            self._adopting.start("Checkpoint", adopt_job(made.path, made.name, self.models))

    def _on_adopted(self, event: events.Event) -> None:
        match event:
            case events.Finished(str() as name):
                self.told.emit(f"The present state is kept as the model '{name}'", name)
                self.session.list_models()
            case events.Failed(message):
                self.told.emit(message, "")
            case events.Cancelled():
                pass
            case _:
                return
        self._adopt_next()

    def _tell(self) -> None:
        runner = self.runner
        name = runner.request.name if runner.request is not None else ""
        words = {
            Phase.RUNNING: progress_text(runner.course),
            Phase.STOPPING: "stops",
            Phase.DONE: "done",
            Phase.STOPPED: "stopped",
            Phase.FAILED: "failed",
        }
        said = words.get(runner.phase, "")
        self.line.setVisible(bool(said))
        self.line.setText(f"Training {name}: {said}")
