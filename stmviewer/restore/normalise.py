"""The scale on which models see a scan: its plane and slow background removed, its corrugation brought to about 1.

Terraces differ by several times the corrugation of the lattice. Scaled by its whole range, a stepped scan would leave
the lattice a tenth of the scale of a flat one, and the network would have to learn every scale in between. The same
normalisation runs in training and in use, on the whole image before it is cut into tiles, and is undone exactly after
the model.
"""

from dataclasses import dataclass

import numpy as np

from stmviewer.scan import BoolArray, FloatArray
from stmviewer.scan.levelling import fit_plane, robust_range

#: three running means of this width make nearly a Gaussian of sigma 12 pixels, whatever the size of the image
_WINDOW = 25
_PASSES = 3
#: what counts as corrugation of the detail: a share of the pixels at both ends is step edges, adsorbates and spikes
_LOW, _HIGH = 5.0, 95.0


@dataclass(frozen=True)
class Normalisation:
    """x = (data - background) / half_range, and back; `background` (rows, columns) and `half_range` in data's unit.

    `plane` is the part of the background that is the sample's tilt.
    """

    background: FloatArray
    half_range: float
    plane: FloatArray

    def forward(self, data: FloatArray) -> FloatArray:
        result: FloatArray = (data - self.background) / self.half_range
        return result

    def back(self, image: FloatArray) -> FloatArray:
        result: FloatArray = image * self.half_range + self.background
        return result


def normalisation(filled: FloatArray, measured: BoolArray) -> Normalisation:
    """The normalisation of an image without gaps; plane and corrugation are found from its `measured` pixels alone."""
    from scipy.ndimage import uniform_filter

    plane = fit_plane(filled, measured)
    smooth = filled - plane
    for _ in range(_PASSES):
        smooth = uniform_filter(smooth, _WINDOW, mode="nearest")
    detail = np.where(measured, filled - plane - smooth, np.nan)
    low, high = robust_range(detail, _LOW, _HIGH)
    widest = robust_range(detail, 0.0, 100.0)
    # flat but for a few adsorbates: their height is the scale then
    half = max((high - low) / 2, 0.02 * (widest[1] - widest[0]), np.finfo(np.float64).tiny)
    return Normalisation(plane + smooth, half, plane)
