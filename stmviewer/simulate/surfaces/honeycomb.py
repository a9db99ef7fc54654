"""What graphite and graphene share: two sublattices, and the interference pattern around point defects."""

import numpy as np

from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.surfaces.lattice import Lattice, Motif
from stmviewer.simulate.surfaces.scattered import bump_sigma, scatter
from stmviewer.simulate.surfaces.topography import excess

GRAPHENE_M = 0.246e-9

#: the pattern is left out farther away than this many decay lengths
_REACH = 4.0


def sublattices(first: float, second: float, sigma_m: float) -> Motif:
    """Atoms of both sublattices with shares of the density of states: the second a third of the cell away."""
    return Motif.of([(0.0, 0.0), (1 / 3, 1 / 3)], (first, second), sigma_m)


def point_defects(
    rows: int,
    columns: int,
    lattice: Lattice,
    *,
    per_m2: float,
    height_m: float,
    width_m: float,
    amplitude: float,
    decay_m: float,
    kappa_per_m: float,
    rng: np.random.Generator,
) -> FloatArray:
    """Density of states of point defects and of the standing waves around them; shape (rows, columns).

    A defect scatters electrons between the two corners K and K' of the Brillouin zone, so that waves with the wave
    vectors K appear: the (sqrt 3 x sqrt 3) R30 pattern, period 0.426 nm, that fades over a few nm (Mizes and Foster,
    Science 244, 559 (1989)). It is `amplitude` exp(-r / decay) sum_i cos(K_i . r) / 3 around each.
    """
    total = np.zeros((rows, columns))
    x, y = scatter(rows, columns, lattice.pixel_m, per_m2, rng)
    first, second = lattice.reciprocal
    corners = np.stack([first - second, 2 * first + second, first + 2 * second]) / 3 * lattice.pixel_m
    weight = excess(height_m, kappa_per_m)
    sigma = bump_sigma(width_m, height_m, kappa_per_m) / lattice.pixel_m
    decay = decay_m / lattice.pixel_m
    reach = max(_REACH * decay, 6 * sigma)
    for column, row in zip(x, y, strict=True):
        top, bottom = max(int(row - reach), 0), min(int(row + reach) + 2, rows)
        left, right = max(int(column - reach), 0), min(int(column + reach) + 2, columns)
        if top >= bottom or left >= right:
            continue
        down, across = np.arange(top, bottom)[:, None] - row, np.arange(left, right)[None, :] - column
        distance2 = down**2 + across**2
        waves = np.add.reduce([np.cos(k[0] * across + k[1] * down) for k in corners]) / 3
        total[top:bottom, left:right] += weight * np.exp(-0.5 * distance2 / sigma**2)
        total[top:bottom, left:right] += amplitude * np.exp(-np.sqrt(distance2) / decay) * waves
    return total
