"""Graphite (0001)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.surfaces.honeycomb import GRAPHENE_M, point_defects, sublattices
from stmviewer.simulate.surfaces.lattice import Lattice
from stmviewer.simulate.surfaces.point_defects import moved
from stmviewer.simulate.surfaces.scattered import charges, clusters
from stmviewer.simulate.surfaces.terraces import Terraces
from stmviewer.simulate.surfaces.topography import contrast, heights, sigma_of, stack

STEP_HEIGHT_M = 0.335e-9


@dataclass(frozen=True)
class Graphite:
    """Graphite with AB stacking in constant-current topography.

    Of the two atoms of a cell, the one without a neighbour below (beta) carries the states at the Fermi level; the one
    above an atom of the next layer (alpha) is hardly seen: a triangular lattice of 0.246 nm instead of the honeycomb
    (Tomanek and Louie, Phys. Rev. B 37, 8327 (1988)). z = ln(n) / (2 kappa) with n the sum over both sublattices of
    Gaussians of sigma^2 = tip height / (2 kappa), scaled to the asked corrugation, which tip forces on the soft layer
    make large (Soler et al., Phys. Rev. Lett. 57, 444 (1986)). Steps are 0.335 nm high and layers alternate. Point
    defects are bright and have the sqrt 3 pattern around them (`honeycomb.point_defects`).
    """

    name: ClassVar[str] = "graphite"

    angle_deg: float = 0.0
    bias_v: float = 0.1
    corrugation_m: float = 60e-12
    kappa_per_m: float = 10e9
    tip_height_m: float = 0.22e-9
    #: density of states of an alpha atom against that of a beta atom; 1 is the honeycomb of a free layer
    alpha: float = 0.35
    steps: int = 0
    step_angle_deg: float = 0.0
    edge_roughness_m: float = 0.5e-9
    defects_per_m2: float = 0.0
    defect_height_m: float = 0.12e-9
    defect_width_m: float = 0.6e-9
    #: strength of the pattern around a defect against the mean density, and how far it reaches
    interference: float = 0.5
    interference_decay_m: float = 1.2e-9
    clusters_per_m2: float = 0.0
    cluster_height_m: float = 0.3e-9
    cluster_radius_m: float = 0.8e-9
    unevenness_m: float = 0.0

    @classmethod
    def random(cls, rng: np.random.Generator) -> "Graphite":
        """A cleaved crystal: large terraces, few defects."""
        return cls(
            angle_deg=float(rng.uniform(0, 180)),
            bias_v=float(rng.uniform(0.02, 0.6) * rng.choice((-1, 1))),
            corrugation_m=float(10 ** rng.uniform(-10.7, -9.9)),
            kappa_per_m=float(rng.uniform(9e9, 11e9)),
            tip_height_m=float(rng.uniform(0.15e-9, 0.35e-9)),
            alpha=float(rng.uniform(0.1, 0.7)),
            steps=int(rng.choice(3, p=(0.7, 0.25, 0.05))),
            step_angle_deg=float(rng.choice((0, 30, 60)) + rng.normal(0, 8)),
            edge_roughness_m=float(rng.uniform(0.05e-9, 1e-9)),
            defects_per_m2=float(10 ** rng.uniform(-3.5, -1.7) * 1e18) if rng.random() < 0.5 else 0.0,
            defect_height_m=float(rng.uniform(0.05e-9, 0.2e-9)),
            defect_width_m=float(rng.uniform(0.4e-9, 0.9e-9)),
            interference=float(rng.uniform(0.2, 0.8)),
            interference_decay_m=float(rng.uniform(0.6e-9, 2e-9)),
            clusters_per_m2=float(10 ** rng.uniform(-4, -2.5) * 1e18) if rng.random() < 0.3 else 0.0,
            cluster_height_m=float(rng.uniform(0.1e-9, 0.5e-9)),
            cluster_radius_m=float(rng.uniform(0.4e-9, 1.2e-9)),
            unevenness_m=float(rng.uniform(0, 15e-12)),
        )

    def make(self, rows: int, columns: int, pixel_m: float, rng: np.random.Generator) -> FloatArray:
        """Heights in metres, shape (rows, columns), on square pixels of `pixel_m` (0.02 to 1 nm)."""
        angle = np.deg2rad(self.angle_deg)
        terraces = Terraces.random(
            rows,
            columns,
            pixel_m,
            steps=self.steps,
            angle=angle + np.deg2rad(self.step_angle_deg),
            lattice_angle=angle,
            roughness_m=(self.edge_roughness_m,),
            kink_m=GRAPHENE_M,
            kink_angle=np.pi / 3,
            rng=rng,
        )
        level = terraces.field(rows, columns)
        first, second = rng.random(2)
        bottom = Lattice.hexagonal(GRAPHENE_M, angle, (first, second), pixel_m)
        sigma = sigma_of(self.tip_height_m, self.kappa_per_m)
        motif = sublattices(1 / (1 + self.alpha), self.alpha / (1 + self.alpha), sigma)
        share = contrast(bottom.range(motif), self.corrugation_m, self.kappa_per_m)
        densities = []
        for k in (0, 1):
            lattice = moved(bottom, k / 3, k / 3)
            densities.append(1 + share * (lattice.density(rows, columns, motif) - 1))
        density = stack(densities, level, STEP_HEIGHT_M, self.kappa_per_m, sigma / pixel_m)
        if self.defects_per_m2 > 0:
            local = point_defects(
                rows,
                columns,
                bottom,
                per_m2=self.defects_per_m2,
                height_m=self.defect_height_m,
                width_m=self.defect_width_m,
                amplitude=self.interference,
                decay_m=self.interference_decay_m,
                kappa_per_m=self.kappa_per_m,
                rng=rng,
            )
            # a pattern as strong as the mean leaves no current between its maxima, not less than none
            density *= np.maximum(1 + local, 0.2)
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
        z += charges(rows, columns, pixel_m, 0.01e18, self.unevenness_m, rng) if self.unevenness_m else 0.0
        return z
