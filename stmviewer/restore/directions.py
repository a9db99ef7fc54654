"""Self-check of repairs: forward and backward scan of one place, repaired apart, should show the same surface."""

from dataclasses import dataclass

import numpy as np

from stmviewer.scan import Channel, FloatArray, Scan
from stmviewer.scan.levelling import fit_plane

#: compared over this many pixels a side about the centre: the check must take much less time than the repair
WINDOW = 256
#: lag between forward and backward that is looked for (pixels): feedback and hysteresis of the scanner
_MOST_LAG = 16


@dataclass(frozen=True)
class Agreement:
    """Mean |difference| of forward and backward after repair and as measured, in the channel's unit; `lag` in pixels.

    Both pairs are laid upon each other along the fast axis, and their planes taken away, before they are compared.
    """

    repaired: float
    measured: float
    lag: float


def other_direction(scan: Scan, channel: Channel) -> Channel | None:
    """The raw channel of the same name in the other direction, if it was recorded whole."""
    for other in scan.channels:
        same = other.name == channel.name and other.role == channel.role and other.unit == channel.unit
        if same and other.direction != channel.direction:
            whole = other.why_not_restorable() is None and other.data.shape == channel.data.shape
            return other if whole and other.measured.all() and channel.measured.all() else None
    return None


def middle(image: FloatArray) -> FloatArray:
    """The central part that is compared."""
    top, left = (max(0, (n - WINDOW) // 2) for n in image.shape)
    return image[top : top + WINDOW, left : left + WINDOW]


def agreement(
    repaired: FloatArray, repaired_other: FloatArray, measured: FloatArray, measured_other: FloatArray
) -> Agreement:
    """How well forward and backward agree; four images (rows, columns) of one place in one unit."""
    after, lag = _difference(repaired, repaired_other)
    before, _ = _difference(measured, measured_other)
    return Agreement(after, before, lag)


def _difference(a: FloatArray, b: FloatArray) -> tuple[float, float]:
    """Mean |a - b| where they overlap once `b` is shifted along the rows, and that shift in pixels."""
    a, b = _level(a), _level(b)
    lag = best_lag(a, b)
    columns = np.arange(a.shape[1], dtype=np.float64)
    inside = (columns + lag >= 0) & (columns + lag <= a.shape[1] - 1)
    low = np.clip(np.floor(columns + lag).astype(int), 0, max(a.shape[1] - 2, 0))
    share = columns + lag - low
    high = np.minimum(low + 1, a.shape[1] - 1)
    moved = (1 - share) * b[:, low] + share * b[:, high]
    difference = (a - moved)[:, inside]
    return float(np.abs(difference - np.median(difference)).mean()), lag


def best_lag(a: FloatArray, b: FloatArray) -> float:
    """The shift x of `b` along its rows, a(c) = b(c + x), that correlates best with `a`, to a fraction of a pixel."""
    most = min(_MOST_LAG, a.shape[1] // 4)
    shifts = np.arange(-most, most + 1)
    scores = []
    for s in shifts:
        left = a[:, max(0, -s) : a.shape[1] - max(0, s)]
        right = b[:, max(0, s) : b.shape[1] - max(0, -s)]
        spread = float(left.std() * right.std())
        scores.append(float(((left - left.mean()) * (right - right.mean())).mean()) / spread if spread > 0 else 0.0)
    k = int(np.argmax(scores))
    if not 0 < k < len(scores) - 1:
        return float(shifts[k])
    before, here, after = scores[k - 1 : k + 2]
    curvature = before - 2 * here + after
    return float(shifts[k] + (0.5 * (before - after) / curvature if curvature < 0 else 0.0))


def _level(image: FloatArray) -> FloatArray:
    level: FloatArray = image - fit_plane(image)
    return level
