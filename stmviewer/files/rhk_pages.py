"""The structure of RHK .sm4 files: objects that point at pages, pages with a header, strings and data.

All little-endian. A file header, then lists of objects (kind, offset, size in bytes); a page index with the kind of
data of each page and its objects; a page header of 180 bytes; strings as a count of UTF-16 units and these units.
The layout is that which the package spym (MIT) reads, RHK's own names are kept in the comments.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader

from stmviewer.files.source import Source
from stmviewer.scan import FileError

# kinds of objects (RHK_OBJECT_...)
_INDEX_HEADER, _INDEX_ARRAY, _PAGE_HEADER, _PAGE_DATA, _STRINGS = 1, 2, 3, 4, 10
_IMAGE_DATA = 0
#: real lists have under 20 objects; a damaged count must not send us through the file again and again
_MOST_OBJECTS = 1000

_FILE_HEADER = struct.Struct("<H36xIIIII")
_OBJECT = struct.Struct("<III")
_INDEX = struct.Struct("<IIII")
_PAGE = struct.Struct("<16xIIII")
_HEADER = struct.Struct("<HH3I4i4I2i11f4I64x")
#: of these strings we know the meaning; a page has some 20
_STRING_NAMES = (
    "Label",
    "System text",
    "Session text",
    "User text",
    "Path",
    "Date",
    "Time",
    "X units",
    "Y units",
    "Z units",
    "X label",
    "Y label",
    "Status channel text",
    "Completed line count",
)


@dataclass(frozen=True)
class ImagePage:
    """An image of the file: `scales` and `z_offset` in the units of the strings, data from byte `offset`, `size` bytes.

    `scan_type` is 0 for lines to the right, 1 to the left, 2 up, 3 down.
    """

    columns: int
    rows: int
    scan_type: int
    offset: int
    size: int
    x_scale: float
    y_scale: float
    z_scale: float
    z_offset: float
    bias: float
    current: float
    angle: float
    strings: dict[str, str]


def image_pages(source: Source) -> tuple[list[ImagePage], int]:
    """The images of the file, in its order, and how many pages hold something else."""
    images = []
    others = text = 0
    with source.open() as file:
        reader = _Reader(source, file)
        for kind, objects in _pages(reader):
            if kind != _IMAGE_DATA or _PAGE_HEADER not in objects or _PAGE_DATA not in objects:
                others += 1
            else:
                images.append(_image(reader, objects))
                text += 2 * sum(map(len, images[-1].strings.values()))
                if text > source.size:
                    raise FileError(source.path, f"the texts of its pages overlap: {text} bytes in {source.size}")
    return images, others


@dataclass(frozen=True)
class _Reader:
    source: Source
    file: BufferedReader

    def at(self, offset: int, layout: struct.Struct, what: str) -> tuple[int, ...]:
        return layout.unpack(self.bytes(offset, layout.size, what))

    def bytes(self, offset: int, count: int, what: str) -> bytes:
        if offset + count > self.source.size:
            raise FileError(
                self.source.path, f"the file is truncated: {what} at byte {offset} lies beyond its {self.source.size}"
            )
        self.file.seek(offset)
        return self.file.read(count)

    def objects(self, offset: int, count: int, what: str) -> dict[int, tuple[int, int]]:
        """Offset and size of each object of the list, by kind; the first of two counts."""
        if count > _MOST_OBJECTS:
            raise FileError(self.source.path, f"{what} at byte {offset} are said to be {count}")
        content = self.bytes(offset, count * _OBJECT.size, what)
        found: dict[int, tuple[int, int]] = {}
        for kind, start, size in _OBJECT.iter_unpack(content):
            if start and size:
                found.setdefault(kind, (start, size))
        return found


def _pages(reader: _Reader) -> Iterator[tuple[int, dict[int, tuple[int, int]]]]:
    """Kind of data and objects of every page."""
    header_size, _, count, *_ = reader.at(0, _FILE_HEADER, "the file header")
    top = reader.objects(header_size + 2, count, "the objects of the file header")
    if _INDEX_HEADER not in top:
        raise FileError(reader.source.path, "the file header names no page index")
    start = top[_INDEX_HEADER][0]
    pages, count, *_ = reader.at(start, _INDEX, "the page index header")
    index = reader.objects(start + _INDEX.size, count, "the objects of the page index header")
    if _INDEX_ARRAY not in index:
        raise FileError(reader.source.path, "the page index header names no pages")
    at = index[_INDEX_ARRAY][0]
    for number in range(pages):
        kind, _, count, _ = reader.at(at, _PAGE, f"the index of page {number}")
        yield kind, reader.objects(at + _PAGE.size, count, f"the objects of page {number}")
        at += _PAGE.size + count * _OBJECT.size


def _image(reader: _Reader, page: dict[int, tuple[int, int]]) -> ImagePage:
    start = page[_PAGE_HEADER][0]
    values = reader.at(start, _HEADER, "a page header")
    string_count, columns, rows, scan_type = values[1], values[7], values[8], values[10]
    x_scale, y_scale, z_scale, _, _, _, z_offset, _, bias, current, angle = values[15:26]
    objects = reader.objects(start + _HEADER.size, values[29], "the objects of a page header")
    offset, size = page[_PAGE_DATA]
    strings = _strings(reader, objects[_STRINGS][0], string_count) if _STRINGS in objects else {}
    return ImagePage(
        columns, rows, scan_type, offset, size, x_scale, y_scale, z_scale, z_offset, bias, current, angle, strings
    )


def _strings(reader: _Reader, offset: int, count: int) -> dict[str, str]:
    strings = {}
    for name in _STRING_NAMES[:count]:
        units = int.from_bytes(reader.bytes(offset, 2, f"string '{name}'"), "little")
        text = reader.bytes(offset + 2, 2 * units, f"string '{name}'").decode("utf-16-le", errors="replace")
        # comments keep their lines; names and units of a damaged file may hold anything
        strings[name] = text.rstrip("\0").strip() if name.endswith("text") else " ".join(text.replace("\0", "").split())
        offset += 2 + 2 * units
    return strings
