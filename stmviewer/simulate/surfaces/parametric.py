"""Hexagonal and square atomic lattices from parameters, such as close-packed and (100) faces of metals."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.surfaces.lattice import Lattice, Motif
from stmviewer.simulate.surfaces.point_defects import PointDefects, moved
from stmviewer.simulate.surfaces.scattered import charges, clusters
from stmviewer.simulate.surfaces.terraces import Terraces
from stmviewer.simulate.surfaces.topography import contrast, heights, sigma_of, stack


@dataclass(frozen=True)
class _AtomicLattice(ABC):
    """One atom a cell in constant-current topography.

    z = ln(n) / (2 kappa), n = sum over levels l of m_l exp(2 kappa h l) [ 1 + c (D_l - 1) + defects ] + clusters, with
    D_l the sum over the atoms of the level of Gaussians of sigma^2 = tip height / (2 kappa), mean 1, and c such that
    the cell has the asked corrugation (`topography.contrast`). Levels are stacked as in the bulk: each moved by
    `stacking` of a cell against the one below, which comes back after so many layers.
    """

    #: how far a layer is moved (fractions of both vectors), and after how many layers it is over the first
    stacking: ClassVar[tuple[float, int]]
    kink_angle: ClassVar[float]

    angle_deg: float = 0.0
    bias_v: float = 0.1
    lattice_m: float = 0.2556e-9
    corrugation_m: float = 12e-12
    kappa_per_m: float = 11e9
    tip_height_m: float = 0.3e-9
    steps: int = 0
    step_height_m: float = 0.208e-9
    step_angle_deg: float = 0.0
    #: wander of an edge over 10 nm of its length
    edge_roughness_m: float = 0.5e-9
    #: shares of the sites without an atom and with one more atom, their depth and height, their width at half of it
    vacancies: float = 0.0
    vacancy_depth_m: float = 60e-12
    adatoms: float = 0.0
    adatom_height_m: float = 100e-12
    defect_width_m: float = 0.35e-9
    clusters_per_m2: float = 0.0
    cluster_height_m: float = 0.2e-9
    cluster_radius_m: float = 0.5e-9
    #: standard deviation of wide hills and hollows (defects below the surface)
    unevenness_m: float = 0.0

    @classmethod
    def random(cls, rng: np.random.Generator) -> Self:
        """From close-packed metals to wide lattices of compounds."""
        wide = rng.random() < 0.4
        constant = float(rng.uniform(0.3e-9, 0.6e-9) if wide else rng.uniform(0.245e-9, 0.3e-9))
        defects = rng.random() < 0.75
        return cls(
            angle_deg=float(rng.uniform(0, 180)),
            bias_v=float(rng.uniform(0.01, 1) * rng.choice((-1, 1))),
            lattice_m=constant,
            corrugation_m=float(10 ** rng.uniform(-11.3, -10.3 if wide else -10.6)),
            kappa_per_m=float(rng.uniform(9.5e9, 11.5e9)),
            tip_height_m=float(rng.uniform(0.2e-9, 0.5e-9)),
            steps=int(rng.choice(4, p=(0.5, 0.25, 0.15, 0.1))),
            step_height_m=float(constant * rng.uniform(0.7, 0.85)),
            step_angle_deg=float(rng.choice((0, 30, 60)) + rng.normal(0, 10)),
            edge_roughness_m=float(rng.uniform(0.1e-9, 2e-9)),
            vacancies=float(10 ** rng.uniform(-4, -2)) if defects else 0.0,
            vacancy_depth_m=float(rng.uniform(20e-12, 100e-12)),
            adatoms=float(10 ** rng.uniform(-4.5, -2.5)) if defects else 0.0,
            adatom_height_m=float(rng.uniform(40e-12, 150e-12)),
            defect_width_m=float(constant * rng.uniform(1, 1.6)),
            clusters_per_m2=float(10 ** rng.uniform(-4, -2) * 1e18) if rng.random() < 0.4 else 0.0,
            cluster_height_m=float(rng.uniform(0.1e-9, 0.4e-9)),
            cluster_radius_m=float(rng.uniform(0.3e-9, 0.8e-9)),
            unevenness_m=float(rng.uniform(0, 8e-12)),
        )

    @abstractmethod
    def lattice(self, pixel_m: float, origin: tuple[float, float]) -> Lattice:
        """The atoms of level 0."""

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
            kink_m=self.lattice_m,
            kink_angle=self.kink_angle,
            rng=rng,
        )
        level = terraces.field(rows, columns)
        first, second = rng.random(2)
        bottom = self.lattice(pixel_m, (first, second))
        sigma = sigma_of(self.tip_height_m, self.kappa_per_m)
        motif = Motif.of((0.0, 0.0), 1.0, sigma)
        share = contrast(bottom.range(motif), self.corrugation_m, self.kappa_per_m)
        defects = PointDefects(
            self.vacancies, self.vacancy_depth_m, self.adatoms, self.adatom_height_m, self.defect_width_m
        )
        shift, period = self.stacking
        densities: list[FloatArray | float] = []
        for k in range(period):
            if not (level % period == k).any():
                densities.append(0.0)
                continue
            lattice = moved(bottom, k * shift, k * shift)
            density = 1 + share * (lattice.density(rows, columns, motif) - 1)
            densities.append(defects.put_on(density, lattice, terraces, (k, period), self.kappa_per_m, rng))
        density = stack(densities, level, self.step_height_m, self.kappa_per_m, sigma / pixel_m)
        density = density + clusters(
            level,
            pixel_m,
            per_m2=self.clusters_per_m2,
            height_m=self.cluster_height_m,
            radius_m=self.cluster_radius_m,
            step_m=self.step_height_m,
            kappa_per_m=self.kappa_per_m,
            rng=rng,
        )
        z = heights(density, self.kappa_per_m)
        z += charges(rows, columns, pixel_m, 0.02e18, self.unevenness_m, rng) if self.unevenness_m else 0.0
        return z


@dataclass(frozen=True)
class Hexagonal(_AtomicLattice):
    __doc__ = (_AtomicLattice.__doc__ or "").replace("One atom a cell", "A hexagonal lattice of atoms", 1)

    name: ClassVar[str] = "hexagonal"
    stacking: ClassVar[tuple[float, int]] = (1 / 3, 3)
    kink_angle: ClassVar[float] = np.pi / 3

    def lattice(self, pixel_m: float, origin: tuple[float, float]) -> Lattice:
        return Lattice.hexagonal(self.lattice_m, np.deg2rad(self.angle_deg), origin, pixel_m)


@dataclass(frozen=True)
class Square(_AtomicLattice):
    __doc__ = (_AtomicLattice.__doc__ or "").replace("One atom a cell", "A square lattice of atoms", 1)

    name: ClassVar[str] = "square"
    stacking: ClassVar[tuple[float, int]] = (1 / 2, 2)
    kink_angle: ClassVar[float] = np.pi / 2

    def lattice(self, pixel_m: float, origin: tuple[float, float]) -> Lattice:
        side = self.lattice_m
        return Lattice.rectangular(side, side, np.deg2rad(self.angle_deg), origin, pixel_m)
