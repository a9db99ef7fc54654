"""What a batch holds and how far it is. Pure functions, no Qt: the state comes from events and from nothing else."""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
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
    def running(self) -> tuple[Row, ...]:
        """What is being restored: one file, or small ones that go together."""
        return tuple(row for row in self.rows if row.status is Status.RUNNING)

    def waiting(self, most: int) -> tuple[BatchItem, ...]:
        """The files that come next."""
        return tuple(row.item for row in self.rows if row.status is Status.WAITING)[:most]

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
        """Without those rows; what is being restored stays."""
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
        return replace(self, rows=rows, phase=Phase.CANCELLING if self.running else Phase.IDLE)

    # what happens

    def began(self, items: Iterable[BatchItem]) -> "Queue":
        """Those files are being restored, as far as they were waiting."""
        paths = {item.path for item in items}
        return self._turned(Status.WAITING, lambda r: replace(r, status=Status.RUNNING), paths)

    def advanced(self, fraction: float) -> "Queue":
        return self._turned(Status.RUNNING, lambda row: replace(row, fraction=fraction))

    def ended(self, outcome: Outcome, took_s: float = 0.0) -> "Queue":
        """A file is done or has failed."""
        status = Status.DONE if outcome.facts is not None else Status.FAILED
        rows = tuple(
            Row(row.item, status, outcome, 1.0) if row.item.path == outcome.item.path else row for row in self.rows
        )
        took = (*self.took_s, took_s) if status is Status.DONE else self.took_s
        return replace(self, rows=rows, took_s=took)._looked_at()

    def stopped(self) -> "Queue":
        """What was being restored was cancelled."""
        return self._turned(Status.RUNNING, lambda row: replace(row, status=Status.CANCELLED))._looked_at()

    def let_go(self) -> "Queue":
        """What was begun and has no outcome waits again; after a cancel it is cancelled."""
        if self.phase is Phase.CANCELLING:
            return self.stopped()
        return self._turned(Status.RUNNING, lambda row: Row(row.item))._looked_at()

    def _turned(self, status: Status, turn: Callable[[Row], Row], paths: AbstractSet[Path] | None = None) -> "Queue":
        """With the rows of that status turned into others; only those of `paths` where these are given."""
        chosen = (row.status is status and (paths is None or row.item.path in paths) for row in self.rows)
        return replace(self, rows=tuple(turn(r) if yes else r for r, yes in zip(self.rows, chosen, strict=True)))

    def _looked_at(self) -> "Queue":
        """At rest when nothing runs, and nothing will."""
        over = not self.running and (self.phase is Phase.CANCELLING or not self.waiting(1))
        return replace(self, phase=Phase.IDLE) if over else self

    # what is told

    @property
    def fraction(self) -> float:
        """How much of the batch is done, in [0, 1]."""
        ended = self.count(Status.DONE, Status.FAILED, Status.CANCELLED)
        part = sum(row.fraction for row in self.running)
        return (ended + part) / len(self.rows) if self.rows else 0.0

    @property
    def eta_s(self) -> float | None:
        """Seconds left, from what the files took so far."""
        if not self.took_s:
            return None
        part = sum(1 - row.fraction for row in self.running)
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
            case Phase.PAUSED if self.running:
                these = f"these {len(self.running)} files" if len(self.running) > 1 else "this file"
                return f"Pauses after {these}{also}"
            case Phase.PAUSED:
                return f"Paused: {self.count(Status.WAITING)} of {total} wait{also}"
            case Phase.RUNNING:
                number = self.count(Status.DONE, Status.FAILED, Status.CANCELLED) + 1
                left = f", about {duration(self.eta_s)} left" if self.eta_s is not None else ""
                last = number + len(self.running) - 1
                shown = f"{number} to {last}" if last > number else f"{min(number, total)}"
                return f"{shown} of {total}{also}{left}"
        done, stopped = self.count(Status.DONE), self.count(Status.CANCELLED)
        if done + failed + stopped == 0:
            return f"{total} file{'s' * (total > 1)} to restore"
        return f"{done} of {total} done{also}" + (f", {stopped} cancelled" if stopped else "")


def default_output(items: Sequence[BatchItem]) -> Path | None:
    """Where results go unless the user says otherwise: a folder `restored` beside the first file."""
    return items[0].path.parent / "restored" if items else None
