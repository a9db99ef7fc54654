"""Writes Nanonis .sxm files: restored channels beside raw ones, for the programs that a laboratory has.

The header is that of the raw file where there is one, with the fields that speak of pixels, frame and channels set
anew. Every channel is stored in both directions, since programs take that for granted: a direction that does not
exist is all NaN. Two fields are our own, each a line of JSON: `STMVIEWER>CHANNELS` says what each stored image is, so
that a restored channel does not come back as a measured one, and `STMVIEWER>PROVENANCE` how it was made.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

import numpy as np

import stmviewer
from stmviewer.files.nanonis_header import CHANNELS_FIELD, PROVENANCE_FIELD, is_field, numbers
from stmviewer.files.provenance import to_json
from stmviewer.files.titles import Names
from stmviewer.scan import Channel, Direction, FileError, Role, Scan
from stmviewer.scan.model import DIRECTIONS

_VERSION_FIELD = "STMVIEWER>VERSION"
#: the NaN that Nanonis writes: numpy's has other bits, which Gwyddion does not know
_NANONIS_NAN = 0x7FFFFFFF
_SUFFIXES: dict[Role, str] = {
    "raw": "",
    "processed": "_processed",
    "mask": "_sampling_mask",
    "restored": "_restored",
    "deviation": "_deviation",
    "residual": "_residual",
}


@dataclass
class _Stored:
    """One row of DATA_INFO."""

    name: str
    unit: str
    channels: dict[Direction, Channel] = field(default_factory=dict)


def write_sxm(scan: Scan, file: BinaryIO) -> None:
    """Writes every channel of `scan` as float32, lines in the order of the scan, backward lines from right to left.

    Raises FileError for a scan of unknown size, which the format cannot say.
    """
    if not scan.geometry.calibrated:
        raise FileError(scan.name, "its size is unknown, and a .sxm file has to say it", "Write gwy, tif or npz")
    rows = _stored(scan.channels)
    file.write(_header_bytes(_fields(scan, rows)))
    empty = np.full(scan.geometry.shape, np.nan)
    for row in rows:
        for direction in DIRECTIONS:
            channel = row.channels.get(direction)
            image = empty if channel is None else channel.data
            if direction == "backward":
                image = image[:, ::-1]
            if scan.scan_direction == "up":
                image = image[::-1]
            file.write(_bits(image))


def _stored(channels: Sequence[Channel]) -> list[_Stored]:
    """The channels by rows of DATA_INFO: forward and backward of one name, unit and role share one."""
    rows: list[_Stored] = []
    latest: dict[tuple[str, str, Role], _Stored] = {}
    names = Names()
    for channel in channels:
        key = (channel.name, channel.unit, channel.role)
        if key not in latest or channel.direction in latest[key].channels:
            title = " ".join(channel.name.split()) + _SUFFIXES[channel.role]
            latest[key] = _Stored(names.distinct(title, "forward"), channel.unit)
            rows.append(latest[key])
        latest[key].channels[channel.direction] = channel
    return rows


def _bits(image: Any) -> bytes:
    with np.errstate(over="ignore"):  # infinite is not measured to every reader
        bits = image.astype(">f4").view(">u4")
    bits[np.isnan(image)] = _NANONIS_NAN
    return bytes(bits.tobytes())


def _fields(scan: Scan, rows: Sequence[_Stored]) -> dict[str, str]:
    frame = scan.geometry
    is_nanonis = "SCANIT_TYPE" in scan.header or "NANONIS_VERSION" in scan.header
    fields = dict(scan.header) if is_nanonis else _made_header(scan)
    fields.pop(PROVENANCE_FIELD, None)
    fields.pop("DATA_INFO", None)  # comes last
    fields |= {
        "SCANIT_TYPE": "FLOAT            MSBFIRST",
        "SCAN_PIXELS": f"{frame.columns}       {frame.rows}",
        "SCAN_RANGE": _same(fields.get("SCAN_RANGE", ""), frame.width, frame.height),
        "SCAN_OFFSET": _same(fields.get("SCAN_OFFSET", ""), *frame.centre),
        "SCAN_ANGLE": _same(fields.get("SCAN_ANGLE", ""), frame.angle_deg),
        "SCAN_DIR": scan.scan_direction,
        _VERSION_FIELD: stmviewer.__version__,
        CHANNELS_FIELD: json.dumps([_what(row.channels.get(direction)) for row in rows for direction in DIRECTIONS]),
    }
    # what Nanonis says a second time
    again = {"Scan>pixels/line": str(frame.columns), "Scan>lines": str(frame.rows)}
    fields |= {key: text for key, text in again.items() if key in fields}
    if scan.provenance is not None:
        fields[PROVENANCE_FIELD] = to_json(scan.provenance, ascii_only=True)
    table = "\tChannel\tName\tUnit\tDirection\tCalibration\tOffset"
    for number, row in enumerate(rows):
        unit = " ".join(row.unit.split()) or "1"  # Gwyddion counts an empty cell as none
        table += f"\n\t{number}\t{row.name}\t{unit}\tboth\t1.000E+0\t0.000E+0"
    return fields | {"DATA_INFO": table + "\n"}


def _what(channel: Channel | None) -> dict[str, str] | None:
    """What a stored image is; None for a direction that does not exist."""
    if channel is None:
        return None
    return {"name": channel.name, "role": channel.role, "unit": channel.unit}


def _made_header(scan: Scan) -> dict[str, str]:
    """The fields that every program asks for, for a scan that no Nanonis recorded."""
    times = scan.line_time_s or (0.0, 0.0)
    date, time = _date_and_time(scan.recorded)
    header = {
        "NANONIS_VERSION": "2",
        "SCANIT_TYPE": "",
        "REC_DATE": date,
        "REC_TIME": time,
        "ACQ_TIME": _number(scan.geometry.rows * sum(times)),
        "SCAN_PIXELS": "",
        "SCAN_FILE": scan.name,
        "SCAN_TIME": _same("", *times),
        "SCAN_RANGE": "",
        "SCAN_OFFSET": "",
        "SCAN_ANGLE": "",
        "SCAN_DIR": "",
        "BIAS": _number(math.nan if scan.bias_v is None else scan.bias_v),
    }
    if scan.setpoint_a is not None:
        table = "\tName\ton\tSetpoint\tP-gain\tI-gain\tT-const"
        unknown = "0.000E+0 m\t0.000E+0 m/s\t0.000E+0 s"
        header["Z-CONTROLLER"] = f"{table}\n\tlog Current\t1\t{_number(scan.setpoint_a)} A\t{unknown}"
    return header | {"COMMENT": scan.comment}


def _date_and_time(recorded: str) -> tuple[str, str]:
    try:
        moment = datetime.fromisoformat(recorded)
    except ValueError:
        return recorded, ""
    return moment.strftime("%d.%m.%Y"), moment.strftime("%H:%M:%S")


def _same(text: str, *values: float) -> str:
    """The header's own text where it says these numbers: an unchanged field stays as the microscope wrote it."""
    return text if numbers(text)[: len(values)] == list(values) else "         ".join(map(_number, values))


def _number(value: float) -> str:
    return repr(float(value)).upper().replace("NAN", "NaN")


def _header_bytes(fields: dict[str, str]) -> bytes:
    text = "".join(f":{_harmless(name, False)}:\n{_harmless(value, True)}\n" for name, value in fields.items())
    # Nanonis writes Latin-1, but Gwyddion and nanonispy2 take the header for UTF-8
    return (text + ":SCANIT_END:\n\n\n").encode(errors="replace") + b"\x1a\x04"


def _harmless(text: str, lines: bool) -> str:
    """Text that ends neither its field nor the header: no control characters, no line that looks like a field."""
    kept = "".join(c for c in text.replace("\r\n", "\n") if c >= " " or c in "\t\n")
    if not lines:
        return " ".join(kept.split())
    return "\n".join(f" {line}" if is_field(line) else line for line in kept.split("\n"))
