"""Molecules on a close-packed metal: alone and in ordered islands."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.surfaces.gaussians import gaussian_sum
from stmviewer.simulate.surfaces.huckel import MOLECULES
from stmviewer.simulate.surfaces.lattice import Lattice, Motif
from stmviewer.simulate.surfaces.point_defects import moved
from stmviewer.simulate.surfaces.scattered import level_at, scatter
from stmviewer.simulate.surfaces.stamps import stamp
from stmviewer.simulate.surfaces.surface_state import COPPER, edges_of
from stmviewer.simulate.surfaces.terraces import Terraces
from stmviewer.simulate.surfaces.topography import contrast, excess, heights, sigma_of, stack, with_holes

_STEP_M = 0.03e-9
_LOBES = 4


@dataclass(frozen=True)
class Molecules:
    """Molecules on Cu(111), or another close-packed face, in constant-current topography.

    z = ln(n) / (2 kappa), n = metal + sum over molecules. The metal is a hexagonal lattice of Gaussians on fcc stacked
    levels (as `Hexagonal`), with the standing waves of its surface state around steps and molecules
    (`surface_state`). A molecule adds the density of its frontier orbital, highest filled for negative bias and lowest
    empty for positive, and of its body (`huckel.Molecule.density`), such that it stands `molecule_height_m` high.
    Alone it lies on a site of the metal in one of the directions that are alike for the metal; in an island it lies on
    the island's own lattice. CO and other small adsorbates are dark (Bartels, Meyer and Rieder, Appl. Phys. Lett. 71,
    213 (1997)).
    """

    name: ClassVar[str] = "molecules"

    angle_deg: float = 0.0
    bias_v: float = -0.5
    molecule: str = "phthalocyanine"
    molecule_height_m: float = 0.15e-9
    #: part of the density over a molecule that its frontier orbital has
    orbital_share: float = 0.7
    tip_height_m: float = 0.45e-9
    kappa_per_m: float = 11e9
    lattice_m: float = 0.2556e-9
    corrugation_m: float = 6e-12
    step_height_m: float = 0.208e-9
    #: turn of lone molecules and of the islands' lattices against the metal
    molecule_angle_deg: float = 0.0
    island_angle_deg: float = 10.0
    singles_per_m2: float = 0.02e18
    islands: int = 1
    island_radius_m: float = 6e-9
    #: share of an island's places that are empty
    island_vacancies: float = 0.02
    steps: int = 0
    step_angle_deg: float = 0.0
    edge_roughness_m: float = 0.8e-9
    surface_state: float = 0.12
    dark_per_m2: float = 0.0
    dark_depth_m: float = 35e-12

    def __post_init__(self) -> None:
        if self.molecule not in MOLECULES:
            raise RequestError(f"molecule '{self.molecule}' is unknown; there are {', '.join(MOLECULES)}")

    @classmethod
    def random(cls, rng: np.random.Generator) -> "Molecules":
        """A fraction of a layer, from a few lone molecules to large islands."""
        kind = str(rng.choice(list(MOLECULES)))
        islands = int(rng.choice(4, p=(0.25, 0.4, 0.2, 0.15)))
        constant = float(rng.choice((0.2556e-9, 0.2889e-9, 0.2884e-9)))
        return cls(
            angle_deg=float(rng.uniform(0, 180)),
            bias_v=float(rng.uniform(0.05, 2) * rng.choice((-1, 1))),
            molecule=kind,
            molecule_height_m=float(rng.uniform(0.3e-9, 0.6e-9) if kind == "c60" else rng.uniform(0.08e-9, 0.22e-9)),
            orbital_share=float(rng.uniform(0.2, 1)),
            tip_height_m=float(rng.uniform(0.3e-9, 0.7e-9)),
            kappa_per_m=float(rng.uniform(10e9, 11.5e9)),
            lattice_m=constant,
            corrugation_m=float(10 ** rng.uniform(-11.7, -10.9)),
            # close-packed layers of an fcc crystal
            step_height_m=constant * float(np.sqrt(2 / 3)),
            molecule_angle_deg=float(rng.choice((0, 15, 30))),
            island_angle_deg=float(rng.uniform(-30, 30)),
            singles_per_m2=float(10 ** rng.uniform(-2.7, -1.2) * 1e18) if islands == 0 or rng.random() < 0.6 else 0.0,
            islands=islands,
            island_radius_m=float(10 ** rng.uniform(0.4, 1.5) * 1e-9),
            island_vacancies=float(10 ** rng.uniform(-3, -1)),
            steps=int(rng.choice(3, p=(0.65, 0.25, 0.1))),
            step_angle_deg=float(rng.uniform(0, 180)),
            edge_roughness_m=float(rng.uniform(0.2e-9, 2e-9)),
            surface_state=float(rng.uniform(0, 0.2)),
            dark_per_m2=float(10 ** rng.uniform(-3.5, -1.5) * 1e18) if rng.random() < 0.4 else 0.0,
            dark_depth_m=float(rng.uniform(15e-12, 50e-12)),
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
            kink_m=self.lattice_m,
            kink_angle=np.pi / 3,
            rng=rng,
        )
        level = terraces.field(rows, columns)
        first, second = rng.random(2)
        metal = Lattice.hexagonal(self.lattice_m, angle, (first, second), pixel_m)
        x, y, turned = self._places(rows, columns, metal, terraces, rng)
        dark = scatter(rows, columns, pixel_m, self.dark_per_m2, rng)
        density = self._metal(level, metal, (x, y), dark)
        if x.size:
            base = np.exp(2 * self.kappa_per_m * self.step_height_m * level_at(level, x, y))
            weight = excess(self.molecule_height_m, self.kappa_per_m) * base
            picture = MOLECULES[self.molecule][0]().density(
                _STEP_M, self.tip_height_m, self.kappa_per_m, self.bias_v < 0, self.orbital_share
            )
            density += stamp(rows, columns, x, y, turned, weight, picture, pixel_m / _STEP_M)
        return heights(density, self.kappa_per_m)

    def _metal(
        self,
        level: NDArray[np.int64],
        metal: Lattice,
        molecules: tuple[FloatArray, FloatArray],
        dark: tuple[FloatArray, FloatArray],
    ) -> FloatArray:
        """Density of states without the molecules; shape as `level`."""
        (rows, columns), pixel = level.shape, metal.pixel_m
        sigma = sigma_of(min(self.tip_height_m, 0.4e-9), self.kappa_per_m)
        motif = Motif.of((0.0, 0.0), 1.0, sigma)
        share = contrast(metal.range(motif), self.corrugation_m, self.kappa_per_m)
        densities: list[FloatArray | float] = []
        for k in range(3):
            if not (level % 3 == k).any():
                densities.append(0.0)
                continue
            layer = moved(metal, k / 3, k / 3)
            densities.append(1 + share * (layer.density(rows, columns, motif) - 1))
        density = stack(densities, level, self.step_height_m, self.kappa_per_m, sigma / pixel)
        if dark[0].size:
            # as deep below the terrace that it lies on
            hole = gaussian_sum(rows, columns, *dark, 1.0, 0.25e-9 / pixel)
            density *= with_holes(np.ones(level.shape), hole, self.dark_depth_m, self.kappa_per_m)
        if self.surface_state > 0:
            x, y = (np.concatenate(pair) for pair in zip(molecules, dark, strict=True))
            waves = COPPER.at_points(rows, columns, x, y, pixel, self.bias_v)
            waves += COPPER.at_edges(edges_of(level), pixel, self.bias_v)
            density *= 1 + self.surface_state * np.clip(waves, -2, 2)
        return density

    def _places(
        self, rows: int, columns: int, metal: Lattice, terraces: Terraces, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Columns, rows and directions of the molecules: islands first, lone ones where there is room."""
        room = MOLECULES[self.molecule][1][0] / metal.pixel_m
        x, y, turned = np.zeros(0), np.zeros(0), np.zeros(0)
        groups = [self._island(rows, columns, metal, rng) for _ in range(self.islands)]
        for group in (*groups, self._singles(rows, columns, metal, rng)):
            # none over an edge, none over another
            around = [
                terraces.levels(group[0] + room / 2 * np.cos(t), group[1] + room / 2 * np.sin(t))
                for t in np.arange(6) * np.pi / 3
            ]
            free = np.ptp(around, axis=0) == 0
            if x.size and group[0].size:
                nearest, _ = cKDTree(np.stack([x, y], axis=1)).query(np.stack(group[:2], axis=1))
                free &= nearest > room
            x, y, turned = (np.append(old, new[free]) for old, new in zip((x, y, turned), group, strict=True))
        return x, y, turned

    def _singles(
        self, rows: int, columns: int, metal: Lattice, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Molecules on random sites of the metal, each in one of the directions that are alike for it."""
        _, lattice, alike = MOLECULES[self.molecule]
        x, y = scatter(rows, columns, metal.pixel_m, self.singles_per_m2, rng)
        i, j = metal.coordinates(x, y)
        x, y = metal.place(np.rint(i), np.rint(j))
        turned = metal.angle + np.deg2rad(self.molecule_angle_deg) + rng.integers(0, alike, x.size) * np.pi / 3
        pairs = cKDTree(np.stack([x, y], axis=1)).query_pairs(lattice[0] / metal.pixel_m, output_type="ndarray")
        keep = np.ones(x.size, dtype=bool)
        keep[pairs[:, 1]] = False
        return x[keep], y[keep], turned[keep]

    def _island(
        self, rows: int, columns: int, metal: Lattice, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """An island around a random place: its lattice in one of the three directions that are alike for the metal."""
        _, (a, b, gamma, inside), _ = MOLECULES[self.molecule]
        vectors = np.array([[a, 0.0], [b * np.cos(np.deg2rad(gamma)), b * np.sin(np.deg2rad(gamma))]])
        angle = metal.angle + np.deg2rad(self.island_angle_deg) + rng.integers(0, 3) * np.pi / 3
        centre = rng.uniform(0, columns), rng.uniform(0, rows)
        first, second = rng.random(2)
        lattice = Lattice(vectors, angle, (first, second), metal.pixel_m)
        i, j = lattice.sample(rows, columns, a, 1 - self.island_vacancies, rng)
        x, y = lattice.place(i, j)
        right, down = x - centre[0], y - centre[1]
        lobes = rng.normal(0, 0.25 / _LOBES, _LOBES), rng.uniform(0, 2 * np.pi, _LOBES)
        around = np.arctan2(down, right)
        shape = 1 + np.add.reduce(
            [c * np.cos((m + 1) * around + p) for m, (c, p) in enumerate(zip(*lobes, strict=True))]
        )
        there = np.hypot(right, down) * metal.pixel_m < self.island_radius_m * shape
        x, y = x[there], y[there]
        return x, y, np.full(x.size, angle + np.deg2rad(inside))
