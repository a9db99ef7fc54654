"""The command finder, the sheet of shortcuts, the log and what is copied from it."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from stmviewer.gui import error_report
from stmviewer.gui.commands import COMMANDS, Command, assembled
from stmviewer.gui.help.finder import matches
from stmviewer.gui.help.fuzzy import fit
from stmviewer.gui.help.log_panel import LogPanel
from stmviewer.gui.help.sheet import ShortcutSheet, sheet_html
from stmviewer.gui.window import MainWindow

from .bench import Bench, settled

Opener = Callable[..., MainWindow]


def test_letters_fit_in_their_order_and_best_at_the_beginnings_of_words() -> None:
    assert fit("xz", "Open files") is None and fit("so", "Open files") is None
    assert fit("", "anything") == 0
    beginnings, inside = fit("of", "Open folder"), fit("of", "Proof of it")
    assert beginnings is not None and inside is not None and beginnings > inside
    assert fit("rest", "Restore") > fit("rest", "Reset sorting")  # type: ignore[operator]
    assert fit("e fo", "Open folder") == fit("efo", "Open folder")


@pytest.mark.parametrize(
    ("typed", "name"),
    [("restore", "restore"), ("wimg", "reset-zoom"), ("theme dark", "theme-dark"), ("nexcha", "next-channel")],
)
def test_the_finder_finds(typed: str, name: str) -> None:
    assert matches(typed, COMMANDS)[0].name == name


def test_the_finder_runs_what_is_marked(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(bench.add("scan.sxm"))
    window.menus.actions["finder"].trigger()
    finder = window.companions.help.finder
    assert finder.isVisible() and len(finder.shown()) == len(window.menus.commands) - 1
    qtbot.keyClicks(finder.text, "invert")
    assert finder.shown()[0] == "inverted"
    assert finder.list.topLevelItem(0).text(2) == "I"
    qtbot.keyClick(finder.text, Qt.Key.Key_Return)
    assert window.view.inverted and not finder.isVisible()
    window.menus.actions["finder"].trigger()
    qtbot.keyClicks(finder.text, "no such command at all")
    assert finder.shown() == [] and finder.nothing.isVisible()
    qtbot.keyClick(finder.text, Qt.Key.Key_Return)
    qtbot.keyClick(finder.text, Qt.Key.Key_Escape)
    assert not finder.isVisible() and window.isVisible()
    # what cannot be done now stands last and does nothing
    window.menus.actions["finder"].trigger()
    qtbot.keyClicks(finder.text, "cancel")
    assert finder.list.topLevelItem(0).isDisabled()
    qtbot.keyClick(finder.text, Qt.Key.Key_Return)
    assert finder.isVisible()


def test_no_shortcut_is_given_twice_and_every_command_has_a_place(open_window: Opener) -> None:
    window = open_window()
    keys = [QKeySequence(c.shortcut).toString() for c in window.menus.commands if c.shortcut]
    keys.remove("Esc")  # cancels a run, else leaves the tool: never both
    assert sorted(keys) == sorted(set(keys))
    names = [c.name for c in window.menus.commands]
    assert len(names) == len(set(names))
    for command in window.menus.commands:
        assert not command.after or command.after in names, command.name


def test_commands_of_parts_take_their_places() -> None:
    first, more = Command("a", "File", "&A…", lambda *_: None), Command("c", "File", "C", lambda *_: None)
    extra = (Command("b", "File", "B", lambda *_: None, after="a"), Command("d", "File", "D", lambda *_: None))
    assert [c.name for c in assembled((first, more), extra)] == ["a", "b", "c", "d"]
    assert first.title == "A"


def test_the_sheet_has_every_shortcut_and_can_be_saved(open_window: Opener, tmp_path: Path) -> None:
    window = open_window()
    html = sheet_html(window.menus.commands)
    for command in window.menus.commands:
        if command.shortcut:
            keys = QKeySequence(command.shortcut).toString(QKeySequence.SequenceFormat.NativeText)
            assert f">{keys}</td><td>{command.title}</td>" in html.replace("&amp;", "&"), command.name
    window.menus.actions["shortcuts"].trigger()
    sheet = window.companions.help.sheet.dialog
    assert isinstance(sheet, ShortcutSheet) and "Whole image" in sheet.text.toPlainText()
    sheet.save(tmp_path / "sheet.pdf")
    assert (tmp_path / "sheet.pdf").read_bytes().startswith(b"%PDF")


def test_the_log_panel_follows_and_diagnostics_tell_no_contents(
    bench: Bench, open_window: Opener, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = logging.getLogger("stmviewer")
    log.addHandler(error_report.LINES)
    monkeypatch.setattr(Path, "home", lambda: bench.folder)
    try:
        window = open_window(bench.add("scan.sxm"))
        window.menus.actions["log"].trigger()
        panel = window.companions.help.log.dialog
        assert isinstance(panel, LogPanel)
        log.warning("the share %s does not answer", bench.folder / "share")
        qtbot.waitUntil(lambda: "does not answer" in panel.text.toPlainText())
        panel.copy.click()
        copied = QApplication.clipboard().text()
        assert "stmviewer " in copied and "torch " in copied and "Device: " in copied
        assert "request = " in copied and "the share ~/share does not answer" in copied
        assert str(bench.folder) not in copied and "recent" not in copied and "scan.sxm" not in copied
        panel.close()
        settled(qtbot, window)
    finally:
        log.removeHandler(error_report.LINES)
