import subprocess
from pathlib import Path

import numpy as np
import pytest

from stmviewer.files import open_scan
from stmviewer.scan import FileError

from .gwyddion_program import blocks, needs_gwyddion
from .make_gsf import IMAGE, gsf_bytes


def test_an_image_with_size_offset_and_title(tmp_path: Path) -> None:
    for title in ("Z (Backward)", "Z  (Backward)", "ZZ (Backward)", "ZZZ (Backward)"):  # every length of the filling
        (tmp_path / "a.gsf").write_bytes(gsf_bytes(Title=title))
        scan = open_scan(tmp_path / "a.gsf")
        np.testing.assert_array_equal(scan.channel().data, IMAGE)
    (tmp_path / "a.gsf").write_bytes(gsf_bytes())
    scan = open_scan(tmp_path / "a.gsf")
    assert (scan.channel().label, scan.channel().unit) == ("Z backward", "m")
    assert (scan.geometry.width, scan.geometry.height) == (4e-9, 3e-9)
    assert scan.geometry.centre == pytest.approx((12e-9, -18.5e-9))
    assert not scan.notes


def test_without_units_the_size_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "a.gsf").write_bytes(gsf_bytes(XYUnits=None, XReal=None, ZUnits=None, Title=None))
    scan = open_scan(tmp_path / "a.gsf")
    assert scan.geometry.unit == "px"
    assert scan.channel().unit == ""
    assert "size is unknown" in scan.notes[0]


def test_cut_at_any_byte_is_one_clear_error(tmp_path: Path) -> None:
    content = gsf_bytes()
    for length in range(1, len(content)):
        (tmp_path / "cut.gsf").write_bytes(content[:length])
        with pytest.raises(FileError) as caught:
            open_scan(tmp_path / "cut.gsf")
        assert caught.value.path == tmp_path / "cut.gsf"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"XRes": None}, "field XRes is missing"),
        ({"YRes": "3.5"}, "field YRes says '3.5'"),
        ({"YRes": "0"}, "empty"),
        ({"XRes": "99999", "YRes": "99999"}, "claims 99999 x 99999 pixels"),
        ({"XRes": "9999"}, "truncated"),
    ],
)
def test_impossible_headers_are_refused(tmp_path: Path, changes: dict[str, str | None], said: str) -> None:
    (tmp_path / "a.gsf").write_bytes(gsf_bytes(**changes))
    with pytest.raises(FileError, match=said):
        open_scan(tmp_path / "a.gsf")


@pytest.mark.gwyddion
@needs_gwyddion
def test_as_gwyddion_reads_it(tmp_path: Path) -> None:
    (tmp_path / "a.gsf").write_bytes(gsf_bytes())
    out = tmp_path / "a.gwy"
    subprocess.run(
        ["gwyddion", f"--convert-to-gwy={out}", str(tmp_path / "a.gsf")], check=True, capture_output=True, timeout=60
    )
    (block,) = blocks(out)
    scan = open_scan(tmp_path / "a.gsf")
    np.testing.assert_array_equal(scan.channel().data, block["data"])
    assert (scan.geometry.width, scan.geometry.height) == pytest.approx(block["size"])
    corner = [c - s / 2 for c, s in zip(scan.geometry.centre, block["size"], strict=True)]
    assert corner == pytest.approx(block["offset"])
    assert (block["unit"], block["title"]) == ("m", "Z (Backward)")
