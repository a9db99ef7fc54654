"""The work file of a study: what is done already, so that the same request goes on where it stopped.

An SQLite file beside the report. What is in it belongs to one request (`identity`); another request starts it anew.
"""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stmviewer.scan import FileError, FloatArray

_TABLES = """
CREATE TABLE IF NOT EXISTS about (identity TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS done (task TEXT, method TEXT, image TEXT, numbers TEXT, spectrum TEXT, rows INT, columns INT,
    picture BLOB, PRIMARY KEY (task, method, image));
CREATE TABLE IF NOT EXISTS vectors (task TEXT, method TEXT, image TEXT, space TEXT, vector BLOB,
    PRIMARY KEY (task, method, image, space));
"""
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Done:
    """What is kept of one image by one method: numbers, the spectrum ratio (empty without a truth), its picture
    (rows, columns) of 8 bits, and its vector in each space."""

    numbers: dict[str, float]
    spectrum: tuple[float, ...]
    picture: NDArray[np.uint8]
    vectors: dict[str, FloatArray]


class WorkFile:
    """`resumed` is how many images were done before. Use as a context manager; `path` None keeps it in memory."""

    def __init__(self, path: Path | None, identity: str) -> None:
        self.path = path
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._opened(identity)
        except (sqlite3.Error, OSError) as error:
            raise FileError(path or "memory", f"the work file cannot be used ({error})", "Delete it") from error
        self.resumed = int(self._file.execute("SELECT COUNT(*) FROM done").fetchone()[0])

    def _opened(self, identity: str) -> sqlite3.Connection:
        file = sqlite3.connect(":memory:" if self.path is None else str(self.path), check_same_thread=False)
        try:
            file.executescript(_TABLES)
            kept = [row[0] for row in file.execute("SELECT identity FROM about")]
        except sqlite3.DatabaseError:
            if self.path is None:
                raise
            file.close()
            self.path.unlink()  # damaged, or not ours to begin with: it bears the name of a work file
            file = sqlite3.connect(str(self.path), check_same_thread=False)
            file.executescript(_TABLES)
            kept = []
        if kept != [identity]:
            for table in ("about", "done", "vectors"):
                file.execute(f"DELETE FROM {table}")
            file.execute("INSERT INTO about VALUES (?)", (identity,))
            file.commit()
        return file

    def __enter__(self) -> "WorkFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def has(self, key: Key) -> bool:
        asked = "SELECT 1 FROM done WHERE task = ? AND method = ? AND image = ?"
        return self._file.execute(asked, key).fetchone() is not None

    def put(self, key: Key, done: Done) -> None:
        """Kept whole or not at all."""
        # NaN as null: strict JSON
        numbers = json.dumps({k: v if np.isfinite(v) else None for k, v in done.numbers.items()})
        spectrum = json.dumps([v if np.isfinite(v) else None for v in done.spectrum])
        picture = np.ascontiguousarray(done.picture)
        with self._file:
            values = (*key, numbers, spectrum, *picture.shape, picture.tobytes())
            self._file.execute("INSERT OR REPLACE INTO done VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
            for space, vector in done.vectors.items():
                blob = np.asarray(vector, dtype=np.float32).tobytes()
                self._file.execute("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?, ?)", (*key, space, blob))

    def numbers(self, key: Key) -> dict[str, float]:
        return {k: float("nan") if v is None else float(v) for k, v in json.loads(self._text("numbers", key)).items()}

    def spectrum(self, key: Key) -> FloatArray:
        return np.array([np.nan if v is None else v for v in json.loads(self._text("spectrum", key))], dtype=np.float64)

    def picture(self, key: Key) -> NDArray[np.uint8]:
        asked = "SELECT rows, columns, picture FROM done WHERE task = ? AND method = ? AND image = ?"
        rows, columns, data = self._file.execute(asked, key).fetchone()
        return np.frombuffer(data, dtype=np.uint8).reshape(rows, columns)

    def vectors(self, space: str, keys: Iterable[Key]) -> FloatArray | None:
        """The vectors of these images, (images, features); None where one has none in that space."""
        asked = "SELECT vector FROM vectors WHERE task = ? AND method = ? AND image = ? AND space = ?"
        found = []
        for key in keys:
            row = self._file.execute(asked, (*key, space)).fetchone()
            if row is None:
                return None
            found.append(np.frombuffer(row[0], dtype=np.float32).astype(np.float64))
        return np.array(found) if found else None

    def remove(self) -> None:
        """Closes it and takes it away: the report is written."""
        self._file.close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _text(self, column: str, key: Key) -> str:
        asked = f"SELECT {column} FROM done WHERE task = ? AND method = ? AND image = ?"
        return str(self._file.execute(asked, key).fetchone()[0])
