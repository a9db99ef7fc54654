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
    position = np.arange(columns)[None, :] - x_px[moved, None]
    left = np.floor(position).astype(np.int64)
    t = position - left
    weights = (
        t * (-0.5 + t * (1 - 0.5 * t)),
        1 + t * t * (-2.5 + 1.5 * t),
        t * (0.5 + t * (2 - 1.5 * t)),
        t * t * (-0.5 + 0.5 * t),
    )
    result[moved] = sum(
        w * image[moved[:, None], np.clip(left + k, 0, columns - 1)]
        for k, w in zip((-1, 0, 1, 2), weights, strict=True)
    )
    return result


def _along(image: FloatArray, shift_px: float) -> FloatArray:
    """image moved down by `shift_px` rows."""
    position = np.arange(image.shape[0]) - shift_px
    low = np.floor(position).astype(np.int64)
    weight = float(position[0] - low[0])
    first = image[_mirrored(low, image.shape[0])]
    if weight == 0:
        return first
    result: FloatArray = (1 - weight) * first + weight * image[_mirrored(low + 1, image.shape[0])]
    return result


def _mirrored(index: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Indices folded back into 0 .. size - 1, as often as needed."""
    if size == 1:
        return np.zeros_like(index)
    folded = np.abs(index) % (2 * (size - 1))
    result: NDArray[np.int64] = np.minimum(folded, 2 * (size - 1) - folded)
    return result
