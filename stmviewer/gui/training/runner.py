"""Runs a training as a child process and listens to it. No thread: Qt tells when it has said something."""

import logging
import os
from collections.abc import Callable, Sequence
from enum import Enum, auto
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Signal

import stmviewer
from stmviewer.gui.delayed import delayed
from stmviewer.gui.training.course import Course
from stmviewer.scan import StmviewerError
from stmviewer.services import training
from stmviewer.services.training import StoppedTraining, TrainingRequest
from stmviewer.services.training_events import parse_line

_log = logging.getLogger(__name__)
#: after it was asked to stop it has this long, less when the window closes, then it is ended. It takes a second or two;
#: but where the machine is busy an end in the middle of saving costs what was learned since the last saved state
_GRACE_MS, _CLOSING_MS, _LAST_MS = 20_000, 6000, 1500
#: of what it writes to stderr so much is kept (characters)
_MOST_ERRORS = 20_000
_BAD_INPUT = 2


class Phase(Enum):
    """Of the training on show."""

    IDLE = auto()
    RUNNING = auto()
    STOPPING = auto()
    DONE = auto()
    STOPPED = auto()
    FAILED = auto()


class TrainingRunner(QObject):
    """Owns the child process. `changed` comes with all that it says and does; what is shown follows from the state.

    `fault` is the line that says why it failed, `details` what it wrote to stderr. `models` gives the folder of the
    user's models, `program` the words that run stmviewer.
    """

    changed = Signal()
    #: the model is in the library: its name
    model_made = Signal(str)
    #: a named checkpoint was written
    checkpoint_made = Signal(object)

    def __init__(
        self, models: Callable[[], Path], program: Callable[[], Sequence[str]], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._models, self._program = models, program
        self.phase = Phase.IDLE
        self.course = Course()
        self.request: TrainingRequest | None = None
        self.fault = self.details = ""
        #: the training on show, if it stopped or died and has a state to go on from
        self.resumable: StoppedTraining | None = None
        self._process: QProcess | None = None
        self._out, self._errors = b"", ""
        #: names of checkpoints that the user asked for; a training that is stopped names one of its own
        self._asked: set[str] = set()
        self._patience = delayed(self, self._end_it)

    @property
    def busy(self) -> bool:
        return self._process is not None

    # what the user does

    def start(self, request: TrainingRequest) -> None:
        """Starts a new training. What stands in its way is told as a fault."""
        if self.busy:
            return
        self.course = Course()
        try:
            work = training.prepare(request, self._models())
        except StmviewerError as error:
            self.request = request
            self._fail(str(error))
            return
        self._launch(request, work, resume=False)

    def resume(self, stopped: StoppedTraining) -> None:
        """Goes on with a training that was stopped; its curves go on, too."""
        if not self.busy:
            self.show(stopped)
            self._launch(stopped.request, stopped.work, resume=True)

    def show(self, stopped: StoppedTraining) -> None:
        """Shows what a stopped training has said, without going on with it."""
        if self.busy:
            return
        self.course = Course()
        for event in stopped.events:
            self.course.take(event)
        self.request, self.fault, self.details, self.phase = stopped.request, "", "", Phase.STOPPED
        self.resumable = stopped
        self.changed.emit()

    def forget(self) -> None:
        """Back to the start, to begin another training."""
        if not self.busy:
            self.course, self.request, self.fault, self.details = Course(), None, "", ""
            self.resumable = None
            self.phase = Phase.IDLE
            self.changed.emit()

    def stop(self) -> None:
        """Asks it to write its state and stop; ends it when that takes too long."""
        if self._process is None or self.phase is Phase.STOPPING:
            return
        self.phase = Phase.STOPPING
        self._process.write(b"stop\n")
        self._patience.start(_GRACE_MS)
        self.changed.emit()

    def keep(self, name: str) -> None:
        """Asks it to keep its present state as a model of that name."""
        if self._process is not None and self.phase is Phase.RUNNING:
            self._asked.add(name)
            self._process.write(f"checkpoint {name}\n".encode())

    def close(self) -> None:
        """Stops the training for good and waits for its end, at most some seconds. No process or timer is left."""
        process = self._process
        if process is None:
            return
        self.stop()
        self._patience.stop()
        process.blockSignals(True)
        if not process.waitForFinished(_CLOSING_MS):
            process.kill()
            process.waitForFinished(_LAST_MS)
        process.blockSignals(False)
        if self._process is process:
            self._finished()

    # what happens

    def _launch(self, request: TrainingRequest, work: Path, *, resume: bool) -> None:
        self.request, self.fault, self.details = request, "", ""
        self.phase, self.resumable = Phase.RUNNING, None
        self._out, self._errors = b"", ""
        words = [*self._program(), *request.arguments(work, resume=resume)]
        process = QProcess(self)
        process.setProcessEnvironment(_environment())
        process.readyReadStandardOutput.connect(self._read)
        process.readyReadStandardError.connect(self._read_errors)
        process.finished.connect(self._finished)
        process.errorOccurred.connect(self._on_error)
        self._process = process
        _log.info("training: %s", words)
        process.start(words[0], words[1:])
        self.changed.emit()

    def _read(self) -> None:
        if self._process is None:
            return
        self._out += bytes(self._process.readAllStandardOutput().data())
        *lines, self._out = self._out.split(b"\n")
        for line in lines:
            event = parse_line(line.decode("utf-8", "replace"))
            if event is not None:
                before = len(self.course.checkpoints)
                self.course.take(event)
                if len(self.course.checkpoints) > before and self.course.checkpoints[-1].name in self._asked:
                    self.checkpoint_made.emit(self.course.checkpoints[-1])
        if lines:
            self.changed.emit()

    def _read_errors(self) -> None:
        if self._process is not None:
            said = bytes(self._process.readAllStandardError().data()).decode("utf-8", "replace")
            self._errors = (self._errors + said)[-_MOST_ERRORS:]

    def _end_it(self) -> None:
        """It did not stop by itself."""
        if self._process is not None:
            self._process.kill()

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart and self._process is not None:
            reason = self._process.errorString()
            self._release()
            self._fail(f"The training cannot be started ({reason})")

    def _finished(self, *_: object) -> None:
        process = self._process
        if process is None:
            return
        self._read()
        self._read_errors()
        code, crashed = process.exitCode(), process.exitStatus() is QProcess.ExitStatus.CrashExit
        self._release()
        assert self.request is not None
        if self.course.saved is not None and code == 0 and not crashed:
            self.phase = Phase.DONE
            self.changed.emit()
            self.model_made.emit(self.request.name)
        elif self.phase is Phase.STOPPING or self.course.stopped is not None:
            self.phase = Phase.STOPPED
            training.clean_up(self.request.name, self._models())  # stopped before there was a state, or killed
            self._find_state()
            self.changed.emit()
        elif crashed or code < 0:
            self._fail("The training ended without a word: it was killed, or the computer ran out of memory")
        else:
            lines = [line.removeprefix("stmviewer: ") for line in self._errors.splitlines() if line.strip()]
            last = lines[-1] if lines else f"it ended with the code {code}"
            self._fail(last if code == _BAD_INPUT else f"The training failed: {last}", details=self._errors)

    def _fail(self, message: str, details: str = "") -> None:
        self.phase, self.fault, self.details = Phase.FAILED, message, details
        if self.request is not None:
            training.clean_up(self.request.name, self._models())
            self._find_state()
        _log.warning("training: %s", message)
        self.changed.emit()

    def _release(self) -> None:
        self._patience.stop()
        if self._process is not None:
            self._process.deleteLater()
            self._process = None

    def _find_state(self) -> None:
        """Whether there is a state to go on from, now that it has ended."""
        name = self.request.name if self.request is not None else ""
        found = training.stopped_trainings(self._models())
        self.resumable = next((s for s in found if s.request.name == name), None)


def _environment() -> QProcessEnvironment:
    """The window's own, with the package that it runs from: the child is the same stmviewer in a source tree, too."""
    environment = QProcessEnvironment.systemEnvironment()
    here = str(Path(stmviewer.__file__).resolve().parents[1])
    before = environment.value("PYTHONPATH", "")
    environment.insert("PYTHONPATH", os.pathsep.join(filter(None, (here, before))))
    environment.insert("PYTHONIOENCODING", "utf-8")
    return environment
