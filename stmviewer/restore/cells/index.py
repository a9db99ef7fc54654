"""Which lattice the peaks of a spectrum belong to: indexing, as of diffraction patterns.

Any two peaks may span the lattice. Each further peak that lies on it, for itself or for an alias of it, speaks for it
the more the less likely that is by chance; each that does not, against it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stmviewer.restore.cells.peaks import Peaks
from stmviewer.restore.cells.seen import Seen
from stmviewer.scan import FloatArray

#: so many of the strongest peaks may span it
_SPANNING = 12
#: orders that peaks may have, and how near to its place a peak must lie (waves across the scan)
_ORDERS, _NEAR = 4, 0.8
#: no pixels show a wave beyond this (cycles a pixel), and hardly a lattice beyond that
_SHOWN, _FINEST = 0.45, 0.35
#: both waves that span it are carried by the gaps up to this part of what they carry at most: else they may be aliases
_CARRIED = 0.68
#: cells at least this many times in the scan, no more than so oblong, and their waves no nearer to one line than this
_LEAST_CELLS, _OBLONG, _ASLANT = 5.0, 2.2, 0.4
#: how many of its peaks are expected to lie on a lattice, and of those that do not; what height counts at most
_ON, _OFF, _MOST_HEIGHT = 0.85, 0.15, 5.0
#: lattices no further apart (waves across the scan) are one; so many are kept
_SAME, _MOST = 0.3, 8
#: others explain at least so many of the peaks, and larger cells are others if this part of the shortness suffices them
_NEARLY, _SHORTER = 0.8, 0.8
#: peaks that lie so near are used to place it (waves across the scan)
_REFINED = 1.0


class Indexed(NamedTuple):
    """A lattice: `vectors` (2, 2; x and y in cycles a pixel) that span it, the evidence for it (natural logarithms),
    and how many of the peaks lie on it."""

    vectors: FloatArray
    evidence: float
    explained: int


def index(peaks: Peaks, seen: Seen) -> list[Indexed]:
    """The lattices that two of the peaks may span, that with the most evidence first."""
    extent = seen.extent
    found: list[Indexed] = []
    strongest = peaks.waves[:_SPANNING]
    for k, first in enumerate(strongest):
        for second in strongest[k + 1 :]:
            vectors = reduced(np.stack([first, second]))
            if vectors is None or not _possible(vectors, seen, extent):
                continue
            if not any(np.abs((vectors - other.vectors) * extent).max() < _SAME for other in found):
                found.append(_judged(vectors, peaks, seen, extent))
    found.sort(key=lambda one: -one.evidence)
    return [one._replace(vectors=_refined(one.vectors, peaks, seen, extent)) for one in found[:_MOST]]


def lookalikes(found: Sequence[Indexed], peaks: Peaks, seen: Seen, most: int) -> list[FloatArray]:
    """The first of several lattices and others whose peaks may look the same in the gaps: those that explain nearly as
    many, and its aliases, for a wave and that wave and one or more a gap have the same values in all that was measured.

    Those come first that need the longest waves. Lattices of larger cells, which have all waves of a smaller one, are
    others where they need longer ones.
    """
    first, extent = found[0], seen.extent
    others = [one.vectors for one in found[1:] if one.explained >= _NEARLY * first.explained]
    if seen.known is None:
        alias = np.where(seen.gaps > 1, 1 / seen.gaps, 0.0)
        steps = [np.array([x, y]) for x in {-alias[0], 0.0, alias[0]} for y in {-alias[1], 0.0, alias[1]}]
        shifted = (reduced(first.vectors + np.stack([one, other])) for one in steps for other in steps)
        others += [one for one in shifted if one is not None and _shown(one)]
    ranked = [(_shortness(first.vectors, peaks, seen, extent), first.vectors)]
    for other in others:
        short = _shortness(other, peaks, seen, extent)
        if not any(_holds(other, one, extent) and short > _SHORTER * known for known, one in ranked):
            ranked.append((short, other))
    ranked.sort(key=lambda one: one[0])
    return [lattice for _, lattice in ranked[:most]]


def _shown(vectors: FloatArray) -> bool:
    """Whether pixels show such a lattice, and one so oblong is worth a thought."""
    short, long = np.hypot(*vectors.T)
    return bool(long < _FINEST and abs(float(np.linalg.det(vectors))) > 0.3 * short * long and long < 2.5 * short)


def _holds(one: FloatArray, other: FloatArray, extent: FloatArray) -> bool:
    """Whether `one` has all the waves of `other`, and perhaps more, as far as a scan of that extent tells."""
    whole = np.rint(other @ np.linalg.inv(one))
    return bool((np.abs(whole @ one - other) * extent).max() < _REFINED)


def _shortness(vectors: FloatArray, peaks: Peaks, seen: Seen, extent: FloatArray) -> float:
    """The mean square of the frequencies that a lattice explains the peaks with, by their power."""
    _, waves = _orders(vectors)
    distances = np.hypot(*(_apart(peaks, waves, seen) * extent).transpose(2, 0, 1))
    squares = np.where(distances < _NEAR, (waves**2).sum(axis=1), 1.0).min(axis=1)
    return float((peaks.amplitudes**2 * squares).sum() / (peaks.amplitudes**2).sum())


def reduced(vectors: FloatArray) -> FloatArray | None:
    """The two shortest vectors of the lattice (Lagrange and Gauss), at an angle of 90 degrees at most; None for two
    along one line."""
    a, b = vectors
    if abs(a[0] * b[1] - a[1] * b[0]) < 1e-6 * float(np.hypot(*a) * np.hypot(*b)):
        return None
    for _ in range(20):
        if a @ a > b @ b:
            a, b = b, a
        times = round(float(a @ b / (a @ a)))
        if times == 0:
            break
        b = b - times * a
    if a @ b < 0:
        b = -b
    return np.stack([a, b]) if (a[0], a[1]) > (0, 0) else np.stack([-a, -b])


def _possible(vectors: FloatArray, seen: Seen, extent: FloatArray) -> bool:
    short, long = np.hypot(*vectors.T)
    area = abs(float(np.linalg.det(vectors)))
    return bool(
        area > _ASLANT * short * long
        and long < _OBLONG * short
        and (np.abs(vectors) < _CARRIED * seen.carried).all()
        and _LEAST_CELLS * np.hypot(*np.linalg.inv(vectors)).max() <= extent.min()
    )


def _orders(vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Orders (n, 2) of waves that pixels show, and the waves themselves (n, 2)."""
    h, k = (a.ravel() for a in np.mgrid[-_ORDERS : _ORDERS + 1, -_ORDERS : _ORDERS + 1])
    orders = np.stack([h, k], axis=1)[(h != 0) | (k != 0)].astype(np.float64)
    waves = orders @ vectors
    shown = np.abs(waves).max(axis=1) < _SHOWN
    return orders[shown], waves[shown]


def _apart(peaks: Peaks, waves: FloatArray, seen: Seen) -> FloatArray:
    """Peaks less waves (peaks, waves, 2), or less the aliases of these that are nearest."""
    apart = peaks.waves[:, None] - waves[None]
    return apart if seen.known is not None else np.asarray((apart * seen.gaps + 0.5) % 1 - 0.5) / seen.gaps


def _judged(vectors: FloatArray, peaks: Peaks, seen: Seen, extent: FloatArray) -> Indexed:
    _, waves = _orders(vectors)
    distances = np.hypot(*(_apart(peaks, waves, seen) * extent).transpose(2, 0, 1)).min(axis=1)
    on = distances < _NEAR
    zone = 1.0 if seen.known is not None else 1 / float(np.prod(seen.gaps))
    by_chance = min(0.95, len(waves) * np.pi * _NEAR**2 / (float(np.prod(extent)) * zone))
    heights = np.minimum(peaks.heights, _MOST_HEIGHT)
    likelier = np.where(on, np.log(_ON / by_chance), np.log(_OFF / (1 - by_chance)))
    evidence = float((heights * np.where(on, 0.5, -0.5) + likelier).sum())
    return Indexed(vectors, evidence, int(on.sum()))


def _refined(vectors: FloatArray, peaks: Peaks, seen: Seen, extent: FloatArray) -> FloatArray:
    """The lattice that fits the places of its peaks best."""
    for _ in range(3):
        orders, waves = _orders(vectors)
        apart = _apart(peaks, waves, seen)
        distances = np.hypot(*(apart * extent).transpose(2, 0, 1))
        nearest = distances.argmin(axis=1)
        near = np.nonzero(distances.min(axis=1) < _REFINED)[0]
        if len(near) < 2:
            return vectors
        weights = peaks.amplitudes[near, None]
        known = orders[nearest[near]]
        wanted = waves[nearest[near]] + apart[near, nearest[near]]
        solved, _, rank, _ = np.linalg.lstsq(known * weights, wanted * weights, rcond=None)
        if rank < 2:
            return vectors
        vectors = solved
    return vectors
