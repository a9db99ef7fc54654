"""Writes Gwyddion .gwy files: each channel a block of its own with title, unit, frame, mask, metadata and log."""

from collections.abc import Sequence
from typing import BinaryIO

import numpy as np

import stmviewer
from stmviewer.files import gwy_keys as keys
from stmviewer.files.gwy_format import GwyObject, Value, write_tree
from stmviewer.files.gwy_log import processing_log
from stmviewer.files.provenance import to_json
from stmviewer.files.titles import title_of
from stmviewer.scan import Channel, FloatArray, Geometry, Scan

_PALETTE = "Gwyddion.net"


def write_gwy(scan: Scan, file: BinaryIO) -> None:
    """Writes every channel of `scan`.

    Gwyddion knows no missing values: unmeasured pixels get the mean of the measured ones and a mask that marks them,
    as its own import does. Metadata say that this mask means unmeasured, so that stmviewer reads it back as NaN.
    """
    write_gwy_parts((scan,), file)


def write_gwy_parts(scans: Sequence[Scan], file: BinaryIO) -> None:
    """Writes every channel of several scans into one file, as `write_gwy` does those of one."""
    items: dict[str, Value] = {}
    number = 0
    for scan in scans:
        described = _description(scan)
        for channel in scan.channels:
            items |= _block(number, channel, scan.geometry, described)
            items[f"/{number}/data/log"] = processing_log(scan, channel)
            number += 1
    write_tree(file, GwyObject("GwyContainer", items))


def _block(number: int, channel: Channel, geometry: Geometry, described: dict[str, Value]) -> dict[str, Value]:
    measured = channel.measured
    filled = channel.data
    meta = described | {keys.NAME: channel.name, keys.DIRECTION: channel.direction, keys.ROLE: channel.role}
    block: dict[str, Value] = {}
    if not measured.all():
        mean = float(channel.data[measured].mean()) if measured.any() else 0.0
        filled = np.where(measured, channel.data, mean)
        block[f"/{number}/mask"] = _field((~measured).astype(np.float64), "", geometry)
        meta[keys.MASK] = keys.UNMEASURED
    return {
        f"/{number}/data": _field(filled, channel.unit, geometry),
        f"/{number}/data/title": title_of(channel),
        f"/{number}/data/visible": True,
        f"/{number}/base/palette": _PALETTE,
        f"/{number}/meta": GwyObject("GwyContainer", dict(sorted(meta.items()))),
        **block,
    }


def _field(data: FloatArray, unit: str, geometry: Geometry) -> GwyObject:
    """A GwyDataField. Its offset is the corner as in Gwyddion's import of Nanonis files: centre less half the size."""
    return GwyObject(
        "GwyDataField",
        {
            "xres": geometry.columns,
            "yres": geometry.rows,
            "xreal": float(geometry.width),
            "yreal": float(geometry.height),
            "xoff": float(geometry.centre[0] - geometry.width / 2) if geometry.calibrated else 0.0,
            "yoff": float(geometry.centre[1] - geometry.height / 2) if geometry.calibrated else 0.0,
            "si_unit_xy": GwyObject("GwySIUnit", {"unitstr": "m" if geometry.calibrated else ""}),
            "si_unit_z": GwyObject("GwySIUnit", {"unitstr": unit}),
            "data": data,
        },
    )


def _description(scan: Scan) -> dict[str, Value]:
    """What is known about the scan as a whole, in the metadata of each of its channels."""
    described: dict[str, Value] = {keys.HEADER + key: text for key, text in scan.header.items()}
    described[keys.VERSION] = stmviewer.__version__
    described[keys.SCAN_DIRECTION] = scan.scan_direction
    # repr: the shortest text that reads back as the same number
    if scan.bias_v is not None:
        described[keys.BIAS] = f"{float(scan.bias_v)!r} V"
    if scan.setpoint_a is not None:
        described[keys.SETPOINT] = f"{float(scan.setpoint_a)!r} A"
    if scan.geometry.angle_deg:
        described[keys.ANGLE] = f"{float(scan.geometry.angle_deg)!r} deg"
    if scan.line_time_s is not None:
        for key, seconds in zip(keys.LINE_TIMES, scan.line_time_s, strict=True):
            described[key] = f"{float(seconds)!r} s"
    if scan.recorded:
        described[keys.RECORDED] = scan.recorded
    if scan.comment:
        described[keys.COMMENT] = scan.comment
    if not scan.part.alone:
        described[keys.PART] = scan.part.name or scan.part.label
    if scan.provenance is not None:
        described[keys.PROVENANCE] = to_json(scan.provenance)
    return described
