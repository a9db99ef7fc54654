"""The whole files that are damaged: made ones of every format that is read, and real ones where there are some."""

import io
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from stmviewer.files import kind_of, save_scan
from stmviewer.scan import FileError

from ..made_scans import restored_scan
from ..make_createc import createc_bytes, unpacked
from ..make_gsf import gsf_bytes
from ..make_mtrx import frames, in_time, journal, results
from ..make_sm4 import Page, sm4_bytes
from ..make_spectra import dat_bytes, grid_bytes
from ..make_sxm import SxmChannel, sxm_bytes, two_channels

#: a Matrix image opens only under the name that its parameter file mentions
MATRIX_IMAGE, MATRIX_PARAMETERS = "made--1_1.Z_mtrx", "made_0001.mtrx"
#: larger real files make a campaign slow and are damaged no differently
_LARGEST = 4 * 2**20


def _saved(form: str) -> bytes:
    with TemporaryDirectory() as folder:
        return save_scan(restored_scan(), Path(folder) / f"made.{form}").read_bytes()


def _npy(*, fortran: bool = False) -> bytes:
    made = io.BytesIO()
    image = np.arange(60.0).reshape(6, 10)
    np.save(made, np.asfortranarray(image) if fortran else image)
    return made.getvalue()


def _unfinished() -> bytes:
    images = two_channels()
    for channel in images:
        for image in (channel.forward, channel.backward):
            assert image is not None
            image[3:] = np.nan
    return sxm_bytes([*images, SxmChannel("Phase", "deg", images[0].forward)], up=True)


def _grid(measured: int = 12) -> bytes:
    rng = np.random.default_rng(0)
    whole = grid_bytes(rng.normal(size=(3, 4, 2, 5)), rng.normal(size=(3, 4, 5)))
    return whole[: len(whole) - (12 - measured) * 4 * 15]


def _sm4() -> bytes:
    raw = np.arange(48, dtype=np.int32).reshape(6, 8)
    return sm4_bytes([Page(raw), Page(raw + 7, scan_type=1), Page(raw, "Current", "A"), Page(raw, kind=1)])


def _gwyddion_text() -> bytes:
    head = "# Kanal: Z (Forward)\n# Breite: 50,00 nm\n# Höhe: 25,00 nm\n# Werteinheiten: m\n".encode()
    return head + b"".join(b"\t".join(b"%g" % (1e-10 * (k + j)) for k in range(6)) + b"\n" for j in range(5))


def _picture(mode: str) -> bytes:
    from PIL import Image

    made = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (9, 11, len(mode)), dtype=np.uint8)
    Image.fromarray(pixels.squeeze(), mode).save(made, "PNG")
    return made.getvalue()


def _tiff(**how: object) -> bytes:
    import tifffile

    made = io.BytesIO()
    rng = np.random.default_rng(0)
    with tifffile.TiffWriter(made, byteorder=">" if how.pop("big", False) else "<") as tiff:
        for _ in range(2):
            tiff.write(rng.integers(0, 60000, (10, 12), dtype=np.uint16), photometric="minisblack", **how)
    return made.getvalue()


#: by format, as `kind_of` names them; each makes a small whole file
MADE: dict[str, tuple[Callable[[], bytes], ...]] = {
    "sxm": (lambda: sxm_bytes(two_channels()), _unfinished, lambda: _saved("sxm")),
    "3ds": (_grid, lambda: _grid(7)),
    "dat": (dat_bytes, lambda: dat_bytes(end="\n")),
    "gwy": (lambda: _saved("gwy"), lambda: plain_gwy()),
    "gsf": (gsf_bytes,),
    "sm4": (_sm4,),
    "createc": (createc_bytes, lambda: createc_bytes(header_bytes=800), lambda: unpacked(createc_bytes())),
    "mtrx": (lambda: results(in_time(frames())), lambda: journal(MATRIX_IMAGE)),
    "h5": (lambda: _saved("h5"),),
    "text": (lambda: _saved("csv"), _gwyddion_text, lambda: b"1;2,5;;4\r\n5;6;7;8\r\n"),
    "npy": (_npy, lambda: _npy(fortran=True)),
    "npz": (lambda: _saved("npz"),),
    "tif": (
        lambda: _saved("tif"),
        _tiff,
        lambda: _tiff(big=True, compression="zlib", rowsperstrip=3),
        lambda: _tiff(tile=(16, 16), compression="zlib", predictor=True),
    ),
    "png": (lambda: _picture("L"), lambda: _picture("RGBA"), lambda: _picture("RGB")),
}


def foreign(kind: str) -> bytes:
    """A whole file of a format that another program wrote."""
    if kind == "gwy":
        return plain_gwy()
    if kind == "h5":
        import h5py

        made = io.BytesIO()
        with h5py.File(made, "w") as tree:
            tree["entry/data"] = np.zeros((3, 4))
        return made.getvalue()
    if kind == "npz":
        made = io.BytesIO()
        np.savez(made, raw=np.zeros((3, 4)))
        return made.getvalue()
    # of these the second one is not ours
    return MADE[kind][1 if kind in ("tif", "text") else 0]()


def plain_gwy() -> bytes:
    """A Gwyddion file of one image and nothing else, as the package gwyfile writes it."""
    import gwyfile

    made = io.BytesIO()
    container = gwyfile.objects.GwyContainer()
    container["/0/data"] = gwyfile.objects.GwyDataField(np.arange(12.0).reshape(3, 4), xreal=4e-9, yreal=3e-9)
    container["/0/data/title"] = "Z"
    container.tofile(made)
    return made.getvalue()


def put(folder: Path, kind: str, name: str, content: bytes) -> Path:
    """Writes a file of that format to `folder`, with what it needs beside it; the path to open.

    `name` is that of the whole file: the second one of Matrix is the parameter file of the first.
    """
    if kind != "mtrx":
        path = folder / f"case.{_SUFFIXES.get(kind, kind)}"
        path.write_bytes(content)
        return path
    image, parameters = (make() for make in MADE[kind])
    is_image = not name.endswith("2")
    (folder / MATRIX_IMAGE).write_bytes(content if is_image else image)
    (folder / MATRIX_PARAMETERS).write_bytes(parameters if is_image else content)
    return folder / MATRIX_IMAGE


_SUFFIXES = {"createc": "dat", "text": "csv"}


@cache
def seeds(kind: str) -> tuple[tuple[str, bytes], ...]:
    """Names and contents of the whole files of a format."""
    found = [(f"made {kind} {number}", make()) for number, make in enumerate(MADE[kind], 1)]
    return (*found, *((path.name, path.read_bytes()) for path in _real_files().get(kind, ())))


@cache
def _real_files() -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    folder = os.environ.get("STMVIEWER_REAL_DATA")
    for path in sorted(Path(folder, "scans").rglob("*")) if folder else ():
        if path.is_file() and path.stat().st_size <= _LARGEST:
            try:
                found.setdefault(kind_of(path), []).append(path)
            except FileError:
                continue  # a format that is not read
    return found
