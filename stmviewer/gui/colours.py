"""Colour maps as tables of 256 colours, and which of them are offered for what. No Qt."""

import logging
from functools import cache
from itertools import pairwise
from typing import Literal

import numpy as np

from stmviewer.files.colours import DEFAULT, lookup_table
from stmviewer.gui.display import Lut
from stmviewer.scan import FileError

_log = logging.getLogger(__name__)
Stops = list[tuple[float, tuple[int, int, int]]]
#: what an image shows: heights (or currents, ...), the difference of two, the spread over samples
Kind = Literal["heights", "difference", "deviation"]
KINDS: tuple[Kind, ...] = ("heights", "difference", "deviation")

#: blue below, white at zero, red above: for differences, on a range symmetric about zero
DIFFERENCE: Stops = [
    (0.0, (24, 60, 120)), (0.25, (92, 145, 196)), (0.5, (246, 245, 242)), (0.75, (214, 112, 84)), (1.0, (122, 20, 32)),
]  # fmt: skip
#: dark to light green: a spread over samples, not to be taken for a height
DEVIATION: Stops = [(0.0, (16, 24, 32)), (0.35, (24, 84, 92)), (0.7, (88, 170, 122)), (1.0, (240, 246, 190))]
#: unmeasured, measured
MASK: Stops = [(0.0, (52, 66, 84)), (1.0, (231, 227, 214))]
_GREY: Stops = [(0.0, (0, 0, 0)), (1.0, (255, 255, 255))]

#: names of maps, ours and the library's, with what is written beside the swatch; the first is the default
MAPS: dict[Kind, dict[str, str]] = {
    "heights": {
        DEFAULT: "Gwyddion.net",
        "grey": "Grey",
        "gnuplot:afmhot": "AFM hot",
        "colorbrewer:YlOrBr_r": "Gold",
        "matlab:copper": "Copper",
        "matlab:hot": "Hot",
        "matlab:bone": "Bone",
        "cmocean:ice": "Ice",
        "bids:viridis": "Viridis",
        "bids:magma": "Magma",
        "bids:inferno": "Inferno",
        "cividis:cividis": "Cividis (for the colour-blind)",
        "crameri:batlow": "Batlow",
        "crameri:lajolla": "Lajolla",
    },
    "difference": {
        "blue-red": "Blue to red",
        "crameri:vik": "Vik",
        "crameri:broc": "Broc",
        "cmocean:balance": "Balance",
        "matplotlib:coolwarm": "Cool to warm",
        "colorbrewer:PuOr": "Orange to purple",
        "colorbrewer:PiYG": "Pink to green",
    },
    "deviation": {
        "green": "Green",
        "grey": "Grey",
        "bids:viridis": "Viridis",
        "bids:magma": "Magma",
        "cividis:cividis": "Cividis (for the colour-blind)",
    },
}
_OWN: dict[str, Stops] = {"blue-red": DIFFERENCE, "green": DEVIATION, "grey": _GREY, "mask": MASK}


def default_map(kind: Kind) -> str:
    return next(iter(MAPS[kind]))


def lut_of(stops: Stops) -> Lut:
    """Linear between the stops (position in [0, 1], red, green, blue); shape (256, 3)."""
    positions = [p for p, _ in stops]
    if positions[0] != 0 or positions[-1] != 1 or any(b <= a for a, b in pairwise(positions)):
        raise ValueError("colour stops must rise from 0 to 1")
    at = np.linspace(0, 1, 256)
    channels = [np.interp(at, positions, [colour[c] for _, colour in stops]) for c in range(3)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)


def table(name: str, inverted: bool = False) -> Lut:
    """The colours of a map of MAPS, turned round where `inverted`; grey, and a line in the log, where it is missing."""
    try:
        colours = _table(name)
    except (FileError, ImportError) as error:  # not kept: the next look may find it
        _log.warning("%s; shown in grey", error)
        colours = lut_of(_GREY)
    return colours[::-1].copy() if inverted else colours


@cache
def _table(name: str) -> Lut:
    return lut_of(_OWN[name]) if name in _OWN else lookup_table(name)


def heights() -> Lut:
    """The default map for measured and restored values: Gwyddion.net."""
    return table(DEFAULT)
