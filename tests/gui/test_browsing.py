"""The list at the left: filter, order, stars and notes, tips, one channel for the whole folder."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from stmviewer.files import save_scan
from stmviewer.gui.window import MainWindow
from stmviewer.scan import Channel, Geometry, Scan
from stmviewer.services.judging import TipState
from stmviewer.services.notes import DATABASE, FolderNotes, Note

from .bench import Bench, listed, settled

Opener = Callable[..., MainWindow]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "scans"
    made.mkdir()
    for k in range(5):
        image = np.random.default_rng(k).normal(size=(16, 16)) * 1e-10
        channels = [Channel("Z", "m", image), Channel("Z", "m", 2 * image, "backward"), Channel("Current", "A", image)]
        geometry = Geometry(16, 16, 10e-9 * (5 - k), 10e-9)
        save_scan(
            Scan(channels, geometry, bias_v=k - 2.0, recorded=f"2024-05-0{k + 1} 12:00:00"), made / f"scan_{k}.gwy"
        )
    return made


@pytest.fixture
def window(folder: Path, open_window: Opener, qtbot: QtBot) -> MainWindow:
    opened = open_window(folder)
    qtbot.waitUntil(lambda: all(e.facts is not None for e in opened.files.model.entries))
    return opened


def test_the_filter_narrows_the_list_and_leaves_the_scan_on_show(window: MainWindow, qtbot: QtBot) -> None:
    form = window.files.filter
    window.menus.actions["find-file"].trigger()
    qtbot.keyClicks(form.text, "scan_3")
    qtbot.waitUntil(lambda: listed(window) == ["scan_0.gwy", "scan_3.gwy"])  # the one on show stays in sight
    assert window.session.opening.index == 0
    window.menus.actions["next"].trigger()
    qtbot.waitUntil(lambda: window.session.opening.index == 3)
    assert not window.menus.actions["next"].isEnabled()
    form.text.clear()
    form.more.setChecked(True)
    form.sizes.lines[0].setText("25")
    form.bias.lines[1].setText("−1")
    qtbot.waitUntil(lambda: listed(window) == ["scan_0.gwy", "scan_1.gwy", "scan_3.gwy"])
    form.days.lines[0].setText("rubbish")
    qtbot.waitUntil(lambda: "a day reads" in form.days.lines[0].toolTip())
    form.days.lines[0].setText("2024-05-02")
    qtbot.waitUntil(lambda: listed(window) == ["scan_1.gwy", "scan_3.gwy"])
    assert form.more.text() == "●"
    form.clear.click()
    assert len(listed(window)) == 5


def test_orders_by_facts(window: MainWindow, qtbot: QtBot) -> None:
    shown = window.session.shown
    window.browsing.sort("size")
    assert listed(window) == [f"scan_{k}.gwy" for k in (4, 3, 2, 1, 0)]
    assert window.session.shown is shown and window.session.opening.index == 4 == window.files.current()
    window.browsing.sort("bias")
    assert listed(window)[0] == "scan_0.gwy"
    assert window.settings.text("file-order") == "bias"


def test_stars_and_notes_lie_beside_the_folder(
    window: MainWindow, folder: Path, qtbot: QtBot, open_window: Opener
) -> None:
    window.menus.actions["star"].trigger()
    window.files.note.setFocus()
    qtbot.keyClicks(window.files.note, "pretty")
    qtbot.keyClick(window.files.note, Qt.Key.Key_Return)
    settled(qtbot, window)
    assert FolderNotes(folder).read() == {"scan_0.gwy": Note(True, "pretty")}
    # one that was not confirmed belongs to the file that it was typed for
    qtbot.keyClicks(window.files.note, "!")
    window.step_file(1)
    assert window.files.note.text() == ""
    qtbot.waitUntil(lambda: window.session.opening.index == 1)
    settled(qtbot, window)
    assert FolderNotes(folder).read() == {"scan_0.gwy": Note(True, "pretty!")}
    window.files.filter.starred.setChecked(True)
    assert listed(window) == ["scan_0.gwy", "scan_1.gwy"]
    (folder / "scan_0.gwy").rename(folder / "scan_9.gwy")
    again = open_window(folder)
    assert (folder / DATABASE).is_file()
    assert [e.note for e in again.files.model.entries][-1] == Note(True, "pretty!")


def test_one_channel_for_the_whole_folder(window: MainWindow, qtbot: QtBot) -> None:
    panel = window.files
    qtbot.waitUntil(lambda: panel.channel.count() == 3)
    panel.channel.setCurrentIndex(panel.channel.findData("Current"))
    panel.channel.activated.emit(panel.channel.currentIndex())
    qtbot.waitUntil(lambda: all(e.thumbnail.label == "Current forward" for e in panel.model.entries))
    assert window.session.shown.channel.name == "Current"
    window.step_file(1)
    qtbot.waitUntil(lambda: window.session.opening.index == 1)
    assert window.session.shown.channel.name == "Current"
    panel.channel.setCurrentIndex(panel.channel.findData("Z"))
    panel.direction.setCurrentIndex(panel.direction.findData("backward"))
    panel.channel.activated.emit(panel.channel.currentIndex())
    qtbot.waitUntil(lambda: all(e.thumbnail.label == "Z backward" for e in panel.model.entries))
    assert window.session.shown.channel.label == "Z backward"


def test_tips_are_judged_in_the_background_and_can_be_filtered(window: MainWindow, bench: Bench, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: all(e.tip is not None for e in window.files.model.entries), timeout=10_000)
    assert window.files.entry().tip_text == "double 80 %"
    window.files.model.show_tip(
        window.session.opening.files[2], TipState({"good": 0.9, "double": 0.05, "change": 0.03, "blurry": 0.02})
    )
    window.files.filter.tip.setCurrentIndex(1)
    assert listed(window) == ["scan_0.gwy", "scan_2.gwy"]  # and the one on show
    window.menus.actions["judge-folder"].trigger()
    assert not window.browsing.judges and not window.settings.flag("judge-folder", True)


def test_judging_waits_for_a_restoration(folder: Path, bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(folder)
    bench.restorer.gate.clear()
    window.restore()
    window.browsing._judge_next()
    assert not window.browsing._judging.busy
    bench.restorer.gate.set()
    qtbot.waitUntil(lambda: window.files.model.entries[0].tip is not None, timeout=10_000)


def test_the_list_keeps_its_width_over_a_window_without_one(open_window: Opener, folder: Path) -> None:
    single = open_window(folder / "scan_0.gwy")
    assert not single.files.isVisible()
    single.close()
    window = open_window(folder)
    assert window.files.width() == window.files.sizeHint().width()
    window.messages.show_message("any", "note", "More in the window makes it no narrower")
    window.resize(800, 600)
    window.resize(1280, 800)
    assert window.files.width() >= 180


def test_panels_can_be_put_away_and_stay_so(window: MainWindow, open_window: Opener, folder: Path) -> None:
    for name in ("folder-panel", "side-panel"):
        window.menus.actions[name].trigger()
    assert not window.files.isVisible() and not window.tabs.isVisible()
    window.close()
    again = open_window(folder)
    assert not again.files.isVisible() and not again.tabs.isVisible()
    again.menus.actions["folder-panel"].trigger()
    assert again.files.isVisible()
