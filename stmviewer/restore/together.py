"""Many small scans: each restored as ever, but what a network is asked of them goes through it in one batch.

Every scan runs through the whole pipeline in a thread of its own, up to where a network is asked. There it waits;
once all of them wait, the questions of one model, shape and set of options are answered at once. So the checks and
the choice of methods stay those of each scan, and its result is that of the scan alone but for rounding of float32.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Protocol, runtime_checkable

from stmviewer.restore import library
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.pipeline import restore
from stmviewer.restore.problem import Answer, Options, Problem, Restorer
from stmviewer.restore.request import Device, RestoreRequest
from stmviewer.restore.restoration import Restoration
from stmviewer.scan import Cancelled, Progress, Scan

#: pixels in one batch: as much memory as one tile of a large scan takes
MOST_PIXELS = 512 * 512
#: scans that are under way at once
MOST_SCANS = 16


@runtime_checkable
class Together(Protocol):
    """A restorer that can answer several problems of one shape at once."""

    def restore_together(self, problems: Sequence[Problem], options: Options, progress: Progress) -> list[Answer]: ...


def restore_together(
    scans: Sequence[Scan], request: RestoreRequest, progress: Progress
) -> list[Restoration | Exception]:
    """The restoration of each scan, or what went wrong with it; one that fails does not stop the others.

    Raises Cancelled when the user stops it.
    """
    progress = progress.part(1.0, "Restoring", len(scans))
    threads = min(MOST_SCANS, max(len(scans), 1))
    meeting = _Meeting(len(scans), threads, progress)
    with ThreadPoolExecutor(threads, thread_name_prefix="stmviewer-together") as pool:
        try:
            runs = [pool.submit(meeting.attend, partial(_one, scan, request, meeting)) for scan in scans]
            meeting.lead()
        except BaseException as error:  # from here on nobody answers; the pool waits for its threads, so tell them
            meeting.end(error)
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [run.result() for run in runs]


def _one(scan: Scan, request: RestoreRequest, meeting: "_Meeting") -> Restoration:
    def load(info: ModelInfo, device: Device) -> tuple[Restorer, str]:
        restorer, sha256 = library.load(info, device)
        return (_Asking(restorer, meeting) if info.learned else restorer), sha256

    return restore(scan, request, meeting.progress.silent(), load)


@dataclass(frozen=True)
class _Asking:
    """A learned restorer whose answers are worked out together with those for other scans."""

    restorer: Restorer
    meeting: "_Meeting"

    @property
    def info(self) -> ModelInfo:
        return self.restorer.info

    @property
    def device(self) -> str:
        return str(getattr(self.restorer, "device", "cpu"))

    @property
    def precision(self) -> str:
        return str(getattr(self.restorer, "precision", "float32"))

    def restore(self, problem: Problem, options: Options, progress: Progress) -> Answer:
        progress.check()
        return self.meeting.ask(_Question(self.restorer, problem, options))


class _Question:
    """What a scan waits for."""

    def __init__(self, restorer: Restorer, problem: Problem, options: Options) -> None:
        self.restorer, self.problem, self.options = restorer, problem, options
        self.answered = threading.Event()
        self.answer: Answer | BaseException | None = None

    @property
    def alike(self) -> tuple[object, ...]:
        """Equal for questions that can share a batch."""
        return self.restorer.info.name, self.options, self.problem.image.shape

    def settle(self, answer: Answer | BaseException) -> None:
        self.answer = answer
        self.answered.set()


class _Meeting:
    """Where the scans under way meet: each computes, waits for an answer, or is done."""

    def __init__(self, scans: int, threads: int, progress: Progress) -> None:
        self.progress = progress
        self._scans, self._threads = scans, threads
        self._changed = threading.Condition()
        self._done = 0
        self._waiting: list[_Question] = []
        self._group: list[_Question] = []  # no longer in line: if they are not answered here, nobody will
        self._over: BaseException | None = None
        # no more threads compute at once than there are processors for
        self._places = threading.Semaphore(_places())

    def attend(self, work: Callable[[], Restoration]) -> Restoration | Exception:
        """Runs the restoration of one scan in its thread."""
        try:
            with self._places:
                return work()
        except Exception as error:
            return error
        finally:
            with self._changed:
                self._done += 1
                self._changed.notify_all()

    def ask(self, question: _Question) -> Answer:
        """Waits for the answer; the place among those that compute is free for others meanwhile."""
        with self._changed:
            if self._over is not None:
                raise self._over
            self._waiting.append(question)
            self._changed.notify_all()
        self._places.release()
        question.answered.wait()
        self._places.acquire()
        if isinstance(question.answer, BaseException):
            raise question.answer
        assert question.answer is not None
        return question.answer

    def lead(self) -> None:
        """Answers questions until every scan is done. Raises Cancelled; whoever waits must be told then: `end`."""
        told = 0
        while told < self._scans:
            with self._changed:
                self._changed.wait_for(partial(self._news, told), timeout=0.2)
                done, self._group = self._done, self._largest_group() if self._all_wait else []
            self.progress.tick(done - told)
            told = done
            if self._group:
                self._answer(self._group)

    def end(self, error: BaseException) -> None:
        """Nobody leads any more: `error` is the answer to what is asked, and to whatever will be."""
        with self._changed:
            self._over = error
            unanswered, self._waiting, self._group = [*self._group, *self._waiting], [], []
        for question in unanswered:
            if not question.answered.is_set():
                question.settle(error)

    def _news(self, told: int) -> bool:
        return self._done > told or self._all_wait

    @property
    def _all_wait(self) -> bool:
        under_way = min(self._threads, self._scans - self._done)
        return 0 < under_way <= len(self._waiting)

    def _largest_group(self) -> list[_Question]:
        """The most questions that are alike and fit into one batch; they wait no longer in line."""
        groups: dict[tuple[object, ...], list[_Question]] = {}
        for question in self._waiting:
            groups.setdefault(question.alike, []).append(question)
        group = max(groups.values(), key=len)
        group = group[: max(1, MOST_PIXELS // group[0].problem.image.size)]
        self._waiting = [q for q in self._waiting if q not in group]
        return group

    def _answer(self, group: list[_Question]) -> None:
        try:
            answers: Sequence[Answer | BaseException] = _answers(group, self.progress.silent())
        except Cancelled as error:
            answers = [error] * len(group)
        except Exception as error:
            if len(group) > 1:  # perhaps the fault of one of them
                for question in group:
                    self._answer([question])
                return
            answers = [error]
        for question, answer in zip(group, answers, strict=True):
            question.settle(answer)


def _answers(group: list[_Question], progress: Progress) -> list[Answer]:
    restorer, options = group[0].restorer, group[0].options
    if len(group) == 1 or not isinstance(restorer, Together):
        return [restorer.restore(q.problem, options, progress) for q in group]
    return restorer.restore_together([q.problem for q in group], options, progress)


def _places() -> int:
    from stmviewer.restore.devices import free_threads

    return free_threads()
