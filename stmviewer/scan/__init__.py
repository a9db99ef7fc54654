"""What a scan is: channels, geometry, sampling masks, processing steps. No Qt, no torch, no files."""

from stmviewer.scan.errors import FileError, RequestError, StmviewerError
from stmviewer.scan.geometry import BoolArray, FloatArray, Geometry
from stmviewer.scan.grid import Grid, Stack
from stmviewer.scan.masks import Mask, make_mask
from stmviewer.scan.model import Channel, Direction, Part, Role, Scan, ScanDirection
from stmviewer.scan.progress import Cancelled, Progress
from stmviewer.scan.spectrum import Curve, Spectrum
from stmviewer.scan.steps import History, Step

__all__ = [
    "BoolArray",
    "Cancelled",
    "Channel",
    "Curve",
    "Direction",
    "FileError",
    "FloatArray",
    "Geometry",
    "Grid",
    "History",
    "Mask",
    "Part",
    "Progress",
    "RequestError",
    "Role",
    "Scan",
    "ScanDirection",
    "Spectrum",
    "Stack",
    "Step",
    "StmviewerError",
    "make_mask",
]
