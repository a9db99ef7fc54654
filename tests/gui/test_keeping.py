"""Stars and notes in the window when their database is damaged, held by another program, or away with its folder."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from stmviewer.gui.folder import keeping
from stmviewer.gui.window import MainWindow
from stmviewer.services import notes
from stmviewer.services.notes import DATABASE, FolderNotes, Note

from .bench import listed, settled

Opener = Callable[..., MainWindow]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "RETRY_MS", 50)
    monkeypatch.setattr(notes, "_PATIENCE_S", 0.01)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "scans"
    made.mkdir()
    for k in range(3):
        np.save(made / f"scan_{k}.npy", np.random.default_rng(k).normal(size=(16, 16)))
    return made


@pytest.fixture
def held(folder: Path) -> Iterator[sqlite3.Connection]:
    """The database of a folder with one note, held by another program until it is rolled back."""
    FolderNotes(folder).write("scan_0.npy", Note(False, "important"))
    other = sqlite3.connect(folder / DATABASE)
    other.execute("BEGIN EXCLUSIVE")
    yield other
    other.close()


def said(window: MainWindow) -> str:
    bar = window.messages.message("kept")
    return bar.text if bar is not None else ""


def type_note(qtbot: QtBot, window: MainWindow, text: str, *, confirmed: bool = True) -> None:
    window.files.note.setFocus()
    window.files.note.selectAll()
    qtbot.keyClicks(window.files.note, text)
    if confirmed:
        qtbot.keyClick(window.files.note, Qt.Key.Key_Return)


def test_a_database_in_use_costs_no_note(
    folder: Path, held: sqlite3.Connection, open_window: Opener, qtbot: QtBot
) -> None:
    window = open_window(folder)
    qtbot.waitUntil(lambda: "another program is using the notes" in said(window))
    window.menus.actions["star"].trigger()  # of a file whose note is not known
    assert window.files.entry().note == Note(True)
    qtbot.waitUntil(lambda: window.browsing.notes.unkept == [folder / "scan_0.npy"])
    held.rollback()
    qtbot.waitUntil(lambda: window.files.entry().note == Note(True, "important"))
    qtbot.waitUntil(lambda: not window.browsing.notes.unkept and not said(window))
    settled(qtbot, window)
    assert FolderNotes(folder).read() == {"scan_0.npy": Note(True, "important")}


def test_closing_asks_about_a_note_that_could_not_be_kept_and_tries_once_more(
    folder: Path,
    held: sqlite3.Connection,
    open_window: Opener,
    qtbot: QtBot,
    closing_is_answered: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    window = open_window(folder)
    window.menus.actions["star"].trigger()
    qtbot.waitUntil(lambda: bool(window.browsing.notes.unkept))
    monkeypatch.setattr(keeping, "RETRY_MS", 60_000)
    held.rollback()
    window.close()
    assert closing_is_answered == [["the note on scan_0.npy"]] or closing_is_answered == []  # written just before
    assert FolderNotes(folder).read() == {"scan_0.npy": Note(True, "important")}


def test_a_note_that_is_being_typed_is_kept_when_the_window_closes(
    folder: Path, open_window: Opener, qtbot: QtBot
) -> None:
    window = open_window(folder)
    window.menus.actions["star"].trigger()
    type_note(qtbot, window, "not confirmed", confirmed=False)
    window.close()
    assert window.ended_cleanly
    assert FolderNotes(folder).read() == {"scan_0.npy": Note(True, "not confirmed")}


def test_a_folder_that_vanishes_costs_no_note(folder: Path, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(folder)
    folder.rename(folder.parent / "away")
    type_note(qtbot, window, "first")
    qtbot.waitUntil(lambda: "the folder is not there" in said(window))
    type_note(qtbot, window, "second")
    window.menus.actions["star"].trigger()
    (folder.parent / "away").rename(folder)
    qtbot.waitUntil(lambda: not window.browsing.notes.unkept and not said(window))
    settled(qtbot, window)
    assert FolderNotes(folder).read() == {"scan_0.npy": Note(True, "second")}
    assert window.files.entry().note == Note(True, "second")


def test_a_damaged_database_is_told_and_browsing_and_noting_go_on(
    folder: Path, open_window: Opener, qtbot: QtBot
) -> None:
    (folder / DATABASE).write_bytes(b"rubbish" * 500)
    window = open_window(folder)
    assert "notes cannot be read" in said(window)
    assert len(listed(window)) == 3 and window.session.shown is not None
    type_note(qtbot, window, "kept elsewhere")
    settled(qtbot, window)
    assert "with your own data" in said(window)
    assert open_window(folder).files.model.entries[0].note == Note(False, "kept elsewhere")


def test_a_folder_that_cannot_be_written_is_told_once(
    folder: Path, open_window: Opener, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = notes._put

    def refuse(database: Path, *rest: object, **more: object) -> Note:
        if database.parent == folder:
            raise sqlite3.OperationalError("attempt to write a readonly database")
        return put(database, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(notes, "_put", refuse)
    window = open_window(folder)
    window.menus.actions["star"].trigger()
    qtbot.waitUntil(lambda: "This folder cannot be written" in said(window))
    bar = window.messages.message("kept")
    assert bar.kind == "note"
    bar.cross.click()
    type_note(qtbot, window, "more")
    settled(qtbot, window)
    assert not said(window)
    assert FolderNotes(folder).read() == {"scan_0.npy": Note(True, "more")}
