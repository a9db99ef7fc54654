"""Makes the files of an Omicron Matrix image: results, and the journal of parameters beside them.

The bytes follow what access2theMatrix 0.4.4 and Gwyddion 2.62 read; both open what is made here. No real file could be
had to compare with.
"""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"ONTMATRX0101"
SECONDS = 1514808000  # 2018-01-01 12:00 UTC


def text(words: str) -> bytes:
    return struct.pack("<I", len(words)) + words.encode("utf-16-le")


def value(of: Any) -> bytes:
    match of:
        case bool():
            return b"LOOB" + struct.pack("<I", of)
        case int():
            return b"GNOL" + struct.pack("<i", of)
        case float():
            return b"BUOD" + struct.pack("<d", of)
        case _:
            return b"GRTS" + text(of)


def block(tag: bytes, body: bytes, stamped: bool = True) -> bytes:
    return tag + struct.pack("<I", len(body)) + (struct.pack("<Q", SECONDS) if stamped else b"") + body


SETTINGS: dict[str, tuple[Any, str]] = {
    "XYScanner.Points": (6, ""),
    "XYScanner.Lines": (4, ""),
    "XYScanner.Width": (60e-9, "Meter"),
    "XYScanner.Height": (40e-9, "Meter"),
    "XYScanner.X_Offset": (1e-7, "Meter"),
    "XYScanner.Y_Offset": (-2e-7, "Meter"),
    "XYScanner.Angle": (30, "Degree"),
    "XYScanner.X_Retrace": (True, ""),
    "XYScanner.Y_Retrace": (True, ""),
    "XYScanner.Raster_Time": (1e-3, "Second"),
    "XYScanner.Enable_Subgrid": (False, ""),
    "XYScanner.Zoom": (1, ""),
    "GapVoltageControl.Voltage": (-1.5, "Volt"),
    "Regulator.Setpoint_1": (5e-11, "Ampere"),
}
#: channel: its unit, its scale by name and numbers
SCALES: dict[str, tuple[str, str, dict[str, float]]] = {
    "Z": ("m", "TFF_Linear1D", {"Factor": 1e12, "Offset": 5.0}),
    "I": (
        "A",
        "TFF_MultiLinear1D",
        {"NeutralFactor": 1e15, "Offset": 0.0, "PreFactor": 2.0, "PreOffset": -4.0, "Raw_1": 1.0},
    ),
}


def settings_block(settings: Mapping[str, tuple[Any, str]]) -> bytes:
    groups: dict[str, bytes] = {}
    counts: dict[str, int] = {}
    for name, (of, unit) in settings.items():
        group, _, prop = name.partition(".")
        groups[group] = groups.get(group, b"") + text(prop) + text(unit) + bytes(4) + value(of)
        counts[group] = counts.get(group, 0) + 1
    body = b"".join(text(group) + struct.pack("<I", counts[group]) + piece for group, piece in groups.items())
    return block(b"APEE", struct.pack("<II", 0, len(groups)) + body)


def scales_block(scales: Mapping[str, tuple[str, str, dict[str, float]]]) -> bytes:
    numbers = {channel: 7 + k for k, channel in enumerate(scales)}
    names = struct.pack("<II", 0, 0) + struct.pack("<I", 0) + struct.pack("<I", len(scales))
    for channel, (unit, _, _) in scales.items():
        names += bytes(4) + struct.pack("<I", numbers[channel]) + bytes(8) + text(channel) + text(unit)
    names += struct.pack("<I", len(scales))
    for channel in scales:
        names += struct.pack("<Q", 100 + numbers[channel]) + bytes(4) + struct.pack("<I", numbers[channel]) + text("x")
    transfers = b""
    for channel, (unit, function, values) in scales.items():
        transfers += bytes(4) + struct.pack("<I", numbers[channel]) + text(function) + text(unit)
        transfers += struct.pack("<I", len(values)) + b"".join(text(k) + value(v) for k, v in values.items())
    return block(b"YSCC", bytes(4) + block(b"TCID", names, False) + block(b"REFX", transfers, False))


def reference_block(name: str) -> bytes:
    return block(b"FERB", bytes(4) + text(name))


def mark_block(words: str) -> bytes:
    return block(b"KRAM", text(words))


def changed_block(name: str, of: Any, unit: str = "") -> bytes:
    group, _, prop = name.partition(".")
    return block(b"DOMP", bytes(4) + text(group) + text(prop) + text(unit) + bytes(4) + value(of))


def journal(
    *names: str,
    settings: Mapping[str, tuple[Any, str]] = SETTINGS,
    scales: Mapping[str, tuple[str, str, dict[str, float]]] = SCALES,
    before: bytes = b"",
) -> bytes:
    """A parameter file that mentions images of these names; `before` are blocks of changes before the first one."""
    meta = block(b"ATEM", text("MATRIX") + text("3.2") + bytes(4) + text("Default") + text("user"))
    described = block(b"DPXE", bytes(4) + b"".join(text(f"s{k}") for k in range(7)))
    marks = mark_block("MTRX$SAMPLE_NAME-Si(001):H, Tür") + mark_block("MTRX$CREATION_COMMENT-made by a test")
    rest = b"".join(map(reference_block, names)) + block(b"DEOE", b"")
    return MAGIC + meta + described + settings_block(settings) + scales_block(scales) + marks + before + rest


def results(values: NDArray[np.int32], intended: int | None = None) -> bytes:
    """A result file of these values in the order of time."""
    content = values.astype("<i4").tobytes()
    described = bytes(20) + struct.pack("<ii", intended or values.size, values.size)
    body = bytes(4) + block(b"CSED", described, False) + block(b"ATAD", content, False)
    return MAGIC + b"TLKB" + struct.pack("<I", len(body)) + struct.pack("<Q", SECONDS) + body


def frames(rows: int = 4, columns: int = 6) -> dict[tuple[str, str], NDArray[np.int32]]:
    """Raw images as the microscopist sees them by scan direction and line direction, every value of its own."""
    count = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    ways = [(way, direction) for way in ("up", "down") for direction in ("forward", "backward")]
    return {way: count + 1000 * (k + 1) for k, way in enumerate(ways)}


def in_time(
    images: Mapping[tuple[str, str], NDArray[np.int32]], retrace: bool = True, both_ways: bool = True
) -> NDArray[np.int32]:
    """Images as the scanner takes them: up from the bottom line, down from the top one, backward from the right."""
    lines: list[NDArray[np.int32]] = []
    for way in ("up", "down") if both_ways else ("up",):
        rows = len(images[way, "forward"])
        for row in range(rows - 1, -1, -1) if way == "up" else range(rows):
            lines.append(images[way, "forward"][row])
            if retrace:
                lines.append(images[way, "backward"][row][::-1])
    return np.concatenate(lines)


def write(
    folder: Path,
    values: NDArray[np.int32] | None = None,
    channel: str = "Z",
    base: str = "made",
    parameters: bytes | None = None,
    **facts: Any,
) -> Path:
    """A pair of files; the path of the image."""
    name = f"{base}--1_1.{channel}_mtrx"
    (folder / f"{base}_0001.mtrx").write_bytes(journal(name, **facts) if parameters is None else parameters)
    path = folder / name
    path.write_bytes(results(in_time(frames()) if values is None else values))
    return path
