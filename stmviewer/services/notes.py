"""Stars and notes on files, kept beside them in one small database a folder (SQLite), never inside a raw file.

A note belongs to a name and to the content that the file had: a file that was renamed is found again by size and
SHA-256. Where a folder cannot be written, its notes lie with the user's own data, under a name made from its path.
"""

import hashlib
import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from stmviewer import paths
from stmviewer.files import file_sha256
from stmviewer.scan import FileError, StmviewerError
from stmviewer.services.jobs import Context, Job

_log = logging.getLogger(__name__)
DATABASE = ".stmviewer.sqlite"
LONGEST_NOTE = 4000
#: another stmviewer may be writing the same file on a share (s)
_PATIENCE_S = 3.0
_TABLE = """CREATE TABLE IF NOT EXISTS notes (
    name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, size INTEGER NOT NULL, changed_ns INTEGER NOT NULL,
    star INTEGER NOT NULL, note TEXT NOT NULL, written TEXT NOT NULL)"""
_COLUMNS = "name, sha256, size, changed_ns, star, note"


@dataclass(frozen=True)
class Note:
    """What the user says of a file."""

    star: bool = False
    text: str = ""

    @property
    def empty(self) -> bool:
        return not self.star and not self.text


@dataclass(frozen=True)
class _Row:
    name: str
    sha256: str
    size: int
    changed_ns: int
    star: int
    note: str

    def note_of(self) -> Note:
        return Note(bool(self.star), self.note)


class FolderNotes:
    """The notes on the files of one folder. Every call opens and closes the database: files on shares come and go.

    Reading hashes files that were renamed or changed, writing hashes the file: both belong into a job.
    """

    def __init__(self, folder: Path, elsewhere: Path | None = None) -> None:
        """`elsewhere` is where notes go for folders that cannot be written; the user's data by default."""
        self._folder = folder
        digest = hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:32]
        self._beside = folder / DATABASE
        self._own = (elsewhere or paths.user_data() / "notes") / f"{digest}.sqlite"

    def read(self) -> dict[str, Note]:
        """The notes by file name, those of renamed files under their new names. Raises FileError when damaged."""
        found: dict[str, Note] = {}
        for database in (self._own, self._beside):
            if not database.is_file():
                continue
            with _reading(database) as connection:
                rows = [_Row(*values) for values in connection.execute(f"SELECT {_COLUMNS} FROM notes")]
            present = self._followed(rows)
            if present != {row.name: row for row in rows}:
                self._remember_moves(database, rows, present)
            found |= {name: row.note_of() for name, row in present.items()}
        return found

    def write(self, name: str, note: Note) -> None:
        """Keeps `note` on the file of that name; an empty note is forgotten.

        Raises FileError where neither the folder nor the user's own data can be written, or the file is gone.
        """
        if len(note.text) > LONGEST_NOTE:
            raise FileError(
                self._folder / name, f"a note has {LONGEST_NOTE} characters at most, not {len(note.text)}", "Shorten it"
            )
        row = None if note.empty else _row(self._folder / name, note)
        try:
            _put(self._beside, name, row)
        except (sqlite3.OperationalError, OSError) as error:
            _log.info("notes on %s go into the user's data: %s", self._folder, error)
        except sqlite3.DatabaseError as error:
            raise _damaged(self._beside, error) from error
        else:
            if self._own.is_file():  # the folder could not be written before
                _put(self._own, name, None)
            return
        try:
            self._own.parent.mkdir(parents=True, exist_ok=True)
            _put(self._own, name, row)
        except (sqlite3.Error, OSError) as error:
            raise FileError(self._own, f"the note cannot be written ({error})", "Is the disk full?") from error

    def _followed(self, rows: Iterable[_Row]) -> dict[str, _Row]:
        """The rows by the name that each file has now; what is gone keeps its name, in case it comes back."""
        there = _sizes(self._folder)
        changed = [r for r in rows if there.get(r.name) != (r.size, r.changed_ns)]
        result = {r.name: r for r in rows if r not in changed}
        hashes: dict[str, str] = {}
        for row in changed:
            alike = [row.name] if row.name in there and there[row.name][0] == row.size else []
            alike += [n for n, (size, _) in there.items() if size == row.size and n != row.name and n not in result]
            name = next((n for n in alike if self._hash(n, hashes) == row.sha256), None)
            if name is None:  # grown, or gone for now
                result.setdefault(row.name, row)
            else:
                result[name] = replace(row, name=name, changed_ns=there[name][1])
        return result

    def _hash(self, name: str, known: dict[str, str]) -> str:
        if name not in known:
            try:
                known[name] = file_sha256(self._folder / name)
            except StmviewerError:
                known[name] = ""
        return known[name]

    def _remember_moves(self, database: Path, before: Iterable[_Row], now: Mapping[str, _Row]) -> None:
        try:
            with _writing(database) as connection:
                connection.executemany("DELETE FROM notes WHERE name = ?", [(row.name,) for row in before])
                for row in now.values():
                    _insert(connection, row)
        except (sqlite3.Error, OSError) as error:  # read only: it is worked out again the next time
            _log.info("%s stays as it was: %s", database, error)


def read_notes_job(files: Iterable[Path], elsewhere: Path | None = None) -> Job:
    """A job whose result are the notes on `files` by path. It fails where a database is damaged."""
    wanted = tuple(files)

    def job(context: Context) -> dict[Path, Note]:
        found: dict[Path, Note] = {}
        for folder in dict.fromkeys(path.parent for path in wanted):
            context.progress.check()
            notes = FolderNotes(folder, elsewhere).read()
            found |= {path: notes[path.name] for path in wanted if path.parent == folder and path.name in notes}
        return found

    return job


def write_note_job(path: Path, note: Note, elsewhere: Path | None = None) -> Job:
    """A job that keeps `note` on a file; its result is (path, note)."""

    def job(_: Context) -> tuple[Path, Note]:
        FolderNotes(path.parent, elsewhere).write(path.name, note)
        return path, note

    return job


def _row(path: Path, note: Note) -> _Row:
    digest = file_sha256(path)
    try:
        status = path.stat()
    except OSError as error:
        raise FileError(path, "there is no such file any more") from error
    return _Row(path.name, digest, status.st_size, status.st_mtime_ns, int(note.star), note.text)


def _put(database: Path, name: str, row: _Row | None) -> None:
    if row is None and not database.exists():
        return
    with _writing(database) as connection:
        connection.execute("DELETE FROM notes WHERE name = ?", (name,))
        if row is not None:
            _insert(connection, row)


def _insert(connection: sqlite3.Connection, row: _Row) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    connection.execute(
        f"INSERT INTO notes ({_COLUMNS}, written) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (row.name, row.sha256, row.size, row.changed_ns, row.star, row.note, now),
    )


@contextmanager
def _reading(database: Path) -> Iterator[sqlite3.Connection]:
    try:
        # read only: looking at a folder writes nothing into it
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE_S)) as made:
            yield made
    except sqlite3.Error as error:
        raise _damaged(database, error) from error


@contextmanager
def _writing(database: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(database, timeout=_PATIENCE_S)) as connection, connection:
        connection.execute(_TABLE)
        yield connection


def _damaged(database: Path, error: sqlite3.Error) -> FileError:
    advice = "Rename it to begin anew; the scans themselves are not touched"
    return FileError(database, f"the notes cannot be read ({error})", advice)


def _sizes(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of the last change of the files in a folder; nothing of one that cannot be looked at."""
    found = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file() and entry.name != DATABASE:
                    status = entry.stat()
                    found[entry.name] = status.st_size, status.st_mtime_ns
    except OSError as error:
        _log.info("%s cannot be looked at: %s", folder, error)
    return found
