"""RHK .sm4 files made in memory, by the description of their structure and not by our reader."""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass
class Page:
    raw: NDArray[np.int32]
    label: str = "Topography"
    unit: str = "m"
    scan_type: int = 0
    x_scale: float = -2e-9
    y_scale: float = -1e-9
    kind: int = 0
    completed: str = ""


Z_SCALE, Z_OFFSET = 2.0**-40, 2.0**-20


def _strings(page: Page) -> bytes:
    rows = page.completed or f"{page.raw.shape[0]:04d}"
    texts = [page.label, "", "", "5 µm", "C:\\a.sm4", "08/13/21", "19:08:26", "m", "m", page.unit, "", "", "", rows]
    return b"".join(struct.pack("<H", len(t)) + t.encode("utf-16-le") for t in texts)


def _header(page: Page, strings: tuple[int, int]) -> bytes:
    rows, columns = page.raw.shape
    head = struct.pack(
        "<HH3I4i4I2i", 170, 14, 1, 0, 0, 0, 0, columns, rows, 0, page.scan_type, 0, page.raw.nbytes, 0, 0
    )
    scales = (page.x_scale, page.y_scale, Z_SCALE, 0.0, 0.0, 0.0, Z_OFFSET, 0.005, -0.5, 1e-10, 0.0)
    return head + struct.pack("<11f4I64x", *scales, 0, 0, 0, 1) + struct.pack("<III", 10, *strings)


def sm4_bytes(pages: list[Page]) -> bytes:
    """File header, page index, then header, strings and data of each page."""
    index_header = 58 + 12
    array = index_header + 16 + 12
    at = array + len(pages) * (32 + 24)
    index, bodies = b"", b""
    for number, page in enumerate(pages):
        strings = _strings(page)
        header = _header(page, (at + 192, len(strings)))
        data_at = at + len(header) + len(strings)
        index += bytes([number]) * 16 + struct.pack("<IIII", page.kind, 0, 2, 4)
        index += struct.pack("<IIIIII", 3, at, len(header), 4, data_at, page.raw.nbytes)
        bodies += header + strings + page.raw.astype("<i4").tobytes()
        at = data_at + page.raw.nbytes
    signature = "STiMage 005.004 1\0".encode("utf-16-le")
    top = struct.pack("<H", 56) + signature + struct.pack("<IIIII", len(pages), 1, 12, 0, 0)
    top += struct.pack("<III", 1, index_header, 16)
    top += struct.pack("<IIII", len(pages), 1, 0, 0) + struct.pack("<III", 2, array, len(index))
    return top + index + bodies
