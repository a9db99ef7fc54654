"""HDF5 files for further work in any language: every channel with its unit, and what is known about the scan.

Layout, version 1 (attribute `stmviewer_layout` of the root):

    /                       attributes, each left out where it is not known:
                            stmviewer_layout (1), stmviewer_version, file (name of the file read), format (its format),
                            columns, rows, width, height (in lateral_unit), lateral_unit ("m" or "px"),
                            pixel_size (down, across, in lateral_unit), centre (x, y), angle_deg (clockwise),
                            scan_direction ("down" or "up"), bias_V, setpoint_A, line_time_s (forward, backward),
                            recorded, comment, notes (a list of texts), provenance (JSON)
    /channels/TITLE         float64 (rows, columns) in SI units, row 0 at the top, backward channels already mirrored,
                            NaN where nothing was measured; TITLE is such as `Z forward restored`, a `/` in it a `-`.
                            Attributes: name, direction ("forward" or "backward"), unit,
                            role ("raw", "mask", "restored", "deviation" or "residual")
    /header                 attributes: each field of the raw file's header, as text

Channels and header fields keep their order (creation order is tracked). The file is in the format of HDF5 1.8.
"""

from typing import Any, BinaryIO

import numpy as np

import stmviewer
from stmviewer.files.provenance import to_json
from stmviewer.files.titles import Names, title_of
from stmviewer.scan import Scan

LAYOUT = 1


def write_h5(scan: Scan, file: BinaryIO) -> None:
    """Writes every channel of `scan` into `file`, which must be readable too, in the layout above."""
    import h5py

    # older formats hold no more than 64 KB of attributes: a Nanonis header and a provenance are more at times
    with h5py.File(file, "w", libver=("v108", "v108"), track_order=True) as tree:
        for key, value in _facts(scan).items():
            tree.attrs[key] = value
        channels = tree.create_group("channels", track_order=True)
        names = Names()
        for channel in scan.channels:
            title = names.distinct(_link_name(title_of(channel)), channel.direction)
            image = channels.create_dataset(title, data=channel.data)
            image.attrs["name"] = _text(channel.name)
            image.attrs["direction"] = channel.direction
            image.attrs["role"] = channel.role
            image.attrs["unit"] = _text(channel.unit)
        header = tree.create_group("header", track_order=True)
        for key, text in scan.header.items():
            header.attrs[_text(key)] = _text(text)


def _facts(scan: Scan) -> dict[str, Any]:
    frame = scan.geometry
    facts = {
        "stmviewer_layout": LAYOUT,
        "stmviewer_version": stmviewer.__version__,
        "file": _text(scan.name) if scan.path else None,
        "format": _text(scan.format) or None,
        "columns": frame.columns,
        "rows": frame.rows,
        "width": frame.width,
        "height": frame.height,
        "lateral_unit": frame.unit,
        "pixel_size": np.array([frame.pixel_height, frame.pixel_width]),
        "centre": np.array(frame.centre),
        "angle_deg": frame.angle_deg,
        "scan_direction": scan.scan_direction,
        "bias_V": scan.bias_v,
        "setpoint_A": scan.setpoint_a,
        "line_time_s": None if scan.line_time_s is None else np.array(scan.line_time_s),
        "recorded": _text(scan.recorded) or None,
        "comment": _text(scan.comment) or None,
        "notes": [_text(note) for note in scan.notes] or None,
        "provenance": None if scan.provenance is None else to_json(scan.provenance, ascii_only=True),
    }
    return {key: value for key, value in facts.items() if value is not None}


def _text(text: str) -> str:
    """Text that HDF5 can hold: UTF-8 without NUL."""
    return text.replace("\0", "").encode("utf-8", errors="replace").decode("utf-8")


def _link_name(title: str) -> str:
    """A title as the name of a dataset, where a slash would make groups."""
    return _text(title).replace("/", "-")
