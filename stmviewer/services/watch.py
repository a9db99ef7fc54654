"""Watching a folder by polling: which scans are finished, which have grown, whether the folder is still there.

Polling works on network shares, where the operating system tells nothing. A file counts as finished when its size and
the time of its last change were the same over two polls and it can be opened; one that another program still holds, or
that is not whole yet, is tried again as long as it changes and a few times after.
"""

import logging
import os
from dataclasses import dataclass, field
from pathlib import Path

from stmviewer.files import open_parts, readable
from stmviewer.scan import FileError, StmviewerError
from stmviewer.services.jobs import Context, Job

_log = logging.getLogger(__name__)
#: polls of a file that stands still but cannot be opened, before it is left alone until it changes
_TRIES = 5

_Look = tuple[int, int]  # size in bytes, time of the last change in ns


@dataclass(frozen=True)
class Watched:
    """What one look at the folder found.

    `there` is False while the folder cannot be looked at, and `fault` says why. `finished` are the scans that were
    finished since the last look, the oldest first; `growing` those that still change; `files` all readable ones, by
    name.
    """

    there: bool
    fault: str = ""
    finished: tuple[Path, ...] = ()
    growing: tuple[Path, ...] = ()
    files: tuple[Path, ...] = ()


@dataclass
class _File:
    look: _Look
    told: _Look | None = None
    tries: int = 0


@dataclass
class FolderWatch:
    """Remembers how the files of a folder looked at the last poll. What was there at the first poll is not news,
    unless it changes. For one thread at a time."""

    folder: Path
    _known: dict[str, _File] = field(default_factory=dict)
    _begun: bool = False

    def poll(self) -> Watched:
        """Looks once. Never raises for what a share or another program may do."""
        try:
            now = self._looks()
        except OSError as error:
            # what was known stays known: a share that comes back brings no news of old files
            return Watched(False, f"{self.folder}: cannot be looked at ({error.strerror or error})")
        finished: list[tuple[int, Path]] = []
        growing: list[Path] = []
        for name, look in now.items():
            path, file = self.folder / name, self._known.get(name)
            if file is None:
                self._known[name] = file = _File(look, None if self._begun else look)
                if file.told is None:
                    growing.append(path)
            elif file.look != look:
                file.look, file.tries = look, 0
                growing.append(path)
            elif file.told != look and file.tries < _TRIES:
                file.tries += 1
                if _opens(path):
                    file.told = look
                    finished.append((look[1], path))
                else:
                    growing.append(path)
        for name in set(self._known) - set(now):
            del self._known[name]
        self._begun = True
        files = tuple(self.folder / name for name in sorted(now))
        return Watched(True, "", tuple(path for _, path in sorted(finished)), tuple(growing), files)

    def _looks(self) -> dict[str, _Look]:
        found: dict[str, _Look] = {}
        with os.scandir(self.folder) as entries:
            for entry in entries:
                try:
                    if entry.is_file():
                        status = entry.stat()
                        found[entry.name] = status.st_size, status.st_mtime_ns
                except OSError as error:  # deleted meanwhile, or barred
                    _log.debug("%s: %s", entry.path, error)
        # the content decides for some endings: only of files that are new or have changed
        return {n: look for n, look in found.items() if self._is_scan(n, look)}

    def _is_scan(self, name: str, look: _Look) -> bool:
        file = self._known.get(name)
        return (file is not None and file.look == look) or readable(self.folder / name)


def watch_job(watch: FolderWatch) -> Job:
    """A job that looks once; its result is a Watched."""

    def job(context: Context) -> Watched:
        context.progress.check()
        return watch.poll()

    return job


def _opens(path: Path) -> bool:
    try:
        parts = open_parts(path)
        _ = parts[0].channel().measured_fraction  # reads it: a file may end before its data do
    except FileError as error:
        _log.info("not finished, or no scan: %s", error)
        return False
    except StmviewerError:
        return True  # opening it will tell
    except Exception:  # a fault of ours with this file must not end the watch; opening it by hand will show it
        _log.exception("looking at %s", path)
        return False
    return True
