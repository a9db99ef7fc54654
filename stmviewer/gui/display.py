"""What is shown of an image: where it lies, levelling for view, colour range, colours. numpy only, no Qt.

Nothing here is a processing step: the arrays of a scan stay as they are (DESIGN, rule 5). Lateral positions are in nm
(px for an uncalibrated image) from the top left corner of the shown scan, x to the right and y down.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stmviewer.scan import FloatArray, Geometry
from stmviewer.scan.levelling import fit_plane, robust_range

#: images with more pixels a side are levelled and ranged on a part of their pixels
SAMPLE_SIDE = 1024
#: the share of the tint in the colour of an inferred pixel
TINT = 0.35

Lut = NDArray[np.uint8]
Rgba = NDArray[np.uint8]
#: values to be shown; masks of large images are kept in single precision
Values = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Frame:
    """Where an image lies: top left corner, width and height, in `unit`."""

    x: float
    y: float
    width: float
    height: float
    unit: Literal["nm", "px"] = "nm"

    def centres(self, shape: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
        """x (columns,) and y (rows,) of the centres of `shape` = (rows, columns) equal cells."""
        rows, columns = shape
        x = self.x + (np.arange(columns, dtype=np.float64) + 0.5) * (self.width / columns)
        y = self.y + (np.arange(rows, dtype=np.float64) + 0.5) * (self.height / rows)
        return x, y


def frame_of(geometry: Geometry, reference: Geometry | None = None) -> Frame:
    """The frame of `geometry`, seen from the top left corner of `reference` (itself by default).

    A restoration of a line-sparse scan lies a fraction of a pixel off the scan it came from; its geometry says so in
    its centre, which is turned back here by the angle of the frame.
    """
    reference = reference or geometry
    factor = 1e9 if geometry.calibrated else 1.0
    x = y = 0.0
    if geometry.unit == reference.unit:
        dx, dy = (a - b for a, b in zip(geometry.centre, reference.centre, strict=True))
        angle = np.deg2rad(reference.angle_deg)
        right = float(dx * np.cos(angle) - dy * np.sin(angle))
        down = float(-dx * np.sin(angle) - dy * np.cos(angle))
        x = (reference.width - geometry.width) / 2 + right
        y = (reference.height - geometry.height) / 2 + down
    return Frame(
        x * factor, y * factor, geometry.width * factor, geometry.height * factor, "nm" if geometry.calibrated else "px"
    )


@dataclass(frozen=True)
class Plane:
    """A plane over the shown scan: `offset` + `slope_x` x + `slope_y` y, in the channel's unit (per nm)."""

    offset: float = 0.0
    slope_x: float = 0.0
    slope_y: float = 0.0

    def at(self, x: float, y: float) -> float:
        return self.offset + self.slope_x * x + self.slope_y * y

    def on(self, frame: Frame, shape: tuple[int, int]) -> FloatArray:
        """Its values at the pixel centres of an image of that shape in that frame; shape (rows, columns)."""
        down, across = self.rows_and_columns(frame, shape)
        values: FloatArray = down[:, None] + across[None, :]
        return values

    def rows_and_columns(self, frame: Frame, shape: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
        """What it adds to each row (rows,) and to each column (columns,) of such an image."""
        x, y = frame.centres(shape)
        return self.offset + self.slope_y * y, self.slope_x * x


FLAT = Plane()


@dataclass(frozen=True, eq=False)
class Picture:
    """An image to be shown: `data` (rows, columns), NaN (or inf) where there is no value, and its frame."""

    data: Values
    frame: Frame
    _shrunk: dict[tuple[int, int], tuple[Values, NDArray[np.float32]]] = field(default_factory=dict, repr=False)
    _samples: dict["Plane", FloatArray] = field(default_factory=dict, repr=False)

    @cached_property
    def has_gaps(self) -> bool:
        """Whether any pixel has no value."""
        return not np.isfinite(self.data).all()

    def value_at(self, x: float, y: float) -> float | None:
        """The value of the pixel at that position, NaN where it has none; None outside of the image."""
        column = (x - self.frame.x) / self.frame.width * self.data.shape[1]
        row = (y - self.frame.y) / self.frame.height * self.data.shape[0]
        if not (0 <= column < self.data.shape[1] and 0 <= row < self.data.shape[0]):
            return None
        value = float(self.data[int(row), int(column)])
        return value if np.isfinite(value) else float("nan")

    def shrunk(self, fx: int, fy: int) -> tuple[Values, NDArray[np.float32]]:
        """The means over cells of `fy` x `fx` pixels (powers of two) and the part of each cell that has a value.

        Zoomed out, every pixel counts: picking some would turn an atomic lattice into a moire. Shapes
        (ceil(rows / fy), ceil(columns / fx)); cells without a value are 0 with a part of 0.
        """
        if (fx, fy) not in self._shrunk:
            if fx == fy == 1:
                finite = np.isfinite(self.data)
                result = np.where(finite, self.data, 0.0) if self.has_gaps else self.data, finite.astype(np.float32)
            elif fx >= fy:
                wide, wide_part = self.shrunk(fx // 2, fy)
                values, part = _halved(wide.T, wide_part.T)
                result = values.T, part.T
            else:
                result = _halved(*self.shrunk(fx, fy // 2))
            self._shrunk[fx, fy] = result
        return self._shrunk[fx, fy]

    def sample(self, plane: Plane = FLAT) -> FloatArray:
        """Finite values less `plane` from at most SAMPLE_SIDE rows and columns, chosen at random (always the same).

        Every k-th row would do for a full image but might meet only the gaps of a sparse one.
        """
        if plane not in self._samples:
            self._samples[plane] = self._sampled(plane)
        return self._samples[plane]

    def _sampled(self, plane: Plane) -> FloatArray:
        rng = np.random.default_rng(0)
        picks = [
            np.arange(n) if n <= SAMPLE_SIDE else np.sort(rng.choice(n, SAMPLE_SIDE, replace=False))
            for n in self.data.shape
        ]
        x, y = self.frame.centres(self.data.shape)
        values = self.data[np.ix_(*picks)] - (
            (plane.offset + plane.slope_y * y[picks[0]])[:, None] + (plane.slope_x * x[picks[1]])[None, :]
        )
        finite: FloatArray = values[np.isfinite(values)]
        return finite

    def minus(self, other: FloatArray) -> "Picture":
        """The difference to `other`, an image on the same pixels."""
        return Picture(self.data - other, self.frame)


def _halved(values: Values, part: NDArray[np.float32]) -> tuple[Values, NDArray[np.float32]]:
    """Means over pairs of rows, weighted by the part of each that has a value; a last odd row stays as it is."""
    even = values.shape[0] // 2 * 2
    upper, lower = part[0:even:2], part[1:even:2]
    weight = upper + lower
    total = values[0:even:2] * upper + values[1:even:2] * lower
    mean = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
    half = (weight / 2).astype(np.float32)
    if even == values.shape[0]:
        return mean, half
    return np.concatenate([mean, values[even:]]), np.concatenate([half, part[even:]])


def display_plane(picture: Picture) -> Plane:
    """The plane that levelling for view takes away: robust plane and median, as `level_for_display` does.

    Large images are fitted on cells of pixels: a fit through 16 million pixels takes seconds and a gigabyte.
    """
    factor = 1
    while max(picture.data.shape) / factor > SAMPLE_SIDE:
        factor *= 2
    if factor == 1:
        values = np.where(np.isfinite(picture.data), picture.data, np.nan)
    else:
        cells, part = picture.shrunk(factor, factor)
        # the last cells may be cut off by the edge; whole ones alone lie on a regular grid
        rows, columns = picture.data.shape[0] // factor, picture.data.shape[1] // factor
        values = np.where(part > 0, cells, np.nan)[:rows, :columns]
    if not np.isfinite(values).any():
        return FLAT
    fitted = fit_plane(values)
    step_x = picture.frame.width / picture.data.shape[1] * factor
    step_y = picture.frame.height / picture.data.shape[0] * factor
    rows, columns = values.shape
    slope_x = float(fitted[0, -1] - fitted[0, 0]) / (step_x * (columns - 1)) if columns > 1 else 0.0
    slope_y = float(fitted[-1, 0] - fitted[0, 0]) / (step_y * (rows - 1)) if rows > 1 else 0.0
    offset = float(fitted[0, 0]) - slope_x * (picture.frame.x + step_x / 2) - slope_y * (picture.frame.y + step_y / 2)
    return Plane(offset + float(np.nanmedian(values - fitted)), slope_x, slope_y)


def value_range(picture: Picture, plane: Plane = FLAT) -> tuple[float, float]:
    """The 1 to 99 % range of what is shown."""
    return robust_range(picture.sample(plane))


def colourise(
    values: Values,
    part: NDArray[np.float32],
    limits: tuple[float, float],
    lut: Lut,
    plane: tuple[FloatArray, FloatArray] | None = None,
) -> Rgba:
    """Colours of `values` (rows, columns) between `limits`, premultiplied by the `part` that has a value.

    `lut` is (256, 3) uint8; returns (rows, columns, 4) uint8, contiguous. `plane` is taken off before: what it adds to
    each row and to each column (`Plane.rows_and_columns`). Six times as fast as the obvious way: one array is worked
    on in place, and a colour is looked up as one word.
    """
    low, high = limits
    down, across = plane if plane is not None else (np.zeros(1), np.zeros(1))
    level = np.subtract(values, (down + low)[:, None], dtype=np.float64)
    if across.any():
        level -= across[None, :]
    level *= 255.999 / (high - low)
    index = np.clip(level, 0, 255, out=level).astype(np.uint8)
    words = np.full((256, 4), 255, dtype=np.uint8)
    words[:, :3] = lut
    colours: Rgba = words.view(np.uint32)[:, 0].take(index).view(np.uint8).reshape(*values.shape, 4)
    if part.min() < 1:
        colours = (colours * part[..., None] + 0.5).astype(np.uint8)
    return colours


def tinted(colours: Rgba, part: Values, tint: tuple[int, ...]) -> None:
    """Mixes `tint` into premultiplied `colours` (rows, columns, 4), in place, where `part` (rows, columns) is 1.

    The lightness stays readable: only a share of each colour is replaced.
    """
    share = (TINT * part * (colours[..., 3] / 255.0))[..., None]
    colours[..., :3] = (colours[..., :3] * (1 - TINT * part[..., None]) + share * np.array(tint) + 0.5).astype(np.uint8)
