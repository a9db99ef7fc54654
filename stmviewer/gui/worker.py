"""Jobs for the window: their events arrive on the GUI thread, and late answers do not arrive at all."""

from collections.abc import Callable
from time import monotonic, sleep

from PySide6.QtCore import QObject, QTimer, Signal

from stmviewer.services.events import FINAL, Cancelled, Event
from stmviewer.services.jobs import Handle, Job, JobRunner

#: how often events are taken over: at most 20 times a second, and only while a job is under way
DRAIN_INTERVAL_MS = 50
#: but right after a job was submitted, for a moment: a scan that opens in 40 ms need not wait for another 50
_SOON_MS, _SOON_TIMES = 8, 20
#: a job that has waited this long for a worker gets a spare one (s): a share may hold the others for ever
_PATIENCE_S = 1.0
#: a cancelled job that has not stopped by then is waited for no longer (s): it may be within one long step of a library
_GIVEN_UP_S = 1.5
#: jobs that should be quick, and after how long it is told that they are not (s)
QUICK, SLOW_S = ("Opening", "Reading the channel"), 2.0
Handler = Callable[[Event], None]


class Lane:
    """One kind of job of which only the latest counts: the scan to show, the run, the preview of a mask.

    With `gives_up` a cancelled job counts as cancelled after a moment, whatever it is still busy with; what it makes is
    dropped. Not for jobs that write files: what they have done must be told.
    """

    def __init__(self, desk: "JobDesk", runner: JobRunner, handler: Handler, gives_up: bool = False) -> None:
        self._desk, self._runner, self._handler = desk, runner, handler
        self._current: Handle | None = None
        self._since = 0.0
        self._gives_up, self._cancelled_at = gives_up, 0.0

    @property
    def busy(self) -> bool:
        return self._current is not None

    def start(self, title: str, job: Job) -> None:
        """Runs `job`; what the lane did before is cancelled and its answer dropped."""
        self.drop()
        self._since = monotonic()
        self._current = self._desk.submit(self._runner, self, title, job)

    @property
    def slow(self) -> str:
        """The title of its job where that should have been quick and is not; else ''."""
        late = self._current is not None and monotonic() - self._since > SLOW_S
        return self._current.title if late and self._current is not None and self._current.title in QUICK else ""

    def cancel(self) -> None:
        """Asks the present job to stop; its last event still comes."""
        if self._current is not None and not self._current.cancelling:
            self._cancelled_at = monotonic()
            self._current.cancel()

    def look_after(self) -> None:
        """Ends the wait for a cancelled job that does not stop."""
        waits = self._current is not None and self._current.cancelling and self._gives_up
        if waits and monotonic() - self._cancelled_at > _GIVEN_UP_S:
            self._current = None
            self._handler(Cancelled())

    def drop(self) -> None:
        """Cancels the present job and wants to hear no more of it."""
        self.cancel()
        self._current = None

    def deliver(self, token: int, event: Event) -> None:
        if self._current is None or self._current.token != token:
            return
        if isinstance(event, FINAL):
            self._current = None
        self._handler(event)


class JobDesk(QObject):
    """Owns the job runners and the one timer that takes over their events.

    One runner has the restorations, one at a time; another opens files, draws up previews and exports; one makes
    thumbnails, so that a long folder holds up nothing else; one makes reports, which take minutes to hours; the last
    watches a folder, which may lie on a share that does not answer. Where jobs wait for such a share, others get spare
    workers. `slow` tells the title of a job that should be quick and is not, and '' when it has ended.
    """

    slow = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.restoring = JobRunner("restore", 1)
        self.files = JobRunner("files", 2, spares=6)
        self.thumbnails = JobRunner("thumbnails", 1, spares=3)
        self.reports = JobRunner("report", 1)
        self.watching = JobRunner("watch", 1, spares=3)
        self._runners = (self.restoring, self.files, self.thumbnails, self.reports, self.watching)
        self._lanes: dict[int, Lane] = {}  # by token, until the last event has come
        self._closed = False
        self._slow = ""
        self._timer = QTimer(self)
        self._timer.setInterval(DRAIN_INTERVAL_MS)
        self._soon = 0
        self._timer.timeout.connect(self.drain)

    def lane(self, runner: JobRunner, handler: Handler, *, gives_up: bool = False) -> Lane:
        return Lane(self, runner, handler, gives_up)

    def submit(self, runner: JobRunner, lane: Lane, title: str, job: Job) -> Handle:
        handle = runner.submit(title, job)
        self._lanes[handle.token] = lane
        self._soon = _SOON_TIMES
        self._timer.start(_SOON_MS)
        return handle

    @property
    def busy(self) -> bool:
        """Whether the last event of any job is still to come."""
        return bool(self._lanes)

    def drain(self) -> None:
        """Hands over what has arrived; stops the timer when nothing more can come."""
        for runner in self._runners:
            runner.relieve(_PATIENCE_S)
            for token, event in runner.drain():
                lane = self._lanes.pop(token, None) if isinstance(event, FINAL) else self._lanes.get(token)
                if lane is not None and not self._closed:
                    lane.deliver(token, event)
        if not self._closed:
            for lane in set(self._lanes.values()):
                lane.look_after()
        slow = next((lane.slow for lane in self._lanes.values() if lane.slow), "")
        if slow != self._slow and not self._closed:
            self._slow = slow
            self.slow.emit(slow)
        if not self._lanes:
            self._timer.stop()
        elif self._soon:
            self._soon -= 1
            if not self._soon:
                self._timer.setInterval(DRAIN_INTERVAL_MS)

    def close(self, patience_s: float = 1.5) -> bool:
        """Cancels every job and waits at most that long; True when all have stopped."""
        self._closed = True
        self._timer.stop()
        for runner in self._runners:
            runner.close(wait=False)
        until = monotonic() + patience_s
        while (stopping := any(runner.busy for runner in self._runners)) and monotonic() < until:
            sleep(0.01)
        if not stopping:
            for runner in self._runners:
                runner.close(wait=True)  # nothing left to wait for but the ends of the threads
        return not stopping
