import numpy as np
import pytest

from stmviewer.restore import RestoreRequest
from stmviewer.restore.gaps import gap_checks, out_of_reach
from stmviewer.restore.pipeline import restore
from stmviewer.scan import Channel, Geometry, Progress, Scan, make_mask


def test_out_of_reach_is_what_has_nothing_measured_about_it() -> None:
    measured = np.random.default_rng(0).random((23, 31)) < 0.01
    found = out_of_reach(measured, 3)
    for row, column in np.ndindex(measured.shape):
        about = measured[max(row - 3, 0) : row + 4, max(column - 3, 0) : column + 4]
        assert found[row, column] == (not about.any())


@pytest.mark.parametrize("pattern", ["lines:4", "lines:16", "grid:8", "pixels:0.1"])
def test_sparse_scans_are_within_reach(pattern: str) -> None:
    assert gap_checks(make_mask(pattern, 256, 256).measured) == []


def test_the_rest_of_a_stopped_scan_is_told_to_be_made_up() -> None:
    rng = np.random.default_rng(0)
    data = rng.normal(0, 1e-12, (100, 100)) + 1e-10 * np.sin(np.arange(100) / 3)
    data[60:] = np.nan
    scan = Scan([Channel("Z", "m", data)], Geometry(100, 100, 10e-9, 10e-9))
    result = restore(scan, RestoreRequest("sparse", model="linear", mask="file"), Progress())
    (check,) = [c for c in result.checks if c.about == "gap"]
    assert check.warns and check.text in result.warnings
    assert "32 % of the image lies more than 8 pixels from anything that was measured" in check.text
