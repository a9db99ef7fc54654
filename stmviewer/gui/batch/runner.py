"""Runs a batch on the worker that restores, one job a file, or for a few small ones that go through a network together.

Between two jobs a scan in the window can have its turn.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic

from PySide6.QtCore import QObject, Signal

from stmviewer.gui.batch.queue import Phase, Queue
from stmviewer.gui.worker import JobDesk
from stmviewer.services import events
from stmviewer.services.batch import TOGETHER, BatchItem, BatchPlan, Outcome, collected
from stmviewer.services.jobs import Context, Job

_log = logging.getLogger(__name__)
NextJob = Callable[[Sequence[BatchItem], BatchPlan], Job]


class BatchRunner(QObject):
    """Owns the queue; `changed` tells that it is another, `complained` why a batch cannot begin at all."""

    changed = Signal()
    complained = Signal(str, str)

    def __init__(self, desk: JobDesk, next_job: NextJob, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._next_job = next_job
        self._lane = desk.lane(desk.restoring, self._on_files)
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
        #: how many files go together in the present job, and how many of them are told
        self._group, self._told = 1, 0

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
        if self.busy or not self.queue.waiting(1):
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
        """Stops what runs at its next step; what waits is not begun."""
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
        items = self.queue.waiting(TOGETHER)
        if self.queue.phase is not Phase.RUNNING or self.queue.running or not items:
            return
        assert self.plan is not None
        self._begun, self._group, self._told = monotonic(), 1, 0
        self._set(self.queue.began(items[:1]))
        self._lane.start(f"Batch: {items[0].path.name}", self._next_job(items, self.plan))

    def _on_files(self, event: events.Event) -> None:
        match event:
            case events.Started():
                self._begun = monotonic()  # it may have waited for a scan of the window
            case events.Advanced(fraction):
                self._set(self.queue.advanced(fraction))
            case events.Part(tuple() as group):
                self._group = len(group)
                self._set(self.queue.began(group))
            case events.Part(Outcome() as outcome):
                if outcome.details:
                    _log.error("%s: %s", outcome.item.path, outcome.details)
                self._end(outcome)
            case events.Finished():
                if not self._told:  # or the same files would be begun for ever
                    self._end_all("nothing came of it", "")
                self._set(self.queue.let_go())
                self._begin_next()
            case events.Failed(message, details):
                self._end_all(message, details)
                self._begin_next()
            case events.Cancelled():
                self._set(self.queue.stopped())
                self._begin_next()

    def _end(self, outcome: Outcome) -> None:
        self._told += 1
        # those that go together are told one after the other, when all are done
        took = (monotonic() - self._begun) / max(self._group, self._told)
        self._set(self.queue.ended(outcome, took))

    def _end_all(self, message: str, details: str) -> None:
        for row in self.queue.running:
            self._end(Outcome(row.item, None, message, details))

    def _set(self, queue: Queue) -> None:
        self.queue = queue
        self.changed.emit()
