"""One layer of Si(001):H: its dimers, those that are not as they should be, and their density of states."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.surfaces.dimer_defects import (
    Indices,
    Pair,
    Patches,
    missing_runs,
    table_lookup,
    vacancy_lines,
    without,
)
from stmviewer.simulate.surfaces.dimers import DIMER_SPACING_M, DimerLattice, DimerOrbital
from stmviewer.simulate.surfaces.gaussians import gaussian_sum
from stmviewer.simulate.surfaces.lattice import Lattice, Motif, choose
from stmviewer.simulate.surfaces.scattered import MARGIN_M, bump_sigma
from stmviewer.simulate.surfaces.terraces import Terraces
from stmviewer.simulate.surfaces.topography import contrast, excess

if TYPE_CHECKING:
    from stmviewer.simulate.surfaces.si001h import Si001H

#: where silicon atoms without a dimer bond are: half a lattice constant from the middle of two
_UNBOUND_M = DIMER_SPACING_M / 2
_DANGLING_M = 0.12e-9
_NONE: Pair = (np.zeros(0, np.int64), np.zeros(0, np.int64))


@dataclass(frozen=True)
class Dimers:
    """The defects of the terraces of one row direction: dimers by their indices on that lattice."""

    lattice: DimerLattice
    missing: Pair
    dangling: Pair
    #: -1 or 1: the side of the dimer that the dangling bond is on
    dangling_side: Indices
    #: two SiH2 in place of a dimer
    dihydride: Pair
    #: no hydrogen
    bare: Pair
    #: how many dimers these terraces have in the field and its margin, whole or not
    count: int

    def halos(
        self, rows: int, columns: int, charged: float, depth_m: float, rng: np.random.Generator
    ) -> FloatArray | float:
        """Depth (m) of the dark halos: a charge bends the bands and the tip must come closer for the same current."""
        chosen = rng.random(self.dangling_side.size) < charged
        if not chosen.any():
            return 0.0
        x, y = self.lattice.place(self.dangling[0][chosen], self.dangling[1][chosen])
        width = rng.uniform(0.7e-9, 1.3e-9, x.size) / self.lattice.pixel_m
        return gaussian_sum(rows, columns, x, y, depth_m, width)


def pick_dimers(
    surface: "Si001H",
    rows: int,
    columns: int,
    lattice: DimerLattice,
    terraces: Terraces,
    parity: int,
    rng: np.random.Generator,
    bare_patches: Patches | None,
    dihydride_patches: Patches | None,
) -> Dimers:
    """The dimers of the terraces of even (0) or odd (1) level: which are not as they should be."""
    i, j = lattice.sites(rows, columns, MARGIN_M)
    here = terraces.levels(*lattice.place(i, j)) % 2 == parity
    i, j = i[here], j[here]
    missing = missing_runs(i, j, surface.missing_dimers, surface.missing_run, rng)
    if surface.vacancy_line_spacing_m > 0:
        lines = vacancy_lines(i, j, surface.vacancy_line_spacing_m / lattice.dimer_m, rng)
        both = np.unique(np.hstack([missing, lines]), axis=1)
        missing = both[0], both[1]
    bonds = choose(len(i), surface.dangling_bonds, rng)
    dangling = i[bonds], j[bonds]
    bare = dihydride = _NONE
    if bare_patches is not None:
        bare = bare_patches.dimers(lattice, i, j)
        left = rng.random(bare[0].size) < surface.bare_left
        # half of what desorption left has lost one hydrogen atom of two
        halves = left & (rng.random(left.size) < 0.5)
        dangling = _kept(dangling, bare)
        dangling = np.append(dangling[0], bare[0][halves]), np.append(dangling[1], bare[1][halves])
        bare = _kept((bare[0][~left], bare[1][~left]), missing)
    dangling = _kept(dangling, missing)
    if surface.dihydride > 0:
        chosen = choose(len(i), surface.dihydride, rng)
        dihydride = i[chosen], j[chosen]
        for others in (missing, bare, dangling):
            dihydride = _kept(dihydride, others)
    if dihydride_patches is not None:
        inside = dihydride_patches.dimers(lattice, i, j)
        missing, dangling, dihydride = (_kept(some, inside) for some in (missing, dangling, dihydride))
    return Dimers(
        lattice=lattice,
        missing=missing,
        dangling=dangling,
        dangling_side=rng.choice((-1, 1), dangling[0].size),
        dihydride=dihydride,
        bare=bare,
        count=len(i),
    )


@dataclass(frozen=True)
class Monohydride:
    """The density of states of one layer's terraces, relative to its mean."""

    surface: "Si001H"
    orbital: DimerOrbital
    dimers: Dimers

    def density(self, rows: int, columns: int, dihydride_patches: Patches | None = None) -> FloatArray:
        """Shape (rows, columns); about 1 where nothing is wrong."""
        surface, orbital, dimers, lattice = self.surface, self.orbital, self.dimers, self.dimers.lattice
        share = contrast(orbital.range(), surface.corrugation_m, surface.kappa_per_m)
        sums = lattice.density(rows, columns, orbital)
        if dimers.dihydride[0].size:
            sums += self._dihydride(rows, columns)
        density: FloatArray = 1 + share * (sums - 1)
        if dimers.missing[0].size:
            # the tip sees the layer below, as deep as its own radius lets it into the hole
            sums += self._removed(rows, columns, dimers.missing)
            x, y = lattice.place(*dimers.missing)
            hole = np.minimum(gaussian_sum(rows, columns, x, y, 1.0, 0.22e-9 / lattice.pixel_m), 1)
            below = np.exp(-2 * surface.kappa_per_m * surface.vacancy_depth_m)
            density = (1 - share) * (1 - hole) + share * np.maximum(sums, 0) + below * hole
        if dihydride_patches is not None:
            x, y = lattice.place(*lattice.nearest(rows, columns))
            inside = self._smooth(dihydride_patches.contain(x, y))
            if inside.any():
                density += inside * (self._dihydride_phase(rows, columns, share) - density)
        if dimers.bare[0].size:
            inside = self._smooth(table_lookup(*lattice.nearest(rows, columns), dimers.bare))
            density += inside * (self._bare(rows, columns) - density)
        if dimers.dangling_side.size:
            # the unsaturated orbital sits at one end of the dimer and reaches higher than hydrogen
            x, y = lattice.place(*dimers.dangling, dimers.dangling_side * _DANGLING_M)
            extra = excess(surface.dangling_height_m, surface.kappa_per_m)
            sigma = bump_sigma(surface.dangling_width_m, surface.dangling_height_m, surface.kappa_per_m)
            density += gaussian_sum(rows, columns, x, y, extra, sigma / lattice.pixel_m)
        return density

    def _removed(self, rows: int, columns: int, pair: Pair) -> FloatArray:
        """What the lattice sum loses with these dimers."""
        lattice, sigma = self.dimers.lattice, self.orbital.sigma_m / self.dimers.lattice.pixel_m
        total = np.zeros((rows, columns))
        for offset, weight in self.orbital.lobes:
            x, y = lattice.place(*pair, offset)
            total -= gaussian_sum(rows, columns, x, y, weight * self.orbital.peak, sigma)
        return total

    def _dihydride(self, rows: int, columns: int) -> FloatArray:
        """What single dihydride pairs change in the lattice sum.

        The dimer bond is gone: nothing in the middle, two SiH2 farther apart than the atoms of a dimer and lower
        (Boland, Phys. Rev. Lett. 65, 3325 (1990)).
        """
        lattice, sigma = self.dimers.lattice, self.orbital.sigma_m / self.dimers.lattice.pixel_m
        total = self._removed(rows, columns, self.dimers.dihydride)
        lower = np.exp(-2 * self.surface.kappa_per_m * self.surface.dihydride_depth_m)
        for side in (-1, 1):
            x, y = lattice.place(*self.dimers.dihydride, side * _UNBOUND_M)
            total += gaussian_sum(rows, columns, x, y, lower * self.orbital.peak / 2, sigma)
        return total

    def _dihydride_phase(self, rows: int, columns: int, share: float) -> FloatArray:
        """Density of 3x1 (dimer, dihydride, dimer, ... across the rows, 1.15 nm) or 1x1 (dihydride alone, 0.38 nm)."""
        lattice, orbital, constant = self.dimers.lattice, self.orbital, DIMER_SPACING_M
        lower = float(np.exp(-2 * self.surface.kappa_per_m * self.surface.dihydride_depth_m))
        period = 3 if self.surface.dihydride_period == 3 else 1
        # along the rows, then across them; in units of the cell
        places, weights = [(0.0, 0.0)], [lower / period]
        if period == 3:
            places[0] = (0.0, 0.5)
            for offset, weight in orbital.lobes:
                places.append((0.0, offset / (3 * constant)))
                weights.append(weight * 2 / 3)
        motif = Motif.of(places, weights, orbital.sigma_m)
        # origins are in cells; a dimer lies half way between two sites of the unreconstructed lattice
        across = lattice.origin[0] * lattice.row_m / (period * constant) + (0 if period == 3 else 0.5)
        phase = Lattice.rectangular(
            constant, period * constant, lattice.angle, (lattice.origin[1], across), lattice.pixel_m
        )
        return 1 + share * (phase.density(rows, columns, motif) - 1)

    def _bare(self, rows: int, columns: int) -> FloatArray:
        """Density of dimers without hydrogen, averaged over their two buckled states, as at room temperature.

        Their pi states lie in the gap of the hydrogenated surface and reach higher; filled ones stand on the middle of
        the dimer, empty ones have a node there (Hamers, Tromp and Demuth, Phys. Rev. B 34, 5343 (1986)).
        """
        surface, sigma = self.surface, self.orbital.sigma_m
        filled = surface.bias_v < 0
        bare = DimerOrbital(sigma, 0.11e-9, 0.5) if filled else DimerOrbital(0.85 * sigma, 0.19e-9, 0.0)
        share = contrast(bare.range(), 1.4 * surface.corrugation_m, surface.kappa_per_m)
        sums = self.dimers.lattice.density(rows, columns, bare)
        result: FloatArray = (1 + share * (sums - 1)) * np.exp(2 * surface.kappa_per_m * surface.bare_height_m)
        return result

    def _smooth(self, inside: np.ndarray) -> FloatArray:
        """A region with edges as wide as an orbital."""
        width = self.orbital.sigma_m / self.dimers.lattice.pixel_m
        result: FloatArray = inside.astype(float)
        return ndimage.gaussian_filter(result, width) if width > 0.2 else result


def _kept(pair: Pair, others: Pair) -> Pair:
    """Those of `pair` that are not among `others`."""
    if not pair[0].size or not others[0].size:
        return pair
    keep = without(pair, others)
    return pair[0][keep], pair[1][keep]
