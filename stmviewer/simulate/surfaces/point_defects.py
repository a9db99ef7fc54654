"""Vacancies and adatoms of a plane atomic lattice."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.surfaces.gaussians import gaussian_sum
from stmviewer.simulate.surfaces.lattice import Lattice
from stmviewer.simulate.surfaces.scattered import MARGIN_M, bump_sigma
from stmviewer.simulate.surfaces.terraces import Terraces
from stmviewer.simulate.surfaces.topography import excess, with_holes


@dataclass(frozen=True)
class PointDefects:
    """Shares of the sites, and how deep or high and wide (at half of that) the defects are."""

    vacancies: float
    vacancy_depth_m: float
    adatoms: float
    adatom_height_m: float
    width_m: float

    def put_on(
        self,
        density: FloatArray,
        lattice: Lattice,
        terraces: Terraces,
        layer: tuple[int, int],
        kappa_per_m: float,
        rng: np.random.Generator,
    ) -> FloatArray:
        """`density` with defects on those levels that are `layer[0]` modulo `layer[1]`."""
        rows, columns = density.shape
        holes = self._sites(rows, columns, lattice, terraces, layer, self.vacancies, rng)
        if holes[0].size:
            hole = gaussian_sum(rows, columns, *holes, 1.0, 0.4 * self.width_m / lattice.pixel_m)
            density = with_holes(density, hole, self.vacancy_depth_m, kappa_per_m)
        atoms = self._sites(rows, columns, lattice, terraces, layer, self.adatoms, rng)
        if atoms[0].size:
            sigma = bump_sigma(self.width_m, self.adatom_height_m, kappa_per_m) / lattice.pixel_m
            weight = excess(self.adatom_height_m, kappa_per_m)
            # between the atoms of the layer below, where adatoms sit
            a, b = lattice.turned / lattice.pixel_m
            x, y = atoms[0] + (a[0] + b[0]) / 3, atoms[1] + (a[1] + b[1]) / 3
            density = density + gaussian_sum(rows, columns, x, y, weight, sigma)
        return density

    def _sites(
        self,
        rows: int,
        columns: int,
        lattice: Lattice,
        terraces: Terraces,
        layer: tuple[int, int],
        share: float,
        rng: np.random.Generator,
    ) -> tuple[FloatArray, FloatArray]:
        if share <= 0:
            return np.zeros(0), np.zeros(0)
        x, y = lattice.place(*lattice.sample(rows, columns, MARGIN_M, share, rng))
        here = on_layer(terraces, layer, x, y)
        return x[here], y[here]


def on_layer(terraces: Terraces, layer: tuple[int, int], x: FloatArray, y: FloatArray) -> NDArray[np.bool_]:
    """Whether the level at columns `x` and rows `y` is `layer[0]` modulo `layer[1]`."""
    result: NDArray[np.bool_] = terraces.levels(x, y) % layer[1] == layer[0]
    return result


def moved(lattice: Lattice, first: float, second: float) -> Lattice:
    """The lattice with its origin moved by fractions of its vectors."""
    return Lattice(
        lattice.vectors_m, lattice.angle, (lattice.origin[0] + first, lattice.origin[1] + second), lattice.pixel_m
    )
