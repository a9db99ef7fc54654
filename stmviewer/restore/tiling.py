"""Overlapping tiles: large scans in bounded memory without visible seams."""

from dataclasses import dataclass

import numpy as np

from stmviewer.scan import FloatArray

#: pixels that neighbouring tiles share; over half of the network's receptive field
OVERLAP = 64


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
    count = -(-(length - overlap) // (tile - overlap))
    starts = np.rint(np.linspace(0, length - tile, count)).astype(int)
    # the stride of the network, so that every tile sees pixels in the same phase
    starts[1:-1] -= starts[1:-1] % 8
    return [(int(s), int(s) + tile) for s in starts]


def tiles(rows: int, columns: int, tile: int) -> list[Tile]:
    """Tiles of at most `tile` pixels a side that cover the image; neighbours share at least 64 pixels or a quarter."""
    overlap = min(OVERLAP, tile // 4)
    shape = (rows, columns)
    return [
        Tile(top, bottom, left, right, shape)
        for top, bottom in _spans(rows, tile, overlap)
        for left, right in _spans(columns, tile, overlap)
    ]


def _ramp(start: int, stop: int, length: int, overlap: int) -> FloatArray:
    """Weights along one axis: raised cosine towards a neighbouring tile, flat at the border of the image."""
    position = np.arange(start, stop) - start + 0.5
    rise = 0.5 - 0.5 * np.cos(np.pi * np.clip(position / overlap, 0, 1))
    weight = np.ones(stop - start)
    if start > 0:
        weight *= rise
    if stop < length:
        weight *= rise[::-1]
    return weight


def blend_window(tile: Tile) -> FloatArray:
    """Blending weights of a tile, positive, shape of the tile; to be divided by their sum over all tiles."""
    rows, columns = tile.image_shape
    overlap = max(min(OVERLAP, min(tile.shape) // 4), 1)
    window: FloatArray = np.outer(
        _ramp(tile.top, tile.bottom, rows, overlap), _ramp(tile.left, tile.right, columns, overlap)
    )
    return window + 1e-6
