"""Raw files, read in pieces: the file as it was when it was opened, and the parts of it that are asked for later."""

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from stmviewer.files.memory import refuse_too_large
from stmviewer.scan import FileError

_UNPACK_FREELY = 160 * 2**20


def read_error(path: Path | str, error: OSError) -> FileError:
    """The FileError for what the operating system said on reading."""
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return FileError(path, "there is no such file")
        case IsADirectoryError():
            return FileError(path, "is a folder, not a scan", "Choose a file in it")
        case PermissionError():
            return FileError(path, "no permission to read it", "Ask its owner, or copy it to a folder of your own")
        case _:
            return FileError(path, f"cannot be read ({error.strerror or error})")


@dataclass(frozen=True)
class Source:
    """A file as it was when it was opened: its size in bytes and the time of its last change.

    Parts are read by seeking, never by mapping: a mapped file that is cut short by another program, or that vanishes
    with its network share, ends the whole process.
    """

    path: Path
    size: int
    modified_ns: int

    @classmethod
    def of(cls, path: Path) -> "Source":
        """Raises FileError for anything that is not a readable regular file with something in it."""
        try:
            status = path.stat()
        except OSError as error:
            raise read_error(path, error) from error
        except ValueError as error:  # a NUL in the name
            raise FileError(repr(str(path)), "is not a file name") from error
        if stat.S_ISDIR(status.st_mode):
            raise read_error(path, IsADirectoryError())
        if not stat.S_ISREG(status.st_mode):
            raise FileError(path, "is a device or a pipe, not a file")
        if status.st_size == 0:
            raise FileError(path, "the file is empty", "Was the disk full, or the copy interrupted?")
        return cls(path, status.st_size, status.st_mtime_ns)

    @contextmanager
    def open(self) -> Iterator[BufferedReader]:
        """The file for reading; FileError if it is gone, barred, or not the one that was opened before."""
        try:
            with self.path.open("rb") as file:
                now = os.fstat(file.fileno())
                if (now.st_size, now.st_mtime_ns) != (self.size, self.modified_ns):
                    raise FileError(self.path, "the file has changed since it was opened", "Open it again")
                yield file
        except OSError as error:
            raise read_error(self.path, error) from error

    def head(self, count: int) -> bytes:
        """The first bytes, `count` or fewer where the file is shorter."""
        with self.open() as file:
            return file.read(count)

    def array(self, offset: int, dtype: DTypeLike, count: int) -> NDArray[Any]:
        """`count` values of `dtype` from byte `offset`; shape (count,). FileError where the file has fewer."""
        wanted = np.dtype(dtype)
        missing = offset + count * wanted.itemsize - self.size
        if missing > 0:
            raise FileError(self.path, f"the file is truncated: {missing} bytes are missing after byte {self.size}")
        refuse_too_large(self.path, count)
        values = np.empty(count, dtype=wanted)
        with self.open() as file:
            file.seek(offset)
            got = file.readinto(values.view(np.uint8).data)
        if got != values.nbytes:
            raise FileError(self.path, f"the file ended {values.nbytes - got} bytes early while it was read")
        return values

    def lines(self, offset: int, dtype: DTypeLike, columns: int, which: Sequence[int]) -> NDArray[Any]:
        """Those of the lines of `columns` values that begin at byte `offset`; shape (len(which), columns).

        FileError where the file ends before one of them.
        """
        values = np.empty((len(which), columns), dtype=np.dtype(dtype))
        line_bytes = columns * values.dtype.itemsize
        with self.open() as file:
            for line, number in zip(values, which, strict=True):
                file.seek(offset + number * line_bytes)
                if file.readinto(line.view(np.uint8).data) != line_bytes:
                    raise FileError(self.path, f"the file is truncated: it ends within line {number}")
        return values

    def refuse_bomb(self, unpacked: int) -> None:
        """FileError for compressed data that would unpack to absurdly many bytes; call it before unpacking."""
        if unpacked > _UNPACK_FREELY + 4 * self.size:
            raise FileError(
                self.path, f"claims to unpack from {self.size} to {unpacked} bytes", "It is damaged or not a scan"
            )


def file_sha256(path: Path | str) -> str:
    """SHA-256 of the file's bytes in hexadecimal, for the provenance of what was made from it."""
    path = Path(path)
    with Source.of(path).open() as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
