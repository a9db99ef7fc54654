"""Writing a file whole or not at all, and never over a raw file."""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from stmviewer.files import provenance
from stmviewer.files.ownership import whose_measurement
from stmviewer.scan import FileError, Scan

#: what microscopes write; nothing of ours takes the place of such a file, and only a new .sxm goes by such a name
MICROSCOPE_SUFFIXES = (".sxm", ".3ds", ".dat", ".mtrx", ".sm4", ".sm3", ".ibw", ".spm", ".mul", ".par")


@dataclass(frozen=True)
class Origin:
    """What is known of something to write that is no scan: the file it was read from, and its provenance."""

    path: Path | None
    provenance: Mapping[str, Any] | None


def export(scan: Scan | Origin, path: Path, write: Callable[[BinaryIO], None]) -> Path:
    """Has `write` fill the file at `path`, which appears only when complete, and puts the provenance beside it."""
    refuse_raw(scan, path)
    with replacing(path) as file:
        try:
            write(file)
        except OverflowError as error:
            raise FileError(path, str(error), "Write fewer channels, or another format") from error
    beside = provenance.sidecar(path)
    if scan.provenance is not None:
        with replacing(beside) as file:
            file.write(provenance.to_json(scan.provenance, indent=2).encode())
    else:
        # what lies there speaks of the file that was just replaced
        with _write_errors(beside):
            beside.unlink(missing_ok=True)
    return path


def refuse_raw(scan: Scan | Origin, path: Path) -> None:
    """FileError where `path` is the scan's own file, one that a microscope wrote, or any image that is not ours."""
    advice = "Choose another name or folder"
    suffix = path.suffix.casefold()
    # lexists: a link to nowhere may be a raw file on a share that is not there now
    if suffix in MICROSCOPE_SUFFIXES and (suffix != ".sxm" or os.path.lexists(path)):
        raise FileError(path, f"raw files of a microscope ({path.suffix}) are never written over", advice)
    with _write_errors(path):
        if scan.path is not None and (path.absolute() == scan.path.absolute() or _same_file(path, scan.path)):
            raise FileError(path, "is the file that the scan was read from; it is never written over", advice)
        if path.is_file() and (whose := whose_measurement(path)):
            raise FileError(path, f"is {whose}; it is never written over", advice)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the place of `path` at the end, all at once; on any error `path` stays as it was.

    A missing folder is made. Raises FileError for what the system refuses.
    """
    with _write_errors(path):
        if path.is_dir():
            raise IsADirectoryError(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        # in the same folder, since only there it can be moved in one step
        partial = path.with_name(f".stmviewer-{secrets.token_hex(6)}.part")
        try:
            with partial.open("x+b") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def _write_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        advice = "Choose another folder; or is the file open in another program?"
        raise FileError(path, "no permission to write it", advice) from error
    except IsADirectoryError as error:
        raise FileError(path, "is a folder, not a file", "Give a file name") from error
    except (FileExistsError, NotADirectoryError) as error:
        raise FileError(path, "its folder cannot be made, since a file has that name") from error
    except OSError as error:
        raise FileError(path, f"cannot be written ({error.strerror or error})") from error


def _same_file(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)
