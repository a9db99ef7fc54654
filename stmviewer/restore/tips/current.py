"""How a tip with several ends makes an image, and the surface that it was made of.

The ends share the tunnelling current, and the feedback holds their sum (Tersoff and Hamann, Phys. Rev. B 31, 805
(1985)):

    z(x) = 1/s ln( exp(s h(x)) + sum_i w_i exp(s h(x - d_i)) ) - 1/s ln(1 + sum_i w_i),        s = 2 kappa

(the last term makes a flat surface stay where it is). Where s is small beside the corrugation this is the weighted mean
of the shifted images, where it is large their maximum: the same form does for tips of either kind.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stmviewer.scan import FloatArray

#: 2 kappa for a barrier of some 4 eV (1/m)
DECAY_PER_M = 20e9
#: where heights are in no unit of length: so much times one over their range
_DECAY_OF_RANGE = 4.0
#: steps of the inversion; more of them bring back noise and what is not known of the tip
STEPS = 5
_MOMENTUM = 0.6
_MOST_EXPONENT = 30.0


@dataclass(frozen=True)
class TipEnd:
    """A further end of the tip: what the main end shows at x it shows again at x + (x_px, y_px), `weight` as strong.

    `weight` is the ratio of the currents through both ends over a flat surface.
    """

    x_px: float
    y_px: float
    weight: float

    @property
    def distance_px(self) -> float:
        return float(np.hypot(self.x_px, self.y_px))


def decay_of(image: FloatArray, unit: str) -> float:
    """s for an image in that unit: of a usual barrier for metres, of its range otherwise."""
    if unit == "m":
        return DECAY_PER_M
    low, high = (float(v) for v in np.percentile(image, (0.5, 99.5)))
    return _DECAY_OF_RANGE / (high - low) if high > low else 1.0


def scanned(surface: FloatArray, ends: Sequence[TipEnd], decay: float) -> FloatArray:
    """What a tip with those further ends shows of `surface` (rows, columns); mirrored beyond the edges."""
    return _forward(surface, ends, decay)[0]


def _forward(h: FloatArray, ends: Sequence[TipEnd], decay: float) -> tuple[FloatArray, list[FloatArray]]:
    """The image, and the share of each end in the current at each pixel (the main one first)."""
    others = [
        end.weight * np.exp(np.clip(decay * (moved(h, end.x_px, end.y_px) - h), -_MOST_EXPONENT, _MOST_EXPONENT))
        for end in ends
    ]
    total = 1 + sum(others, np.zeros_like(h))
    flat = np.log(1 + sum(end.weight for end in ends))
    image: FloatArray = h + (np.log(total) - flat) / decay
    return image, [1 / total, *(other / total for other in others)]


def without(image: FloatArray, ends: Sequence[TipEnd], decay: float, steps: int = STEPS) -> FloatArray:
    """The surface that gives `image` with those ends: least squares by a few Landweber steps with momentum.

    h <- h + J^T (z - F(h)), where J dh = p_0 dh + sum_i p_i dh(x - d_i) with p the ends' shares of the current.
    Its norm is at most about 1, and the early stop is the regularisation.
    """
    h = image.copy()
    speed = np.zeros_like(h)
    for _ in range(steps):
        shown, shares = _forward(h, ends, decay)
        left = image - shown
        push = shares[0] * left
        for share, end in zip(shares[1:], ends, strict=True):
            push = push + moved(share * left, -end.x_px, -end.y_px)
        speed = _MOMENTUM * speed + push
        h = h + speed
    return h


def moved(image: FloatArray, x_px: float, y_px: float) -> FloatArray:
    """image(x - x_px, y - y_px), linear between pixels; beyond its edges the image goes on mirrored."""
    return _along(_along(image, y_px).T, x_px).T


def _along(image: FloatArray, shift_px: float) -> FloatArray:
    """The image moved down by `shift_px` rows."""
    rows = image.shape[0]
    low = int(np.floor(-shift_px))
    share = -shift_px - low
    first = image[_mirrored(np.arange(rows) + low, rows)]
    if share < 1e-3:
        return first
    result: FloatArray = (1 - share) * first + share * image[_mirrored(np.arange(rows) + low + 1, rows)]
    return result


def _mirrored(index: np.ndarray, size: int) -> np.ndarray:
    if size == 1:
        return np.zeros_like(index)
    folded = np.abs(index) % (2 * (size - 1))
    return np.minimum(folded, 2 * (size - 1) - folded)
