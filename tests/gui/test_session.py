"""The session without a window: what is on show, and what happens to all that is under way when it changes."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from stmviewer.gui.session import Session
from stmviewer.gui.state import Phase
from stmviewer.restore import RestoreRequest
from stmviewer.scan import History, Step
from stmviewer.services.judging import TipState

from .bench import Bench, make_scan

REPAIR = RestoreRequest("repair", model="regression-sim")


@pytest.fixture
def session(bench: Bench, qtbot: QtBot) -> Iterator[Session]:
    made = Session(bench.services)
    yield made
    bench.restorer.gate.set()
    assert made.close()
    made.deleteLater()


@pytest.fixture
def calm(session: Session, qtbot: QtBot) -> Callable[[], None]:
    """Waits until no job is under way."""
    return lambda: qtbot.waitUntil(lambda: not session.desk.busy)


def label(session: Session) -> str:
    assert session.shown is not None
    return session.shown.channel.label


def test_a_result_is_never_filed_under_a_channel_that_came_on_show_meanwhile(
    session: Session, bench: Bench, calm: Callable[[], None]
) -> None:
    session.opening.open([bench.add("scan.sxm")])
    calm()
    scan = session.scan
    assert scan is not None
    first = label(session)
    session.opening.show_channel(scan.channel("Current"))
    session.restoring.start(REPAIR)  # before the other channel has come
    assert session.run.busy
    calm()
    assert label(session) != first
    assert session.restored is None and session.restoring.results == ()
    assert session.run.phase is Phase.IDLE
    session.restoring.start(REPAIR)
    calm()
    assert session.restored is not None and session.restored.restoration.channel.name == "Current"


def test_steps_that_end_a_run_say_so(session: Session, bench: Bench, calm: Callable[[], None]) -> None:
    session.opening.open([bench.add("scan.sxm")])
    calm()
    phases = []
    session.run_changed.connect(lambda: phases.append(session.run.phase))
    session.steps.show(History((Step("plane"),)))
    session.restoring.start(REPAIR)
    calm()
    assert session.shown is not None and session.shown.history.in_words()
    assert phases[0] is Phase.RUNNING and phases[-1] is Phase.IDLE
    assert session.restored is None


def test_another_file_takes_the_results_of_the_last_one_along(
    session: Session, bench: Bench, calm: Callable[[], None]
) -> None:
    paths = [bench.add("a.sxm"), bench.add("b.sxm")]
    session.opening.open(paths)
    calm()
    session.restoring.start(REPAIR)
    calm()
    assert len(session.restoring.results) == 1
    session.opening.show_file(1)
    calm()
    session.opening.show_file(0)
    calm()
    assert session.opening.index == 0 and session.restored is None


def test_the_mask_of_the_channel_before_does_not_come_late(
    session: Session, bench: Bench, calm: Callable[[], None]
) -> None:
    session.opening.open([bench.add("scan.sxm")])
    calm()
    told = []
    session.sampling.changed.connect(lambda: told.append(session.sampling.mask))
    session.sampling.preview(RestoreRequest("sparse", mask="lines:4"))
    session.shown_changed.emit()
    calm()
    assert told == [] and session.sampling.mask is None
    session.sampling.preview(RestoreRequest("sparse", mask="lines:4"))
    calm()
    assert session.sampling.mask is not None and session.sampling.mask.mask.fraction == 0.25
    session.sampling.preview(RestoreRequest("sparse", mask="file"))
    calm()
    assert session.sampling.mask is None and "there are no gaps to fill" in session.sampling.fault


def test_the_tip_is_judged_when_the_restoration_has_ended(
    session: Session, bench: Bench, qtbot: QtBot, calm: Callable[[], None]
) -> None:
    judged: list[TipState] = []
    session.tip.judged.connect(judged.append)
    session.opening.open([bench.add("scan.sxm")])
    calm()
    bench.restorer.gate.clear()
    session.restoring.start(REPAIR)
    assert not session.tip.waiting  # what the user asks for comes first
    bench.restorer.gate.set()
    qtbot.waitUntil(lambda: bool(judged))
    assert session.restored is not None
    assert judged == [bench.tip] and len(bench.judged) == 1


def test_steps_do_not_change_what_the_tip_was_like(
    session: Session, bench: Bench, qtbot: QtBot, calm: Callable[[], None]
) -> None:
    judged: list[TipState] = []
    session.tip.judged.connect(judged.append)
    session.opening.open([bench.add("scan.sxm")])
    qtbot.waitUntil(lambda: len(judged) == 1)
    session.steps.show(History((Step("plane"),)))
    qtbot.waitUntil(lambda: len(judged) == 2)  # for those who show the channel anew
    assert len(bench.judged) == 1  # but nothing was worked out for it


def test_a_scan_of_no_file_is_shown_alone(session: Session, bench: Bench, calm: Callable[[], None]) -> None:
    session.opening.open([bench.add("a.sxm"), bench.add("b.sxm")])
    calm()
    scan = replace(make_scan(), path=None)
    session.opening.take(scan)
    calm()
    assert session.scan is scan
    assert session.opening.files == () and session.opening.index == -1
    session.restoring.start(REPAIR)
    calm()
    assert session.restored is not None and session.restoring.command() is None
