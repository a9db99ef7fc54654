"""Graphene on a crystal with another lattice: moire."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.surfaces.honeycomb import GRAPHENE_M, point_defects, sublattices
from stmviewer.simulate.surfaces.lattice import Lattice, plane_waves
from stmviewer.simulate.surfaces.scattered import clusters
from stmviewer.simulate.surfaces.terraces import Terraces
from stmviewer.simulate.surfaces.topography import contrast, heights, sigma_of, stack

#: lattice constants of what graphene lies on: Ir(111), Ru(0001), Rh(111), Pt(111), Cu(111), hexagonal BN, graphene
SUBSTRATES_M = (0.2715e-9, 0.2706e-9, 0.2690e-9, 0.2775e-9, 0.2556e-9, 0.2504e-9, GRAPHENE_M)
_LONGEST_MOIRE_M = 15e-9


@dataclass(frozen=True)
class GrapheneMoire:
    """Graphene over a hexagonal lattice of another constant or another direction, in constant-current topography.

    The registry of both lattices repeats with the differences of their reciprocal vectors G_i = g_i - s_i, that is
    with the period of `period_m`. The layer follows it: z_m = moire_corrugation (sum_i cos(G_i . r) + 3/2) / (9/2),
    high where a hexagon's ring lies around an atom if positive, and inverted if negative (both are seen on Ir(111):
    N'Diaye et al., New J. Phys. 10, 043033 (2008)). In between, one sublattice lies on atoms and the other on hollows,
    which sets them apart by `sublattice_contrast` sum_i sin(G_i . r) / (3 sqrt 3 / 2). With Gaussians of sigma^2 = tip
    height / (2 kappa) on both sublattices A and B,

        z = z_m + ln[ 1 + c (A + B - 1) + c s (A - B) ] / (2 kappa)

    The layer runs over steps of the crystal below like a carpet.
    """

    name: ClassVar[str] = "graphene-moire"

    angle_deg: float = 0.0
    bias_v: float = 0.2
    substrate_m: float = 0.2715e-9
    twist_deg: float = 0.0
    moire_corrugation_m: float = 30e-12
    corrugation_m: float = 15e-12
    sublattice_contrast: float = 0.4
    kappa_per_m: float = 10.5e9
    tip_height_m: float = 0.2e-9
    steps: int = 0
    step_height_m: float = 0.222e-9
    step_angle_deg: float = 0.0
    edge_roughness_m: float = 1e-9
    #: the carpet's bend over a step
    bend_m: float = 0.3e-9
    defects_per_m2: float = 0.0
    defect_height_m: float = 0.1e-9
    defect_width_m: float = 0.5e-9
    interference: float = 0.3
    interference_decay_m: float = 1.0e-9
    clusters_per_m2: float = 0.0
    cluster_height_m: float = 0.3e-9
    cluster_radius_m: float = 0.6e-9

    @classmethod
    def random(cls, rng: np.random.Generator) -> "GrapheneMoire":
        """Aligned or twisted, on one of the usual crystals."""
        substrate = float(rng.choice(SUBSTRATES_M))
        # a twisted second layer of graphene, and any other with a period that a scan shows
        least = np.rad2deg(GRAPHENE_M / _LONGEST_MOIRE_M) if substrate == GRAPHENE_M else 0.0
        twist = float(np.abs(rng.normal(0, 2.5)) + least) if rng.random() < 0.7 or least else 0.0
        return cls(
            angle_deg=float(rng.uniform(0, 180)),
            bias_v=float(rng.uniform(0.02, 1) * rng.choice((-1, 1))),
            substrate_m=substrate,
            twist_deg=twist * float(rng.choice((-1, 1))),
            moire_corrugation_m=float(10 ** rng.uniform(-11, -10) * rng.choice((-1, 1), p=(0.3, 0.7))),
            corrugation_m=float(10 ** rng.uniform(-11.2, -10.4)),
            sublattice_contrast=float(rng.uniform(0, 0.7)),
            kappa_per_m=float(rng.uniform(9.5e9, 11e9)),
            tip_height_m=float(rng.uniform(0.15e-9, 0.3e-9)),
            steps=int(rng.choice(3, p=(0.7, 0.22, 0.08))),
            step_height_m=float(rng.uniform(0.2e-9, 0.235e-9)),
            step_angle_deg=float(rng.uniform(0, 180)),
            edge_roughness_m=float(rng.uniform(0.3e-9, 2e-9)),
            bend_m=float(rng.uniform(0.2e-9, 0.6e-9)),
            defects_per_m2=float(10 ** rng.uniform(-3.5, -1.9) * 1e18) if rng.random() < 0.4 else 0.0,
            defect_height_m=float(rng.uniform(0.04e-9, 0.15e-9)),
            defect_width_m=float(rng.uniform(0.4e-9, 0.8e-9)),
            interference=float(rng.uniform(0.1, 0.5)),
            interference_decay_m=float(rng.uniform(0.5e-9, 1.5e-9)),
            clusters_per_m2=float(10 ** rng.uniform(-4, -2.3) * 1e18) if rng.random() < 0.3 else 0.0,
            cluster_height_m=float(rng.uniform(0.1e-9, 0.5e-9)),
            cluster_radius_m=float(rng.uniform(0.3e-9, 0.9e-9)),
        )

    @property
    def period_m(self) -> float:
        """a r / sqrt(1 + r^2 - 2 r cos(twist)), r = substrate / a: infinite without mismatch and twist."""
        ratio = self.substrate_m / GRAPHENE_M
        mismatch = 1 + ratio**2 - 2 * ratio * np.cos(np.deg2rad(self.twist_deg))
        return float(GRAPHENE_M * ratio / np.sqrt(mismatch)) if mismatch > 0 else float("inf")

    def make(self, rows: int, columns: int, pixel_m: float, rng: np.random.Generator) -> FloatArray:
        """Heights in metres, shape (rows, columns), on square pixels of `pixel_m` (0.02 to 1 nm)."""
        angle = np.deg2rad(self.angle_deg)
        first, second = rng.random(2)
        lattice = Lattice.hexagonal(GRAPHENE_M, angle, (first, second), pixel_m)
        terraces = Terraces.random(
            rows,
            columns,
            pixel_m,
            steps=self.steps,
            angle=angle + np.deg2rad(self.step_angle_deg),
            lattice_angle=angle + np.deg2rad(self.twist_deg),
            roughness_m=(self.edge_roughness_m,),
            kink_m=self.substrate_m,
            kink_angle=np.pi / 3,
            rng=rng,
        )
        level = terraces.field(rows, columns)
        hills, sides = self._registry(rows, columns, lattice, rng)
        sigma = sigma_of(self.tip_height_m, self.kappa_per_m)
        both, one = sublattices(0.5, 0.5, sigma), sublattices(0.5, -0.5, sigma)
        share = contrast(lattice.range(both), self.corrugation_m, self.kappa_per_m)
        density = 1 + share * (lattice.density(rows, columns, both) - 1)
        density += share * self.sublattice_contrast * sides * lattice.density(rows, columns, one)
        if self.defects_per_m2 > 0:
            density += point_defects(
                rows,
                columns,
                lattice,
                per_m2=self.defects_per_m2,
                height_m=self.defect_height_m,
                width_m=self.defect_width_m,
                amplitude=self.interference,
                decay_m=self.interference_decay_m,
                kappa_per_m=self.kappa_per_m,
                rng=rng,
            )
        density = np.maximum(density, 0.1)
        density *= stack([1.0], level, self.step_height_m, self.kappa_per_m, self.bend_m / pixel_m)
        density *= np.exp(2 * self.kappa_per_m * self.moire_corrugation_m * hills)
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
        return heights(density, self.kappa_per_m)

    def _registry(
        self, rows: int, columns: int, lattice: Lattice, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        """The even part of the registry, 0 to 1, and its odd part, -1 to 1; shape (rows, columns) each."""
        below = Lattice.hexagonal(
            self.substrate_m, lattice.angle + np.deg2rad(self.twist_deg), (0.0, 0.0), lattice.pixel_m
        )
        difference = lattice.reciprocal - below.reciprocal
        # three waves, 120 degrees apart, whose phases add up to none
        waves = np.stack([difference[0], difference[1], -difference[0] - difference[1]])
        first, second = rng.uniform(0, 2 * np.pi, 2)
        phases: NDArray[np.complex128] = np.exp(1j * np.array([first, second, -first - second]))
        even = plane_waves(rows, columns, lattice.pixel_m, waves, phases)
        odd = plane_waves(rows, columns, lattice.pixel_m, waves, -1j * phases)
        return (even + 1.5) / 4.5, odd / (1.5 * np.sqrt(3))
