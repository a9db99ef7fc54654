"""Molecules as their pi orbitals: Hueckel theory on real geometries, and the density of states above them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.surfaces.gaussians import gaussian_sum

_BOND_M = 0.142e-9
_LONGEST_BOND_M = 0.165e-9
#: levels closer than this (in resonance integrals) are one degenerate level
_SAME_LEVEL = 1e-3
#: Hueckel's parameters of nitrogen against carbon (Streitwieser, Molecular Orbital Theory for Organic Chemists, 1961)
_NITROGEN_SITE = 0.5


@dataclass(frozen=True)
class Molecule:
    """Atoms (n, 3) in metres, z measured down from the highest one, which of them are nitrogen, pi electrons."""

    atoms_m: FloatArray
    nitrogen: NDArray[np.bool_]
    electrons: int

    def orbitals(self, filled: bool) -> FloatArray:
        """Coefficients (levels, n) of the highest filled or lowest empty level; several if they are degenerate.

        Hueckel: alpha on each site, beta between neighbours, in units of beta below; the largest eigenvalue is the
        lowest level.
        """
        distance = np.linalg.norm(self.atoms_m[:, None] - self.atoms_m[None], axis=-1)
        bonds = ((distance > 0) & (distance < _LONGEST_BOND_M)).astype(float)
        values, vectors = np.linalg.eigh(bonds + np.diag(_NITROGEN_SITE * self.nitrogen))
        # degenerate levels may come in any mixture: their sum of squares, all that is seen, does not depend on it
        order = np.argsort(-values)
        frontier = order[self.electrons // 2 - 1] if filled else order[self.electrons // 2]
        level = np.abs(values - values[frontier]) < _SAME_LEVEL
        result: FloatArray = vectors[:, level].T
        return result

    def density(self, step_m: float, tip_height_m: float, kappa_per_m: float, filled: bool, share: float) -> FloatArray:
        """Density of states above the molecule, largest value 1, on a square grid of `step_m` around its centre.

        Each atom's wave function is exp(-kappa r) at the tip, laterally a Gaussian of sigma^2 = distance / kappa, twice
        that of its square (Tersoff and Hamann, Phys. Rev. B 31, 805 (1985)). `share` of the density is the frontier
        level's |sum_i c_i psi_i|^2, with its nodes; the rest is the body, sum_i psi_i^2, as seen inside the gap.
        """
        x, y, depth = self.atoms_m.T
        sigma = np.sqrt((tip_height_m + depth) / kappa_per_m)
        decay = np.exp(-kappa_per_m * depth)
        half = int(np.ceil((np.abs(self.atoms_m[:, :2]).max() + 3 * sigma.max()) / step_m))
        size = 2 * half + 1
        at = (x / step_m + half, y / step_m + half)
        level = np.zeros((size, size))
        for coefficients in self.orbitals(filled):
            level += gaussian_sum(size, size, *at, coefficients * decay, sigma / step_m) ** 2
        body = gaussian_sum(size, size, *at, decay**2, sigma / np.sqrt(2) / step_m)
        result: FloatArray = share * level / level.max() + (1 - share) * body / body.max()
        return result / result.max()


def _planar(places: FloatArray, nitrogen: NDArray[np.bool_], electrons: int) -> Molecule:
    centred = places - places.mean(axis=0)
    return Molecule(np.column_stack([centred, np.zeros(len(centred))]), nitrogen, electrons)


def _of_rings(centres: FloatArray) -> Molecule:
    """Fused hexagons of carbon around these centres (metres)."""
    angles = np.pi / 6 + np.arange(6) * np.pi / 3
    corners = _BOND_M * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    places = (centres[:, None] + corners[None]).reshape(-1, 2)
    # corners that rings share
    distance = np.linalg.norm(places[:, None] - places[None], axis=-1)
    first = np.argmax(distance < _BOND_M / 10, axis=1)
    places = places[np.unique(first)]
    return _planar(places, np.zeros(len(places), dtype=bool), len(places))


def pentacene() -> Molecule:
    """Five hexagons in a row, along x."""
    return _of_rings(np.stack([np.arange(5) * np.sqrt(3) * _BOND_M, np.zeros(5)], axis=1))


def coronene() -> Molecule:
    """Six hexagons around one."""
    angles = np.arange(6) * np.pi / 3
    ring = np.sqrt(3) * _BOND_M * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return _of_rings(np.vstack([[[0.0, 0.0]], ring]))


def phthalocyanine() -> Molecule:
    """The ligand of a metal phthalocyanine: four isoindole units joined by nitrogen, 42 pi electrons on 40 atoms.

    Rounded places of the crystal structure (Brown, J. Chem. Soc. A 2488 (1968)); D4h.
    """
    quarter = np.array(
        [
            (0.193, 0.0),  # nitrogen of the pyrrole ring
            (0.239, 0.239),  # bridging nitrogen
            (0.276, 0.112),
            (0.276, -0.112),
            (0.416, 0.070),
            (0.416, -0.070),
            (0.535, 0.142),
            (0.535, -0.142),
            (0.655, 0.070),
            (0.655, -0.070),
        ]
    )
    turns = [np.array([[c, -s], [s, c]]) for c, s in ((1, 0), (0, 1), (-1, 0), (0, -1))]
    places = 1e-9 * np.vstack([quarter @ turned.T for turned in turns])
    return _planar(places, np.tile(np.arange(10) < 2, 4), 42)


def fullerene() -> Molecule:
    """C60 with a hexagon on top: a truncated icosahedron of 0.355 nm radius, of which the upper half is seen."""
    golden = (1 + np.sqrt(5)) / 2
    corners = []
    for base in ((0, 1, 3 * golden), (1, 2 + golden, 2 * golden), (golden, 2, 2 * golden + 1)):
        for signs in np.ndindex(2, 2, 2):
            corner = np.array(base) * (1 - 2 * np.array(signs))
            corners += [np.roll(corner, k) for k in range(3)]
    atoms = np.unique(np.round(corners, 9), axis=0)
    atoms *= 0.355e-9 / np.linalg.norm(atoms[0])
    # the direction (1, 1, 1) goes through the middle of a hexagon
    up = np.ones(3) / np.sqrt(3)
    right = np.array([1.0, -1.0, 0.0]) / np.sqrt(2)
    atoms = atoms @ np.stack([right, np.cross(up, right), up], axis=1)
    return Molecule(
        np.column_stack([atoms[:, :2], atoms[:, 2].max() - atoms[:, 2]]), np.zeros(len(atoms), dtype=bool), 60
    )


#: name: how to make it, the lattice of its islands (lengths and angle of the vectors, turn of the molecule against the
#: first), and how many of its turns against the crystal are the same to the crystal
MOLECULES = {
    "pentacene": (pentacene, (1.56e-9, 0.78e-9, 75.0, 0.0), 3),
    "coronene": (coronene, (1.15e-9, 1.15e-9, 60.0, 8.0), 1),
    "phthalocyanine": (phthalocyanine, (1.42e-9, 1.42e-9, 90.0, 26.0), 3),
    "c60": (fullerene, (1.00e-9, 1.00e-9, 60.0, 0.0), 2),
}
