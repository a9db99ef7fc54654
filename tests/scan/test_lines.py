"""Scans with fewer lines: the new frame against the physical positions of the lines, worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stmviewer.scan import Geometry
from stmviewer.scan.lines import line_factor, looks_line_sparse, place_lines


def position(geometry: Geometry, row: float, column: float) -> np.ndarray:
    """Where a (fractional) pixel lies on the sample, x to the right, y up; the frame is turned clockwise."""
    a = np.deg2rad(geometry.angle_deg)
    right, down = np.array([np.cos(a), -np.sin(a)]), np.array([-np.sin(a), -np.cos(a)])
    u = (column + 0.5) * geometry.width / geometry.columns - geometry.width / 2
    v = (row + 0.5) * geometry.height / geometry.rows - geometry.height / 2
    place: np.ndarray = np.array(geometry.centre) + u * right + v * down
    return place


def surface(place: np.ndarray) -> float:
    """A smooth surface without any symmetry."""
    x, y = place / 1e-9
    return float(np.sin(0.7 * x + 0.2) * np.cos(0.31 * y) + 0.05 * x - 0.11 * y)


@pytest.mark.parametrize(
    ("columns", "lines", "factor"), [(512, 128, 4.0), (512, 200, 2.56), (512, 512, 1.0), (512, 1, 512.0)]
)
def test_the_factor_is_the_height_of_a_line_in_square_pixels(columns: int, lines: int, factor: float) -> None:
    assert line_factor(Geometry(columns, lines, 50e-9, 50e-9)) == pytest.approx(factor)


def test_only_a_calibrated_scan_can_look_sparse() -> None:
    assert looks_line_sparse(Geometry(512, 128, 50e-9, 50e-9))
    assert not looks_line_sparse(Geometry(512, 400, 50e-9, 50e-9))
    assert not looks_line_sparse(Geometry.of_pixels(128, 512))
    assert not looks_line_sparse(Geometry(512, 1, 50e-9, 50e-9))
    assert not looks_line_sparse(Geometry(100, 400, 50e-9, 50e-9))  # more lines than pixels a line


@pytest.mark.parametrize("size", [50e-9, 30e-9, 7.3e-9, 33.3e-9, 1e-7])
@pytest.mark.parametrize(("lines", "factor"), [(256, 2), (128, 4), (64, 8)])
def test_lines_of_an_even_factor_lie_on_rows_as_in_the_mask_of_that_factor(
    size: float, lines: int, factor: int
) -> None:
    placement = place_lines(Geometry(512, lines, size, size))
    assert placement.exact
    assert placement.geometry.shape == (512, 512)
    assert placement.geometry.square_pixels
    assert np.array_equal(placement.nearest, np.arange(lines) * factor + (factor - 1) // 2)
    assert placement.measured().sum() == lines * 512


@pytest.mark.parametrize("lines", [128, 171, 102])  # factors 4, 3 and 5 of 512, 513 and 510 pixels
@pytest.mark.parametrize("angle", [0.0, 35.0, 90.0, -160.0])
def test_each_measured_row_shows_the_surface_where_the_new_frame_says_it_is(lines: int, angle: float) -> None:
    factor = round(512 / lines)
    columns = lines * factor
    old = Geometry(columns, lines, 20e-9, 20e-9, angle_deg=angle, centre=(3e-9, -8e-9))
    placement = place_lines(old)
    new = placement.geometry
    assert placement.exact
    assert new.pixel_height == pytest.approx(new.pixel_width, rel=1e-12)
    measured = np.array([[surface(position(old, k, c)) for c in range(0, columns, 37)] for k in range(lines)])
    shown = np.array([[surface(position(new, r, c)) for c in range(0, columns, 37)] for r in placement.nearest])
    assert np.abs(measured - shown).max() < 1e-9
    # a frame that was not moved would be half a pixel off for even factors
    still = old.with_rows(new.rows, new.height)
    off = np.array([surface(position(still, r, 0)) for r in placement.nearest]) - measured[:, 0]
    assert np.abs(off).max() > 1e-3 or factor % 2


@settings(deadline=None, max_examples=200)
@given(
    columns=st.integers(16, 700),
    lines=st.integers(2, 300),
    height=st.floats(0.1, 3.0),
    angle=st.floats(-180, 180),
)
def test_whatever_the_factor_positions_in_the_new_frame_are_where_the_lines_were(
    columns: int, lines: int, height: float, angle: float
) -> None:
    old = Geometry(columns, lines, 1e-8, height * 1e-8, angle_deg=angle, centre=(1e-7, 2e-7))
    if not looks_line_sparse(old):
        return
    placement = place_lines(old)
    new = placement.geometry
    for k in (0, lines // 2, lines - 1):
        moved = position(new, placement.positions[k], 3) - position(old, k, 3)
        assert np.abs(moved).max() < 1e-6 * new.pixel_width
    assert np.abs(placement.nearest - placement.positions).max() <= 0.5 + 1e-9
    assert len(set(placement.nearest.tolist())) == lines  # no line hides another
    assert new.square_pixels
    assert abs(new.height - old.height) <= 0.5 * new.pixel_height * (1 + 1e-9)


def test_a_factor_that_is_not_whole_keeps_the_offset_of_each_line() -> None:
    placement = place_lines(Geometry(512, 200, 50e-9, 50e-9))
    assert placement.geometry.shape == (512, 512)
    assert not placement.exact
    assert placement.positions == pytest.approx((np.arange(200) + 0.5) * 2.56 - 0.5)
    assert placement.geometry.centre == pytest.approx((0, 0), abs=1e-15)


def test_lines_of_a_linear_surface_are_exact_at_and_between_their_true_positions() -> None:
    placement = place_lines(Geometry(512, 200, 50e-9, 50e-9))
    columns = np.linspace(0, 1, 512)
    image = 3.0 + 0.25 * np.arange(512)[:, None] + columns
    lines = 3.0 + 0.25 * placement.positions[:, None] + columns
    assert np.abs(placement.at_lines(image) - lines).max() < 1e-10
    rows = placement.between_lines(lines)
    inside = (np.arange(512) >= placement.positions[0]) & (np.arange(512) <= placement.positions[-1])
    assert inside.sum() >= 510
    assert np.abs(rows - image)[inside].max() < 1e-10
    # beyond the first and last line their values stand
    assert np.array_equal(rows[~inside & (np.arange(512) > 256)], np.repeat(lines[-1:], (~inside).sum() // 2, axis=0))


def test_at_lines_is_not_fooled_by_rows_that_are_nearest() -> None:
    """Half a pixel off on a slope of 0.25 a row is 0.125, what comparing with the nearest row would show."""
    placement = place_lines(Geometry(512, 200, 50e-9, 50e-9))
    image = np.broadcast_to(0.25 * np.arange(512)[:, None], (512, 512))
    nearest = image[placement.nearest] - 0.25 * placement.positions[:, None]
    assert np.abs(nearest).max() > 0.1
    assert np.abs(placement.at_lines(image) - 0.25 * placement.positions[:, None]).max() < 1e-10


def test_spread_puts_lines_on_their_rows_and_nothing_elsewhere() -> None:
    placement = place_lines(Geometry(8, 2, 8e-9, 8e-9))
    lines = np.arange(16, dtype=float).reshape(2, 8)
    image = placement.spread(lines)
    assert np.array_equal(image[placement.nearest], lines)
    assert np.isnan(np.delete(image, placement.nearest, axis=0)).all()
    assert np.array_equal(placement.measured(), np.isfinite(image))
    assert np.array_equal(placement.at_lines(np.nan_to_num(image)), lines)


def test_a_frame_higher_than_wide() -> None:
    placement = place_lines(Geometry(96, 48, 2e-9, 4e-9))
    assert placement.geometry.shape == (192, 96)
    assert np.array_equal(placement.nearest, np.arange(48) * 4 + 1)
