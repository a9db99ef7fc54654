"""What lies scattered on and below any surface: clusters, charges, single atoms."""

import numpy as np
from numpy.typing import NDArray

from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.surfaces.gaussians import gaussian_sum

#: a defect this far outside the field is still seen in it (a charge's halo reaches farthest)
MARGIN_M = 3e-9


def scatter(
    rows: int, columns: int, pixel_m: float, per_m2: float, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Columns and rows of randomly scattered points, in the field and its margin."""
    margin = MARGIN_M / pixel_m
    area = (rows + 2 * margin) * (columns + 2 * margin) * pixel_m**2
    count = rng.poisson(per_m2 * area)
    return rng.uniform(-margin, columns + margin, count), rng.uniform(-margin, rows + margin, count)


def level_at(level: NDArray[np.int64], x: FloatArray, y: FloatArray) -> NDArray[np.int64]:
    """Level at columns `x` and rows `y`, outside the field that of its edge."""
    rows, columns = level.shape
    at: NDArray[np.int64] = level[np.clip(y, 0, rows - 1).astype(int), np.clip(x, 0, columns - 1).astype(int)]
    return at


def clusters(
    level: NDArray[np.int64],
    pixel_m: float,
    *,
    per_m2: float,
    height_m: float,
    radius_m: float,
    step_m: float,
    kappa_per_m: float,
    rng: np.random.Generator,
) -> FloatArray | float:
    """Density of states of adsorbates: each one to five overlapping Gaussians, high above the terrace."""
    rows, columns = level.shape
    x, y = scatter(rows, columns, pixel_m, per_m2, rng)
    if not x.size:
        return 0.0
    lobes = rng.integers(1, 6, x.size)
    radius = np.repeat(radius_m * rng.uniform(0.6, 1.4, x.size), lobes)
    total = radius.size
    height = np.repeat(height_m * rng.uniform(0.5, 1.5, x.size), lobes) * rng.uniform(0.6, 1, total)
    height += np.repeat(level_at(level, x, y), lobes) * step_m
    at_x = np.repeat(x, lobes) + rng.normal(0, 0.8, total) * radius / pixel_m
    at_y = np.repeat(y, lobes) + rng.normal(0, 0.8, total) * radius / pixel_m
    # ln(1 + w exp(-rho^2 / 2 sigma^2)) falls to half its height at rho = sigma sqrt(ln w) for large w
    weight = np.exp(2 * kappa_per_m * height)
    sigma = radius / np.sqrt(np.maximum(np.log(weight), 1)) / pixel_m
    return gaussian_sum(rows, columns, at_x, at_y, weight, np.maximum(sigma, 0.3))


def charges(
    rows: int, columns: int, pixel_m: float, per_m2: float, height_m: float, rng: np.random.Generator
) -> FloatArray | float:
    """Heights (m) that charged dopants below the surface add: wider the deeper they lie."""
    x, y = scatter(rows, columns, pixel_m, per_m2, rng)
    if not x.size:
        return 0.0
    width = rng.uniform(1.2e-9, 3e-9, x.size) / pixel_m
    return gaussian_sum(rows, columns, x, y, rng.normal(0, height_m, x.size), width)


def bump_sigma(width_m: float, height_m: float, kappa_per_m: float) -> float:
    """The sigma (m) of the Gaussian state that stands out by `height_m` and is `width_m` wide at half of that.

    z = ln(1 + w exp(-rho^2 / 2 sigma^2)) / (2 kappa), w = exp(2 kappa h) - 1, is h / 2 where
    exp(-rho^2 / 2 sigma^2) = (exp(kappa h) - 1) / w = 1 / (exp(kappa h) + 1).
    """
    return float(width_m / 2 / np.sqrt(2 * np.log(np.exp(kappa_per_m * height_m) + 1)))
