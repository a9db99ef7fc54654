"""Lines: aligned as they should be, scars found where Gwyddion finds them."""

import numpy as np
import pytest

from stmviewer.scan import History, RequestError
from stmviewer.scan.processing.rows import align_by_median, align_by_polynomial, bridge_rows, mark_scars

from .gwyddion_library import Field, needs_library


def scarred() -> tuple[np.ndarray, np.ndarray]:
    """An image with streaks, up and down, and where they are."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[0:80, 0:100]
    data = np.sin(x / 9.0) + 0.3 * np.cos(y / 11.0) + rng.normal(0, 0.08, x.shape)
    where = np.zeros(data.shape)
    for row, start, stop, high in (
        (10, 20, 60, 1),
        (33, 0, 40, 1),
        (34, 0, 40, 1.5),
        (50, 70, 100, -1),
        (60, 30, 36, 1),
    ):
        where[row, start:stop] = high
    return data + 0.9 * where, where


def test_the_median_takes_out_offsets_and_keeps_the_level() -> None:
    flat = np.full((6, 9), 4.0)
    flat[:, 0] = 5.0
    offsets = np.array([1.0, -2.0, 0.5, 0.0, 3.0, -2.5])
    assert align_by_median(flat + offsets[:, None]) == pytest.approx(flat)
    empty = flat + offsets[:, None]
    empty[3] = np.nan
    aligned = align_by_median(empty)
    assert np.isnan(aligned[3]).all()
    assert np.ptp(aligned[[0, 1, 2, 4, 5], 4]) == pytest.approx(0)


def test_a_polynomial_a_line_takes_out_what_it_can() -> None:
    x = np.linspace(-1, 1, 60)
    rng = np.random.default_rng(0)
    data = rng.normal(size=(20, 1)) + rng.normal(size=(20, 1)) * x + rng.normal(size=(20, 1)) * x**2
    level = align_by_polynomial(data, 2)
    assert level == pytest.approx(np.full_like(data, data.mean()), abs=1e-12)
    data[4, 10:50] = np.nan
    data[5] = np.nan
    partly = align_by_polynomial(data, 2)
    assert np.array_equal(np.isnan(partly), np.isnan(data))
    assert np.nanmax(np.abs(partly - np.nanmean(partly))) < 1e-10
    with pytest.raises(RequestError, match="degree 5 needs at least 6 columns"):
        align_by_polynomial(np.ones((4, 5)), 5)


def test_scars_are_found_and_bridged() -> None:
    data, where = scarred()
    high, low = mark_scars(data), mark_scars(data, negative=True)
    assert high[10, 22:58].all() and high[33:35, 6:39].all() and low[50, 71:99].all()
    assert not high[60].any()  # too short
    assert (high | low)[where == 0].mean() < 0.002
    mended = bridge_rows(data, high | low)
    clean = data - 0.9 * where
    assert np.abs((mended - clean)[high | low]).mean() < 0.12
    assert np.array_equal(mended[~(high | low)], data[~(high | low)])


def test_scars_need_some_lines() -> None:
    with pytest.raises(RequestError, match="scars of 4 lines cannot be told in an image of 3"):
        History.from_text("scars").replay_data(np.random.default_rng(0).normal(size=(3, 40)))


def test_gaps_are_no_scars_and_stay_gaps() -> None:
    data, _ = scarred()
    data[20:24, 30:60] = np.nan
    after = History.from_text("scars").replay_data(data)
    assert np.array_equal(np.isnan(after), np.isnan(data))


@needs_library
@pytest.mark.parametrize("negative", [False, True])
@pytest.mark.parametrize(("high", "low", "length", "width"), [(0.666, 0.25, 16, 4), (1.5, 0.4, 5, 2), (0.3, 0.3, 1, 1)])
def test_scars_are_those_of_gwyddion(high: float, low: float, length: int, width: int, negative: bool) -> None:
    data, _ = scarred()
    ours = mark_scars(data, high, low, length, width, negative=negative)
    theirs = Field(data).scars(high, low, length, width, negative=negative)
    assert theirs.any()
    assert np.array_equal(ours, theirs)
