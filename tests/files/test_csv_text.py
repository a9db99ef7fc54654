from pathlib import Path

import numpy as np

from stmviewer.files import save_scan
from stmviewer.scan import Channel, Geometry

from .made_scans import plain_scan, restored_scan


def test_the_restored_matrix_reads_back_the_same(tmp_path: Path) -> None:
    scan = restored_scan(path=Path("lab/scan.sxm"))
    path = save_scan(scan, tmp_path / "a.csv")
    np.testing.assert_array_equal(np.loadtxt(path, delimiter=","), scan.channels[2].data)
    head = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    for said in (
        "# file: scan.sxm",
        "# channel: Z forward restored",
        "# unit: m",
        "# columns: 16",
        "# rows: 12",
        "# width_m: 1.6e-08",
        "# height_m: 1.2e-08",
        "# bias: -400 mV",
        "# setpoint: 250 pA",
        "# measured: 25 % of the pixels",
    ):
        assert said in head
    assert any(line.startswith('# provenance: {"channel": "Z"') for line in head)


def test_unmeasured_pixels_are_nan_and_an_unknown_size_is_said(tmp_path: Path) -> None:
    image = np.arange(12.0).reshape(3, 4)
    image[1] = np.nan
    path = save_scan(plain_scan(image, geometry=Geometry.of_pixels(3, 4)), tmp_path / "a.csv")
    np.testing.assert_array_equal(np.loadtxt(path, delimiter=","), image)
    assert "# size: unknown" in path.read_text()


def test_a_name_with_a_line_end_begins_no_line_of_numbers(tmp_path: Path) -> None:
    scan = plain_scan(np.zeros((2, 3)), channels=[Channel("Z\n1,2,3\r4\u20285", "m", np.zeros((2, 3)))])
    path = save_scan(scan, tmp_path / "a.csv")
    assert np.loadtxt(path, delimiter=",", encoding="utf-8").shape == (2, 3)
