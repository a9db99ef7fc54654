"""Makes the bytes of a Nanonis .sxm file from images as the microscopist sees them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass
class SxmChannel:
    """One row of DATA_INFO; a direction that is None was not recorded."""

    name: str
    unit: str
    forward: NDArray[np.float32] | None = None
    backward: NDArray[np.float32] | None = None

    @property
    def direction(self) -> str:
        if self.forward is not None and self.backward is not None:
            return "both"
        return "forward" if self.backward is None else "backward"

    def stored(self, up: bool) -> bytes:
        """The images as Nanonis stores them: in the order of time, backward lines from right to left."""
        images = []
        if self.forward is not None:
            images.append(self.forward)
        if self.backward is not None:
            images.append(self.backward[:, ::-1])
        return b"".join(_bits(image[::-1] if up else image) for image in images)


def _bits(image: NDArray[np.float32]) -> bytes:
    """Big-endian float32, with the NaN that Nanonis writes: numpy's has other bits, which Gwyddion does not know."""
    bits = image.astype(">f4").view(">u4").copy()
    bits[np.isnan(image)] = 0x7FFFFFFF
    return bits.tobytes()


def sxm_bytes(
    channels: Sequence[SxmChannel],
    *,
    size_m: tuple[float, float] = (16e-9, 10e-9),
    up: bool = False,
    fields: Mapping[str, str] | None = None,
    without: Sequence[str] = (),
    newline: str = "\n",
    blank_lines: int = 0,
    encoding: str = "latin-1",
) -> bytes:
    """A whole file. `fields` replace or add to the header, `without` leaves fields out."""
    image = next(i for c in channels for i in (c.forward, c.backward) if i is not None)
    rows, columns = image.shape
    table = "\tChannel\tName\tUnit\tDirection\tCalibration\tOffset"
    for number, channel in enumerate(channels):
        table += f"\n\t{number}\t{channel.name}\t{channel.unit}\t{channel.direction}\t1.000E+0\t0.000E+0"
    header = {
        "NANONIS_VERSION": "2",
        "SCANIT_TYPE": "              FLOAT            MSBFIRST",
        "REC_DATE": " 07.01.2016",
        "REC_TIME": "12:10:04",
        "ACQ_TIME": "       131.3",
        "SCAN_PIXELS": f"       {columns}       {rows}",
        "SCAN_TIME": "             2.560E-1             1.280E-1",
        "SCAN_RANGE": f"           {size_m[0]:.6E}           {size_m[1]:.6E}",
        "SCAN_OFFSET": "             -1.366789E-7         2.5E-8",
        "SCAN_ANGLE": "            3.100E+1",
        "SCAN_DIR": "up" if up else "down",
        "BIAS": "            -4.000E-1",
        "Z-CONTROLLER": "\tName\ton\tSetpoint\tP-gain\tI-gain\tT-const\n"
        "\tlog Current\t1\t2.500E-10 A\t2.984E-16 m\t4.751E-8 m/s\t6.280E-9 s",
        "COMMENT": "a made scan",
        "DATA_INFO": table + "\n",
    }
    header |= dict(fields or {})
    text = "\n" * blank_lines
    for name, value in header.items():
        if name not in without:
            text += f":{name}:\n{value}\n" + "\n" * blank_lines
    text += ":SCANIT_END:\n\n\n"
    data = b"".join(channel.stored(up) for channel in channels)
    return text.replace("\n", newline).encode(encoding) + b"\x1a\x04" + data


def two_channels(rows: int = 5, columns: int = 8) -> list[SxmChannel]:
    """Z and Current, forward and backward, every pixel of its own value: no flip goes unseen."""
    count = np.arange(rows * columns, dtype=np.float32).reshape(rows, columns)
    return [
        SxmChannel("Z", "m", (count * 1e-12).astype(np.float32), (count * 1e-12 + 1e-9).astype(np.float32)),
        SxmChannel("Current", "A", (count * 1e-13).astype(np.float32), (count * 1e-13 + 1e-10).astype(np.float32)),
    ]
