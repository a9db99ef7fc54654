"""Where the pixels of a scan are."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

#: lateral unit: metres, or pixels for an image whose size nobody knows
LateralUnit = Literal["m", "px"]


@dataclass(frozen=True)
class Geometry:
    """The scan frame: pixels, size, angle and centre.

    Pixels are cells: pixel (row, column) has its centre at ((column + 1/2) dx, (row + 1/2) dy) from the top left
    corner of the frame, with dx = width / columns and dy = height / rows. `width`, `height` and `centre` are in
    `unit`; `angle_deg` turns the frame clockwise, as Nanonis writes it.
    """

    columns: int
    rows: int
    width: float
    height: float
    unit: LateralUnit = "m"
    angle_deg: float = 0.0
    centre: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        if self.columns < 1 or self.rows < 1:
            raise ValueError(f"a scan needs at least one pixel, not {self.columns} x {self.rows}")
        if not (self.width > 0 and self.height > 0 and np.isfinite([self.width, self.height]).all()):
            raise ValueError(f"a scan needs a positive size, not {self.width} x {self.height}")

    @classmethod
    def of_pixels(cls, rows: int, columns: int) -> "Geometry":
        """The frame of an image without a known size: one unit a pixel."""
        return cls(columns, rows, float(columns), float(rows), "px")

    @property
    def calibrated(self) -> bool:
        return self.unit == "m"

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns), the shape of the channel arrays."""
        return self.rows, self.columns

    @property
    def pixel_width(self) -> float:
        return self.width / self.columns

    @property
    def pixel_height(self) -> float:
        return self.height / self.rows

    @property
    def square_pixels(self) -> bool:
        """Whether pixels are square to 2 %, what a rounded header leaves."""
        return abs(self.pixel_height / self.pixel_width - 1) < 0.02

    def in_words(self) -> str:
        """`512 x 128 pixels, 50 x 50 nm`."""
        words = f"{self.columns} x {self.rows} pixels"
        if not self.calibrated:
            return words
        factor, unit = (1e6, "µm") if max(self.width, self.height) >= 0.9995e-6 else (1e9, "nm")
        return f"{words}, {self.width * factor:.4g} x {self.height * factor:.4g} {unit}"

    def moved(self, right: float, down: float) -> "Geometry":
        """The same frame with its centre moved along its own axes, in `unit`."""
        angle = np.deg2rad(self.angle_deg)
        cos, sin = float(np.cos(angle)), float(np.sin(angle))
        # down the image is -y in the frame; the frame is turned clockwise by the angle
        x, y = self.centre
        return replace(self, centre=(x + cos * right - sin * down, y - sin * right - cos * down))

    def with_rows(self, rows: int, height: float, centre_shift_down: float = 0.0) -> "Geometry":
        """The same frame with other rows; `centre_shift_down` (in `unit`) moves its centre along the slow axis."""
        moved = self.moved(0.0, centre_shift_down)
        return replace(moved, rows=rows, height=height)
