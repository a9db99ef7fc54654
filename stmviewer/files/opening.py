"""Opens a file of any format that stmviewer reads."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from stmviewer.files.sniffing import sniff
from stmviewer.files.source import Source
from stmviewer.scan import FileError, Scan

_DESCRIPTIONS = {
    ".sxm": "Nanonis scan",
    ".gwy": "Gwyddion file",
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

_KNOWN = "It reads " + ", ".join(_DESCRIPTIONS)


def open_scan(path: Path | str) -> Scan:
    """Opens a scan. The content of the file says what it is; its suffix does not matter.

    Channels are read when their data is first asked for; that can raise FileError too, if the file has changed or is
    damaged. Raises FileError, and nothing else, for whatever the file may hold.
    """
    path = Path(path)
    source = Source.of(path)
    kind = sniff(source, _KNOWN)
    try:
        return _read(kind, source)
    except MemoryError as error:
        raise FileError(path, f"{source.size} bytes do not fit into the memory of this computer") from error


def _read(kind: str, source: Source) -> Scan:
    # imports are written out, one a format, for the sake of the frozen application, which follows them
    match kind:
        case "sxm":
            from stmviewer.files.nanonis_sxm import read_sxm

            return read_sxm(source)
        case "gwy":
            from stmviewer.files.gwyddion import read_gwy

            return read_gwy(source)
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
