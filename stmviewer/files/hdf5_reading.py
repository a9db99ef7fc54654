"""Reads the HDF5 files that stmviewer writes; their layout is described in `hdf5`.

HDF5 is a container: what another program has put into one, and in which units, only that program knows.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stmviewer.files.hdf5 import LAYOUT
from stmviewer.files.hdf5_guard import GuardedFile
from stmviewer.files.plain import check_image
from stmviewer.files.provenance import from_json
from stmviewer.files.source import Source
from stmviewer.files.titles import Names, as_direction, as_role
from stmviewer.scan import Channel, FileError, Geometry, Scan, ScanDirection

_MOST_CHANNELS, _MOST_FIELDS, _LONGEST_TEXT = 1000, 20_000, 4 * 2**20


def read_h5(source: Source) -> Scan:
    """Opens a file that `write_h5` wrote; the data of a channel is read when it is first asked for.

    Raises FileError for a damaged file, for one of a newer layout, and for one of another program, by what is in it.
    """
    with _opened(source) as tree:
        layout = _value(tree, "stmviewer_layout")
        if layout is None:
            raise FileError(source.path, f"is an HDF5 file of another program: {_contents(tree)}", _ONLY_OURS)
        if layout != LAYOUT:
            raise FileError(source.path, f"has the layout {layout}, of a newer stmviewer; known is {LAYOUT}")
        geometry = _geometry(source, tree)
        channels = _channels(source, tree, geometry.shape)
        line_times = _floats(tree, "line_time_s", 2)
        up: ScanDirection = "up" if _text(tree, "scan_direction") == "up" else "down"
        return Scan(
            channels=channels,
            geometry=geometry,
            path=source.path,
            format="stmviewer HDF5",
            scan_direction=up,
            bias_v=_number(tree, "bias_V"),
            setpoint_a=_number(tree, "setpoint_A"),
            line_time_s=(line_times[0], line_times[1]) if line_times else None,
            recorded=_text(tree, "recorded"),
            comment=_text(tree, "comment"),
            header=_header(tree),
            notes=tuple(_texts(tree, "notes")),
            provenance=from_json(_text(tree, "provenance")),
        )


def is_ours(source: Source) -> bool:
    """Whether stmviewer wrote the file. FileError for a damaged one."""
    with _opened(source) as tree:
        return "stmviewer_layout" in tree.attrs


_ONLY_OURS = "Of HDF5 only what stmviewer wrote is read; export the image as .gwy, .tif or text"


@contextmanager
def _opened(source: Source) -> Iterator[Any]:
    """The root of the file. Damaged files fail in many ways in there; each is a FileError."""
    import h5py

    with source.open() as file:
        try:
            with h5py.File(GuardedFile(file, source.size), "r") as tree:
                yield tree
        except (FileError, MemoryError):
            raise
        # the library says OSError, KeyError, RuntimeError, ValueError, and what it says is of no use to a user
        except Exception as error:
            raise FileError(source.path, f"the HDF5 file is damaged or cut off ({type(error).__name__})") from error


def _contents(tree: Any) -> str:
    names = [str(name) for name in list(tree)[:7]]
    more = " and more" if len(names) > 6 else ""
    return "its root holds " + (", ".join(f"'{name[:40]}'" for name in names[:6]) or "nothing") + more


def _geometry(source: Source, tree: Any) -> Geometry:
    columns, rows = _number(tree, "columns"), _number(tree, "rows")
    if not columns or not rows or columns != int(columns) or rows != int(rows):
        raise FileError(source.path, "the HDF5 file is damaged: it does not say how many pixels it has")
    check_image(source, (int(rows), int(columns)), np.dtype(np.float64))
    width, height = _number(tree, "width"), _number(tree, "height")
    calibrated = _text(tree, "lateral_unit") == "m"
    if not (calibrated and width and height and min(width, height) > 0):
        return Geometry.of_pixels(int(rows), int(columns))
    centre = _floats(tree, "centre", 2)
    return Geometry(
        int(columns),
        int(rows),
        width,
        height,
        angle_deg=_number(tree, "angle_deg") or 0.0,
        centre=(centre[0], centre[1]) if centre else (0.0, 0.0),
    )


def _channels(source: Source, tree: Any, shape: tuple[int, int]) -> tuple[Channel, ...]:
    group = tree.get("channels")
    titles = list(group)[: _MOST_CHANNELS + 1] if isinstance(group, Mapping) else []
    if not titles or len(titles) > _MOST_CHANNELS:
        raise FileError(source.path, f"the HDF5 file is damaged: it has {len(titles) or 'no'} channels")
    names = Names()
    channels = []
    for title in titles:
        image = group[title]
        _check(source, title, image, shape)
        direction = as_direction(_text(image, "direction")) or "forward"
        role = as_role(_text(image, "role")) or "raw"
        name = names.distinct(_text(image, "name") or title, direction, role)
        channels.append(Channel(name, _text(image, "unit"), _loader(source, title, shape), direction, role))
    return tuple(channels)


def _check(source: Source, title: str, image: Any, shape: tuple[int, int]) -> None:
    """Compares what a dataset promises with the file, before anything is allocated."""
    if tuple(getattr(image, "shape", None) or ()) != shape or image.dtype.kind not in "fiu":
        raise FileError(
            source.path, f"the HDF5 file is damaged: '{title}' is not an image of {shape[1]} x {shape[0]} pixels"
        )
    # another program may have packed it
    source.refuse_bomb(math.prod(shape) * image.dtype.itemsize)


def _loader(source: Source, title: str, shape: tuple[int, int]) -> Callable[[], NDArray[Any]]:
    def load() -> NDArray[Any]:
        with _opened(source) as tree:
            image = tree["channels"][title]
            _check(source, title, image, shape)
            values: NDArray[Any] = image[()]
            return values

    return load


def _header(tree: Any) -> dict[str, str]:
    group = tree.get("header")
    if group is None:
        return {}
    return {str(key): _text(group, key) for key in list(group.attrs)[:_MOST_FIELDS]}


def _value(item: Any, key: str) -> Any:
    """An attribute; None where there is none."""
    found = item.attrs.get(key)
    return found.item() if isinstance(found, np.generic) else found


def _text(item: Any, key: str) -> str:
    found = _value(item, key)
    if isinstance(found, bytes):
        found = found.decode("utf-8", errors="replace")
    return found[:_LONGEST_TEXT] if isinstance(found, str) else ""


def _texts(item: Any, key: str) -> list[str]:
    found = _value(item, key)
    return [str(text) for text in found.ravel()] if isinstance(found, np.ndarray) else []


def _number(item: Any, key: str) -> float | None:
    found = _value(item, key)
    return float(found) if isinstance(found, int | float) and math.isfinite(found) else None


def _floats(item: Any, key: str, count: int) -> list[float] | None:
    found = _value(item, key)
    if not isinstance(found, np.ndarray) or found.shape != (count,) or found.dtype.kind not in "fiu":
        return None
    values = [float(value) for value in found]
    return values if all(map(math.isfinite, values)) else None
