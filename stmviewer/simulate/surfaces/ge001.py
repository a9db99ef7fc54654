"""Ge(001): buckled dimers."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.surfaces.dimer_defects import Pair, missing_runs, vacancy_lines
from stmviewer.simulate.surfaces.dimers import DimerLattice, DimerOrbital
from stmviewer.simulate.surfaces.gaussians import gaussian_sum
from stmviewer.simulate.surfaces.scattered import MARGIN_M, charges, clusters
from stmviewer.simulate.surfaces.terraces import Terraces
from stmviewer.simulate.surfaces.topography import contrast, heights, sigma_of, stack

ROW_SPACING_M = 0.800e-9
DIMER_SPACING_M = 0.400e-9
STEP_HEIGHT_M = 0.1414e-9


@dataclass(frozen=True)
class Ge001:
    """Ge(001) in constant-current topography: rows of buckled dimers.

    z = ln(n) / (2 kappa), n = sum over levels l of m_l exp(2 kappa h l) [ 1 + c (D_l + S_l B_l - 1) + defects ].

    D_l is the sum over dimers with equal ends (`DimerOrbital`, mean 1). B_l is what buckling moves from one end of
    each dimer to the other, the other way at every next dimer of a row, and S_l = +-1 the phase of each row: the same
    in all rows is p(2x2), alternating c(4x2). Both meet in one surface, and the phase of a row jumps where two
    neighbours buckle alike (Zandvliet, Phys. Rep. 388, 1 (2003)). Filled states show the upper atom of each dimer,
    empty states the lower one, so that the zigzag turns over with the bias. `buckling` is the part of time that the
    dimers spend on their side: 0 shows 2x1, as flipping dimers do at room temperature.
    """

    name: ClassVar[str] = "ge001"

    angle_deg: float = 0.0
    bias_v: float = -1.5
    corrugation_m: float = 45e-12
    kappa_per_m: float = 11e9
    tip_height_m: float = 0.35e-9
    buckling: float = 0.8
    #: how likely the next row has the other phase: 1 is c(4x2), 0 is p(2x2)
    alternation: float = 0.9
    #: share of dimers that buckle like their neighbour
    phase_defects: float = 0.004
    steps: int = 0
    step_angle_deg: float = 0.0
    edge_roughness_m: tuple[float, float] = (0.4e-9, 1.5e-9)
    missing_dimers: float = 0.01
    missing_run: float = 1.3
    vacancy_line_spacing_m: float = 0.0
    vacancy_depth_m: float = 80e-12
    clusters_per_m2: float = 0.0
    cluster_height_m: float = 0.2e-9
    cluster_radius_m: float = 0.4e-9
    charges_per_m2: float = 0.0
    charge_height_m: float = 8e-12

    @classmethod
    def random(cls, rng: np.random.Generator) -> "Ge001":
        """A surface as laboratories see it, at room temperature or cold."""
        filled = rng.random() < 0.6
        return cls(
            angle_deg=float(rng.uniform(0, 180)),
            bias_v=float(rng.uniform(0.8, 2.0) * (-1 if filled else 1)),
            corrugation_m=float(rng.uniform(25e-12, 70e-12)),
            kappa_per_m=float(rng.uniform(9.5e9, 11.5e9)),
            tip_height_m=float(rng.uniform(0.25e-9, 0.6e-9)),
            buckling=float(rng.uniform(0.4, 1)) if rng.random() < 0.75 else 0.0,
            alternation=float(rng.choice((1, 0, 0.9, 0.1, 0.5), p=(0.3, 0.15, 0.3, 0.1, 0.15))),
            phase_defects=float(10 ** rng.uniform(-3.5, -1.7)),
            steps=int(rng.choice(4, p=(0.6, 0.25, 0.1, 0.05))),
            step_angle_deg=float(rng.choice((0, 45, 90)) + rng.normal(0, 15)),
            edge_roughness_m=(float(rng.uniform(0.1e-9, 0.6e-9)), float(rng.uniform(0.6e-9, 2e-9))),
            missing_dimers=float(10 ** rng.uniform(-3, -1.3)),
            missing_run=float(rng.uniform(1, 2)),
            vacancy_line_spacing_m=float(rng.uniform(3e-9, 12e-9)) if rng.random() < 0.05 else 0.0,
            vacancy_depth_m=float(rng.uniform(40e-12, STEP_HEIGHT_M)),
            clusters_per_m2=float(10 ** rng.uniform(-3.5, -2) * 1e18) if rng.random() < 0.4 else 0.0,
            cluster_height_m=float(rng.uniform(0.1e-9, 0.3e-9)),
            cluster_radius_m=float(rng.uniform(0.25e-9, 0.5e-9)),
            charges_per_m2=float(rng.uniform(0, 0.03e18)),
            charge_height_m=float(rng.uniform(0, 15e-12)),
        )

    @property
    def orbital(self) -> DimerOrbital:
        """The dimer at this bias and tip height."""
        sigma = sigma_of(self.tip_height_m, self.kappa_per_m)
        half, centre = (0.14e-9, 0.15) if self.bias_v < 0 else (0.17e-9, 0.0)
        return DimerOrbital(sigma, half, centre, ROW_SPACING_M, DIMER_SPACING_M)

    def make(self, rows: int, columns: int, pixel_m: float, rng: np.random.Generator) -> FloatArray:
        """Heights in metres, shape (rows, columns), on square pixels of `pixel_m` (0.02 to 1 nm)."""
        turned = np.deg2rad(self.step_angle_deg - 90 * (np.arange(self.steps) + 1))
        smooth, ragged = self.edge_roughness_m
        terraces = Terraces.random(
            rows,
            columns,
            pixel_m,
            steps=self.steps,
            angle=np.deg2rad(self.angle_deg + self.step_angle_deg),
            lattice_angle=np.deg2rad(self.angle_deg),
            roughness_m=np.hypot(smooth * np.cos(turned), ragged * np.sin(turned)),
            kink_m=ROW_SPACING_M,
            rng=rng,
        )
        level = terraces.field(rows, columns)
        first, second = rng.random(2)
        densities: list[FloatArray | float] = []
        for parity in (0, 1):
            if not (level % 2 == parity).any():
                densities.append(0.0)
                continue
            angle = np.deg2rad(self.angle_deg + 90 * parity)
            lattice = DimerLattice(angle, (first, second), pixel_m, ROW_SPACING_M, DIMER_SPACING_M)
            densities.append(self._density(rows, columns, lattice, terraces, parity, rng))
        density = stack(densities, level, STEP_HEIGHT_M, self.kappa_per_m, self.orbital.sigma_m / pixel_m)
        density = density + clusters(
            level,
            pixel_m,
            per_m2=self.clusters_per_m2,
            height_m=self.cluster_height_m,
            radius_m=self.cluster_radius_m,
            step_m=STEP_HEIGHT_M,
            kappa_per_m=self.kappa_per_m,
            rng=rng,
        )
        z = heights(density, self.kappa_per_m)
        z += charges(rows, columns, pixel_m, self.charges_per_m2, self.charge_height_m, rng)
        return z

    def _density(
        self,
        rows: int,
        columns: int,
        lattice: DimerLattice,
        terraces: Terraces,
        parity: int,
        rng: np.random.Generator,
    ) -> FloatArray:
        """Density of states of one level's terraces, mean about 1; shape (rows, columns)."""
        orbital = self.orbital
        share = contrast(orbital.range(self.buckling), self.corrugation_m, self.kappa_per_m)
        sums = lattice.density(rows, columns, orbital)
        i, j = lattice.nearest(rows, columns)
        sign = self._phases(int(i.min()), int(i.max()), int(j.min()), int(j.max()), rng)
        if self.buckling > 0:
            # midway between two rows, and between two dimers of a row, B is 0: the sign may jump there
            sums += self.buckling * sign[i - i.min(), j - j.min()] * lattice.buckled(rows, columns, orbital)
        missing = self._missing(rows, columns, lattice, terraces, parity, rng)
        if not missing[0].size:
            return 1 + share * (sums - 1)
        sigma = orbital.sigma_m / lattice.pixel_m
        for offset, weight in orbital.lobes:
            x, y = lattice.place(*missing, offset)
            sums -= gaussian_sum(rows, columns, x, y, weight * orbital.peak, sigma)
        x, y = lattice.place(*missing)
        hole = np.minimum(gaussian_sum(rows, columns, x, y, 1.0, 0.22e-9 / lattice.pixel_m), 1)
        below = np.exp(-2 * self.kappa_per_m * self.vacancy_depth_m)
        density: FloatArray = (1 - share) * (1 - hole) + share * np.maximum(sums, 0) + below * hole
        return density

    def _phases(self, low_i: int, high_i: int, low_j: int, high_j: int, rng: np.random.Generator) -> FloatArray:
        """+-1 for each dimer (rows, dimers): the end that is seen, against p(2x2)."""
        count = high_i - low_i + 1
        rows = np.where(rng.random((count, 1)) < self.alternation, -1.0, 1.0)
        flips = np.where(rng.random((count, high_j - low_j + 1)) < self.phase_defects, -1.0, 1.0)
        filled = 1.0 if self.bias_v < 0 else -1.0
        return (filled * np.cumprod(rows, axis=0) * np.cumprod(flips, axis=1)).astype(np.float64)

    def _missing(
        self,
        rows: int,
        columns: int,
        lattice: DimerLattice,
        terraces: Terraces,
        parity: int,
        rng: np.random.Generator,
    ) -> Pair:
        i, j = lattice.sites(rows, columns, MARGIN_M)
        here = terraces.levels(*lattice.place(i, j)) % 2 == parity
        i, j = i[here], j[here]
        missing = missing_runs(i, j, self.missing_dimers, self.missing_run, rng)
        if self.vacancy_line_spacing_m > 0:
            lines = vacancy_lines(i, j, self.vacancy_line_spacing_m / DIMER_SPACING_M, rng)
            both = np.unique(np.hstack([missing, lines]), axis=1)
            return both[0], both[1]
        return missing
