"""The lattice of Si(001) in a sparse scan: the direction that explains what was measured, unless something else does.

A terrace has rows along one direction; the next terrace has them turned by 90 degrees. So each patch of the scan may be
of either, or show nothing, and what all patches say together decides. A lattice is followed only where its direction
is ahead of all others, and where neither another lattice (hexagonal or square, of any spacing) nor a few free waves
explain clearly more: those of other surfaces have aliases too.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stmviewer.restore.case import Case
from stmviewer.restore.rows.evidence import MODELS, Evidence
from stmviewer.restore.rows.measured import Measured, cut, measured
from stmviewer.restore.rows.spectrum import LEAST_ROWS, seen_by_spectrum
from stmviewer.scan import FloatArray, Geometry, Progress
from stmviewer.scan.corrugation import ROW_SPACING_M

#: fewer rows than this across the scan do not tell a direction
_LEAST_ROWS = 4.0
#: gaps carry waves of up to half a cycle from one line to the next, interpolation well those below this
_CARRIED = 0.3
#: shorter rows (pixels) are hardly sampled along the lines
_LEAST_PERIOD = 3.0
#: waves of a terrace as multiples of (across the rows, along them) / 0.768 nm, and their shares of the variance: the
#: rows, their overtone, the dimers, and both together
TERRACE = ((1, 0), (2, 0), (0, 2), (1, 2), (1, -2))
_SHARES = (1.0, 0.1, 1.0, 0.3, 0.3)
#: directions and spacings that are tried, and how well calibrations are trusted (standard deviation)
_STEP_DEG, _SPACINGS = 2.0, np.exp(np.linspace(-0.06, 0.06, 7))
_CALIBRATION = 0.03
#: a patch shows no rows, or those of either terrace, beforehand
_NOTHING, _EITHER = 0.2, 0.4
#: how far the best direction must be ahead of those more than so many degrees away, and of nothing at all: in the
#: whole, and for each patch
_AHEAD, _AHEAD_A_PATCH, _APART_DEG = 5.0, {"lines": 4.0, "grid": 2.0}, 8.0
#: how much of the evidence of four free waves (in a few patches, in many), and of the best other lattice, it must have
_OF_FREE, _OF_FREE_IN_MANY, _OF_LATTICES, _FREE = 0.75, 0.87, 0.98, 4
#: part of that where the patches are not sure by themselves
_UNSURE = 0.6
#: up to so many patches of lines are looked at closely
_FEW = 9
#: a patch is of one terrace where its evidence is so far ahead
_SURELY = 2.0
#: strains of the lattice by drift are looked for in steps of these (parts of the lattice)
_STRAINS = (0.015, 0.015, 0.007, 0.007, 0.0035, 0.0035)
#: what was measured is kept for the fit where it is no more than this: large scans fit into memory few times
_KEPT = 1_000_000
#: waves that look longer than this in the lines (cycles a pixel) may as well be hills
LONG = 0.06


@dataclass(frozen=True)
class Rows:
    """The dimer rows of a scan.

    `first` and `second` are wave vectors (x, y; cycles a pixel) across the rows of the two terraces. `evidence` (2,
    patches) is that of either terrace in patches about `centres` (y, x; patches), `side` pixels wide; `margin` is how
    far the direction is ahead of others (natural logarithms). `seen` is what was measured in the case that they were
    found in, which their waves are mostly fitted to next; None of large scans.
    """

    first: FloatArray
    second: FloatArray
    evidence: FloatArray
    centres: FloatArray
    side: float
    margin: float
    seen: tuple[Case, Measured] | None = field(default=None, repr=False, compare=False)

    def measured(self, case: Case, progress: Progress) -> Measured | None:
        """What `case` measured."""
        return self.seen[1] if self.seen is not None and self.seen[0] is case else measured(case, progress)

    def angles_deg(self) -> list[float]:
        """Directions of the rows themselves, 0 to 180 from the fast axis, counter-clockwise as all that are told; the
        more frequent one first."""
        ahead = self.evidence[0] - self.evidence[1]
        patches = [(ahead > _SURELY).sum(), (ahead < -_SURELY).sum()]
        angles = [float(np.degrees(np.arctan2(x, y)) % 180) for x, y in (self.first, self.second)]
        seen = [k for k in np.argsort(patches)[::-1] if patches[k]]
        return [angles[k] for k in seen or [int(self.evidence.sum(axis=1).argmax())]]

    def facts(self) -> dict[str, Any]:
        """As provenance holds it."""
        return {
            "across_rows_per_px": [self.first.tolist(), self.second.tolist()],
            "angles_deg": [round(angle, 1) for angle in self.angles_deg()],
            "margin": round(self.margin, 3),
        }


def find(case: Case, progress: Progress) -> Rows | None:
    """The dimer rows of a sparse scan whose gaps are too wide for them; None where there is nothing to follow.

    That is where the scan has no scale, its mask is neither of lines nor a grid, its gaps carry the rows and their
    dimers anyway, fewer than four rows fit into it, no direction is clearly ahead of the others, or something else
    explains the measurement better. Raises Cancelled when the user stops it.
    """
    g = case.geometry
    if not g.calibrated or g.unit != "m":
        return None
    spacing = ROW_SPACING_M / np.array([g.pixel_width, g.pixel_height])  # pixels
    if min(g.width, g.height) < _LEAST_ROWS * ROW_SPACING_M or spacing.min() < _LEAST_PERIOD:
        return None
    found = measured(case, progress)
    if found is None or (2 * found.gaps / spacing).max() < _CARRIED:
        return None
    patches = cut(found, spacing, 1e-9 * float(np.ptp(case.raw[case.mask.measured])))
    if not patches:
        return None
    # where many patches of lines agree one model of their hills will do; a grid has few values in each
    many = found.kind == "lines" and sum(p.values.shape[1] for p in patches) > _FEW
    progress.check()
    evidence = Evidence(patches, float(spacing.max()), MODELS[:1] if many else MODELS)
    vectors, margin = _best_direction(evidence, spacing)
    progress.check()
    sure = margin >= max(_AHEAD, _AHEAD_A_PATCH[found.kind] * evidence.count)
    if sure:
        vectors, both = _polished(evidence, vectors, spacing)
    else:
        seen = seen_by_spectrum(case, spacing, found.gaps) if _wide(g) else None
        if seen is None:
            return None
        vectors, margin = seen.vectors, seen.margin
        both = _terraces(evidence, vectors)
    progress.check()
    if _something_else(evidence, both, found, spacing, 1.0 if sure else _UNSURE):
        return None
    centres = np.concatenate([p.centres for p in patches], axis=1)
    side = float(np.ptp(patches[0].y) + found.gaps[1])
    seen_in = (case, found) if found.values.size <= _KEPT else None
    return Rows(vectors[0], vectors[1], np.stack(both), centres, side, margin, seen_in)


def _wide(geometry: Geometry) -> bool:
    return min(geometry.width, geometry.height) >= LEAST_ROWS * ROW_SPACING_M


def _something_else(
    evidence: Evidence,
    both: tuple[FloatArray, FloatArray],
    found: Measured,
    spacing: FloatArray,
    patience: float,
) -> bool:
    """Whether another lattice or a few free waves explain the patches better than dimer rows, of that evidence, do."""
    own = float(_whole(*both).sum())
    of_free = _OF_FREE if evidence.count <= _FEW else _OF_FREE_IN_MANY
    least = patience * np.array([_OF_LATTICES, of_free])
    return own < least[0] * _other_lattices(evidence, spacing) or own < least[1] * _free_waves(evidence, found)


def _terraces(evidence: Evidence, vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Evidence of both terraces in each patch."""
    first, second = vectors
    return _terrace(evidence, first[None], second[None])[0], _terrace(evidence, second[None], -first[None])[0]


def _vectors(turns: FloatArray, spacings: FloatArray, spacing: FloatArray) -> FloatArray:
    """Wave vectors (n, 2) of rows of those spacings (in units of the known one) at those angles (radians)."""
    return np.stack([np.cos(turns) * spacings / spacing[0], np.sin(turns) * spacings / spacing[1]], axis=1)


def _terrace(evidence: Evidence, across: FloatArray, along: FloatArray) -> FloatArray:
    """Evidence (n, patches) of terraces with rows across those vectors (n, 2), and the other vectors along them."""
    return evidence.of([h * across + k * along for h, k in TERRACE], _SHARES)


def _whole(first: FloatArray, second: FloatArray) -> FloatArray:
    """Evidence of either terrace or nothing, from that of both."""
    either = np.logaddexp(first, second) + np.log(_EITHER)
    return np.asarray(np.logaddexp(either, np.log(_NOTHING)))


def _best_direction(evidence: Evidence, spacing: FloatArray) -> tuple[FloatArray, float]:
    """Wave vectors across the rows of both terraces (2, 2), and how far they are ahead."""
    turns, spacings = (
        a.ravel() for a in np.meshgrid(np.radians(np.arange(0, 180, _STEP_DEG)), _SPACINGS, indexing="ij")
    )
    across, along = (_vectors(turns + turn, spacings, spacing) for turn in (0, np.pi / 2))
    first, second = np.split(_terrace(evidence, across, along), 2)
    turns, spacings = turns[: len(first)], spacings[: len(first)]
    score = _whole(first, second).sum(axis=1) - (np.log(spacings) / _CALIBRATION) ** 2 / 2
    best = int(score.argmax())
    off = np.abs((turns - turns[best] + np.pi / 4) % (np.pi / 2) - np.pi / 4)
    rivals = score[off > np.radians(_APART_DEG)]
    return np.stack([across[best], along[best]]), float(score[best] - max(0.0, float(rivals.max())))


def _polished(
    evidence: Evidence, vectors: FloatArray, spacing: FloatArray
) -> tuple[FloatArray, tuple[FloatArray, FloatArray]]:
    """The lattice turned and strained a little, as drift does it, to where its evidence is highest; and the evidence
    of both terraces in each patch."""
    known = vectors * spacing
    known = known / np.linalg.norm(known, axis=1, keepdims=True) / spacing
    ways = np.array([[[0, 1], [-1, 0]], [[1, 0], [0, 1]], [[1, 0], [0, -1]], [[0, 1], [1, 0]]], dtype=np.float64)

    def judged(lattices: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        across, along = lattices[:, 0], lattices[:, 1]
        both = _terrace(evidence, np.concatenate([across, along]), np.concatenate([along, -across]))
        first, second = np.split(both, 2)
        change = np.linalg.inv(known) @ lattices - np.eye(2)
        strain = (change + change.transpose(0, 2, 1)) / 2
        held = ((strain / _CALIBRATION) ** 2).sum(axis=(1, 2)) / 2
        return _whole(first, second).sum(axis=1) - held, first, second

    best, (score, first, second) = vectors, judged(vectors[None])
    for size in _STRAINS:
        tried = np.stack([best @ (np.eye(2) + sign * size * way) for way in ways for sign in (1, -1)])
        scores, firsts, seconds = judged(tried)
        k = int(scores.argmax())
        if scores[k] > score[0]:
            best, score, first, second = tried[k], scores[k : k + 1], firsts[k : k + 1], seconds[k : k + 1]
    return best, (first[0], second[0])


def _other_lattices(evidence: Evidence, spacing: FloatArray) -> float:
    """The evidence of the best hexagonal or square lattice of any spacing from 0.2 to 1.6 nm."""
    lengths = np.geomspace(0.2e-9, 1.6e-9, 32)

    def tried(span_deg: float) -> Callable[[float], FloatArray]:
        turns, relative = (
            a.ravel()
            for a in np.meshgrid(np.radians(np.arange(0, span_deg, 4.0)), ROW_SPACING_M / lengths, indexing="ij")
        )
        return lambda turn: _vectors(turns + turn, relative, spacing)

    at = tried(60)
    hexagon = [at(k * np.pi / 3) for k in range(3)]
    hexagonal = evidence.of([*hexagon, *(2 * wave for wave in hexagon)], (1, 1, 1, 0.3, 0.3, 0.3))
    at = tried(90)
    a, b = at(0), at(np.pi / 2)
    square = evidence.of([a, b, a + b, a - b], (1, 1, 0.5, 0.5))
    return max(float(hexagonal.sum(axis=1).max()), float(square.sum(axis=1).max()))


def _free_waves(evidence: Evidence, found: Measured) -> float:
    """The evidence of the best few waves of any direction and length, each found after the other.

    Aliases have the same evidence, so that one of each is enough.
    """
    step = 0.4 / 28
    most = np.minimum(0.5, 0.5 / found.gaps)
    x, y = (a.ravel() for a in np.meshgrid(np.arange(0, most[0], step), np.arange(-most[1], most[1], step)))
    grid = np.stack([x, y], axis=1)[np.hypot(x, y) > LONG]
    around = np.stack([a.ravel() for a in np.meshgrid((-1, 0, 1), (-1, 0, 1))], axis=1)
    whole = evidence.basis(grid)
    chosen = np.empty((0, 2))
    best = 0.0
    for _ in range(_FREE):
        tried, scores = grid, evidence.beside(chosen, whole).sum(axis=1)
        for size in (step / 2, step / 4):
            tried = tried[int(scores.argmax())] + size * around
            scores = evidence.beside(chosen, evidence.basis(tried)).sum(axis=1)
        chosen = np.concatenate([chosen, tried[int(scores.argmax())][None]])
        best = max(best, float(scores.max()))
    return best
