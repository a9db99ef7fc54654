"""What a processing step gets and gives: an image with its geometry."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import BoolArray, FloatArray, Geometry


@dataclass(frozen=True)
class Image:
    """`data` (rows, columns) in the channel's unit, NaN where nothing was measured, on `geometry`.

    `other` is the same place measured in the opposite scan direction, processed the same so far; None where a history
    does not need it or the scan has none.
    """

    data: FloatArray
    geometry: Geometry
    other: FloatArray | None = None

    @classmethod
    def of_pixels(cls, data: FloatArray) -> "Image":
        """An image without a known size."""
        return cls(data, Geometry.of_pixels(*data.shape))

    @property
    def measured(self) -> BoolArray:
        known: BoolArray = np.isfinite(self.data)
        return known

    def mapped(self, function: Callable[[FloatArray], FloatArray], geometry: Geometry | None = None) -> "Image":
        """`function` done to both directions; on `geometry` where that changes."""
        other = None if self.other is None else function(self.other)
        return replace(self, data=function(self.data), other=other, geometry=geometry or self.geometry)

    def without(self, marked: BoolArray) -> "Image":
        """The same with `marked` pixels (rows, columns) not measured. Raises RequestError if nothing is left."""
        if not (self.measured & ~marked).any():
            raise RequestError("every pixel would be marked as not measured; nothing would be left")
        return self.mapped(lambda data: np.where(marked, np.nan, data))
