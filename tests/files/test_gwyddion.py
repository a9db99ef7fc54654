import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import gwyfile
import numpy as np
import pytest
from gwyfile.objects import GwyContainer, GwyDataField

from stmviewer.files import open_parts, open_scan, save_parts, save_scan
from stmviewer.scan import Channel, FileError, Geometry, Part

from .gwyddion_program import blocks, convert, converted, needs_gwyddion, tree
from .made_scans import plain_scan, restored_scan


def field(data: Any, size: tuple[float, float] = (8e-9, 5e-9), **more: Any) -> GwyDataField:
    facts = {"si_unit_xy": "m", "si_unit_z": "m"} | more
    return GwyDataField(np.asarray(data, dtype=float), xreal=size[0], yreal=size[1], **facts)


def written(path: Path, items: dict[str, Any]) -> Path:
    """A file by the package gwyfile, not by our own writer."""
    tree = GwyContainer()
    for key, value in items.items():
        tree[key] = value
        if isinstance(value, str):
            tree.typecodes[key] = "s"
    with path.open("wb") as file:
        tree.tofile(file)
    return path


IMAGE = np.arange(40.0).reshape(5, 8)


def test_what_is_written_reads_back_the_same(tmp_path: Path) -> None:
    scan = restored_scan()
    back = open_scan(save_scan(scan, tmp_path / "out.gwy"))
    for ours, theirs in zip(scan.channels, back.channels, strict=True):
        assert (ours.name, ours.direction, ours.role, ours.unit) == (
            theirs.name,
            theirs.direction,
            theirs.role,
            theirs.unit,
        )
        np.testing.assert_array_equal(ours.data, theirs.data)
        np.testing.assert_array_equal(ours.measured, theirs.measured)
    assert back.geometry.shape == scan.geometry.shape
    assert (back.geometry.width, back.geometry.height) == (scan.geometry.width, scan.geometry.height)
    assert back.geometry.centre == pytest.approx(scan.geometry.centre, rel=1e-12)
    for name in ("scan_direction", "bias_v", "setpoint_a", "line_time_s", "recorded", "comment", "header"):
        assert getattr(back, name) == getattr(scan, name), name
    assert back.geometry.angle_deg == -41.0
    assert back.provenance == scan.provenance
    assert back.notes == ()


def test_the_package_gwyfile_reads_what_is_written(tmp_path: Path) -> None:
    scan = restored_scan()
    found = blocks(save_scan(scan, tmp_path / "out.gwy"))
    assert [b["title"] for b in found] == [
        "Z forward raw",
        "Z forward sampling mask",
        "Z forward restored",
        "Z forward deviation",
    ]
    assert [b["unit"] for b in found] == ["m", "", "m", "m"]
    raw = scan.channels[0]
    np.testing.assert_array_equal(found[0]["masked"], ~raw.measured)
    assert np.ptp(found[0]["data"][~raw.measured]) == 0
    assert found[0]["data"][~raw.measured][0] == pytest.approx(raw.data[raw.measured].mean(), rel=1e-15)
    np.testing.assert_array_equal(found[1]["data"], scan.channels[1].data)
    assert not any(b["masked"].any() for b in found[1:])


@pytest.mark.gwyddion
@needs_gwyddion
def test_gwyddion_opens_what_is_written(tmp_path: Path) -> None:
    scan = restored_scan()
    path = save_scan(scan, tmp_path / "out.gwy")
    ours, theirs = blocks(path), converted(path, tmp_path)
    assert [b["title"] for b in theirs] == [b["title"] for b in ours]
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one["data"], other["data"])
        np.testing.assert_array_equal(one["masked"], other["masked"])
        assert (one["unit"], one["unit_xy"]) == (other["unit"], other["unit_xy"])
        assert (one["size"], one["offset"]) == (other["size"], other["offset"])
        assert one["meta"] == other["meta"]
    # and what Gwyddion saved is still the scan that we saved
    np.testing.assert_array_equal(open_scan(tmp_path / "by-gwyddion.gwy").channel("Z").data, scan.channel("Z").data)


def _logs(path: Path) -> list[list[str]]:
    items = tree(path)
    return [items[f"/{number}/data/log"]["strings"] for number in range(4)]


def test_the_log_says_where_a_channel_came_from_and_what_was_done(tmp_path: Path) -> None:
    facts = {
        "file": 'a "quoted" name.sxm',
        "task": "sparse",
        "model": "flow-sim",
        "measured_fraction": 0.25,
        "request": {"steps": 4, "seed": 0, "mask": None},
        "made": "2026-01-02T03:04:05.678+01:00",
    }
    raw, mask, restored, deviation = _logs(save_scan(restored_scan(provenance=facts), tmp_path / "out.gwy"))
    moment = "@2026-01-02 02:04:05.678000Z"
    assert raw == [f'file::stmviewer(filename="a \\"quoted\\" name.sxm"){moment}']
    done = 'task="sparse", model="flow-sim", measured_fraction=0.25, steps=4, seed=0'
    assert restored == [*raw, f'proc::stmviewer_restore(result="restored", {done}){moment}']
    assert [len(log) for log in (mask, deviation)] == [2, 2]


@pytest.mark.gwyddion
@needs_gwyddion
def test_gwyddion_keeps_the_log(tmp_path: Path) -> None:
    path = save_scan(restored_scan(), tmp_path / "out.gwy")
    assert _logs(path) == _logs(convert(path, tmp_path))


def test_uncalibrated_and_unmeasured_images_survive(tmp_path: Path) -> None:
    nothing = np.full((5, 8), np.nan)
    scan = plain_scan(nothing, unit="", geometry=Geometry.of_pixels(5, 8))
    back = open_scan(save_scan(scan, tmp_path / "out.gwy"))
    assert back.geometry == scan.geometry
    assert not back.channel().measured.any()


def test_titles_name_channel_direction_and_role(tmp_path: Path) -> None:
    titles = {
        "Z (Forward)": ("Z", "forward", "raw"),
        "Z [Backward]": ("Z", "backward", "raw"),
        "LI Demod 1 X backward": ("LI Demod 1 X", "backward", "raw"),
        "Z forward restored": ("Z", "forward", "restored"),
        "Z forward sampling mask": ("Z", "forward", "mask"),
        "Feedforward": ("Feedforward", "forward", "raw"),
        "": ("untitled", "forward", "raw"),
    }
    items: dict[str, Any] = {}
    for number, title in enumerate(titles):
        items |= {f"/{number}/data": field(IMAGE), **({f"/{number}/data/title": title} if title else {})}
    scan = open_scan(written(tmp_path / "t.gwy", items))
    assert [(c.name, c.direction, c.role) for c in scan.channels] == list(titles.values())


def test_same_titles_and_no_titles_are_all_kept(tmp_path: Path) -> None:
    items = {f"/{n}/data": field(IMAGE + n) for n in range(11)}
    items |= {f"/{n}/data/title": "Height" for n in (0, 2, 10)}
    scan = open_scan(written(tmp_path / "t.gwy", items))
    assert [c.data[0, 0] for c in scan.channels] == list(range(11))
    assert scan.channel_names[:4] == ["Height", "untitled", "Height (2)", "untitled (2)"]
    assert scan.channel_names[-1] == "Height (3)"


def test_blocks_of_another_frame_are_scans_of_their_own(tmp_path: Path) -> None:
    items = {
        "/3/data": field(IMAGE),
        "/3/data/title": "Topography",
        "/5/data": field(IMAGE[:, :4]),
        "/5/data/title": "Cropped",
        "/7/data": field(IMAGE, xoff=1e-9),
        "/9/data": field(IMAGE),
    }
    path = written(tmp_path / "t.gwy", items)
    parts = open_parts(path)
    assert [part.channel_names for part in parts] == [["Topography", "untitled"], ["Cropped"], ["untitled"]]
    assert [part.part.label for part in parts] == [
        "1: Topography, 8 x 5 pixels, 8 x 5 nm",
        "2: Cropped, 4 x 5 pixels, 8 x 5 nm",
        "3: untitled, 8 x 5 pixels, 8 x 5 nm",
    ]
    assert parts[2].geometry.centre[0] - parts[0].geometry.centre[0] == pytest.approx(1e-9)
    assert open_scan(path).part == parts[0].part
    for part in parts:
        for channel in part.channels:
            assert channel.data.shape == part.geometry.shape
    np.testing.assert_array_equal(parts[1].channel().data, IMAGE[:, :4])


def test_every_block_of_any_kind_is_in_one_part_as_gwyfile_reads_it(tmp_path: Path) -> None:
    """Blocks of many frames, units, offsets; titled, untitled and the same; selections and masks between them."""
    rng = np.random.default_rng(5)
    items: dict[str, Any] = {}
    for number in range(24):
        image = rng.normal(size=(3 + number % 3, 4)) + number
        unit = ("m", "A", "V", "")[number % 4]
        xoff = float(number % 2) * 3e-9
        items[f"/{number}/data"] = field(image, size=(4e-9, 3e-9), si_unit_z=unit, xoff=xoff)
        if number % 5:
            items[f"/{number}/data/title"] = "Phase (Backward)" if number % 3 else "Z (Forward)"
        if number % 7 == 0:
            items[f"/{number}/mask"] = field(image > number, size=(4e-9, 3e-9), si_unit_z=None)
            items[f"/{number}/select/pointer"] = GwyContainer({"a": 1})
    path = written(tmp_path / "t.gwy", items)
    parts = open_parts(path)
    assert len(parts) == 6  # three heights at two places
    assert [part.part.number for part in parts] == [1, 2, 3, 4, 5, 6]
    ours = [(part, channel) for part in parts for channel in part.channels]
    theirs = {float(block["data"][0, 0]): block for block in blocks(path)}
    assert len(ours) == len(theirs) == 24
    for part, channel in ours:
        block = theirs.pop(float(channel.data[0, 0]))
        np.testing.assert_array_equal(channel.data, block["data"])
        assert channel.unit == block["unit"]
        assert (part.geometry.width, part.geometry.height) == pytest.approx(block["size"])
        corner = [part.geometry.centre[k] - block["size"][k] / 2 for k in (0, 1)]
        assert corner == pytest.approx(block["offset"], abs=1e-20)
    for part in parts:
        assert len({(c.name, c.direction) for c in part.channels}) == len(part.channels)


def test_several_scans_in_one_file_come_back_apart(tmp_path: Path) -> None:
    """Also two of one frame, such as the upward and the downward frame of a microscope."""
    up, down = (plain_scan(IMAGE + k, scan_direction=way, bias_v=float(k)) for k, way in ((1, "up"), (2, "down")))
    small = plain_scan(IMAGE[:3])
    named = [
        replace(s, part=Part(k, 3, name)) for k, (s, name) in enumerate(((up, "up"), (down, "down"), (small, "")), 1)
    ]
    parts = open_parts(save_parts(named, tmp_path / "out.gwy"))
    assert [(p.scan_direction, p.bias_v, float(p.channel().data[0, 0])) for p in parts] == [
        ("up", 1.0, 1.0),
        ("down", 2.0, 2.0),
        ("down", None, 0.0),
    ]
    assert [part.part.name for part in parts] == ["up", "down", "3"]
    with pytest.raises(FileError, match="holds one scan, not 3"):
        save_parts(named, tmp_path / "out.tif")


@pytest.mark.gwyddion
@needs_gwyddion
def test_gwyddion_opens_several_scans_in_one_file(tmp_path: Path) -> None:
    parts = [replace(plain_scan(IMAGE[:rows]), part=Part(k, 2)) for k, rows in ((1, 5), (2, 3))]
    found = converted(save_parts(parts, tmp_path / "out.gwy"), tmp_path)
    assert [block["data"].shape for block in found] == [(5, 8), (3, 8)]
    np.testing.assert_array_equal(found[1]["data"], IMAGE[:3])


def test_masks_from_elsewhere_hide_nothing_and_are_noted(tmp_path: Path) -> None:
    items = {"/0/data": field(IMAGE), "/0/mask": field(IMAGE > 20, si_unit_z=None), "/0/data/title": "Z"}
    scan = open_scan(written(tmp_path / "t.gwy", items))
    assert scan.channel().measured.all()
    assert any("masks from Gwyddion" in note for note in scan.notes)


def test_units_offsets_and_odd_sizes(tmp_path: Path) -> None:
    nm = field(IMAGE, size=(8.0, 5.0), si_unit_xy="nm", si_unit_z="pA", xoff=-4.0)
    scan = open_scan(written(tmp_path / "nm.gwy", {"/0/data": nm}))
    assert (scan.geometry.width, scan.geometry.centre) == (pytest.approx(8e-9), (0.0, pytest.approx(2.5e-9)))
    assert (scan.channel().unit, scan.channel().data[0, 1]) == ("A", pytest.approx(1e-12))
    pixels = (float(IMAGE.shape[1]), float(IMAGE.shape[0]))
    odd = (("1/m", (8.0, 5.0)), ("m", (0.0, 5.0)), ("m", (np.nan, 1.0)), ("", (3.0, 2.0)), ("", pixels), ("px", pixels))
    for unit, size in odd:
        scan = open_scan(written(tmp_path / "odd.gwy", {"/0/data": field(IMAGE, size=size, si_unit_xy=unit)}))
        assert not scan.geometry.calibrated
        assert "lengths are in pixels" in scan.notes[0]


def test_a_file_saved_by_the_import_of_gwyddion_keeps_bias_and_setpoint(tmp_path: Path) -> None:
    meta = GwyContainer({"Bias": "-0.00115 V", "Z controller Setpoint": "-1.4E+1 Hz", "Direction": "up"})
    meta |= {"Date": "15.03.2017", "Time": "18:04:08"}
    meta.typecodes = dict.fromkeys(meta, "s")
    scan = open_scan(written(tmp_path / "t.gwy", {"/0/data": field(IMAGE), "/0/meta": meta}))
    assert (scan.bias_v, scan.setpoint_a, scan.scan_direction) == (-0.00115, None, "up")
    assert scan.recorded == "2017-03-15 18:04:08"
    assert scan.header["Time"] == "18:04:08"


def test_opening_leaves_the_arrays_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stmviewer.files.source import Source

    path = save_scan(restored_scan(), tmp_path / "out.gwy")
    monkeypatch.setattr(Source, "array", lambda *_: pytest.fail("an array was read"))
    assert len(open_scan(path).channels) == 4


def test_truncated_anywhere_or_broken_it_is_a_file_error(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    tree = GwyContainer({"/0/data": field(np.zeros((3, 2))), "/0/data/title": "Z forward"})
    gwyfile.objects.GwyObject.tofile(tree, buffer)
    content = buffer.getvalue()
    path = tmp_path / "t.gwy"
    for end in range(1, len(content)):
        path.write_bytes(content[:end])
        with pytest.raises(FileError, match=r"t\.gwy"):
            open_scan(path)
    rng = np.random.default_rng(0)
    opened = 0
    for _ in range(400):
        broken = bytearray(content)
        for position in rng.integers(4, len(content), 2):
            broken[position] = rng.integers(0, 256)
        path.write_bytes(broken)
        try:
            scan = open_scan(path)
            _ = [channel.data for channel in scan.channels]
            opened += 1
        except FileError:
            pass
    assert 0 < opened < 400


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ({"/0/data/title": "Z"}, "no image"),
        ({"/0/data": "text"}, "not an image"),
        ({"/0/data": field(np.zeros((2, 2))), "/0/mask": field(np.zeros((3, 3)))}, ""),
    ],
)
def test_files_without_an_image(tmp_path: Path, items: dict[str, Any], said: str) -> None:
    path = written(tmp_path / "t.gwy", items)
    if said:
        with pytest.raises(FileError, match=said):
            open_scan(path)
    else:
        assert open_scan(path).channel().measured.all()


@pytest.mark.real_data
def test_real_files(real_data: Path) -> None:
    scans = real_data / "scans"
    test = open_scan(scans / "gwyfile/test.gwy")
    assert (test.channel_names, test.geometry.shape, test.geometry.calibrated) == (["Test"], (128, 128), False)
    landscape = open_scan(scans / "topostats/file_landscape.gwy")
    assert (landscape.geometry.columns, landscape.geometry.rows) == (220, 170)
    np.testing.assert_array_equal(landscape.channel().data, blocks(scans / "topostats/file_landscape.gwy")[0]["data"])


@pytest.mark.real_data
@pytest.mark.gwyddion
@needs_gwyddion
def test_real_files_as_gwyddion_sees_them(real_data: Path, tmp_path: Path) -> None:
    compared = 0
    for path in sorted((real_data / "scans").rglob("*.gwy")):
        scan = open_scan(path)
        for channel, block in zip(scan.channels, converted(path, tmp_path), strict=True):
            assert channel.name == block["title"]
            np.testing.assert_array_equal(channel.data, block["data"])
            assert channel.unit == block["unit"]
            if scan.geometry.calibrated:
                assert (scan.geometry.width, scan.geometry.height) == pytest.approx(block["size"], rel=1e-12)
                corner = [c - s / 2 for c, s in zip(scan.geometry.centre, block["size"], strict=True)]
                assert corner == pytest.approx(block["offset"], abs=1e-9 * scan.geometry.width)
            compared += 1
    assert compared >= 2


def test_channel_of_one_letter_keeps_its_name(tmp_path: Path) -> None:
    """The package gwyfile writes a text of one letter as a character, which Gwyddion does not take for a title."""
    scan = plain_scan(IMAGE, channels=[Channel("I", "A", IMAGE, "backward")])
    assert open_scan(save_scan(scan, tmp_path / "i.gwy")).channel().label == "I backward"
