"""Timing one thing a few times, in this process or as a process of its own; and the memory that a process took."""

import ctypes
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

_REPEATS = 3


@dataclass(frozen=True)
class Timing:
    """Median, least and most seconds of a few runs of one thing, after a first one that is not counted.

    `values` are further numbers, for machines; the note says them in words.
    """

    what: str
    median_s: float
    least_s: float
    most_s: float
    note: str = ""
    values: dict[str, float] = field(default_factory=dict)


def timed(what: str, action: Callable[[], object], note: str = "") -> Timing:
    """Times `action`: a few runs after a first one that warms up."""
    action()
    seconds = []
    for _ in range(_REPEATS):
        begun = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - begun)
    return Timing(what, float(np.median(seconds)), min(seconds), max(seconds), note)


def whole_process(what: str, command: Sequence[str]) -> Timing:
    """Times a command from its start to its end, the interpreter included."""
    return timed(what, lambda: subprocess.run(command, check=True, capture_output=True))


def peak_memory() -> int:
    """The most bytes of main memory that this process has held so far; 0 where the system does not say.

    Not `ru_maxrss` where there is another way: on Linux a child begins with that of its parent.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    if sys.platform == "win32":
        return _peak_on_windows()
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


class _Counters(ctypes.Structure):
    """PROCESS_MEMORY_COUNTERS of psapi.h."""

    _fields_ = [("cb", ctypes.c_ulong), ("PageFaultCount", ctypes.c_ulong)] + [
        (name, ctypes.c_size_t)
        for name in (
            "PeakWorkingSetSize", "WorkingSetSize", "QuotaPeakPagedPoolUsage", "QuotaPagedPoolUsage",
            "QuotaPeakNonPagedPoolUsage", "QuotaNonPagedPoolUsage", "PagefileUsage", "PeakPagefileUsage",
        )
    ]  # fmt: skip


def _peak_on_windows() -> int:
    counters = _Counters()
    counters.cb = ctypes.sizeof(counters)
    kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    process = ctypes.c_void_p(kernel.GetCurrentProcess())
    if not kernel.K32GetProcessMemoryInfo(process, ctypes.byref(counters), counters.cb):
        return 0
    return int(counters.PeakWorkingSetSize)
