"""A file for the HDF5 library that keeps it from reading for ever.

The library (1.14) goes round and round in a heap of texts ("global heap collection") that has an object without a
length: bytes that no checksum covers. Every such heap that it reads passes through here and is walked first.
Source: HDF5 File Format Specification, section III.E "Disk Format: Level 1E - Global Heap".
"""

import struct
from typing import Any, BinaryIO

_SIGNATURE = b"GCOL\x01\0\0\0"
_HEAD = 16


class GuardedFile:
    """Reads as `file` does. OSError for a global heap that is damaged."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, count: int = -1) -> bytes:
        start = self._file.tell()
        found = self._file.read(count)
        self._check(found, start)
        return found

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        found = self.read(len(view))
        view[: len(found)] = found
        return len(found)

    def _check(self, found: bytes, start: int) -> None:
        at = found.find(_SIGNATURE)
        if at < 0:
            return
        after = self._file.tell()
        try:
            while at >= 0:
                self._walk(start + at)
                at = found.find(_SIGNATURE, at + 1)
        finally:
            self._file.seek(after)

    def _walk(self, start: int) -> None:
        """Steps over the objects of the heap at `start`; each has an index (0: the free rest) and a length."""
        self._file.seek(start)
        (size,) = struct.unpack_from("<Q", self._file.read(_HEAD).ljust(_HEAD, b"\0"), 8)
        if not _HEAD <= size <= self._size - start:
            raise OSError(f"the heap at byte {start} claims {size} bytes")
        self._file.seek(start)
        heap = self._file.read(size)
        at = _HEAD
        while len(heap) - at >= _HEAD:
            index, _, length = struct.unpack_from("<HHxxxxQ", heap, at)
            step = length if index == 0 else _HEAD + (length + 7) // 8 * 8
            if not _HEAD <= step <= len(heap) - at:
                raise OSError(f"the heap at byte {start} has an object of {length} bytes")
            at += step
