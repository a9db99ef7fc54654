"""Plane lattices with a motif: densities of states as exact Fourier sums, and their sites."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stmviewer.scan.geometry import FloatArray

#: harmonics of a lattice sum below this are left out
_SMALLEST_HARMONIC = 1e-3
_CELL_SAMPLES = 48


def choose(count: int, share: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Which of `count` sites a defect sits on, each with probability `share`."""
    chosen: NDArray[np.int64] = rng.choice(count, rng.binomial(count, min(share, 1)), replace=False)
    return chosen


@dataclass(frozen=True)
class Motif:
    """What one unit cell puts into the density of states at the tip's height: Gaussians.

    A state that decays from an atom at distance d below the tip as exp(-2 kappa r) is laterally a Gaussian of
    sigma^2 = d / (2 kappa) (Tersoff and Hamann, Phys. Rev. B 31, 805 (1985), s-wave tip, lateral distances below d).
    `sites` (n, 2) are fractions of the lattice vectors; `weights` (n,) are what each adds to the mean of the sum;
    `sigma_m` (n,) are metres.
    """

    sites: FloatArray
    weights: FloatArray
    sigma_m: FloatArray

    @classmethod
    def of(cls, sites: ArrayLike, weights: ArrayLike, sigma_m: ArrayLike) -> "Motif":
        places = np.atleast_2d(np.asarray(sites, float))
        count = len(places)
        return cls(
            places,
            np.broadcast_to(np.asarray(weights, float), count),
            np.broadcast_to(np.asarray(sigma_m, float), count),
        )


@dataclass(frozen=True)
class Lattice:
    """A plane lattice on a pixel grid.

    `vectors_m` (2, 2) are the lattice vectors (right, down) in metres before they are turned by `angle` (radians, from
    the columns axis towards the rows axis: clockwise as seen). The cell (0, 0) begins `origin` (fractions of the
    vectors) from the centre of pixel (0, 0).
    """

    vectors_m: FloatArray
    angle: float
    origin: tuple[float, float]
    pixel_m: float

    @classmethod
    def hexagonal(cls, constant_m: float, angle: float, origin: tuple[float, float], pixel_m: float) -> "Lattice":
        """Vectors of equal length, 60 degrees apart, the first along `angle`."""
        return cls(constant_m * np.array([[1.0, 0.0], [0.5, np.sqrt(0.75)]]), angle, origin, pixel_m)

    @classmethod
    def rectangular(
        cls, first_m: float, second_m: float, angle: float, origin: tuple[float, float], pixel_m: float
    ) -> "Lattice":
        return cls(np.diag([first_m, second_m]), angle, origin, pixel_m)

    @property
    def turned(self) -> FloatArray:
        """The lattice vectors as rows (right, down) in metres, turned."""
        return turn(self.vectors_m, self.angle)

    @property
    def reciprocal(self) -> FloatArray:
        """Rows b_1, b_2 with a_i . b_j = 2 pi delta_ij, in 1/m, turned."""
        return (2 * np.pi * np.linalg.inv(self.turned).T).astype(np.float64)

    def density(self, rows: int, columns: int, motif: Motif) -> FloatArray:
        """The lattice sum of `motif`, whose mean is the sum of its weights; shape (rows, columns).

        By its Fourier series (Poisson summation), which is exact. The phases are linear in x and y, so that all
        harmonics together are one matrix product.
        """
        orders, factors = self._harmonics(motif)
        wave = orders @ self.reciprocal
        factors = factors * np.exp(-2j * np.pi * (orders @ np.asarray(self.origin)))
        return plane_waves(rows, columns, self.pixel_m, wave, factors) + float(motif.weights.sum())

    def range(self, motif: Motif) -> tuple[float, float]:
        """Least and largest value of the lattice sum."""
        orders, factors = self._harmonics(motif)
        grid = 2j * np.pi * np.arange(_CELL_SAMPLES) / _CELL_SAMPLES
        cell = _real_product(np.exp(np.outer(grid, orders[:, 1])) * factors, np.exp(np.outer(orders[:, 0], grid)))
        cell += float(motif.weights.sum())
        return float(cell.min()), float(cell.max())

    def place(self, first: ArrayLike, second: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Columns and rows (fractional pixels) of the points `first`, `second` (multiples of the vectors)."""
        a, b = self.turned / self.pixel_m
        u, v = np.asarray(first, float) + self.origin[0], np.asarray(second, float) + self.origin[1]
        return u * a[0] + v * b[0], u * a[1] + v * b[1]

    def coordinates(self, x: ArrayLike, y: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """The inverse of `place`."""
        inverse = np.linalg.inv(self.turned) * self.pixel_m
        x, y = np.asarray(x, float), np.asarray(y, float)
        return (
            x * inverse[0, 0] + y * inverse[1, 0] - self.origin[0],
            x * inverse[0, 1] + y * inverse[1, 1] - self.origin[1],
        )

    def sample(
        self, rows: int, columns: int, margin_m: float, share: float, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Indices (i, j) of random cells, each chosen with probability `share`, that begin in the field or up to
        `margin_m` outside."""
        margin = margin_m / self.pixel_m
        x = np.array([-margin, columns - 1 + margin] * 2)
        y = np.repeat([-margin, rows - 1 + margin], 2)
        u, v = self.coordinates(x, y)
        first, second = int(np.floor(u.min())), int(np.floor(v.min()))
        across, along = int(np.ceil(u.max())) - first + 1, int(np.ceil(v.max())) - second + 1
        number = choose(across * along, share, rng)
        i, j = first + number // along, second + number % along
        column, row = self.place(i, j)
        inside = (column > x[0]) & (column < x[1]) & (row > y[0]) & (row < y[-1])
        return i[inside], j[inside]

    def _harmonics(self, motif: Motif) -> tuple[FloatArray, NDArray[np.complex128]]:
        """Orders (n, 2) of one half of the harmonics that are not negligible, and twice their Fourier factors."""
        reach = np.sqrt(-2 * np.log(_SMALLEST_HARMONIC)) / motif.sigma_m.min()
        # |g . a_i| <= |g| |a_i| bounds the orders
        most = np.maximum((reach * np.linalg.norm(self.vectors_m, axis=1) / (2 * np.pi)).astype(int), 1)
        h, k = np.meshgrid(np.arange(0, most[0] + 1), np.arange(-most[1], most[1] + 1), indexing="ij")
        half = (h > 0) | (k > 0)
        orders = np.stack([h[half], k[half]], axis=1).astype(float)
        length2 = ((orders @ self.reciprocal) ** 2).sum(axis=1)
        near = length2 <= max(reach**2, length2.min() * 1.01)
        orders, length2 = orders[near], length2[near]
        decay = motif.weights * np.exp(-0.5 * np.outer(length2, motif.sigma_m**2))
        factors = 2 * (decay * np.exp(-2j * np.pi * (orders @ motif.sites.T))).sum(axis=1)
        return orders, factors


def plane_waves(
    rows: int, columns: int, pixel_m: float, waves: FloatArray, factors: NDArray[np.complex128]
) -> FloatArray:
    """Re sum_n f_n exp(i k_n . r), wave vectors `waves` (n, 2) in 1/m (right, down); shape (rows, columns)."""
    down = np.exp(1j * np.outer(np.arange(rows) * pixel_m, waves[:, 1])) * factors
    right = np.exp(1j * np.outer(waves[:, 0], np.arange(columns) * pixel_m))
    return _real_product(down, right)


def turn(vectors: ArrayLike, angle: float) -> FloatArray:
    """`vectors` (..., 2) turned by `angle` from the columns axis towards the rows axis."""
    sine, cosine = np.sin(angle), np.cos(angle)
    result: FloatArray = np.asarray(vectors, float) @ np.array([[cosine, sine], [-sine, cosine]])
    return result


def _real_product(left: NDArray[np.complex128], right: NDArray[np.complex128]) -> FloatArray:
    """The real part of a complex matrix product, at half its cost."""
    result: FloatArray = np.hstack([left.real, -left.imag]) @ np.vstack([right.real, right.imag])
    return result
