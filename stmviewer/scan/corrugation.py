"""The dimer rows in an image of Si(001): their spacing in pixels, hence the pixel size of an image without one.

Plain numpy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stmviewer.scan.geometry import FloatArray

ROW_SPACING_M = 0.768e-9

#: periods of the rows that are looked for: below, dimers cannot be told from noise; above, too few rows fit
_LEAST_PERIOD_PX = 3.0
_LEAST_ROWS = 2.5
_MOST_SIDE = 512
#: peaks weaker than this part of the strongest one say nothing
_FLOOR = 3e-3
#: candidates looked at
_PEAKS = 12
#: strength from which rows are believed at all, and from which against those of the rest of their session
_BELIEVED, _CERTAIN = 3.0, 4.5


@dataclass(frozen=True)
class Corrugation:
    """The rows of a 2x1 lattice.

    `period_px` across the rows; `angle_deg` of that direction from the fast axis, clockwise, 0 to 180. `strength` is
    how far the lattice's peaks stand out of the spectrum around them (natural logarithm of power, mean over the peaks
    that the lattice should have); over about 2 the rows can be trusted.
    """

    period_px: float
    angle_deg: float
    strength: float

    @property
    def pixel_m(self) -> float:
        """The pixel size if the rows are dimer rows of Si(001)."""
        return ROW_SPACING_M / self.period_px


def find_rows(image: FloatArray) -> Corrugation | None:
    """The dimer rows of `image` (rows, columns); None for an image too small to hold any, or constant.

    Peaks of the windowed spectrum are tried as the first order of the rows and as that of the dimers along them
    (half the period, across): the reading whose peaks (rows' first and second order, dimers, and both together) stand
    out most in all wins. Creep bends real lattices, so each peak may lie a little off its place.
    """
    side = min(*image.shape, _MOST_SIDE)
    if side < 16:
        return None
    top, left = ((n - side) // 2 for n in image.shape)
    z = image[top : top + side, left : left + side]
    low, high = np.percentile(z, (2, 98))
    z = np.clip(z, low, high)
    if not high > low:
        return None
    z = (z - z.mean()) * np.outer(np.hanning(side), np.hanning(side))
    padded = 2 * side
    power = np.fft.fftshift(np.abs(np.fft.fft2(z, (padded, padded))) ** 2)
    height = _prominence(power)
    centre = padded // 2
    y, x = np.mgrid[-centre : padded - centre, -centre : padded - centre]
    radius = np.hypot(x, y)
    allowed = (radius >= 2 * _LEAST_ROWS) & (radius <= padded / _LEAST_PERIOD_PX * 2)
    # half of the plane: the other one is the same
    allowed &= (x > 0) | ((x == 0) & (y > 0))
    best: Corrugation | None = None
    for fx, fy in _peaks(np.where(allowed, height, -np.inf), centre):
        # as the rows; and as the dimers, whose rows lie across with half the frequency
        for gx, gy in ((fx, fy), (-fy / 2, fx / 2)):
            one = _read(height, gx, gy, centre, padded)
            if one is not None and (best is None or one.strength > best.strength):
                best = one
    return best


def agreed_pixels(found: Sequence[Corrugation | None], sessions: Sequence[str]) -> list[float] | None:
    """Pixel sizes (m) of images of Si(001) by their rows: where these are not clear, what the session agrees on.

    `sessions` names the session of each image. None when no image shows its rows.
    """
    believed: dict[str, list[float]] = {}
    for rows, session in zip(found, sessions, strict=True):
        if rows is not None and rows.strength >= _BELIEVED:
            believed.setdefault(session, []).append(rows.pixel_m)
    if not believed:
        return None
    everywhere = float(np.median([p for sizes in believed.values() for p in sizes]))
    agreed = []
    for rows, session in zip(found, sessions, strict=True):
        usual = float(np.median(believed[session])) if session in believed else everywhere
        sure = rows is not None and (
            rows.strength >= _CERTAIN or (rows.strength >= _BELIEVED and 0.5 < rows.pixel_m / usual < 2)
        )
        agreed.append(rows.pixel_m if sure and rows is not None else usual)
    return agreed


def _prominence(power: FloatArray) -> FloatArray:
    """How far each frequency stands out, ln(1 + P f / (level + floor)); shape of `power`.

    The level is the median of its ring or that of its column, whichever is higher: noise that differs from line to
    line, such as mains hum, fills columns of the spectrum. Weighting with f takes away what hills and hollows of the
    surface have at low frequencies. The floor, a part of the strongest peak, keeps artefacts at high frequencies from
    standing out of next to nothing.
    """
    centre = power.shape[0] // 2
    y, x = np.ogrid[-centre : power.shape[0] - centre, -centre : power.shape[1] - centre]
    radius = np.hypot(x, y)
    weighted = power * radius
    # rings grow with the frequency, so that the innermost ones hold enough points
    ring = np.rint(np.log(np.maximum(radius, 1.0)) * 8).astype(np.int64)
    order = np.argsort(ring, axis=None, kind="stable")
    counts = np.bincount(ring.ravel())
    ends = np.cumsum(counts)
    flat = weighted.ravel()[order]
    level = np.array([np.median(flat[e - n : e]) if n else 0.0 for n, e in zip(counts, ends, strict=True)])
    floor = max(float(weighted.max()) * _FLOOR, 1e-300)
    background = np.maximum(level[ring], np.median(power, axis=0)[None, :] * radius)
    result: FloatArray = np.log1p(weighted / (background + floor))
    return result


def _peaks(height: FloatArray, centre: int) -> list[tuple[float, float]]:
    """(x, y) frequencies of the highest places, each at least 3 points from the ones before."""
    height = height.copy()
    found = []
    for _ in range(_PEAKS):
        row, column = np.unravel_index(int(height.argmax()), height.shape)
        if not np.isfinite(height[row, column]):
            break
        found.append((float(column - centre), float(row - centre)))
        height[max(row - 3, 0) : row + 4, max(column - 3, 0) : column + 4] = -np.inf
    return found


def _read(height: FloatArray, fx: float, fy: float, centre: int, padded: int) -> Corrugation | None:
    """The lattice with its rows' first order near (fx, fy), None where that cannot be."""
    radius = float(np.hypot(fx, fy))
    if radius < 2 * _LEAST_ROWS or padded / radius < _LEAST_PERIOD_PX:
        return None
    # a tenth of its distance, as far as creep bends a lattice
    slack = max(2, round(0.06 * radius))
    first, at = _around(height, fx, fy, centre, slack)
    fx, fy = at
    radius = float(np.hypot(fx, fy))
    dimers = ((-2 * fy, 2 * fx), (fx - 2 * fy, fy + 2 * fx), (fx + 2 * fy, fy - 2 * fx))
    rest = []
    for gx, gy in ((2 * fx, 2 * fy), *dimers):
        seen = max(abs(gx), abs(gy)) < centre - 2 - slack
        # beyond the sampling nothing speaks for the lattice: hum along the lines would be one of few pixels a row
        rest.append(_around(height, gx, gy, centre, slack)[0] if seen else 0.0)
    # the rows must be there; of the rest the better half, since it depends on the bias which of them shows
    strength = float((2 * first + sum(sorted(rest)[-2:])) / 4)
    fx, fy = _centroid(height, fx, fy, centre)
    angle = float(np.degrees(np.arctan2(fy, fx)) % 180)
    return Corrugation(padded / float(np.hypot(fx, fy)), angle, strength)


def _around(height: FloatArray, fx: float, fy: float, centre: int, slack: int) -> tuple[float, tuple[float, float]]:
    """The highest place within `slack` points of (fx, fy), and where it is."""
    row, column = centre + round(fy), centre + round(fx)
    top, left = max(row - slack, 0), max(column - slack, 0)
    part = height[top : row + slack + 1, left : column + slack + 1]
    r, c = np.unravel_index(int(part.argmax()), part.shape)
    return float(part[r, c]), (float(left + c - centre), float(top + r - centre))


def _centroid(height: FloatArray, fx: float, fy: float, centre: int) -> tuple[float, float]:
    """(x, y) of a peak between the points of the transform: the centre of mass of the 3 x 3 points around it."""
    row, column = centre + round(fy), centre + round(fx)
    weight = np.expm1(height[row - 1 : row + 2, column - 1 : column + 2])
    total = float(weight.sum())
    if total <= 0:
        return fx, fy
    steps = np.array([-1.0, 0.0, 1.0])
    return fx + float(weight.sum(axis=0) @ steps) / total, fy + float(weight.sum(axis=1) @ steps) / total
