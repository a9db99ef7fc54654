"""Keeps thumbnails: the latest in memory, all of them in small files in the user's cache folder.

A file is a line of JSON and then the grey values. What cannot be read or written costs a thumbnail, never an error:
thumbnails can be made again.
"""

import hashlib
import json
import logging
import os
import secrets
import threading
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

import numpy as np

from stmviewer.services.events import Thumbnail
from stmviewer.services.file_facts import FileFacts

_log = logging.getLogger(__name__)
#: raised when thumbnails come out otherwise than before
_VERSION = 2
_IN_MEMORY = 1000
#: some 10 kB each
_ON_DISK = 5000
_LONGEST = 2**20


class ThumbnailCache:
    """Thumbnails by file, time of its last change, size, and what is shown of it; for any thread."""

    def __init__(self, folder: Path | None) -> None:
        """`folder` is made when it is first needed; without one nothing is kept on disk."""
        self._folder = folder
        self._memory: OrderedDict[str, Thumbnail] = OrderedDict()
        self._lock = threading.Lock()
        self._written = 0

    def key(self, path: Path, wanted: str) -> str:
        """The key of what is `wanted` of the file as it is now. Raises OSError where there is no such file."""
        status = path.stat()
        facts = [_VERSION, str(path.absolute()), status.st_mtime_ns, status.st_size, wanted]
        return hashlib.sha256(json.dumps(facts).encode(errors="surrogateescape")).hexdigest()

    def find(self, key: str, path: Path) -> Thumbnail | None:
        with self._lock:
            if (found := self._memory.get(key)) is not None:
                self._memory.move_to_end(key)
                return found
        if self._folder is None:
            return None
        kept = _read(self._folder / key, path)
        if kept is not None:
            self._remember(key, kept)
        return kept

    def keep(self, key: str, thumbnail: Thumbnail) -> None:
        self._remember(key, thumbnail)
        if self._folder is None:
            return
        facts = thumbnail.facts.to_dict() if thumbnail.facts is not None else None
        head = {"shape": thumbnail.image.shape, "label": thumbnail.label, "facts": facts}
        partial = self._folder / f"{secrets.token_hex(8)}.part"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            # not forced onto the disk as exports are: hundreds of them would take seconds, and can be made again
            partial.write_bytes(json.dumps(head).encode() + b"\n" + thumbnail.image.tobytes())
            partial.replace(self._folder / key)
        except OSError as error:  # a full disk, a folder that is read only
            _log.debug("a thumbnail is not kept: %s", error)
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            return
        with self._lock:
            self._written += 1
            tidy = self._written % 500 == 1
        if tidy:
            self._tidy()

    def _remember(self, key: str, thumbnail: Thumbnail) -> None:
        with self._lock:
            self._memory[key] = thumbnail
            if len(self._memory) > _IN_MEMORY:
                self._memory.popitem(last=False)

    def _tidy(self) -> None:
        """Removes the oldest files beyond the number that is kept."""
        assert self._folder is not None
        try:
            with os.scandir(self._folder) as entries:
                ages = sorted((entry.stat().st_mtime, entry.path) for entry in entries)
            for _, path in ages[: max(len(ages) - _ON_DISK, 0)]:
                Path(path).unlink(missing_ok=True)
        except OSError as error:  # another stmviewer tidies too
            _log.debug("old thumbnails stay: %s", error)


def _read(file: Path, path: Path) -> Thumbnail | None:
    try:
        if file.stat().st_size > _LONGEST:
            return None
        head, _, body = file.read_bytes().partition(b"\n")
        said = json.loads(head)
        rows, columns = said["shape"]
        image = np.frombuffer(body, dtype=np.uint8).reshape(rows, columns)
        facts = FileFacts.from_dict(said["facts"]) if said["facts"] is not None else None
        return Thumbnail(path, image, str(said["label"]), facts=facts)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
