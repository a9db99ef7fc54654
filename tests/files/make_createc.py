"""Createc images made in memory, by the description of their format and not by our reader."""

import zlib

import numpy as np

RAW = np.arange(48, dtype=np.float32).reshape(4, 3, 4) - 20.5
_FIELDS = {
    "Titel(File) / Titel": "Tür",
    "Num.X / Num.X": "4",
    "Num.Y / Num.Y": "3",
    "GainZ / GainZ": "10",
    "ZPiezoconst / ZPiezoconst": " 19.20",
    "Rotation / Rotation": "0.00",
    "BiasVoltage / BiasVolt.[mV]": "-550.00",
    "Gainpreamp / GainPre 10^": "9",
    "Channels / Channels": "4",
    "Channelselectval / Channelselectval": "3",
    "Length x[A]": "40.0",
    "Length y[A]": "30.0",
    "SetPoint": "3.00E-10",
    "Sec/line:": "0.5",
    "Sec/Image:": "3.0",
}


def createc_bytes(raw: np.ndarray = RAW, header_bytes: int = 16384, **changes: str | None) -> bytes:
    """An image by the description of the format; `changes` by the part of the name before the first space."""
    fields = {name: changes.get(name.split()[0].rstrip(":"), value) for name, value in _FIELDS.items()}
    lines = ["[Paramco32]", *(f"{name}={value}" for name, value in fields.items() if value is not None)]
    header = "".join(f"{line}\r\n" for line in lines).encode("latin-1")
    values = np.concatenate([[0], raw.ravel(), np.zeros(100)]).astype("<f4")
    return header.ljust(header_bytes - 4, b"\0") + b"DATA" + zlib.compress(values.tobytes())


def unpacked(content: bytes) -> bytes:
    """The same image as it is stored when the program does not pack it."""
    at = content.index(b"DATA\x78")
    values = zlib.decompress(content[at + 4 :])
    return b"[Paramet32]" + content[len("[Paramco32]") : at].ljust(16384 - 11, b"\0") + values
