"""Shadows of scans that were flattened line by line: taken out where they are, and nothing else touched."""

import numpy as np
import pytest

from stmviewer.scan import FloatArray
from stmviewer.scan.processing.flattened import find_line_levels
from stmviewer.scan.processing.rows import align_by_polynomial
from stmviewer.scan.steps import History

#: blobs: row, column, radius (pixels), height (m)
BLOBS = ((40, 60, 9, 400e-12), (90, 130, 13, 500e-12), (120, 20, 6, 350e-12))


def lattice(rows: int = 160, columns: int = 192, seed: int = 0) -> FloatArray:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns]
    rows_of_dimers = 20e-12 * np.cos(2 * np.pi * (0.0625 * x + 0.05 * y)) + 8e-12 * np.cos(
        2 * np.pi * (0.125 * x - 0.17 * y)
    )
    result: FloatArray = rows_of_dimers + 3e-12 * rng.standard_normal((rows, columns))
    return result


def with_blobs(image: FloatArray, blobs: tuple[tuple[float, float, float, float], ...] = BLOBS) -> FloatArray:
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    result = image.copy()
    for row, column, radius, height in blobs:
        result += height * np.exp(-((((y - row) ** 2 + (x - column) ** 2) / radius**2) ** 2))
    return result


def off(image: FloatArray, truth: FloatArray) -> float:
    """The rms difference, but for a constant."""
    return float(np.std(image - truth))


@pytest.mark.parametrize("degree", [0, 1])
def test_shadows_are_taken_out(degree: int) -> None:
    truth = with_blobs(lattice())
    flat = align_by_polynomial(truth, degree)
    found = find_line_levels(flat)
    assert found is not None
    assert found.with_slopes == (degree == 1)
    assert off(flat, truth) > 12e-12
    assert off(found.taken_from(flat), truth) < 4e-12
    assert found.highest == pytest.approx(np.abs(flat - truth - np.median(flat - truth)).max(), rel=0.25)


def test_a_blob_that_the_tip_takes_along() -> None:
    """Half a blob, wider than half of its lines: these go on from their neighbours."""
    truth = with_blobs(lattice(), ((80, 90, 36, 400e-12),))
    truth[80:] = lattice()[80:]
    flat = align_by_polynomial(truth, 1)
    found = find_line_levels(flat)
    assert found is not None
    assert off(found.taken_from(flat), truth) < 0.4 * off(flat, truth)


def test_lines_without_features_stay_as_they_are() -> None:
    truth = with_blobs(lattice(), ((40, 60, 9, 400e-12),))
    found = find_line_levels(align_by_polynomial(truth, 1))
    assert found is not None
    assert np.abs(found.heights[80:]).max() < 1e-12
    assert np.abs(found.heights[35:45]).min() > 20e-12


def test_what_was_not_flattened_is_not_touched() -> None:
    assert find_line_levels(with_blobs(lattice())) is None
    rng = np.random.default_rng(1)
    assert find_line_levels(with_blobs(lattice()) + 50e-12 * rng.standard_normal((160, 1))) is None
    # aligned by medians, features throw no shadows
    image = with_blobs(lattice())
    assert find_line_levels(image - np.median(image, axis=1, keepdims=True)) is None


def test_flattened_without_features_is_not_touched() -> None:
    for degree in (0, 1):
        assert find_line_levels(align_by_polynomial(lattice(), degree)) is None


def test_terraces_are_left_as_they_are() -> None:
    """Which part of a line is the feature cannot be told there."""
    y, x = np.mgrid[:160, :192]
    stairs = 136e-12 * (x > 60 + 0.4 * y) + 136e-12 * (x > 150 + 0.3 * y)
    flat = align_by_polynomial(lattice() + stairs, 1)
    found = find_line_levels(flat)
    left = flat if found is None else found.taken_from(flat)
    assert off(left, lattice() + stairs) <= 1.1 * off(flat, lattice() + stairs)


def test_neither_unit_nor_tilt_nor_direction_matters() -> None:
    flat = align_by_polynomial(with_blobs(lattice()), 1)
    y, x = np.mgrid[:160, :192]
    found = find_line_levels(flat)
    other = find_line_levels(1e12 * flat[:, ::-1] - 3.0 * x + 2.0 * y + 500)
    upside_down = find_line_levels(flat[::-1])
    assert found is not None
    assert other is not None
    assert upside_down is not None
    assert np.allclose(other.heights, 1e12 * found.heights, atol=0.5)
    assert np.allclose(other.tilts, -1e12 * found.tilts, atol=0.5)
    assert np.allclose(upside_down.heights[::-1], found.heights, atol=1e-12)


def test_tall_scans() -> None:
    """Shadows begin and end slowly there."""
    blobs = ((300, 100, 36, 400e-12), (1100, 60, 30, 500e-12))
    truth = with_blobs(lattice(1500, 320), blobs)
    flat = align_by_polynomial(truth, 1)
    found = find_line_levels(flat)
    assert found is not None
    assert off(found.taken_from(flat), truth) < 0.4 * off(flat, truth)


def test_wide_scans() -> None:
    truth = np.kron(with_blobs(lattice(96, 128), ((40, 60, 9, 400e-12),)), np.ones((1, 9)))
    flat = align_by_polynomial(truth, 1)
    found = find_line_levels(flat)
    assert found is not None
    taken = found.taken_from(flat)
    assert taken.shape == truth.shape
    assert off(taken, truth) < 0.4 * off(flat, truth)


@pytest.mark.parametrize("shape", [(15, 200), (40, 31), (64, 64)])
def test_small_and_constant_images(shape: tuple[int, int]) -> None:
    assert find_line_levels(np.full(shape, 3e-9)) is None
    assert find_line_levels(np.zeros(shape)) is None
    if min(shape) < 32:
        truth = with_blobs(lattice(*shape), ((8, 15, 4, 400e-12),))
        assert find_line_levels(align_by_polynomial(truth, 0)) is None


def test_eight_bits_are_enough() -> None:
    flat = align_by_polynomial(with_blobs(lattice()), 1)
    low, high = flat.min(), flat.max()
    grey = np.rint(254 * (flat - low) / (high - low))
    found, fine = find_line_levels(grey), find_line_levels(flat)
    assert found is not None
    assert fine is not None
    assert found.highest * (high - low) / 254 == pytest.approx(fine.highest, rel=0.1)


# as a step


def test_undone_as_a_step_and_only_of_whole_lines() -> None:
    truth = with_blobs(lattice())
    flat = align_by_polynomial(truth, 1)
    flat[150:] = np.nan
    flat[10, 5:] = np.nan
    whole = np.isfinite(flat).all(axis=1)
    undone = History.from_text("align-rows:unflatten").replay_data(flat)
    assert off(undone[whole], truth[whole]) < 4e-12
    assert np.array_equal(undone[~whole], flat[~whole], equal_nan=True)
    assert np.array_equal(History.from_text("align-rows:unflatten").replay_data(truth), truth)
