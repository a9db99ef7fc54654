"""The images of a study: good scans, degraded ones, and pairs of both."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stmviewer.evaluate.sets import centre
from stmviewer.files import file_sha256, open_scan, readable
from stmviewer.scan import Channel, FileError, FloatArray, Progress, Scan, StmviewerError
from stmviewer.scan.corrugation import find_rows
from stmviewer.scan.levelling import fit_plane, robust_range
from stmviewer.simulate import degrade

#: scans under this many pixels a side are left out
LEAST_SIDE = 32
#: what a pixel and the 1 to 99 % range are taken to be, for simulated damage, where a scan does not say
_NOMINAL_PIXEL_M, _NOMINAL_RANGE_M = 0.1e-9, 0.12e-9


@dataclass(frozen=True)
class Image:
    """One image: the middle of a scan (256 pixels a side at most), its truth where it is known, the place or session
    that it belongs to, and the hash of its file. Images of one `name` are of one place."""

    name: str
    scan: Scan
    truth: FloatArray | None
    group: str
    sha256: str

    @property
    def data(self) -> FloatArray:
        return self.scan.channel().data

    @property
    def in_metres(self) -> bool:
        return self.scan.channel().unit == "m"


def read_folder(folder: Path, most: int, progress: Progress, *, good: bool) -> list[Image]:
    """At most so many fully measured scans below `folder`, evenly spread; unreadable and flat ones are left out.

    Of simulated pairs (`stmviewer simulate`) `good` takes the perfect image, else the degraded one with the perfect one
    as its truth. Scans are grouped by what their names begin with, up to the first underscore; where all begin alike
    each is a group of its own. Raises FileError when nothing is left.
    """
    if not folder.is_dir():
        cause = "is a file, not a folder" if folder.exists() else "there is no such folder"
        raise FileError(folder, cause, "Give a folder of scans")
    files = [p for p in sorted(folder.rglob("*")) if p.is_file() and readable(p)]
    found: list[Image] = []
    ticks = progress.part(1.0, f"Reading {folder.name}", max(len(files), 1))
    for file in _spread(files):
        if len(found) == most:
            break
        ticks.tick()
        image = _read(file, folder, good)
        if image is not None:
            found.append(image)
    if not found:
        raise FileError(
            folder, "no scan in this folder can be used", "Give fully measured scans of 32 x 32 pixels or more"
        )
    found.sort(key=lambda image: image.name)
    if len({image.group for image in found}) == 1:
        found = [replace(image, group=image.name) for image in found]
    return found


def _spread(files: Sequence[Path]) -> list[Path]:
    """In an order of which every beginning is spread evenly: the bits of the position, turned round."""
    if not files:
        return []
    bits = max(1, (len(files) - 1).bit_length())
    turned = [int(f"{k:0{bits}b}"[::-1], 2) for k in range(2**bits)]
    return [files[k] for k in turned if k < len(files)]


def _read(file: Path, folder: Path, good: bool) -> Image | None:
    try:
        scan = open_scan(file)
        degraded, truth = _channels(scan)
        channel = truth if good and truth is not None else degraded
        whole = bool(channel.measured.all()) and min(channel.data.shape) >= LEAST_SIDE
        if not whole or channel.why_not_restorable() is not None:
            return None
        middle = centre(scan, channel)
        known = None
        if not good and truth is not None and truth.data.shape == channel.data.shape:
            known = centre(scan, truth).channel().data
    except StmviewerError:
        return None
    name = file.relative_to(folder).as_posix()
    return Image(name, middle, known, file.stem.split("_")[0], file_sha256(file))


def _channels(scan: Scan) -> tuple[Channel, Channel | None]:
    """What was measured, and the truth where the file is a simulated pair."""
    named = next((c for c in scan.channels if c.name.casefold() == "z pristine"), None)
    if named is None and scan.provenance is not None and "recipe" in scan.provenance:
        named = next((c for c in scan.channels if c.role == "restored"), None)
    if named is None:
        return scan.channel(), None
    raw = [c for c in scan.channels if c is not named and c.role == "raw"]
    return (next((c for c in raw if c.direction == "forward"), named), named)


def damaged(images: Sequence[Image], preset: str, seed: int, progress: Progress) -> list[Image]:
    """The good images, degraded by simulation; the truth is the good one.

    Where a scan has no size or is no height, its pixels are taken from its dimer rows (or to be 0.1 nm) and its 1 to
    99 % range to be 0.12 nm: what the preset does is in metres.
    """
    ticks = progress.part(1.0, "Degrading by simulation", max(len(images), 1))
    found = []
    for k, image in enumerate(images):
        ticks.tick()
        g, channel = image.scan.geometry, image.scan.channel()
        low, high = robust_range(channel.data - fit_plane(channel.data))
        known = g.calibrated and image.in_metres
        scale = 1.0 if known else _NOMINAL_RANGE_M / (high - low)
        rows = None if g.calibrated else find_rows(channel.data)
        pixel_m = g.pixel_width if g.calibrated else rows.pixel_m if rows is not None else _NOMINAL_PIXEL_M
        rng = np.random.default_rng((seed, k))
        pair = degrade(channel.data * scale, preset, rng, pixel_m=float(np.clip(pixel_m, 0.02e-9, 1e-9)), rotate=False)
        bad = Channel(channel.name, channel.unit, pair.degraded / scale)
        scan = Scan([bad], g, path=image.scan.path)
        found.append(replace(image, scan=scan, truth=pair.clean / scale))
    return found
