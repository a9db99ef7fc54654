"""Writes a scan in the format that its name asks for."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from stmviewer.files.writing import MICROSCOPE_SUFFIXES, export
from stmviewer.scan import FileError, Scan

#: suffix to what it is, in words
WRITABLE: Mapping[str, str] = MappingProxyType(
    {
        ".gwy": "Gwyddion file, all channels",
        ".npz": "NumPy arrays of the restored channel",
        ".tif": "TIFF, float32, one page a channel",
        ".png": "Figure, for looking at",
        ".pdf": "Figure, for print",
        ".svg": "Figure, for drawing programs",
    }
)
Writer = Callable[[Scan, BinaryIO], None]


def save_scan(scan: Scan, path: Path | str, format: str | None = None) -> Path:
    """Writes `scan` and returns the file that was written.

    `format` is gwy, npz, tif, png, pdf or svg; without it the suffix of `path` says. A name without the suffix of the
    format gets it. The provenance of the scan, where it has one, lies beside the file as `NAME.provenance.json`.
    Raises FileError for an unknown format, for the scan's own raw file, and for what the disk refuses.
    """
    path, form = _named(Path(path), format)
    if form in ("png", "pdf", "svg"):
        from stmviewer.files.figures import save_figure

        return save_figure(scan, path)
    write = _writer(form)
    return export(scan, path, lambda file: write(scan, file))


def _named(path: Path, format: str | None) -> tuple[Path, str]:
    """The path with the suffix of its format, and the format."""
    form = (format or path.suffix).casefold().lstrip(".")
    form = "tif" if form == "tiff" else form
    if f".{form}" not in WRITABLE:
        formats = ", ".join(suffix.lstrip(".") for suffix in WRITABLE)
        asked = f"the format '{form}' is not one that stmviewer writes" if form else "its name has no suffix"
        refuse_suffix = path.suffix.casefold() in MICROSCOPE_SUFFIXES and format is None
        cause = f"raw files of a microscope ({path.suffix}) are never written over" if refuse_suffix else asked
        raise FileError(path, cause, f"It writes {formats}")
    suffixes = (".tif", ".tiff") if form == "tif" else (f".{form}",)
    return (path if path.suffix.casefold() in suffixes else path.with_name(f"{path.name}.{form}")), form


def _writer(form: str) -> Writer:
    match form:
        case "gwy":
            from stmviewer.files.gwyddion_export import write_gwy

            return write_gwy
        case "npz":
            from stmviewer.files.npz import write_npz

            return write_npz
        case "tif":
            from stmviewer.files.tiff import write_tiff

            return write_tiff
    raise AssertionError(f"no writer for {form}")
