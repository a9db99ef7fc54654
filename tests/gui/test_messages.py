"""The bars below the menus: which there are, in which order, and what takes them away."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from stmviewer.gui import dialogs
from stmviewer.gui.info_bar import InfoBar
from stmviewer.gui.messages import Messages
from stmviewer.gui.sentences import sentence
from stmviewer.gui.shown import Restored, Shown
from stmviewer.scan import Channel

from .bench import make_scan, restoration_of
from .test_session import REPAIR


@pytest.fixture
def messages(qtbot: QtBot) -> Messages:
    made = Messages()
    qtbot.addWidget(made)
    return made


def texts(messages: Messages) -> list[str]:
    """From the top."""
    layout = messages.layout()
    assert layout is not None
    bars = [layout.itemAt(k).widget() for k in range(layout.count())]
    return [bar.text for bar in bars if isinstance(bar, InfoBar)]


def test_what_is_most_urgent_stands_at_the_top(messages: Messages) -> None:
    shown = Shown.of(scan := make_scan(notes=("pixels are not square",)), scan.channel())
    messages.tell_notes(shown, lambda: None)
    messages.tell_done("Written: a.gwy", Path("/data"))
    messages.complain("this file is cut off")
    messages.tell_kept("the note on b.gwy waits", complains=False)
    order = ["This file is cut off", "Written: a.gwy", "Pixels are not square", "the note on b.gwy waits"]
    assert texts(messages) == order
    messages.complain("another one")
    assert texts(messages) == ["Another one", *order[1:]]


def test_a_run_takes_away_what_was_said_of_the_last_one(messages: Messages) -> None:
    scan = make_scan(notes=("pixels are not square",))
    messages.tell_notes(Shown.of(scan, scan.channel()), lambda: None)
    messages.complain("no memory")
    messages.tell_done("Steps are written")
    warned = restoration_of(scan, replace(REPAIR, seed=13))
    messages.tell_result(Restored.of(warned, scan.geometry))
    assert "This is only a test" in texts(messages) and len(texts(messages)) == 4
    messages.clear()
    assert texts(messages) == ["Pixels are not square"]  # it is of the file


def test_several_warnings_are_sentences_of_their_own(messages: Messages) -> None:
    scan = make_scan()
    warned = replace(restoration_of(scan, REPAIR), warnings=("rows were lost", "On the hidden pixels it is worse"))
    messages.tell_result(Restored.of(warned, scan.geometry))
    assert texts(messages) == ["Rows were lost. On the hidden pixels it is worse"]


def test_what_is_the_same_everywhere_is_a_scan_at_constant_height_where_it_is_a_height(messages: Messages) -> None:
    scan = make_scan()
    same = np.full((64, 64), 0.5)
    scan = replace(scan, channels=[Channel("Z", "m", same), Channel("Bias", "V", same), *scan.channels[2:]])
    for name, more in (("Z", ", as in a scan at constant height."), ("Bias", ".")):
        messages.tell_flat(Shown.of(scan, scan.channel(name)), lambda _: None)
        assert texts(messages) == [f"{name} is the same everywhere{more}"]


def test_another_scan_leaves_the_error_that_says_why_there_is_none(messages: Messages) -> None:
    messages.complain("b.sxm: it holds no scan")
    messages.tell_done("Written: a.gwy")
    messages.tell_kept("the note on a.gwy waits", complains=True)
    messages.leave_scan(opened=False)
    assert texts(messages) == ["b.sxm: it holds no scan", "the note on a.gwy waits"]
    messages.leave_scan(opened=True)
    messages.tell_kept("", complains=False)
    assert texts(messages) == [] and not messages.isVisible()


def test_the_folder_of_what_was_written_is_a_click_away(messages: Messages, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Path] = []
    monkeypatch.setattr(dialogs, "show_folder", seen.append)
    messages.tell_done("Written: a.gwy", Path("/data"))
    bar = messages.message("done")
    assert bar is not None and bar.button is not None
    bar.button.click()
    assert seen == [Path("/data")]


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ("choose a task", "Choose a task"),
        ("scan.sxm: it holds no scan", "scan.sxm: it holds no scan"),
        ("data/b: no such file", "data/b: no such file"),
        ("no scan in scan.sxm", "No scan in scan.sxm"),
        ("", ""),
    ],
)
def test_a_sentence_begins_with_a_capital_and_a_file_with_its_name(said: str, seen: str) -> None:
    assert sentence(said) == seen
