"""Writing restorations and figures, never over a raw file."""

import re
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from stmviewer.files import save_scan, stem_of
from stmviewer.restore import Restoration
from stmviewer.scan import Scan
from stmviewer.services.jobs import Context, Job

#: formats a restoration can be exported to, with what they are for
EXPORT_FORMATS = {
    "gwy": "Gwyddion (raw, mask, restored, deviation)",
    "sxm": "Nanonis, restored beside raw channels, under a new name",
    "npz": "NumPy archive with provenance",
    "tif": "TIFF, 32-bit float, one page a channel",
    "h5": "HDF5, all channels with units and provenance",
    "csv": "Numbers of the restored channel",
    "png": "Figure with scale bar and colour bar",
    "pdf": "Figure, vector",
    "svg": "Figure, vector",
}


def default_name(restoration: Restoration, source: Scan, file_format: str) -> str:
    """A file name that tells what is in it, such as `scan042_Z-forward_repair.gwy`.

    Channels may be called anything; what a file system refuses becomes a dash.
    """
    stem = stem_of(source.path) if source.path else "scan"
    if source.part.number > 1:
        stem += f"_part{source.part.number}"
    channel = re.sub(r'[\x00-\x1f<>:"/\\|?*]+', "-", restoration.channel.name)[:60].strip() or "channel"
    # a .sxm that no microscope wrote says so, the same as save_scan has it
    end = "_restored.sxm" if file_format == "sxm" else f".{file_format}"
    return f"{stem}_{channel}-{restoration.channel.direction}_{restoration.request.task}{end}"


def free_path(path: Path) -> Path:
    """`path`, or the first of `name-2`, `name-3`, ... that does not exist: nothing is overwritten silently."""
    candidate, number = path, 2
    while candidate.exists():
        candidate = path.with_stem(f"{path.stem}-{number}")
        number += 1
    return candidate


def export(restoration: Restoration, source: Scan, path: Path, *, label: bool = True) -> Path:
    """Writes `restoration` in the format of the suffix of `path`; returns the path written.

    Without `label` a figure does not say that it is restored and how much of it was measured.
    """
    scan = restoration.to_scan(source)
    match path.suffix.lower():
        case ".png" | ".pdf" | ".svg":
            from stmviewer.files.figures import save_figure

            return save_figure(scan, path, label=label)
        case ".sxm":
            scan = _beside_raw(scan, source)
    return save_scan(scan, path)


def _beside_raw(restored: Scan, source: Scan) -> Scan:
    """`restored` with every raw channel of its source as measured, where both have the same pixels."""
    if restored.geometry != source.geometry:
        return restored
    raw = [c for c in source.channels if c.role == "raw"]
    return replace(restored, channels=[*raw, *(c for c in restored.channels if c.role != "raw")])


def export_job(restoration: Restoration, source: Scan, path: Path) -> Job:
    """A job that exports; its result is the path written."""

    def job(context: Context) -> Path:
        context.progress.check()
        return export(restoration, source, path)

    return job


def picture_job(png: bytes, source: Scan, path: Path) -> Job:
    """A job that writes a picture of what the window shows; its result is the path written."""

    def job(context: Context) -> Path:
        from stmviewer.files.writing import Origin, export

        context.progress.check()

        def write(file: BinaryIO) -> None:
            file.write(png)

        return export(Origin(source.path, None), path, write)

    return job
