"""The scale on which models see a scan: its plane removed, its robust range mapped to [-1, 1].

The same normalisation runs in training and in use, and is undone exactly after the model.
"""

from dataclasses import dataclass

import numpy as np

from stmviewer.scan import BoolArray, FloatArray
from stmviewer.scan.levelling import fit_plane, robust_range


@dataclass(frozen=True)
class Normalisation:
    """x = (data - plane - middle) / half_range, and back. `plane` is (rows, columns), all in the channel's unit."""

    plane: FloatArray
    middle: float
    half_range: float

    def forward(self, data: FloatArray) -> FloatArray:
        result: FloatArray = (data - self.plane - self.middle) / self.half_range
        return result

    def back(self, image: FloatArray) -> FloatArray:
        result: FloatArray = image * self.half_range + self.middle + self.plane
        return result


def normalisation(data: FloatArray, measured: BoolArray) -> Normalisation:
    """The normalisation of `data` (rows, columns), found from its `measured` pixels alone.

    The half range is half the 1 to 99 % range, so that spikes and adsorbates do not squeeze the lattice.
    """
    values = np.where(measured, data, np.nan)
    plane = fit_plane(values)
    low, high = robust_range(values - plane)
    return Normalisation(plane, (low + high) / 2, (high - low) / 2)
