"""What a batch holds and how far it is. Pure functions, no Qt: the state comes from events and from nothing else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from pathlib import Path

from stmviewer.gui.quantities import duration
from stmviewer.services.batch import BatchItem, Outcome


class Phase(Enum):
    """Of the whole batch."""

    IDLE = auto()
    RUNNING = auto()
    PAUSED = auto()
    CANCELLING = auto()


class Status(Enum):
    """Of one file."""

    WAITING = "waiting"
    RUNNING = "restoring"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Row:
    item: BatchItem
    status: Status = Status.WAITING
    outcome: Outcome | None = None
    fraction: float = 0.0


@dataclass(frozen=True)
class Queue:
    """The files in their order; `took_s` are the seconds of those that were restored."""

    rows: tuple[Row, ...] = ()
    phase: Phase = Phase.IDLE
    took_s: tuple[float, ...] = field(default=())

    @property
    def busy(self) -> bool:
        return self.phase is not Phase.IDLE

    @property
    def running(self) -> int | None:
        """The row that is being restored."""
        return next((k for k, row in enumerate(self.rows) if row.status is Status.RUNNING), None)

    @property
    def next_waiting(self) -> int | None:
        return next((k for k, row in enumerate(self.rows) if row.status is Status.WAITING), None)

    def count(self, *statuses: Status) -> int:
        return sum(row.status in statuses for row in self.rows)

    def outcomes(self) -> list[Outcome]:
        return [row.outcome for row in self.rows if row.outcome is not None]

    # what the user does

    def added(self, items: Iterable[BatchItem], failures: Iterable[Outcome] = ()) -> "Queue":
        """With more files at the end; each file once. What waits goes where `items` say now."""
        items = list(items)
        there = {row.item.path for row in self.rows}
        new, moved = [], {item.path: item for item in items}
        rows = tuple(
            replace(row, item=moved.get(row.item.path, row.item)) if row.status is Status.WAITING else row
            for row in self.rows
        )
        for item in items:
            if item.path not in there:
                there.add(item.path)
                new.append(Row(item))
        lost = [Row(outcome.item, Status.FAILED, outcome) for outcome in failures if outcome.item.path not in there]
        return replace(self, rows=(*rows, *new, *lost))

    def without(self, rows: Sequence[int]) -> "Queue":
        """Without those rows; the one that is being restored stays."""
        left = tuple(r for k, r in enumerate(self.rows) if k not in rows or r.status is Status.RUNNING)
        return replace(self, rows=left)

    def retried(self) -> "Queue":
        """Failed and cancelled files wait for another turn."""
        again = (Status.FAILED, Status.CANCELLED)
        return replace(self, rows=tuple(Row(r.item) if r.status in again else r for r in self.rows))

    def started(self) -> "Queue":
        return replace(self, phase=Phase.RUNNING, took_s=())

    def paused(self) -> "Queue":
        return replace(self, phase=Phase.PAUSED) if self.phase is Phase.RUNNING else self

    def resumed(self) -> "Queue":
        return replace(self, phase=Phase.RUNNING) if self.phase is Phase.PAUSED else self

    def cancel_asked(self) -> "Queue":
        """What waits will not run; what runs stops at its next step."""
        rows = tuple(replace(r, status=Status.CANCELLED) if r.status is Status.WAITING else r for r in self.rows)
        return replace(self, rows=rows, phase=Phase.CANCELLING if self.running is not None else Phase.IDLE)

    # what happens

    def began(self, row: int) -> "Queue":
        return self._with(row, replace(self.rows[row], status=Status.RUNNING, fraction=0.0))

    def advanced(self, fraction: float) -> "Queue":
        row = self.running
        return self if row is None else self._with(row, replace(self.rows[row], fraction=fraction))

    def ended(self, outcome: Outcome | None, took_s: float = 0.0) -> "Queue":
        """The running file is done, has failed, or (None) was cancelled."""
        row = self.running
        if row is None:
            return self
        ended = Status.CANCELLED if outcome is None else Status.FAILED
        status = Status.DONE if outcome is not None and outcome.facts is not None else ended
        queue = self._with(row, replace(self.rows[row], status=status, outcome=outcome, fraction=1.0))
        took = (*self.took_s, took_s) if status is Status.DONE else self.took_s
        over = self.phase is Phase.CANCELLING or queue.next_waiting is None
        return replace(queue, took_s=took, phase=Phase.IDLE if over else queue.phase)

    def _with(self, row: int, new: Row) -> "Queue":
        return replace(self, rows=(*self.rows[:row], new, *self.rows[row + 1 :]))

    # what is told

    @property
    def fraction(self) -> float:
        """How much of the batch is done, in [0, 1]."""
        ended = self.count(Status.DONE, Status.FAILED, Status.CANCELLED)
        row = self.running
        part = self.rows[row].fraction if row is not None else 0.0
        return (ended + part) / len(self.rows) if self.rows else 0.0

    @property
    def eta_s(self) -> float | None:
        """Seconds left, from what the files took so far."""
        if not self.took_s:
            return None
        row = self.running
        part = 1 - self.rows[row].fraction if row is not None else 0.0
        return (self.count(Status.WAITING) + part) * sum(self.took_s) / len(self.took_s)

    @property
    def text(self) -> str:
        """`3 of 12, about 2 min left`, or how it ended."""
        total, failed = len(self.rows), self.count(Status.FAILED)
        also = f", {failed} failed" if failed else ""
        if not total:
            return "Nothing in the batch yet"
        match self.phase:
            case Phase.CANCELLING:
                return "Stops at the next step"
            case Phase.PAUSED if self.running is not None:
                return f"Pauses after this file{also}"
            case Phase.PAUSED:
                return f"Paused: {self.count(Status.WAITING)} of {total} wait{also}"
            case Phase.RUNNING:
                number = self.count(Status.DONE, Status.FAILED, Status.CANCELLED) + 1
                left = f", about {duration(self.eta_s)} left" if self.eta_s is not None else ""
                return f"{min(number, total)} of {total}{also}{left}"
        done, stopped = self.count(Status.DONE), self.count(Status.CANCELLED)
        if done + failed + stopped == 0:
            return f"{total} file{'s' * (total > 1)} to restore"
        return f"{done} of {total} done{also}" + (f", {stopped} cancelled" if stopped else "")


def default_output(items: Sequence[BatchItem]) -> Path | None:
    """Where results go unless the user says otherwise: a folder `restored` beside the first file."""
    return items[0].path.parent / "restored" if items else None
