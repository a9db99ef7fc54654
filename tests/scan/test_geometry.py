"""The frame of a scan against plain vector arithmetic."""

import numpy as np
import pytest

from stmviewer.scan import Geometry


def centre_of_pixel(geometry: Geometry, row: float, column: float) -> np.ndarray:
    """Where a pixel lies in the plane of the sample (x right, y up), from the definition of the frame alone."""
    a = np.deg2rad(geometry.angle_deg)
    clockwise = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    right, down = clockwise @ [1.0, 0.0], clockwise @ [0.0, -1.0]
    u = (column + 0.5) * geometry.pixel_width - geometry.width / 2
    v = (row + 0.5) * geometry.pixel_height - geometry.height / 2
    position: np.ndarray = np.array(geometry.centre) + u * right + v * down
    return position


def test_pixels_are_cells_of_the_frame() -> None:
    geometry = Geometry(columns=512, rows=128, width=50e-9, height=25e-9)
    assert geometry.shape == (128, 512)
    assert geometry.pixel_width == pytest.approx(50e-9 / 512, rel=1e-15)
    assert geometry.pixel_height == pytest.approx(25e-9 / 128, rel=1e-15)
    assert geometry.calibrated


@pytest.mark.parametrize(("columns", "rows", "width", "height", "square"), [(8, 8, 1, 1.019, True), (8, 8, 1, 1.03, 0)])
def test_square_pixels_allow_for_rounded_headers(
    columns: int, rows: int, width: float, height: float, square: bool
) -> None:
    assert Geometry(columns, rows, width, height).square_pixels == bool(square)


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, -135.0, 270.0])
def test_added_rows_leave_the_others_where_they_are(angle: float) -> None:
    """20 rows more at the bottom move the centre down by 10 rows, whichever way down is."""
    before = Geometry(40, 30, 4e-9, 3e-9, angle_deg=angle, centre=(7e-8, -2e-8))
    after = before.with_rows(50, 5e-9, 10 * before.pixel_height)
    for row, column in ((0, 0), (29, 39), (12, 5)):
        moved = centre_of_pixel(after, row, column) - centre_of_pixel(before, row, column)
        assert np.abs(moved).max() < 1e-9 * before.pixel_width
    assert (after.columns, after.width, after.angle_deg) == (before.columns, before.width, before.angle_deg)


def test_rows_added_above_move_the_centre_up() -> None:
    before = Geometry(40, 30, 4e-9, 3e-9)
    after = before.with_rows(50, 5e-9, -10 * before.pixel_height)
    assert after.centre == pytest.approx((0.0, 10 * before.pixel_height))  # y points up


def test_images_without_a_size_count_in_pixels() -> None:
    geometry = Geometry.of_pixels(rows=3, columns=5)
    assert (geometry.shape, geometry.width, geometry.height) == ((3, 5), 5.0, 3.0)
    assert (geometry.pixel_width, geometry.pixel_height, geometry.calibrated) == (1.0, 1.0, False)


@pytest.mark.parametrize(
    "values",
    [(0, 4, 1.0, 1.0), (4, 0, 1.0, 1.0), (4, 4, 0.0, 1.0), (4, 4, 1.0, -1.0), (4, 4, np.nan, 1.0), (4, 4, np.inf, 1.0)],
)
def test_frames_without_an_area_are_refused(values: tuple[int, int, float, float]) -> None:
    with pytest.raises(ValueError, match="a scan needs"):
        Geometry(*values)
