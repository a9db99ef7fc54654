"""Opens a file of any format that stmviewer reads."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from stmviewer.files.sniffing import Kind, sniff
from stmviewer.files.source import Source
from stmviewer.scan import FileError, Grid, Scan, Spectrum

_DESCRIPTIONS = {
    ".sxm": "Nanonis scan",
    ".3ds": "Nanonis grid",
    ".gwy": "Gwyddion file",
    ".gsf": "Gwyddion Simple Field",
    ".sm4": "RHK scan",
    ".npz": "stmviewer result (NumPy)",
    ".npy": "NumPy image",
    ".tif": "TIFF image",
    ".tiff": "TIFF image",
    ".png": "PNG image",
}

#: suffix (as written and in upper case, for file dialogs that tell them apart) to what it is, in words
READABLE: Mapping[str, str] = MappingProxyType(
    _DESCRIPTIONS | {suffix.upper(): description for suffix, description in _DESCRIPTIONS.items()}
)

#: the end of the name of a Matrix image: `.Z_mtrx`, `.I_mtrx` and so on, one for each recorded channel
MATRIX_ENDING = "_mtrx"

_KNOWN = "It reads " + ", ".join(_DESCRIPTIONS)


def stem_of(path: Path) -> str:
    """The name of a file without what says its format: `scan` of `scan.sxm`, `run--3_1.Z` of `run--3_1.Z_mtrx`."""
    name = path.name
    return name[: -len(MATRIX_ENDING)] if name.casefold().endswith(MATRIX_ENDING) else path.stem


def open_scan(path: Path | str) -> Scan:
    """Opens the first scan of a file, which is the only one of most: see `open_parts`."""
    return open_parts(path)[0]


def open_parts(path: Path | str) -> tuple[Scan, ...]:
    """Opens every scan of a file. The content of the file says what it is; its suffix does not matter.

    Images of another size or place than the first are scans of their own, as .gwy files may hold them.

    A grid of spectra opens as the images of its parameters, its topography among them; `read_grid` gives the whole.
    Channels are read when their data is first asked for; that can raise FileError too, if the file has changed or is
    damaged. Raises FileError, and nothing else, for whatever the file may hold.
    """
    source = Source.of(Path(path))
    kind = sniff(source, _KNOWN)
    with _memory(source):
        read = _read(kind, source)
    return read if isinstance(read, tuple) else (read,)


def read_spectrum(path: Path | str) -> Spectrum:
    """Reads a spectrum (Nanonis .dat), recognised by content. Raises FileError for whatever else the file may hold."""
    source = Source.of(Path(path))
    if sniff(source, _KNOWN) != "dat":
        raise FileError(path, "is no spectrum", "Spectra are read from Nanonis .dat")
    from stmviewer.files.nanonis_dat import read_dat

    with _memory(source):
        return read_dat(source)


def read_grid(path: Path | str) -> Grid:
    """Opens a grid of spectra (Nanonis .3ds), recognised by content; its stacks are read when first asked for.

    Raises FileError for whatever else the file may hold.
    """
    source = Source.of(Path(path))
    if sniff(source, _KNOWN) != "3ds":
        raise FileError(path, "is no grid of spectra", "Grids are read from Nanonis .3ds")
    from stmviewer.files.nanonis_3ds import read_3ds

    with _memory(source):
        return read_3ds(source)


def kind_of(path: Path | str) -> Kind:
    """What a file is by its content: 'dat' for a spectrum, '3ds' for a grid, else a scan. Raises FileError."""
    return sniff(Source.of(Path(path)), _KNOWN)


@contextmanager
def _memory(source: Source) -> Iterator[None]:
    try:
        yield
    except MemoryError as error:
        raise FileError(source.path, f"{source.size} bytes do not fit into the memory of this computer") from error


def _read(kind: Kind, source: Source) -> Scan | tuple[Scan, ...]:
    # imports are written out, one a format, for the sake of the frozen application, which follows them
    match kind:
        case "sxm":
            from stmviewer.files.nanonis_sxm import read_sxm

            return read_sxm(source)
        case "gwy":
            from stmviewer.files.gwyddion import read_gwy

            return read_gwy(source)
        case "3ds":
            from stmviewer.files.nanonis_3ds import parameter_scan, read_3ds

            return parameter_scan(read_3ds(source))
        case "dat":
            raise FileError(source.path, "is a Nanonis spectrum, not an image", "`stmviewer info` says what is in it")
        case "gsf":
            from stmviewer.files.gsf import read_gsf

            return read_gsf(source)
        case "sm4":
            from stmviewer.files.rhk_sm4 import read_sm4

            return read_sm4(source)
        case "createc":
            from stmviewer.files.createc import read_createc

            return read_createc(source)
        case "npy":
            from stmviewer.files.plain import read_npy

            return read_npy(source)
        case "npz":
            from stmviewer.files.npz import read_npz

            return read_npz(source)
        case "tif":
            from stmviewer.files.tiff import read_tiff

            return read_tiff(source)
        case "png":
            from stmviewer.files.plain import read_png

            return read_png(source)
    raise AssertionError(f"no reader for {kind}")
