"""The scale on which models see a scan: its plane and slow background removed, its corrugation brought to about 1.

Terraces differ by several times the corrugation of the lattice. Scaled by its whole range, a stepped scan would leave
the lattice a tenth of the scale of a flat one, and the network would have to learn every scale in between. The same
normalisation runs in training and in use, on the whole image before it is cut into tiles, and is undone exactly after
the model.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from stmviewer.scan import BoolArray, FloatArray
from stmviewer.scan.levelling import Plane, find_plane, robust_range, strips
from stmviewer.scan.smoothing import smooth

#: what counts as corrugation of the detail: a share of the pixels at both ends is step edges, adsorbates and spikes
_LOW, _HIGH = 5.0, 95.0


@dataclass(frozen=True)
class Normalisation:
    """x = (data - background) / half_range, and back; `background` (rows, columns) and `half_range` in data's unit.

    `tilt` is the part of the background that is a plane.
    """

    background: FloatArray
    half_range: float
    tilt: Plane

    @property
    def plane(self) -> FloatArray:
        """The tilt on every pixel, shape (rows, columns)."""
        return self.tilt.whole

    def forward(self, data: FloatArray, digits: type[np.floating[Any]] = np.float64) -> FloatArray:
        """The image as models see it, in numbers of as many `digits`: they hold no other of its size on the way."""
        result: FloatArray = np.empty(data.shape, dtype=digits)
        for rows in strips(len(data)):
            result[rows] = (data[rows] - self.background[rows]) / self.half_range
        return result

    def back(self, image: FloatArray) -> FloatArray:
        """The image of a model, in the unit of the data."""
        result: FloatArray = np.multiply(image, self.half_range, dtype=np.float64)
        result += self.background
        return result


def normalisation(filled: FloatArray, measured: BoolArray) -> Normalisation:
    """The normalisation of an image without gaps; plane and corrugation are found from its `measured` pixels alone."""
    # in place: of a large scan there is room for few images
    tilt = find_plane(filled, measured)
    background = tilt.taken_from(filled)
    smooth(background)
    detail = tilt.taken_from(filled)
    detail -= background
    if not measured.all():
        detail = detail[measured]
    low, high = robust_range(detail, _LOW, _HIGH)
    widest = robust_range(detail, 0.0, 100.0)
    del detail
    # flat but for a few adsorbates: their height is the scale then
    half = max((high - low) / 2, 0.02 * (widest[1] - widest[0]), np.finfo(np.float64).tiny)
    tilt.add_to(background)
    return Normalisation(background, half, tilt)
