"""Omicron Matrix images, as access2theMatrix and Gwyddion read them. The files are made: see make_mtrx."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from access2thematrix import MtrxData

from stmviewer.files import open_parts, open_scan, stem_of
from stmviewer.files.source import Source
from stmviewer.scan import Channel, FileError, Scan

from . import make_mtrx as mtrx
from .gwyddion_program import converted, needs_gwyddion

FRAMES = mtrx.frames()


def raw(channel: Channel) -> np.ndarray:
    """Values of the converters again, for Z of the made scale."""
    return np.round(channel.data * 1e12 + 5)


def test_four_images_are_two_scans_as_the_microscopist_sees_them(tmp_path: Path) -> None:
    up, down = open_parts(mtrx.write(tmp_path))
    for scan, way in ((up, "up"), (down, "down")):
        assert scan.scan_direction == way
        assert [c.label for c in scan.channels] == ["Z forward", "Z backward"]
        for channel in scan.channels:
            np.testing.assert_array_equal(raw(channel), FRAMES[way, channel.direction])
            assert channel.unit == "m"
        assert scan.notes == ()
    assert [p.part.label for p in (up, down)] == ["1: up", "2: down"]


def test_settings_become_physical_quantities(tmp_path: Path) -> None:
    scan = open_scan(mtrx.write(tmp_path))
    assert (scan.geometry.width, scan.geometry.height) == (60e-9, 40e-9)
    assert scan.geometry.centre == (1e-7, -2e-7)
    assert scan.geometry.angle_deg == -30.0  # Matrix turns counterclockwise
    assert (scan.bias_v, scan.setpoint_a) == (-1.5, 5e-11)
    assert scan.line_time_s == (pytest.approx(6e-3), pytest.approx(6e-3))
    assert scan.recorded == "2018-01-01 12:00:00 UTC"
    assert scan.comment == "Si(001):H, Tür\nmade by a test"
    assert scan.header["GapVoltageControl.Voltage"] == "-1.5 Volt"
    assert scan.format == "Omicron Matrix"


def test_a_current_by_its_two_stage_scale(tmp_path: Path) -> None:
    current = open_scan(mtrx.write(tmp_path, channel="I")).channel("I", "backward")
    assert current.unit == "A"
    np.testing.assert_allclose(current.data, 5.0 * FRAMES["up", "backward"] / 2e15, rtol=1e-12)


@pytest.mark.parametrize("both_ways", [True, False])
@pytest.mark.parametrize("retrace", [True, False])
@pytest.mark.parametrize("lines", [None, 1, 3, 4, 5, 7])
def test_every_kind_of_scan_and_stop_as_access2thematrix_reads_it(
    tmp_path: Path, retrace: bool, both_ways: bool, lines: int | None
) -> None:
    per_line = 6 * (1 + retrace)
    values = mtrx.in_time(FRAMES, retrace, both_ways)
    if lines is not None:
        values = values[: lines * per_line + 2]  # and a bit of a line, which nobody shows
    whole = len(values) // per_line
    facts = {"XYScanner.X_Retrace": (retrace, ""), "XYScanner.Y_Retrace": (both_ways, "")}
    path = mtrx.write(tmp_path, values, settings=mtrx.SETTINGS | facts)
    parts = open_parts(path)
    assert len(parts) == 1 + (whole > 4)
    theirs = MtrxData()
    theirs.open(str(path))
    for part in parts:
        measured = min(whole - 4 * (part.scan_direction == "down"), 4)
        assert bool(part.notes) == (measured < 4)
        for channel in part.channels:
            trace, _ = theirs.select_image(f"{channel.direction}/{part.scan_direction}")
            rows = slice(4 - measured, 4) if part.scan_direction == "up" else slice(0, measured)
            assert channel.measured.sum() == measured * 6
            if whole > 1:  # the package takes one line for none
                np.testing.assert_allclose(channel.data[rows], trace.data[::-1], rtol=1e-12)
            np.testing.assert_array_equal(raw(channel)[rows], FRAMES[part.scan_direction, channel.direction][rows])
        assert [c.direction for c in part.channels] == ["forward", "backward"][: 1 + retrace]


@pytest.mark.gwyddion
@needs_gwyddion
@pytest.mark.parametrize("channel", ["Z", "I"])
def test_made_files_as_gwyddion_sees_them(tmp_path: Path, channel: str) -> None:
    path = mtrx.write(tmp_path, channel=channel)
    ours = [c for part in open_parts(path) for c in part.channels]
    blocks = converted(path, tmp_path)
    assert [b["title"].split()[-1] for b in blocks] == ["TraceUp", "RetraceUp", "TraceDown", "RetraceDown"]
    for image, block in zip(ours, blocks, strict=True):
        np.testing.assert_allclose(image.data, block["data"], rtol=1e-9)
        assert image.unit == block["unit"]
        assert block["size"] == (60e-9, 40e-9)


def test_newer_names_of_the_pixels(tmp_path: Path) -> None:
    newer = {"XYScanner.Points": "XYScanner.X_Points", "XYScanner.Lines": "XYScanner.Y_Points"}
    settings = {newer.get(name, name): value for name, value in mtrx.SETTINGS.items()}
    assert open_scan(mtrx.write(tmp_path, settings=settings)).geometry.shape == (4, 6)


def test_the_state_of_the_journal_at_the_name_of_the_image_counts(tmp_path: Path) -> None:
    names = ["made--1_1.Z_mtrx", "made--2_1.Z_mtrx"]
    change = mtrx.changed_block("GapVoltageControl.Voltage", 0.5, "Volt")
    between = mtrx.reference_block(names[0]) + change
    content = mtrx.journal(names[1], before=between)
    path = mtrx.write(tmp_path, parameters=content + mtrx.changed_block("GapVoltageControl.Voltage", 9.0, "Volt"))
    second = tmp_path / names[1]
    second.write_bytes(path.read_bytes())
    assert (open_scan(path).bias_v, open_scan(second).bias_v) == (-1.5, 0.5)


def test_a_journal_goes_on_in_further_files(tmp_path: Path) -> None:
    path = mtrx.write(tmp_path, parameters=mtrx.journal())
    with pytest.raises(FileError, match="does not mention it"):
        open_scan(path)
    (tmp_path / "made_0002.mtrx").write_bytes(mtrx.MAGIC + mtrx.reference_block(path.name))
    assert raw(open_scan(path).channel())[0, 0] == 1000


def test_values_stay_in_the_file_until_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = mtrx.write(tmp_path)
    counted: list[int] = []
    original = Source.array

    def array(self: Source, offset: int, dtype: Any, count: int) -> Any:
        counted.append(count)
        return original(self, offset, dtype, count)

    monkeypatch.setattr(Source, "array", array)
    parts = open_parts(path)
    assert counted == []
    _ = parts[1].channels[0].data
    assert counted == [48]  # one frame of four lines there and back


def test_parameter_files_that_are_missing_foreign_cut_or_none(tmp_path: Path) -> None:
    def fails(parameters: bytes | None, said: str) -> None:
        path = mtrx.write(tmp_path, parameters=parameters or b"")
        if parameters is None:
            (tmp_path / "made_0001.mtrx").unlink()
        with pytest.raises(FileError, match=said) as caught:
            open_scan(path)
        assert caught.value.path == path

    good = mtrx.journal("made--1_1.Z_mtrx")
    fails(None, r"its parameter file made_0001\.mtrx is not in the same folder")
    fails(mtrx.journal("other--1_1.Z_mtrx"), "does not mention it")
    fails(good[: len(good) // 2], r"damaged or cut off|does not mention it")
    fails(b"nothing of the kind", "is not a parameter file")
    fails(mtrx.results(np.zeros(4, np.int32)), "is not a parameter file")
    fails(mtrx.journal("made--1_1.Z_mtrx", scales={}), "how values of channel Z are scaled")
    flat = {"Z": ("m", "TFF_Linear1D", {"Factor": float("inf"), "Offset": 5.0})}
    fails(mtrx.journal("made--1_1.Z_mtrx", scales=flat), "scale of channel Z")
    for name, value, said in (
        ("XYScanner.Points", 0, "count of pixels"),
        ("XYScanner.Lines", 2**31 - 1, "pixels"),
        ("XYScanner.Lines", 10**7, "unpack"),
        ("XYScanner.Points", 1000, "not one line"),
        ("XYScanner.X_Retrace", "yes", "X_Retrace"),
    ):
        wrong = mtrx.journal("made--1_1.Z_mtrx", settings=mtrx.SETTINGS | {name: (value, "")})
        fails(wrong, said)


def test_cut_at_any_byte_the_parameters_are_one_clear_error(tmp_path: Path) -> None:
    good = mtrx.journal("made--1_1.Z_mtrx")
    path = mtrx.write(tmp_path)
    at_name = good.index(mtrx.reference_block("made--1_1.Z_mtrx")) + len(mtrx.reference_block("made--1_1.Z_mtrx"))
    for end in range(1, len(good), 5):
        (tmp_path / "made_0001.mtrx").write_bytes(good[:end])
        if end >= at_name:
            open_scan(path)
            continue
        with pytest.raises(FileError, match=r"made--1_1\.Z_mtrx"):
            open_scan(path)


def test_cut_at_any_byte_the_image_is_one_clear_error(tmp_path: Path) -> None:
    path = mtrx.write(tmp_path)
    content = path.read_bytes()
    for end in range(1, len(content)):
        path.write_bytes(content[:end])
        with pytest.raises(FileError, match=r"made--1_1\.Z_mtrx"):
            open_scan(path)


def test_what_is_no_image_of_matrix_is_named(tmp_path: Path) -> None:
    path = mtrx.write(tmp_path)
    with pytest.raises(FileError, match=r"parameter file of Omicron Matrix.*made--1_1\.Z_mtrx"):
        open_scan(tmp_path / "made_0001.mtrx")
    curve = tmp_path / "made--1_1.I(V)_mtrx"
    curve.write_bytes(path.read_bytes())
    with pytest.raises(FileError, match=r"Matrix curve \(I\(V\)_mtrx\)"):
        open_scan(curve)
    renamed = tmp_path / "image.mtrx"
    renamed.write_bytes(path.read_bytes())
    with pytest.raises(FileError, match="by another name"):
        open_scan(renamed)
    other = tmp_path / "made--2_1.Z_mtrx"
    other.write_bytes(b"ONTMATRX0999" + path.read_bytes()[12:])
    with pytest.raises(FileError, match="another version"):
        open_scan(other)


def test_names_in_any_script_and_case(tmp_path: Path) -> None:
    folder = tmp_path / "Tür -- 走査"
    folder.mkdir()
    path = mtrx.write(folder, base="default_2018-Jan--01_Ü")
    assert open_scan(path).geometry.columns == 6
    upper = path.with_name(path.name.replace("_mtrx", "_MTRX"))
    path.rename(upper)
    assert open_scan(upper).geometry.columns == 6
    assert stem_of(upper) == "default_2018-Jan--01_Ü--1_1.Z"


def test_blocks_within_blocks_without_end_take_no_memory(tmp_path: Path) -> None:
    body = bytes(200_000)
    for _ in range(900):
        body = bytes(4) + mtrx.block(b"YSCC", body)
    path = mtrx.write(tmp_path, parameters=mtrx.journal(before=mtrx.block(b"YSCC", body)))
    with pytest.raises(FileError, match="damaged"):
        open_scan(path)


@pytest.mark.parametrize("which", ["made_0001.mtrx", "made--1_1.Z_mtrx"])
def test_broken_files_are_scans_or_one_clear_error(tmp_path: Path, which: str) -> None:
    path = mtrx.write(tmp_path)
    content = (tmp_path / which).read_bytes()
    rng = np.random.default_rng(0)
    opened = 0
    for _ in range(250):
        broken = bytearray(content)
        for position in rng.integers(12, len(content), 2):
            broken[position] = rng.integers(0, 256)
        (tmp_path / which).write_bytes(broken)
        try:
            scans: tuple[Scan, ...] = open_parts(path)
            for scan in scans:
                _ = [channel.data for channel in scan.channels]
            opened += 1
        except FileError:
            pass
    assert 0 < opened < 250


def test_a_claim_of_more_values_than_there_are_is_refused(tmp_path: Path) -> None:
    path = mtrx.write(tmp_path)
    content = bytearray(path.read_bytes())
    struct.pack_into("<i", content, 32 + 8 + 24, 10**9)
    path.write_bytes(content)
    with pytest.raises(FileError, match="truncated"):
        open_scan(path)
    struct.pack_into("<i", content, 32 + 8 + 24, -5)
    path.write_bytes(content)
    with pytest.raises(FileError, match="-5 values"):
        open_scan(path)
