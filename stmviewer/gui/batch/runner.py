"""Runs a batch: one job a file on the worker that restores, so that a scan in the window can have its turn between."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic

from PySide6.QtCore import QObject, Signal

from stmviewer.gui.batch.queue import Phase, Queue
from stmviewer.gui.worker import JobDesk
from stmviewer.services import events
from stmviewer.services.batch import BatchItem, BatchPlan, Outcome, collected
from stmviewer.services.jobs import Context, Job

_log = logging.getLogger(__name__)
FileJob = Callable[[BatchItem, BatchPlan], Job]


class BatchRunner(QObject):
    """Owns the queue; `changed` tells that it is another, `complained` why a batch cannot begin at all."""

    changed = Signal()
    complained = Signal(str, str)

    def __init__(self, desk: JobDesk, file_job: FileJob, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._file_job = file_job
        self._lane = desk.lane(desk.restoring, self._on_file)
        self._collecting = desk.lane(desk.files, self._on_collected)
        self._checking = desk.lane(desk.files, self._on_checked)
        self.queue = Queue()
        #: files and folders as they were given, for the command line
        self.given: tuple[Path, ...] = ()
        self.plan: BatchPlan | None = None
        #: files that were taken out again, so that the folders do not stand for them any more
        self._removed: frozenset[Path] = frozenset()
        self._output: Path | None = None
        self._begun = 0.0

    @property
    def busy(self) -> bool:
        return self.queue.busy or self._checking.busy

    @property
    def looking(self) -> bool:
        """Whether folders are being looked through."""
        return self._collecting.busy

    # what the user does

    def add(self, paths: Sequence[Path], output: Path | None = None) -> None:
        """Adds files, and folders with all that is below them but what lies in `output`."""
        new = tuple(path for path in paths if path not in self.given)
        self._removed -= set(paths)
        if new:
            self.given, self._output = (*self.given, *new), output
            self._collect()

    def _collect(self) -> None:
        # all of them: where results go depends on how many folders there are
        given, output, removed = self.given, self._output, self._removed

        def job(context: Context) -> tuple[list[BatchItem], list[Outcome]]:
            context.progress.check()
            items, failures = collected(given, recursive=True, output=output)
            return [item for item in items if item.path not in removed], failures

        self._collecting.start("Looking for scans", job)
        self.changed.emit()

    def command(self, plan: BatchPlan) -> str:
        """The command line that does the same."""
        return plan.command(self.given if not self._removed else [row.item.path for row in self.queue.rows])

    def remove(self, rows: Sequence[int]) -> None:
        """Takes files out of the queue."""
        before = {row.item.path for row in self.queue.rows}
        queue = self.queue.without(rows)
        removed = before - {row.item.path for row in queue.rows}
        self.given = tuple(path for path in self.given if path not in removed)
        self._removed |= removed
        self._set(queue)

    def clear(self) -> None:
        """Empties a queue that does not run."""
        if not self.busy:
            self.given, self._removed = (), frozenset()
            self._set(Queue())

    def start(self, plan: BatchPlan) -> None:
        """Restores what waits, as planned; the plan is looked at first."""
        if self.busy or self.queue.next_waiting is None:
            return
        self.plan = plan

        def job(_: Context) -> None:
            plan.check()

        self._checking.start("Batch", job)
        self.changed.emit()

    def pause(self) -> None:
        """Begins no other file until `resume`."""
        self._set(self.queue.paused())

    def resume(self) -> None:
        self._set(self.queue.resumed())
        self._begin_next()

    def cancel(self) -> None:
        """Stops the running file at its next step; what waits is not begun."""
        self._checking.drop()
        self._lane.cancel()
        self._set(self.queue.cancel_asked())

    def retry(self) -> None:
        """Lets failed and cancelled files wait again."""
        if not self.busy:
            self._set(self.queue.retried())

    # what happens

    def _on_collected(self, event: events.Event) -> None:
        match event:
            case events.Finished((list() as items, list() as failures)):
                self._set(self.queue.added(items, failures))
            case events.Failed(message, details):
                self.complained.emit(message, details)
                self.changed.emit()

    def _on_checked(self, event: events.Event) -> None:
        match event:
            case events.Finished():
                self._set(self.queue.started())
                self._begin_next()
            case events.Failed(message, details):
                self.complained.emit(message, details)
                self.changed.emit()

    def _begin_next(self) -> None:
        row = self.queue.next_waiting
        if self.queue.phase is not Phase.RUNNING or self.queue.running is not None or row is None:
            return
        assert self.plan is not None
        item = self.queue.rows[row].item
        self._begun = monotonic()
        self._set(self.queue.began(row))
        self._lane.start(f"Batch: {item.path.name}", self._file_job(item, self.plan))

    def _on_file(self, event: events.Event) -> None:
        took = monotonic() - self._begun
        match event:
            case events.Started():
                self._begun = monotonic()  # it may have waited for a scan of the window
            case events.Advanced(fraction):
                self._set(self.queue.advanced(fraction))
            case events.Finished(Outcome() as outcome):
                if outcome.details:
                    _log.error("%s: %s", outcome.item.path, outcome.details)
                self._end(outcome, took)
            case events.Failed(message, details):
                row = self.queue.running
                if row is not None:
                    self._end(Outcome(self.queue.rows[row].item, None, message, details), took)
            case events.Cancelled():
                self._end(None, took)

    def _end(self, outcome: Outcome | None, took: float) -> None:
        self._set(self.queue.ended(outcome, took))
        self._begin_next()

    def _set(self, queue: Queue) -> None:
        self.queue = queue
        self.changed.emit()
