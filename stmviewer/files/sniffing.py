"""What a file is, by its first bytes. The suffix only helps to say what was expected."""

import re
from pathlib import Path
from typing import Literal

from stmviewer.files.number_lines import FEWEST_COLUMNS, begins_with_numbers, dialect_of, first_lines, table_titles
from stmviewer.files.source import Source
from stmviewer.scan import FileError

Kind = Literal["sxm", "3ds", "dat", "gwy", "gsf", "sm4", "mtrx", "createc", "h5", "npy", "npz", "tif", "png", "text"]

#: a Nanonis header may begin with blank lines or a byte order mark, and the field that betrays it may come late
_HEAD_BYTES = 64 * 1024
#: enough for a line of numbers after comments; folders on shares hold many files
_FIRST_LOOK = 8 * 1024
_SXM_FIELD = re.compile(rb"^:(NANONIS_VERSION|SCANIT_TYPE|SCAN_PIXELS|SCAN_RANGE|DATA_INFO):\s*$", re.MULTILINE)
#: grids may begin with any of their fields, spectra with any line of a name and a tab
_GRID_FIELD = re.compile(rb"^(Grid dim|Grid settings|Sweep Signal)=", re.MULTILINE)
_SPECTRUM = re.compile(rb"Experiment\t|[^\t\r\n:]{1,200}\t(?s:.){0,60000}?^\[DATA\][ \t]*$", re.MULTILINE)

_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"GWYP", "gwy"),
    (b"Gwyddion Simple Field 1.", "gsf"),
    (b"[Paramco32]", "createc"),
    (b"[Paramet32]", "createc"),
    (b"ONTMATRX", "mtrx"),
    (b"\x89HDF\r\n\x1a\n", "h5"),
    (b"\x93NUMPY", "npy"),
    (b"PK\x03\x04", "npz"),
    (b"II*\0", "tif"),
    (b"MM\0*", "tif"),
    (b"II+\0", "tif"),
    (b"MM\0+", "tif"),
    (b"\x89PNG\r\n\x1a\n", "png"),
)

#: measurements of other programs, recognised so that the refusal can name them, and that nothing is written over them
_FOREIGN_SCANS: tuple[tuple[bytes, str], ...] = (
    (b"[Parameter]", "a Createc image of 16-bit converters"),
    (b"[Param", "a Createc image of a kind not known here"),
    (b"[ParVERT", "a Createc spectrum"),
    (b"[ParLAT", "a Createc record of lateral manipulation"),
    (b"[Par", "a Createc record, no image"),
    (b"Filetype\t", "a Nanonis text file"),
    (b"GWYO", "a file of Gwyddion 1.x"),
    (b"Gwyddion XYZ Field", "a Gwyddion XYZ Field"),
    (b"\\*File list", "a Bruker Nanoscope image"),
    (b"WSxM file copyright", "a WSxM image"),
)
#: what else lies in the folders of a laboratory
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"BM", "a BMP image"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"<!DOCTYPE", "a web page"),
    (b"<html", "a web page"),
)
_RHK_SM4 = "STiMage ".encode("utf-16-le")


def sniff(source: Source, known: str = "") -> Kind:
    """The format of a file by its content.

    `known` says in words which formats can be read, for the error. Raises FileError that names what the file is, or
    what it begins with.
    """
    head = source.head(_HEAD_BYTES)
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b":") and _SXM_FIELD.search(head.replace(b"\r", b"\n")):
        return "sxm"
    if _GRID_FIELD.match(start):
        return "3ds"
    if _SPECTRUM.match(start.replace(b"\r", b"\n")):
        return "dat"
    # the two first bytes of an RHK page are its length
    if head[2:].startswith(_RHK_SM4):
        return "sm4"
    for magic, name in _FOREIGN_SCANS + _FOREIGN:
        if start.startswith(magic):
            raise _not_yet(source.path, _wsxm(start) or name, known)
    text = first_lines(head)
    if text is not None and begins_with_numbers(text):
        return "text"
    if text is not None and (titles := table_titles(text)):
        cause = f"is a text table with the titles {titles}, not an image"
        raise FileError(source.path, cause, "Leave the line of titles out if it is an image after all")
    raise FileError(source.path, f"is not a scan that stmviewer knows: {_describe(head, source.path)}", known)


def looks_like_image(source: Source) -> bool:
    """Whether a file whose name does not tell may be an image, by its first bytes: a spectrum or a list is none."""
    head = source.head(_FIRST_LOOK)
    if any(head.startswith(magic) for magic, _ in _MAGIC):
        return True
    lines = first_lines(head) or []
    dialect = dialect_of(lines[0]) if lines else None
    return dialect is not None and len(dialect.cells(lines[0])) >= FEWEST_COLUMNS


def foreign_scan(source: Source) -> str:
    """What a measurement of another program is, in words; "" for everything else."""
    start = source.head(_HEAD_BYTES).lstrip(b"\xef\xbb\xbf \t\r\n")
    return next((name for magic, name in _FOREIGN_SCANS if start.startswith(magic)), "")


def _wsxm(start: bytes) -> str:
    """Which kind of text file of WSxM this is, in words; "" for everything else."""
    kinds = ((b"ASCII XYZ", "a WSxM ASCII XYZ list of points"), (b"ASCII Matrix", "a WSxM ASCII matrix"))
    there = start.startswith(b"WSxM file copyright")
    return next((name for word, name in kinds if there and word in start[:400]), "")


def _not_yet(path: Path, name: str, known: str) -> FileError:
    return FileError(path, f"is {name}, which this version does not read yet", known)


def _describe(head: bytes, path: Path) -> str:
    named = f", though it is named {path.suffix}" if path.suffix else ""
    if not any(head):
        return f"it begins with {len(head)} zero bytes{named}"
    try:
        text = head[:48].decode("utf-8", errors="strict" if len(head) < 48 else "ignore")
    except UnicodeDecodeError:
        text = "\0"
    if "\ufffd" not in text and all(c.isprintable() or c in "\t\r\n" for c in text) and text.strip():
        return f"it is a text that begins with '{' '.join(text.split())}'{named}"
    return f"it begins with the bytes {head[:8].hex(' ')}{named}"
