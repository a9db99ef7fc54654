"""Levelling: planes, row offsets, robust ranges. Plain numpy: the first window needs it before scipy is loaded."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from stmviewer.scan.geometry import BoolArray, FloatArray

#: three numbers are fitted to so many pixels; more of them cost time on each way through the program
_MOST_PIXELS = 65_536

#: rows that are worked at once where a whole image less would be a second one of its size
_STRIP = 128

#: differences smaller than this, relative to the largest value, are rounding errors and no corrugation
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Plane:
    """a + b x + c y over an image of `shape` (rows, columns); x and y run from about -1/2 to 1/2."""

    shape: tuple[int, int]
    coefficients: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def on(self, rows: slice) -> FloatArray:
        """Its heights on some rows: of a large scan the whole is not needed at once."""
        a, b, c = self.coefficients
        x, y = _centred(self.shape[1])[None, :], _centred(self.shape[0])[rows, None]
        result: FloatArray = a + b * x + c * y
        return result

    @property
    def whole(self) -> FloatArray:
        """Its heights on every pixel, shape (rows, columns)."""
        return self.on(slice(None))

    def taken_from(self, image: FloatArray) -> FloatArray:
        """`image` less the plane: a new array, and no other of that size on the way."""
        result = np.array(image, dtype=np.float64)
        for rows in strips(self.shape[0]):
            result[rows] -= self.on(rows)
        return result

    def add_to(self, image: FloatArray) -> None:
        """Adds the plane to `image` in place."""
        for rows in strips(self.shape[0]):
            image[rows] += self.on(rows)


def strips(rows: int, most: int = _STRIP) -> list[slice]:
    """Slices of at most `most` of so many rows, all about as high: what is worked strip by strip needs little room."""
    ends = np.linspace(0, rows, max(1, -(-rows // most)) + 1).astype(int).tolist()
    return [slice(start, stop) for start, stop in pairwise(ends)]


def _centred(count: int) -> FloatArray:
    result: FloatArray = (np.arange(count) - (count - 1) / 2) / count
    return result


def fit_plane(data: FloatArray, measured: BoolArray | None = None) -> FloatArray:
    """The heights of `find_plane`, shape (rows, columns)."""
    return find_plane(data, measured).whole


def find_plane(data: FloatArray, measured: BoolArray | None = None) -> Plane:
    """The plane a + b x + c y through the finite (and `measured`) pixels by least squares, robust against steps.

    One reweighting round leaves out what lies over three robust deviations from the first fit, so that adsorbates
    do not tilt it. Zero if nothing is measured, exactly that value if all is the same: a fit would leave rounding
    errors that look like a surface.
    """
    rows, columns = data.shape
    valid = np.isfinite(data) if measured is None else np.isfinite(data) & measured
    if not valid.any():
        return Plane((rows, columns))
    if (value := constant_value(data.reshape(-1) if valid.all() else data[valid])) is not None:
        return Plane((rows, columns), (value, 0.0, 0.0))
    a, b, c = _plane_coefficients(data, valid, _centred(columns)[None, :], _centred(rows)[:, None]).tolist()
    return Plane((rows, columns), (a, b, c))


def constant_value(values: FloatArray) -> float | None:
    """The one value of finite `values` where they are the same to rounding; None where they differ, or are none."""
    if values.size == 0:
        return None
    least, most = float(values.min()), float(values.max())
    # two of them may each be finite and their difference not
    same = most <= least or most - least <= 4 * float(np.finfo(np.float64).eps) * max(abs(least), abs(most))
    return least if same else None


def _plane_coefficients(data: FloatArray, valid: BoolArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """a, b, c of the plane, from at most some 65,000 of the valid pixels: three numbers need no more."""
    count = int(valid.sum())
    at: np.ndarray = np.arange(0) if count == valid.size > _MOST_PIXELS else np.flatnonzero(valid)
    if count > _MOST_PIXELS:
        # at random: a regular choice could follow the lattice
        chosen = np.random.default_rng(0).choice(count, _MOST_PIXELS, replace=False, shuffle=False)
        at = chosen if count == valid.size else at[chosen]
    r, c = np.divmod(at, data.shape[1])
    right, down, values = x[0].take(c), y[:, 0].take(r), data.take(at)
    plane = _least_squares(right, down, values)
    residual = values - (plane[0] + plane[1] * right + plane[2] * down)
    off = np.abs(residual - _quantile(residual, 0.5))
    spread = 1.4826 * _quantile(off, 0.5)
    keep = off <= 3 * spread
    if spread > 0 and keep.sum() > 3 * len(plane):
        plane = _least_squares(right[keep], down[keep], values[keep])
    return plane


def _least_squares(right: FloatArray, down: FloatArray, values: FloatArray) -> FloatArray:
    """The plane of least squares by its normal equations: with centred coordinates they lose no digits that matter,
    and take a tenth of the time of a decomposition. Pixels on one line leave a tilt free: then the smallest one."""
    level = values.mean()
    values = values - level
    count, x, y = float(values.size), right.sum(), down.sum()
    xx, xy, yy = _dot(right, right), _dot(right, down), _dot(down, down)
    gram = np.array([[count, x, y], [x, xx, xy], [y, xy, yy]])
    result: FloatArray
    if np.linalg.cond(gram) < 1e8:
        sides = np.array([values.sum(), _dot(right, values), _dot(down, values)])
        result = np.asarray(np.linalg.solve(gram, sides), dtype=np.float64)
    else:
        design = np.stack([np.ones(values.size), right, down], axis=1)
        result = np.asarray(np.linalg.lstsq(design, values, rcond=None)[0], dtype=np.float64)
    result[0] += level
    return result


def _quantile(values: FloatArray, share: float) -> float:
    """np.quantile of finite numbers, which asks for two neighbours by their rank: for one alone numpy takes a fifth of
    the time, and the other is the least of those above it."""
    place = share * (len(values) - 1)
    low = int(place)
    ordered = np.partition(values, low)
    if place == low:
        return float(ordered[low])
    below, above = float(ordered[low]), float(ordered[low + 1 :].min())
    return below + (place - low) * (above - below)


def _dot(a: FloatArray, b: FloatArray) -> float:
    """A product of many numbers by many. Not by BLAS: its threads spin for 50 ms afterwards, and networks that look how
    many processors are free (`restore.devices`) then find one less, and take twice as long."""
    return float(np.einsum("i,i->", a, b))


def row_offsets(data: FloatArray, measured: BoolArray | None = None) -> FloatArray:
    """Height offset of each row, by the median of its differences to the row before it; shape (rows,).

    The median of differences ignores steps and adsorbates that a row median would follow. The offsets keep no trend:
    their own straight line is removed, since a tilt of the sample is not a fault of the rows.
    """
    values = data if measured is None else np.where(measured, data, np.nan)
    known = np.nonzero(np.isfinite(values).any(axis=1))[0]
    offsets = np.zeros(data.shape[0])
    if known.size < 3:
        return offsets
    both = np.diff(values[known], axis=0)
    if np.isfinite(both).all():
        steps = np.median(both, axis=1)
    else:
        steps = np.array([np.nanmedian(row) if np.isfinite(row).any() else 0.0 for row in both])
    walk = np.concatenate([[0.0], np.cumsum(steps)])
    walk -= np.polyval(np.polyfit(known, walk, 1), known)
    offsets[known] = walk
    return offsets


def robust_range(data: FloatArray, low: float = 1.0, high: float = 99.0) -> tuple[float, float]:
    """The `low` to `high` percentile range of the finite values; (0, 1) when there are none.

    Where it is empty, or no wider than rounding errors (a flat background with few spikes, its plane removed), it is
    the whole range instead, and where that is empty too, it is widened.
    """
    finite = np.isfinite(data)
    values = data.reshape(-1) if finite.all() else data[finite]
    if values.size == 0:
        return 0.0, 1.0
    if values.size > 1_000_000:
        values = values[:: values.size // 500_000]  # a 4096 x 4096 image need not be sorted whole
    bottom, top = (_quantile(values, share / 100) for share in (low, high))
    least, most = float(values.min()), float(values.max())
    if not top - bottom > _ROUNDING * max(abs(least), abs(most)):
        bottom, top = least, most
    if not top > bottom:
        half = abs(bottom) * 1e-6 or 0.5
        return bottom - half, top + half
    return bottom, top


def is_levelled(unit: str) -> bool:
    """Whether a first look takes the plane off what is measured in `unit`: off heights, and off what may be heights.

    A current or a frequency means its own value.
    """
    return unit in ("m", "")


def level_for_display(data: FloatArray) -> FloatArray:
    """`data` less its robust plane and its median: what a first look at a scan shows. Not a processing step."""
    level = data - fit_plane(data)
    middle = np.nanmedian(level) if np.isfinite(level).any() else 0.0
    result: FloatArray = level - middle
    return result
