import io
from pathlib import Path
from typing import Any

import gwyfile
import numpy as np
import pytest
from gwyfile.objects import GwyContainer, GwyDataField

from stmviewer.files import open_scan, save_scan
from stmviewer.scan import Channel, FileError, Geometry

from .gwyddion_program import blocks, converted, needs_gwyddion
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


def test_blocks_of_another_frame_are_left_out_by_name(tmp_path: Path) -> None:
    items = {
        "/3/data": field(IMAGE),
        "/3/data/title": "Topography",
        "/5/data": field(IMAGE[:, :4]),
        "/5/data/title": "Cropped",
        "/7/data": field(IMAGE, xoff=1e-9),
        "/9/data": field(IMAGE),
    }
    scan = open_scan(written(tmp_path / "t.gwy", items))
    assert scan.channel_names == ["Topography", "untitled"]
    (note,) = [n for n in scan.notes if "left out" in n]
    assert "Cropped (4 x 5 pixels, 8 x 5 nm)" in note
    assert "untitled (8 x 5 pixels" in note


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
    for unit, size in (("1/m", (8.0, 5.0)), ("m", (0.0, 5.0)), ("m", (np.nan, 1.0)), ("", (3.0, 2.0))):
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


def test_channel_of_one_letter_keeps_its_name(tmp_path: Path) -> None:
    """The package gwyfile writes a text of one letter as a character, which Gwyddion does not take for a title."""
    scan = plain_scan(IMAGE, channels=[Channel("I", "A", IMAGE, "backward")])
    assert open_scan(save_scan(scan, tmp_path / "i.gwy")).channel().label == "I backward"
