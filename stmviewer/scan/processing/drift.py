"""Distortion of the frame, measured in the image itself: against the other scan direction, or against its lattice."""

from dataclasses import replace
from itertools import permutations
from typing import Literal

import numpy as np

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import FloatArray, Geometry
from stmviewer.scan.levelling import fit_plane
from stmviewer.scan.processing.filling import nearest_filled
from stmviewer.scan.processing.image import Image
from stmviewer.scan.processing.shape import Edges, sampled, warped
from stmviewer.scan.progress import Progress
from stmviewer.scan.waves import lattice_waves

Lattice = Literal["hexagonal", "square", "2x1"]
#: angle between the two shortest reciprocal vectors and ratio of their lengths
_LATTICES: dict[Lattice, tuple[float, float]] = {"hexagonal": (60.0, 1.0), "square": (90.0, 1.0), "2x1": (90.0, 2.0)}
#: a lattice that is bent more than this is another one, or no lattice
_MOST_SHEAR, _MOST_STRETCH = 0.35, 0.35
#: a lattice explains this part of all peaks (by amplitude), each within this part of its shortest wave
_LEAST_EXPLAINED, _NEAR = 0.6, 0.12
_HIGHEST_ORDER = 7
#: pixels a side of the middle of an image that tell of its lattice
_ENOUGH = 1024
_MOST_ANGLE, _MOST_RATIO = 18.0, 1.35
#: tiles a side in which the shift between directions is measured
_TILES = 6
#: the largest shift looked for, of the width of the image
_MOST_SHIFT = 0.08
_LEAST_CORRELATION = 0.3
_STIFFNESS = 3e-3


def correct_by_directions(image: Image, progress: Progress) -> Image:
    """Undoes what makes forward and backward differ sideways: each direction is moved by half of it.

    The piezo lags behind in both directions, so that a place appears at x + d in the forward lines and x - d in the
    backward ones. 2 d is measured by correlating the lines of 6 x 6 tiles, and a smooth surface (second order along
    the lines and across) through these. The shape of the image stays; what moves in from beyond its edge is unmeasured.
    Raises RequestError without an opposite direction, and where the two do not show the same.
    """
    if image.other is None:
        raise RequestError("the scan has no lines in the other direction to compare with; correct by the lattice")
    shift = lag(image.data, image.other)
    rows, columns = image.data.shape
    r = np.broadcast_to(np.arange(rows, dtype=np.float64)[:, None], (rows, columns))
    c = np.arange(columns, dtype=np.float64)[None, :]

    def moved(data: FloatArray, by: FloatArray) -> FloatArray:
        at = c + by
        inside = (at >= -0.5) & (at <= columns - 0.5)
        return np.where(inside, sampled(data, r, at, progress), np.nan)

    return replace(image, data=moved(image.data, shift), other=moved(image.other, -shift))


def lag(forward: FloatArray, backward: FloatArray) -> FloatArray:
    """d in pixels with forward(x + d) = backward(x - d), smooth over the image; shape (rows, columns)."""
    rows, columns = forward.shape
    if rows < 12 or columns < 48:
        raise RequestError(f"{columns} x {rows} pixels are too few to compare the directions; 48 x 12 is the least")
    a, b = (nearest_filled(z) for z in (forward, backward))
    a, b = (z - fit_plane(z) for z in (a, b))
    most = max(4, round(_MOST_SHIFT * columns))
    width, height = columns // 3, max(rows // 4, 8)
    places, shifts, weights = [], [], []
    for top in np.linspace(0, rows - height, _TILES).astype(int):
        for left in np.linspace(0, columns - width, _TILES).astype(int):
            tile = np.s_[top : top + height, left : left + width]
            found = _tile_shift(a[tile], b[tile], min(most, width // 3))
            if found is not None:
                places.append(((left + width / 2) / columns - 0.5, (top + height / 2) / rows - 0.5))
                shifts.append(found[0] / 2)
                weights.append(found[1])
    if len(places) < _TILES:
        raise RequestError("forward and backward lines do not show the same: their shift cannot be measured")
    place, value, weight = np.array(places), np.array(shifts), np.array(weights)
    design = _surface(place[:, 0], place[:, 1])
    # where few tiles tell nothing of a term, it is none
    none = np.sqrt(_STIFFNESS) * np.eye(design.shape[1])[1:]
    for _ in range(3):  # tiles that went wrong do not count
        terms, values = np.vstack([design * weight[:, None], none]), np.append(value * weight, np.zeros(len(none)))
        fit = np.linalg.lstsq(terms, values, rcond=1e-6)[0]
        residual = np.abs(value - design @ fit)
        weight = np.array(weights) / (1 + (residual / max(1.5 * float(np.median(residual)), 0.05)) ** 2)
    x = np.broadcast_to(((np.arange(columns) + 0.5) / columns - 0.5)[None, :], (rows, columns)).ravel()
    y = np.broadcast_to(((np.arange(rows) + 0.5) / rows - 0.5)[:, None], (rows, columns)).ravel()
    low, high = np.percentile(value[weight >= 0.5 * np.median(weight)], [5, 95])
    beyond = 0.25 + (high - low) / 2  # what is between the outermost tiles and the edges
    result: FloatArray = np.clip(_surface(x, y) @ fit, low - beyond, high + beyond).reshape(rows, columns)
    return result


def _surface(x: FloatArray, y: FloatArray) -> FloatArray:
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)


def _tile_shift(a: FloatArray, b: FloatArray, most: int) -> tuple[float, float] | None:
    """(shift, correlation) between the lines of two tiles, positive where `a` lies to the right of `b`."""
    a, b = (z - z.mean(axis=1, keepdims=True) for z in (a, b))
    window = np.hanning(a.shape[1] + 2)[1:-1]
    n = 2 * a.shape[1]
    fa, fb = (np.fft.rfft(z * window, n, axis=1) for z in (a, b))
    both = np.fft.irfft((fa * fb.conj()).sum(axis=0), n)
    own = np.fft.irfft(np.abs(np.fft.rfft(window, n)) ** 2, n)
    size = float(np.sqrt((np.abs(a * window) ** 2).sum() * (np.abs(b * window) ** 2).sum()))
    if size == 0:
        return None
    lags = np.arange(-most, most + 1)
    # windows that are moved apart overlap less, which would draw the peak to zero
    correlation = both[lags] / size / np.maximum(own[lags] / own[0], 0.1)
    best = int(np.argmax(correlation))
    if correlation[best] < _LEAST_CORRELATION or best in (0, len(lags) - 1):
        return None
    before, at, after = correlation[best - 1 : best + 2]
    curve = before - 2 * at + after
    offset = 0.5 * float(before - after) / float(curve) if curve < 0 else 0.0
    return float(lags[best]) + offset, min(float(correlation[best]), 1.0)


def correct_by_lattice(image: Image, lattice: Lattice, edges: Edges, progress: Progress) -> Image:
    """Undoes steady drift: shears and stretches the slow axis until the lattice has the angle and ratio it should have.

    Drift during the scan takes (x, y) to (x - a y, y / (1 + b)): two numbers, found from two lattice peaks. The fast
    axis is taken as right. Raises RequestError where there is no such lattice.
    """
    work = progress.part(0.3, "Lattice")
    shear, stretch = lattice_drift(image.data, image.geometry, lattice, work)
    work.tick()
    g = image.geometry
    matrix = np.array([[1.0, shear], [0.0, stretch]])
    return warped(image, matrix, (g.pixel_width, g.pixel_height), edges, progress.part(1.0, "Resampling"))


def lattice_drift(
    data: FloatArray, geometry: Geometry, lattice: Lattice, progress: Progress | None = None
) -> tuple[float, float]:
    """(shear, stretch): true x = x + shear y, true y = stretch y, both from the centre.

    Of a large image the middle tells enough in a small part of the time; the whole is asked where it does not.
    """
    parts = [(data, geometry)]
    if min(data.shape) > _ENOUGH:
        parts.insert(0, _middle(data, geometry))
    for part, frame in parts:
        found = _found_in(part, frame, lattice)
        if found is not None:
            return found
        if progress is not None:
            progress.check()
    raise RequestError(
        f"the image has no {lattice} lattice whose peaks stand out, or it is distorted by more than "
        f"{100 * _MOST_SHEAR:.0f} %: drift cannot be found from it"
    )


def _middle(data: FloatArray, geometry: Geometry) -> tuple[FloatArray, Geometry]:
    rows, columns = data.shape
    top, left = (rows - _ENOUGH) // 2, (columns - _ENOUGH) // 2
    width, height = _ENOUGH * geometry.pixel_width, _ENOUGH * geometry.pixel_height
    frame = replace(geometry, columns=_ENOUGH, rows=_ENOUGH, width=width, height=height)
    return data[top : top + _ENOUGH, left : left + _ENOUGH], frame


def _found_in(data: FloatArray, geometry: Geometry, lattice: Lattice) -> tuple[float, float] | None:
    angle, ratio = _LATTICES[lattice]
    waves = lattice_waves(data, geometry)
    k = np.array([[wave.kx, wave.ky] for wave in waves])
    weights = np.array([wave.amplitude for wave in waves])
    # in images of large cells the second order of a wave may stand out and the first not
    orders = [(k[n] / order, weights[n] / weights.max() / order) for n in range(len(k)) for order in (1, 2)]
    best: tuple[float, float, float] | None = None
    for (one, strength), (two, other) in permutations(orders, 2):
        found = _solved(one, two, angle, ratio)
        if found is None:
            continue
        explained = _explained(k, weights, np.stack([one, two]), found, angle if ratio == 1 else None)
        if explained < _LEAST_EXPLAINED:
            continue
        distortion = 1 + 4 * (abs(found[0]) + abs(float(np.log(found[1]))))
        score = explained**2 * float(np.sqrt(strength * other)) / distortion
        if best is None or score > best[0]:
            best = (score, *found)
    return None if best is None else best[1:]


def _explained(
    k: FloatArray, weights: FloatArray, basis: FloatArray, drift: tuple[float, float], turn_deg: float | None
) -> float:
    """The part of all waves `k` (n, 2), by amplitude, that belong to the lattice of two, `basis` (2, 2).

    They are whole sums of these, and with `turn_deg`, once the drift is undone, are there again turned by it. Any two
    peaks fit some drift; peaks of noise, or of two orders of one lattice, leave the others unexplained.
    """
    shear, stretch = drift
    orders = k @ np.linalg.inv(basis)
    belongs = (np.abs(orders - np.rint(orders)) < _NEAR).all(axis=1) & (np.abs(orders) < _HIGHEST_ORDER).all(axis=1)
    if turn_deg is not None:
        undone = np.array([[1.0, -shear / stretch], [0.0, 1 / stretch]])
        true = k @ undone
        near = _NEAR * float(np.hypot(*(basis @ undone).T).min())
        partner = np.zeros(len(k), dtype=bool)
        for turn in np.deg2rad([turn_deg, -turn_deg]):
            turned = true @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
            for sign in (1, -1):  # a wave is its own opposite
                gaps = np.hypot(*(turned[:, None, :] - sign * true[None, belongs, :]).T)
                partner |= (gaps < near).any(axis=0)
        belongs &= partner
    return float(weights[belongs].sum() / weights.sum())


def _solved(k1: FloatArray, k2: FloatArray, angle: float, ratio: float) -> tuple[float, float] | None:
    """The shear and stretch that give two waves that angle and ratio |two| / |one|; None where they are too far off."""
    length = np.hypot(*k1), np.hypot(*k2)
    off = (length[1] / length[0]) / ratio
    between = np.degrees(np.arccos(np.clip(k1 @ k2 / (length[0] * length[1]), -1, 1)))
    if between > 90 + (90 - angle) / 3:  # a wave is its own opposite
        k2, between = -k2, 180 - between
    if abs(between - angle) > _MOST_ANGLE or not 1 / _MOST_RATIO < off < _MOST_RATIO:
        return None

    # a wave k over measured places is k' = (kx, (ky - s kx) / t) over true ones, and with u = 1 / t^2, b = -u s and
    # a = u s^2 products are linear: k'.q' = kx qx (1 + a) + (kx qy + qx ky) b + ky qy u
    def product(k: FloatArray, q: FloatArray) -> FloatArray:
        return np.array([k[0] * q[0], k[0] * q[1] + q[0] * k[1], k[1] * q[1]])

    wanted = float(np.cos(np.deg2rad(angle)))
    equations = np.array(
        [
            product(k2, k2) - ratio**2 * product(k1, k1),
            product(k1, k2) - wanted * ratio * product(k1, k1),
        ]
    )
    try:
        # a and b for u = 0, and what each unit of u adds
        constant, slope = np.linalg.solve(equations[:, :2], -equations[:, [0, 2]]).T
    except np.linalg.LinAlgError:
        return None
    # a u = b^2
    quadratic = [slope[0] - slope[1] ** 2, constant[0] - 2 * constant[1] * slope[1], -(constant[1] ** 2)]
    solutions = []
    for root in np.roots(quadratic):
        if abs(root.imag) > 1e-9 or root.real <= 1e-6:
            continue
        u = float(root.real)
        solutions.append((-float(constant[1] + slope[1] * u) / u, 1 / float(np.sqrt(u))))
    within = [p for p in solutions if abs(p[0]) <= _MOST_SHEAR and abs(p[1] - 1) <= _MOST_STRETCH]
    return min(within, key=lambda p: abs(p[0]) + abs(p[1] - 1), default=None)
