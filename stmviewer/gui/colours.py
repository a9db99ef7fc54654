"""Colour maps as tables of 256 colours. No Qt."""

import logging
from functools import cache
from itertools import pairwise

import numpy as np

from stmviewer.files.colours import lookup_table
from stmviewer.gui.display import Lut
from stmviewer.scan import FileError

_log = logging.getLogger(__name__)
Stops = list[tuple[float, tuple[int, int, int]]]

#: blue below, white at zero, red above: for differences, on a range symmetric about zero
DIFFERENCE: Stops = [
    (0.0, (24, 60, 120)), (0.25, (92, 145, 196)), (0.5, (246, 245, 242)), (0.75, (214, 112, 84)), (1.0, (122, 20, 32)),
]  # fmt: skip
#: dark to light green: a spread over samples, not to be taken for a height
DEVIATION: Stops = [(0.0, (16, 24, 32)), (0.35, (24, 84, 92)), (0.7, (88, 170, 122)), (1.0, (240, 246, 190))]
#: unmeasured, measured
MASK: Stops = [(0.0, (52, 66, 84)), (1.0, (231, 227, 214))]
_GREY: Stops = [(0.0, (0, 0, 0)), (1.0, (255, 255, 255))]


def lut_of(stops: Stops) -> Lut:
    """Linear between the stops (position in [0, 1], red, green, blue); shape (256, 3)."""
    positions = [p for p, _ in stops]
    if positions[0] != 0 or positions[-1] != 1 or any(b <= a for a, b in pairwise(positions)):
        raise ValueError("colour stops must rise from 0 to 1")
    at = np.linspace(0, 1, 256)
    channels = [np.interp(at, positions, [colour[c] for _, colour in stops]) for c in range(3)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)


@cache
def heights() -> Lut:
    """The map for measured and restored values: Gwyddion.net; grey, with a line in the log, where it is missing."""
    try:
        return lookup_table()
    except FileError as error:
        _log.warning("%s; heights are shown in grey", error)
        return lut_of(_GREY)
