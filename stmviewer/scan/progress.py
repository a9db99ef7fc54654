"""Progress of long work, passed down into every long loop.

An algorithm calls `tick()` once an iteration; that is the only thing it knows about windows, consoles or the Cancel
button. Cancelling is an exception, raised by `tick()` and caught once at the edge of the job.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field


class Cancelled(Exception):
    """The user asked to stop."""


@dataclass(frozen=True)
class Advance:
    """How far a job is: `fraction` in [0, 1], the present step, and the seconds left where they can be guessed."""

    fraction: float
    step: str
    eta_s: float | None


def _ignore(_: Advance) -> None:
    pass


@dataclass
class _Root:
    report: Callable[[Advance], None] = _ignore
    stop: threading.Event = field(default_factory=threading.Event)
    started: float = field(default_factory=time.monotonic)


class Progress:
    """A stretch of a job's progress bar.

    The whole job is [0, 1]; `part(share, step, total)` hands the next share of this stretch to a piece of work that
    counts `total` ticks of its own, so an algorithm need not know where in the job it runs.
    """

    def __init__(
        self,
        report: Callable[[Advance], None] = _ignore,
        stop: threading.Event | None = None,
        *,
        total: int = 1,
        step: str = "",
    ) -> None:
        self._root = _Root(report, stop or threading.Event())
        self._start, self._stop = 0.0, 1.0
        self._total = max(total, 1)
        self._done = 0.0
        self.step = step

    def part(self, share: float, step: str = "", total: int = 1) -> "Progress":
        """The next `share` (of this stretch, 0 to 1) as a progress of its own with `total` ticks; reports its start."""
        child = Progress.__new__(Progress)
        child._root = self._root
        span = self._stop - self._start
        child._start = self._start + span * min(self._done / self._total, 1.0)
        child._stop = min(child._start + span * share, self._stop)
        child._total = max(total, 1)
        child._done = 0.0
        child.step = step or self.step
        self._done = min(self._done + share * self._total, self._total)
        child.tick(0)
        return child

    def silent(self) -> "Progress":
        """A progress of its own that reports nothing and is cancelled with this one: for other threads."""
        return Progress(stop=self._root.stop)

    def tick(self, n: float = 1) -> None:
        """Counts `n` of the total as done, reports, and raises Cancelled if the user asked to stop."""
        self.check()
        self._done = min(self._done + n, self._total)
        fraction = self._start + (self._stop - self._start) * self._done / self._total
        elapsed = time.monotonic() - self._root.started
        # the first percent is loading and warming up: a guess from it would frighten the user
        eta = elapsed * (1 - fraction) / fraction if fraction > 0.01 and elapsed > 0.5 else None
        self._root.report(Advance(fraction, self.step, eta))

    def check(self) -> None:
        """Raises Cancelled if the user asked to stop; advances nothing."""
        if self._root.stop.is_set():
            raise Cancelled
