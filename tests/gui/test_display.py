from dataclasses import replace

import numpy as np
import pytest

from stmviewer.gui.colours import DIFFERENCE, MASK, heights, lut_of
from stmviewer.gui.display import (
    FLAT,
    SAMPLE_SIDE,
    Frame,
    Picture,
    Plane,
    colourise,
    display_plane,
    frame_of,
    value_range,
)
from stmviewer.scan import Geometry
from stmviewer.scan.levelling import level_for_display
from stmviewer.scan.lines import place_lines

RNG = np.random.default_rng(5)


def picture(data: np.ndarray, width: float = 10.0, height: float = 10.0) -> Picture:
    return Picture(data, Frame(0, 0, width, height))


def test_values_are_those_of_the_pixel_under_the_position() -> None:
    data = RNG.normal(size=(3, 5))
    shown = picture(data, 10.0, 6.0)  # cells of 2 x 2 nm
    assert shown.value_at(0.0, 0.0) == data[0, 0]
    assert shown.value_at(9.99, 5.99) == data[2, 4]
    assert shown.value_at(4.0, 2.0) == data[1, 2]
    for outside in ((-0.01, 1), (1, -0.01), (10.0, 1), (1, 6.0)):
        assert shown.value_at(*outside) is None
    data[1, 2] = np.inf
    assert np.isnan(picture(data, 10.0, 6.0).value_at(4.0, 2.0))


def test_shrunk_cells_are_means_over_what_was_measured() -> None:
    data = RNG.normal(size=(8, 12))
    data[0, 0] = np.nan
    data[4:, 8:] = np.nan
    cells, part = picture(data).shrunk(4, 2)
    blocks = data.reshape(4, 2, 3, 4)
    finite = np.isfinite(blocks)
    assert part == pytest.approx(finite.mean(axis=(1, 3)))
    known = finite.any(axis=(1, 3))
    sums = np.where(finite, blocks, 0).sum(axis=(1, 3))
    assert cells[known] == pytest.approx(sums[known] / finite.sum(axis=(1, 3))[known])
    assert not cells[~known].any()


def test_shrinking_a_shape_that_does_not_divide_keeps_the_edge() -> None:
    data = np.arange(35.0).reshape(5, 7)
    cells, part = picture(data).shrunk(2, 2)
    assert cells.shape == (3, 4)
    assert cells[2, 3] == data[4, 6]
    assert cells[0, 3] == data[:2, 6].mean()
    assert (part == 1).all()


def test_levelling_for_view_is_that_of_the_library() -> None:
    y, x = np.mgrid[0:60, 0:90]
    data = 1e-10 * RNG.normal(size=(60, 90)) + 3e-11 * x - 2e-11 * y - 1e-7
    data[10:14] = np.nan
    shown = picture(data, 9.0, 6.0)
    levelled = data - display_plane(shown).on(shown.frame, data.shape)
    assert levelled == pytest.approx(level_for_display(data), abs=1e-18, nan_ok=True)


def test_a_large_image_is_levelled_on_cells() -> None:
    side = SAMPLE_SIDE + 101
    y, x = np.mgrid[0:side, 0:side]
    data = 0.5 * x - 0.25 * y + 7.0
    data[::3] = np.nan  # a sparse scan: every k-th row alone might find nothing
    shown = picture(data, 100.0, 100.0)
    left = data - display_plane(shown).on(shown.frame, data.shape)
    assert np.nanmax(np.abs(left)) < 0.01 * side


def test_the_plane_has_one_meaning_on_every_pixel_size() -> None:
    plane, coarse, fine = Plane(1.0, 0.5, -0.25), Frame(0, 0, 8, 8), Frame(0.5, 0, 8, 8)
    assert plane.on(coarse, (4, 4))[1, 2] == pytest.approx(plane.at(5.0, 3.0))
    assert plane.on(fine, (8, 8))[0, 0] == pytest.approx(plane.at(1.0, 0.5))


def test_the_range_ignores_what_is_no_number() -> None:
    data = RNG.normal(size=(200, 200))
    low, high = value_range(picture(data))
    spoilt = data.copy()
    spoilt[3, 3:6] = np.inf, -np.inf, np.nan
    assert value_range(picture(spoilt)) == pytest.approx((low, high), rel=0.01)
    assert (low, high) == pytest.approx(tuple(np.percentile(data, (1, 99))))
    assert value_range(picture(np.full((4, 4), np.nan))) == (0.0, 1.0)
    low, high = value_range(picture(np.full((4, 4), 2.0)))
    assert low < 2.0 < high


def test_the_range_of_a_large_sparse_image_comes_from_its_lines() -> None:
    data = np.full((4 * SAMPLE_SIDE, 600), np.nan)
    data[1::4] = RNG.uniform(-1, 1, size=data[1::4].shape)
    assert value_range(picture(data)) == pytest.approx((-0.98, 0.98), abs=0.01)


def test_colours_end_at_the_limits_and_gaps_have_none() -> None:
    lut = heights()
    values = np.array([[-5.0, 0.0, 1.0, 9.0]])
    part = np.array([[1, 1, 1, 0]], dtype=np.float32)
    colours = colourise(values, part, (0.0, 1.0), lut)
    assert colours[0, 0, :3].tolist() == lut[0].tolist()
    assert colours[0, 2, :3].tolist() == lut[255].tolist()
    assert colours[0, :, 3].tolist() == [255, 255, 255, 0]


def test_the_height_map_is_gwyddion_net() -> None:
    lut = heights()
    assert lut[0].tolist() == [0, 0, 0]
    assert lut[255].tolist() == [255, 255, 255]
    assert lut[round(0.344671 * 255)] == pytest.approx([168, 40, 15], abs=2)
    assert lut[round(0.687075 * 255)] == pytest.approx([243, 194, 93], abs=2)


def test_own_maps() -> None:
    difference = lut_of(DIFFERENCE).astype(int)
    assert (difference[127] > 235).all()  # zero is nearly white
    assert difference[0, 2] > difference[0, 0]
    assert difference[255, 0] > difference[255, 2]
    unmeasured, measured = lut_of(MASK)[[0, 255]].astype(int)
    assert measured.sum() - unmeasured.sum() > 300
    with pytest.raises(ValueError, match="rise"):
        lut_of([(0.0, (0, 0, 0)), (0.5, (1, 1, 1))])


def test_frames_in_nm_and_in_pixels() -> None:
    assert frame_of(Geometry(64, 32, 20e-9, 10e-9)) == Frame(0, 0, pytest.approx(20), pytest.approx(10), "nm")
    assert frame_of(Geometry.of_pixels(32, 64)) == Frame(0, 0, 64, 32, "px")


@pytest.mark.parametrize("angle", [0.0, 90.0, 33.0])
@pytest.mark.parametrize("lines", [128, 64, 60])
def test_lines_of_a_sparse_scan_lie_where_they_were_measured(angle: float, lines: int) -> None:
    scan = Geometry(256, lines, 50e-9, 50e-9, angle_deg=angle, centre=(3e-7, -2e-7))
    placement = place_lines(scan)
    frame = frame_of(placement.geometry, scan)
    _, y = frame.centres(placement.geometry.shape)
    true = (np.arange(lines) + 0.5) * 50 / lines
    shown = np.interp(placement.positions, np.arange(placement.geometry.rows), y)
    inside = (placement.positions >= 0) & (placement.positions <= placement.geometry.rows - 1)
    assert shown[inside] == pytest.approx(true[inside], abs=1e-6)
    assert frame.x == pytest.approx(0, abs=1e-9)


def test_a_cut_out_lies_inside_its_scan() -> None:
    scan = Geometry(100, 100, 100e-9, 100e-9, angle_deg=20.0, centre=(1e-6, 0))
    angle = np.deg2rad(20)
    right, down = 10e-9, 5e-9
    centre = (
        1e-6 + right * np.cos(angle) - down * np.sin(angle),
        -right * np.sin(angle) - down * np.cos(angle),
    )
    part = replace(scan, columns=50, rows=40, width=50e-9, height=40e-9, centre=centre)
    frame = frame_of(part, scan)
    assert (frame.x, frame.y) == (pytest.approx(25 + 10), pytest.approx(30 + 5))


def test_flat_takes_nothing_away() -> None:
    assert not FLAT.on(Frame(0, 0, 1, 1), (3, 3)).any()
