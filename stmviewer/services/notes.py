"""Stars and notes on files, kept beside them in one small database a folder (SQLite), never inside a raw file.

A note belongs to a name and to the content that the file had: a file that was renamed is found again by size and
SHA-256. Where a folder cannot be written, or its database is damaged, its notes lie with the user's own data, under a
name made from its path. Of two notes on a file the one that was written later counts, wherever it lies.
"""

import hashlib
import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from stmviewer import paths
from stmviewer.files import file_sha256
from stmviewer.scan import FileError, StmviewerError
from stmviewer.services.jobs import Context, Job

_log = logging.getLogger(__name__)
DATABASE = ".stmviewer.sqlite"
LONGEST_NOTE = 4000
#: another stmviewer may be writing the same file on a share (s); who asked tries again later
_PATIENCE_S = 1.5
_TABLE = """CREATE TABLE IF NOT EXISTS notes (
    name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, size INTEGER NOT NULL, changed_ns INTEGER NOT NULL,
    star INTEGER NOT NULL, note TEXT NOT NULL, written TEXT NOT NULL)"""
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
#: no database, a broken one, or one of another program
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
_COLUMNS = "name, sha256, size, changed_ns, star, note, written"


class NotesBusyError(FileError):
    """Another program holds the database, or the folder is away: the same may work later."""


@dataclass(frozen=True)
class Note:
    """What the user says of a file."""

    star: bool = False
    text: str = ""

    @property
    def empty(self) -> bool:
        return not self.star and not self.text

    def changed_on(self, before: "Note", stored: "Note") -> "Note":
        """`stored` with what has changed from `before` to this one: what somebody else has said meanwhile stays."""
        return Note(
            self.star if self.star != before.star else stored.star,
            self.text if self.text != before.text else stored.text,
        )


@dataclass(frozen=True)
class NotesRead:
    """The notes on files by path. `faults` are lines about databases that could not be read; `again`: try later."""

    notes: dict[Path, Note]
    faults: tuple[str, ...] = ()
    again: bool = False


@dataclass(frozen=True)
class NoteWritten:
    """The note on a file as it now stands; with `again` it could not be kept yet. `said` is a line for the user."""

    path: Path
    note: Note
    said: str = ""
    again: bool = False


@dataclass(frozen=True)
class _Row:
    """An empty note is a row, too: it takes away what the other database says."""

    name: str
    sha256: str
    size: int
    changed_ns: int
    star: int
    note: str
    written: str

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
        notes, fault = self.readable()
        if fault is not None:
            raise fault
        return notes

    def readable(self) -> tuple[dict[str, Note], FileError | None]:
        """What `read` gives, as far as it can be read, and what is wrong with the rest."""
        found: dict[str, _Row] = {}
        fault: FileError | None = None
        for database in (self._beside, self._own):
            try:
                if not database.is_file():
                    continue
                with _reading(database) as connection:
                    rows = _all(connection)
            except OSError as error:
                fault = FileError(database, f"the notes cannot be read ({error.strerror or error})")
            except FileError as error:
                fault = error
            else:
                for name, row in self._moved(database, rows).items():
                    if name not in found or row.written >= found[name].written:
                        found[name] = row
        return {name: row.note_of() for name, row in found.items() if not row.note_of().empty}, fault

    def write(self, name: str, note: Note, before: Note | None = None) -> NoteWritten:
        """Keeps `note` on the file of that name; an empty note is forgotten.

        Given what the note was `before`, only what has changed since is written: the database may know more.
        Raises FileError where neither the folder nor the user's own data can be written, or the file is gone.
        """
        path = self._folder / name
        if len(note.text) > LONGEST_NOTE:
            raise FileError(path, f"a note has {LONGEST_NOTE} characters at most, not {len(note.text)}", "Shorten it")
        if note.empty and not self._beside.exists() and not self._own.exists():
            return NoteWritten(path, note)
        row = self._row(name, note)
        try:
            stored = _put(self._beside, row, before, _found(self._own, name), tombstone=False)
        except (sqlite3.Error, OSError) as error:
            if _kind(error) in _BUSY:
                raise _busy(self._beside) from error
            _log.info("%s: %s", self._beside, error)
            why = str(_unread(self._beside, error)) if _kind(error) in _DAMAGE else "This folder cannot be written"
            said = f"{why}. Its stars and notes are kept with your own data, on this computer"
        else:
            if self._own.is_file():  # the folder could not be written before
                with suppress(sqlite3.Error, OSError), _writing(self._own) as connection:
                    connection.execute("DELETE FROM notes WHERE name = ?", (name,))
            return NoteWritten(path, stored)
        try:
            self._own.parent.mkdir(parents=True, exist_ok=True)
            stored = _put(self._own, row, before, _found(self._beside, name), tombstone=True)
        except (sqlite3.Error, OSError) as error:
            raise FileError(self._own, f"the note cannot be written ({error})", "Is the disk full?") from error
        return NoteWritten(path, stored, said)

    def _row(self, name: str, note: Note) -> _Row:
        path, digest, size, changed = self._folder / name, "", -1, 0
        try:
            digest, status = file_sha256(path), path.stat()
            size, changed = status.st_size, status.st_mtime_ns
        except (StmviewerError, OSError) as error:
            if not self._folder.is_dir():
                away = "the folder is not there: the note is kept when it is back"
                raise NotesBusyError(self._folder, away) from error
            if isinstance(error, StmviewerError) and not note.empty:
                raise
            if not note.empty:
                raise FileError(path, "there is no such file any more") from error
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        return _Row(name, digest, size, changed, int(note.star), note.text, now)

    def _moved(self, database: Path, rows: list[_Row]) -> dict[str, _Row]:
        """The rows by the name that each file has now; those of renamed files are written so."""
        present = self._followed(rows)
        before = {row.name: row for row in rows}
        if present != before:
            self._remember_moves(
                database,
                [row for name, row in before.items() if present.get(name) != row],
                [row for name, row in present.items() if before.get(name) != row],
            )
        return present

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

    def _remember_moves(self, database: Path, before: list[_Row], now: list[_Row]) -> None:
        try:
            with _writing(database) as connection:
                for row in before:
                    gone = "DELETE FROM notes WHERE name = ? AND written = ?"
                    if not connection.execute(gone, (row.name, row.written)).rowcount:
                        raise sqlite3.OperationalError(f"{row.name} was written meanwhile")
                for row in now:
                    _insert(connection, row)
        except (sqlite3.Error, OSError) as error:  # read only: it is worked out again the next time
            _log.info("%s stays as it was: %s", database, error)


def read_notes_job(files: Iterable[Path], elsewhere: Path | None = None) -> Job:
    """A job whose result are the notes on `files`, as NotesRead."""
    wanted = tuple(files)

    def job(context: Context) -> NotesRead:
        found: dict[Path, Note] = {}
        faults: list[FileError] = []
        for folder in dict.fromkeys(path.parent for path in wanted):
            context.progress.check()
            notes, fault = FolderNotes(folder, elsewhere).readable()
            faults += [fault] if fault is not None else []
            found |= {path: notes[path.name] for path in wanted if path.parent == folder and path.name in notes}
        again = any(isinstance(fault, NotesBusyError) for fault in faults)
        return NotesRead(found, tuple(map(str, faults)), again)

    return job


def write_note_job(path: Path, note: Note, before: Note | None = None, elsewhere: Path | None = None) -> Job:
    """A job that keeps a note on a file, as `FolderNotes.write` does; its result is a NoteWritten.

    What may work later is no failure: the result says so.
    """

    def job(_: Context) -> NoteWritten:
        try:
            return FolderNotes(path.parent, elsewhere).write(path.name, note, before)
        except NotesBusyError as error:
            return NoteWritten(path, note, str(error), again=True)

    return job


def _found(database: Path, name: str) -> _Row | None:
    """What a database says of a file; None where it says nothing or cannot be read."""
    with suppress(FileError, OSError):
        if database.is_file():
            with _reading(database) as connection:
                return _select(connection, name)
    return None


def _all(connection: sqlite3.Connection) -> list[_Row]:
    """Every row; none of a database that was begun and never written."""
    if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return []
    return [_Row(*values) for values in connection.execute(f"SELECT {_COLUMNS} FROM notes")]


def _select(connection: sqlite3.Connection, name: str) -> _Row | None:
    values = connection.execute(f"SELECT {_COLUMNS} FROM notes WHERE name = ?", (name,)).fetchone()
    return _Row(*values) if values else None


def _put(database: Path, row: _Row, before: Note | None, other: _Row | None, *, tombstone: bool) -> Note:
    """Writes a row and returns its note; see `FolderNotes.write`. `other` is what the other database says.

    With `tombstone` an empty note is written, too.
    """
    note = row.note_of()
    if note.empty and not tombstone and not database.exists():
        return note
    with _writing(database) as connection:
        known = [found for found in (_select(connection, row.name), other) if found is not None]
        if before is not None and known:
            note = note.changed_on(before, max(known, key=lambda found: found.written).note_of())
        connection.execute("DELETE FROM notes WHERE name = ?", (row.name,))
        if tombstone or not note.empty:
            _insert(connection, replace(row, star=int(note.star), note=note.text))
    return note


def _insert(connection: sqlite3.Connection, row: _Row) -> None:
    connection.execute(f"INSERT OR REPLACE INTO notes ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", astuple(row))


@contextmanager
def _reading(database: Path) -> Iterator[sqlite3.Connection]:
    try:
        # read only: looking at a folder writes nothing into it
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE_S)) as made:
            yield made
    except sqlite3.Error as error:
        raise (_busy(database) if _kind(error) in _BUSY else _unread(database, error)) from error


@contextmanager
def _writing(database: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(database, timeout=_PATIENCE_S)) as connection, connection:
        connection.execute(_TABLE)
        connection.execute("BEGIN IMMEDIATE")  # what is read in it stands until it is written
        yield connection


def _kind(error: Exception) -> int:
    """What SQLite says is wrong; 0 for anything else."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the kind, the rest says more


def _busy(database: Path) -> NotesBusyError:
    return NotesBusyError(database, "another program is using the notes of this folder", "They are tried again")


def _unread(database: Path, error: Exception) -> FileError:
    advice = "Rename it to begin anew; the scans themselves are not touched" if _kind(error) in _DAMAGE else ""
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
