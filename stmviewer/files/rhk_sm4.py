"""RHK .sm4 scans.

An image page is rows x columns little-endian int32, value x Z scale + Z offset in the unit of the page. The signs of
the X and Y scale say how the lines are stored: X below zero is right to left, Y above zero is bottom line first. So
does spym; Gwyddion agrees but for an X above zero, where it mirrors all the same. No such file was at hand.
"""

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stmviewer.files.notes import SIZE_UNKNOWN, on_pixels
from stmviewer.files.plain import check_image
from stmviewer.files.rhk_pages import ImagePage, image_pages
from stmviewer.files.source import Source
from stmviewer.files.titles import Names
from stmviewer.files.units import si_unit
from stmviewer.scan import Channel, Direction, FileError, Geometry, Part, Scan


def read_sm4(source: Source) -> tuple[Scan, ...]:
    """Opens a .sm4 file: the images of the size of the first topography, then those of each other size as a scan of
    its own. Images are read when first asked for.

    Spectra in the file are left out, and a note says so. Raises FileError for a file without images, and for one that
    is shorter than its pages say.
    """
    pages, others = image_pages(source)
    if not pages:
        raise FileError(source.path, f"none of its {others} pages is an image", "Spectra of RHK are not read yet")
    for page in pages:
        _check(source, page)
    first = next((page for page in pages if si_unit(page.strings.get("Z units", ""))[0] == "m"), pages[0])
    frames: dict[tuple[int, int, str, str], list[ImagePage]] = {_frame(first): []}
    for page in pages:
        frames.setdefault(_frame(page), []).append(page)
    notes = [f"{others} pages that are no images (spectra) were left out"] if others else []
    groups = enumerate(frames.values(), start=1)
    return tuple(_scan(source, group, notes if k == 1 else [], k, len(frames)) for k, group in groups)


def _scan(source: Source, pages: list[ImagePage], notes: list[str], number: int, count: int) -> Scan:
    """The scan of pages of one size; what the first topography among them says counts for all."""
    first = next((page for page in pages if si_unit(page.strings.get("Z units", ""))[0] == "m"), pages[0])
    notes = list(notes)
    geometry = _geometry(first, notes)
    notes += _said(first)
    names = Names()
    channels = []
    for page in pages:
        direction: Direction = "backward" if page.scan_type == 1 else "forward"
        unit, factor = si_unit(page.strings.get("Z units", ""))
        name = names.distinct(page.strings.get("Label") or "untitled", direction)
        lines = _line_loader(source, page, factor)
        channels.append(Channel(name, unit, _loader(source, page, factor), direction, load_lines=lines))
    return Scan(
        channels=tuple(channels),
        geometry=geometry,
        path=source.path,
        format="RHK SM4",
        bias_v=first.bias if math.isfinite(first.bias) else None,
        setpoint_a=first.current if math.isfinite(first.current) else None,
        recorded=_recorded(first.strings.get("Date", ""), first.strings.get("Time", "")),
        comment=first.strings.get("User text", ""),
        header=first.strings,
        notes=tuple(notes),
        part=Part(number, count, f"{channels[0].name}, {geometry.in_words()}"),
    )


def _check(source: Source, page: ImagePage) -> None:
    """Compares what a page promises with the size of the file, before anything is allocated."""
    label = page.strings.get("Label") or "untitled"
    check_image(source, (page.rows, page.columns), np.dtype(np.int32))
    if page.size != 4 * page.rows * page.columns:
        raise FileError(
            source.path,
            f"page '{label}' at byte {page.offset} has {page.size} bytes, not 4 for each of {page.columns} x "
            f"{page.rows} pixels",
        )
    missing = page.offset + page.size - source.size
    if missing > 0:
        raise FileError(source.path, f"the file is truncated: {missing} bytes of page '{label}' are missing")
    if not (math.isfinite(page.z_scale) and math.isfinite(page.z_offset)):
        raise FileError(source.path, f"page '{label}' at byte {page.offset} has no finite Z scale and offset")


def _frame(page: ImagePage) -> tuple[int, int, str, str]:
    """What pages of one scan have in common; as text, since a damaged scale is NaN, which is like nothing."""
    return page.rows, page.columns, repr(abs(page.x_scale)), repr(abs(page.y_scale))


def _loader(source: Source, page: ImagePage, factor: float) -> Callable[[], NDArray[Any]]:
    def load() -> NDArray[Any]:
        raw = source.array(page.offset, "<i4", page.rows * page.columns).reshape(page.rows, page.columns)
        turned = raw[:: -1 if page.y_scale > 0 else 1, :: -1 if page.x_scale < 0 else 1]
        return (turned * page.z_scale + page.z_offset) * factor

    return load


def _line_loader(source: Source, page: ImagePage, factor: float) -> Callable[[range], NDArray[Any]]:
    def load_lines(which: range) -> NDArray[Any]:
        stored = [page.rows - 1 - line if page.y_scale > 0 else line for line in which]
        raw = source.lines(page.offset, "<i4", page.columns, stored)
        return (raw[:, :: -1 if page.x_scale < 0 else 1] * page.z_scale + page.z_offset) * factor

    return load_lines


def _geometry(page: ImagePage, notes: list[str]) -> Geometry:
    x_unit, x_factor = si_unit(page.strings.get("X units", ""))
    y_unit, y_factor = si_unit(page.strings.get("Y units", ""))
    width = abs(page.x_scale) * x_factor * page.columns
    height = abs(page.y_scale) * y_factor * page.rows
    sized = math.isfinite(width) and math.isfinite(height) and min(width, height) > 0
    if (x_unit, y_unit) != ("m", "m") or not sized:
        notes.append(SIZE_UNKNOWN)
        return Geometry.of_pixels(page.rows, page.columns)
    geometry = Geometry(page.columns, page.rows, width, height)
    notes += on_pixels(geometry)
    return geometry


def _said(page: ImagePage) -> list[str]:
    """What the page says of itself that the scan does not show."""
    notes = []
    if page.x_scale > 0:
        notes.append("lines are stored from left to right, which no file tried so far did: the image may be mirrored")
    if math.isfinite(page.angle) and page.angle != 0:
        notes.append(f"the frame is turned by {page.angle:g} degrees; the image is shown as it was scanned")
    lines = page.strings.get("Completed line count", "")
    if lines.isascii() and lines.isdigit() and int(lines[:9]) < page.rows:
        notes.append(f"unfinished scan: {int(lines[:9])} of {page.rows} lines were completed")
    return notes


def _recorded(date: str, time: str) -> str:
    """ISO 8601 where the file says `08/13/21` and `19:08:26`, else as written."""
    text = f"{date} {time}".strip()
    try:
        return datetime.strptime(text, "%m/%d/%y %H:%M:%S").isoformat(sep=" ")
    except ValueError:
        return text
