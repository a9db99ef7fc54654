"""Profiles: known surfaces along known lines, and what is not there."""

import csv

import numpy as np
import pytest

from stmviewer.files.curves_csv import save_spectrum
from stmviewer.scan import Channel, Geometry, RequestError, Scan
from stmviewer.scan.profiles import line_profile

NM = 1e-9


def plane(rows: int = 40, columns: int = 60) -> Scan:
    """z = 2 x + 3 y (metres per metre) on pixels of 0.1 x 0.2 nm."""
    x = (np.arange(columns) + 0.5) * 0.1 * NM
    y = (np.arange(rows) + 0.5) * 0.2 * NM
    data = 2 * x[None, :] + 3 * y[:, None]
    return Scan([Channel("Z", "m", data)], Geometry(columns, rows, columns * 0.1 * NM, rows * 0.2 * NM))


def test_a_slope_keeps_its_slope_in_every_direction() -> None:
    scan = plane()
    start, end = np.array([1.0, 1.0]) * NM, np.array([4.0, 5.0]) * NM
    found = line_profile(scan, scan.channels, tuple(start), tuple(end))
    assert found.sweep.unit == "m"
    assert found.sweep.data[[0, -1]] == pytest.approx([0, 5 * NM])
    place = start + found.sweep.data[:, None] * (end - start) / (5 * NM)
    np.testing.assert_allclose(found.channels[0].data, place @ [2, 3], rtol=1e-9)
    assert len(found.sweep.data) == 51  # one a pixel of 0.1 nm


def test_a_width_averages_across_the_line() -> None:
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((200, 200))
    scan = Scan([Channel("Z", "m", noise)], Geometry(200, 200, 200e-10, 200e-10))
    thin, wide = (
        line_profile(scan, scan.channels, (5e-10, 100.5e-10), (195e-10, 100.5e-10), width=w).channels[0].data
        for w in (0.0, 24e-10)
    )
    assert wide.std() == pytest.approx(thin.std() / 5, rel=0.35)  # 25 lanes
    assert wide.mean() == pytest.approx(noise[88:113, 5:195].mean(), abs=0.02)


def test_what_is_not_measured_and_what_is_outside_has_no_value() -> None:
    data = np.ones((20, 20))
    data[:, 10] = np.nan
    scan = Scan([Channel("Z", "m", data)], Geometry(20, 20, 20 * NM, 20 * NM))
    found = line_profile(scan, scan.channels, (0.5 * NM, 10 * NM), (30.5 * NM, 10 * NM), points=31)
    z = found.channels[0].data
    assert np.isnan(z[10])
    assert np.isnan(z[20:]).all()
    assert (z[:9] == 1).all()
    assert (z[12:20] == 1).all()


def test_without_a_scale_lengths_are_pixels() -> None:
    scan = Scan([Channel("Height", "", np.eye(16))], Geometry.of_pixels(16, 16))
    found = line_profile(scan, scan.channels, (0.5, 0.5), (15.5, 15.5), points=16)
    assert found.sweep.unit == "px"
    np.testing.assert_allclose(found.channels[0].data, 1.0)


def test_raw_and_restored_are_told_apart_in_the_table(tmp_path) -> None:
    flat = np.zeros((16, 16))
    channels = [Channel("Z", "m", flat), Channel("Z", "m", flat + 1e-12, role="restored")]
    scan = Scan(channels, Geometry(16, 16, 16 * NM, 16 * NM))
    found = line_profile(scan, channels, (1 * NM, 1 * NM), (9 * NM, 1 * NM))
    lines = save_spectrum(found, tmp_path / "profile.csv").read_text().splitlines()
    table = list(csv.reader(line for line in lines if not line.startswith("#")))
    assert table[0] == ["Distance (m)", "Z forward (m)", "Z restored forward (m)"]
    assert [float(v) for v in table[-1]] == pytest.approx([8e-9, 0, 1e-12])
    assert any("profile from (1e-09, 1e-09) to (9e-09, 1e-09) m" in line for line in lines)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"end": (1 * NM, 1 * NM)}, "two different ends"),
        ({"end": (float("nan"), 1 * NM)}, "two different ends"),
        ({"start": (-9 * NM, -9 * NM), "end": (-1 * NM, -9 * NM)}, "outside"),
        ({"width": -1e-9}, "width"),
        ({"points": 1}, "2 to 1000000 points"),
        ({"channels": ()}, "needs a channel"),
    ],
)
def test_lines_that_cannot_be(change: dict, cause: str) -> None:
    scan = plane()
    given = {"channels": scan.channels, "start": (1 * NM, 1 * NM), "end": (2 * NM, 2 * NM)} | change
    with pytest.raises(RequestError, match=cause):
        line_profile(scan, **given)
