"""Levelling takes away what it says, and the same as Gwyddion."""

import numpy as np
import pytest

from stmviewer.scan import Progress, RequestError
from stmviewer.scan.processing.background import facet_level, facet_tilt, fit_polynomial, least_squares_plane

from .gwyddion_library import Field, needs_library


def stepped(rows: int = 90, columns: int = 120) -> np.ndarray:
    """Terraces down a vicinal surface, with noise."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[0:rows, 0:columns]
    height = 1.36e-10 * np.floor((x + 0.3 * y) / 31) - 2e-12 * x + 1e-12 * y
    return height + rng.normal(0, 2e-12, x.shape)


def test_a_polynomial_comes_out_whole() -> None:
    y, x = np.mgrid[0:40, 0:50] / 50.0
    surface = 3e-9 + 1e-9 * x**2 * y - 2e-9 * y**3
    assert np.abs(surface - fit_polynomial(surface, 2, 3)).max() < 1e-20
    gaps = surface.copy()
    gaps[5:20, 8:30] = np.nan
    fitted = fit_polynomial(gaps, 2, 3)
    assert np.isfinite(fitted).all()
    assert np.abs(surface - fitted).max() < 1e-17
    assert np.abs(surface - fit_polynomial(surface, 1, 1)).max() > 1e-11


def test_the_gaps_change_nothing_that_numpy_would_do_otherwise() -> None:
    data = stepped()
    data[np.random.default_rng(0).random(data.shape) < 0.3] = np.nan
    y, x = np.mgrid[0:90, 0:120]
    terms = np.stack([(x / 120.0) ** i * (y / 90.0) ** j for i in range(3) for j in range(2)], axis=-1)
    known = np.isfinite(data)
    solution = np.linalg.lstsq(terms[known], data[known], rcond=None)[0]
    assert fit_polynomial(data, 2, 1) == pytest.approx(terms @ solution, abs=1e-16)


def test_facets_level_the_terraces_where_a_plane_follows_the_staircase() -> None:
    data = stepped()
    level = facet_level(data, 1e-10, 1e-10, Progress())
    terrace = level[40, 5:17]
    slope = np.polyfit(np.arange(12), terrace, 1)[0]
    left_by_plane = np.polyfit(np.arange(12), (data - least_squares_plane(data))[40, 5:17], 1)[0]
    assert abs(slope) < 6e-13 < abs(left_by_plane)
    assert np.mean(level) == pytest.approx(np.mean(data), abs=1e-18)


def test_cells_beside_gaps_do_not_count() -> None:
    data = stepped()
    data[10:30] = np.nan
    assert np.isfinite(facet_level(data, 1e-10, 1e-10, Progress())[30:]).all()
    with pytest.raises(RequestError, match="no four neighbouring pixels"):
        facet_level(np.where(np.indices(data.shape).sum(axis=0) % 2, np.nan, data), 1.0, 1.0, Progress())


def test_an_order_that_the_image_cannot_carry_is_refused() -> None:
    with pytest.raises(RequestError, match="order 3 needs at least 4 lines; the image has 3"):
        fit_polynomial(np.ones((3, 50)), 1, 3)
    gaps = np.full((8, 8), np.nan)
    gaps[0, :3] = 1, 2, 3
    with pytest.raises(RequestError, match="4 terms cannot be fitted to 3 measured pixels"):
        fit_polynomial(gaps, 1, 1)


@needs_library
def test_planes_are_those_of_gwyddion() -> None:
    data = stepped()
    assert data - least_squares_plane(data) == pytest.approx(Field(data).plane_levelled(), abs=1e-22)


@needs_library
def test_polynomials_are_those_of_gwyddion() -> None:
    data = stepped()
    assert data - fit_polynomial(data, 3, 2) == pytest.approx(Field(data).polynomial_levelled(3, 2), abs=1e-15)


@needs_library
@pytest.mark.parametrize("size", [(12e-9, 9e-9), (12e-9, 36e-9)])
def test_facet_slopes_are_those_of_gwyddion(size: tuple[float, float]) -> None:
    data = stepped()
    tilt = facet_tilt(data, size[0] / 120, size[1] / 90)
    assert tilt is not None
    assert (tilt.across, tilt.down) == pytest.approx(Field(data, size).facet_round(), rel=1e-9)
