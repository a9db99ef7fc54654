"""Omicron Matrix images: one file a channel, `NAME--RUN_CYCLE.CHANNEL_mtrx`, such as `night--3_1.Z_mtrx`.

Behind `ONTMATRX0101` a block TLKB holds the time and two more: CSED, with the number of values at its byte 24, and
ATAD, the values, little-endian int32 in the order of time. Lines are scanned from the bottom up; where the scanner
returns with the tip measuring, each line is followed by its backward one, from right to left, and the frame up by one
down, from top to bottom. Pixels, size and scales are in the parameter files beside (see `matrix_parameters`).

A frame up and a frame down are two scans, a time apart: two parts of the file. Lines that were not scanned are NaN.

No image of a real microscope could be had for this: files that the tests make, by the format that the package
access2theMatrix reads, are read the same by it, by Gwyddion and here.
"""

import math
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from stmviewer.files.matrix_parameters import (
    MAGIC,
    RESULT_TAG,
    Parameters,
    moment,
    parameter_neighbours,
    read_parameters,
)
from stmviewer.files.notes import SIZE_UNKNOWN, on_pixels
from stmviewer.files.plain import check_image
from stmviewer.files.source import Source
from stmviewer.files.units import si_unit
from stmviewer.scan import Channel, Direction, FileError, FloatArray, Geometry, Part, Scan, ScanDirection

_NAME = re.compile(r"(?P<base>.+)--(?P<run>\d+)_(?P<cycle>\d+)\.(?P<channel>.+)_mtrx", re.IGNORECASE)
#: where the blocks inside of TLKB begin, and how far they may go on before the values
_BLOCKS, _LONGEST_HEADER = 32, 2**16


@dataclass(frozen=True)
class _Layout:
    """Where the values are. `retrace` says whether lines come in pairs, `lines` how many (or pairs) were scanned."""

    source: Source
    start: int
    columns: int
    rows: int
    retrace: bool
    lines: int

    def frame(self, down: bool, backward: bool) -> FloatArray:
        """The raw values (rows, columns) of one frame and direction as the microscopist sees them; NaN unmeasured."""
        first = self.rows if down else 0
        count = min(self.lines - first, self.rows)
        per_line = self.columns * (1 + self.retrace)
        raw = self.source.array(self.start + 4 * first * per_line, "<i4", count * per_line)
        lines = raw.reshape(count, 1 + self.retrace, self.columns)[:, int(backward)]
        image = np.full((self.rows, self.columns), np.nan)
        if down:
            image[:count] = lines
        else:
            image[self.rows - count :] = lines[::-1]
        return image[:, ::-1] if backward else image


def read_mtrx(source: Source) -> tuple[Scan, ...]:
    """Opens an image with its parameter file; the values are read when first asked for. Up first, then down.

    Raises FileError for a parameter file that is missing, damaged or of another session, for a curve, and for an
    image without one whole line.
    """
    head = source.head(_LONGEST_HEADER)
    _refuse_others(source, head)
    match = _NAME.fullmatch(source.path.name)
    if match is None:
        raise FileError(
            source.path,
            "is an Omicron Matrix image by another name: its parameter file is found by the name that it was given, "
            "such as NAME--3_1.Z_mtrx",
            "Give it that name again",
        )
    start, count = _values(source, head)
    parameters = read_parameters(source, match["base"], match["channel"])
    name, unit = parameters.channel_unit()
    layout, frames = _layout(source, parameters, start, count)
    geometry, notes = _geometry(layout, parameters)
    parts = []
    for number, way in enumerate(frames, start=1):
        scan = _scan(layout, parameters, geometry, way, name, unit, head)
        missing = layout.rows - min(layout.lines - layout.rows * (number - 1), layout.rows)
        unfinished = f"unfinished scan: {layout.rows - missing} of {layout.rows} lines were scanned"
        said = (*notes, unfinished) if missing else tuple(notes)
        parts.append(replace(scan, notes=said, part=Part(number, len(frames), way)))
    return tuple(parts)


def _refuse_others(source: Source, head: bytes) -> None:
    """FileError for files of Matrix that are no images, by what they are."""
    if not head.startswith(MAGIC):
        raise FileError(source.path, f"is an Omicron Matrix file of another version: {head[:12]!r}; known is {MAGIC!r}")
    if not head[len(MAGIC) :].startswith(RESULT_TAG):
        beside = parameter_neighbours(source.path)
        advice = f"Open an image beside it: {', '.join(beside)}" if beside else "Images end in _mtrx"
        raise FileError(source.path, "is a parameter file of Omicron Matrix: it holds no image", advice)
    channel = source.path.name.rpartition(".")[2]
    if "(" in channel:
        raise FileError(source.path, f"is an Omicron Matrix curve ({channel}), which this version does not read yet")


def _values(source: Source, head: bytes) -> tuple[int, int]:
    """The byte where the values begin, and how many there are."""
    at, count = _BLOCKS, None
    while at + 8 <= len(head):
        tag, size = struct.unpack_from("<4sI", head, at)
        at += 8
        if tag == b"CSED" and at + 28 <= len(head):
            (count,) = struct.unpack_from("<i", head, at + 24)
        if tag == b"ATAD":
            there = min(size, source.size - at)
            if count is None or count < 1:
                raise FileError(
                    source.path, f"the Matrix file is damaged: it says that it has {count} values (block CSED)"
                )
            if there < 4 * count:
                cause = f"the file is truncated: {4 * count - there} of {4 * count} bytes are missing (block ATAD)"
                raise FileError(source.path, cause, "Copy it again from the microscope")
            return at, count
        at += size
    raise FileError(source.path, "the Matrix file is damaged or cut off: it has no values (block ATAD)")


def _layout(source: Source, said: Parameters, start: int, count: int) -> tuple[_Layout, list[ScanDirection]]:
    columns = said.count("XYScanner.Points", "XYScanner.X_Points")
    rows = said.count("XYScanner.Lines", "XYScanner.Y_Points")
    check_image(source, (rows, columns), np.dtype(np.int32))
    source.refuse_bomb(8 * rows * columns)
    retrace, both_ways = said.flag("XYScanner.X_Retrace"), said.flag("XYScanner.Y_Retrace")
    lines = count // (columns * (1 + retrace))
    if lines < 1:
        raise FileError(source.path, f"not one line of the image was finished: {count} values, {columns} pixels a line")
    frames: list[ScanDirection] = ["up", "down"] if both_ways and lines > rows else ["up"]
    return _Layout(source, start, columns, rows, retrace, min(lines, rows * len(frames))), frames


def _scan(
    layout: _Layout,
    said: Parameters,
    geometry: Geometry,
    way: ScanDirection,
    name: str,
    unit: str,
    head: bytes,
) -> Scan:
    unit, factor = si_unit({"Meter": "m", "Ampere": "A", "Volt": "V", "Hertz": "Hz"}.get(unit, unit))

    def loader(backward: bool) -> Callable[[], FloatArray]:
        return lambda: said.scaled(layout.frame(way == "down", backward)) * factor

    directions: tuple[Direction, ...] = ("forward", "backward") if layout.retrace else ("forward",)
    noted = (said.mark(key) for key in ("SAMPLE_NAME", "DATA_SET_NAME", "CREATION_COMMENT"))
    return Scan(
        channels=tuple(Channel(name, unit, loader(d == "backward"), d) for d in directions),
        geometry=geometry,
        path=layout.source.path,
        format="Omicron Matrix",
        scan_direction=way,
        bias_v=said.number("GapVoltageControl.Voltage", "Volt"),
        setpoint_a=said.number("Regulator.Setpoint_1", "Ampere"),
        line_time_s=_line_time(layout, said),
        recorded=moment(struct.unpack_from("<Q", head, 20)[0]),
        comment="\n".join(filter(None, noted)),
        header=said.fields,
    )


def _geometry(layout: _Layout, said: Parameters) -> tuple[Geometry, list[str]]:
    """The frame. The angle of Matrix turns it counterclockwise, ours clockwise."""
    width, height = said.number("XYScanner.Width"), said.number("XYScanner.Height")
    if not (width and height and min(width, height) > 0):
        return Geometry.of_pixels(layout.rows, layout.columns), [f"{SIZE_UNKNOWN} (XYScanner.Width, Height)"]
    geometry = Geometry(
        layout.columns,
        layout.rows,
        width,
        height,
        angle_deg=-(said.number("XYScanner.Angle") or 0.0) or 0.0,
        centre=(said.number("XYScanner.X_Offset") or 0.0, said.number("XYScanner.Y_Offset") or 0.0),
    )
    return geometry, on_pixels(geometry)


def _line_time(layout: _Layout, said: Parameters) -> tuple[float, float] | None:
    """Forward and backward time of a line: pixels take the same time each. None where the tip returns unmeasured."""
    pixel = said.number("XYScanner.Raster_Time")
    if not (pixel and pixel > 0 and math.isfinite(pixel) and layout.retrace):
        return None
    return pixel * layout.columns, pixel * layout.columns
