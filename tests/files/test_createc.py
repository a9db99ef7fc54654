import zlib
from pathlib import Path

import numpy as np
import pytest

from stmviewer.files import open_scan
from stmviewer.scan import FileError, Scan
from stmviewer.scan.levelling import level_for_display

from .gwyddion_program import converted, needs_gwyddion
from .make_createc import RAW, createc_bytes, unpacked

_REAL = "scans/spmqt-createc/createc_scan_atomic_11nm.dat"


def _read(folder: Path, content: bytes) -> Scan:
    path = folder / "made.dat"
    path.write_bytes(content)
    return open_scan(path)


@pytest.mark.parametrize("header_bytes", [16384, 16272, 17000])
def test_heights_and_currents_in_si(tmp_path: Path, header_bytes: int) -> None:
    scan = _read(tmp_path, createc_bytes(header_bytes=header_bytes))
    assert [(c.label, c.unit) for c in scan.channels] == [
        ("Topography forward", "m"),
        ("Current forward", "A"),
        ("Topography backward", "m"),
        ("Current backward", "A"),
    ]
    np.testing.assert_allclose(scan.channels[2].data, RAW[2].astype(float) * 19.2e-10 * 10 * 20 / 2**20, rtol=1e-12)
    np.testing.assert_allclose(scan.channels[1].data, RAW[1].astype(float) * 10 / 2**19 * 1e-9, rtol=1e-12)
    assert (scan.geometry.width, scan.geometry.height) == pytest.approx((4e-9, 3e-9))
    assert (scan.bias_v, scan.setpoint_a) == pytest.approx((-0.55, 3e-10))
    assert scan.line_time_s == (0.5, 0.5)
    assert scan.comment == "Tür"
    assert not scan.notes


def test_one_direction_and_unknown_channels(tmp_path: Path) -> None:
    scan = _read(tmp_path, createc_bytes(RAW[:2], Channels="2", GainZ=None))
    assert [(c.label, c.unit) for c in scan.channels] == [("Signal 1 forward", ""), ("Current forward", "A")]
    scan = _read(tmp_path, createc_bytes(RAW[:3], Channels="3"))
    assert [(c.label, c.unit) for c in scan.channels] == [(f"Channel {i} forward", "") for i in (1, 2, 3)]
    np.testing.assert_array_equal(scan.channels[1].data, RAW[1])
    assert "units of the converters" in scan.notes[0]


def test_lines_without_values_are_not_measured(tmp_path: Path) -> None:
    raw = RAW.copy()
    raw[:, 2] = 0
    scan = _read(tmp_path, createc_bytes(raw))
    assert all(c.measured.sum(axis=1).tolist() == [4, 4, 0] for c in scan.channels)
    assert "2 of 3 lines" in scan.notes[0]


def test_missing_fields(tmp_path: Path) -> None:
    changes = {"Length": None, "Sec/line": None, "SetPoint": None, "BiasVoltage": None}
    scan = _read(tmp_path, createc_bytes(**changes))
    assert scan.geometry.unit == "px"
    assert (scan.bias_v, scan.setpoint_a, scan.line_time_s) == (None, None, None)


def test_cut_at_any_byte_is_one_clear_error(tmp_path: Path) -> None:
    content = createc_bytes(header_bytes=16384)
    end = len(content) - len(zlib.compress(b"")) - 8  # zeros after the images may be missing
    path = tmp_path / "cut.dat"
    for length in [*range(1, 600, 7), *range(16300, end - 20)]:
        path.write_bytes(content[:length])
        with pytest.raises(FileError) as caught:
            open_scan(path)
        assert caught.value.path == path


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"Num.X": None}, "field Num.X is missing"),
        ({"Num.Y": "-3"}, "field Num.Y says '-3'"),
        ({"Num.X": "40"}, "unpack to"),
        ({"Num.X": "99999", "Num.Y": "99999"}, "claims 99999 x 99999 pixels"),
        ({"Num.X": "9999", "Num.Y": "9999"}, "claims to unpack"),
        ({"Channels": "1000"}, "64 are the most"),
    ],
)
def test_impossible_headers_are_refused(tmp_path: Path, changes: dict[str, str | None], said: str) -> None:
    with pytest.raises(FileError, match=said):
        _read(tmp_path, createc_bytes(**changes))


def test_damaged_data_and_other_kinds_are_named(tmp_path: Path) -> None:
    content = createc_bytes()
    with pytest.raises(FileError, match="damaged"):
        _read(tmp_path, content[:16386] + b"\xff" * 50)
    with pytest.raises(FileError, match="Createc image of 16-bit converters"):
        _read(tmp_path, b"[Parameter]\r\n" + content[13:])
    with pytest.raises(FileError, match="of a kind not known"):
        _read(tmp_path, b"[Param99]\r\n" + content[13:])


def test_an_image_that_is_not_packed_reads_the_same(tmp_path: Path) -> None:
    packed, plain = _read(tmp_path, createc_bytes()), _read(tmp_path, unpacked(createc_bytes()))
    assert [(c.label, c.unit) for c in plain.channels] == [(c.label, c.unit) for c in packed.channels]
    for one, other in zip(plain.channels, packed.channels, strict=True):
        np.testing.assert_array_equal(one.data, other.data)
    content = unpacked(createc_bytes())
    for end in (12, 300, 16384, 16388, 16388 + 4 * RAW.size - 1):
        with pytest.raises(FileError, match=r"made\.dat"):
            _read(tmp_path, content[:end])


@pytest.mark.real_data
def test_a_real_file_whose_current_is_its_setpoint(real_data: Path) -> None:
    scan = open_scan(real_data / _REAL)
    assert scan.geometry.shape == (512, 512)
    assert scan.geometry.width == pytest.approx(112.5034e-10)
    for current in scan.channels[1::2]:
        assert abs(np.median(current.data)) == pytest.approx(scan.setpoint_a, rel=0.01)
    forward, backward = (level_for_display(c.data) for c in scan.channels[::2])
    same, mirrored = (np.corrcoef(forward.ravel(), b.ravel())[0, 1] for b in (backward, backward[:, ::-1]))
    assert same > 0.7 > mirrored  # the backward image is stored as it is seen


@pytest.mark.real_data
@pytest.mark.gwyddion
@needs_gwyddion
def test_heights_of_a_real_file_as_gwyddion_sees_them(real_data: Path, tmp_path: Path) -> None:
    """An editor has shortened the header of this file; Gwyddion wants its data where they belong."""
    content = (real_data / _REAL).read_bytes()
    at = content.index(b"DATA\x78")
    mended = tmp_path / "mended.dat"
    mended.write_bytes(content[:at].ljust(16380, b"\0") + content[at:])
    scan = open_scan(mended)
    found = converted(mended, tmp_path)
    assert len(found) == len(scan.channels) == 4
    for channel, block in zip(scan.channels[::2], found[::2], strict=True):
        assert (channel.name, channel.unit) == (block["title"], block["unit"])
        assert (scan.geometry.width, scan.geometry.height) == pytest.approx(block["size"], rel=1e-4)
        assert np.abs(channel.data - block["data"]).max() <= 1e-6 * np.ptp(block["data"])
    plain = tmp_path / "plain.dat"
    plain.write_bytes(unpacked(mended.read_bytes()))
    for channel, block in zip(open_scan(plain).channels[::2], converted(plain, tmp_path)[::2], strict=True):
        assert np.abs(channel.data - block["data"]).max() <= 1e-6 * np.ptp(block["data"])


@pytest.mark.parametrize("said", ["1e-320", "0", "-5", "", "abc"])
def test_a_size_that_is_none_leaves_lengths_in_pixels(tmp_path: Path, said: str) -> None:
    content = createc_bytes().replace(b"Length y[A]=30.0", b"Length y[A]=" + said.encode().ljust(4))
    scan = _read(tmp_path, content)
    assert not scan.geometry.calibrated
    assert "Length y[A]" in scan.notes[0]
