"""How fast files open: one scan, a folder of thumbnails, whole processes; beside nanonispy2 and Gwyddion.

The file is a simulated scan as Nanonis writes it: Z and Current, forward and backward.
"""

import os
import shutil
import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from stmviewer import paths
from stmviewer.evaluate.timing import Timing, timed, whole_process
from stmviewer.files import open_scan, save_scan
from stmviewer.scan import Channel, Progress, Scan
from stmviewer.scan.levelling import level_for_display
from stmviewer.services.thumbnail_cache import ThumbnailCache
from stmviewer.services.thumbnails import ThumbnailRequest, thumbnails
from stmviewer.simulate import simulate_scan, to_scan

_FOLDER = 200
_THUMBNAIL = 88


def program() -> list[str]:
    """The words that start this program: itself when frozen, else the module."""
    return paths.command()


def bench_files(progress: Progress, *, size: int = 512, count: int = _FOLDER) -> list[Timing]:
    """Times opening a .sxm of `size` x `size` pixels, and the thumbnails of `count` of them."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        file = save_scan(_scan(size), folder / "bench_converted.sxm")
        jobs = [*_opening(file, size), *_thumbnails(file, folder, count), *_processes(file, folder, size)]
        progress = progress.part(1.0, "Timing files", len(jobs))
        found = []
        for job in jobs:
            found.append(job())
            progress.tick()
        return found


def _scan(size: int) -> Scan:
    scan = to_scan(simulate_scan("si001h", size, size, 0.1e-9, "realistic", 0))
    heights = scan.channel().data
    noise = np.random.default_rng(0).normal(5e-11, 1e-12, heights.shape)
    return Scan(
        [
            Channel("Z", "m", heights),
            Channel("Z", "m", heights, "backward"),
            Channel("Current", "A", noise),
            Channel("Current", "A", noise, "backward"),
        ],
        scan.geometry,
    )


def _opening(file: Path, size: int) -> list[Callable[[], Timing]]:
    def level() -> None:
        level_for_display(open_scan(file).channel().data)

    def read_all() -> None:
        for channel in open_scan(file).channels:
            _ = channel.data

    what = f"{size} x {size} .sxm"
    jobs = [
        lambda: timed(f"open and level {what}", level),
        lambda: timed(f"open {what}, all 4 channels", read_all),
    ]
    if (read := _nanonispy2()) is not None:
        jobs.append(lambda: timed(f"the same with nanonispy2, {what}", lambda: read(file)))
    return jobs


def _thumbnails(file: Path, folder: Path, count: int) -> list[Callable[[], Timing]]:
    files = _many(file, folder / "folder", count)
    request = ThumbnailRequest(_THUMBNAIL)

    def make(cache: ThumbnailCache | None) -> None:
        made = list(thumbnails(files, request, Progress(), cache))
        assert len(made) == count and not any(thumbnail.fault for thumbnail in made)

    def each(timing: Timing) -> Timing:
        note = f"{1e3 * timing.median_s / count:.1f} ms each"
        return Timing(timing.what, timing.median_s, timing.least_s, timing.most_s, note)

    jobs = [
        lambda: each(timed(f"thumbnails of {count} files", lambda: make(None))),
        # a cache object of its own each time: what counts is what lies on the disk
        lambda: each(timed(f"thumbnails of {count} files, seen before", lambda: make(ThumbnailCache(folder / "kept")))),
    ]
    if (read := _nanonispy2()) is not None:
        jobs.append(lambda: each(timed(f"reading {count} files with nanonispy2", lambda: [read(f) for f in files])))
    return jobs


def made_folder(folder: Path, count: int, *, size: int = 256) -> list[Path]:
    """`count` .sxm files of a simulated scan in a new folder."""
    return _many(save_scan(_scan(size), folder.parent / "bench_converted.sxm"), folder, count)


def _many(file: Path, folder: Path, count: int) -> list[Path]:
    """The file under `count` names: hundreds of megabytes need not be written."""
    folder.mkdir()
    files = [folder / f"{number:04}.sxm" for number in range(count)]
    for one in files:
        try:
            os.link(file, one)
        except OSError:
            shutil.copyfile(file, one)
    return files


def _processes(file: Path, folder: Path, size: int) -> list[Callable[[], Timing]]:
    def process(what: str, command: Sequence[str]) -> Callable[[], Timing]:
        return lambda: whole_process(f"{what}, whole process", command)

    kind = f"{size} x {size} .sxm"
    convert = [*program(), "convert", str(file), "-o", str(folder / "out"), "--format", "gwy"]
    jobs = [
        process(f"stmviewer info, {kind}", [*program(), "info", str(file)]),
        process(f"stmviewer convert to .gwy, {kind}", convert),
    ]
    if (gwyddion := shutil.which("gwyddion")) is not None:
        made = f"--convert-to-gwy={folder / 'by-gwyddion.gwy'}"
        jobs.append(process(f"Gwyddion's converter to .gwy, {kind}", [gwyddion, made, str(file)]))
    return jobs


def _nanonispy2() -> Callable[[Path], object] | None:
    if find_spec("nanonispy2") is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from nanonispy2.read import Scan as NanonisScan

    def read(file: Path) -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return NanonisScan(str(file)).signals

    return read
