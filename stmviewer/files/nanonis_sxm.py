"""Nanonis .sxm scans.

After the header follow the channels in the order of DATA_INFO, forward before backward, each rows x columns float32 in
physical units, big-endian, lines in the order in which they were scanned. A scan direction `up` therefore stores its
lowest line first, and a backward line its right end first; both are turned here to what the microscopist sees.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stmviewer.files.nanonis_header import (
    PROVENANCE_FIELD,
    ChannelInfo,
    channel_table,
    numbers,
    own_table,
    pixels,
    read_header,
    recorded,
    table,
)
from stmviewer.files.notes import SIZE_UNKNOWN, on_pixels
from stmviewer.files.provenance import from_json
from stmviewer.files.source import Source
from stmviewer.files.titles import Names
from stmviewer.files.units import quantity_in, si_unit
from stmviewer.scan import Channel, Direction, FileError, Geometry, Scan, ScanDirection


def read_sxm(source: Source) -> Scan:
    """Opens a .sxm file; the data of a channel is read when it is first asked for.

    Raises FileError for a header that does not say what the data are, and for a file that is shorter than its header
    says. An unfinished scan is complete in the file: what was not scanned is NaN and comes as not measured.
    """
    header, start = read_header(source)
    columns, rows = pixels(source, header)
    dtype = _data_type(source, header)
    infos = channel_table(source, header)
    notes = _check_size(source, start, (rows, columns), infos)
    geometry = _geometry(columns, rows, header, notes)
    up = header.get("SCAN_DIR", "").strip().casefold() == "up"

    channels = []
    names = Names()
    images = [(info, direction) for info in infos for direction in info.directions]
    own = own_table(header, len(images))
    for number, (info, direction) in enumerate(images):
        offset = start + number * rows * columns * dtype.itemsize
        unit, factor = si_unit(info.unit) if own is None else (info.unit, 1.0)
        load = _loader(source, offset, dtype, (rows, columns), up, direction, factor)
        lines = _line_loader(source, offset, dtype, (rows, columns), up, direction, factor)
        if own is None:
            name = names.distinct(info.name, direction)
            channels.append(Channel(name, unit, load, direction, load_lines=lines))
        elif (said := own[number]) is not None:  # what stmviewer wrote says itself what is measured and what is not
            name = names.distinct(said.name, direction, said.role)
            channels.append(Channel(name, said.unit, load, direction, said.role, lines))
    if all(channel.role == "raw" for channel in channels):  # beside a restored channel gaps are those of a sparse scan
        notes += _unfinished(source, start, dtype, columns, rows, channels[0])
    scan_direction: ScanDirection = "up" if up else "down"
    return Scan(
        channels=tuple(channels),
        geometry=geometry,
        path=source.path,
        format="Nanonis SXM",
        scan_direction=scan_direction,
        bias_v=_bias(header),
        setpoint_a=_setpoint(header),
        line_time_s=_line_time(header),
        recorded=recorded(header.get("REC_DATE", ""), header.get("REC_TIME", "")),
        comment=header.get("COMMENT", "").strip(),
        header=header,
        notes=tuple(notes),
        provenance=from_json(header.get(PROVENANCE_FIELD)),
    )


def _loader(
    source: Source,
    offset: int,
    dtype: np.dtype[Any],
    shape: tuple[int, int],
    up: bool,
    direction: Direction,
    factor: float,
) -> Callable[[], NDArray[Any]]:
    def load() -> NDArray[Any]:
        image = source.array(offset, dtype, shape[0] * shape[1]).reshape(shape)
        if up:
            image = image[::-1]
        if direction == "backward":
            image = image[:, ::-1]
        return image if factor == 1.0 else image.astype(np.float64) * factor

    return load


def _line_loader(
    source: Source,
    offset: int,
    dtype: np.dtype[Any],
    shape: tuple[int, int],
    up: bool,
    direction: Direction,
    factor: float,
) -> Callable[[range], NDArray[Any]]:
    def load_lines(which: range) -> NDArray[Any]:
        stored = [shape[0] - 1 - line if up else line for line in which]
        image = source.lines(offset, dtype, shape[1], stored)
        if direction == "backward":
            image = image[:, ::-1]
        return image if factor == 1.0 else image.astype(np.float64) * factor

    return load_lines


def _data_type(source: Source, header: Mapping[str, str]) -> np.dtype[Any]:
    words = header.get("SCANIT_TYPE", "FLOAT MSBFIRST").upper().split()
    if words[:1] != ["FLOAT"] or words[1:2] not in ([], ["MSBFIRST"], ["LSBFIRST"]):
        raise FileError(source.path, f"field :SCANIT_TYPE: says '{' '.join(words)}'; known is FLOAT MSBFIRST")
    return np.dtype("<f4" if words[1:2] == ["LSBFIRST"] else ">f4")


def _check_size(source: Source, start: int, shape: tuple[int, int], infos: list[ChannelInfo]) -> list[str]:
    """Compares what the header promises with the size of the file, before anything is allocated."""
    images = [f"{info.name} {direction}" for info in infos for direction in info.directions]
    image_bytes = shape[0] * shape[1] * 4
    there = source.size - start
    missing = len(images) * image_bytes - there
    if missing > 0:
        first = images[there // image_bytes]
        raise FileError(
            source.path,
            f"the file is truncated: {missing} bytes are missing, from channel '{first}' on; its header promises "
            f"{len(images)} images of {shape[1]} x {shape[0]} pixels",
            "Copy it again from the microscope",
        )
    return [f"{-missing} bytes after the last channel were ignored"] if missing < 0 else []


def _geometry(columns: int, rows: int, header: Mapping[str, str], notes: list[str]) -> Geometry:
    size = numbers(header.get("SCAN_RANGE", ""))[:2]
    if len(size) < 2 or not (np.isfinite(size).all() and min(size) > 0):
        notes.append(f"{SIZE_UNKNOWN} (field :SCAN_RANGE:)")
        return Geometry.of_pixels(rows, columns)
    centre = numbers(header.get("SCAN_OFFSET", ""))[:2]
    angle = numbers(header.get("SCAN_ANGLE", ""))[:1]
    geometry = Geometry(
        columns,
        rows,
        size[0],
        size[1],
        angle_deg=angle[0] if angle and np.isfinite(angle[0]) else 0.0,
        centre=(centre[0], centre[1]) if len(centre) == 2 and np.isfinite(centre).all() else (0.0, 0.0),
    )
    notes += on_pixels(geometry)
    return geometry


def _unfinished(source: Source, start: int, dtype: np.dtype[Any], columns: int, rows: int, first: Channel) -> list[str]:
    """What to say about a scan that was stopped. Reads one line, and the first channel only where that has gaps."""
    last_line = source.array(start + (rows - 1) * columns * dtype.itemsize, dtype, columns)
    if np.isfinite(last_line).all():
        return []
    if first.measured.all():  # only a direction that does not exist has gaps
        return []
    if not first.measured.any():
        return [f"no pixel of {first.label} was measured: the scan never ran"]
    return [f"unfinished scan: {100 * first.measured_fraction:.1f} % of {first.label} was measured"]


def _bias(header: Mapping[str, str]) -> float | None:
    found = numbers(header.get("BIAS", "")) or numbers(header.get("Bias>Bias (V)", ""))
    return found[0] if found and np.isfinite(found[0]) else None


def _setpoint(header: Mapping[str, str]) -> float | None:
    """The current setpoint in A; None where the feedback regulates on something else, such as a frequency shift."""
    controllers = table(header.get("Z-CONTROLLER", ""))
    if controllers and "setpoint" in controllers[0]:
        return quantity_in(controllers[0]["setpoint"], "A")
    value = header.get("Z-Controller>Setpoint", "")
    return quantity_in(f"{value} {header.get('Z-Controller>Setpoint unit', '')}", "A")


def _line_time(header: Mapping[str, str]) -> tuple[float, float] | None:
    times = numbers(header.get("SCAN_TIME", ""))[:2]
    if len(times) < 2 or not (np.isfinite(times).all() and min(times) >= 0 and max(times) > 0):
        return None
    return times[0], times[1]
