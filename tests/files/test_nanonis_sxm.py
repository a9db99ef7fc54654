import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stmviewer.files import open_scan
from stmviewer.scan import FileError

from .make_sxm import SxmChannel, sxm_bytes, two_channels

Write = Callable[[bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: bytes, name: str = "scan.sxm") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize("up", [False, True])
def test_images_come_as_the_microscopist_sees_them(write: Write, up: bool) -> None:
    made = two_channels()
    scan = open_scan(write(sxm_bytes(made, up=up)))
    assert [c.label for c in scan.channels] == ["Z forward", "Z backward", "Current forward", "Current backward"]
    assert [c.unit for c in scan.channels] == ["m", "m", "A", "A"]
    assert scan.scan_direction == ("up" if up else "down")
    images = [image for channel in made for image in (channel.forward, channel.backward)]
    for channel, image in zip(scan.channels, images, strict=True):
        assert image is not None
        np.testing.assert_array_equal(channel.data, image.astype(np.float64))


def test_stored_order_is_forward_backward_from_the_first_line_scanned(write: Write) -> None:
    """Independent of the fixture: the bytes of the first pixel of each image, by hand."""
    content = sxm_bytes(two_channels(rows=2, columns=3), up=True)
    data = np.frombuffer(content[content.index(b"\x1a\x04") + 2 :], ">f4").reshape(4, 2, 3)
    scan = open_scan(write(content))
    assert scan.channel("Z", "forward").data[1, 0] == data[0, 0, 0]
    assert scan.channel("Z", "backward").data[1, 2] == data[1, 0, 0]
    assert scan.channel("Current", "backward").data[0, 0] == data[3, 1, 2]


def test_header_becomes_physical_quantities(write: Write) -> None:
    scan = open_scan(write(sxm_bytes(two_channels())))
    frame = scan.geometry
    assert (frame.columns, frame.rows) == (8, 5)
    assert (frame.width, frame.height) == (16e-9, 10e-9)
    assert frame.angle_deg == 31.0
    assert frame.centre == (-1.366789e-7, 2.5e-8)
    assert scan.bias_v == -0.4
    assert scan.setpoint_a == pytest.approx(2.5e-10)
    assert scan.line_time_s == (0.256, 0.128)
    assert scan.recorded == "2016-01-07 12:10:04"
    assert scan.comment == "a made scan"
    assert scan.header["ACQ_TIME"] == "131.3"
    assert scan.format == "Nanonis SXM"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("blank_lines", [0, 2])
@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_header_dialects(write: Write, newline: str, blank_lines: int, encoding: str) -> None:
    made = two_channels()
    fields = {"COMMENT": "Tür 5 µm, 20 °C", "": "a field without a name"}
    content = sxm_bytes(made, fields=fields, newline=newline, blank_lines=blank_lines, encoding=encoding)
    scan = open_scan(write(content))
    assert scan.comment == "Tür 5 µm, 20 °C"
    assert scan.setpoint_a == pytest.approx(2.5e-10)
    np.testing.assert_array_equal(scan.channel("Z").data, made[0].forward)


def test_missing_fields_leave_gaps_and_no_error(write: Write) -> None:
    gone = ["REC_DATE", "REC_TIME", "SCAN_TIME", "SCAN_OFFSET", "SCAN_ANGLE", "SCAN_DIR", "BIAS", "Z-CONTROLLER"]
    scan = open_scan(write(sxm_bytes(two_channels(), without=[*gone, "COMMENT", "SCANIT_TYPE", "NANONIS_VERSION"])))
    assert (scan.bias_v, scan.setpoint_a, scan.line_time_s, scan.recorded) == (None, None, None, "")
    assert scan.geometry.centre == (0.0, 0.0)
    assert scan.geometry.width == 16e-9


@pytest.mark.parametrize("said", ["", "0 0", "nan 1e-9", "-1e-9 1e-9", "1e-9", "inf inf", "wide"])
def test_without_a_size_lengths_are_in_pixels(write: Write, said: str) -> None:
    scan = open_scan(write(sxm_bytes(two_channels(), fields={"SCAN_RANGE": said})))
    assert not scan.geometry.calibrated
    assert any("size is unknown" in note for note in scan.notes)


def test_setpoint_of_a_frequency_is_no_current(write: Write) -> None:
    table = "\tName\ton\tSetpoint\n\tFrequency (neg)\t0\t-1.400E+1 Hz"
    assert open_scan(write(sxm_bytes(two_channels(), fields={"Z-CONTROLLER": table}))).setpoint_a is None


def test_bias_and_setpoint_from_the_long_names(write: Write) -> None:
    fields = {"Bias>Bias (V)": "500E-3", "Z-Controller>Setpoint": "40E-12", "Z-Controller>Setpoint unit": "A"}
    scan = open_scan(write(sxm_bytes(two_channels(), fields=fields, without=["BIAS", "Z-CONTROLLER"])))
    assert scan.bias_v == 0.5
    assert scan.setpoint_a == pytest.approx(4e-11)


def test_directions_one_by_one(write: Write) -> None:
    image = two_channels()[0].forward
    scan = open_scan(write(sxm_bytes([SxmChannel("Z", "m", image), SxmChannel("Current", "A", None, image)])))
    assert [c.label for c in scan.channels] == ["Z forward", "Current backward"]
    np.testing.assert_array_equal(scan.channel("Current").data, image)


def test_channels_of_one_name_stay_apart(write: Write) -> None:
    made = two_channels()
    made[1].name = "Z"
    scan = open_scan(write(sxm_bytes(made)))
    assert scan.channel_names == ["Z", "Z (2)"]


def test_units_with_a_prefix_become_si(write: Write) -> None:
    image = np.full((3, 3), 2.5, np.float32)
    channel = open_scan(write(sxm_bytes([SxmChannel("Z", "nm", image)]))).channel("Z")
    assert channel.unit == "m"
    assert channel.data[0, 0] == pytest.approx(2.5e-9, rel=1e-15)


def test_little_endian_data(write: Write) -> None:
    content = sxm_bytes(two_channels(), fields={"SCANIT_TYPE": "FLOAT LSBFIRST"})
    start = content.index(b"\x1a\x04") + 2
    swapped = content[:start] + np.frombuffer(content[start:], ">f4").astype("<f4").tobytes()
    np.testing.assert_array_equal(open_scan(write(swapped)).channel("Z").data, two_channels()[0].forward)


def test_unfinished_scan_is_not_measured_where_it_stopped(write: Write) -> None:
    for up in (False, True):
        made = two_channels(rows=10)
        for channel in made:
            for image in (channel.forward, channel.backward):
                assert image is not None
                image[slice(0, 6) if up else slice(4, 10)] = np.nan
        scan = open_scan(write(sxm_bytes(made, up=up, size_m=(8e-9, 10e-9))))
        assert scan.channel("Z").measured_fraction == pytest.approx(0.4)
        assert scan.channel("Z").measured[-1 if up else 0].all()
        assert scan.notes == ("unfinished scan: 40.0 % of Z forward was measured",)


def test_scan_that_never_ran_opens_and_says_so(write: Write) -> None:
    never = np.full((5, 8), np.nan, np.float32)
    scan = open_scan(write(sxm_bytes([SxmChannel("Z", "m", never, never)])))
    assert any("no pixel of Z forward was measured" in note for note in scan.notes)
    assert scan.channel().why_not_restorable() is not None


def test_infinite_values_are_not_measured(write: Write) -> None:
    image = two_channels()[0].forward
    assert image is not None
    image[2, 3] = np.inf
    assert not open_scan(write(sxm_bytes([SxmChannel("Z", "m", image)]))).channel().measured[2, 3]


def test_pixels_that_are_not_square_are_noted_only(write: Write) -> None:
    scan = open_scan(write(sxm_bytes(two_channels(rows=4, columns=16), size_m=(16e-9, 16e-9))))
    assert scan.notes == ("pixels are not square: 1 nm wide, 4 nm high",)
    assert scan.geometry.pixel_height == 4e-9


def test_one_pixel_and_a_constant_image_open(write: Write) -> None:
    for shape in ((1, 1), (16, 16)):
        scan = open_scan(write(sxm_bytes([SxmChannel("Z", "m", np.full(shape, 1e-9, np.float32))])))
        assert scan.geometry.shape == shape
        assert scan.channel().why_not_restorable() is not None


def test_opening_reads_the_header_and_one_line(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    from stmviewer.files.source import Source

    path = write(sxm_bytes(two_channels(rows=64, columns=64)))
    read: list[int] = []
    array = Source.array

    def counted(self, offset, dtype, count):  # type: ignore[no-untyped-def]
        read.append(count)
        return array(self, offset, dtype, count)

    monkeypatch.setattr(Source, "array", counted)
    scan = open_scan(path)
    assert sum(read) == 64
    _ = scan.channel("Current", "backward").data
    assert sum(read) == 64 + 64 * 64


def test_truncated_anywhere_it_is_a_file_error_that_says_how_much(write: Write) -> None:
    content = sxm_bytes(two_channels())
    start = content.index(b"\x1a\x04") + 2
    for end in range(1, len(content)):
        with pytest.raises(FileError) as caught:
            open_scan(write(content[:end]))
        assert "scan.sxm" in str(caught.value)
        if end >= start:
            missing = len(content) - end
            first = ["Z forward", "Z backward", "Current forward", "Current backward"][(end - start) // (5 * 8 * 4)]
            assert f"{missing} bytes are missing, from channel '{first}' on" in str(caught.value)
        elif end > 100:
            assert "truncated" in str(caught.value)


def test_bytes_after_the_data_are_noted(write: Write) -> None:
    assert open_scan(write(sxm_bytes(two_channels()) + b"1234567")).notes == (
        "7 bytes after the last channel were ignored",
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"SCAN_PIXELS": "1000000 1000000"}, "truncated"),
        ({"SCAN_PIXELS": "9" * 5000 + " 4"}, "SCAN_PIXELS"),
        ({"SCAN_PIXELS": "0 4"}, "SCAN_PIXELS"),
        ({"SCAN_PIXELS": "-8 -5"}, "SCAN_PIXELS"),
        ({"SCAN_PIXELS": "eight"}, "SCAN_PIXELS"),
        ({"DATA_INFO": ""}, "DATA_INFO"),
        ({"DATA_INFO": "\tChannel\tName\tUnit\tDirection\n\t1\tZ\tm\tsideways"}, "sideways"),
        ({"DATA_INFO": "\tChannel\tName\tUnit\tDirection\n\t1\t\tm\tboth"}, "DATA_INFO"),
        ({"SCANIT_TYPE": "INT MSBFIRST"}, "SCANIT_TYPE"),
    ],
)
def test_header_that_cannot_be_is_refused_by_field(write: Write, fields: dict[str, str], said: str) -> None:
    with pytest.raises(FileError, match=said):
        open_scan(write(sxm_bytes(two_channels(), fields=fields)))


def test_file_that_changed_or_went_away_after_opening(write: Write) -> None:
    path = write(sxm_bytes(two_channels()))
    scan = open_scan(path)
    status = path.stat()
    path.write_bytes(sxm_bytes(two_channels())[:-8])
    with pytest.raises(FileError, match="changed"):
        _ = scan.channel("Z").data
    path.write_bytes(sxm_bytes(two_channels()))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))
    with pytest.raises(FileError, match="changed"):
        _ = scan.channel("Z").data
    path.unlink()
    with pytest.raises(FileError, match="no such file"):
        _ = scan.channel("Z").data


def test_a_name_in_any_script_and_case(write: Callable[..., Path]) -> None:
    content = sxm_bytes(two_channels())
    for name in ("Si(100) µ-表面.SXM", "scan"):
        assert open_scan(write(content, name)).channel_names == ["Z", "Current"]
