"""Sums of many Gaussians on a pixel grid: the localised part of every surface (atoms, defects, charges)."""

import numpy as np
from numpy.typing import ArrayLike

from stmviewer.scan.geometry import FloatArray

#: a Gaussian is cut off this many sigma away, where it has fallen to 1e-8
_REACH = 6.0
_TILE = 128


def gaussian_sum(
    rows: int, columns: int, x: ArrayLike, y: ArrayLike, amplitude: ArrayLike, sigma: ArrayLike
) -> FloatArray:
    """sum_k a_k exp(-((c - x_k)^2 + (r - y_k)^2) / (2 sigma_k^2)) at pixels (r, c); shape (rows, columns).

    `x`, `y` (columns and rows, any fraction, also outside the field) and `sigma` are in pixels; one value or one for
    each source. A Gaussian is a product of one of rows and one of columns, so the sum over k is a matrix product,
    tile by tile with the sources that reach the tile.
    """
    x, y, amplitude, sigma = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(v, float)) for v in (x, y, amplitude, sigma))
    )
    field = np.zeros((rows, columns))
    reach = _REACH * sigma
    for top in range(0, rows, _TILE):
        bottom = min(top + _TILE, rows)
        in_band = (y > top - reach) & (y < bottom + reach)
        for left in range(0, columns, _TILE):
            right = min(left + _TILE, columns)
            near = in_band & (x > left - reach) & (x < right + reach)
            if not near.any():
                continue
            down = _profile(np.arange(top, bottom), y[near], sigma[near]) * amplitude[near, None]
            across = _profile(np.arange(left, right), x[near], sigma[near])
            field[top:bottom, left:right] = down.T @ across
    return field


def _profile(pixels: np.ndarray, centres: FloatArray, sigma: FloatArray) -> FloatArray:
    result: FloatArray = np.exp(-0.5 * ((pixels[None, :] - centres[:, None]) / sigma[:, None]) ** 2)
    return result
