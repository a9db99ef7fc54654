"""Reads a file to its last value and says whether that ended as it must."""

import gc
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stmviewer.files import kind_of, open_parts, read_grid, read_spectrum
from stmviewer.scan import FileError, Grid, Scan, Spectrum

try:
    import resource
except ImportError:  # Windows: memory is not limited there
    resource = None  # type: ignore[assignment]

#: what a file may cost beyond four times its size
_FREELY = 200 * 10**6


@dataclass(frozen=True)
class Verdict:
    """How reading ended: "opened", "refused", or "fault" with what went wrong; processor seconds that it took."""

    outcome: str
    seconds: float
    said: str = ""


def judge(path: Path) -> Verdict:
    """Reads `path` with what opens it, under the memory limit."""
    begun = time.process_time()
    try:
        with _memory(4 * path.stat().st_size + _FREELY), warnings.catch_warnings():
            warnings.simplefilter("error")  # a warning would come out on the user's console
            _read(path)
        outcome, said = "opened", ""
    except FileError as error:
        outcome, said = "refused", str(error)
        if fault := _complaint(path, error):
            outcome, said = "fault", f"{fault}: {error}\n{traceback.format_exc()}"
    except BaseException as error:
        outcome, said = "fault", f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
    return Verdict(outcome, time.process_time() - begun, said)


def _read(path: Path) -> None:
    match kind_of(path):
        case "dat":
            _check_spectrum(read_spectrum(path))
            try:
                open_parts(path)
            except FileError:
                return
            raise AssertionError("a spectrum opened as an image")
        case "3ds":
            grid = read_grid(path)
            _check_grid(grid)
            if grid.parameters:
                _check_scans(path)
        case _:
            _check_scans(path)


def _check_scans(path: Path) -> None:
    parts = open_parts(path)
    assert parts
    for part in parts:
        _check_scan(part)


def _check_scan(scan: Scan) -> None:
    assert len({(c.name.casefold(), c.direction, c.role) for c in scan.channels}) == len(scan.channels)
    rows = scan.geometry.rows
    for channel in scan.channels:
        some = channel.lines(3, rows)  # as thumbnails read them, before all are in memory
        _check_values(channel.data, scan.geometry.shape)
        np.testing.assert_array_equal(some, channel.data[min(1, rows - 1) :: 3])
    assert np.isfinite([*scan.geometry.centre, scan.geometry.angle_deg]).all()
    for value in (scan.bias_v, scan.setpoint_a, *(scan.line_time_s or ())):
        assert value is None or np.isfinite(value)
    assert all(isinstance(note, str) for note in scan.notes)


def _check_grid(grid: Grid) -> None:
    for stack in grid.channels:
        _check_values(stack.data, grid.shape)
        stack._data = None  # the window shows one at a time
    for image in grid.parameters:
        _check_values(image.data, grid.geometry.shape)
    grid.spectrum(0, 0)


def _check_spectrum(spectrum: Spectrum) -> None:
    for curve in (spectrum.sweep, *spectrum.channels):
        _check_values(curve.data, (spectrum.points,))


def _check_values(data: np.ndarray, shape: tuple[int, ...]) -> None:
    assert data.shape == shape
    assert data.dtype == np.float64
    assert not np.isinf(data).any()


def _complaint(path: Path, error: FileError) -> str:
    """What is wrong with an error, if anything: it must name the file and a cause that the user understands."""
    if isinstance(error.__cause__, MemoryError) or "memory" in error.cause:
        return "it took more memory than it may"
    if error.path != path:
        return f"it names another file, {error.path}"
    if len(error.cause) < 8 or "\n" in str(error):
        return "its cause is no line of words"
    if "Error" in error.cause and "(" not in error.cause:
        return "its cause is the name of an exception"
    return ""


@contextmanager
def _memory(allowance: int) -> Iterator[None]:
    """Fails every allocation beyond what the process has now and `allowance` bytes."""
    statm = Path("/proc/self/statm")
    if resource is None or not statm.exists():
        yield
        return
    gc.collect()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    now = int(statm.read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + allowance, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
