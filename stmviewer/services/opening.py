"""Opening what a user drops, types or chooses."""

from collections.abc import Iterable
from pathlib import Path

from stmviewer.files import READABLE, open_scan
from stmviewer.scan import FileError, Scan
from stmviewer.services.jobs import Context, Job


def scan_files(paths: Iterable[Path | str]) -> list[Path]:
    """The files among `paths`, folders replaced by the readable files in them (not below), sorted by name.

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
    return found


def _inside(folder: Path) -> list[Path]:
    inside = sorted(p for p in folder.iterdir() if p.is_file() and p.suffix.lower() in READABLE)
    if not inside:
        deeper = any(p.suffix.lower() in READABLE for p in folder.glob("*/*"))
        suffixes = ", ".join(sorted({s.lower() for s in READABLE}))
        advice = "Its subfolders do: give one of them" if deeper else f"Readable are {suffixes}"
        raise FileError(folder, "the folder itself holds no scan", advice)
    return inside


def open_job(path: Path) -> Job:
    """A job that opens one file and loads the channel that is shown first."""

    def job(context: Context) -> Scan:
        scan = open_scan(path)
        context.progress.check()
        _ = scan.channel().data
        return scan

    return job
