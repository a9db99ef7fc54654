"""Au(111) with its herringbone reconstruction."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.surfaces.gaussians import gaussian_sum
from stmviewer.simulate.surfaces.scattered import clusters, scatter
from stmviewer.simulate.surfaces.surface_state import GOLD, edges_of
from stmviewer.simulate.surfaces.terraces import Terraces
from stmviewer.simulate.surfaces.topography import heights, sigma_of, stack, with_holes

ATOM_SPACING_M = 0.288e-9
PERIOD_M = 22 * ATOM_SPACING_M
STEP_HEIGHT_M = 0.235e-9

#: part of the period with hcp stacking, between the two ridges; half width of a ridge
_HCP = 0.4
_RIDGE_M = 0.55e-9


@dataclass(frozen=True)
class Au111:
    """Au(111) 22 x sqrt 3 in constant-current topography.

    The top layer has 23 atoms on 22 places along one close-packed direction: in each period of 6.34 nm two partial
    dislocations of half an atom spacing lead from fcc to hcp stacking and back. Atoms there ride on bridges and stand
    out by `ridge_m` as long pairs of ridges (Barth, Brune, Ertl and Behm, Phys. Rev. B 42, 9307 (1990)). With s the
    distance across the ridges in periods, s_1 and s_2 the middles of the two ridges and w their width,

        displacement  u(s) = sum_i [1 + tanh((s - s_i) / w)] / 4   (atom spacings; one a period)
        height        z_r = ridge sum_i sech^2((s - s_i) / w)

    as for the solitons of the Frenkel-Kontorova model. Two directions of contraction alternate and the ridges turn by
    120 degrees at elbows, `elbow_m` apart (0: straight ridges), where their distance is wide and narrow in turn. The
    atoms are a hexagonal lattice of 0.288 nm with the displacement in its phase, z = z_r + ln[1 + c (D - 1)] / (2
    kappa), on fcc stacked levels. Steps and their standing waves: `surface_state`.
    """

    name: ClassVar[str] = "au111"

    #: direction across the ridges, on average
    angle_deg: float = 0.0
    bias_v: float = -0.3
    corrugation_m: float = 8e-12
    kappa_per_m: float = 11e9
    tip_height_m: float = 0.3e-9
    ridge_m: float = 20e-12
    elbow_m: float = 13e-9
    steps: int = 0
    step_angle_deg: float = 0.0
    edge_roughness_m: float = 1e-9
    #: part of the current that the surface state carries at the sample
    surface_state: float = 0.1
    #: dark adsorbates, such as CO or sulphur
    dark_per_m2: float = 0.0
    dark_depth_m: float = 40e-12
    clusters_per_m2: float = 0.0
    cluster_height_m: float = 0.2e-9
    cluster_radius_m: float = 0.5e-9

    @classmethod
    def random(cls, rng: np.random.Generator) -> "Au111":
        """A prepared crystal or film."""
        return cls(
            angle_deg=float(rng.uniform(0, 180)),
            bias_v=float(rng.uniform(0.02, 1) * rng.choice((-1, 1))),
            corrugation_m=float(10 ** rng.uniform(-11.7, -10.7)),
            kappa_per_m=float(rng.uniform(10e9, 11.5e9)),
            tip_height_m=float(rng.uniform(0.25e-9, 0.6e-9)),
            ridge_m=float(rng.uniform(14e-12, 26e-12)),
            elbow_m=float(rng.uniform(10e-9, 20e-9)) if rng.random() < 0.75 else 0.0,
            steps=int(rng.choice(4, p=(0.5, 0.3, 0.12, 0.08))),
            step_angle_deg=float(rng.uniform(0, 180)),
            edge_roughness_m=float(rng.uniform(0.3e-9, 2.5e-9)),
            surface_state=float(rng.uniform(0, 0.2)),
            dark_per_m2=float(10 ** rng.uniform(-3.5, -1.7) * 1e18) if rng.random() < 0.4 else 0.0,
            dark_depth_m=float(rng.uniform(15e-12, 60e-12)),
            clusters_per_m2=float(10 ** rng.uniform(-4, -2.3) * 1e18) if rng.random() < 0.5 else 0.0,
            cluster_height_m=float(rng.uniform(0.08e-9, 0.4e-9)),
            cluster_radius_m=float(rng.uniform(0.3e-9, 0.8e-9)),
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
            # close-packed directions lie 30 degrees beside the mean direction across the ridges
            lattice_angle=angle + np.pi / 6,
            roughness_m=(self.edge_roughness_m,),
            kink_m=ATOM_SPACING_M,
            kink_angle=np.pi / 3,
            rng=rng,
        )
        level = terraces.field(rows, columns)
        sigma = sigma_of(self.tip_height_m, self.kappa_per_m)
        ridges, atoms = self._layer(rows, columns, pixel_m, level, rng)
        ratio = np.exp(2 * self.kappa_per_m * self.corrugation_m)
        # a sum of three cosines lies between -3/2 and 3: ratio = (1 + 3 c) / (1 - 3/2 c)
        density: FloatArray = 1 + (ratio - 1) / (3 + 1.5 * ratio) * atoms
        density *= np.exp(2 * self.kappa_per_m * self.ridge_m * ridges)
        if self.surface_state > 0 and self.steps:
            density *= 1 + self.surface_state * GOLD.at_edges(edges_of(level), pixel_m, self.bias_v)
        x, y = scatter(rows, columns, pixel_m, self.dark_per_m2, rng)
        if x.size:
            density = with_holes(
                density, gaussian_sum(rows, columns, x, y, 1.0, 0.22e-9 / pixel_m), self.dark_depth_m, self.kappa_per_m
            )
            if self.surface_state > 0:
                density *= 1 + self.surface_state * GOLD.at_points(rows, columns, x, y, pixel_m, self.bias_v)
        density *= stack([1.0], level, STEP_HEIGHT_M, self.kappa_per_m, sigma / pixel_m)
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
        return heights(density, self.kappa_per_m)

    def _layer(
        self, rows: int, columns: int, pixel_m: float, level: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        """Ridges (0 to about 1) and the three cosines of the atoms (-3/2 to 3); shape (rows, columns) each."""
        x, y = np.arange(columns)[None, :] * pixel_m, np.arange(rows)[:, None] * pixel_m
        sine, cosine = np.sin(np.deg2rad(self.angle_deg)), np.cos(np.deg2rad(self.angle_deg))
        across, along = x * cosine + y * sine, y * cosine - x * sine
        start, phase, *origin = rng.random(4)
        wide: FloatArray | float
        if self.elbow_m > 0:
            cycle = np.pi * along / self.elbow_m + 2 * np.pi * phase
            bend = 0.995 * np.sin(cycle)
            # a zigzag of +-30 degrees with slightly rounded corners
            shift = np.tan(np.pi / 6) * self.elbow_m / np.pi * np.arcsin(bend)
            s = (across - shift) * np.cos(np.pi / 6) / PERIOD_M + start
            wide = _HCP * (1 + 0.25 * np.sign(bend) * np.abs(bend) ** 7)
            # which of the two domains, with a wall of 0.3 nm
            first = 0.5 + 0.5 * np.tanh(np.cos(cycle) * self.elbow_m / np.pi / 0.3e-9)
        else:
            s = (across * np.cos(np.pi / 6) - along * np.sin(np.pi / 6)) / PERIOD_M + start
            wide, first = _HCP, np.ones((1, 1))
        whole = np.floor(s)
        part = s - whole
        width = _RIDGE_M / PERIOD_M
        walls = [np.tanh((part - 0.5 + side * wide / 2) / width) for side in (-1, 1)]
        ridges = np.add.reduce([1 - wall**2 for wall in walls])
        moved = whole + np.add.reduce([(1 + wall) / 4 for wall in walls])
        atoms = np.zeros((rows, columns))
        for share, turned in ((first, -1), (1 - first, 1)):
            if np.max(share) > 0.01:
                atoms += share * _atoms(across, along, turned * np.pi / 6, moved, origin, level)
        return ridges, atoms


def _atoms(
    across: FloatArray,
    along: FloatArray,
    angle: float,
    moved: FloatArray,
    origin: list[float],
    level: NDArray[np.int64],
) -> FloatArray:
    """sum_i cos(g_i . (r - displacement)): contraction along the close-packed direction at `angle`."""
    u = across * np.cos(angle) + along * np.sin(angle)
    v = along * np.cos(angle) - across * np.sin(angle)
    wave = 2 * np.pi / ATOM_SPACING_M
    # reciprocal vectors of the lattice with vectors (1, 0) and (1/2, sqrt 3 / 2); each layer is moved by a third
    along_first = wave * (u - v / np.sqrt(3)) + 2 * np.pi * (moved + origin[0] + level / 3)
    along_second = wave * v * 2 / np.sqrt(3) + 2 * np.pi * (origin[1] + level / 3)
    result: FloatArray = np.cos(along_first) + np.cos(along_second) + np.cos(along_first + along_second)
    return result
