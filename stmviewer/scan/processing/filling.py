"""Stand-ins for unmeasured pixels while a filter works; the pixels become unmeasured again afterwards."""

import numpy as np

from stmviewer.scan.geometry import FloatArray


def nearest_filled(data: FloatArray) -> FloatArray:
    """`data` with every gap filled by its nearest measured pixel; zeros where nothing was measured."""
    gaps = ~np.isfinite(data)
    if not gaps.any():
        return data
    if gaps.all():
        return np.zeros_like(data)
    from scipy.ndimage import distance_transform_edt

    where = distance_transform_edt(gaps, return_distances=False, return_indices=True)
    result: FloatArray = data[tuple(where)]
    return result
