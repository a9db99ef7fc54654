"""Jobs in worker threads, without Qt: the window and the console both run them.

A job is a function `job(context)` that returns its result. Its events go into one queue, which the window drains at
most 20 times a second on its own thread, so no worker ever touches a widget. A job is cancelled by its handle: the
next `tick()` of its progress raises, and the handle's last event is `Cancelled`.
"""

import logging
import queue
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from stmviewer.scan import Cancelled as CancelledByUser
from stmviewer.scan import Progress, StmviewerError
from stmviewer.scan.errors import out_of_memory
from stmviewer.scan.progress import Advance
from stmviewer.services import events

_log = logging.getLogger(__name__)
#: progress events of one job are at least this far apart (s)
_EVENT_INTERVAL_S = 0.05
_tokens = count(1)


@dataclass(frozen=True)
class Context:
    """What a job gets: its progress, and `emit` for previews, metrics and messages."""

    progress: Progress
    emit: Callable[[events.Event], None]


Job = Callable[[Context], Any]


@dataclass(frozen=True)
class Handle:
    """A job that was submitted. `token` marks its events, so that late answers can be dropped."""

    title: str
    token: int = field(default_factory=lambda: next(_tokens))
    _stop: threading.Event = field(default_factory=threading.Event, repr=False)

    def cancel(self) -> None:
        """Asks the job to stop; its `Cancelled` event tells when it did."""
        self._stop.set()

    @property
    def cancelling(self) -> bool:
        return self._stop.is_set()


class JobRunner:
    """Runs jobs on a small pool of threads and collects their events as (token, event) pairs.

    One runner with one worker holds the model; another with a few workers opens files and draws thumbnails. Workers may
    be held by a share that does not answer, from where nothing calls them back: see `relieve`.
    """

    def __init__(self, name: str, workers: int = 1, spares: int = 0) -> None:
        self._prefix = f"stmviewer-{name}"
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix=self._prefix)
        #: one thread each, begun when all workers are held
        self._spares: list[ThreadPoolExecutor] = []
        self._at_work: list[Future[None]] = []
        self._most_spares = spares
        self._waiting: deque[tuple[Handle, Job, float]] = deque()
        self._queue: queue.SimpleQueue[tuple[int, events.Event]] = queue.SimpleQueue()
        self._handles: dict[int, Handle] = {}
        self._lock = threading.Lock()

    def submit(self, title: str, job: Job) -> Handle:
        """Queues `job`; returns at once. Raises RuntimeError after `close`."""
        handle = Handle(title)
        with self._lock:
            self._pool.submit(self._run_next)
            self._waiting.append((handle, job, time.monotonic()))
            self._handles[handle.token] = handle
        return handle

    def relieve(self, patience_s: float) -> None:
        """Puts a spare worker, if there is one, to jobs that have waited that long for their turn."""
        with self._lock:
            if not self._waiting or time.monotonic() - self._waiting[0][2] < patience_s:
                return
            idle = [k for k, work in enumerate(self._at_work) if work.done()]
            if idle:
                self._at_work[idle[0]] = self._spares[idle[0]].submit(self._run_all)
            elif len(self._spares) < self._most_spares:
                self._spares.append(ThreadPoolExecutor(max_workers=1, thread_name_prefix=self._prefix))
                self._at_work.append(self._spares[-1].submit(self._run_all))

    def drain(self) -> Iterator[tuple[int, events.Event]]:
        """The events since the last call, in order; never blocks."""
        while True:
            try:
                yield self._queue.get_nowait()
            except queue.Empty:
                return

    def wait(self) -> Iterator[tuple[int, events.Event]]:
        """Blocks for events until no job is left; for the console and tests."""
        while True:
            with self._lock:
                running = bool(self._handles)
            try:
                yield self._queue.get(timeout=0.05 if running else 0)
            except queue.Empty:
                if not running:
                    return

    @property
    def busy(self) -> bool:
        """Whether any job is queued or running."""
        with self._lock:
            return bool(self._handles)

    def close(self, *, wait: bool = True) -> None:
        """Cancels everything and ends the threads. Running jobs stop at their next tick."""
        with self._lock:
            handles = list(self._handles.values())
            for handle, *_ in self._waiting:
                del self._handles[handle.token]
                self._queue.put((handle.token, events.Cancelled()))
            self._waiting.clear()
        for handle in handles:
            handle.cancel()
        for pool in (self._pool, *self._spares):
            pool.shutdown(wait=wait)

    def _run_all(self) -> None:
        while self._run_next():
            pass

    def _run_next(self) -> bool:
        """Runs the job that has waited longest; False when none waits."""
        with self._lock:
            if not self._waiting:
                return False
            handle, job, _ = self._waiting.popleft()
        self._run(handle, job)
        return True

    def _run(self, handle: Handle, job: Job) -> None:
        def emit(event: events.Event) -> None:
            self._queue.put((handle.token, event))

        last, step = 0.0, ""

        def report(advance: Advance) -> None:
            nonlocal last, step
            now = time.monotonic()
            # a new step is always told: a long one may follow a quick one
            if now - last >= _EVENT_INTERVAL_S or advance.fraction >= 1 or advance.step != step:
                last, step = now, advance.step
                emit(events.Advanced(advance.fraction, advance.step, advance.eta_s))

        try:
            if handle.cancelling:  # cancelled while it waited for its turn
                raise CancelledByUser
            emit(events.Started(handle.title))
            result = job(Context(Progress(report, handle._stop), emit))
            final: events.Event = events.Finished(result)
        except CancelledByUser:
            final = events.Cancelled()
        except StmviewerError as error:
            final = events.Failed(str(error))
        except BaseException as error:  # a library that calls exit() must not leave the job running for ever
            if out_of_memory(error):
                text = f"{handle.title}: the computer ran out of memory. Close other scans or choose a smaller tile"
                final = events.Failed(text)
            else:
                _log.exception("%s failed", handle.title)
                cause = str(error) or type(error).__name__
                final = events.Failed(f"{handle.title} failed: {cause}", traceback.format_exc())
        # in one step: who sees the last event finds the runner free, and who finds it free has the last event
        with self._lock:
            del self._handles[handle.token]
            emit(final)
