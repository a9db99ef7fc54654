"""Draws a field of heights in parallel projection, lit from the upper left. numpy only, no Qt and no graphics card.

The field is turned and sampled on a grid of screen columns and depths. Going from the front to the back, a point is
seen where it rises above all that lie before it, the horizon of its column (Anderson, ACM Trans. Graph. 1, 274, 1982).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stmviewer.gui.display import Lut, Rgba
from stmviewer.scan import FloatArray

#: towards the light: left, up on the screen, out of it
_LIGHT = np.array([-0.5, -0.45, 0.74])
_AMBIENT = 0.42
#: colour of the walls that the surface stands on, as a share of the surface's
_WALL = 0.35
#: part of the picture that the surface may fill
_MARGIN = 0.94


@dataclass(frozen=True)
class Camera:
    """How it is looked at: turned by `turn` degrees, from `tilt` degrees above the plane; `relief` is the height of the
    colour range as a share of the longer side."""

    turn: float = 30.0
    tilt: float = 42.0
    relief: float = 0.12

    def moved(self, right: float, down: float) -> "Camera":
        """After a drag by so many degrees."""
        return Camera((self.turn + right) % 360, float(np.clip(self.tilt + down, 8, 90)), self.relief)


def draw(level: FloatArray, lut: Lut, camera: Camera, width: int, height: int) -> Rgba:
    """The picture (height, width, 4), premultiplied, transparent around the surface.

    `level` (rows, columns) are heights over the colour range, 0 at its low and 1 at its high end, NaN where there is
    none; they rise further than the colours go. Pixels are square.
    """
    rows, columns = level.shape
    longer = max(rows, columns)
    turn, tilt = np.deg2rad(camera.turn), np.deg2rad(camera.tilt)
    bounded = np.clip(level, -1.0, 2.0)
    finite = bounded[np.isfinite(bounded)]
    floor, top = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    rise = camera.relief * longer
    # half the extent across and in depth, in pixels of the field
    across = (abs(np.cos(turn)) * columns + abs(np.sin(turn)) * rows) / 2
    deep = (abs(np.sin(turn)) * columns + abs(np.cos(turn)) * rows) / 2
    tall = 2 * deep * np.sin(tilt) + (top - floor) * rise * np.cos(tilt)
    scale = _MARGIN * min(width / (2 * across), height / max(tall, 1e-9))
    steps = int(np.clip(2 * deep * scale * max(np.sin(tilt), 0.6), 32, 1000))
    u = (np.arange(width) + 0.5 - width / 2) / scale
    v = np.linspace(deep, -deep, steps)  # from the front to the back
    seen = _turned(bounded, u, v, turn)
    z = (seen - floor) * rise
    # screen rows, downwards; the middle of what is drawn is the middle of the picture
    middle = (top - floor) * rise * np.cos(tilt) / 2
    y = (v[:, None] * np.sin(tilt) - z * np.cos(tilt) + middle) * scale + height / 2
    y = np.where(np.isfinite(y), y, np.inf)
    colour = _lit(seen, z, lut, u, v, tilt)
    first = np.isfinite(y).argmax(axis=0)
    ground = (v[first] * np.sin(tilt) + middle) * scale + height / 2
    return _seen(y, colour, first, ground, height)


def _turned(level: FloatArray, u: FloatArray, v: FloatArray, turn: float) -> FloatArray:
    """The field at depths `v` and screen columns `u` (bilinear), shape (v, u); NaN outside of it."""
    rows, columns = level.shape
    x = np.cos(turn) * u[None, :] + np.sin(turn) * v[:, None] + columns / 2 - 0.5
    y = -np.sin(turn) * u[None, :] + np.cos(turn) * v[:, None] + rows / 2 - 0.5
    outside = (x < -0.5) | (x > columns - 0.5) | (y < -0.5) | (y > rows - 0.5)
    x, y = np.clip(x, 0, columns - 1), np.clip(y, 0, rows - 1)
    left, above = np.minimum(x.astype(int), max(columns - 2, 0)), np.minimum(y.astype(int), max(rows - 2, 0))
    fx, fy = x - left, y - above
    right, below = np.minimum(left + 1, columns - 1), np.minimum(above + 1, rows - 1)
    upper = (1 - fx) * level[above, left] + fx * level[above, right]
    lower = (1 - fx) * level[below, left] + fx * level[below, right]
    result: FloatArray = np.where(outside, np.nan, (1 - fy) * upper + fy * lower)
    return result


def _lit(seen: FloatArray, z: FloatArray, lut: Lut, u: FloatArray, v: FloatArray, tilt: float) -> NDArray[np.uint8]:
    """The colours of the surface points (v, u, 3): those of the colour bar, times the light that falls on them."""
    level = np.nan_to_num(seen)
    rgb = lut[(np.clip(level, 0, 1) * 255.999).astype(np.uint8).clip(0, 255)].astype(np.float32)
    if min(z.shape) < 2:
        return rgb.astype(np.uint8)
    along_v, along_u = np.gradient(np.nan_to_num(z, nan=float(np.nanmin(z)) if np.isfinite(z).any() else 0.0), v, u)
    # the normal, with the axes of the screen: right, down, towards the eye
    down = -along_v * np.sin(tilt) - np.cos(tilt)
    out = -along_v * -np.cos(tilt) + np.sin(tilt)
    length = np.sqrt(along_u**2 + along_v**2 + 1)
    bright = (-along_u * _LIGHT[0] + down * _LIGHT[1] + out * _LIGHT[2]) / (length * np.linalg.norm(_LIGHT))
    share = _AMBIENT + (1 - _AMBIENT) * np.clip(bright, 0, 1)
    lit: NDArray[np.uint8] = np.clip(rgb * share[..., None] * 1.12, 0, 255).astype(np.uint8)
    return lit


def _seen(y: FloatArray, colour: NDArray[np.uint8], first: NDArray[np.intp], ground: FloatArray, height: int) -> Rgba:
    """What is seen of points at screen rows `y` (depth, columns), from the front; below the first of them, the wall."""
    horizon = np.minimum.accumulate(y, axis=0)
    at = np.arange(height) + 0.5
    picture = np.zeros((height, y.shape[1], 4), dtype=np.uint8)
    steps = y.shape[0]
    for column in range(y.shape[1]):
        start = first[column]
        if not np.isfinite(y[start, column]):
            continue
        # the first point from the front that is as high as the screen row or higher
        depth = np.searchsorted(-horizon[:, column], -at)
        shown = depth < steps
        at_hand = np.minimum(depth, steps - 1)
        # between it and the point before it there is surface, unless that one is a gap
        shown &= np.isfinite(y[np.maximum(at_hand - 1, 0), column]) | (at - y[at_hand, column] < 1.5)
        picture[shown, column, :3] = colour[depth[shown], column]
        picture[shown, column, 3] = 255
        front = y[start, column]
        wall = at > front
        picture[wall, column, :3] = (_WALL * colour[start, column]).astype(np.uint8)
        picture[wall, column, 3] = 255  # colour without it would be added to the ground, and turn round at white
        picture[at > ground[column], column] = 0
    return picture
