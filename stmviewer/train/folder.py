"""A laboratory's own good scans as a source of clean crops."""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stmviewer.files import endings, open_scan, readable
from stmviewer.scan import FileError, FloatArray, Progress, RequestError, StmviewerError
from stmviewer.scan.corrugation import Corrugation, agreed_pixels, find_rows
from stmviewer.scan.levelling import fit_plane, robust_range
from stmviewer.simulate.real_images import ALL_TURNS, LINES_STAY, cut, line_noise
from stmviewer.train.dataset import small_crop

_log = logging.getLogger(__name__)
#: degradations are in metres: what an uncalibrated image is taken for
_NOMINAL_PIXEL_M = 0.06e-9
_NOMINAL_HALF_RANGE_M = 60e-12
#: crops up to this size are drawn for the coarse versions of small scans
_SMALL = 32
#: the smallest crop, and what a scan must have besides
_LEAST_CROP, _MARGIN = 32, 32
#: a list of the sessions of a folder that models are judged by: what file names begin with, up to the first underscore
_SESSIONS = "validation_sessions.txt"
JUDGED_BY = f"of a session that models are judged by ({_SESSIONS})"
#: reasons that are told one by one
_TOLD = 20


@dataclass(frozen=True)
class Rejected:
    """A file that was not used, and why; `side` where it is because it has so few pixels on its shorter side."""

    path: Path
    reason: str
    side: int | None = None


class _TooSmall(RequestError):
    def __init__(self, side: int, least: int) -> None:
        super().__init__(f"smaller than {least} pixels a side ({side})")
        self.side = side


@dataclass(frozen=True)
class FolderSource:
    """Good scans, levelled, in memory; crops are turned, flipped, and sometimes made coarser."""

    images: tuple[FloatArray, ...]
    pixels_m: tuple[float, ...]
    paths: tuple[Path, ...]
    rejected: tuple[Rejected, ...]
    #: largest factor by which a crop is made coarser; training must cover the sampling of scans to come
    coarsest: int = 12
    #: whether every scan knew its pixel size; the others count as 0.06 nm
    calibrated: bool = False
    #: what each image was multiplied with; NaN where its values are not metres
    scales: tuple[float, ...] = ()
    #: line noise of each image (rows,), found once; empty: none
    lines: tuple[FloatArray, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    def side(self, i: int) -> int:
        return min(self.images[i].shape)

    def crop(self, i: int, size: int, rng: np.random.Generator) -> FloatArray:
        """A random crop (size, size) in metres, turned by a random quarter; line noise is off where lines are turned
        into columns."""
        lines = self.lines[i] if self.lines else None
        return cut(self.images[i], (size, size), self._factor(i, size, rng), rng, ALL_TURNS, lines).image

    def scanned(self, i: int, size: int, rng: np.random.Generator) -> tuple[FloatArray, float | None]:
        """A random crop (size, size) in metres with its lines horizontal, and its pixel size where that is known.

        Flipped only: the noise of a scanner runs along its lines, and a rebuilt line has noise of its own.
        """
        factor = self._factor(i, size, rng)
        part = cut(self.images[i], (size, size), factor, rng, LINES_STAY).image
        return part, self.pixels_m[i] * factor if self.calibrated else None

    def pixel_range_m(self, size: int) -> tuple[float, float]:
        """The smallest and largest pixel (m) of crops of `size` pixels, with those of small crops."""
        smallest = small_crop(size)
        coarsest = (p * max(1, min(self.coarsest, self.side(i) // smallest)) for i, p in enumerate(self.pixels_m))
        return min(self.pixels_m), max(coarsest)

    def _factor(self, i: int, size: int, rng: np.random.Generator) -> int:
        """How much coarser a crop becomes; whole, so that it needs no line between two that were scanned.

        Less often the coarser, which look more alike; but that is what small crops are for.
        """
        most = max(1, min(self.coarsest, min(self.images[i].shape) // size))
        chance = np.arange(1, most + 1) ** (-0.5 if size > _SMALL else 0.0)
        return 1 + int(rng.choice(most, p=chance / chance.sum()))


def read_folder(
    folder: Path,
    least: int,
    listed: list[str] | None,
    progress: Progress,
    *,
    size_by_rows: bool = False,
    image_pixel_m: float | None = None,
    training: bool = False,
) -> FolderSource:
    """Reads every readable scan below `folder` (only `listed` ones, as paths relative to it, when given).

    Left out, with the reason, which is logged as a warning too, are scans without a value at some pixel, smaller than
    `least` pixels a side, constant, in another unit than most, and, of those for `training`, scans of sessions that the
    folder keeps for judging (`judged_by`). Scans that do not know their pixel size have `image_pixel_m`;
    or, with `size_by_rows`, that of the dimer rows of Si(001) in them or in their session (what file names begin with,
    up to the first underscore); else they count as 0.06 nm.
    Raises FileError when the folder is missing or nothing in it can be used.
    """
    if folder.is_file():
        raise FileError(folder, "is a file, not a folder", "Give the folder that it is in; stmviewer adapt takes files")
    if not folder.is_dir():
        raise FileError(folder, "there is no such folder", "Give a folder of good scans, or simulated:si001h")
    paths = (
        [folder / name for name in listed]
        if listed is not None
        else sorted(p for p in folder.rglob("*") if p.is_file() and readable(p))
    )
    judging = judged_by(folder) if training else frozenset()
    found: list[_Read] = []
    rejected: list[Rejected] = []
    progress = progress.part(1.0, "Reading scans", max(len(paths), 1))
    for path in paths:
        progress.tick()
        if session(path) in judging:
            rejected.append(Rejected(path, JUDGED_BY))
            continue
        try:
            found.append(_read(path, least, size_by_rows))
        except _TooSmall as error:
            rejected.append(Rejected(path, str(error), error.side))
        except FileError as error:
            rejected.append(Rejected(path, error.cause))
        except StmviewerError as error:
            rejected.append(Rejected(path, str(error)))
    usual = usual_unit([one.unit for one in found])
    rejected += [Rejected(one.path, in_another_unit(one.unit, usual)) for one in found if one.unit != usual]
    found = [one for one in found if one.unit == usual]
    if not found:
        raise _none_usable(folder, rejected, least, training=training)
    pixels = [image_pixel_m or _NOMINAL_PIXEL_M if one.pixel_m is None else one.pixel_m for one in found]
    rows = {k: one.rows for k, one in enumerate(found) if one.pixel_m is None and image_pixel_m is None}
    sizes = agreed_pixels(list(rows.values()), [session(found[i].path) for i in rows])
    if size_by_rows and rows and sizes is None:
        raise FileError(folder, "no dimer rows are seen in its scans", "Train without estimating pixel sizes by them")
    for i, size in zip(rows, sizes or (), strict=sizes is not None):
        pixels[i] = size
    for one in rejected[:_TOLD]:
        _log.warning("%s is left out: %s", one.path, one.reason)
    if len(rejected) > _TOLD:
        _log.warning("%d more are left out", len(rejected) - _TOLD)
    return FolderSource(
        images=tuple(one.image for one in found),
        pixels_m=tuple(pixels),
        paths=tuple(one.path for one in found),
        rejected=tuple(rejected),
        calibrated=not rows or sizes is not None,
        scales=tuple(one.scale for one in found),
        lines=tuple(line_noise(one.image) for one in found),
    )


def _none_usable(folder: Path, rejected: Sequence[Rejected], least: int, *, training: bool) -> FileError:
    """The error for a folder of which nothing can be used, with what helps."""
    if not rejected:
        return FileError(folder, "there is no scan in this folder", f"Readable are {endings()}")
    more = f" ({len(rejected)} files, none can be used)" if len(rejected) > 1 else ""
    cause = f"no scan in this folder can be used; {rejected[0].path.name}: {rejected[0].reason}{more}"
    sides = [one.side for one in rejected if one.side is not None]
    if not sides:
        return FileError(folder, cause, "Give whole scans of a surface, measured to the last line")
    fitting = _LEAST_CROP + _MARGIN
    if training and max(sides) >= fitting < least:
        return FileError(folder, cause, f"--crop {_LEAST_CROP} takes scans from {fitting} pixels a side on")
    return FileError(folder, cause, f"Give larger scans, {least} pixels a side at least")


@dataclass(frozen=True)
class _Read:
    """A good scan; `pixel_m` is None where it is not known, `rows` are the dimer rows where they were looked for."""

    path: Path
    unit: str
    image: FloatArray
    scale: float
    pixel_m: float | None
    rows: Corrugation | None


def _read(path: Path, least: int, size_by_rows: bool) -> _Read:
    """A scan to train on. Raises FileError or RequestError, whose text is the reason, for what is none."""
    scan = open_scan(path)
    channel = scan.channel()
    reason = channel.why_not_restorable()  # reads the data, which may be damaged
    if reason is None and not channel.measured.all():
        reason = "some of its pixels were not measured"
    if reason is not None:
        raise RequestError(reason)
    if (side := min(channel.data.shape)) < least:
        raise _TooSmall(side, least)
    image, scale = _clean(channel.data)
    known = scan.geometry.calibrated
    rows = find_rows(channel.data) if size_by_rows and not known else None
    in_metres = scale if channel.unit == "m" else math.nan
    return _Read(path, channel.unit, image, in_metres, scan.geometry.pixel_width if known else None, rows)


def session(path: Path) -> str:
    """What a file name begins with, up to the first underscore."""
    return path.name.split("_")[0]


def judged_by(folder: Path) -> frozenset[str]:
    """The sessions that a folder keeps for judging models, which nothing may be trained on; the list lies in it or
    beside it, as good and bad scans of one laboratory may lie in a folder each."""
    sessions: set[str] = set()
    for path in (folder / _SESSIONS, folder.absolute().parent / _SESSIONS):
        try:
            sessions.update(path.read_text(encoding="utf-8").split() if path.is_file() else ())
        except (OSError, UnicodeDecodeError) as error:
            raise FileError(path, f"cannot be read ({error})", "Give a text file, one session a line") from error
    return frozenset(sessions)


def usual_unit(units: Sequence[str]) -> str:
    """What most scans are in: heights and currents of one surface do not look alike. Of as many heights."""
    return max(dict.fromkeys(units), key=lambda unit: (units.count(unit), unit == "m"), default="m")


def in_another_unit(unit: str, usual: str) -> str:
    """The reason, in words."""
    have, most = (f"in {u}" if u else "without a unit" for u in (unit, usual))
    return f"{have}, where most scans of the folder are {most}"


def _clean(data: FloatArray) -> tuple[FloatArray, float]:
    """Plane removed, robust range scaled to a lattice's height, spikes clipped: one bad pixel must not rule a batch.

    And what the heights were multiplied with.
    """
    level = data - fit_plane(data)
    low, high = robust_range(level)
    scale = _NOMINAL_HALF_RANGE_M / ((high - low) / 2)
    return _NOMINAL_HALF_RANGE_M * np.clip((level - (low + high) / 2) / ((high - low) / 2), -3, 3), scale
