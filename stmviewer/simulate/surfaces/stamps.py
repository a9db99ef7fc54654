"""Many copies of one picture on a pixel grid, each anywhere and turned by any angle."""

import numpy as np
from scipy import ndimage

from stmviewer.scan.geometry import FloatArray

_AT_ONCE = 400_000


def stamp(
    rows: int,
    columns: int,
    x: FloatArray,
    y: FloatArray,
    angle: FloatArray,
    weight: FloatArray,
    picture: FloatArray,
    scale: float,
) -> FloatArray:
    """sum_k w_k P(turned by -angle_k, relative to (x_k, y_k)) at the pixels; shape (rows, columns).

    `picture` P is square with an odd side and its origin in the middle; `scale` is its pixels per pixel of the field.
    It is sampled linearly: its pixels should be finer than what is on it.
    """
    field = np.zeros((rows, columns))
    half = picture.shape[0] // 2
    reach = int(np.ceil(half * np.sqrt(2) / scale))
    offsets = np.arange(-reach, reach + 1)
    for start in range(0, len(x), max(_AT_ONCE // offsets.size**2, 1)):
        some = slice(start, start + max(_AT_ONCE // offsets.size**2, 1))
        column = np.rint(x[some]).astype(int)[:, None, None] + offsets[None, None, :]
        row = np.rint(y[some]).astype(int)[:, None, None] + offsets[None, :, None]
        right, down = column - x[some, None, None], row - y[some, None, None]
        sine, cosine = np.sin(angle[some])[:, None, None], np.cos(angle[some])[:, None, None]
        value = ndimage.map_coordinates(
            picture,
            [scale * (down * cosine - right * sine) + half, scale * (right * cosine + down * sine) + half],
            order=1,
            mode="constant",
        )
        column, row = np.broadcast_arrays(column, row)
        inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
        at = (row * columns + column)[inside]
        field += np.bincount(at, (value * weight[some, None, None])[inside], rows * columns).reshape(rows, columns)
    return field
