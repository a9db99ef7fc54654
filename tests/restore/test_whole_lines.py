"""A few values that are missing in measured lines do not make scattered pixels of them."""

import numpy as np
import pytest

from stmviewer.restore import RestoreRequest
from stmviewer.restore.case import Case, prepare
from stmviewer.restore.filling import separable
from stmviewer.restore.pipeline import restore
from stmviewer.restore.whole_lines import with_whole_lines
from stmviewer.scan import Channel, Geometry, Mask, Progress, Scan, make_mask
from tests.restore.cells.test_cells import crystal

SIDE = 96
PIXEL_M = 0.15e-9


def surface() -> np.ndarray:
    return 1e-11 * crystal(side=SIDE)


def case_of(image: np.ndarray, measured: np.ndarray) -> Case:
    geometry = Geometry(SIDE, SIDE, SIDE * PIXEL_M, SIDE * PIXEL_M)
    return Case(np.where(measured, image, np.nan), Mask(measured, "lines"), geometry)


def lines(pattern: str = "lines:4") -> np.ndarray:
    return np.array(make_mask(pattern, SIDE, SIDE, 0).measured)


def rows_of(measured: np.ndarray) -> np.ndarray:
    return np.nonzero(measured.any(axis=1))[0]


def scan_of(image: np.ndarray, rows: int = SIDE) -> Scan:
    return Scan([Channel("Z", "m", image)], Geometry(SIDE, rows, SIDE * PIXEL_M, SIDE * PIXEL_M))


def test_short_runs_are_interpolated_along_their_line() -> None:
    measured, image = lines(), surface()
    row = rows_of(measured)[3]
    measured[row, 40:44] = False
    whole = with_whole_lines(case_of(image, measured))
    given = whole.case.mask.measured
    np.testing.assert_array_equal(given, lines())
    assert whole.filled is not None and whole.filled.sum() == 4 and whole.filled[row, 40:44].all()
    np.testing.assert_array_equal(whole.case.raw[measured], image[measured])
    expected = np.interp(np.arange(40, 44), [39, 44], image[row, [39, 44]])
    np.testing.assert_allclose(whole.case.raw[row, 40:44], expected)
    (check,) = whole.checks()
    assert "4 pixels without a value were interpolated along their line" in check.text
    assert not check.warns


def test_lines_that_miss_more_are_left_out_and_told_of() -> None:
    measured, image = lines(), surface()
    rows = rows_of(measured)
    measured[rows[3], 40:60] = False  # a scar
    measured[rows[-1], 30:] = False  # not finished
    whole = with_whole_lines(case_of(image, measured))
    np.testing.assert_array_equal(rows_of(whole.case.mask.measured), np.delete(rows, [3, len(rows) - 1]))
    assert separable(whole.case.mask.measured) is not None
    (check,) = whole.checks()
    assert check.warns and "2 measured lines that miss more" in check.text


def test_a_pixel_of_a_grid_is() -> None:
    measured, image = lines("grid:4"), surface()
    row, column = (np.nonzero(measured.any(axis=k))[0][5] for k in (1, 0))
    measured[row, column] = False
    whole = with_whole_lines(case_of(image, measured))
    np.testing.assert_array_equal(whole.case.mask.measured, lines("grid:4"))
    assert whole.case.raw[row, column] == pytest.approx((image[row, column - 4] + image[row, column + 4]) / 2)


@pytest.mark.parametrize(
    "measured",
    [
        lines(),
        lines("pixels:0.25"),
        lines("pixels:0.97"),
        lines("grid-jitter:4"),
        lines("spiral:0.3"),
        np.ones((SIDE, SIDE), dtype=bool),
        np.eye(SIDE, dtype=bool),
        lines() & lines("pixels:0.5"),
    ],
)
def test_other_masks_are_left_as_they_are(measured: np.ndarray) -> None:
    case = case_of(surface(), measured)
    whole = with_whole_lines(case)
    assert whole.case is case
    assert whole.checks() == []


def test_lines_between_rows_are_made_whole_where_they_lie() -> None:
    image = np.array(surface()[1::4])
    image[5, 10] = np.nan
    image[7, 20:50] = np.nan
    image[20:] = np.nan  # stopped
    scan = scan_of(image, len(image))
    case = prepare(scan, scan.channel(), RestoreRequest(task="sparse", mask="file"))
    whole = with_whole_lines(case)
    assert case.placement is not None and whole.case.placement is not None and whole.case.lines is not None
    kept = np.delete(np.arange(20), 7)
    np.testing.assert_array_equal(whole.case.placement.positions, case.placement.positions[kept])
    assert np.isfinite(whole.case.lines).all() and whole.left_out == 1
    assert whole.filled is not None and whole.filled.sum() == 1


@pytest.mark.parametrize("pattern", ["lines:4", "grid:4"])
@pytest.mark.parametrize("model", ["unit-cell", "regression-sim"])
def test_a_dead_pixel_changes_little(pattern: str, model: str) -> None:
    image = 1e-11 * crystal(side=208)
    good = scan_of(image)
    good = Scan(good.channels, Geometry(208, 208, 208 * PIXEL_M, 208 * PIXEL_M))
    row, column = (np.nonzero(make_mask(pattern, 208, 208, 0).measured.any(axis=k))[0][20] for k in (1, 0))
    dead = np.array(image)
    dead[row, column] = np.nan
    bad = Scan([Channel("Z", "m", dead)], good.geometry)
    request = RestoreRequest(task="sparse", model=model, mask=pattern, check=False)
    whole, holed = (restore(scan, request, Progress()) for scan in (good, bad))
    measured = holed.mask.measured
    assert not measured[row, column]
    np.testing.assert_array_equal(holed.mean[measured], dead[measured])
    assert holed.provenance["cells"] is not None
    apart = np.abs(holed.mean - whole.mean)
    assert np.median(apart) < 0.01 * image.std()
    assert any(check.about == "lines" for check in holed.checks)
    if holed.deviation is not None:
        assert holed.deviation[row, column] >= np.median(holed.deviation[~measured])
        assert (holed.deviation[measured] == 0).all()
