"""Marking pixels as not measured: a restoration then fills them from the others."""

import numpy as np

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import BoolArray
from stmviewer.scan.processing.image import Image


def rectangle(image: Image, left: int, top: int, width: int, height: int, *, outside: bool) -> BoolArray:
    """True in the rectangle from pixel (left, top), or outside of it. It may reach over the edge, but not miss."""
    rows, columns = image.data.shape
    if left >= columns or top >= rows or left + width <= 0 or top + height <= 0:
        raise RequestError(f"the rectangle does not lie on the image of {columns} x {rows} pixels")
    marked = np.full((rows, columns), outside)
    marked[max(top, 0) : top + height, max(left, 0) : left + width] = not outside
    return marked


def extremes(image: Image, lowest: float, highest: float) -> BoolArray:
    """True where a value is among the `lowest` or the `highest` percent of the measured ones."""
    if lowest + highest >= 100:
        raise RequestError("the lowest and the highest part together must be under 100 %")
    values = image.data[image.measured]
    low, high = np.percentile(values, (lowest, 100 - highest))
    with np.errstate(invalid="ignore"):
        below = image.data < low if lowest else np.zeros(image.data.shape, bool)
        above = image.data > high if highest else np.zeros(image.data.shape, bool)
    marked: BoolArray = below | above
    return marked


def outliers(image: Image, low: float, high: float) -> BoolArray:
    """True where a value lies below `low` or above `high`, in the channel's unit."""
    if not low < high:
        raise RequestError(f"the lower limit ({low:g}) must be under the upper one ({high:g})")
    with np.errstate(invalid="ignore"):
        marked: BoolArray = (image.data < low) | (image.data > high)
    return marked


def strokes(image: Image, path: str, radius: float) -> BoolArray:
    """True within `radius` pixels of the lines through "x y x y ..." (pixels from the top left corner).

    A `/` lifts the brush.
    """
    rows, columns = image.data.shape
    marked = np.zeros((rows, columns), dtype=np.bool_)
    for part in path.split("/"):
        try:
            numbers = np.array([float(word) for word in part.split()])
        except ValueError:
            raise RequestError("the path of a brush is numbers 'x y x y ...', and '/' where it is lifted") from None
        if numbers.size % 2 or not np.isfinite(numbers).all():
            raise RequestError("the path of a brush is pairs of numbers, 'x y x y ...'")
        points = numbers.reshape(-1, 2)
        ends = points[1:] if len(points) > 1 else points
        for start, end in zip(points, ends, strict=False):
            _stroke(marked, start, end, radius)
    if not path.strip():
        raise RequestError("nothing was painted yet: draw on the image")
    return marked


def _stroke(marked: BoolArray, start: np.ndarray, end: np.ndarray, radius: float) -> None:
    """Marks what lies within `radius` of one straight line."""
    low, high = np.minimum(start, end) - radius - 1, np.maximum(start, end) + radius + 1
    left, top = (max(int(v), 0) for v in low)
    right, bottom = (max(int(np.ceil(v)), 0) for v in high)
    part = marked[top:bottom, left:right]
    if not part.size:
        return
    y = np.arange(top, top + part.shape[0])[:, None] + 0.5
    x = np.arange(left, left + part.shape[1])[None, :] + 0.5
    dx, dy = end - start
    length = float(dx * dx + dy * dy)
    t = np.clip(((x - start[0]) * dx + (y - start[1]) * dy) / length, 0, 1) if length else np.zeros((1, 1))
    part |= np.hypot(x - start[0] - t * dx, y - start[1] - t * dy) <= max(radius, 0.5)
