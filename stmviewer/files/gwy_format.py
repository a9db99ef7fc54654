"""The serialisation of Gwyddion's .gwy files: a tree of named, typed components.

Source: Gwyddion user guide, "Gwyddion native format", https://gwyddion.net/documentation/user-guide-en/gwyfile-format.html

Our own reader, because the package gwyfile 0.3 loops for ever on one in ten truncated files, and holds every array of
a file several times over. Here arrays stay in the file until they are asked for, no length is trusted before it is
compared with what encloses it, and objects that are not needed (selections, spectra) are stepped over.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stmviewer.files.source import Source
from stmviewer.scan import FileError

MAGIC = b"GWYP"
#: an object says how long it is in 32 bits
MOST_BYTES = 2**32
_OPENED = ("GwyContainer", "GwyDataField", "GwySIUnit")
_DEEPEST = 8
_NUMBERS = {"b": "<?", "c": "<c", "i": "<i", "q": "<q", "d": "<d"}
_ARRAYS = {"C": "<u1", "I": "<i4", "Q": "<i8", "D": "<f8"}


@dataclass(frozen=True)
class StoredArray:
    """An array that lies in the file: `count` values of `dtype` from byte `offset`."""

    dtype: str
    offset: int
    count: int


@dataclass
class GwyObject:
    """A Gwyddion object: its type name and its components. Objects that were stepped over have none."""

    type_name: str
    items: dict[str, "Value"] = field(default_factory=dict)


Value: TypeAlias = "bool | int | float | str | list[str] | StoredArray | NDArray[np.float64] | GwyObject | None"


def read_tree(source: Source) -> GwyObject:
    """The objects of a .gwy file, without its arrays. Raises FileError that names the byte where it goes wrong."""
    with source.open() as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise FileError(source.path, "is not a Gwyddion file")
        return _Reader(source, file).object(source.size, depth=0)


class _Reader:
    def __init__(self, source: Source, file: BinaryIO) -> None:
        self._source = source
        self._file = file

    def object(self, end: int, depth: int) -> GwyObject:
        name = self._string(end)
        (size,) = self._unpack("<I", end)
        start = self._file.tell()
        if start + size > end:
            self._fail(f"{name[:40]!r} ends {start + size - end} bytes too late or the file is truncated")
        found = GwyObject(name)
        if name in _OPENED and depth < _DEEPEST:
            while self._file.tell() < start + size:
                key = self._string(start + size)
                found.items[key] = self._value(self._take(1, start + size), start + size, depth)
        else:
            self._file.seek(start + size)
        return found

    def _value(self, code: bytes, end: int, depth: int) -> Value:
        kind = code.decode("latin-1")
        if kind == "o":
            return self.object(end, depth + 1)
        if kind == "s":
            return self._string(end)
        if kind in _NUMBERS:
            (number,) = self._unpack(_NUMBERS[kind], end)
            return number.decode("latin-1") if kind == "c" else number  # type: ignore[no-any-return]
        if kind in _ARRAYS:
            (count,) = self._unpack("<I", end)
            array = StoredArray(_ARRAYS[kind], self._file.tell(), count)
            self._skip(count * np.dtype(array.dtype).itemsize, end)
            return array
        if kind == "S":
            (count,) = self._unpack("<I", end)
            return [self._string(end) for _ in range(count)]
        if kind == "O":
            (count,) = self._unpack("<I", end)
            for _ in range(count):
                self._string(end)
                (size,) = self._unpack("<I", end)
                self._skip(size, end)
            return None
        self._fail(f"the component type {code!r} is unknown")
        raise AssertionError  # _fail always raises

    def _string(self, end: int) -> str:
        """A string up to its NUL; Latin-1 where it is not UTF-8."""
        start = self._file.tell()
        found = b""
        while (nul := found.find(b"\0")) < 0:
            chunk = self._file.read(min(max(256, len(found)), end - start - len(found)))
            if not chunk:
                self._file.seek(start)
                self._fail("a text has no end")
            found += chunk
        self._file.seek(start + nul + 1)
        try:
            return found[:nul].decode("utf-8")
        except UnicodeDecodeError:
            return found[:nul].decode("latin-1")

    def _unpack(self, form: str, end: int) -> tuple[Any, ...]:
        return struct.unpack(form, self._take(struct.calcsize(form), end))

    def _take(self, count: int, end: int) -> bytes:
        taken = self._file.read(min(count, end - self._file.tell()))
        if len(taken) < count:
            self._fail("a value is cut off")
        return taken

    def _skip(self, count: int, end: int) -> None:
        if self._file.tell() + count > end:
            self._fail(f"{self._file.tell() + count - end} bytes of data are missing")
        self._file.seek(count, 1)

    def _fail(self, cause: str) -> None:
        raise FileError(self._source.path, f"the Gwyddion file is damaged at byte {self._file.tell()}: {cause}")


def write_tree(file: BinaryIO, root: GwyObject) -> None:
    """Writes a .gwy file. OverflowError where an object is over the 4 GB that the format can hold."""
    file.write(MAGIC)
    for piece in _pieces(root)[1]:
        file.write(piece)


_Piece: TypeAlias = "bytes | memoryview"


def _pieces(item: GwyObject) -> tuple[int, list[_Piece]]:
    """An object as pieces to write one after the other, and their bytes together: arrays are not copied."""
    body: list[_Piece] = []
    for key, value in item.items.items():
        body.append(key.encode() + b"\0")
        body.extend(_component(value))
    size = sum(len(piece) for piece in body)
    if size >= MOST_BYTES:
        raise OverflowError(f"{size} bytes are more than a Gwyddion file can hold")
    head = item.type_name.encode() + b"\0" + struct.pack("<I", size)
    return len(head) + size, [head, *body]


def _component(value: Value) -> Iterator[_Piece]:
    match value:
        case GwyObject():
            yield b"o"
            yield from _pieces(value)[1]
        case bool():
            yield b"b" + struct.pack("<?", value)
        case int():
            yield b"i" + struct.pack("<i", value)
        case float():
            yield b"d" + struct.pack("<d", value)
        case str():
            yield b"s" + _text(value)
        case np.ndarray():
            yield b"D" + struct.pack("<I", value.size)
            yield np.ascontiguousarray(value, dtype="<f8").reshape(-1).data.cast("B")
        case list():
            yield b"S" + struct.pack("<I", len(value)) + b"".join(_text(text) for text in value)
        case _:
            raise TypeError(f"a Gwyddion file cannot hold {type(value).__name__}")


def _text(text: str) -> bytes:
    return text.replace("\0", "").encode("utf-8", errors="replace") + b"\0"


def strings(items: Mapping[str, Value]) -> dict[str, str]:
    """The components that are text."""
    return {key: value for key, value in items.items() if isinstance(value, str)}
