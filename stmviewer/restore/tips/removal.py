"""The further ends of a tip taken out of a scan, and applied to its repair again."""

import math
from dataclasses import dataclass

import numpy as np

from stmviewer.restore.tips.current import STEPS, scanned, without
from stmviewer.restore.tips.estimate import Tip
from stmviewer.scan import FloatArray
from stmviewer.scan.levelling import fit_plane, row_offsets

#: large scans are worked in strips of so many rows, so that memory stays bounded
_STRIP = 1024


def removed(image: FloatArray, tip: Tip) -> FloatArray:
    """`image` (rows, columns; without gaps) without what the further ends show; its plane and row offsets stay."""
    if not tip.several:
        return image
    frame = _frame(image)
    level = image - frame
    result = np.empty_like(image)
    margin = math.ceil(STEPS * max(abs(end.y_px) for end in tip.ends)) + 2
    for top in range(0, len(image), _STRIP):
        first, last = max(0, top - margin), top + _STRIP + margin
        part = without(level[first:last], tip.ends, tip.decay)
        result[top : top + _STRIP] = part[top - first : top - first + _STRIP]
    return result + frame


@dataclass(frozen=True)
class Misfit:
    """Root mean squares in the unit of the image: of the repair, seen by the tip again, less the measurement; of the
    repair as it is less the measurement; and the noise of the measurement."""

    again: float
    plain: float
    noise: float


def misfit(repaired: FloatArray, measured: FloatArray, tip: Tip) -> Misfit:
    """How well a repair explains what was measured (NaN where nothing was); planes and row offsets do not count."""
    frame = fit_plane(repaired)
    plain = repaired - frame
    again = scanned(plain, tip.ends, tip.decay) if tip.several else plain
    return Misfit(_left(again, measured), _left(plain, measured), noise_of(measured))


def _left(shown: FloatArray, image: FloatArray) -> float:
    difference = shown - image
    difference = difference - fit_plane(difference)
    difference = difference - np.nanmedian(difference, axis=1, keepdims=True)
    return float(np.sqrt(np.nanmean(difference**2)))


def noise_of(image: FloatArray) -> float:
    """Standard deviation of what changes from one line to the next and back: a robust mean of second differences."""
    second = image[:-2] - 2 * image[1:-1] + image[2:]
    second = second - np.nanmedian(second, axis=1, keepdims=True)
    if not np.isfinite(second).any():
        return float("nan")
    # what all of them share is the lattice's curvature: taken along the line, too, little of it is left
    both = second[:, :-2] - 2 * second[:, 1:-1] + second[:, 2:]
    return float(1.4826 * np.nanmedian(np.abs(both)) / 6.0)


def _frame(image: FloatArray) -> FloatArray:
    """Plane and row offsets."""
    plane = fit_plane(image)
    frame: FloatArray = plane + row_offsets(image - plane)[:, None]
    return frame
