"""Keeps what the judge of tips said of files, so that a folder is judged once. One small database in the user's cache.

What cannot be read or written costs a judgement, never an error: it can be made again.
"""

import hashlib
import json
import logging
import sqlite3
import threading
from contextlib import closing
from dataclasses import asdict
from functools import cache
from pathlib import Path

from stmviewer import paths
from stmviewer.evaluate import judges
from stmviewer.evaluate.tip_state import KINDS, NAME, SecondEnd, TipState

_log = logging.getLogger(__name__)
#: raised when the same weights come to judge otherwise
_VERSION = 3
_PATIENCE_S = 1.0
_MOST = 50_000
#: what could not be judged is remembered, too: a line that says why
Judged = TipState | str


class TipCache:
    """Judgements by file, time of its last change, size and channel; for any thread."""

    def __init__(self, folder: Path | None) -> None:
        """`folder` is made when it is first needed; without one nothing is kept on disk."""
        self._database = folder / "tips.sqlite" if folder is not None else None
        self._memory: dict[str, Judged] = {}
        self._lock = threading.Lock()

    def key(self, path: Path, channel: str) -> str:
        """The key of a channel of the file as it is now. Raises OSError where there is no such file."""
        status = path.stat()
        facts = [_VERSION, NAME, _weights(), str(path.absolute()), status.st_mtime_ns, status.st_size, channel]
        return hashlib.sha256(json.dumps(facts).encode(errors="surrogateescape")).hexdigest()

    def find(self, key: str) -> Judged | None:
        with self._lock:
            if key in self._memory:
                return self._memory[key]
        if self._database is None or not self._database.is_file():
            return None
        try:
            with closing(sqlite3.connect(self._database, timeout=_PATIENCE_S)) as connection:
                found = connection.execute("SELECT said FROM tips WHERE key = ?", (key,)).fetchone()
            judged = _read(found[0]) if found else None
        except (sqlite3.Error, ValueError, KeyError, TypeError, RecursionError) as error:
            _log.debug("no kept judgement: %s", error)
            return None
        if judged is not None:
            with self._lock:
                self._memory[key] = judged
        return judged

    def keep(self, key: str, judged: Judged) -> None:
        with self._lock:
            self._memory[key] = judged
        if self._database is None:
            return
        try:
            self._database.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._database, timeout=_PATIENCE_S)) as connection, connection:
                connection.execute("CREATE TABLE IF NOT EXISTS tips (key TEXT PRIMARY KEY, said TEXT NOT NULL)")
                connection.execute("INSERT OR REPLACE INTO tips VALUES (?, ?)", (key, _written(judged)))
                connection.execute(
                    "DELETE FROM tips WHERE rowid IN (SELECT rowid FROM tips ORDER BY rowid DESC LIMIT -1 OFFSET ?)",
                    (_MOST,),
                )
        except (sqlite3.Error, OSError) as error:
            _log.debug("a judgement is not kept: %s", error)


@cache
def _weights() -> str:
    """The hash of the judge's weights, as the list of judges names it: another judge says other things."""
    try:
        listed = json.loads((paths.shipped_models() / judges.LIST).read_text(encoding="utf-8"))
        return str(listed[NAME]["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""  # nothing will be judged without it


def _written(judged: Judged) -> str:
    if isinstance(judged, str):
        return json.dumps({"fault": judged})
    return json.dumps(
        {
            "probabilities": dict(judged.probabilities),
            "changed_at": judged.changed_at,
            "good_after": judged.good_after,
            "model": judged.model,
            "recognised": judged.recognised,
            "second": None if judged.second is None else asdict(judged.second),
        }
    )


def _read(text: str) -> Judged:
    said = json.loads(text)
    if "fault" in said:
        return str(said["fault"])
    second = said["second"]
    return TipState(
        {kind: float(said["probabilities"][kind]) for kind in KINDS},
        said["changed_at"],
        said["good_after"],
        str(said["model"]),
        bool(said["recognised"]),
        None if second is None else SecondEnd(float(second["x"]), float(second["y"]), bool(second["calibrated"])),
    )
