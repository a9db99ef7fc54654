"""Hydrogen-terminated Si(001) 2x1."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.surfaces.dimers import DimerLattice, DimerOrbital
from stmviewer.simulate.surfaces.gaussians import gaussian_sum
from stmviewer.simulate.surfaces.terraces import Terraces

STEP_HEIGHT_M = 0.136e-9

#: a defect this far outside the field is still seen in it (a charge's halo reaches farthest)
_MARGIN_M = 3e-9
_Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Dimers:
    """The defects of the terraces of one row direction: dimers by their indices on that lattice."""

    lattice: DimerLattice
    missing: tuple[_Indices, _Indices]
    dangling: tuple[_Indices, _Indices]
    #: -1 or 1: the side of the dimer that the dangling bond is on
    dangling_side: _Indices
    #: how many dimers these terraces have in the field and its margin, whole or not
    count: int


@dataclass(frozen=True)
class Si001H:
    """Si(001) 2x1:H in constant-current topography.

    The height at constant current is z = ln(n) / (2 kappa) with n the density of states at the tip's height relative
    to a flat terrace's mean (Tersoff and Hamann, Phys. Rev. B 31, 805 (1985)):

        n = sum over levels l of m_l exp(2 kappa h l) [ b + (1 - b) D_l + defects ] + clusters

    D_l is the sum over the level's dimers (`DimerOrbital`), h the step height of 0.136 nm, m_l the level's terraces
    with edges as wide as an orbital, and b a share of the current without lateral structure, chosen such that the
    unit cell has the asked `corrugation_m` from its highest to its lowest point. Rows turn by 90 degrees from level
    to level. Filled states (bias below 0) are weighted on the dimer's middle: bean-shaped, rows dominate. Empty
    states (bias above 0) have a lobe at each end, as the bonding and antibonding states of the bare dimers do
    (Hamers, Tromp and Demuth, Phys. Rev. B 34, 5343 (1986)); hydrogen keeps the dimers symmetric.

    Lengths are in metres, densities in 1/m^2. `tip_height_m` is an effective one: tips with p and d states resolve
    more than its s-wave picture allows (Chen, Phys. Rev. Lett. 65, 448 (1990)).
    """

    name: ClassVar[str] = "si001h"

    #: direction of the dimer rows of level 0, from the fast axis clockwise
    angle_deg: float = 0.0
    bias_v: float = -2.0
    corrugation_m: float = 40e-12
    kappa_per_m: float = 11e9
    tip_height_m: float = 0.45e-9
    #: single-layer steps in the field, and the direction of their edges against the rows of level 0
    steps: int = 0
    step_angle_deg: float = 0.0
    #: wander of SA and SB edges over 10 nm of their length
    edge_roughness_m: tuple[float, float] = (0.3e-9, 1.2e-9)
    #: share of dimers that are missing, in runs of this mean length
    missing_dimers: float = 0.01
    missing_run: float = 1.4
    #: how far the tip gets into the hole; a needle would find the next layer one step below
    vacancy_depth_m: float = 80e-12
    #: share of dimers with a dangling bond, its apparent height, the share that is charged, the depth of its halo
    dangling_bonds: float = 0.002
    dangling_height_m: float = 0.15e-9
    charged: float = 0.3
    halo_depth_m: float = 25e-12
    #: adsorbates, lone or clustered: how many, their mean height and mean radius
    clusters_per_m2: float = 0.0
    cluster_height_m: float = 0.25e-9
    cluster_radius_m: float = 0.4e-9
    #: charges below the surface: wide hills and hollows of this standard deviation
    charges_per_m2: float = 0.0
    charge_height_m: float = 10e-12

    @classmethod
    def random(cls, rng: np.random.Generator) -> "Si001H":
        """A surface as laboratories see it: from nearly perfect to crowded."""
        filled = rng.random() < 0.6
        defects = rng.random() < 0.75
        return cls(
            angle_deg=float(rng.uniform(0, 180)),
            bias_v=float(rng.uniform(1.4, 2.6) * (-1 if filled else 1)),
            corrugation_m=float(rng.uniform(20e-12, 60e-12)),
            kappa_per_m=float(rng.uniform(9.5e9, 11.5e9)),
            tip_height_m=float(rng.uniform(0.33e-9, 0.75e-9)),
            steps=int(rng.choice(4, p=(0.6, 0.25, 0.1, 0.05))),
            step_angle_deg=float(rng.choice((0, 45, 90)) + rng.normal(0, 15)),
            edge_roughness_m=(float(rng.uniform(0.1e-9, 0.6e-9)), float(rng.uniform(0.6e-9, 2e-9))),
            missing_dimers=float(10 ** rng.uniform(-3, -1.3)) if defects else 0.0,
            missing_run=float(rng.uniform(1, 2.2)),
            vacancy_depth_m=float(rng.uniform(40e-12, STEP_HEIGHT_M)),
            dangling_bonds=float(10 ** rng.uniform(-3.5, -1.9)) if defects else 0.0,
            dangling_height_m=float(rng.uniform(0.08e-9, 0.2e-9)),
            charged=float(rng.uniform(0, 0.7)),
            halo_depth_m=float(rng.uniform(10e-12, 40e-12)),
            clusters_per_m2=float(10 ** rng.uniform(-3.5, -1.7) * 1e18) if rng.random() < 0.5 else 0.0,
            cluster_height_m=float(rng.uniform(0.1e-9, 0.4e-9)),
            cluster_radius_m=float(rng.uniform(0.25e-9, 0.6e-9)),
            charges_per_m2=float(rng.uniform(0.005e18, 0.05e18)),
            charge_height_m=float(rng.uniform(0, 20e-12)),
        )

    @property
    def orbital(self) -> DimerOrbital:
        """The dimer at this bias and tip height."""
        sigma = float(np.sqrt(self.tip_height_m / (2 * self.kappa_per_m)))
        if self.bias_v < 0:
            return DimerOrbital(sigma_m=sigma, half_m=0.17e-9, centre=0.35)
        # antibonding lobes point away from the dimer and are seen apart: narrower, nothing between them
        return DimerOrbital(sigma_m=0.85 * sigma, half_m=0.145e-9, centre=0.0)

    def make(self, rows: int, columns: int, pixel_m: float, rng: np.random.Generator) -> FloatArray:
        """Heights in metres, shape (rows, columns), on square pixels of `pixel_m` (0.02 to 0.3 nm makes sense)."""
        terraces = self.terraces(rows, columns, pixel_m, rng)
        origin = rng.random(2)
        lattices = [DimerLattice(np.deg2rad(self.angle_deg + turn), tuple(origin), pixel_m) for turn in (0, 90)]
        parities = range(1 if terraces.steps == 0 else 2)
        dimers = [self.dimers(rows, columns, lattices[p], terraces, p, rng) for p in parities]
        level = terraces.levels(np.arange(columns)[None, :], np.arange(rows)[:, None])
        densities = [self._density(rows, columns, one) for one in dimers]
        density = self._stack(densities, level, pixel_m) if terraces.steps else densities[0]
        density = density + self._clusters(rows, columns, pixel_m, level, rng)
        heights = np.log(density) / (2 * self.kappa_per_m)
        for one in dimers:
            heights -= self._halos(rows, columns, one, rng)
        heights += self._charges(rows, columns, pixel_m, rng)
        return heights

    def terraces(self, rows: int, columns: int, pixel_m: float, rng: np.random.Generator) -> Terraces:
        """The levels of one field."""
        return Terraces.random(
            rows,
            columns,
            pixel_m,
            steps=self.steps,
            angle=np.deg2rad(self.angle_deg + self.step_angle_deg),
            lattice_angle=np.deg2rad(self.angle_deg),
            roughness_m=self.edge_roughness_m,
            rng=rng,
        )

    def dimers(
        self,
        rows: int,
        columns: int,
        lattice: DimerLattice,
        terraces: Terraces,
        parity: int,
        rng: np.random.Generator,
    ) -> Dimers:
        """Which dimers are missing or have a dangling bond on the terraces of even (0) or odd (1) level."""
        i, j = lattice.sites(rows, columns, _MARGIN_M)
        here = terraces.levels(*lattice.place(i, j)) % 2 == parity
        i, j = i[here], j[here]
        runs = rng.choice(len(i), rng.binomial(len(i), min(self.missing_dimers / self.missing_run, 1)), replace=False)
        length = rng.geometric(1 / self.missing_run, len(runs))
        step = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
        # missing dimers attract each other: most runs go along a row, some across (the start of a vacancy line)
        across = np.repeat(rng.random(len(runs)) < 0.3, length)
        first_i, first_j = np.repeat(i[runs], length), np.repeat(j[runs], length)
        missing = np.unique(np.stack([first_i + step * across, first_j + step * ~across]), axis=1)
        bonds = rng.choice(len(i), rng.binomial(len(i), min(self.dangling_bonds, 1)), replace=False)
        gone = np.isin(_keys(i[bonds], j[bonds]), _keys(missing[0], missing[1]))
        bonds = bonds[~gone]
        return Dimers(
            lattice=lattice,
            missing=(missing[0], missing[1]),
            dangling=(i[bonds], j[bonds]),
            dangling_side=rng.choice((-1, 1), len(bonds)),
            count=len(i),
        )

    def _density(self, rows: int, columns: int, dimers: Dimers) -> FloatArray:
        """Density of states of one level's terraces, mean about 1; shape (rows, columns)."""
        orbital, lattice = self.orbital, dimers.lattice
        least, most = orbital.range()
        ratio = np.exp(2 * self.kappa_per_m * self.corrugation_m)
        smooth = max((most - ratio * least) / (ratio - 1), 0.0)
        share = smooth / (1 + smooth)
        density: FloatArray = lattice.density(rows, columns, orbital)
        sigma = orbital.sigma_m / lattice.pixel_m
        if dimers.missing[0].size:
            for offset, weight in (
                (0.0, orbital.centre),
                (-orbital.half_m, (1 - orbital.centre) / 2),
                (orbital.half_m, (1 - orbital.centre) / 2),
            ):
                if weight > 0:
                    x, y = lattice.place(*dimers.missing, offset)
                    density -= gaussian_sum(rows, columns, x, y, weight * orbital.peak, sigma)
            # the tip sees the layer below, as deep as its own radius lets it into the hole
            x, y = lattice.place(*dimers.missing)
            hole = np.minimum(gaussian_sum(rows, columns, x, y, 1.0, 0.22e-9 / lattice.pixel_m), 1)
            below = np.exp(-2 * self.kappa_per_m * self.vacancy_depth_m)
            density = share * (1 - hole) + (1 - share) * np.maximum(density, 0) + below * hole
        else:
            density = share + (1 - share) * density
        if dimers.dangling_side.size:
            # the unsaturated orbital sits at one end of the dimer and reaches higher than hydrogen
            x, y = lattice.place(*dimers.dangling, dimers.dangling_side * 0.12e-9)
            extra = np.expm1(2 * self.kappa_per_m * self.dangling_height_m)
            density += gaussian_sum(rows, columns, x, y, extra, 0.15e-9 / lattice.pixel_m)
        return density

    def _stack(self, densities: list[FloatArray], level: NDArray[np.int64], pixel_m: float) -> FloatArray:
        """The densities of the two row directions laid on their levels, edges as wide as an orbital."""
        width = self.orbital.sigma_m / pixel_m
        lower = np.ones(level.shape)
        total = np.zeros(level.shape)
        for k in range(self.steps + 1):
            above = (level > k).astype(float)
            if width > 0.2 and k < self.steps:
                above = ndimage.gaussian_filter(above, width)
            total += (lower - above) * densities[k % 2] * np.exp(2 * self.kappa_per_m * STEP_HEIGHT_M * k)
            lower = above
        return total

    def _clusters(
        self, rows: int, columns: int, pixel_m: float, level: NDArray[np.int64], rng: np.random.Generator
    ) -> FloatArray | float:
        """Density of states of adsorbates: each one to five overlapping Gaussians, high above the terrace."""
        x, y = _scatter(rows, columns, pixel_m, self.clusters_per_m2, rng)
        if not x.size:
            return 0.0
        lobes = rng.integers(1, 6, x.size)
        radius = np.repeat(self.cluster_radius_m * rng.uniform(0.6, 1.4, x.size), lobes)
        total = radius.size
        height = np.repeat(self.cluster_height_m * rng.uniform(0.5, 1.5, x.size), lobes) * rng.uniform(0.6, 1, total)
        base = level[np.clip(y, 0, rows - 1).astype(int), np.clip(x, 0, columns - 1).astype(int)]
        height += np.repeat(base, lobes) * STEP_HEIGHT_M
        at_x = np.repeat(x, lobes) + rng.normal(0, 0.8, total) * radius / pixel_m
        at_y = np.repeat(y, lobes) + rng.normal(0, 0.8, total) * radius / pixel_m
        # ln(1 + w exp(-rho^2 / 2 sigma^2)) falls to half its height at rho = sigma sqrt(ln w) for large w
        weight = np.exp(2 * self.kappa_per_m * height)
        sigma = radius / np.sqrt(np.maximum(np.log(weight), 1)) / pixel_m
        return gaussian_sum(rows, columns, at_x, at_y, weight, np.maximum(sigma, 0.3))

    def _halos(self, rows: int, columns: int, dimers: Dimers, rng: np.random.Generator) -> FloatArray | float:
        """Depth (m) of the dark halos: a charge bends the bands and the tip must come closer for the same current."""
        charged = rng.random(dimers.dangling_side.size) < self.charged
        if not charged.any():
            return 0.0
        x, y = dimers.lattice.place(dimers.dangling[0][charged], dimers.dangling[1][charged])
        width = rng.uniform(0.7e-9, 1.3e-9, x.size) / dimers.lattice.pixel_m
        return gaussian_sum(rows, columns, x, y, self.halo_depth_m, width)

    def _charges(self, rows: int, columns: int, pixel_m: float, rng: np.random.Generator) -> FloatArray | float:
        """Heights (m) that charged dopants below the surface add: wider the deeper they lie."""
        x, y = _scatter(rows, columns, pixel_m, self.charges_per_m2, rng)
        if not x.size:
            return 0.0
        width = rng.uniform(1.2e-9, 3e-9, x.size) / pixel_m
        return gaussian_sum(rows, columns, x, y, rng.normal(0, self.charge_height_m, x.size), width)


def _keys(i: _Indices, j: _Indices) -> _Indices:
    """One number for each pair of indices."""
    return i * 1_000_003 + j


def _scatter(
    rows: int, columns: int, pixel_m: float, per_m2: float, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Columns and rows of randomly scattered points, in the field and its margin."""
    margin = _MARGIN_M / pixel_m
    area = (rows + 2 * margin) * (columns + 2 * margin) * pixel_m**2
    count = rng.poisson(per_m2 * area)
    return rng.uniform(-margin, columns + margin, count), rng.uniform(-margin, rows + margin, count)
