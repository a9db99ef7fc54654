"""First guesses: exact where interpolation must be, and never at the cost of a measured pixel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stmviewer.restore.filling import fill
from stmviewer.scan import make_mask

PATTERNS = (
    "lines:4",
    "lines:7",
    "lines-random:0.3",
    "grid:3",
    "grid-jitter:4",
    "pixels:0.25",
    "pixels:0.02",
    "spiral:0.1",
)


def holed(image: np.ndarray, measured: np.ndarray) -> np.ndarray:
    return np.where(measured, image, np.nan)


def test_lines_of_a_linear_surface_are_filled_exactly_between_first_and_last() -> None:
    y, x = np.mgrid[0:40, 0:30]
    image = 2.0 + 0.3 * y + np.sin(x)  # linear down, anything across
    measured = make_mask("lines-random:0.3", 40, 30, seed=2).measured
    lines = np.nonzero(measured[:, 0])[0]
    result = fill(holed(image, measured), measured)
    assert np.abs(result - image)[lines[0] : lines[-1] + 1].max() < 1e-12
    assert np.array_equal(result[: lines[0]], np.repeat(image[lines[:1]], lines[0], axis=0))
    assert np.array_equal(result[lines[-1] :], np.repeat(image[lines[-1:]], 40 - lines[-1], axis=0))


def test_grids_are_filled_bilinearly() -> None:
    y, x = np.mgrid[0:40, 0:30]
    image = 1.0 + 0.2 * y - 0.7 * x + 0.05 * x * y
    measured = make_mask("grid:4", 40, 30).measured
    rows, columns = np.nonzero(measured.any(axis=1))[0], np.nonzero(measured.any(axis=0))[0]
    inside = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert np.abs(fill(holed(image, measured), measured) - image)[inside].max() < 1e-12


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("value", [0.0, 3.0, -2e-10, 1e6])
def test_constants_stay_constant(pattern: str, value: float) -> None:
    measured = make_mask(pattern, 45, 62, seed=3).measured
    result = fill(holed(np.full((45, 62), value), measured), measured)
    assert np.abs(result - value).max() <= 1e-12 * abs(value)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_measured_pixels_are_untouched_and_guesses_between_them(pattern: str) -> None:
    image = np.random.default_rng(0).normal(size=(50, 41))
    measured = make_mask(pattern, 50, 41, seed=1).measured
    given_image = holed(image, measured)
    kept = given_image.copy()
    result = fill(given_image, measured)
    assert np.array_equal(result[measured], image[measured])
    assert np.isfinite(result).all()
    assert result.min() >= image[measured].min() - 1e-9
    assert result.max() <= image[measured].max() + 1e-9
    assert np.array_equal(given_image, kept, equal_nan=True)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_values_that_were_not_measured_are_not_looked_at(pattern: str) -> None:
    image = np.random.default_rng(0).normal(size=(40, 40))
    measured = make_mask(pattern, 40, 40).measured
    guesses = [fill(np.where(measured, image, rubbish), measured) for rubbish in (0.0, np.nan, 1e12, -np.inf)]
    assert all(np.array_equal(g, guesses[0]) for g in guesses)


def test_a_full_image_is_copied() -> None:
    image = np.random.default_rng(0).normal(size=(5, 6))
    result = fill(image, np.ones((5, 6), dtype=bool))
    assert np.array_equal(result, image)
    assert result is not image


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 1), st.integers(0, 1000))
def test_any_mask_of_any_size_is_filled(rows: int, columns: int, part: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    measured = rng.random((rows, columns)) < part
    measured[rng.integers(rows), rng.integers(columns)] = True
    image = rng.random((rows, columns))
    result = fill(holed(image, measured), measured)
    assert result.shape == (rows, columns)
    assert np.array_equal(result[measured], image[measured])
    assert result.min() >= image[measured].min() - 1e-9
    assert result.max() <= image[measured].max() + 1e-9


def test_one_pixel_is_all_there_is_to_know() -> None:
    measured = np.zeros((33, 65), dtype=bool)
    measured[20, 3] = True
    assert np.abs(fill(np.where(measured, 4.0, np.nan), measured) - 4.0).max() < 1e-12


def test_scattered_pixels_of_a_smooth_surface_are_filled_closely() -> None:
    y, x = np.mgrid[0:96, 0:96]
    image = np.sin(x / 12) * np.cos(y / 15)
    measured = make_mask("pixels:0.25", 96, 96).measured
    error = (fill(holed(image, measured), measured) - image)[8:-8, 8:-8]
    assert np.sqrt(np.mean(error**2)) < 0.06 * image.std()
