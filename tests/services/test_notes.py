import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from stmviewer.scan import FileError
from stmviewer.services import notes as module
from stmviewer.services.jobs import JobRunner
from stmviewer.services.notes import DATABASE, LONGEST_NOTE, FolderNotes, Note, read_notes_job, write_note_job

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
    put = module._put

    def barred(database: Path, *rest: object) -> None:  # root may write anywhere
        if database.parent == folder:
            raise sqlite3.OperationalError("attempt to write a readonly database")
        put(database, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_put", barred)
    kept.write("a.sxm", GOOD)
    assert not (folder / DATABASE).exists()
    assert kept.read() == {"a.sxm": GOOD}
    assert FolderNotes(folder.parent, tmp_path / "own").read() == {}  # another folder's are others
    monkeypatch.undo()  # the folder can be written again: what is written then counts
    kept.write("a.sxm", Note(False, "later"))
    assert kept.read() == {"a.sxm": Note(False, "later")}


def test_bad_notes_are_told(folder: Path, kept: FolderNotes) -> None:
    with pytest.raises(FileError, match=f"{LONGEST_NOTE} characters at most"):
        kept.write("a.sxm", Note(text="x" * (LONGEST_NOTE + 1)))
    with pytest.raises(FileError, match="there is no such file"):
        kept.write("gone.sxm", GOOD)
    (folder / DATABASE).write_bytes(b"no database, but long enough to be taken for one" * 40)
    with pytest.raises(FileError, match=r"notes cannot be read .*Rename it to begin anew"):
        kept.read()
    with pytest.raises(FileError, match="notes cannot be read"):
        kept.write("a.sxm", GOOD)


def test_jobs_read_and_write_over_several_folders(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.sxm").write_bytes(b"other")
    files = [folder / "a.sxm", folder / "b.sxm", other / "a.sxm"]
    runner = JobRunner("notes")
    try:
        for path, note in ((files[0], GOOD), (files[2], Note(True))):
            runner.submit("Note", write_note_job(path, note, tmp_path / "own"))
        assert [e.result for _, e in runner.wait() if hasattr(e, "result")] == [
            (files[0], GOOD),
            (files[2], Note(True)),
        ]
        runner.submit("Notes", read_notes_job(files, tmp_path / "own"))
        assert [e.result for _, e in runner.wait() if hasattr(e, "result")] == [{files[0]: GOOD, files[2]: Note(True)}]
    finally:
        runner.close()
