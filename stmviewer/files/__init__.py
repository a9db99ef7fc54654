"""Reads and writes what the laboratory has: one vendor format a module, recognised by content.

Importing this package costs next to nothing: the modules of the formats, and the libraries that they need, are
imported when a file of that format is opened or written.
"""

from stmviewer.files.opening import (
    READABLE,
    endings,
    kind_of,
    open_parts,
    open_scan,
    read_grid,
    read_spectrum,
    readable,
    stem_of,
)
from stmviewer.files.saving import WRITABLE, save_parts, save_scan
from stmviewer.files.source import file_sha256

__all__ = [
    "READABLE",
    "WRITABLE",
    "endings",
    "file_sha256",
    "kind_of",
    "open_parts",
    "open_scan",
    "read_grid",
    "read_spectrum",
    "readable",
    "save_parts",
    "save_scan",
    "stem_of",
]
