"""Real images to compare simulated ones with: from a folder, each with a pixel size, known or estimated."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stmviewer.files import READABLE, open_scan
from stmviewer.scan import FileError, FloatArray, Progress, StmviewerError
from stmviewer.scan.corrugation import Corrugation, agreed_pixels, find_rows

#: images are cut to this many pixels about their centre
SIDE = 256
_LEAST_SIDE = 64


@dataclass(frozen=True)
class RealImage:
    """The centre of a real scan, in whatever unit it has. `pixel_m` is the file's own, or estimated from the dimer
    rows (`estimated`); `group` is its session: what its name begins with, up to the first underscore."""

    path: Path
    data: FloatArray
    pixel_m: float
    group: str
    estimated: bool = False


def read_images(
    folder: Path,
    progress: Progress,
    *,
    count: int | None = None,
    without: Sequence[str] = (),
    only: Sequence[str] | None = None,
    side: int = SIDE,
    seed: int = 0,
) -> list[RealImage]:
    """Fully measured images below `folder`, `count` of them at most, drawn so that every session has its share;
    at most `side` pixels a side about their centre.

    Sessions named in `without` are left out, and where `only` is given all but those; so are images that cannot be
    read, are constant or are smaller than 64 pixels a side. Pixel sizes of images without one are estimated from the
    dimer rows of Si(001), 0.768 nm apart, and where these are not clear taken from the other images of the session.
    Raises FileError where the folder is missing, nothing in it can be used, or no pixel size is known.
    """
    if not folder.is_dir():
        raise FileError(folder, "there is no such folder", "Give a folder of real scans")
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in READABLE and p.is_file())
    if not files:
        suffixes = ", ".join(sorted({s.lower() for s in READABLE}))
        raise FileError(folder, "holds no scan to compare with", f"Readable are {suffixes}")
    files = [p for p in files if session_of(p) not in without and (only is None or session_of(p) in only)]
    if not files:
        raise FileError(folder, "holds no scan of the sessions that are asked for", "Check the list of sessions")
    ticks = progress.part(1.0, "Reading real images", min(len(files), count or len(files)))
    found: list[RealImage] = []
    rows: dict[Path, Corrugation | None] = {}
    for file in _in_turn(files, seed):
        if count is not None and len(found) >= count:
            break
        try:
            scan = open_scan(file)
            channel = scan.channel()
            usable = channel.why_not_restorable() is None and bool(channel.measured.all())
        except StmviewerError:
            continue
        if not usable or min(channel.data.shape) < _LEAST_SIDE:
            continue
        ticks.tick()
        image = _centre(channel.data, side)
        if scan.geometry.calibrated:
            found.append(RealImage(file, image, scan.geometry.pixel_width, session_of(file)))
            continue
        rows[file] = find_rows(image)
        found.append(RealImage(file, image, 0.0, session_of(file), estimated=True))
    if not found:
        raise FileError(folder, "no image in this folder can be compared with", "Give fully measured scans")
    found = _sized(folder, found, rows)
    if len({image.group for image in found}) == 1:
        found = [replace(image, group=str(k)) for k, image in enumerate(found)]
    return sorted(found, key=lambda image: image.path)


def session_of(file: Path) -> str:
    """What the name of a file begins with, up to the first underscore: in many laboratories the session."""
    return file.stem.split("_")[0]


def _in_turn(files: Sequence[Path], seed: int) -> list[Path]:
    """The files in an order that takes one of each session, then the next of each; random within a session."""
    rng = np.random.default_rng(seed)
    sessions: dict[str, list[Path]] = {}
    for file in files:
        sessions.setdefault(session_of(file), []).append(file)
    shuffled = [[members[k] for k in rng.permutation(len(members))] for members in sessions.values()]
    ranked = [(turn, n, file) for n, members in enumerate(shuffled) for turn, file in enumerate(members)]
    return [file for _, _, file in sorted(ranked)]


def _centre(data: FloatArray, side: int) -> FloatArray:
    rows, columns = (min(n, side) for n in data.shape)
    top, left = ((n - k) // 2 for n, k in zip(data.shape, (rows, columns), strict=True))
    return np.array(data[top : top + rows, left : left + columns], dtype=np.float64)


def _sized(folder: Path, images: list[RealImage], rows: dict[Path, Corrugation | None]) -> list[RealImage]:
    """The images, those without a pixel size with the one that their rows, or those of their session, tell."""
    unsized = [image for image in images if image.estimated]
    if not unsized:
        return images
    sizes = agreed_pixels([rows[image.path] for image in unsized], [image.group for image in unsized])
    if sizes is None:
        known = [image.pixel_m for image in images if not image.estimated]
        if not known:
            raise FileError(
                folder,
                "the images have no pixel size, and no dimer rows of Si(001) are seen in them to estimate it",
                "Give scans that know their size",
            )
        sizes = [float(np.median(known))] * len(unsized)
    size = {image.path: pixel_m for image, pixel_m in zip(unsized, sizes, strict=True)}
    return [replace(image, pixel_m=size.get(image.path, image.pixel_m)) for image in images]
