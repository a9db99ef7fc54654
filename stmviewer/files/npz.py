"""stmviewer's own .npz files: one restored image for further work in Python.

Keys `raw`, `measured`, `restored`, `deviation`, `pixel_size_m` (height, width), `unit`, `provenance` (JSON); what there
is not is left out, only `measured` is always there.
"""

import math
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from stmviewer.files.notes import SIZE_UNKNOWN, on_pixels
from stmviewer.files.plain import UNCALIBRATED_NAME, check_image, read_array_header
from stmviewer.files.provenance import from_json, to_json
from stmviewer.files.roles import result_of
from stmviewer.files.source import Source
from stmviewer.files.titles import Names, as_direction
from stmviewer.scan import Channel, Direction, FileError, Geometry, Part, Role, Scan

_MOST_ARRAYS = 1000
_IMAGES: dict[str, Role] = {
    "raw": "raw",
    "processed": "processed",
    "measured": "mask",
    "restored": "restored",
    "deviation": "deviation",
}


def write_npz(scan: Scan, file: BinaryIO) -> None:
    """Writes the restored channel of `scan` with its companions, or the topography where nothing is restored."""
    result = result_of(scan)
    pixel = (scan.geometry.pixel_height, scan.geometry.pixel_width) if scan.geometry.calibrated else (np.nan, np.nan)
    given = "raw" if result.raw is None or result.raw.role == "raw" else "processed"
    arrays: dict[str, Any] = {
        name: channel.data
        for name, channel in ((given, result.raw), ("restored", result.restored), ("deviation", result.deviation))
        if channel is not None
    }
    arrays |= {"measured": result.measured, "pixel_size_m": np.array(pixel), "unit": np.array(result.image.unit)}
    if scan.provenance is not None:
        arrays["provenance"] = np.array(to_json(scan.provenance))
    # not compressed: noise hardly gets smaller, and large images take minutes
    np.savez(file, **arrays)


def read_npz(source: Source) -> Scan | tuple[Scan, ...]:
    """Opens what `write_npz` wrote; any one key may be missing.

    Of an archive without any image of ours every array of two dimensions is an image without size and unit, called as
    the array; those of another size are further scans. FileError where there is none.
    """
    with source.open() as file, _decoding(source), zipfile.ZipFile(file) as archive:
        there = {member.removesuffix(".npy") for member in archive.namelist()}
        shapes = {key: _image_shape(source, archive, key) for key in _IMAGES if key in there}
        texts = {key: _text(source, archive, key) for key in ("unit", "provenance") if key in there}
        pixel = _values(source, archive, "pixel_size_m").ravel() if "pixel_size_m" in there else np.empty(0)
    if not shapes:
        return _foreign(source)
    if len(set(shapes.values())) > 1:
        listed = ", ".join(f"{key} {columns} x {rows}" for key, (rows, columns) in shapes.items())
        raise FileError(source.path, f"its images differ in size: {listed}")
    geometry, notes = _geometry(next(iter(shapes.values())), pixel)
    provenance = from_json(texts.get("provenance"))
    unit = texts.get("unit", "")
    name, direction = _restored_from(provenance or {})
    name = name or ("Z" if unit == "m" else UNCALIBRATED_NAME)
    return Scan(
        channels=tuple(
            Channel(name, "" if _IMAGES[key] == "mask" else unit, _loader(source, key), direction, _IMAGES[key])
            for key in shapes
        ),
        geometry=geometry,
        path=source.path,
        format="stmviewer NPZ",
        notes=notes,
        provenance=provenance,
    )


def _foreign(source: Source) -> tuple[Scan, ...]:
    by_shape: dict[tuple[int, int], list[str]] = {}
    with source.open() as file, _decoding(source), zipfile.ZipFile(file) as archive:
        members = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
        for key in members[:_MOST_ARRAYS]:
            with archive.open(f"{key}.npy") as member:
                shape, _, dtype = read_array_header(member)
            if len(shape) == 2 and min(shape) > 0 and dtype.kind in "biuf":
                by_shape.setdefault(_image_shape(source, archive, key), []).append(key)
    if not by_shape:
        listed = ", ".join(f"'{key[:30]}'" for key in members[:6]) or "no array at all"
        raise FileError(source.path, f"the archive holds no image, an array of two dimensions; it has {listed}")
    parts = []
    for number, (shape, keys) in enumerate(by_shape.items(), start=1):
        names = Names()
        channels = [Channel(names.distinct(_one_line(key), "forward"), "", _loader(source, key)) for key in keys]
        frame = Geometry.of_pixels(*shape)
        part = Part(number, len(by_shape), f"{channels[0].name}, {frame.in_words()}")
        parts.append(Scan(channels, frame, path=source.path, format="NumPy archive", notes=(SIZE_UNKNOWN,), part=part))
    return tuple(parts)


def _one_line(key: str) -> str:
    return " ".join(key.split()) or "untitled"


@contextmanager
def _decoding(source: Source) -> Iterator[None]:
    """Damaged archives fail in many ways, in zipfile, zlib and numpy; each is a FileError."""
    try:
        yield
    except (FileError, OSError, MemoryError):
        raise
    except Exception as error:
        raise FileError(source.path, f"the archive is damaged ({error or type(error).__name__})") from error


def _loader(source: Source, key: str) -> Callable[[], NDArray[Any]]:
    def load() -> NDArray[Any]:
        with source.open() as file, _decoding(source), zipfile.ZipFile(file) as archive:
            return _values(source, archive, key)

    return load


def _image_shape(source: Source, archive: zipfile.ZipFile, key: str) -> tuple[int, int]:
    """(rows, columns) from the header of an array, before it is unpacked."""
    source.refuse_bomb(archive.getinfo(f"{key}.npy").file_size)
    with archive.open(f"{key}.npy") as member:
        shape, _, dtype = read_array_header(member)
    return check_image(source, shape, dtype)


def _values(source: Source, archive: zipfile.ZipFile, key: str) -> NDArray[Any]:
    size = archive.getinfo(f"{key}.npy").file_size
    source.refuse_bomb(size)
    with archive.open(f"{key}.npy") as member:
        shape, _, dtype = read_array_header(member)
    if dtype.hasobject or math.prod(shape) * dtype.itemsize > size:
        raise FileError(source.path, f"the array '{key}' is damaged")
    with archive.open(f"{key}.npy") as member:
        values: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
    return values


def _text(source: Source, archive: zipfile.ZipFile, key: str) -> str:
    return "".join(str(value) for value in _values(source, archive, key).reshape(-1)[:1])


def _geometry(shape: tuple[int, int], pixel: NDArray[Any]) -> tuple[Geometry, tuple[str, ...]]:
    """The frame from the pixel size (height, width) in m, and what to tell the user about it."""
    rows, columns = shape
    if pixel.dtype.kind in "iuf" and pixel.size == 2 and np.isfinite(pixel).all() and (pixel > 0).all():
        geometry = Geometry(columns, rows, columns * float(pixel[1]), rows * float(pixel[0]))
        return geometry, tuple(on_pixels(geometry))
    return Geometry.of_pixels(rows, columns), (SIZE_UNKNOWN,)


def _restored_from(provenance: Mapping[str, Any]) -> tuple[str, Direction]:
    """Name and direction of the channel that was restored; an empty name where the provenance does not say."""
    name = provenance.get("channel")
    return name if isinstance(name, str) else "", as_direction(provenance.get("direction")) or "forward"
