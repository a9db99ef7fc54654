"""What a training tells of its pace: loss, images a second, time spent waiting for data, memory."""

import sys
import time
from pathlib import Path

import torch

from stmviewer.scan import Cancelled, Progress

_REPORT_S = 5.0


class Meter:
    """Counts the steps from one report to the next."""

    def __init__(self, since: float | None = None) -> None:
        self._since = time.monotonic() if since is None else since
        self._waited = 0.0
        self._losses: list[float] = []

    def waited(self, seconds: float) -> None:
        self._waited += seconds

    def paused(self, seconds: float) -> None:
        """A validation is no time of training: the pace is that of the steps."""
        self._since += seconds

    def step(self, loss: float) -> None:
        """One step; NaN where it was skipped."""
        self._losses.append(loss)

    def due(self, now: float) -> bool:
        return now - self._since > _REPORT_S

    def values(self, now: float, batch: int) -> dict[str, float]:
        good = [x for x in self._losses if x == x]
        span = max(now - self._since, 1e-9)
        return {
            "loss": sum(good) / len(good) if good else float("nan"),
            "images_per_second": len(self._losses) * batch / span,
            "waiting_share": self._waited / span,
        }


def asked_to_stop(progress: Progress) -> bool:
    """Whether the user asked to stop, without the exception that stops."""
    try:
        progress.check()
    except Cancelled:
        return True
    return False


def memory_mb(device: torch.device) -> float | None:
    """Memory in use (1e6 bytes): the most so far on a GPU, that of the process elsewhere; None where nothing says."""
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device) / 1e6
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        import resource

        return pages * resource.getpagesize() / 1e6
    except (OSError, ValueError, IndexError, ImportError):
        return _peak_mb()


def _peak_mb() -> float | None:
    """Where the system does not tell what is in use: the most so far."""
    if sys.platform == "win32":
        import ctypes
        from ctypes import wintypes

        # PROCESS_MEMORY_COUNTERS: a size, a count, then sizes of which the second is the working set
        counters = (ctypes.c_size_t * 10)()
        ctypes.windll.kernel32.GetCurrentProcess.restype = wintypes.HANDLE
        process = ctypes.windll.kernel32.GetCurrentProcess()
        found = ctypes.windll.kernel32.K32GetProcessMemoryInfo(
            wintypes.HANDLE(process), ctypes.byref(counters), wintypes.DWORD(72)
        )
        # 4 + 4 bytes of size and count, then the peak and the present working set
        return counters[2] / 1e6 if found else None
    try:
        import resource
    except ImportError:
        return None
    # bytes on macOS; every other system that comes here counts in kilobytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
