import struct
from pathlib import Path

import numpy as np
import pytest

from stmviewer.files import open_parts, open_scan
from stmviewer.files.rhk_pages import image_pages
from stmviewer.files.source import Source
from stmviewer.scan import FileError, Scan

from .gwyddion_program import converted, needs_gwyddion
from .make_sm4 import Z_OFFSET, Z_SCALE, Page, sm4_bytes

_RAW = np.arange(12, dtype=np.int32).reshape(3, 4) - 5
_REAL = "scans/spym-sm4/topo_ABC_graphite_9K_b.sm4"


def _read(folder: Path, *pages: Page) -> Scan:
    path = folder / "made.sm4"
    path.write_bytes(sm4_bytes(list(pages)))
    return open_scan(path)


def _compare_with_gwyddion(path: Path, folder: Path) -> int:
    scan = open_scan(path)
    found = converted(path, folder)
    assert len(found) == len(scan.channels)
    for channel, block in zip(scan.channels, found, strict=True):
        side = {"forward": "Right", "backward": "Left"}[channel.direction]
        assert f"{channel.name} [{side}]" == block["title"]
        assert channel.unit == block["unit"]
        assert (scan.geometry.width, scan.geometry.height) == pytest.approx(block["size"], rel=1e-6)
        scale = float(np.ptp(block["data"]))
        assert scale > 0
        assert np.abs(channel.data - block["data"]).max() <= 1e-6 * scale
    return len(found)


def test_images_with_size_units_and_directions(tmp_path: Path) -> None:
    scan = _read(tmp_path, Page(_RAW + 7, "Current", "A", 1), Page(_RAW), Page(_RAW, scan_type=1))
    assert [(c.label, c.unit) for c in scan.channels] == [
        ("Current backward", "A"),
        ("Topography forward", "m"),
        ("Topography backward", "m"),
    ]
    np.testing.assert_allclose(scan.channel().data, _RAW[:, ::-1] * Z_SCALE + Z_OFFSET, rtol=1e-12)
    assert (scan.geometry.width, scan.geometry.height) == pytest.approx((8e-9, 3e-9))
    assert (scan.bias_v, scan.setpoint_a) == pytest.approx((-0.5, 1e-10))
    assert (scan.recorded, scan.comment) == ("2021-08-13 19:08:26", "5 µm")


def test_signs_of_the_scales_turn_the_image(tmp_path: Path) -> None:
    for x, y, turned in ((-1, -1, _RAW[:, ::-1]), (-1, 1, _RAW[::-1, ::-1]), (1, -1, _RAW), (1, 1, _RAW[::-1])):
        scan = _read(tmp_path, Page(_RAW, x_scale=x * 1e-9, y_scale=y * 1e-9))
        np.testing.assert_allclose(scan.channel().data, turned * Z_SCALE + Z_OFFSET, rtol=1e-12)
        assert any("may be mirrored" in note for note in scan.notes) == (x > 0)


def test_spectra_are_left_out_and_other_sizes_are_scans_of_their_own(tmp_path: Path) -> None:
    line = Page(_RAW, kind=1)
    scan = _read(tmp_path, line, Page(_RAW[:2], "Current", "A"), Page(_RAW, completed="0002"))
    assert scan.channel_names == ["Topography"]
    assert "1 pages" in scan.notes[0]
    assert "2 of 3 lines" in scan.notes[-1]
    first, second = open_parts(tmp_path / "made.sm4")
    assert first.channel_names == scan.channel_names
    assert (second.channel_names, second.geometry.shape) == (["Current"], (2, 4))
    assert not any("spectra" in note for note in second.notes)
    assert second.part.label == "2: Current, 4 x 2 pixels, 8 x 2 nm"
    with pytest.raises(FileError, match="none of its 1 pages is an image"):
        _read(tmp_path, line)


def test_names_are_of_one_line(tmp_path: Path) -> None:
    assert _read(tmp_path, Page(_RAW, "Topo\ngraphy\0")).channel_names == ["Topo graphy"]


def test_cut_at_any_byte_is_one_clear_error(tmp_path: Path) -> None:
    content = sm4_bytes([Page(_RAW), Page(_RAW, scan_type=1)])
    path = tmp_path / "cut.sm4"
    for length in range(1, len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(FileError) as caught:
            open_scan(path)
        assert caught.value.path == path


def test_any_byte_may_be_damaged(tmp_path: Path) -> None:
    content = sm4_bytes([Page(_RAW), Page(_RAW, scan_type=1)])
    path = tmp_path / "damaged.sm4"
    for at in range(2, len(content)):
        for value in (0, 0x7F, 0xFF):
            path.write_bytes(content[:at] + bytes([value]) + content[at + 1 :])
            try:
                scan = open_scan(path)
            except FileError as error:
                assert error.path == path
            else:
                assert all(c.data.shape == scan.geometry.shape for c in scan.channels)


def test_absurd_counts_are_refused_before_allocating(tmp_path: Path) -> None:
    content = bytearray(sm4_bytes([Page(_RAW)]))
    content[42:46] = struct.pack("<I", 2**31)
    (tmp_path / "a.sm4").write_bytes(content)
    with pytest.raises(FileError, match="2147483648"):
        open_scan(tmp_path / "a.sm4")


@pytest.mark.real_data
@pytest.mark.gwyddion
@needs_gwyddion
@pytest.mark.parametrize("y_sign", [-1, 1])
def test_images_are_turned_as_gwyddion_turns_them(real_data: Path, tmp_path: Path, y_sign: int) -> None:
    """The real file with the sign of its Y scale changed, as another scan direction would have them."""
    content = (real_data / _REAL).read_bytes()
    step = 75e-9 / 128
    page = image_pages(Source.of(real_data / _REAL))[0][0]
    stored, turned = struct.pack("<2f", page.x_scale, page.y_scale), struct.pack("<2f", -step, y_sign * step)
    assert content.count(stored) == 6
    path = tmp_path / "turned.sm4"
    path.write_bytes(content.replace(stored, turned))
    assert _compare_with_gwyddion(path, tmp_path) == 6


@pytest.mark.real_data
@pytest.mark.gwyddion
@needs_gwyddion
def test_a_real_file_as_gwyddion_sees_it(real_data: Path, tmp_path: Path) -> None:
    assert _compare_with_gwyddion(real_data / _REAL, tmp_path) == 6


@pytest.mark.real_data
def test_what_a_real_file_says(real_data: Path) -> None:
    scan = open_scan(real_data / _REAL)
    assert scan.geometry.shape == (128, 128)
    assert (scan.bias_v, scan.setpoint_a) == pytest.approx((0.5, 1e-10))
    assert scan.channel().label == "Topography forward"
    assert not scan.notes
