"""Small pictures of many files, one after the other, for lists of folders.

Of each file no more is read than the channel on show, and of that no more lines than a thumbnail has, where the format
allows it. Every thumbnail is levelled as the first look at a scan is.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stmviewer import paths
from stmviewer.files import open_scan
from stmviewer.scan import Channel, Direction, FloatArray, Geometry, Progress, RequestError, Scan, StmviewerError
from stmviewer.scan.levelling import constant_value, level_for_display, robust_range
from stmviewer.services.events import Thumbnail
from stmviewer.services.file_facts import FileFacts
from stmviewer.services.jobs import Context, Job
from stmviewer.services.thumbnail_cache import ThumbnailCache

Order = Literal["name", "newest"]
#: units of what shows a surface that the topography does not: currents and frequency shifts
_TELLING = ("A", "Hz")
_log = logging.getLogger(__name__)
_NOTHING = np.zeros((0, 0), dtype=np.uint8)


@dataclass(frozen=True)
class ThumbnailRequest:
    """Which thumbnails: pixels of the longer side, and the channel and direction where a file has them.

    Without a channel, and in files without it, the topography is shown.
    """

    side: int = 64
    channel: str | None = None
    direction: Direction | None = None


def in_order(files: Sequence[Path], order: Order) -> list[Path]:
    """`files` by name, or the last changed first; those that cannot be looked at come last."""
    if order == "name":
        return sorted(files)
    return sorted(files, key=lambda path: (-_changed(path), path))


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def thumbnails(
    files: Sequence[Path], request: ThumbnailRequest, progress: Progress, cache: ThumbnailCache | None = None
) -> Iterator[Thumbnail]:
    """One thumbnail a file, each made when it is asked for; one with a fault for a file that cannot be shown.

    Raises Cancelled between two files.
    """
    progress = progress.part(1.0, "Thumbnails", len(files))
    for path in files:
        progress.check()
        yield _cached(path, request, cache)
        progress.tick()


def thumbnails_job(files: Sequence[Path], request: ThumbnailRequest, cache: ThumbnailCache | None = None) -> Job:
    """A job that emits a Thumbnail event for each file; its result is how many there were."""

    def job(context: Context) -> int:
        for thumbnail in thumbnails(files, request, context.progress, cache or user_cache()):
            context.emit(thumbnail)
        return len(files)

    return job


@cache
def user_cache() -> ThumbnailCache:
    """The cache of this user, the same for every window of this process."""
    return ThumbnailCache(paths.cache() / "thumbnails")


def _cached(path: Path, request: ThumbnailRequest, cache: ThumbnailCache | None) -> Thumbnail:
    try:
        key = cache.key(path, repr(request)) if cache is not None else ""
    except (OSError, ValueError):
        cache = None  # gone or barred: opening it says how
    if cache is not None and (found := cache.find(key, path)) is not None:
        return found
    try:
        made = make_thumbnail(open_scan(path), request)
    except StmviewerError as error:
        return Thumbnail(path, _NOTHING, "", str(error))
    except MemoryError:
        return Thumbnail(path, _NOTHING, "", f"{path}: it does not fit into the memory of this computer")
    except Exception as error:  # a fault of ours in one file costs the others nothing
        _log.exception("no thumbnail of %s", path)
        return Thumbnail(path, _NOTHING, "", f"{path}: a fault of stmviewer: {error or type(error).__name__}")
    if cache is not None:
        cache.keep(key, made)
    return made


def make_thumbnail(scan: Scan, request: ThumbnailRequest) -> Thumbnail:
    """The thumbnail of a scan. Raises FileError where its data are damaged."""
    rows, columns = _pixels(scan.geometry, request.side)
    step = max(scan.geometry.rows // rows, 1)
    for channel in _channels(scan, request):
        image = resampled(channel.lines(step, scan.geometry.rows), rows, columns)
        if not _is_flat(image):
            break
    assert scan.path is not None
    return Thumbnail(scan.path, _grey(image), channel.label, facts=FileFacts.of(scan))


def _channels(scan: Scan, request: ThumbnailRequest) -> list[Channel]:
    """The channel to show, and those to show in its place where it is the same everywhere.

    A scan at constant height has a flat topography: what it measured is in the others.
    """
    first = scan.channel()
    for direction in (request.direction, None):
        with suppress(RequestError):
            first = scan.channel(request.channel, direction)
            break
    return [first, *instead_of(scan, first), first]


def instead_of(scan: Scan, channel: Channel) -> list[Channel]:
    """The channels that may show the surface where `channel` is the same everywhere, the likeliest first."""
    found = [
        c for c in scan.channels if (c.role, c.direction) == (channel.role, channel.direction) and c is not channel
    ]
    return sorted(found, key=lambda c: _TELLING.index(c.unit) if c.unit in _TELLING else len(_TELLING))


def _is_flat(image: FloatArray) -> bool:
    known = image[np.isfinite(image)]
    return known.size == 0 or constant_value(known) is not None


def _pixels(frame: Geometry, side: int) -> tuple[int, int]:
    """(rows, columns) of a thumbnail in the proportions of the frame; no image is so long that nothing is seen."""
    aspect = min(max(frame.height / frame.width, 0.125), 8.0)
    return (max(round(side * aspect), 1), side) if aspect <= 1 else (side, max(round(side / aspect), 1))


def resampled(image: FloatArray, rows: int, columns: int) -> FloatArray:
    """`image` on rows x columns pixels: means of what is measured where there are fewer, repeated where there are more.

    NaN where nothing was measured.
    """
    return _along_columns(_along_columns(image, columns).T, rows).T


def _along_columns(image: FloatArray, columns: int) -> FloatArray:
    """(rows, n) to (rows, columns)."""
    there = image.shape[1]
    if columns >= there:
        nearest: FloatArray = image[:, (2 * np.arange(columns) + 1) * there // (2 * columns)]
        return nearest
    edges = np.arange(columns) * there // columns
    known = np.isfinite(image)
    counts = np.add.reduceat(known, edges, axis=1, dtype=np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        means: FloatArray = np.add.reduceat(np.where(known, image, 0.0), edges, axis=1) / counts
    return means


def _grey(image: FloatArray) -> NDArray[np.uint8]:
    """Levelled: 0 where nothing was measured, 1 to 255 from low to high."""
    with np.errstate(all="ignore"):  # damaged files hold numbers whose squares are too large
        level = level_for_display(image)
        low, high = robust_range(level)
        grey = 1 + 254 * np.clip((level - low) / (high - low), 0, 1)
    return np.where(np.isfinite(grey), np.rint(grey), 0).astype(np.uint8)
