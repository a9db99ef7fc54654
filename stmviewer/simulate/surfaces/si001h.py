"""Hydrogen-terminated Si(001) 2x1."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.surfaces.dimer_defects import Patches
from stmviewer.simulate.surfaces.dimers import DimerLattice, DimerOrbital
from stmviewer.simulate.surfaces.monohydride import Dimers, Monohydride, pick_dimers
from stmviewer.simulate.surfaces.scattered import charges, clusters
from stmviewer.simulate.surfaces.terraces import Terraces
from stmviewer.simulate.surfaces.topography import heights, sigma_of, stack

STEP_HEIGHT_M = 0.136e-9


@dataclass(frozen=True)
class Si001H:
    """Si(001) 2x1:H in constant-current topography.

    The height at constant current is z = ln(n) / (2 kappa) with n the density of states at the tip's height relative
    to a flat terrace's mean (Tersoff and Hamann, Phys. Rev. B 31, 805 (1985)):

        n = sum over levels l of m_l exp(2 kappa h l) [ 1 + c (D_l - 1) + defects ] + clusters

    D_l is the sum over the level's dimers (`DimerOrbital`, mean 1), h the step height of 0.136 nm, m_l the level's
    terraces with edges as wide as an orbital, and c the share of the current with lateral structure, chosen such that
    the unit cell has the asked `corrugation_m` from its highest to its lowest point. Rows turn by 90 degrees from
    layer to layer: across single-layer steps, not across double-layer ones. Filled states (bias below 0) are weighted
    on the dimer's middle: bean-shaped, rows dominate. Empty states (bias above 0) have a lobe at each end, as the
    bonding and antibonding states of the bare dimers do (Hamers, Tromp and Demuth, Phys. Rev. B 34, 5343 (1986));
    hydrogen keeps the dimers symmetric.

    Edges are named after Chadi, Phys. Rev. Lett. 59, 1691 (1987): S single, D double; A where the rows of the upper
    terrace run along the edge (smooth), B where they run into it (rough). Double-layer edges are DB.

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
    #: steps in the field, and the direction of their edges against the rows of level 0
    steps: int = 0
    step_angle_deg: float = 0.0
    #: how likely an edge that the rows run into is a double-layer one
    double_steps: float = 0.0
    #: wander of SA and SB edges over 10 nm of their length, and that of DB edges
    edge_roughness_m: tuple[float, float] = (0.3e-9, 1.2e-9)
    double_roughness_m: float = 0.5e-9
    #: share of dimers that are missing, in runs of this mean length
    missing_dimers: float = 0.01
    missing_run: float = 1.4
    #: mean distance of dimer-vacancy lines; 0 for none
    vacancy_line_spacing_m: float = 0.0
    #: how far the tip gets into the hole; a needle would find the next layer one step below
    vacancy_depth_m: float = 80e-12
    #: share of dimers with a dangling bond, its apparent height, its width at half of that
    dangling_bonds: float = 0.002
    dangling_height_m: float = 0.15e-9
    dangling_width_m: float = 0.8e-9
    #: share of the dangling bonds that is charged, and the depth of the dark halo
    charged: float = 0.3
    halo_depth_m: float = 25e-12
    #: share of dimers whose bond is broken and saturated (two SiH2), how much lower these are
    dihydride: float = 0.0
    dihydride_depth_m: float = 20e-12
    #: patches of 3x1 (dimers and dihydride in turn) or 1x1 (dihydride), and their side
    dihydride_patches: int = 0
    dihydride_period: int = 3
    dihydride_size_m: float = 4e-9
    #: patches that hydrogen lithography left bare: how many, their size, how much higher, the share of dimers left
    bare_patches: int = 0
    bare_length_m: float = 12e-9
    bare_width_m: float = 3e-9
    bare_height_m: float = 0.12e-9
    bare_left: float = 0.05
    #: adsorbates, lone or clustered: how many, their mean height and mean radius
    clusters_per_m2: float = 0.0
    cluster_height_m: float = 0.25e-9
    cluster_radius_m: float = 0.4e-9
    #: charges below the surface: wide hills and hollows of this standard deviation
    charges_per_m2: float = 0.0
    charge_height_m: float = 10e-12

    def __post_init__(self) -> None:
        if self.dihydride_period not in (1, 3):
            raise RequestError(f"dihydride phases are 1x1 and 3x1, not {self.dihydride_period}x1")

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
            # what is rarer
            dangling_width_m=float(rng.uniform(0.6e-9, 1.0e-9)),
            double_steps=float(rng.uniform(0.3, 1)) if rng.random() < 0.2 else 0.0,
            double_roughness_m=float(rng.uniform(0.3e-9, 1e-9)),
            vacancy_line_spacing_m=float(rng.uniform(3e-9, 12e-9)) if rng.random() < 0.06 else 0.0,
            dihydride=float(10 ** rng.uniform(-3.5, -1.7)) if rng.random() < 0.25 else 0.0,
            dihydride_depth_m=float(rng.uniform(0, 40e-12)),
            dihydride_patches=int(rng.integers(1, 4)) if rng.random() < 0.06 else 0,
            dihydride_period=int(rng.choice((1, 3), p=(0.25, 0.75))),
            dihydride_size_m=float(rng.uniform(1.5e-9, 6e-9)),
            bare_patches=int(rng.integers(1, 4)) if rng.random() < 0.08 else 0,
            bare_length_m=float(10 ** rng.uniform(0.6, 1.6) * 1e-9),
            bare_width_m=float(rng.uniform(0.8e-9, 6e-9)),
            bare_height_m=float(rng.uniform(0.08e-9, 0.16e-9)),
            bare_left=float(rng.uniform(0, 0.2)),
        )

    @property
    def orbital(self) -> DimerOrbital:
        """The hydrogenated dimer at this bias and tip height."""
        sigma = sigma_of(self.tip_height_m, self.kappa_per_m)
        if self.bias_v < 0:
            return DimerOrbital(sigma_m=sigma, half_m=0.17e-9, centre=0.35)
        # antibonding lobes point away from the dimer and are seen apart: narrower, nothing between them
        return DimerOrbital(sigma_m=0.85 * sigma, half_m=0.145e-9, centre=0.0)

    def make(self, rows: int, columns: int, pixel_m: float, rng: np.random.Generator) -> FloatArray:
        """Heights in metres, shape (rows, columns), on square pixels of `pixel_m` (0.02 to 1 nm)."""
        terraces = self.terraces(rows, columns, pixel_m, rng)
        level = terraces.field(rows, columns)
        lattices = self.lattices(pixel_m, rng)
        bare, dihydride = self._patches(rows, columns, pixel_m, rng)
        orbital = self.orbital
        dimers: list[Dimers] = []
        densities: list[FloatArray | float] = []
        for parity in (0, 1):
            if not (level % 2 == parity).any():
                # nothing of it is seen
                densities.append(0.0)
                continue
            dimers.append(self.dimers(rows, columns, lattices[parity], terraces, parity, rng, bare, dihydride))
            layer = Monohydride(self, orbital, dimers[-1])
            densities.append(layer.density(rows, columns, dihydride))
        density = stack(densities, level, STEP_HEIGHT_M, self.kappa_per_m, orbital.sigma_m / pixel_m)
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
        for one in dimers:
            z -= one.halos(rows, columns, self.charged, self.halo_depth_m, rng)
        z += charges(rows, columns, pixel_m, self.charges_per_m2, self.charge_height_m, rng)
        return z

    def lattices(self, pixel_m: float, rng: np.random.Generator) -> list[DimerLattice]:
        """The dimers of even and of odd levels: turned by 90 degrees."""
        first, second = rng.random(2)
        return [DimerLattice(np.deg2rad(self.angle_deg + turn), (first, second), pixel_m) for turn in (0, 90)]

    def terraces(self, rows: int, columns: int, pixel_m: float, rng: np.random.Generator) -> Terraces:
        """The levels of one field."""
        layers, rough, level = [], [], 0
        for _ in range(self.steps):
            # against the rows of the upper terrace, if the step has one layer
            turned = np.deg2rad(self.step_angle_deg - 90 * (level + 1))
            into = abs(np.sin(turned)) > abs(np.cos(turned))
            # the terrace above a double-layer step has the rows of the one below, which a DB edge cuts
            double = self.double_steps > 0 and not into and rng.random() < self.double_steps
            layers.append(2 if double else 1)
            smooth, ragged = self.edge_roughness_m
            single = float(np.hypot(smooth * np.cos(turned), ragged * np.sin(turned)))
            rough.append(self.double_roughness_m if double else single)
            level += layers[-1]
        return Terraces.random(
            rows,
            columns,
            pixel_m,
            steps=self.steps,
            angle=np.deg2rad(self.angle_deg + self.step_angle_deg),
            lattice_angle=np.deg2rad(self.angle_deg),
            roughness_m=rough,
            layers=layers,
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
        bare: Patches | None = None,
        dihydride: Patches | None = None,
    ) -> Dimers:
        """Which dimers of the terraces of even (0) or odd (1) level are not as they should be."""
        return pick_dimers(self, rows, columns, lattice, terraces, parity, rng, bare, dihydride)

    def _patches(
        self, rows: int, columns: int, pixel_m: float, rng: np.random.Generator
    ) -> tuple[Patches | None, Patches | None]:
        """Bare and dihydride patches."""
        angle = np.deg2rad(self.angle_deg)
        bare = dihydride = None
        if self.bare_patches:
            bare = Patches.random(
                rows, columns, pixel_m, self.bare_patches, angle=angle, rng=rng,
                length_m=self.bare_length_m, width_m=self.bare_width_m,
            )  # fmt: skip
        if self.dihydride_patches:
            side = self.dihydride_size_m
            dihydride = Patches.random(
                rows, columns, pixel_m, self.dihydride_patches, angle=angle, rng=rng, length_m=side, width_m=side
            )
        return bare, dihydride
