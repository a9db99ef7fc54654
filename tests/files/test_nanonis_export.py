"""Written .sxm files, read by us, by nanonispy2 and by Gwyddion."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stmviewer.files import open_scan, save_scan
from stmviewer.scan import Channel, FileError, Geometry, Scan

from .gwyddion_program import converted, needs_gwyddion
from .made_scans import plain_scan, restored_scan
from .make_sxm import sxm_bytes, two_channels


def _identities(scan: Scan) -> list[tuple[str, ...]]:
    return [(c.name, c.direction, c.role, c.unit) for c in scan.channels]


def _assert_same(back: Scan, scan: Scan) -> None:
    """Everything that the format can carry, images bit for bit in float32."""
    assert _identities(back) == _identities(scan)
    for ours, theirs in zip(scan.channels, back.channels, strict=True):
        np.testing.assert_array_equal(ours.data.astype(np.float32), theirs.data.astype(np.float32))
    assert (back.geometry, back.scan_direction) == (scan.geometry, scan.scan_direction)
    assert (back.bias_v, back.setpoint_a, back.line_time_s) == (scan.bias_v, scan.setpoint_a, scan.line_time_s)
    assert (back.recorded, back.comment) == (scan.recorded, scan.comment)


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("channel", ["forward", "backward"])
def test_a_restored_scan_reads_back(tmp_path: Path, direction: str, channel: Any) -> None:
    channels = [Channel(c.name, c.unit, c.data, channel, c.role) for c in restored_scan().channels]
    scan = restored_scan(scan_direction=direction, header={}, channels=channels)
    path = save_scan(scan, tmp_path / "a.sxm")
    assert path.name == "a_restored.sxm"
    back = open_scan(path)
    _assert_same(back, scan)
    assert back.provenance == scan.provenance
    # its gaps are those of the sampling
    assert not back.notes


@pytest.mark.parametrize("up", [False, True])
def test_a_nanonis_scan_keeps_its_header(tmp_path: Path, up: bool) -> None:
    made = two_channels()
    assert made[0].forward is not None
    made[0].forward[3:, 2:5] = np.nan
    raw = tmp_path / "raw.sxm"
    more = {"Scan>lines": "5", "Module>Temperature (µK)": "4", "COMMENT": "Tür\n\nwith a gap"}
    raw.write_bytes(sxm_bytes(made, up=up, fields=more))
    scan = open_scan(raw)
    back = open_scan(save_scan(scan, tmp_path / "a.sxm"))
    assert back.path == tmp_path / "a_converted.sxm"
    _assert_same(back, scan)
    changed = {key for key in scan.header if back.header.get(key) != scan.header[key]}
    assert changed <= {"DATA_INFO"}
    assert set(back.header) - set(scan.header) == {"STMVIEWER>VERSION", "STMVIEWER>CHANNELS"}


def test_nothing_is_written_over(tmp_path: Path) -> None:
    scan = restored_scan()
    path = save_scan(scan, tmp_path / "a.sxm")
    before = path.read_bytes()
    for name in ("a.sxm", "a_restored.sxm"):
        with pytest.raises(FileError, match="never written over"):
            save_scan(scan, tmp_path / name)
    assert path.read_bytes() == before
    (tmp_path / "gone_restored.sxm").symlink_to(tmp_path / "elsewhere.sxm")
    with pytest.raises(FileError, match="never written over"):
        save_scan(scan, tmp_path / "gone.sxm")
    assert save_scan(scan, tmp_path / "a_restored-2.sxm").name == "a_restored-2.sxm"
    assert save_scan(plain_scan(np.zeros((3, 3))), tmp_path / "a.dat", "sxm").name == "a.dat_converted.sxm"


def test_a_scan_without_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="size is unknown"):
        save_scan(plain_scan(np.zeros((3, 4)), geometry=Geometry.of_pixels(3, 4)), tmp_path / "a.sxm")
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_known_stays_unknown(tmp_path: Path) -> None:
    scan = plain_scan(np.arange(12.0).reshape(3, 4))
    _assert_same(open_scan(save_scan(scan, tmp_path / "a.sxm")), scan)


@pytest.mark.parametrize(
    "comment", [":SCANIT_END:\n\x1a\x04", ":SCAN_PIXELS:\n9 9", "表面 µ", "µ Ü", "\xc3\xa4 as Latin-1", "a\r\nb\0c"]
)
def test_no_text_breaks_the_header(tmp_path: Path, comment: str) -> None:
    image = np.arange(12.0).reshape(3, 4)
    names = ["Z", "Z", "a\tb\nc", "LI Demod 1 X", "表面", "Z_restored"]
    scan = plain_scan(image, channels=[Channel(n, "V", image + k) for k, n in enumerate(names)], comment=comment)
    back = open_scan(save_scan(scan, tmp_path / "a.sxm"))
    assert [c.name for c in back.channels] == ["Z", "Z (2)", *names[2:]]
    for ours, theirs in zip(scan.channels, back.channels, strict=True):
        np.testing.assert_array_equal(ours.data, theirs.data)
    plain = comment.replace("\r\n", "\n").replace("\x1a", "").replace("\x04", "").replace("\0", "")
    assert [line.strip() for line in back.comment.split("\n")] == plain.strip().split("\n")


@pytest.mark.parametrize(
    "said", ["", "[]", "[1, 2, 3, 4]", '[{"name": 1}]', "[null, null, null, null]", "[[[[", '["a", "b", "c", "d"]']
)
def test_a_changed_list_of_channels_is_not_believed(tmp_path: Path, said: str) -> None:
    path = tmp_path / "a.sxm"
    fields = {"STMVIEWER>CHANNELS": said, "STMVIEWER>PROVENANCE": "[1]"}
    path.write_bytes(sxm_bytes(two_channels(), fields=fields))
    scan = open_scan(path)
    assert [c.label for c in scan.channels] == ["Z forward", "Z backward", "Current forward", "Current backward"]
    assert {c.role for c in scan.channels} == {"raw"}
    assert scan.provenance is None


def _compare_with_nanonispy2(path: Path) -> None:
    """nanonispy2 turns nothing: its images are in the order of storage."""
    nanonispy2 = pytest.importorskip("nanonispy2")
    theirs = nanonispy2.read.Scan(str(path))
    scan = open_scan(path)
    suffixes = {"raw": "", "mask": "_sampling_mask", "restored": "_restored", "deviation": "_deviation"}
    for channel in scan.channels:
        stored = channel.data[:, ::-1] if channel.direction == "backward" else channel.data
        stored = stored[::-1] if scan.scan_direction == "up" else stored
        np.testing.assert_array_equal(stored, theirs.signals[channel.name + suffixes[channel.role]][channel.direction])
    assert (scan.geometry.width, scan.geometry.height) == pytest.approx(tuple(theirs.header["scan_range"]))


@pytest.mark.parametrize("header", [{}, None])
@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.filterwarnings("ignore")
def test_nanonispy2_reads_a_restored_scan(tmp_path: Path, direction: str, header: Any) -> None:
    if header is None:
        (tmp_path / "raw.sxm").write_bytes(sxm_bytes(two_channels()))
        header = open_scan(tmp_path / "raw.sxm").header
    _compare_with_nanonispy2(save_scan(restored_scan(scan_direction=direction, header=header), tmp_path / "a.sxm"))


def _compare_with_gwyddion(path: Path, folder: Path) -> None:
    scan, blocks = open_scan(path), converted(path, folder)
    by_title = {block["title"]: block for block in blocks}
    suffixes = {"raw": "", "mask": "_sampling_mask", "restored": "_restored", "deviation": "_deviation"}
    for channel in scan.channels:
        block = by_title[f"{channel.name}{suffixes[channel.role]} ({channel.direction.capitalize()})"]
        np.testing.assert_array_equal(channel.measured, ~block["masked"])
        there = channel.measured
        np.testing.assert_allclose(block["data"][there], channel.data[there], rtol=1e-6)
        assert (block["unit"], block["unit_xy"]) == (channel.unit, "m")
        assert block["size"] == pytest.approx((scan.geometry.width, scan.geometry.height))
        corner = [c - s / 2 for c, s in zip(scan.geometry.centre, block["size"], strict=True)]
        assert block["offset"] == pytest.approx(corner, abs=1e-6 * scan.geometry.width)


@pytest.mark.gwyddion
@needs_gwyddion
@pytest.mark.parametrize("direction", ["up", "down"])
def test_gwyddion_reads_a_restored_scan(tmp_path: Path, direction: str) -> None:
    path = save_scan(restored_scan(scan_direction=direction, header={}), tmp_path / "a.sxm")
    _compare_with_gwyddion(path, tmp_path)


@pytest.mark.real_data
@pytest.mark.filterwarnings("ignore")
def test_every_real_sxm_reads_back_with_a_restored_channel(real_data: Path, tmp_path: Path) -> None:
    count = 0
    for raw in sorted((real_data / "scans").rglob("*.sxm")):
        scan = open_scan(raw)
        first = scan.channel()
        made = Channel(first.name, first.unit, np.nan_to_num(first.data), first.direction, "restored")
        both = Scan(**{**vars(scan), "channels": [*scan.channels, made]})
        path = save_scan(both, tmp_path / raw.name)
        _assert_same(open_scan(path), both)
        _compare_with_nanonispy2(path)
        count += 1
    assert count >= 14


@pytest.mark.real_data
@pytest.mark.gwyddion
@needs_gwyddion
@pytest.mark.parametrize("name", ["Image_002.sxm", "Au_mica_2023_Y_A_099.sxm", "Image_445.sxm"])
def test_real_sxm_as_gwyddion_sees_what_we_wrote(real_data: Path, tmp_path: Path, name: str) -> None:
    (raw,) = (real_data / "scans").rglob(name)
    try:
        _compare_with_gwyddion(save_scan(open_scan(raw), tmp_path / name), tmp_path)
    except subprocess.CalledProcessError as error:
        raise AssertionError(f"Gwyddion refuses it: {error.stderr!r}") from error
