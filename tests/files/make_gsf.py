"""Gwyddion Simple Fields made in memory, by the description of their format and not by our reader."""

import numpy as np

IMAGE = (np.arange(12, dtype=np.float32).reshape(3, 4) - 5) * np.float32(1e-10)
_FIELDS = {
    "XRes": "4",
    "YRes": "3",
    "XReal": "4e-09",
    "YReal": "3e-09",
    "XOffset": "1e-08",
    "YOffset": "-2e-08",
    "Title": "Z (Backward)",
    "XYUnits": "m",
    "ZUnits": "m",
}


def gsf_bytes(**changes: str | None) -> bytes:
    fields = {name: value for name, value in (_FIELDS | changes).items() if value is not None}
    header = "Gwyddion Simple Field 1.0\n" + "".join(f"{name} = {value}\n" for name, value in fields.items())
    content = header.encode("utf-8")
    return content + bytes(4 - len(content) % 4) + IMAGE.astype("<f4").tobytes()
