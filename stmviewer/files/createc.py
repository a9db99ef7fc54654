"""Createc images (.dat), the kinds that begin with `[Paramco32]` (packed) and `[Paramet32]` (not packed).

A text header of lines `name / other name=value` up to the word DATA (which stands at byte 16380, unless an editor has
moved it), then a zlib stream of little-endian float32 in units of the converters: one value that means nothing, and the
images, forward ones before backward ones, each rows x columns, top line first. Heights are value x piezo constant x
gain x 20 V / 2^20; currents are value x 10 V / 2^19 over the gain of the preamplifier. (Gwyddion 2.62 agrees on
heights, but scales currents as if they were heights: ours agree with the setpoint.) An image that is not packed has the
same values from byte 16384 on. No file of that kind was at hand: a packed one, unpacked, reads the same here and in
Gwyddion.
"""

import math
import zlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from stmviewer.files.nanonis_header import decoded
from stmviewer.files.notes import SIZE_UNKNOWN, on_pixels
from stmviewer.files.plain import check_image
from stmviewer.files.source import Source
from stmviewer.files.units import parse_quantity
from stmviewer.scan import Channel, Direction, FileError, Geometry, Scan

_PACKED, _PLAIN = b"[Paramco32]", b"[Paramet32]"
_HEADER_BYTES = 16384
#: an editor that turned the header to another encoding makes it longer
_LONGEST = 64 * 1024
_MOST_CHANNELS = 64


def read_createc(source: Source) -> Scan:
    """Opens a Createc image of 32 bits. Lines without any value at the end of the scan are not measured.

    Raises FileError for another kind of Createc file, for a header without pixels, and for data that are cut or
    damaged.
    """
    head = source.head(_LONGEST)
    packed = head.startswith(_PACKED)
    if not packed and not head.startswith(_PLAIN):
        raise FileError(source.path, "is not a Createc image of 32 bits")
    marker = head.find(b"DATA\x78") if packed else -1
    start = marker + 4 if marker >= 0 else _HEADER_BYTES
    if source.size <= start:
        raise FileError(source.path, f"the file is truncated: it ends within its header, after {source.size} bytes")
    header = _fields(decoded(head[:start]))
    columns, rows, count = (_count(source, header, name) for name in ("Num.X", "Num.Y", "Channels"))
    check_image(source, (rows, columns), np.dtype(np.float32))
    if count > _MOST_CHANNELS:
        raise FileError(source.path, f"field Channels says {count}; {_MOST_CHANNELS} are the most")
    shape = (count, rows, columns)
    raw = _unpack(source, start, shape) if packed else source.array(start + 4, "<f4", math.prod(shape)).reshape(shape)
    notes: list[str] = []
    geometry = _geometry(header, columns, rows, notes)
    empty = (raw == 0).all(axis=(0, 2))
    if empty.any():
        notes.append(f"unfinished scan: {rows - int(empty.sum())} of {rows} lines have values")
    channels = []
    for image, (name, unit, factor, direction) in zip(raw, _channels(header, count, notes), strict=True):
        with np.errstate(invalid="ignore"):  # a signalling NaN of a damaged file is a NaN like others
            data = image * np.float64(factor)
        data[empty] = np.nan
        channels.append(Channel(name, unit, data, direction))
    bias = _number(header, "BiasVolt.[mV]")
    return Scan(
        channels=tuple(channels),
        geometry=geometry,
        path=source.path,
        format="Createc",
        bias_v=None if bias is None else bias * 1e-3,
        setpoint_a=_number(header, "SetPoint"),
        line_time_s=_line_time(header, rows),
        comment=header.get("Titel", ""),
        header=header,
        notes=tuple(notes),
    )


def _fields(text: str) -> dict[str, str]:
    """Fields by their second name (that which the program shows) where they have two; the first of two same counts."""
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        names, equals, value = line.partition("=")
        name = names.rpartition(" / ")[2].strip()
        if equals and name and name.isprintable():
            fields.setdefault(name, value.strip(" \t\r\0"))
    return fields


def _number(header: Mapping[str, str], name: str) -> float | None:
    quantity = parse_quantity(header.get(name, ""))
    return quantity[0] if quantity else None


def _count(source: Source, header: Mapping[str, str], name: str) -> int:
    text = header.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        said = f"says '{text[:40]}'" if text else "is missing"
        raise FileError(source.path, f"field {name} {said}, not a positive count")
    return int(text)


def _unpack(source: Source, start: int, shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """The images (channels, rows, columns) in converter units."""
    wanted = 4 + 4 * math.prod(shape)
    source.refuse_bomb(wanted)
    packed = source.array(start, np.uint8, source.size - start)
    try:
        content = zlib.decompressobj().decompress(packed.data, wanted)
    except zlib.error as error:
        raise FileError(source.path, f"the compressed data from byte {start} are damaged ({error})") from error
    if len(content) < wanted:
        raise FileError(
            source.path,
            f"the file is truncated: its data unpack to {len(content)} of {wanted} bytes",
            "Copy it again from the microscope",
        )
    return np.frombuffer(content, "<f4", offset=4).reshape(shape)


def _channels(header: Mapping[str, str], count: int, notes: list[str]) -> list[tuple[str, str, float, Direction]]:
    """Name, unit, factor into it and direction of each image.

    The field Channelselectval has a bit for each recorded signal: 1 the topography, 2 the current; others stay in
    converter units.
    """
    selected = header.get("Channelselectval", "")
    bits = int(selected) if selected.isascii() and selected.isdigit() and len(selected) < 10 else 0
    signals = [bit for bit in range(32) if bits >> bit & 1]
    if not signals or count not in (len(signals), 2 * len(signals)):
        notes.append("the file does not say which channels these are: values are in units of the converters")
        return [(f"Channel {i + 1}", "", 1.0, "forward") for i in range(count)]
    kinds = [_signal(header, bit) for bit in signals]
    directions: list[Direction] = ["forward", "backward"]
    return [(*kinds[i % len(kinds)], directions[i // len(kinds)]) for i in range(count)]


def _signal(header: Mapping[str, str], bit: int) -> tuple[str, str, float]:
    piezo, gain = _number(header, "ZPiezoconst"), _number(header, "GainZ")
    preamplifier = _number(header, "GainPre 10^")
    if bit == 0 and piezo and gain:
        return "Topography", "m", piezo * 1e-10 * gain * 20 / 2**20
    if bit == 1 and preamplifier is not None and abs(preamplifier) < 20:
        return "Current", "A", 10 / 2**19 * 10.0**-preamplifier
    return f"Signal {bit + 1}", "", 1.0


def _geometry(header: Mapping[str, str], columns: int, rows: int, notes: list[str]) -> Geometry:
    width, height = _number(header, "Length x[A]"), _number(header, "Length y[A]")
    rotation = _number(header, "Rotation")
    if rotation:
        notes.append(f"the frame is turned by {rotation:g} degrees; the image is shown as it was scanned")
    size = ((width or 0.0) * 1e-10, (height or 0.0) * 1e-10)
    if not min(size) > 0:  # a size of 1e-320 is none in metres
        notes.append(f"{SIZE_UNKNOWN} (fields Length x[A], Length y[A])")
        return Geometry.of_pixels(rows, columns)
    geometry = Geometry(columns, rows, *size)
    notes += on_pixels(geometry)
    return geometry


def _line_time(header: Mapping[str, str], rows: int) -> tuple[float, float] | None:
    """Forward and backward time of a line, where the time of the whole image says that both take the same."""
    line, image = _number(header, "Sec/line:"), _number(header, "Sec/Image:")
    if not line or not image or not math.isclose(image, 2 * line * rows, rel_tol=0.02):
        return None
    return line, line
