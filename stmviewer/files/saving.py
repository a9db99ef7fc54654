"""Writes a scan in the format that its name asks for."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from stmviewer.files.writing import MICROSCOPE_SUFFIXES, export, refuse_raw
from stmviewer.scan import FileError, Scan

#: suffix to what it is, in words
WRITABLE: Mapping[str, str] = MappingProxyType(
    {
        ".gwy": "Gwyddion file, all channels",
        ".sxm": "Nanonis file, all channels, under a new name",
        ".npz": "NumPy arrays of the restored channel",
        ".tif": "TIFF, float32, one page a channel",
        ".h5": "HDF5, all channels",
        ".csv": "Numbers of the restored channel",
        ".png": "Figure, for looking at",
        ".pdf": "Figure, for print",
        ".svg": "Figure, for drawing programs",
    }
)
Writer = Callable[[Scan, BinaryIO], None]


def save_scan(scan: Scan, path: Path | str, format: str | None = None) -> Path:
    """Writes `scan` and returns the file that was written.

    `format` is gwy, sxm, npz, tif, h5, csv, png, pdf or svg; without it the suffix of `path` says. A name without the
    suffix of the format gets it, and the name of a .sxm file says that no microscope wrote it (`sxm_path`). The
    provenance of the scan, where it has one, lies beside the file as `NAME.provenance.json`.
    Raises FileError for an unknown format, for the scan's own raw file, for a .sxm file that exists, and for what the
    disk refuses.
    """
    path, form = _named(Path(path), format)
    if form == "sxm":
        refuse_raw(scan, path)  # the name that was asked for too, though another would be written
        path = sxm_path(scan, path)
    if form in ("png", "pdf", "svg"):
        from stmviewer.files.figures import save_figure

        return save_figure(scan, path)
    write = _writer(form)
    return export(scan, path, lambda file: write(scan, file))


def save_parts(scans: Sequence[Scan], path: Path | str) -> Path:
    """Writes several scans of one file into one .gwy file, the one format that holds scans of different frames.

    Raises FileError as `save_scan` does, and for another suffix.
    """
    path, form = _named(Path(path), None)
    if form != "gwy":
        raise FileError(path, f"a .{form} file holds one scan, not {len(scans)}", "Write .gwy, or a file a scan")
    from stmviewer.files.gwyddion_export import write_gwy_parts

    return export(scans[0], path, lambda file: write_gwy_parts(scans, file))


def sxm_path(scan: Scan, path: Path) -> Path:
    """The name of a .sxm file that stmviewer writes: `NAME_restored.sxm` where anything in it is restored, else
    `NAME_processed.sxm`, `NAME_simulated.sxm` or `NAME_converted.sxm`, so that nobody takes it for a raw file."""
    made = "_simulated" if scan.format == "simulated" else "_converted"
    roles = {c.role for c in scan.channels}
    word = "_restored" if "restored" in roles else "_processed" if "processed" in roles else made
    # NAME_restored-2 is the name beside NAME_restored
    said = re.sub(r"-\d+$", "", path.stem.casefold()).endswith(word)
    return path if said else path.with_stem(path.stem + word)


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
        case "sxm":
            from stmviewer.files.nanonis_export import write_sxm

            return write_sxm
        case "h5":
            from stmviewer.files.hdf5 import write_h5

            return write_h5
        case "csv":
            from stmviewer.files.csv_text import write_csv

            return write_csv
        case "npz":
            from stmviewer.files.npz import write_npz

            return write_npz
        case "tif":
            from stmviewer.files.tiff import write_tiff

            return write_tiff
    raise AssertionError(f"no writer for {form}")
