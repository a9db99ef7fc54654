"""Standing waves of the surface states of close-packed metals."""

from dataclasses import dataclass

import numpy as np
from scipy import constants, ndimage, signal, special

from stmviewer.scan.geometry import FloatArray

_ENERGIES = 7
#: scattering from points is left out farther away
_REACH_M = 8e-9
_NEAREST_M = 0.3e-9
_GRID_M = 0.15e-9


@dataclass(frozen=True)
class SurfaceState:
    """A free-electron-like surface state: bottom of the band (eV against the Fermi level) and effective mass.

    Cu(111): -0.44 eV, 0.38 (Crommie, Lutz and Eigler, Nature 363, 524 (1993)); Au(111): -0.48 eV, 0.25 (Chen, Madhavan,
    Jamneala and Crommie, Phys. Rev. Lett. 80, 1469 (1998)).
    """

    bottom_ev: float
    mass: float

    def wave_numbers(self, bias_v: float) -> FloatArray:
        """k (1/m) at energies evenly spaced from the Fermi level to the bias, as far as there is a band."""
        energies = np.linspace(0, bias_v, _ENERGIES)
        kinetic = np.maximum(energies - self.bottom_ev, 0.02) * constants.e
        result: FloatArray = np.sqrt(2 * self.mass * constants.m_e * kinetic) / constants.hbar
        return result

    def at_edges(self, edges: np.ndarray, pixel_m: float, bias_v: float) -> FloatArray:
        """Change of the state's density near step edges (true where there is one), in parts of the density.

        -J_0(2 k x) at the distance x from a hard wall (Crommie, Lutz and Eigler 1993; Hasegawa and Avouris, Phys. Rev.
        Lett. 71, 1071 (1993)), averaged over the energies that carry the current.
        """
        if not edges.any():
            return np.zeros(edges.shape)
        distance = ndimage.distance_transform_edt(~edges) * pixel_m
        # by a table: Bessel functions of every pixel and energy would cost more than all else
        table = np.linspace(0, distance.max() + pixel_m, 4096)
        waves = -np.mean([special.j0(2 * k * table) for k in self.wave_numbers(bias_v)], axis=0)
        return np.interp(distance, table, waves).reshape(edges.shape)

    def at_points(
        self, rows: int, columns: int, x: FloatArray, y: FloatArray, pixel_m: float, bias_v: float
    ) -> FloatArray:
        """The same around scatterers at columns `x` and rows `y` (to the nearest pixel, or 0.15 nm).

        A scatterer with the phase shift eta changes the density by 2 / (pi k r) [cos^2(k r - pi/4 + eta) -
        cos^2(k r - pi/4)] (Avouris et al., J. Vac. Sci. Technol. B 12, 1447 (1994)); with eta = -pi / 2, for which the
        state has a node at the scatterer, that is -2 sin(2 k r) / (pi k r).
        """
        # waves are nanometres long: finer pixels are interpolated
        finer = max(int(_GRID_M / pixel_m), 1)
        grid_m = finer * pixel_m
        reach = int(np.ceil(_REACH_M / grid_m))
        shape = (rows // finer + 2, columns // finer + 2)
        points = np.zeros((shape[0] + 2 * reach, shape[1] + 2 * reach))
        row, column = np.rint(y / finer).astype(int) + reach, np.rint(x / finer).astype(int) + reach
        inside = (row >= 0) & (row < points.shape[0]) & (column >= 0) & (column < points.shape[1])
        if not inside.any():
            return np.zeros((rows, columns))
        np.add.at(points, (row[inside], column[inside]), 1.0)
        axis = np.arange(-reach, reach + 1) * grid_m
        distance = np.maximum(np.hypot(axis[:, None], axis[None, :]), _NEAREST_M)
        fade = np.clip(1 - distance / _REACH_M, 0, None)
        kernel = -np.mean(
            [2 * np.sin(2 * k * distance) / (np.pi * k * distance) for k in self.wave_numbers(bias_v)], axis=0
        )
        waves: FloatArray = signal.fftconvolve(points, kernel * fade, mode="same")
        waves = waves[reach : reach + shape[0], reach : reach + shape[1]]
        if finer == 1:
            return waves[:rows, :columns]
        at = np.meshgrid(np.arange(rows) / finer, np.arange(columns) / finer, indexing="ij")
        return ndimage.map_coordinates(waves, at, order=2, mode="nearest")


def edges_of(level: np.ndarray) -> np.ndarray:
    """Pixels whose neighbour on the right or below is on another level; shape as `level`."""
    edges = np.zeros(level.shape, dtype=bool)
    edges[:, :-1] |= level[:, :-1] != level[:, 1:]
    edges[:-1] |= level[:-1] != level[1:]
    return edges


COPPER = SurfaceState(-0.44, 0.38)
GOLD = SurfaceState(-0.48, 0.25)
