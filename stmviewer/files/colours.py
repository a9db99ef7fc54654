"""Colour maps of the window and of figures: our own as data in resources/colours, the rest from the library cmap."""

import json

import numpy as np
from numpy.typing import NDArray

from stmviewer import paths
from stmviewer.scan import FileError

DEFAULT = "gwyddion-net"


def lookup_table(name: str = DEFAULT, size: int = 256) -> NDArray[np.uint8]:
    """Red, green, blue from 0 to 255 of a colour map, from its low to its high end; shape (size, 3).

    `name` is that of a file of ours, or a map of cmap with its collection: `bids:viridis`.
    """
    return library_table(name, size) if ":" in name else _own_table(name, size)


def library_table(name: str, size: int) -> NDArray[np.uint8]:
    """A map of cmap, which is imported only here: it takes a tenth of a second. Raises FileError for an unknown one."""
    from cmap import Colormap

    try:
        table = np.asarray(Colormap(name).lut(size), dtype=np.float64)[:, :3]
    except (ValueError, KeyError, TypeError) as error:
        raise FileError(name, "there is no colour map of this name", "Choose another") from error
    return np.rint(255 * table).astype(np.uint8)


def _own_table(name: str, size: int) -> NDArray[np.uint8]:
    path = paths.resources() / "colours" / f"{name}.json"
    try:
        stops = json.loads(path.read_text(encoding="utf-8"))["stops"]
        places = np.array([place for place, _ in stops], dtype=np.float64)
        colours = np.array([colour for _, colour in stops], dtype=np.float64)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileError(path, "the colour map cannot be read", "Install stmviewer again") from error
    along = np.linspace(0, 1, size)
    table = np.stack([np.interp(along, places, colours[:, i]) for i in range(3)], axis=1)
    return np.rint(table).astype(np.uint8)
