"""Converting files and whole folders to another format, the same from the window and the command line."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import stmviewer
from stmviewer.files import WRITABLE, endings, file_sha256, kind_of, readable, save_parts, save_scan, stem_of
from stmviewer.files.calibration import Calibration
from stmviewer.files.saving import sxm_path
from stmviewer.scan import Cancelled, Direction, FileError, History, Progress, RequestError, Scan
from stmviewer.scan.processing.scans import processed
from stmviewer.services.converting_spectra import SPECTRA_FORMATS, convert_grid, convert_spectrum, spectra_of_grid
from stmviewer.services.exporting import free_path
from stmviewer.services.opening import open_calibrated

#: formats a scan can be converted to
FORMATS = tuple(suffix.lstrip(".") for suffix in WRITABLE)
_FIGURES = ("png", "pdf", "svg")
#: formats that hold one image of a scan
_ONE_IMAGE = ("npz", "csv", *_FIGURES)


@dataclass(frozen=True)
class ConvertRequest:
    """What to convert to: `channel` and `direction` leave the others out, `label` False hides what figures say of a
    restored image. `calibration` is for images without size or unit. `process` are steps that are applied to the
    channel asked for, or to the topography; the result is written beside what was measured where both have the same
    pixels and the format holds several images."""

    file_format: str
    output: Path
    channel: str | None = None
    direction: Direction | None = None
    label: bool = True
    calibration: Calibration | None = None
    process: str = ""

    def __post_init__(self) -> None:
        _ = self.history  # raises for what is no history

    @property
    def history(self) -> History:
        return History.from_text(self.process)


@dataclass(frozen=True)
class Found:
    """A file to convert, and the folder below the output folder that its result goes to."""

    file: Path
    below: Path = Path()


@dataclass(frozen=True)
class Converted:
    """What became of a file: the file written, or the error.

    Of a file that holds several scans, `more` are the files of the second one on; a .gwy file holds all of them.
    """

    found: Found
    written: Path | None = None
    channels: int = 0
    more: tuple[Path, ...] = ()
    error: Exception | None = None


def find_scans(path: Path, output: Path, *, spectra: bool = False) -> list[Found]:
    """The file at `path`, or the readable files in that folder and below, sorted; none of those in `output`.

    With `spectra` also those that hold a spectrum.

    Raises FileError for a path that does not exist, for a folder that cannot be read, and for one without scans.
    """
    try:
        if not path.is_dir():
            path.stat()
            return [Found(path)]
        files = sorted(_walk(path, output.resolve(), spectra))
    except FileNotFoundError as error:
        raise FileError(path, "there is no such file or folder", "Check the path") from error
    except OSError as error:
        raise FileError(
            error.filename or path, f"cannot be looked at ({error.strerror})", "Check its rights"
        ) from error
    if not files:
        raise FileError(path, "neither the folder nor those below hold a scan", f"Readable are {endings()}")
    return [Found(file, file.parent.relative_to(path)) for file in files]


def _walk(folder: Path, output: Path, spectra: bool) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise error

    # links to folders are not followed: they may lead back up
    for here, folders, names in os.walk(folder, onerror=refuse):
        # what an earlier conversion wrote is no input; but scans may be converted into their own folder
        folders[:] = [name for name in folders if (Path(here) / name).resolve() != output]
        for name in names:
            path = Path(here) / name
            if not name.startswith(".") and (readable(path) or (spectra and _is_spectrum(path))):
                yield path


def _is_spectrum(path: Path) -> bool:
    try:
        return path.suffix.lower() == ".dat" and kind_of(path) == "dat"
    except FileError:
        return False


def convert(found: Found, request: ConvertRequest, progress: Progress | None = None) -> Converted:
    """Converts one file; the result has its name with the suffix of the format, or a free name where that is taken.

    A file with several scans becomes one .gwy file that holds them all, or one file a scan in every other format:
    `NAME.tif`, `NAME_part2.tif` and so on.
    Raises StmviewerError for what cannot be read, has no such channel, or cannot be written.
    """
    if (done := _convert_spectra(found, request)) is not None:
        return done
    parts = _chosen(open_calibrated(found.file, request.calibration), request)
    parts = [replace(p, provenance=_provenance(p, request)) if p.provenance is None else p for p in parts]
    folder, stem = request.output / found.below, stem_of(found.file)
    parts = [_processed(part, request, progress) for part in parts]
    if request.file_format == "gwy" and len(parts) > 1:
        written = [save_parts(parts, free_path(folder / f"{stem}.gwy"))]
    else:
        written = [
            _write(part, folder, stem if k == 0 else f"{stem}_part{part.part.number}", request)
            for k, part in enumerate(parts)
        ]
    channels = len(parts) if request.file_format in _ONE_IMAGE else sum(len(p.channels) for p in parts)
    return Converted(found, written[0], channels, tuple(written[1:]))


def _processed(scan: Scan, request: ConvertRequest, progress: Progress | None) -> Scan:
    history = request.history
    if not history.enabled:
        return scan
    made, channel = processed(scan, scan.channel(request.channel, request.direction), history, progress)
    if request.file_format in _ONE_IMAGE:
        made = replace(made, channels=[channel])
    facts = {**(scan.provenance or {}), "channel": channel.name, "direction": channel.direction}
    return replace(made, provenance=facts | {"steps": history.completed().to_list()})


def _write(scan: Scan, folder: Path, stem: str, request: ConvertRequest) -> Path:
    path = folder / f"{stem}.{request.file_format}"
    if request.file_format == "sxm":
        path = sxm_path(scan, path)
    path = free_path(path)
    if request.file_format in _FIGURES:
        from stmviewer.files.figures import save_figure

        return save_figure(scan, path, label=request.label)
    return save_scan(scan, path, request.file_format)


def _convert_spectra(found: Found, request: ConvertRequest) -> Converted | None:
    """Converts a spectrum, or the spectra of a grid to a format that holds them; None for everything else."""
    kind = kind_of(found.file)
    if kind not in ("dat", "3ds"):
        return None
    path = request.output / found.below / f"{found.file.stem}.{request.file_format}"
    if kind == "dat":
        if request.calibration is not None or request.process:
            lacks = "pixels to give a size" if request.calibration is not None else "image to process"
            raise RequestError(f"{found.file.name} is a spectrum, which has no {lacks}")
        facts = _facts(found.file)
        channels = convert_spectrum(found.file, path := free_path(path), request.channel, request.direction, facts)
        return Converted(found, path, channels)
    if request.file_format not in SPECTRA_FORMATS:
        return None
    spectra = spectra_of_grid(found.file, request.channel, request.direction)
    if spectra is None:
        return None
    channels = convert_grid(*spectra, path := free_path(path), _facts(found.file))
    return Converted(found, path, channels)


def convert_all(found: Sequence[Found], request: ConvertRequest, progress: Progress) -> Iterator[Converted]:
    """Converts one file after the other and says what became of each; a failure does not stop the rest.

    Raises Cancelled between two files.
    """
    for number, one in enumerate(found, 1):
        work = progress.part(1 / len(found), f"{number} of {len(found)} {one.file.name}")
        try:
            done = convert(one, request, work.part(0.9))
        except Cancelled:
            raise
        except Exception as error:  # a fault of ours in one file costs the others nothing either
            done = Converted(one, error=error)
        work.tick()
        yield done


def _chosen(parts: Sequence[Scan], request: ConvertRequest) -> list[Scan]:
    """The scans with the channels asked for alone; all roles of a channel stay together. Those without it are left out.

    RequestError that lists the channels of the first scan where none has it.
    """
    if request.channel is None and request.direction is None:
        return list(parts)
    chosen = []
    refused: RequestError | None = None
    for scan in parts:
        try:
            asked = scan.channel(request.channel, request.direction)
        except RequestError as error:
            refused = refused or error
            continue
        wanted = [
            c
            for c in scan.channels
            if (request.channel is None or c.name == asked.name)
            and (request.direction is None or c.direction == request.direction)
        ]
        chosen.append(replace(scan, channels=wanted))
    if not chosen and refused is not None:
        raise refused
    return chosen


def _provenance(scan: Scan, request: ConvertRequest) -> dict[str, object]:
    """Where a converted scan came from; of one that stmviewer made, its own provenance says that already."""
    assert scan.path is not None
    facts = _facts(scan.path) | {"format": scan.format, **scan.origin()}
    if request.file_format in _ONE_IMAGE:
        channel = scan.channel()
        facts |= {"channel": channel.name, "direction": channel.direction}
    return facts


def _facts(file: Path) -> dict[str, object]:
    return {
        "task": "convert",
        "file": file.name,
        "file_sha256": file_sha256(file),
        "versions": {"stmviewer": stmviewer.__version__},
    }
