import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from stmviewer.scan import FileError
from stmviewer.services import notes as module
from stmviewer.services.jobs import Job, JobRunner
from stmviewer.services.notes import (
    DATABASE,
    LONGEST_NOTE,
    FolderNotes,
    Note,
    NotesBusyError,
    NotesRead,
    NoteWritten,
    read_notes_job,
    write_note_job,
)

GOOD = Note(True, "good tip, ½ ML")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "scans"
    made.mkdir()
    for name in ("a.sxm", "b.sxm", "c.sxm"):
        (made / name).write_bytes(name.encode() * 100)
    return made


@pytest.fixture
def kept(folder: Path, tmp_path: Path) -> FolderNotes:
    return FolderNotes(folder, tmp_path / "own")


def test_a_note_lies_in_one_database_beside_the_files_and_not_in_them(folder: Path, kept: FolderNotes) -> None:
    before = (folder / "a.sxm").read_bytes()
    assert kept.read() == {} and not (folder / DATABASE).exists()  # looking writes nothing
    kept.write("a.sxm", GOOD)
    kept.write("b.sxm", Note(True))
    assert kept.read() == {"a.sxm": GOOD, "b.sxm": Note(True)}
    assert {path.name for path in folder.iterdir()} == {"a.sxm", "b.sxm", "c.sxm", DATABASE}
    assert (folder / "a.sxm").read_bytes() == before
    kept.write("a.sxm", Note())
    assert kept.read() == {"b.sxm": Note(True)}


def test_a_renamed_file_keeps_its_note(folder: Path, kept: FolderNotes) -> None:
    kept.write("a.sxm", GOOD)
    (folder / "a.sxm").rename(folder / "renamed.sxm")
    assert kept.read() == {"renamed.sxm": GOOD}
    with sqlite3.connect(folder / DATABASE) as connection:  # and it is written down
        assert connection.execute("SELECT name FROM notes").fetchall() == [("renamed.sxm",)]
    connection.close()


def test_two_files_that_change_names_change_notes(folder: Path, kept: FolderNotes) -> None:
    kept.write("a.sxm", GOOD)
    kept.write("b.sxm", Note(False, "double"))
    (folder / "a.sxm").rename(folder / "x")
    (folder / "b.sxm").rename(folder / "a.sxm")
    (folder / "x").rename(folder / "b.sxm")
    assert kept.read() == {"b.sxm": GOOD, "a.sxm": Note(False, "double")}


def test_another_file_of_that_size_does_not_inherit(folder: Path, kept: FolderNotes) -> None:
    kept.write("a.sxm", GOOD)
    (folder / "a.sxm").unlink()
    (folder / "d.sxm").write_bytes(b"d.sxm" * 100)
    assert "d.sxm" not in kept.read()
    assert kept.read() == {"a.sxm": GOOD}  # it may come back
    shutil.copy(folder / "b.sxm", folder / "a.sxm")
    assert kept.read() == {"a.sxm": GOOD}  # by its name: files grow


def test_a_file_that_grows_or_is_touched_keeps_its_note(folder: Path, kept: FolderNotes) -> None:
    kept.write("a.sxm", GOOD)
    with (folder / "a.sxm").open("ab") as file:
        file.write(b"more")
    assert kept.read() == {"a.sxm": GOOD}
    os.utime(folder / "a.sxm", (1, 1))
    assert kept.read() == {"a.sxm": GOOD}


def test_a_folder_that_cannot_be_written_has_its_notes_with_the_user(
    folder: Path, kept: FolderNotes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    barred(folder, monkeypatch)
    kept.write("a.sxm", GOOD)
    assert not (folder / DATABASE).exists()
    assert kept.read() == {"a.sxm": GOOD}
    assert FolderNotes(folder.parent, tmp_path / "own").read() == {}  # another folder's are others
    monkeypatch.undo()  # the folder can be written again: what is written then counts
    kept.write("a.sxm", Note(False, "later"))
    assert kept.read() == {"a.sxm": Note(False, "later")}


def barred(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be written beside the files: root may write anywhere."""
    put = module._put

    def refuse(database: Path, *rest: object, **more: object) -> Note:
        if database.parent == folder:
            raise sqlite3.OperationalError("attempt to write a readonly database")
        return put(database, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_put", refuse)


def test_what_is_said_later_counts_wherever_it_lies(
    folder: Path, kept: FolderNotes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.sxm", "b.sxm", "c.sxm"):
        kept.write(name, GOOD)
    barred(folder, monkeypatch)  # somebody else's folder, with their notes in it
    assert "cannot be written" in kept.write("a.sxm", Note(False, "mine")).said
    kept.write("b.sxm", Note())  # taken away, though the row beside the files stays
    assert kept.read() == {"a.sxm": Note(False, "mine"), "c.sxm": GOOD}
    monkeypatch.undo()
    FolderNotes(folder, folder.parent / "elsewhere").write("a.sxm", Note(True, "theirs, later"))
    assert kept.read() == {"a.sxm": Note(True, "theirs, later"), "c.sxm": GOOD}
    kept.write("b.sxm", Note(True))
    assert kept.read()["b.sxm"] == Note(True)


def test_only_what_has_changed_is_written(folder: Path, kept: FolderNotes, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.write("a.sxm", Note(False, "important"))
    # the list did not know of the note when the star was set
    assert kept.write("a.sxm", Note(True), Note()).note == Note(True, "important")
    assert kept.read() == {"a.sxm": Note(True, "important")}
    barred(folder, monkeypatch)
    kept.write("a.sxm", Note(False), Note(True))
    assert kept.read() == {"a.sxm": Note(False, "important")}


def test_a_database_that_another_program_holds_is_tried_later(
    folder: Path, kept: FolderNotes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE_S", 0.01)
    kept.write("a.sxm", GOOD)
    with closing(sqlite3.connect(folder / DATABASE)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(NotesBusyError, match="another program is using the notes"):
            kept.read()
        with pytest.raises(NotesBusyError):
            kept.write("b.sxm", Note(True))
        assert result_of(write_note_job(folder / "b.sxm", Note(True))).again
        found = result_of(read_notes_job([folder / "a.sxm"]))
        assert found.again and len(found.faults) == 1 and found.notes == {}
    kept.write("b.sxm", Note(True))
    assert kept.read() == {"a.sxm": GOOD, "b.sxm": Note(True)}


def test_a_folder_that_is_away_is_tried_later(folder: Path, kept: FolderNotes) -> None:
    folder.rename(folder.parent / "away")
    for note in (GOOD, Note(True)):
        written = result_of(write_note_job(folder / "a.sxm", note))
        assert written.again and "the folder is not there" in written.said
    assert kept.read() == {}


def test_a_damaged_database_keeps_nobody_from_notes(folder: Path, kept: FolderNotes) -> None:
    rubbish = b"no database, but long enough to be taken for one" * 40
    (folder / DATABASE).write_bytes(rubbish)
    written = kept.write("a.sxm", GOOD)
    assert "Rename it to begin anew" in written.said and "with your own data" in written.said
    notes, fault = kept.readable()
    assert notes == {"a.sxm": GOOD} and "notes cannot be read" in str(fault)
    assert (folder / DATABASE).read_bytes() == rubbish  # somebody may mend it
    (folder / DATABASE).rename(folder / "old")
    assert kept.read() == {"a.sxm": GOOD}
    (folder / DATABASE).touch()  # begun by somebody and never written
    assert kept.read() == {"a.sxm": GOOD}


def test_a_note_written_while_names_are_followed_stays(folder: Path, kept: FolderNotes) -> None:
    kept.write("a.sxm", GOOD)
    (folder / "a.sxm").rename(folder / "renamed.sxm")
    with closing(sqlite3.connect(folder / DATABASE)) as other, other:
        stale = FolderNotes._followed(kept, module._all(other))
        rows = module._all(other)
    shutil.copy(folder / "b.sxm", folder / "a.sxm")
    kept.write("a.sxm", Note(False, "written meanwhile"))
    kept._remember_moves(folder / DATABASE, rows, list(stale.values()))
    assert kept.read()["a.sxm"] == Note(False, "written meanwhile")


def test_bad_notes_are_told(folder: Path, kept: FolderNotes) -> None:
    with pytest.raises(FileError, match=f"{LONGEST_NOTE} characters at most"):
        kept.write("a.sxm", Note(text="x" * (LONGEST_NOTE + 1)))
    with pytest.raises(FileError, match="there is no such file"):
        kept.write("gone.sxm", GOOD)
    (folder / DATABASE).write_bytes(b"no database, but long enough to be taken for one" * 40)
    with pytest.raises(FileError, match=r"notes cannot be read .*Rename it to begin anew"):
        kept.read()


def result_of(job: Job) -> Any:
    runner = JobRunner("notes")
    try:
        runner.submit("Notes", job)
        return next(e.result for _, e in runner.wait() if hasattr(e, "result"))
    finally:
        runner.close()


def test_jobs_read_and_write_over_several_folders(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.sxm").write_bytes(b"other")
    files = [folder / "a.sxm", folder / "b.sxm", other / "a.sxm"]
    for path, note in ((files[0], GOOD), (files[2], Note(True))):
        job = write_note_job(path, note, elsewhere=tmp_path / "own")
        assert result_of(job) == NoteWritten(path, note)
    found = result_of(read_notes_job(files, tmp_path / "own"))
    assert found == NotesRead({files[0]: GOOD, files[2]: Note(True)})
