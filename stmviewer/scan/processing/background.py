"""Backgrounds that levelling takes away: planes, facets, polynomials."""

from dataclasses import dataclass

import numpy as np

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import BoolArray, FloatArray
from stmviewer.scan.levelling import constant_value
from stmviewer.scan.progress import Progress

#: Gwyddion's: a facet counts by exp(-slope^2 / (mean slope^2 / 20))
_FACET_WIDTH = 1.0 / 20.0
_MOST_ROUNDS = 100
#: of the slopes' spread: what is left then is no tilt
_FACET_DONE = 1e-5


def least_squares_plane(data: FloatArray) -> FloatArray:
    """The plane of least squares through all finite pixels, as Gwyddion's Plane Level takes; shape of `data`."""
    return fit_polynomial(data, 1, 1, total=1)


def fit_polynomial(data: FloatArray, order_x: int, order_y: int, *, total: int | None = None) -> FloatArray:
    """The polynomial of that order across and down the image, by least squares over the finite pixels.

    Terms x^i y^j with i <= order_x and j <= order_y, and i + j <= total where that is given. Orthonormal polynomials
    make the normal equations well conditioned; their sums over pixels factor into products of matrices, so that
    512 x 512 pixels take milliseconds. Shape of `data`. Raises RequestError for more terms than the pixels can carry.
    """
    rows, columns = data.shape
    for order, count, words in ((order_y, rows, "lines"), (order_x, columns, "columns")):
        if order >= count:
            raise RequestError(
                f"a polynomial of order {order} needs at least {order + 1} {words}; the image has {count}"
            )
    known = np.isfinite(data)
    down, across = _orthonormal(rows, order_y), _orthonormal(columns, order_x)
    terms = [(j, i) for j in range(order_y + 1) for i in range(order_x + 1) if total is None or i + j <= total]
    if known.sum() < len(terms):
        raise RequestError(f"{len(terms)} terms cannot be fitted to {int(known.sum())} measured pixels")
    if (value := constant_value(data[known])) is not None:
        return np.full_like(data, value)
    # heights far from zero lose digits in the sums
    middle = float(data[known].mean())
    right = down.T @ np.where(known, data - middle, 0.0) @ across
    at = np.array(terms)
    wanted = right[at[:, 0], at[:, 1]]
    if known.all():
        solution = wanted
    else:
        gram = _gram(known, down, across)[at[:, 0][:, None], at[:, 0][None, :], at[:, 1][:, None], at[:, 1][None, :]]
        solution = np.linalg.lstsq(gram, wanted, rcond=1e-12)[0]
    coefficients = np.zeros((order_y + 1, order_x + 1))
    coefficients[at[:, 0], at[:, 1]] = solution
    result: FloatArray = down @ coefficients @ across.T + middle
    return result


def _orthonormal(count: int, order: int) -> FloatArray:
    """Polynomials of orders 0 to `order` on `count` points, orthonormal; shape (count, order + 1)."""
    x = np.linspace(-1.0, 1.0, count) if count > 1 else np.zeros(1)
    result: FloatArray = np.linalg.qr(np.polynomial.legendre.legvander(x, order))[0]
    return result


def _gram(known: BoolArray, down: FloatArray, across: FloatArray) -> FloatArray:
    """Sums over known pixels of down_j down_l across_i across_k; indices (j, l, i, k)."""
    (rows, n), (columns, m) = down.shape, across.shape
    pairs_down = (down[:, :, None] * down[:, None, :]).reshape(rows, n * n)
    pairs_across = (across[:, :, None] * across[:, None, :]).reshape(columns, m * m)
    result: FloatArray = (pairs_down.T @ known.astype(np.float64) @ pairs_across).reshape(n, n, m, m)
    return result


@dataclass(frozen=True)
class Tilt:
    """A plane by its slopes, height over pixel across and down."""

    across: float
    down: float


def facet_tilt(data: FloatArray, pixel_width: float, pixel_height: float) -> Tilt | None:
    """One round of Gwyddion's facet fit: the mean slope of the cells between four pixels, steep cells discounted.

    A cell with slope v counts exp(-v^2 / s), s a twentieth of the mean v^2 over all cells: what is nearly flat decides,
    and the terraces of a stepped surface come out level where a plane would follow the staircase. Cells next to gaps
    do not count. None where there is no cell.
    """
    a, b, c, d = data[:-1, :-1], data[:-1, 1:], data[1:, :-1], data[1:, 1:]
    x = 0.5 * (b + d - a - c) / pixel_width
    y = 0.5 * (c + d - a - b) / pixel_height
    known = np.isfinite(x)
    if not known.all():
        x, y = x[known], y[known]
    if not x.size:
        return None
    square = x * x + y * y
    width = _FACET_WIDTH * float(square.mean())
    if width <= 0:
        return Tilt(0.0, 0.0)
    weight = np.exp(-square / width)
    total = float(weight.sum())
    if total <= 0:
        return Tilt(0.0, 0.0)
    return Tilt(float((weight * x).sum()) / total * pixel_width, float((weight * y).sum()) / total * pixel_height)


def facet_level(data: FloatArray, pixel_width: float, pixel_height: float, progress: Progress) -> FloatArray:
    """`data` less the plane that makes its facets level, found by repeating `facet_tilt` as Gwyddion does.

    The mean of the measured pixels stays.
    """
    rows, columns = data.shape
    if min(rows, columns) < 2:
        raise RequestError("levelling by facets needs at least 2 x 2 pixels")
    y = (np.arange(rows) - (rows - 1) / 2)[:, None]
    x = (np.arange(columns) - (columns - 1) / 2)[None, :]
    level = data
    across = down = 0.0
    work = progress.part(1.0, "Facets", _MOST_ROUNDS)
    for _ in range(_MOST_ROUNDS):
        work.tick()
        tilt = facet_tilt(level, pixel_width, pixel_height)
        if tilt is None:
            raise RequestError("no four neighbouring pixels were measured: there are no facets to level")
        across, down = across + tilt.across, down + tilt.down
        level = data - across * x - down * y
        size = np.hypot(across, down)
        if np.hypot(tilt.across, tilt.down) <= _FACET_DONE * max(size, 1e-300) or size == 0:
            break
    mean = float(np.nanmean(data)) - float(np.nanmean(level))
    result: FloatArray = level + mean
    return result
