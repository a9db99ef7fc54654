"""Si(111) 7x7."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.surfaces.gaussians import gaussian_sum
from stmviewer.simulate.surfaces.lattice import Lattice, Motif
from stmviewer.simulate.surfaces.point_defects import moved, on_layer
from stmviewer.simulate.surfaces.scattered import MARGIN_M, charges, clusters
from stmviewer.simulate.surfaces.terraces import Terraces
from stmviewer.simulate.surfaces.topography import excess, heights, sigma_of, stack

ATOM_SPACING_M = 0.384e-9
CELL_M = 7 * ATOM_SPACING_M
STEP_HEIGHT_M = 0.314e-9

#: width of the corner hole's state
_HOLE_SIGMA_M = 0.33e-9


def _sites() -> tuple[FloatArray, FloatArray]:
    """Fractions of the 7x7 cell of its adatoms (12, 2) and rest atoms (6, 2), faulted half first.

    Six adatoms of each half form a triangle with three to a side, 2 atom spacings apart, around the half's centre: the
    first three are the corner adatoms, the others the centre adatoms. A rest atom is in the middle of a corner adatom
    and two centre adatoms.
    """
    adatoms, rest = [], []
    for corners in (np.array([[0, 0], [1, 0], [0, 1.0]]), np.array([[1, 1], [0, 1], [1, 0.0]])):
        centre = corners.mean(axis=0)
        outer = (corners - centre) * 4 / 7
        adatoms += [centre + outer, centre + (outer + np.roll(outer, -1, axis=0)) / 2]
        rest.append(centre + outer / 2)
    return np.concatenate(adatoms), np.concatenate(rest)


@dataclass(frozen=True)
class Si111:
    """Si(111) 7x7 in constant-current topography, after the dimer-adatom-stacking-fault model.

    The cell (2.69 nm) has 12 adatoms, 6 rest atoms and a corner hole in each of its two halves (Takayanagi et al.,
    Surf. Sci. 164, 367 (1985)). z = ln(n) / (2 kappa) with

        n = sum over levels l of m_l exp(2 kappa h l) [ 1 - hole + adatoms + rest atoms ]

    where each atom is a Gaussian of sigma^2 = tip height / (2 kappa) that rises as high above the flat background as
    its kind does at the bias, and the corner hole a dent in the background. Empty states show twelve adatoms alike. In
    filled states the faulted half is higher, and corner adatoms are higher than centre adatoms, which give charge to
    two rest atoms instead of one (Hamers, Tromp and Demuth, Phys. Rev. Lett. 56, 1972 (1986)). Rest atoms are seen
    where their filled state, 0.8 eV below the Fermi level, has the largest share of the current. Steps are one double
    layer of 0.314 nm; the cells of two terraces are independent.
    """

    name: ClassVar[str] = "si111-7x7"

    angle_deg: float = 0.0
    bias_v: float = 2.0
    kappa_per_m: float = 11e9
    tip_height_m: float = 0.45e-9
    #: height of adatoms over the hollows between them, and depth of the corner holes below the hollows
    adatom_height_m: float = 60e-12
    hole_depth_m: float = 90e-12
    #: filled states: how much higher the faulted half is, and a corner adatom than a centre adatom
    fault_contrast_m: float = 20e-12
    corner_contrast_m: float = 12e-12
    #: filled states at -0.8 V: height of the rest atoms
    rest_height_m: float = 35e-12
    steps: int = 0
    step_angle_deg: float = 0.0
    edge_roughness_m: float = 1.5e-9
    #: share of adatoms that are missing or have reacted and are dark
    missing_adatoms: float = 0.01
    clusters_per_m2: float = 0.0
    cluster_height_m: float = 0.2e-9
    cluster_radius_m: float = 0.4e-9
    charges_per_m2: float = 0.0
    charge_height_m: float = 5e-12

    @classmethod
    def random(cls, rng: np.random.Generator) -> "Si111":
        """A surface as laboratories see it."""
        filled = rng.random() < 0.5
        return cls(
            angle_deg=float(rng.uniform(0, 180)),
            bias_v=float(-rng.uniform(0.5, 2.2) if filled else rng.uniform(0.8, 2.2)),
            kappa_per_m=float(rng.uniform(9.5e9, 11.5e9)),
            tip_height_m=float(rng.uniform(0.35e-9, 0.75e-9)),
            adatom_height_m=float(rng.uniform(40e-12, 90e-12)),
            hole_depth_m=float(rng.uniform(50e-12, 140e-12)),
            fault_contrast_m=float(rng.uniform(8e-12, 30e-12)),
            corner_contrast_m=float(rng.uniform(5e-12, 18e-12)),
            rest_height_m=float(rng.uniform(15e-12, 50e-12)),
            steps=int(rng.choice(3, p=(0.65, 0.25, 0.1))),
            step_angle_deg=float(rng.choice((0, 30, 60)) + rng.normal(0, 8)),
            edge_roughness_m=float(rng.uniform(0.2e-9, 2.5e-9)),
            missing_adatoms=float(10 ** rng.uniform(-3, -1.2)),
            clusters_per_m2=float(10 ** rng.uniform(-4, -2) * 1e18) if rng.random() < 0.6 else 0.0,
            cluster_height_m=float(rng.uniform(0.08e-9, 0.35e-9)),
            cluster_radius_m=float(rng.uniform(0.3e-9, 0.6e-9)),
            charges_per_m2=float(rng.uniform(0, 0.02e18)),
            charge_height_m=float(rng.uniform(0, 12e-12)),
        )

    @property
    def heights_m(self) -> tuple[FloatArray, float]:
        """Heights of the 12 adatoms (faulted half first; corner, then centre adatoms) and of the rest atoms."""
        high = np.full(12, self.adatom_height_m)
        if self.bias_v >= 0:
            return high, 0.0
        high += self.fault_contrast_m / 2 * np.repeat((1, -1), 6)
        high += self.corner_contrast_m / 2 * np.tile(np.repeat((1, -1), 3), 2)
        return high, self.rest_height_m * float(np.exp(-0.5 * ((self.bias_v + 0.8) / 0.4) ** 2))

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
            # edges prefer to end on whole cells
            kink_m=CELL_M,
            kink_angle=np.pi / 3,
            rng=rng,
        )
        level = terraces.field(rows, columns)
        motif, sigma = self._motif()
        first, second = rng.random(2)
        bottom = Lattice.hexagonal(CELL_M, angle, (first, second), pixel_m)
        layers = int(level.max()) + 1
        densities = []
        for k in range(layers):
            across, along = rng.integers(0, 7, 2) / 7 if k else (0.0, 0.0)
            lattice = moved(bottom, float(across), float(along))
            density = 1 + lattice.density(rows, columns, motif)
            densities.append(density - self._missing(rows, columns, lattice, terraces, (k, layers), sigma, rng))
        density = stack(densities, level, STEP_HEIGHT_M, self.kappa_per_m, sigma / pixel_m)
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

    def _motif(self) -> tuple[Motif, float]:
        """Adatoms, rest atoms and the corner hole on a background of 1, and the width of an atom's state."""
        sigma = sigma_of(self.tip_height_m, self.kappa_per_m)
        adatoms, rest = _sites()
        high, rest_high = self.heights_m
        places = np.concatenate([adatoms, rest, [[0.0, 0.0]]])
        dent = np.expm1(-2 * self.kappa_per_m * self.hole_depth_m)
        peaks = np.concatenate(
            [excess(high, self.kappa_per_m), np.full(6, excess(rest_high, self.kappa_per_m)), [dent]]
        )
        sigmas = np.append(np.full(18, sigma), _HOLE_SIGMA_M)
        cell = np.sqrt(0.75) * CELL_M**2
        return Motif.of(places, peaks * 2 * np.pi * sigmas**2 / cell, sigmas), sigma

    def _missing(
        self,
        rows: int,
        columns: int,
        lattice: Lattice,
        terraces: Terraces,
        layer: tuple[int, int],
        sigma_m: float,
        rng: np.random.Generator,
    ) -> FloatArray | float:
        """What the density loses with the missing adatoms of one layer."""
        total: FloatArray | float = 0.0
        for place, high in zip(_sites()[0], self.heights_m[0], strict=True):
            i, j = lattice.sample(rows, columns, MARGIN_M + CELL_M, self.missing_adatoms, rng)
            x, y = lattice.place(i + place[0], j + place[1])
            here = on_layer(terraces, layer, x, y)
            if here.any():
                peak = excess(high, self.kappa_per_m)
                total = total + gaussian_sum(rows, columns, x[here], y[here], peak, sigma_m / lattice.pixel_m)
        return total
