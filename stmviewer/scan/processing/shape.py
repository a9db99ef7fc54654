"""Steps that change the frame: crop, turn, and warp. Size, centre and angle follow, so that places stay places."""

from dataclasses import replace
from typing import Literal

import numpy as np

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import BoolArray, FloatArray
from stmviewer.scan.processing.filling import nearest_filled
from stmviewer.scan.processing.image import Image
from stmviewer.scan.progress import Progress

Edges = Literal["cut", "keep"]
_BLOCK = 256


def cropped(image: Image, left: int, top: int, width: int, height: int) -> Image:
    """The rectangle from pixel (left, top). Raises RequestError where it does not lie on the image."""
    g = image.geometry
    if left + width > g.columns or top + height > g.rows or left < 0 or top < 0:
        raise RequestError(
            f"the rectangle ({left}, {top}, {width} x {height}) is not inside the image of {g.columns} x {g.rows} "
            "pixels"
        )
    right = (left + width / 2 - g.columns / 2) * g.pixel_width
    down = (top + height / 2 - g.rows / 2) * g.pixel_height
    geometry = replace(
        g.moved(right, down),
        columns=width,
        rows=height,
        width=width * g.pixel_width,
        height=height * g.pixel_height,
    )
    return image.mapped(lambda data: data[top : top + height, left : left + width].copy(), geometry)


def quarter_turned(image: Image, turns: int) -> Image:
    """Turned counter-clockwise by `turns` quarters: no pixel changes its value."""
    g = image.geometry
    angle = _angle(g.angle_deg + 90 * turns)
    geometry = replace(g, angle_deg=angle)
    if turns % 2:
        geometry = replace(geometry, columns=g.rows, rows=g.columns, width=g.height, height=g.width)
    return image.mapped(lambda data: np.ascontiguousarray(np.rot90(data, turns)), geometry)


def turned(image: Image, angle_deg: float, edges: Edges, progress: Progress) -> Image:
    """Turned counter-clockwise about the centre by any angle, onto square pixels.

    `cut` keeps the largest upright rectangle that lies in the image; `keep` keeps all of it, with corners that were not
    measured. Multiples of 90 degrees are exact.
    """
    quarters = angle_deg / 90
    if abs(quarters - round(quarters)) < 1e-9:
        return quarter_turned(image, round(quarters) % 4)
    g = image.geometry
    a = np.deg2rad(angle_deg)
    # y runs down: counter-clockwise takes (1, 0) to (cos, -sin)
    matrix = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    square = g.square_pixels
    pixel = (g.pixel_width, g.pixel_height) if square else (min(g.pixel_width, g.pixel_height),) * 2
    result = warped(image, matrix, pixel, edges, progress)
    return replace(result, geometry=replace(result.geometry, angle_deg=_angle(g.angle_deg + angle_deg)))


def warped(image: Image, matrix: FloatArray, pixel: tuple[float, float], edges: Edges, progress: Progress) -> Image:
    """The image with each point p (from the centre, x right, y down, in lengths) moved to `matrix` p; centre fixed.

    Cubic between pixels. `pixel` is (width, height) of the new ones.
    """
    g = image.geometry
    corners = np.array([[x, y] for x in (-g.width / 2, g.width / 2) for y in (-g.height / 2, g.height / 2)]) @ matrix.T
    extent = np.ptp(corners, axis=0)
    columns, rows = (max(1, round(float(e) / p - 1e-6)) for e, p in zip(extent, pixel, strict=True))
    if columns * rows > 2**28:
        raise RequestError(f"the result would have {columns} x {rows} pixels")
    back = np.linalg.inv(matrix)
    x = (np.arange(columns) - (columns - 1) / 2) * pixel[0]
    y = (np.arange(rows) - (rows - 1) / 2) * pixel[1]
    # rows and columns of the old image, as sums of a part of x and one of y
    at_column = (back[0, 0] * x / g.pixel_width, back[0, 1] * y / g.pixel_width, (g.columns - 1) / 2)
    at_row = (back[1, 0] * x / g.pixel_height, back[1, 1] * y / g.pixel_height, (g.rows - 1) / 2)
    r = at_row[1][:, None] + at_row[0][None, :] + at_row[2]
    c = at_column[1][:, None] + at_column[0][None, :] + at_column[2]
    inside = (r >= -0.5) & (r <= g.rows - 0.5) & (c >= -0.5) & (c <= g.columns - 0.5)
    box = (slice(None), slice(None)) if edges == "keep" else _largest_box(inside)
    r, c, inside = r[box], c[box], inside[box]
    geometry = replace(
        g, columns=r.shape[1], rows=r.shape[0], width=r.shape[1] * pixel[0], height=r.shape[0] * pixel[1]
    )
    return image.mapped(lambda data: np.where(inside, sampled(data, r, c, progress), np.nan), geometry)


def sampled(data: FloatArray, r: FloatArray, c: FloatArray, progress: Progress) -> FloatArray:
    """`data` at fractional rows and columns (both (rows, columns)), by cubic splines; NaN where the nearest pixel is.

    Beyond the outermost centres these stand.
    """
    from scipy.ndimage import map_coordinates, spline_filter

    known = np.isfinite(data)
    middle = float(np.mean(data[known])) if known.any() else 0.0
    spline = spline_filter(nearest_filled(data) - middle, order=3, mode="nearest")
    result = np.empty(r.shape)
    work = progress.part(1.0, total=max(1, -(-r.shape[0] // _BLOCK)))
    for start in range(0, r.shape[0], _BLOCK):
        work.tick()
        part = slice(start, start + _BLOCK)
        result[part] = map_coordinates(spline, (r[part], c[part]), order=3, mode="nearest", prefilter=False)
    result += middle
    if not known.all():
        rows = np.clip(np.rint(r), 0, data.shape[0] - 1).astype(np.int64)
        columns = np.clip(np.rint(c), 0, data.shape[1] - 1).astype(np.int64)
        result[~known[rows, columns]] = np.nan
    return result


def _largest_box(inside: BoolArray) -> tuple[slice, slice]:
    """The largest rectangle about the centre that is all inside; `inside` is symmetric about its centre."""
    rows, columns = inside.shape
    # how far each row reaches from the middle, to the nearer side
    half_columns = columns // 2
    left = np.cumprod(inside[:, :half_columns][:, ::-1], axis=1).sum(axis=1)
    right = np.cumprod(inside[:, columns - half_columns :], axis=1).sum(axis=1)
    reach = np.minimum(left, right)
    odd = columns % 2
    upper = reach[: rows // 2][::-1]
    lower = reach[rows - rows // 2 :]
    both = np.minimum.accumulate(np.minimum(upper, lower)) if rows > 1 else reach
    if rows % 2:
        both = np.minimum(both, reach[rows // 2])
    heights = 2 * np.arange(1, both.size + 1) + rows % 2
    widths = 2 * both + odd
    if not both.size or widths.max() < 1:
        raise RequestError("nothing of the image would be left")
    best = int(np.argmax(heights * widths))
    k, w = best + 1, int(both[best])
    return slice(rows // 2 - k, rows - rows // 2 + k), slice(half_columns - w, columns - half_columns + w)


def _angle(angle: float) -> float:
    """The same direction between -180 (excluded) and 180 degrees; what was already between stays as it is."""
    return angle if -180 < angle <= 180 else 180 - (180 - angle) % 360
