"""Moving images and lines by fractions of a pixel."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from stmviewer.scan.geometry import FloatArray


def shifted(image: FloatArray, x_px: float, y_px: float) -> FloatArray:
    """image(x - x_px, y - y_px), linear between pixels; beyond its edges the image goes on mirrored."""
    return _along(_along(image, y_px).T, x_px).T


def shift_rows(image: FloatArray, x_px: FloatArray) -> FloatArray:
    """Each row moved to the right by its own `x_px` (rows,); Lanczos between pixels, edges repeated.

    A line that lies half a pixel off is as sharp as its neighbours: of a wave of 3 pixels linear interpolation would
    leave a half, a cubic one two thirds.
    """
    result = image.copy()
    moved = np.nonzero(x_px)[0]
    if not moved.size:
        return result
    columns = image.shape[1]
    whole = np.floor(-x_px[moved])
    # the fraction is the same along a row: one look-up of the pixels, then a slice of them for each tap
    places = np.clip(np.arange(TAPS[0], columns + TAPS[-1])[None, :] + whole[:, None].astype(np.int64), 0, columns - 1)
    around = image[moved[:, None], places]
    weights = lanczos_weights(-x_px[moved] - whole)
    taps = np.lib.stride_tricks.sliding_window_view(around, columns, axis=1)
    result[moved] = np.einsum("rk,rkc->rc", weights, taps)
    return result


def lines_at(image: FloatArray, rows: FloatArray) -> FloatArray:
    """`image` at fractional `rows` (n,), Lanczos between lines, mirrored beyond the edges; shape (n, columns)."""
    low = np.floor(rows).astype(np.int64)
    sources = mirrored(low[:, None] + np.array(TAPS), image.shape[0])
    starts = np.arange(len(rows) + 1) * len(TAPS)
    weights = lanczos_weights(rows - low)
    shape = (len(rows), image.shape[0])
    result: FloatArray = sparse.csr_array((weights.ravel(), sources.ravel(), starts), shape=shape) @ image
    return result


#: the samples around a place that interpolation takes, counted from the one before it
TAPS = range(-3, 5)


def lanczos_weights(t: FloatArray) -> FloatArray:
    """Weights of the samples at `TAPS` for places `t` (...,), 0 to 1 after the sample 0; shape (..., taps), sums 1.

    sinc(x) sinc(x / 4) at their distances x (Duchon, J. Appl. Meteorol. 18, 1016 (1979)).
    """
    away = np.asarray(t)[..., None] - np.array(TAPS)
    weights: FloatArray = np.sinc(away) * np.sinc(away / 4)
    return weights / weights.sum(axis=-1, keepdims=True)


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
