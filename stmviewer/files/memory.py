"""Whether an image fits into the memory that is free.

Linux promises more memory than there is, and ends a program that then uses it, with everything in it: what cannot fit
is refused before.
"""

import ctypes
import sys
from pathlib import Path

from stmviewer.scan import FileError

#: bytes that an image takes for each of its pixels once it is on show, levelled and in colours
_BYTES_A_PIXEL = 48
#: smaller images are not asked about
_SMALL = 2**20


def free_memory() -> int | None:
    """Bytes of memory that can be had without ending others; None where the system does not say."""
    if sys.platform == "win32":
        return _free_on_windows()
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None


def refuse_too_large(path: Path, pixels: int) -> None:
    """FileError for an image of so many pixels that it does not fit."""
    if pixels < _SMALL:
        return
    free, needed = free_memory(), pixels * _BYTES_A_PIXEL
    if free is not None and needed > free:
        raise FileError(
            path,
            f"an image of {pixels / 1e6:,.0f} million pixels takes about {_size(needed)} of memory, and {_size(free)} "
            "are free",
            "Close other programs, or cut it into smaller images",
        )


def _size(count: int) -> str:
    return f"{count / 1e9:.3g} GB"


def _free_on_windows() -> int | None:
    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_uint32),
            ("load", ctypes.c_uint32),
            ("total", ctypes.c_uint64),
            ("available", ctypes.c_uint64),
            ("total_page_file", ctypes.c_uint64),
            ("available_page_file", ctypes.c_uint64),
            ("total_virtual", ctypes.c_uint64),
            ("available_virtual", ctypes.c_uint64),
            ("available_extended", ctypes.c_uint64),
        )

    status = Status()
    status.length = ctypes.sizeof(Status)
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 (there is none elsewhere, as mypy knows)
    return int(status.available_page_file) if kernel.GlobalMemoryStatusEx(ctypes.byref(status)) else None
