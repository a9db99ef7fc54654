"""Places stay places: what lies somewhere on the sample lies there after cropping, turning and correcting, too."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stmviewer.scan import Geometry, History, RequestError
from stmviewer.scan.processing.image import Image


def world(g: Geometry, row: float, column: float) -> np.ndarray:
    """Where the centre of a pixel lies on the sample, in the unit of the geometry."""
    right = (column + 0.5) * g.pixel_width - g.width / 2
    down = (row + 0.5) * g.pixel_height - g.height / 2
    a = np.deg2rad(g.angle_deg)
    return np.array(g.centre) + right * np.array([np.cos(a), -np.sin(a)]) + down * np.array([-np.sin(a), -np.cos(a)])


def spot(rows: int, columns: int, row: float, column: float) -> np.ndarray:
    y, x = np.mgrid[0:rows, 0:columns]
    return np.exp(-((y - row) ** 2 + (x - column) ** 2) / 8.0)


def found(image: Image) -> tuple[float, float]:
    """Centre of mass of the spot."""
    weight = np.nan_to_num(image.data) ** 2
    y, x = np.mgrid[0 : weight.shape[0], 0 : weight.shape[1]]
    return float((weight * y).sum() / weight.sum()), float((weight * x).sum() / weight.sum())


@settings(max_examples=25, deadline=None)
@given(
    angle=st.floats(-180, 180),
    turn=st.sampled_from([90.0, 180.0, 270.0, -90.0, 10.0, -33.0, 60.0]),
    edges=st.sampled_from(["cut", "keep"]),
)
def test_turning_leaves_things_where_they_are(angle: float, turn: float, edges: str) -> None:
    g = Geometry(60, 48, 12e-9, 9.6e-9, angle_deg=angle, centre=(3e-8, -7e-8))
    before = Image(spot(48, 60, 22, 33), g)
    after = History.from_text(f"rotate:{turn},{edges}").replay(before)
    assert world(after.geometry, *found(after)) == pytest.approx(world(g, 22, 33), abs=3e-12)
    assert after.geometry.pixel_width == pytest.approx(2e-10)
    assert edges == "keep" or np.isfinite(after.data).all()


def test_quarters_change_no_value() -> None:
    data = np.random.default_rng(0).normal(size=(5, 8))
    g = Geometry(8, 5, 8e-9, 20e-9)
    once = History.from_text("rotate:90").replay(Image(data, g))
    assert np.array_equal(once.data, np.rot90(data))
    assert (once.geometry.columns, once.geometry.rows) == (5, 8)
    assert (once.geometry.width, once.geometry.height, once.geometry.angle_deg) == (20e-9, 8e-9, 90)
    round_trip = History.from_text("rotate:90; rotate:90; rotate:180").replay(Image(data, g))
    assert np.array_equal(round_trip.data, data)
    assert round_trip.geometry == g


def test_what_is_cut_has_no_gaps_and_what_is_kept_loses_nothing() -> None:
    data = np.ones((50, 70))
    cut = History.from_text("rotate:20,cut").replay(Image.of_pixels(data))
    keep = History.from_text("rotate:20,keep").replay(Image.of_pixels(data))
    assert np.isfinite(cut.data).all()
    assert np.isfinite(keep.data).sum() == pytest.approx(data.size, rel=0.02)
    assert cut.data.size > 0.4 * data.size
    assert cut.data == pytest.approx(1.0)


def test_gaps_turn_with_the_image() -> None:
    data = np.ones((60, 60))
    data[:, 20:30] = np.nan
    after = History.from_text("rotate:45").replay(Image.of_pixels(data))
    assert 0.1 < np.isnan(after.data).mean() < 0.3


def test_a_crop_keeps_its_place() -> None:
    g = Geometry(60, 48, 12e-9, 9.6e-9, angle_deg=25, centre=(3e-8, -7e-8))
    data = np.random.default_rng(0).normal(size=(48, 60))
    after = History.from_text("crop:10,5,30,20").replay(Image(data, g, data + 1))
    assert np.array_equal(after.data, data[5:25, 10:40])
    assert after.other is not None and np.array_equal(after.other, data[5:25, 10:40] + 1)
    assert (after.geometry.width, after.geometry.height) == pytest.approx((6e-9, 4e-9))
    assert world(after.geometry, 3, 7) == pytest.approx(world(g, 8, 17), abs=1e-18)


@pytest.mark.parametrize("box", ["50,0,20,10", "0,40,10,20", "60,0,1,1"])
def test_a_crop_outside_is_refused(box: str) -> None:
    with pytest.raises(RequestError, match=r"is not inside the image of 60 x 48 pixels"):
        History.from_text(f"crop:{box}").replay_data(np.zeros((48, 60)))
