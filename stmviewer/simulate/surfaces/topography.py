"""From densities of states to heights at constant current.

The tunnelling current is proportional to the density of states n at the tip, which decays as exp(-2 kappa z), so that
constant current means z = ln(n) / (2 kappa), with n taken relative to a flat terrace's mean (Tersoff and Hamann, Phys.
Rev. B 31, 805 (1985)).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from stmviewer.scan.geometry import FloatArray

#: the least density: about 0.6 nm below a terrace, deeper than any tip gets into a hole
_LEAST_DENSITY = 1e-6
#: a lattice sum as even as this is flat but for rounding: the tip is too far away for any structure
_NO_STRUCTURE = 1e-9


def contrast(density_range: tuple[float, float], corrugation_m: float, kappa_per_m: float) -> float:
    """The factor c with which ln(1 + c (D - 1)) / (2 kappa) has the asked corrugation, for a lattice sum D of mean 1.

    Below 1 the rest of the current has no lateral structure; above 1 the structure is stronger than that of an
    s-wave tip, as with p and d states at the apex (Chen, Phys. Rev. Lett. 65, 448 (1990)).
    """
    least, most = density_range
    if most - least < _NO_STRUCTURE:
        return 0.0
    ratio = np.exp(2 * kappa_per_m * corrugation_m)
    return float((ratio - 1) / (most - 1 + ratio * (1 - least)))


def excess(height_m: float | FloatArray, kappa_per_m: float) -> FloatArray:
    """The density that, added to a terrace of density 1, raises it by `height_m`."""
    result: FloatArray = np.expm1(2 * kappa_per_m * np.asarray(height_m, float))
    return result


def sigma_of(tip_height_m: float, kappa_per_m: float) -> float:
    """Lateral width (m) of an atom's state at the tip: sigma^2 = d / (2 kappa)."""
    return float(np.sqrt(tip_height_m / (2 * kappa_per_m)))


def heights(density: FloatArray, kappa_per_m: float) -> FloatArray:
    """z = ln(n) / (2 kappa)."""
    result: FloatArray = np.log(np.maximum(density, _LEAST_DENSITY)) / (2 * kappa_per_m)
    return result


def stack(
    densities: Sequence[FloatArray | float],
    level: NDArray[np.int64],
    step_m: float,
    kappa_per_m: float,
    width_px: float,
) -> FloatArray:
    """sum_l m_l n_l exp(2 kappa h l): the densities laid on their levels; level l has `densities[l % len]`.

    m_l is 1 on level l, with edges as wide as an orbital (`width_px`, standard deviation).
    """
    top = int(level.max())
    lower = np.ones(level.shape)
    total = np.zeros(level.shape)
    for k in range(top + 1):
        above = (level > k).astype(float)
        if width_px > 0.2 and k < top:
            above = ndimage.gaussian_filter(above, width_px)
        total += (lower - above) * densities[k % len(densities)] * np.exp(2 * kappa_per_m * step_m * k)
        lower = above
    return total


def with_holes(density: FloatArray, hole: FloatArray, depth_m: float, kappa_per_m: float) -> FloatArray:
    """`density` where `hole` is 0, that of `depth_m` below the terrace where it is 1."""
    inside = np.minimum(hole, 1)
    result: FloatArray = (1 - inside) * np.maximum(density, 0) + inside * np.exp(-2 * kappa_per_m * depth_m)
    return result
