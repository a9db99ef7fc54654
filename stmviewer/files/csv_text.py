"""CSV files of one channel: a matrix of numbers that spreadsheets and `numpy.loadtxt(file, delimiter=",")` read.

The lines at the top begin with `#` and say what it is. Then one line of the image a line, from the top down, columns
from left to right, in the channel's SI unit; `nan` where nothing was measured.
"""

from typing import BinaryIO

import stmviewer
from stmviewer.files.provenance import to_json
from stmviewer.files.roles import result_of
from stmviewer.files.titles import title_of
from stmviewer.files.units import shown_quantity
from stmviewer.scan import Channel, Scan


def write_csv(scan: Scan, file: BinaryIO) -> None:
    """Writes the restored channel of `scan`, or the topography where nothing is restored.

    Numbers are the shortest that read back the same.
    """
    channel = result_of(scan).image
    for line in _about(scan, channel):
        # a line end in a name or comment would begin a line of numbers
        file.write(f"# {' '.join(line.splitlines())}\n".encode(errors="replace"))
    for row in channel.data.tolist():
        file.write((",".join(map(repr, row)) + "\n").encode())


def _about(scan: Scan, channel: Channel) -> list[str]:
    frame = scan.geometry
    lines = [
        f"stmviewer {stmviewer.__version__}",
        f"file: {scan.name}",
        f"channel: {title_of(channel)}",
        f"unit: {channel.unit or 'none'}",
        f"columns: {frame.columns}",
        f"rows: {frame.rows}",
    ]
    if frame.calibrated:
        lines += [f"width_m: {float(frame.width)!r}", f"height_m: {float(frame.height)!r}"]
        lines += [f"centre_m: {float(frame.centre[0])!r} {float(frame.centre[1])!r}"]
        lines += [f"angle_deg: {float(frame.angle_deg)!r}"]
    else:
        lines.append("size: unknown")
    if scan.bias_v is not None:
        lines.append(f"bias: {shown_quantity(scan.bias_v, 'V', 6)}")
    if scan.setpoint_a is not None:
        lines.append(f"setpoint: {shown_quantity(scan.setpoint_a, 'A', 6)}")
    if channel.role == "restored":
        lines.append(f"measured: {100 * float(result_of(scan).measured.mean()):.3g} % of the pixels")
    if scan.provenance is not None:
        lines.append(f"provenance: {to_json(scan.provenance, ascii_only=True)}")
    return lines
