"""Jobs: events in order, failures told apart, cancelled at every stage, and no thread left behind."""

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stmviewer.scan import FileError, RequestError
from stmviewer.services import events, jobs
from stmviewer.services.jobs import Context, Handle, JobRunner

#: long enough for any machine; reached only by a test that fails
PATIENCE_S = 60


@pytest.fixture
def runner() -> Iterator[JobRunner]:
    made = JobRunner("test")
    yield made
    made.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("stmviewer-test")]


def told(runner: JobRunner, handle: Handle) -> list[events.Event]:
    """All events of a job, in order, once nothing runs any more."""
    return [event for token, event in runner.wait() if token == handle.token]


class Gate:
    """A job that says when it runs and goes on when it is let; stops at a tick."""

    def __init__(self, result: Any = None) -> None:
        self.running, self.go_on = threading.Event(), threading.Event()
        self.result = result

    def __call__(self, context: Context) -> Any:
        self.running.set()
        assert self.go_on.wait(PATIENCE_S)
        context.progress.tick()
        return self.result


def test_a_job_starts_advances_and_finishes(runner: JobRunner) -> None:
    def job(context: Context) -> str:
        part = context.progress.part(1.0, "Reading", total=4)
        for _ in range(4):
            part.tick()
        context.emit(events.Message("half way"))
        context.emit(events.Metric("loss", 3, 0.5))
        return "result"

    handle = runner.submit("Opening a.sxm", job)
    first, *middle, last = told(runner, handle)
    assert first == events.Started("Opening a.sxm")
    assert last == events.Finished("result")
    assert middle[-2:] == [events.Message("half way"), events.Metric("loss", 3, 0.5)]
    advanced = [e for e in middle if isinstance(e, events.Advanced)]
    assert [e.fraction for e in advanced] == sorted(e.fraction for e in advanced)
    assert {e.step for e in advanced} == {"Reading"}
    assert advanced[-1].fraction == 1


def test_exactly_one_final_event_ends_a_job(runner: JobRunner) -> None:
    handles = [runner.submit(str(k), lambda _, k=k: 1 // k) for k in (1, 0, 2)]
    seen: dict[int, list[events.Event]] = {h.token: [] for h in handles}
    for token, event in runner.wait():
        seen[token].append(event)
    for told_events in seen.values():
        assert [isinstance(e, events.FINAL) for e in told_events] == [False] * (len(told_events) - 1) + [True]
    assert [type(e[-1]) for e in seen.values()] == [events.Finished, events.Failed, events.Finished]


@pytest.mark.parametrize(
    "error", [RequestError("there is no mask 'x'"), FileError(Path("a.sxm"), "is empty", "Copy it")]
)
def test_bad_input_fails_with_its_own_line_and_no_traceback(runner: JobRunner, error: Exception) -> None:
    def job(_: Context) -> None:
        raise error

    assert told(runner, runner.submit("Restoring", job))[-1] == events.Failed(str(error), "")


def test_a_fault_of_ours_fails_with_its_traceback(runner: JobRunner, caplog: pytest.LogCaptureFixture) -> None:
    def job(_: Context) -> None:
        raise ZeroDivisionError("cannot divide")

    with caplog.at_level(logging.ERROR):
        last = told(runner, runner.submit("Restoring", job))[-1]
    assert isinstance(last, events.Failed)
    assert last.message == "Restoring failed: cannot divide"
    assert last.details.startswith("Traceback")
    assert "ZeroDivisionError: cannot divide" in last.details
    assert caplog.records[-1].getMessage() == "Restoring failed"


def test_an_error_without_words_is_named(runner: JobRunner) -> None:
    def job(_: Context) -> None:
        raise KeyError

    last = told(runner, runner.submit("Restoring", job))[-1]
    assert isinstance(last, events.Failed)
    assert last.message == "Restoring failed: KeyError"


def test_out_of_memory_is_advice_and_no_fault(runner: JobRunner) -> None:
    def job(_: Context) -> None:
        raise MemoryError

    last = told(runner, runner.submit("Restoring", job))[-1]
    assert isinstance(last, events.Failed)
    assert "ran out of memory" in last.message
    assert last.details == ""


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_a_job_that_exits_ends_and_leaves_the_runner_working(runner: JobRunner, error: BaseException) -> None:
    def job(_: Context) -> None:
        raise error

    assert isinstance(told(runner, runner.submit("Exiting", job))[-1], events.Failed)
    assert told(runner, runner.submit("Next", lambda _: 7))[-1] == events.Finished(7)


class TestCancel:
    def test_while_it_runs(self, runner: JobRunner) -> None:
        gate = Gate()
        handle = runner.submit("Restoring", gate)
        assert gate.running.wait(PATIENCE_S)
        assert not handle.cancelling
        handle.cancel()
        assert handle.cancelling
        gate.go_on.set()
        assert told(runner, handle) == [events.Started("Restoring"), events.Cancelled()]

    def test_while_it_waits_for_its_turn(self, runner: JobRunner) -> None:
        gate, ran = Gate("first"), []
        first = runner.submit("First", gate)
        second = runner.submit("Second", lambda _: ran.append(1))
        assert gate.running.wait(PATIENCE_S)
        second.cancel()
        gate.go_on.set()
        seen = list(runner.wait())
        assert [e for t, e in seen if t == second.token] == [events.Cancelled()]  # it never started
        assert [e for t, e in seen if t == first.token][-1] == events.Finished("first")
        assert ran == []

    def test_of_one_job_leaves_the_others(self) -> None:
        runner = JobRunner("pair", workers=2)
        gates = [Gate(1), Gate(2)]
        handles = [runner.submit(str(k), g) for k, g in enumerate(gates)]
        assert all(g.running.wait(PATIENCE_S) for g in gates)
        handles[0].cancel()
        for gate in gates:
            gate.go_on.set()
        seen = list(runner.wait())
        runner.close()
        finals = {t: e for t, e in seen if isinstance(e, events.FINAL)}
        assert finals == {handles[0].token: events.Cancelled(), handles[1].token: events.Finished(2)}

    def test_a_finished_job_is_too_late(self, runner: JobRunner) -> None:
        handle = runner.submit("Quick", lambda _: 1)
        assert told(runner, handle)[-1] == events.Finished(1)
        handle.cancel()
        assert list(runner.drain()) == []


def test_close_cancels_what_runs_and_what_waits_and_ends_the_threads() -> None:
    runner = JobRunner("closing", workers=2)
    started = threading.Barrier(3)

    def endless(context: Context) -> None:
        started.wait(PATIENCE_S)
        while True:
            context.progress.tick(0)

    handles = [runner.submit(str(k), endless) for k in range(5)]
    started.wait(PATIENCE_S)
    runner.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("stmviewer-closing")]
    assert not runner.busy
    finals = {t: e for t, e in runner.drain() if isinstance(e, events.FINAL)}
    assert finals == {h.token: events.Cancelled() for h in handles}


def test_nothing_can_be_submitted_to_a_closed_runner() -> None:
    runner = JobRunner("closed")
    runner.close()
    with pytest.raises(RuntimeError):
        runner.submit("Late", lambda _: None)
    assert not runner.busy
    assert list(runner.wait()) == []


def test_a_runner_is_busy_from_submission_to_the_last_event(runner: JobRunner) -> None:
    assert not runner.busy
    gate = Gate()
    handle = runner.submit("Restoring", gate)
    assert runner.busy
    gate.go_on.set()
    for token, event in runner.wait():
        if isinstance(event, events.FINAL):
            assert token == handle.token
            assert not runner.busy


def test_the_last_event_is_never_missed(runner: JobRunner) -> None:
    """Whoever finds the runner free has had its last event: many quick jobs, each waited for."""
    for k in range(100):
        handle = runner.submit("Quick", lambda _, k=k: k)
        assert told(runner, handle)[-1] == events.Finished(k)


def test_the_last_event_and_the_end_of_a_job_are_one_step(runner: JobRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between them `wait` would find nothing running and nothing told, and leave without the result."""
    held: list[bool] = []
    queue = runner._queue

    def put(item: tuple[int, events.Event]) -> None:
        if isinstance(item[1], events.FINAL):
            held.append(runner._lock.locked())
        queue.put(item)

    monkeypatch.setattr(runner, "_queue", SimpleNamespace(put=put, get=queue.get, get_nowait=queue.get_nowait))
    told(runner, runner.submit("Quick", lambda _: 1))
    assert held == [True]


def test_drain_never_blocks(runner: JobRunner) -> None:
    assert list(runner.drain()) == []
    gate = Gate()
    handle = runner.submit("Restoring", gate)
    assert gate.running.wait(PATIENCE_S)
    assert list(runner.drain()) == [(handle.token, events.Started("Restoring"))]
    assert list(runner.drain()) == []
    gate.go_on.set()


def test_tokens_are_distinct_across_runners(runner: JobRunner) -> None:
    other = JobRunner("other")
    tokens = [r.submit("x", lambda _: None).token for r in (runner, other, runner, other)]
    other.close()
    assert len(set(tokens)) == 4


class Clock:
    """A clock that the job itself moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(jobs, "time", SimpleNamespace(monotonic=lambda: self.now))


def fractions(seen: list[events.Event]) -> list[float]:
    return [e.fraction for e in seen if isinstance(e, events.Advanced)]


def test_progress_is_told_at_most_twenty_times_a_second(runner: JobRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)

    def job(context: Context) -> None:
        part = context.progress.part(0.9, "Restoring", total=1000)
        for _ in range(1000):  # a thousand ticks in one second
            clock.now += 0.001
            part.tick()

    found = fractions(told(runner, runner.submit("Restoring", job)))
    assert 18 <= len(found) <= 21
    assert found == sorted(found)


def test_a_new_step_and_the_end_are_told_at_once(runner: JobRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch)  # it stands still

    def job(context: Context) -> None:
        for step in ("Loading", "Restoring", "Scoring"):
            part = context.progress.part(0.25, step, total=10)
            for _ in range(10):
                part.tick()
        context.progress.tick()

    seen = [e for e in told(runner, runner.submit("x", job)) if isinstance(e, events.Advanced)]
    assert [e.step for e in seen][:3] == ["Loading", "Restoring", "Scoring"]
    assert fractions(list(seen))[-1] == 1
    assert len(seen) <= 5


def taken_over(runner: JobRunner, handle: Handle) -> object:
    """The result of a job that waits until a spare worker takes it."""
    found: list[object] = []
    while not found:
        runner.relieve(0.0)
        found = [e.result for t, e in runner.drain() if isinstance(e, events.Finished) and t == handle.token]
    return found[0]


def test_spare_workers_take_over_where_a_job_is_held_for_ever() -> None:
    runner, share, begun = JobRunner("relief", workers=1, spares=1), threading.Event(), threading.Event()
    try:
        held = runner.submit("Held", lambda _: begun.set() or share.wait())
        assert begun.wait(PATIENCE_S)
        held.cancel()  # nothing calls it back
        first = runner.submit("First", lambda _: 1)
        runner.relieve(60.0)  # it has not waited for so long
        assert runner.busy and not [e for _, e in runner.drain() if isinstance(e, events.Finished)]
        assert taken_over(runner, first) == 1
        assert taken_over(runner, runner.submit("Second", lambda _: 2)) == 2  # by the same spare worker
        # without a spare worker left it waits, and is told to be cancelled at the end
        begun.clear()
        runner.submit("Held, too", lambda _: begun.set() or share.wait())
        while not begun.wait(0.001):  # the spare worker may not have come back yet
            runner.relieve(0.0)
        last = runner.submit("Last", lambda _: 3)
        runner.relieve(0.0)
        runner.close(wait=False)
        assert (last.token, events.Cancelled()) in list(runner.drain())
        assert runner.busy  # the two that are held
    finally:
        share.set()
        runner.close()
    assert not runner.busy
