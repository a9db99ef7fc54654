"""Opening what a user drops, types or chooses."""

import os
from collections.abc import Iterable
from pathlib import Path

from stmviewer.files import endings, open_parts, readable
from stmviewer.files.calibration import Calibration, all_calibrated
from stmviewer.scan import FileError, RequestError, Scan
from stmviewer.services.jobs import Context, Job


def scan_files(paths: Iterable[Path | str]) -> list[Path]:
    """The files among `paths`, folders replaced by the readable files in them (not below), sorted by name.

    A file that is named twice, or beside its folder, is there once, at its first place.
    Raises FileError for a path that does not exist and for a folder with nothing readable in it.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        try:
            found += _inside(path) if path.is_dir() else [path]
            there = path.exists()
        except OSError as error:
            raise FileError(path, f"cannot be looked at ({error.strerror})", "Check the path and its rights") from error
        if not there:
            raise FileError(path, "there is no such file or folder", "Check the path")
    once: dict[str, Path] = {}
    for path in found:
        once.setdefault(os.path.normpath(path.absolute()), path)
    return list(once.values())


def _inside(folder: Path) -> list[Path]:
    inside = sorted(p for p in folder.iterdir() if p.is_file() and readable(p))
    if not inside:
        deeper = any(readable(p) for p in folder.glob("*/*"))
        advice = "Its subfolders do: give one of them" if deeper else f"Readable are {endings()}"
        raise FileError(folder, "the folder itself holds no scan", advice)
    return inside


def open_calibrated(path: Path, said: Calibration | None) -> tuple[Scan, ...]:
    """Every scan of a file, with what the user says about images without size and unit.

    Raises RequestError where they have both, as `files.calibration.calibrated` does.
    """
    parts = open_parts(path)
    return all_calibrated(parts, said) if said else parts


def pick_part(parts: tuple[Scan, ...], number: int) -> Scan:
    """Scan `number` of a file, from 1. Raises RequestError that lists what there is."""
    if 1 <= number <= len(parts):
        return parts[number - 1]
    there = "; ".join(part.part.label for part in parts)
    raise RequestError(
        f"{parts[0].name} has no part {number}; it has: {there}"
        if len(parts) > 1
        else f"{parts[0].name} has no part {number}: it holds one scan"
    )


def open_job(path: Path) -> Job:
    """A job that opens every scan of a file and loads the channel that is shown first."""

    def job(context: Context) -> tuple[Scan, ...]:
        parts = open_parts(path)
        context.progress.check()
        _ = parts[0].channel().data
        return parts

    return job
