"""The dimer lattice of the (001) faces of silicon and germanium: its density of states as a lattice sum, its sites."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stmviewer.scan.geometry import FloatArray

ROW_SPACING_M = 0.768e-9
DIMER_SPACING_M = 0.384e-9

#: harmonics of the lattice sum below this are left out
_SMALLEST_HARMONIC = 1e-3


@dataclass(frozen=True)
class DimerOrbital:
    """What one dimer puts into the density of states at the tip's height.

    A state that decays from an atom at distance d below the tip as exp(-2 kappa r) is, for lateral distances rho
    below d, exp(-2 kappa d) exp(-kappa rho^2 / d): a Gaussian of sigma^2 = d / (2 kappa) (Tersoff and Hamann, Phys.
    Rev. B 31, 805 (1985), s-wave tip). A dimer is three of them on a line across the row: one at its centre with the
    share `centre`, and one at each side, `half_m` away, with half of the rest.
    """

    sigma_m: float
    half_m: float
    centre: float
    row_m: float = ROW_SPACING_M
    dimer_m: float = DIMER_SPACING_M

    def across(self) -> FloatArray:
        """Fourier coefficients a_1, a_2, ... of the row profile: 1 + 2 sum a_n cos(2 pi n u / row spacing)."""
        wave = 2 * np.pi / self.row_m * _orders(self.sigma_m, self.row_m)
        shape = self.centre + (1 - self.centre) * np.cos(wave * self.half_m)
        result: FloatArray = np.exp(-0.5 * (wave * self.sigma_m) ** 2) * shape
        return result

    def along(self) -> FloatArray:
        """The same along a row: 1 + 2 sum b_n cos(2 pi n v / dimer spacing)."""
        wave = 2 * np.pi / self.dimer_m * _orders(self.sigma_m, self.dimer_m)
        result: FloatArray = np.exp(-0.5 * (wave * self.sigma_m) ** 2)
        return result

    def range(self, buckling: float = 0.0) -> tuple[float, float]:
        """Least and largest value of the lattice sum, whose mean is 1, with so much of the `buckled` part."""
        cycle = np.linspace(0, 2 * np.pi, 96)
        rows, dimers = _series(np.cos(cycle), self.across()), _series(np.cos(cycle), self.along())
        if not buckling:
            return float(rows.min() * dimers.min()), float(rows.max() * dimers.max())
        cell = np.outer(rows, dimers) + buckling * np.outer(self.sides(cycle), self.turns(cycle))
        return float(cell.min()), float(cell.max())

    def sides(self, phase: FloatArray) -> FloatArray:
        """The row profile's odd part, one end of the dimers less the other, at 2 pi u / row spacing.

        1/2 sum_i [G(u - half - i) - G(u + half - i)] in Fourier terms, times the share of the ends.
        """
        orders = _orders(self.sigma_m, self.row_m)
        wave = 2 * np.pi / self.row_m * orders
        factors = 2 * np.exp(-0.5 * (wave * self.sigma_m) ** 2) * np.sin(wave * self.half_m) * (1 - self.centre)
        return np.add.reduce([f * np.sin(n * phase) for n, f in zip(orders, factors, strict=True)])

    def turns(self, phase: FloatArray) -> FloatArray:
        """sum_j (-1)^j G(v - j) at 2 pi v / dimer spacing: positive on even dimers, negative on odd ones."""
        orders = np.concatenate([[0], _orders(self.sigma_m, self.dimer_m)]) + 0.5
        factors = 2 * np.exp(-0.5 * (2 * np.pi / self.dimer_m * orders * self.sigma_m) ** 2)
        return np.add.reduce([f * np.cos(n * phase) for n, f in zip(orders, factors, strict=True)])

    @property
    def peak(self) -> float:
        """Height of one Gaussian of full weight, where the lattice sum has the mean 1."""
        return self.row_m * self.dimer_m / (2 * np.pi * self.sigma_m**2)

    @property
    def lobes(self) -> list[tuple[float, float]]:
        """(place across the row in m, share) of the Gaussians of one dimer."""
        side = (1 - self.centre) / 2
        return [(at, w) for at, w in ((0.0, self.centre), (-self.half_m, side), (self.half_m, side)) if w > 0]


@dataclass(frozen=True)
class DimerLattice:
    """Dimer rows on a pixel grid.

    `angle` (radians) turns the row direction from the columns axis towards the rows axis (clockwise as seen). Dimer
    (i, j) is the j-th of row i; its centre lies at (i + origin[0]) row spacings across and (j + origin[1]) dimer
    spacings along the rows from the centre of pixel (0, 0).
    """

    angle: float
    origin: tuple[float, float]
    pixel_m: float
    row_m: float = ROW_SPACING_M
    dimer_m: float = DIMER_SPACING_M

    def density(self, rows: int, columns: int, orbital: DimerOrbital) -> FloatArray:
        """The lattice sum of `orbital` over all dimers, mean 1; shape (rows, columns).

        By its Fourier series (Poisson summation), which is exact: the phase is linear in x and y, so its cosine comes
        from an outer product and the harmonics from the Chebyshev recurrence.
        """
        sine, cosine = np.sin(self.angle), np.cos(self.angle)
        y, x = np.arange(rows) * self.pixel_m, np.arange(columns) * self.pixel_m
        across = _cosine(y * cosine, -x * sine, self.row_m, self.origin[0])
        along = _cosine(y * sine, x * cosine, self.dimer_m, self.origin[1])
        result: FloatArray = _series(across, orbital.across()) * _series(along, orbital.along())
        return result

    def buckled(self, rows: int, columns: int, orbital: DimerOrbital) -> FloatArray:
        """What buckling moves from one end of the dimers to the other, in p(2x2) order; shape (rows, columns)."""
        u, v = self.coordinates(np.arange(columns)[None, :], np.arange(rows)[:, None])
        return orbital.sides(2 * np.pi * u) * orbital.turns(2 * np.pi * v)

    def place(
        self, i: NDArray[np.int64], j: NDArray[np.int64], offset_m: ArrayLike = 0.0
    ) -> tuple[FloatArray, FloatArray]:
        """Columns and rows (fractional pixels) of dimers (i, j), shifted by `offset_m` across the row."""
        u = ((i + self.origin[0]) * self.row_m + np.asarray(offset_m)) / self.pixel_m
        v = (j + self.origin[1]) * self.dimer_m / self.pixel_m
        sine, cosine = np.sin(self.angle), np.cos(self.angle)
        return v * cosine - u * sine, v * sine + u * cosine

    def coordinates(self, x: ArrayLike, y: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """The inverse of `place`: fractional row and dimer numbers of columns `x` and rows `y` (pixels)."""
        x, y = np.asarray(x, float) * self.pixel_m, np.asarray(y, float) * self.pixel_m
        sine, cosine = np.sin(self.angle), np.cos(self.angle)
        return (
            (y * cosine - x * sine) / self.row_m - self.origin[0],
            (y * sine + x * cosine) / self.dimer_m - self.origin[1],
        )

    def nearest(self, rows: int, columns: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Indices (i, j) of the dimer whose cell each pixel lies in; shape (rows, columns) each."""
        i, j = self.coordinates(np.arange(columns)[None, :], np.arange(rows)[:, None])
        return np.rint(i).astype(np.int64), np.rint(j).astype(np.int64)

    def sites(self, rows: int, columns: int, margin_m: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Indices (i, j) of all dimers in the field and up to `margin_m` outside."""
        margin = margin_m / self.pixel_m
        x = np.array([-margin, columns - 1 + margin] * 2)
        y = np.repeat([-margin, rows - 1 + margin], 2)
        u, v = self.coordinates(x, y)
        i, j = (
            a.ravel()
            for a in np.meshgrid(
                np.arange(np.ceil(u.min()), u.max(), dtype=np.int64),
                np.arange(np.ceil(v.min()), v.max(), dtype=np.int64),
                indexing="ij",
            )
        )
        column, row = self.place(i, j)
        inside = (column > x[0]) & (column < x[1]) & (row > y[0]) & (row < y[-1])
        return i[inside], j[inside]


def _orders(sigma_m: float, period_m: float) -> NDArray[np.int64]:
    """Orders n of the harmonics that are not negligible for a Gaussian of that width."""
    last = np.sqrt(-2 * np.log(_SMALLEST_HARMONIC)) / (2 * np.pi * sigma_m / period_m)
    return np.arange(1, max(int(last), 1) + 1)


def _cosine(down: FloatArray, right: FloatArray, period: float, origin: float) -> FloatArray:
    """cos(2 pi ((down + right) / period - origin)), shape (rows, columns), by an outer product."""
    left = np.exp(2j * np.pi * (down / period - origin))
    other = np.exp(2j * np.pi * right / period)
    result: FloatArray = np.outer(left.real, other.real) - np.outer(left.imag, other.imag)
    return result


def _series(cosine: FloatArray, coefficients: FloatArray) -> FloatArray:
    """1 + 2 sum_n c_n cos(n phi) from cos(phi)."""
    total: FloatArray = 1 + 2 * coefficients[0] * cosine
    before, now = np.ones_like(cosine), cosine
    for coefficient in coefficients[1:]:
        before, now = now, 2 * cosine * now - before
        total += 2 * coefficient * now
    return total
