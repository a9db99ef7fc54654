"""Opens a file of any format that stmviewer reads."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from stmviewer.files.memory import refuse_too_large
from stmviewer.files.sniffing import Kind, looks_like_image, sniff
from stmviewer.files.source import Source
from stmviewer.scan import FileError, Grid, Scan, Spectrum

_DESCRIPTIONS = {
    ".sxm": "Nanonis scan",
    ".3ds": "Nanonis grid",
    ".gwy": "Gwyddion file",
    ".gsf": "Gwyddion Simple Field",
    ".sm4": "RHK scan",
    "_mtrx": "Omicron Matrix image",
    ".dat": "Createc image",
    ".h5": "stmviewer result (HDF5)",
    ".hdf5": "stmviewer result (HDF5)",
    ".csv": "Matrix of numbers",
    ".txt": "Matrix of numbers",
    ".asc": "Matrix of numbers",
    ".npz": "stmviewer result (NumPy)",
    ".npy": "NumPy image",
    ".tif": "TIFF image",
    ".tiff": "TIFF image",
    ".png": "PNG image",
}

#: end of a name (as written and in upper case, for file dialogs that tell them apart) to what it is, in words
READABLE: Mapping[str, str] = MappingProxyType(
    _DESCRIPTIONS | {suffix.upper(): description for suffix, description in _DESCRIPTIONS.items()}
)

_ENDINGS = tuple(_DESCRIPTIONS)
#: endings of other kinds of file too: in a folder the content decides
_SHARED = (".dat", ".h5", ".hdf5", ".csv", ".txt", ".asc")
#: kinds of which all images are read when they are opened, of at most some 8 bytes a pixel
_READ_WHOLE = ("gwy", "h5", "npz", "png", "text", "tif")
#: the end of the name of a Matrix image: `.Z_mtrx`, `.I_mtrx` and so on, one for each recorded channel
MATRIX_ENDING = "_mtrx"

_KNOWN = "It reads " + ", ".join(_DESCRIPTIONS).replace("_mtrx", ".Z_mtrx and the like")


def readable(path: Path) -> bool:
    """Whether a file in a folder is taken for a scan: by the end of its name, and by its first bytes where other kinds
    of file end alike. False for what cannot be looked at."""
    name = path.name.casefold()
    if not name.endswith(_ENDINGS):
        return False
    if name.endswith(MATRIX_ENDING):
        return "(" not in name.rpartition(".")[2]  # that would be a curve, such as I(V)
    if not name.endswith(_SHARED):
        return True
    try:
        source = Source.of(path)
        if name.endswith((".h5", ".hdf5")):
            from stmviewer.files.hdf5_reading import is_ours

            return is_ours(source)
        return looks_like_image(source)
    except FileError:
        return False


def endings() -> str:
    """What `READABLE` has, each once, for a line that says what is readable."""
    return ", ".join(sorted(_ENDINGS))


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
    if kind in _READ_WHOLE:
        refuse_too_large(source.path, source.size // 8)
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
        case "mtrx":
            from stmviewer.files.omicron_matrix import read_mtrx

            return read_mtrx(source)
        case "h5":
            from stmviewer.files.hdf5_reading import read_h5

            return read_h5(source)
        case "text":
            from stmviewer.files.text_matrix import read_text

            return read_text(source)
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
