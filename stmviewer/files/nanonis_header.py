"""The text header of a Nanonis .sxm file.

Lines `:NAME:` followed by lines of value, closed by `:SCANIT_END:` and the bytes 1A 04, after which the data begins.
Written by Nanonis in Latin-1 with LF, but converters and editors leave CRLF, blank lines and UTF-8.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from stmviewer.files.source import Source
from stmviewer.files.titles import as_role
from stmviewer.scan import Direction, FileError, Role

#: real headers have some ten kilobytes
_LONGEST = 8 * 2**20
_CHUNK = 64 * 1024
_END = re.compile(rb":SCANIT_END:\s*\x1a\x04")
_FIELD = re.compile(r":(.*):\s*")

#: fields that stmviewer adds to the files it writes
CHANNELS_FIELD = "STMVIEWER>CHANNELS"
PROVENANCE_FIELD = "STMVIEWER>PROVENANCE"

_DIRECTIONS: dict[str, tuple[Direction, ...]] = {
    "both": ("forward", "backward"),
    "forward": ("forward",),
    "fwd": ("forward",),
    "backward": ("backward",),
    "bwd": ("backward",),
}


@dataclass(frozen=True)
class ChannelInfo:
    """One row of the table DATA_INFO: a channel and the directions it was recorded in, in the file's order."""

    name: str
    unit: str
    directions: tuple[Direction, ...]


@dataclass(frozen=True)
class OwnInfo:
    """What stmviewer said of an image that it stored."""

    name: str
    unit: str
    role: Role


def read_header(source: Source) -> tuple[dict[str, str], int]:
    """The fields of the header by name, as read, and the byte at which the data begins."""
    head = b""
    with source.open() as file:
        while len(head) < _LONGEST and (chunk := file.read(_CHUNK)):
            searched = max(len(head) - _CHUNK, 0)
            head += chunk
            if (end := _END.search(head, searched)) is not None:
                return parse_fields(decoded(head[: end.start()])), end.end()
    tag = head.find(b":SCANIT_END:")
    if tag >= 0 and len(head) < source.size:
        raise FileError(source.path, f"the bytes 1A 04 that begin the data are missing after byte {tag}")
    if len(head) < source.size:
        raise FileError(source.path, f"the header has no :SCANIT_END: in its first {len(head)} bytes")
    raise FileError(source.path, f"the file is truncated: it ends within its header, after {source.size} bytes")


def decoded(header: bytes) -> str:
    """Text of a header: UTF-8 where it is valid, else Latin-1, which Nanonis writes."""
    try:
        return header.decode("utf-8-sig")
    except UnicodeDecodeError:
        return header.decode("latin-1")


def parse_fields(text: str) -> dict[str, str]:
    """Header text to its fields; the first of two same names counts, since a comment may quote a field."""
    fields: dict[str, list[str]] = {}
    lines: list[str] = []
    # not splitlines(): it also splits at bytes that are letters in Windows' code page
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if (match := _FIELD.fullmatch(line)) is not None:
            lines = []
            fields.setdefault(match[1].strip(), lines)
        else:
            lines.append(line.rstrip())
    return {name: "\n".join(lines).strip("\n").strip(" ") for name, lines in fields.items() if name}


def is_field(line: str) -> bool:
    """Whether a line of a value would be taken for the name of a field."""
    return _FIELD.fullmatch(line) is not None


def table(text: str) -> list[dict[str, str]]:
    """A table of the header, such as DATA_INFO: its rows by column title in lower case."""
    rows = [row for row in text.split("\n") if row.strip()]
    cells = [row.strip().split("\t") if "\t" in row.strip() else row.split() for row in rows]
    if not cells:
        return []
    titles = [title.strip().casefold() for title in cells[0]]
    return [dict(zip(titles, (cell.strip() for cell in row), strict=False)) for row in cells[1:]]


def channel_table(source: Source, fields: Mapping[str, str]) -> list[ChannelInfo]:
    """The channels in the order in which their data follow. FileError where the header does not say."""
    infos = []
    for number, row in enumerate(table(fields.get("DATA_INFO", "")), start=1):
        name = row.get("name", "")
        direction = row.get("direction", "both") or "both"
        if not name:
            raise FileError(source.path, f"field :DATA_INFO:, row {number}, has no channel name")
        if direction.casefold() not in _DIRECTIONS:
            raise FileError(source.path, f"field :DATA_INFO:, channel {name}, has the unknown direction '{direction}'")
        infos.append(ChannelInfo(name, row.get("unit", ""), _DIRECTIONS[direction.casefold()]))
    if not infos:
        raise FileError(source.path, "the header lists no channels (field :DATA_INFO:)")
    return infos


def own_table(fields: Mapping[str, str], images: int) -> list[OwnInfo | None] | None:
    """What stmviewer said of the stored images, in their order; None in it for a direction that does not exist.

    None as a whole for a file that another program wrote, or changed.
    """
    try:
        said = json.loads(fields.get(CHANNELS_FIELD, ""))
        if not isinstance(said, list) or len(said) != images or not any(said):
            return None
        return [None if one is None else _own_info(one) for one in said]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _own_info(said: Mapping[str, object]) -> OwnInfo:
    name, unit, role = said["name"], said["unit"], as_role(str(said["role"]))
    if not isinstance(name, str) or not isinstance(unit, str) or role is None:
        raise ValueError(f"{said} describes no channel")
    return OwnInfo(name, unit, role)


def numbers(text: str) -> list[float]:
    """The numbers at the start of a field's value; what is not a number ends them."""
    found: list[float] = []
    for word in text.split():
        try:
            found.append(float(word))
        except ValueError:
            break
    return found


def pixels(source: Source, fields: Mapping[str, str]) -> tuple[int, int]:
    """(columns, rows) of the scan. FileError where the header does not say."""
    words = fields.get("SCAN_PIXELS", "").split()
    try:
        columns, rows = int(words[0]), int(words[1])
    except (IndexError, ValueError):
        columns, rows = 0, 0
    if columns < 1 or rows < 1:
        said = f"says '{' '.join(words)[:40]}'" if words else "is missing"
        raise FileError(source.path, f"field :SCAN_PIXELS: {said}, not columns and rows")
    return columns, rows


def recorded(date: str, time: str) -> str:
    """Date and time of the recording as ISO 8601 where they are `07.01.2016` and `12:10:04`, else as written."""
    text = f"{date.strip()} {time.strip()}".strip()
    for form in ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y"):
        try:
            moment = datetime.strptime(text, form)
        except ValueError:
            continue
        return moment.isoformat(sep=" ") if "%H" in form else moment.date().isoformat()
    return text
