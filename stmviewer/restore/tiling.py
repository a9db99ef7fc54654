"""Overlapping tiles: large scans in bounded memory without visible seams."""

from dataclasses import dataclass

import numpy as np

from stmviewer.scan import FloatArray

#: tile side where the request leaves the choice, so that 4096 pixels take nine tiles a side; as large an image fits one
#: pass in 200 MB
DEFAULT_TILE = 528
#: pixels that neighbouring tiles share, if that is not more than a third of them
OVERLAP = 80
_LARGEST_SHARE = 3
#: parts of the overlap next to a tile's end that do not count, and over which it is blended then. A network sees
#: nothing beyond the end of its tile, and what it says there is wrong: in repairs by up to 240 % of the corrugation at
#: the end itself, 60 % at 8 pixels, 22 % at 16, 1.4 % at 24, 0.5 % at 28 and 0.3 % at 32 (regressions and flows alike;
#: diffusion in scans of lines 2, 1 and 0.5 % at the last three). Where 24 pixels did not count and 16 were blended, a
#: flow in scans of lines had seams of 1.6 %, with 32 and 16 of 0.4 %
_UNSURE, _BLENDED = 2 / 5, 1 / 5
#: tiles start at multiples of the network's stride, so that each sees its pixels in the same phase as the whole image
_PHASE = 8


@dataclass(frozen=True)
class Tile:
    """Rows `top` to `bottom` and columns `left` to `right` (ends excluded) of the image."""

    top: int
    bottom: int
    left: int
    right: int
    image_shape: tuple[int, int]

    @property
    def slices(self) -> tuple[slice, slice]:
        return np.s_[self.top : self.bottom, self.left : self.right]

    @property
    def shape(self) -> tuple[int, int]:
        return self.bottom - self.top, self.right - self.left


def _spans(length: int, tile: int, overlap: int) -> list[tuple[int, int]]:
    if length <= tile:
        return [(0, length)]
    step = (tile - overlap) // _PHASE * _PHASE
    count = -(-(length - tile) // step)
    # evenly spaced and rounded up: gaps never exceed `step`, and only the last tile is cut, by less than one phase
    starts = (-(-k * (length - tile) // (count * _PHASE)) * _PHASE for k in range(count + 1))
    return [(s, min(s + tile, length)) for s in starts]


def tiles(rows: int, columns: int, tile: int) -> list[Tile]:
    """Tiles of at most `tile` pixels a side that cover the image; neighbours share at least 80 pixels or a third."""
    overlap = min(OVERLAP, tile // _LARGEST_SHARE)
    shape = (rows, columns)
    return [
        Tile(top, bottom, left, right, shape)
        for top, bottom in _spans(rows, tile, overlap)
        for left, right in _spans(columns, tile, overlap)
    ]


def _ramp(start: int, stop: int, length: int) -> FloatArray:
    """Weights along one axis: nothing next to the end that faces a neighbour, then a raised cosine through the middle
    of the overlap; flat at the border of the image."""
    overlap = max(min(OVERLAP, (stop - start) // _LARGEST_SHARE), 1)
    position = (np.arange(start, stop) - start + 0.5) / overlap
    rise = 0.5 - 0.5 * np.cos(np.pi * np.clip((position - _UNSURE) / _BLENDED, 0, 1))
    weight = np.ones(stop - start)
    if start > 0:
        weight *= rise
    if stop < length:
        weight *= rise[::-1]
    return weight


def blend_window(tile: Tile) -> FloatArray:
    """Blending weights of a tile, positive, shape of the tile; to be divided by their sum over all tiles."""
    rows, columns = tile.image_shape
    window: FloatArray = np.outer(_ramp(tile.top, tile.bottom, rows), _ramp(tile.left, tile.right, columns))
    return window + 1e-6
