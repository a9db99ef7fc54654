"""Scans with fewer lines than pixels per line: where their lines lie on square pixels.

A microscope that records 128 lines of 512 pixels over a square has measured every fourth line of a 512 x 512 image.
Pixels are cell centres, so line k of n over a height L lies at (k + 1/2) L / n: for an even factor that is between
two rows of the square image. The frame is therefore moved by that constant fraction of a pixel, and the geometry
says so; for factors that are not whole, a line lies up to half a pixel off its row and the offset is kept.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stmviewer.scan.geometry import BoolArray, FloatArray, Geometry

#: a scan with fewer lines than this share of its pixels per line and range counts as sparse in lines
_SPARSE_FACTOR = 1.5


def line_factor(geometry: Geometry) -> float:
    """How many square pixels high a line is: 4.0 for 512 x 128 pixels over a square; 1.0 for square pixels.

    An uncalibrated image has no range to compare with: always 1.0.
    """
    return geometry.pixel_height / geometry.pixel_width if geometry.calibrated else 1.0


def looks_line_sparse(geometry: Geometry) -> bool:
    """Whether the scan may be sparse in lines. Only a hint: a cropped scan can look the same, so it is offered."""
    return line_factor(geometry) >= _SPARSE_FACTOR and geometry.rows > 1


@dataclass(frozen=True)
class LinePlacement:
    """The rows of a square-pixel image that measured lines fall on.

    `positions` (lines,) are the fractional row indices of the lines in the new frame, `geometry` the new frame with
    square pixels. `nearest` are the rows that the lines are closest to.
    """

    geometry: Geometry
    positions: FloatArray

    @property
    def nearest(self) -> NDArray[np.int64]:
        return np.clip(np.rint(self.positions).astype(np.int64), 0, self.geometry.rows - 1)

    @property
    def exact(self) -> bool:
        """Whether every line lies on a row to a hundredth of a pixel: then measured values need no interpolation."""
        return bool(np.abs(self.positions - self.nearest).max() < 0.01)

    def measured(self) -> BoolArray:
        """(rows, columns), True on the rows that carry a line."""
        mask = np.zeros(self.geometry.shape, dtype=np.bool_)
        mask[self.nearest] = True
        return mask

    def spread(self, lines: FloatArray) -> FloatArray:
        """Puts `lines` (n, columns) on their nearest rows; NaN elsewhere. Shape (rows, columns)."""
        image = np.full(self.geometry.shape, np.nan)
        image[self.nearest] = lines
        return image

    def at_lines(self, image: FloatArray) -> FloatArray:
        """Values of `image` (rows, columns) at the true line positions, linear between rows; shape (n, columns)."""
        position = np.clip(self.positions, 0, image.shape[0] - 1)
        low = np.minimum(np.floor(position).astype(int), image.shape[0] - 2) if image.shape[0] > 1 else np.zeros(1, int)
        weight = (position - low)[:, None]
        values: FloatArray = (1 - weight) * image[low] + weight * image[np.minimum(low + 1, image.shape[0] - 1)]
        return values

    def between_lines(self, lines: FloatArray, *, cubic: bool = False) -> FloatArray:
        """`lines` (n, columns) interpolated from their true positions onto every row: linearly or by cubic splines.

        Beyond the first and last line that line stands; fewer than four lines are always interpolated linearly.
        """
        rows = np.arange(self.geometry.rows, dtype=np.float64)
        if cubic and len(lines) > 3:
            from scipy.interpolate import make_interp_spline

            at = np.clip(rows, self.positions[0], self.positions[-1])
            curved: FloatArray = make_interp_spline(self.positions, lines, k=3, axis=0)(at)
            return curved
        index = np.interp(rows, self.positions, np.arange(len(lines), dtype=np.float64))
        low = np.minimum(np.floor(index).astype(int), max(len(lines) - 2, 0))
        weight = (index - low)[:, None]
        values: FloatArray = (1 - weight) * lines[low] + weight * lines[np.minimum(low + 1, len(lines) - 1)]
        return values


def place_lines(geometry: Geometry) -> LinePlacement:
    """Places the lines of a scan with non-square pixels onto square ones.

    The new frame has round(height / pixel width) rows. Its offset is chosen so that the lines lie on rows exactly
    when the factor is whole, and is recorded in the centre of the new geometry.
    """
    factor = line_factor(geometry)
    rows = max(round(geometry.rows * factor), geometry.rows)
    pixel = geometry.pixel_width
    # in units of the new pixels, before the frame is moved
    positions: FloatArray = (np.arange(geometry.rows, dtype=np.float64) + 0.5) * (
        geometry.height / pixel / geometry.rows
    ) - 0.5
    fraction = positions - np.floor(positions)
    # circular mean: the one offset that brings all lines closest to rows
    angle = np.angle(np.exp(2j * np.pi * fraction).mean()) / (2 * np.pi)
    spread = np.abs(np.exp(2j * np.pi * fraction).mean())
    offset = float(angle) if spread > 0.99 else 0.0
    # the centre of n rows from the top edge at `offset` pixels, against the centre of the old frame
    shift = offset * pixel + (rows * pixel - geometry.height) / 2
    return LinePlacement(geometry.with_rows(rows, rows * pixel, shift), positions - offset)
