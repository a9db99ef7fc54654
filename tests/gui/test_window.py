"""The window with scans: opening, channels, the cursor, what is offered and what is said."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from stmviewer.gui.looks import AT_FIRST
from stmviewer.gui.shown import ShownMask
from stmviewer.gui.theme import is_dark
from stmviewer.gui.window import MainWindow
from stmviewer.scan import Channel, FileError, Geometry, make_mask
from stmviewer.scan.levelling import level_for_display

from .bench import Bench, make_scan, settled, surface

Opener = Callable[..., MainWindow]


def drop(target: QWidget, *paths: Path) -> bool:
    """Drags files over a widget and drops them, as the desktop does; whether they were welcome."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(20, 20), copy | Qt.DropAction.MoveAction, data, left, none)
    QApplication.sendEvent(target, enter)
    move = QDragMoveEvent(QPoint(25, 25), copy, data, left, none)
    QApplication.sendEvent(target, move)
    dropped = QDropEvent(QPointF(25, 25), copy, data, left, none)
    QApplication.sendEvent(target, dropped)
    return enter.isAccepted() and move.isAccepted() and dropped.isAccepted()


# the empty window


def test_an_empty_window_invites(open_window: Opener) -> None:
    window = open_window()
    assert window.empty.isVisible()
    assert window.empty.open_button.isVisible()
    assert not window.workspace.isVisible()
    assert not window.menus.actions["restore"].isEnabled()
    assert window.restore_page.obstacle() == "Open a scan first"


def test_the_sample_button_is_there_only_with_samples(
    open_window: Opener, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = open_window()
    if window.empty.sample_button.isVisible():
        window.empty.sample_button.click()
        settled(qtbot, window)
        assert window.session.shown is not None
    monkeypatch.setattr("stmviewer.paths.resources", lambda: tmp_path)
    assert not open_window().empty.sample_button.isVisible()


# opening


@pytest.mark.parametrize("where", ["window", *AT_FIRST])
def test_a_dropped_file_opens(bench: Bench, open_window: Opener, qtbot: QtBot, where: str) -> None:
    first, second = bench.add("first.sxm"), bench.add("second.sxm")
    window = open_window(first)
    target = window if where == "window" else window.view.panes[where].viewport_widget.viewport()  # type: ignore[index]
    assert drop(target, second)
    settled(qtbot, window)
    assert window.session.shown is not None
    assert window.session.shown.scan.path == second
    assert window.windowTitle() == "second.sxm – stmviewer"


def test_a_file_dropped_on_the_empty_window_opens(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    path = bench.add("scan.sxm")
    window = open_window()
    assert drop(window, path)
    settled(qtbot, window)
    assert window.workspace.isVisible()
    assert window.view.panes["raw"].picture is not None


def test_what_is_no_file_is_not_welcome(open_window: Opener) -> None:
    window = open_window()
    data = QMimeData()
    data.setUrls([QUrl("https://example.org/scan.sxm")])
    event = QDragEnterEvent(
        QPoint(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(window, event)
    assert not event.isAccepted()


def test_a_folder_fills_the_list(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    paths = [bench.add(f"scan{k}.sxm") for k in range(3)]
    window = open_window(bench.folder)
    assert window.files.isVisible()
    assert window.session.opening.files == tuple(paths)
    window.menus.actions["next"].trigger()
    settled(qtbot, window)
    assert window.session.scan is not None
    assert window.session.scan.path == paths[1]
    window.files.next.click()
    settled(qtbot, window)
    assert window.session.scan.path == paths[2]
    assert not window.menus.actions["next"].isEnabled()
    window.menus.actions["previous"].trigger()
    settled(qtbot, window)
    assert window.session.scan.path == paths[1]
    assert window.settings.recent == [bench.folder]


def test_going_back_before_the_next_file_has_come(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    paths = [bench.add(f"scan{k}.sxm") for k in range(2)]
    window = open_window(bench.folder)
    window.step_file(1)
    window.step_file(-1)
    settled(qtbot, window)
    assert window.session.scan is not None
    assert window.session.scan.path == paths[0]
    assert window.files.current() == 0


def test_a_single_file_needs_no_list(bench: Bench, open_window: Opener) -> None:
    assert not open_window(bench.add("scan.sxm")).files.isVisible()


def test_bad_input_is_said_in_the_window(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(bench.add("good.sxm"))
    bad = bench.folder / "bad.sxm"
    bad.write_text("this is no scan")
    window.open_paths([bad])
    settled(qtbot, window)
    message = window.messages.message("error")
    assert message is not None
    assert str(bad) in message.text
    assert window.session.scan is not None  # what was on show stays
    assert QApplication.activeModalWidget() is None
    message.cross.click()
    assert window.messages.message("error") is None


def test_a_missing_file_and_an_empty_folder(open_window: Opener, qtbot: QtBot, tmp_path: Path) -> None:
    window = open_window()
    for path in (tmp_path / "nowhere.sxm", tmp_path):
        window.open_paths([path])
        settled(qtbot, window)
        message = window.messages.message("error")
        assert message is not None
        assert str(path) in message.text
    assert window.empty.isVisible()


def test_a_bad_file_of_a_folder_does_not_end_the_browsing(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    bench.add("a.sxm")
    (bench.folder / "b.sxm").write_text("no scan")
    bench.add("c.sxm")
    window = open_window(bench.folder)
    window.step_file(1)
    settled(qtbot, window)
    assert window.session.shown is None
    assert window.messages.message("error") is not None
    assert window.restore_page.obstacle() == "Open a scan first"
    window.step_file(1)
    settled(qtbot, window)
    assert window.session.shown is not None
    assert window.messages.message("error") is None


def test_recent_files_are_remembered(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    path = bench.add("scan.sxm")
    window = open_window(path)
    window.close()
    again = open_window()
    assert again.settings.recent == [path]
    again._recent_menu.actions()[0].trigger()
    settled(qtbot, again)
    assert again.session.scan is not None


# what is shown


def test_channels_and_directions(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(bench.add("scan.sxm"))
    shown = window.session.shown
    assert shown is not None
    assert (shown.channel.name, shown.channel.direction) == ("Z", "forward")
    window.menus.actions["other-direction"].trigger()
    settled(qtbot, window)
    assert window.session.shown is not None
    assert window.session.shown.channel.direction == "backward"
    window.menus.actions["next-channel"].trigger()
    settled(qtbot, window)
    assert window.session.shown.channel.name == "Current"
    assert window.view.legend.shared.scale.label == "pA"
    assert not window.header.direction.isEnabled()


def test_the_facts_of_the_scan(bench: Bench, open_window: Opener) -> None:
    window = open_window(bench.add("scan.sxm", make_scan(notes=("the last lines are missing",))))
    facts = window.header._facts.full_text
    for fact in ("20 × 20 nm", "64 × 64 px", "bias −1.8 V", "setpoint 50 pA", "900 ms per line", "2024-05-01"):
        assert fact in facts
    note = window.messages.message("notes")
    assert note is not None
    assert (note.kind, note.text) == ("note", "The last lines are missing")


def test_a_pattern_of_ones_own_is_typed_where_it_is_asked_for(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(bench.add("scan.sxm"))
    controls = window.controls
    controls.sparse.click()
    settled(qtbot, window)
    assert controls.saving.isVisible()
    controls.mask_box.setFocus()
    qtbot.keyClick(controls.mask_box, Qt.Key.Key_End)
    settled(qtbot, window)
    assert window.focusWidget() is controls.custom  # or its letters would be shortcuts
    assert not controls.saving.isVisible()  # of the mask before
    qtbot.keyClicks(controls.custom, "spiral:0.2")
    settled(qtbot, window)
    assert window.session.sampling.mask is not None and controls.saving.isVisible()
    assert not window.view.inverted and window.tabs.current == "restore"


def test_a_channel_that_cannot_be_read_is_not_named_above_another(
    bench: Bench, open_window: Opener, qtbot: QtBot
) -> None:
    def gone() -> np.ndarray:
        raise FileError("scan.sxm", "there is no such file")

    scan = make_scan()
    window = open_window(
        bench.add("scan.sxm", replace(scan, channels=[*scan.channels[:2], Channel("Phase", "", gone)]))
    )
    window.menus.actions["next-channel"].trigger()
    settled(qtbot, window)
    error = window.messages.message("error")
    assert error is not None and "no such file" in error.text
    assert window.session.shown is not None and window.session.shown.channel.name == "Z"
    assert window.header.channel.currentText() == "Z"
    window.menus.actions["other-direction"].trigger()
    settled(qtbot, window)
    assert window.session.shown.channel.direction == window.header.direction.currentText() == "backward"


def test_the_last_choice_counts_while_another_channel_is_read(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    gate = threading.Event()

    def slow() -> np.ndarray:
        gate.wait()
        return surface()

    scan = make_scan()
    slow_one = Channel("Phase", "", slow)
    window = open_window(bench.add("scan.sxm", replace(scan, channels=[*scan.channels[:2], slow_one])))
    header, opening = window.header, window.session.opening
    try:
        for back in (lambda: opening.show_file(0), lambda: header.step_channel()):
            header.step_channel()
            assert header.channel.currentText() == "Phase" and opening.busy
            back()
            assert header.channel.currentText() == "Z" and not opening.busy
    finally:
        gate.set()
    settled(qtbot, window)
    assert window.session.shown is not None and window.session.shown.channel.name == "Z"


def test_either_direction_can_be_read(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    box = open_window(bench.add("scan.sxm")).header.direction
    assert box.itemText(1) == "backward"
    # the frame and the arrow need 29
    qtbot.waitUntil(lambda: box.width() >= box.fontMetrics().horizontalAdvance("backward") + 29)


def test_a_long_name_leaves_room_for_the_facts(bench: Bench, open_window: Opener) -> None:
    window = open_window(bench.add(f"2026-11-30 after <b>annealing {'x' * 150} 0042.sxm"), size=(1024, 700))
    header = window.header
    assert header._name.width() <= 322
    assert header._name.text().startswith("2026") and header._name.text().endswith("0042.sxm")
    assert "64 × 64 px" in header._facts.text() and header._name.textFormat() is Qt.TextFormat.PlainText


@pytest.mark.parametrize("levelled", [True, False])
def test_the_cursor_reads_the_value_at_its_place(
    bench: Bench, open_window: Opener, qtbot: QtBot, levelled: bool
) -> None:
    data = surface(48, 64)
    data[10] = np.nan
    window = open_window(bench.add("scan.sxm", make_scan(data=data, geometry=Geometry(64, 48, 32e-9, 12e-9))))
    window.view.set_levelled(levelled)
    window.controls.sparse.setChecked(True)
    settled(qtbot, window)
    raw = window.view.panes["raw"]
    expected = level_for_display(data) if levelled else data
    for row, column in ((0, 0), (47, 63), (20, 31)):
        x, y = (column + 0.5) * 0.5, (row + 0.5) * 0.25
        assert raw.value_at(x, y) == pytest.approx(expected[row, column], abs=1e-17)
    raw.hovered.emit(QPointF(31.5 * 0.5, 20.5 * 0.25))
    text = window.cursor_line.text()
    assert text.startswith("x 15.8 nm     y 5.1 nm     raw ")
    number = text.split("raw ")[1].split()[0].replace("−", "-")
    factor = window.view.legend.shared.scale.factor
    assert float(number) * factor == pytest.approx(expected[20, 31], abs=factor)
    assert all(pane.overlay.cursor_at == QPointF(15.75, 5.125) for pane in window.view.panes.values())
    # the same is written into each pane
    where, value = raw.overlay.readout.split("   ")
    assert where == "15.8, 5.1 nm"
    assert value == text.split("raw ")[1].split("     ")[0]
    assert window.view.panes["mask"].overlay.readout in ("15.8, 5.1 nm   measured", "15.8, 5.1 nm   not measured")
    assert window.view.panes["restored"].overlay.readout == ""
    raw.hovered.emit(QPointF(1, 10.5 * 0.25))
    assert "not measured" in window.cursor_line.text()
    assert raw.overlay.readout.endswith("not measured")
    raw.hovered.emit(None)
    assert window.cursor_line.text() == ""


def test_levelling_is_one_key_away(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(bench.add("scan.sxm"))
    levelled = window.view.limits()
    assert levelled[1] - levelled[0] < 3e-10
    window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_L)
    assert not window.view.levelled
    assert window.view.limits()[1] < -1e-7
    assert not window.menus.actions["levelled"].isChecked()


def test_inverted_colours(bench: Bench, open_window: Opener) -> None:
    window = open_window(bench.add("scan.sxm"))
    raw = window.view.panes["raw"].raster
    before = raw.lut
    window.menus.actions["inverted"].trigger()
    assert (raw.lut == before[::-1]).all()
    window.close()
    assert open_window().view.inverted


def test_panes_can_be_hidden_but_the_last_one(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(bench.add("scan.sxm"))
    small = window.view.panes["raw"].size()
    window.menus.actions["pane-restored"].trigger()
    assert window.view.placed() == ["raw"]
    assert not window.view.panes["restored"].isVisible()
    # alone it is at least as wide, with the legend beside it, and taller
    qtbot.waitUntil(lambda: window.view.panes["raw"].height() > small.height())
    assert window.view.panes["raw"].width() >= small.width()
    assert not window.menus.actions["pane-raw"].isEnabled()
    assert not window.view.panes["raw"].cross.isVisible()
    window.close()
    assert not open_window().view.pane_visible("restored")


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080), (900, 620)])
def test_all_panes_have_one_size_and_lie_in_the_window(
    bench: Bench, open_window: Opener, qtbot: QtBot, size: tuple[int, int]
) -> None:
    window = open_window(bench.add("scan.sxm"), size=size)
    window.controls.sparse.setChecked(True)
    settled(qtbot, window)
    panes = [window.view.panes[name] for name in window.view.placed()]
    assert len(panes) == 3
    assert len({(pane.width(), pane.height()) for pane in panes}) == 1
    for pane in panes:
        assert window.view.rect().contains(pane.geometry())
        assert pane.title.split(":")[0] in pane._title.text() or pane.width() < 150


def test_an_all_nan_scan_opens_and_says_why_not(bench: Bench, open_window: Opener) -> None:
    window = open_window(bench.add("empty.sxm", make_scan(data=np.full((32, 48), np.nan))))
    assert window.restore_page.obstacle() == "Cannot be restored: no pixel was measured (the scan never ran)"
    assert not window.run_controls.button.isEnabled()
    assert "never ran" in window.run_controls.status.text()
    window.grab()


# masks and offers


def test_a_scan_at_constant_height_offers_the_channel_that_shows_something(
    bench: Bench, open_window: Opener, qtbot: QtBot
) -> None:
    scan = make_scan()
    flat = [Channel("Z", "m", np.full((64, 64), 1e-9), c.direction) if c.name == "Z" else c for c in scan.channels]
    window = open_window(bench.add("flat.sxm", replace(scan, channels=flat)))
    offer = window.messages.message("flat")
    assert offer is not None and offer.button is not None
    assert "Z is the same everywhere" in offer.text and offer.button.text() == "Show Current"
    offer.button.click()
    settled(qtbot, window)
    assert window.session.shown is not None and window.session.shown.raw.channel.name == "Current"
    assert window.messages.message("flat") is None
    window.open_paths([bench.add("uneven.sxm")])
    settled(qtbot, window)
    assert window.messages.message("flat") is None


def test_the_mask_is_shown_before_a_run(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(bench.add("scan.sxm"))
    assert window.view.panes["mask"].title == "Mask: every pixel measured"
    window.controls.sparse.setChecked(True)
    settled(qtbot, window)
    shown = window.session.sampling.mask
    assert isinstance(shown, ShownMask)
    assert (shown.mask.measured == make_mask("lines:4", 64, 64).measured).all()
    assert window.view.panes["mask"].picture is shown.picture
    assert window.view.panes["mask"].title == "Mask: every 4th line, 25 % measured"
    window.controls.mask_box.setCurrentIndex(window.controls.mask_box.findData("pixels:0.25"))
    window.controls.seed.setValue(5)
    settled(qtbot, window)
    assert window.session.sampling.mask is not None
    assert (window.session.sampling.mask.mask.measured == make_mask("pixels:0.25", 64, 64, 5).measured).all()


def test_a_scan_with_few_lines_is_offered_and_not_changed(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    scan = make_scan(data=surface(16, 64), geometry=Geometry(64, 16, 20e-9, 20e-9))
    window = open_window(bench.add("sparse.sxm", scan))
    offer = window.messages.message("offer")
    assert offer is not None
    assert "16 lines for 64 pixels per line over the same range (4×)" in offer.text
    assert window.controls.request().task == "repair"
    assert offer.button is not None
    offer.button.click()
    settled(qtbot, window)
    request = window.controls.request()
    assert (request.task, request.mask) == ("sparse", "file")
    assert window.messages.message("offer") is None
    assert window.session.sampling.mask is not None
    assert window.session.sampling.mask.picture.data.shape == (64, 64)


def test_gaps_are_offered(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    data = surface()
    data[40:] = np.nan
    window = open_window(bench.add("gaps.sxm", make_scan(data=data)))
    offer = window.messages.message("offer")
    assert offer is not None
    assert offer.text == "37.5 % of this channel was not measured."
    assert offer.button is not None
    offer.button.click()
    settled(qtbot, window)
    assert window.controls.pattern() == "file"
    # on a scan without gaps that choice is not possible
    window.open_paths([bench.add("full.sxm")])
    settled(qtbot, window)
    assert window.messages.message("offer") is None
    assert window.controls.pattern() == "lines:4"


# theme and commands


def test_themes(open_window: Opener) -> None:
    window = open_window()
    for choice in ("dark", "light"):
        window.menus.actions[f"theme-{choice}"].trigger()
        assert is_dark(window.palette()) == (choice == "dark")
        assert window.menus.actions[f"theme-{choice}"].isChecked()
    window.close()
    assert open_window().settings.theme == "light"


def test_every_command_has_a_place_and_no_shortcut_is_given_twice(open_window: Opener) -> None:
    window = open_window()
    shortcuts = [a.shortcut().toString() for a in window.menus.actions.values() if not a.shortcut().isEmpty()]
    shortcuts.remove("Esc")  # cancels a run, else leaves the tool: never both
    assert len(shortcuts) == len(set(shortcuts))
    titles = [action.text() for action in window.menuBar().actions()]
    assert titles == ["&File", "&View", "&Restore", "&Process", "&Measure", "&Simulate", "&Help"]


def test_closing_is_remembered(bench: Bench, open_window: Opener) -> None:
    window = open_window(bench.add("scan.sxm"), size=(1000, 700))
    window.view.set_levelled(False)
    window.close()
    again = open_window()
    assert not again.view.levelled
    assert again.settings.layout("window") is not None
