"""The quiet line that says what the tip was like."""

import threading
from collections.abc import Callable
from dataclasses import replace

from pytestqt.qtbot import QtBot

from stmviewer.gui.window import MainWindow
from stmviewer.services.judging import TipState

from .bench import Bench, settled

Opener = Callable[..., MainWindow]


def test_the_state_of_the_tip_stands_below_the_facts(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(bench.add("scan.sxm"))
    assert not window.header.tip.isVisible()  # the picture comes first
    qtbot.waitUntil(window.header.tip.isVisible)
    assert window.header.tip.full_text == "Tip: double or asymmetric (80 %): recondition the tip"
    assert "H:Si(100)" in window.header.tip.toolTip()
    assert window.session.shown is not None
    assert bench.judged == [window.session.shown.channel]


def test_another_channel_is_judged_anew(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(bench.add("scan.sxm"))
    qtbot.waitUntil(window.header.tip.isVisible)
    scan = window.session.scan
    assert scan is not None
    bench.tip = TipState({"good": 0.9, "double": 0.05, "change": 0.03, "blurry": 0.02})
    window.session.opening.show_channel(scan.channel("Current"))
    settled(qtbot, window)
    assert not window.header.tip.isVisible()
    qtbot.waitUntil(window.header.tip.isVisible)
    assert window.header.tip.full_text == "Tip: good (90 %): go on"
    assert bench.judged[-1].name == "Current"


def test_a_late_answer_is_dropped_and_a_restoration_comes_first(
    bench: Bench, open_window: Opener, qtbot: QtBot
) -> None:
    gate = threading.Event()
    inner = bench.services.tip_state_job

    def slow(scan, channel):  # type: ignore[no-untyped-def]
        job = inner(scan, channel)

        def waits(context):  # type: ignore[no-untyped-def]
            gate.wait(10)
            return job(context)

        return waits

    bench.services = replace(bench.services, tip_state_job=slow)
    window = open_window(bench.add("scan.sxm"))
    qtbot.waitUntil(lambda: bool(bench.judged))
    window.restore()  # drops the judge's answer
    gate.set()
    settled(qtbot, window)
    assert window.session.restored is not None
    qtbot.waitUntil(window.header.tip.isVisible)  # judged anew
    assert len(bench.judged) == 2


def test_nothing_is_said_of_a_scan_that_cannot_be_judged(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    def refuses(_scan, channel):  # type: ignore[no-untyped-def]
        bench.judged.append(channel)

        def job(_):  # type: ignore[no-untyped-def]
            raise ValueError("too small")

        return job

    bench.services = replace(bench.services, tip_state_job=refuses)
    window = open_window(bench.add("scan.sxm"))
    qtbot.waitUntil(lambda: bool(bench.judged))
    settled(qtbot, window)
    assert not window.header.tip.isVisible()
    assert window.messages.message("error") is None
