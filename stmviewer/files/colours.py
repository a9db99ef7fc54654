"""Colour maps of the window and of figures, as data in resources/colours."""

import json

import numpy as np
from numpy.typing import NDArray

from stmviewer import paths
from stmviewer.scan import FileError

DEFAULT = "gwyddion-net"


def lookup_table(name: str = DEFAULT, size: int = 256) -> NDArray[np.uint8]:
    """Red, green, blue from 0 to 255 of a colour map, from its dark to its bright end; shape (size, 3)."""
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
