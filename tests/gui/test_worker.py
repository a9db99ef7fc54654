import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from stmviewer.gui.worker import JobDesk
from stmviewer.services import events
from stmviewer.services.jobs import Context


@pytest.fixture
def desk(qtbot: QtBot) -> Iterator[JobDesk]:
    made = JobDesk()
    yield made
    assert made.close()


def test_events_arrive_in_order_on_this_thread(desk: JobDesk, qtbot: QtBot) -> None:
    got: list[tuple[events.Event, threading.Thread]] = []
    lane = desk.lane(desk.files, lambda event: got.append((event, threading.current_thread())))

    def job(context: Context) -> int:
        context.emit(events.Message("half"))
        return 7

    lane.start("Job", job)
    qtbot.waitUntil(lambda: not desk.busy)
    assert [event for event, _ in got] == [events.Started("Job"), events.Message("half"), events.Finished(7)]
    assert {thread for _, thread in got} == {threading.main_thread()}
    assert not lane.busy


def test_a_lane_hears_only_of_its_latest_job(desk: JobDesk, qtbot: QtBot) -> None:
    results: list[object] = []
    gate = threading.Event()

    def keep(event: events.Event) -> None:
        if isinstance(event, events.Finished):
            results.append(event.result)

    def slow(_: Context) -> str:
        gate.wait()
        return "old"

    lane = desk.lane(desk.files, keep)
    lane.start("Slow", slow)
    lane.start("Fast", lambda _: "new")
    qtbot.waitUntil(lambda: results == ["new"])
    gate.set()
    qtbot.waitUntil(lambda: not desk.busy)
    assert results == ["new"]


def test_a_dropped_job_is_told_to_stop(desk: JobDesk, qtbot: QtBot) -> None:
    stopped = threading.Event()

    def job(context: Context) -> None:
        try:
            while True:
                context.progress.check()
        finally:
            stopped.set()

    lane = desk.lane(desk.restoring, lambda _: pytest.fail("dropped jobs are not heard"))
    lane.start("Endless", job)
    lane.drop()
    qtbot.waitUntil(lambda: not desk.busy)
    # it may have been stopped before it began
    assert stopped.is_set() or not lane.busy


def test_a_fault_in_a_handler_does_not_stop_the_events(desk: JobDesk, qtbot: QtBot) -> None:
    got: list[events.Event] = []

    def handler(event: events.Event) -> None:
        got.append(event)
        if isinstance(event, events.Started):
            raise RuntimeError("a fault of the window")

    with qtbot.capture_exceptions() as caught:
        desk.lane(desk.files, handler).start("Job", lambda _: 1)
        qtbot.waitUntil(lambda: not desk.busy)
    assert len(caught) == 1
    assert isinstance(got[-1], events.Finished)


def test_a_cancelled_job_within_a_long_step_is_not_waited_for(desk: JobDesk, qtbot: QtBot) -> None:
    got: list[events.Event] = []
    within, gate = threading.Event(), threading.Event()

    def deaf(_: Context) -> str:
        within.set()
        gate.wait()
        return "too late"

    lane = desk.lane(desk.restoring, got.append, gives_up=True)
    lane.start("Deaf", deaf)
    assert within.wait(5)
    lane.cancel()
    try:
        qtbot.waitUntil(lambda: got[-1:] == [events.Cancelled()])
        assert not lane.busy
        assert desk.busy  # its worker is not free yet: closing still waits for it
        lane.start("Next", lambda _: "next")
    finally:
        gate.set()
    qtbot.waitUntil(lambda: not desk.busy)
    assert [e.result for e in got if isinstance(e, events.Finished)] == ["next"]


def test_what_a_job_that_writes_has_done_is_told_after_a_cancel(desk: JobDesk, qtbot: QtBot) -> None:
    got: list[events.Event] = []
    within, gate = threading.Event(), threading.Event()

    def deaf(_: Context) -> str:
        within.set()
        gate.wait()
        return "written"

    lane = desk.lane(desk.files, got.append)
    lane.start("Writing", deaf)
    assert within.wait(5)
    lane.cancel()
    qtbot.wait(2000)
    assert lane.busy
    gate.set()
    qtbot.waitUntil(lambda: not desk.busy)
    assert got[-1] == events.Finished("written")
