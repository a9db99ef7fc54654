"""The waves of a lattice that a cell is made of: those that what was measured can tell apart."""

import numpy as np
from numpy.typing import NDArray

from stmviewer.restore.cells.seen import Seen
from stmviewer.restore.rows.evidence import BEYOND, looks_like
from stmviewer.scan import FloatArray

#: the most of them; the lowest first
_MOST = 120
#: waves must look so far from each other, and from what hum and offsets of lines show (waves across the scan)
_APART, _LINES = 2.0, 1.0
_LEAST_WAVES = 1.2


def overtones(vectors: FloatArray, seen: Seen, hills: float) -> tuple[NDArray[np.int64], FloatArray]:
    """Orders (n, 2) of the lattice that `vectors` (2, 2; cycles a pixel) span, and their waves (n, 2), the longest
    first. Of several that look alike in the gaps the longest is taken: surfaces are smooth. None looks like `hills`, so
    many times as wide as the cell."""
    reach = int(np.ceil(2 * BEYOND / np.abs(np.linalg.svd(vectors, compute_uv=False)).min())) + 1
    h, k = (a.ravel() for a in np.mgrid[0 : reach + 1, -reach : reach + 1])
    orders = np.stack([h, k], axis=1)[(h > 0) | (k > 0)]
    waves = orders @ vectors
    shown = np.abs(waves).max(axis=1) < BEYOND
    orders, waves = orders[shown], waves[shown]
    order = np.argsort(np.hypot(*waves.T), kind="stable")
    orders, waves = orders[order], waves[order]
    extent = seen.extent
    shortest = float(extent.min())
    look = looks_like(waves[:, 0], waves[:, 1], seen.gaps)
    twice = looks_like(2 * waves[:, 0], 2 * waves[:, 1], seen.gaps)  # else it looks like its own opposite
    least = max(float(np.hypot(*waves[0])) / hills, _LEAST_WAVES / shortest)
    good = (look >= least) & (np.abs(waves[:, 0]) * extent[0] >= _LINES) & (twice >= _APART / shortest)
    kept: list[int] = []
    for k in np.nonzero(good)[0]:
        if kept:
            others = np.concatenate([waves[k] + waves[kept], waves[k] - waves[kept]])
            if looks_like(others[:, 0], others[:, 1], seen.gaps).min() < _APART / shortest:
                continue
        kept.append(int(k))
        if len(kept) == _MOST:
            break
    return orders[kept].astype(np.int64), waves[kept]
