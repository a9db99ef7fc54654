"""Moving images and lines by fractions of a pixel."""

import numpy as np
from numpy.typing import NDArray

from stmviewer.scan.geometry import FloatArray


def shifted(image: FloatArray, x_px: float, y_px: float) -> FloatArray:
    """image(x - x_px, y - y_px), linear between pixels; beyond its edges the image goes on mirrored."""
    return _along(_along(image, y_px).T, x_px).T


def shift_rows(image: FloatArray, x_px: FloatArray) -> FloatArray:
    """Each row moved to the right by its own `x_px` (rows,); cubic (Catmull-Rom) between pixels, edges repeated.

    Cubic, since a line that lies half a pixel off is as sharp as its neighbours; linear interpolation would blur it.
    """
    result = image.copy()
    moved = np.nonzero(x_px)[0]
    if not moved.size:
        return result
    columns = image.shape[1]
    whole = np.floor(-x_px[moved])
    # the fraction is the same along a row: one look-up of the pixels, then four slices of them
    places = np.clip(np.arange(-1, columns + 2)[None, :] + whole[:, None].astype(np.int64), 0, columns - 1)
    around = image[moved[:, None], places]
    weights = cubic_weights((-x_px[moved] - whole)[:, None])
    result[moved] = sum(w * around[:, k : k + columns] for k, w in enumerate(weights))
    return result


def lines_at(image: FloatArray, rows: FloatArray) -> FloatArray:
    """`image` at fractional `rows` (n,), cubic (Catmull-Rom) between lines, mirrored beyond; shape (n, columns)."""
    low = np.floor(rows).astype(np.int64)
    result = np.zeros((len(rows), image.shape[1]))
    for k, weight in zip((-1, 0, 1, 2), cubic_weights((rows - low)[:, None]), strict=True):
        result += weight * image[mirrored(low + k, image.shape[0])]
    return result


def cubic_weights(t: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Catmull-Rom weights of the four samples around a place `t` after the second."""
    return (
        t * (-0.5 + t * (1 - 0.5 * t)),
        1 + t * t * (-2.5 + 1.5 * t),
        t * (0.5 + t * (2 - 1.5 * t)),
        t * t * (-0.5 + 0.5 * t),
    )


def _along(image: FloatArray, shift_px: float) -> FloatArray:
    """image moved down by `shift_px` rows."""
    position = np.arange(image.shape[0]) - shift_px
    low = np.floor(position).astype(np.int64)
    weight = float(position[0] - low[0])
    first = image[mirrored(low, image.shape[0])]
    if weight == 0:
        return first
    result: FloatArray = (1 - weight) * first + weight * image[mirrored(low + 1, image.shape[0])]
    return result


def mirrored(index: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Indices folded back into 0 .. size - 1, as often as needed."""
    if size == 1:
        return np.zeros_like(index)
    folded = np.abs(index) % (2 * (size - 1))
    result: NDArray[np.int64] = np.minimum(folded, 2 * (size - 1) - folded)
    return result
