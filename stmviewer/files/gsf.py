"""Gwyddion Simple Field (.gsf): one image with its size.

A text header, `Gwyddion Simple Field 1.0` and lines `Name = value`, filled with 1 to 4 zero bytes to a multiple of
four; then rows x columns little-endian float32, top row first (Gwyddion user guide, "Gwyddion Simple Field files").
"""

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stmviewer.files.nanonis_header import decoded
from stmviewer.files.notes import SIZE_UNKNOWN, on_pixels
from stmviewer.files.plain import UNCALIBRATED_NAME, check_image
from stmviewer.files.source import Source
from stmviewer.files.titles import parse_title
from stmviewer.files.units import si_unit
from stmviewer.scan import Channel, FileError, Geometry, Scan

_MAGIC = "Gwyddion Simple Field 1."
_LONGEST = 2**20
_COUNT = re.compile(r"\d{1,9}")


def read_gsf(source: Source) -> Scan:
    """Opens a .gsf file; its title may name channel and direction. NaN is not measured.

    Raises FileError for a header without pixels, and for a file that is shorter than its header says.
    """
    header, start = _read_header(source)
    columns, rows = (_count(source, header, name) for name in ("XRes", "YRes"))
    check_image(source, (rows, columns), np.dtype(np.float32))
    missing = start + 4 * rows * columns - source.size
    if missing > 0:
        raise FileError(source.path, f"the file is truncated: {missing} of {4 * rows * columns} bytes missing")
    notes = [f"{-missing} bytes after the image were ignored"] if missing < 0 else []
    geometry = _geometry(header, columns, rows, notes)
    name, direction, role = parse_title(header.get("Title") or UNCALIBRATED_NAME)
    unit, factor = si_unit(header.get("ZUnits", ""))

    def load() -> NDArray[Any]:
        image = source.array(start, "<f4", rows * columns).reshape(rows, columns)
        return image if factor == 1.0 else image.astype(np.float64) * factor

    def load_lines(which: range) -> NDArray[Any]:
        return source.lines(start, "<f4", columns, which).astype(np.float64) * factor

    return Scan(
        channels=(Channel(name, unit, load, direction, role, load_lines),),
        geometry=geometry,
        path=source.path,
        format="Gwyddion Simple Field",
        header=header,
        notes=tuple(notes),
    )


def _read_header(source: Source) -> tuple[dict[str, str], int]:
    head = source.head(_LONGEST)
    end = head.find(b"\0")
    if end < 0:
        said = "no zero byte in its first" if len(head) < source.size else "no end: the file is cut after"
        raise FileError(source.path, f"the header has {said} {len(head)} bytes")
    lines = decoded(head[:end]).split("\n")
    if not lines[0].startswith(_MAGIC):
        raise FileError(source.path, f"is a '{lines[0].strip()[:40]}'; known is {_MAGIC}0")
    start = end + 4 - end % 4
    if head[end:start].strip(b"\0"):
        raise FileError(source.path, f"the header is not filled with zero bytes from byte {end} to {start}")
    fields: dict[str, str] = {}
    for line in lines[1:]:
        name, equals, value = line.partition("=")
        if equals and name.strip():
            fields.setdefault(name.strip(), value.strip())
    return fields, start


def _count(source: Source, header: Mapping[str, str], name: str) -> int:
    text = header.get(name, "")
    if not (text.isascii() and _COUNT.fullmatch(text)):
        said = f"says '{text[:40]}'" if text else "is missing"
        raise FileError(source.path, f"field {name} {said}, not a number of pixels")
    return int(text)


def _number(header: Mapping[str, str], name: str, otherwise: float) -> float:
    try:
        value = float(header[name])
    except (KeyError, ValueError):
        return otherwise
    return value if math.isfinite(value) else otherwise


def _geometry(header: Mapping[str, str], columns: int, rows: int, notes: list[str]) -> Geometry:
    unit, factor = si_unit(header.get("XYUnits", ""))
    width, height = (_number(header, name, 0.0) * factor for name in ("XReal", "YReal"))
    if unit != "m" or not min(width, height) > 0:
        notes.append(SIZE_UNKNOWN)
        return Geometry.of_pixels(rows, columns)
    left, top = (_number(header, name, 0.0) * factor for name in ("XOffset", "YOffset"))
    geometry = Geometry(columns, rows, width, height, centre=(left + width / 2, top + height / 2))
    notes += on_pixels(geometry)
    return geometry
