import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from stmviewer.files import open_scan, save_scan
from stmviewer.files.roles import result_of
from stmviewer.scan import Channel, FileError, Geometry

from .fuzz.seeds import MADE, foreign
from .made_scans import plain_scan, restored_scan
from .make_sxm import sxm_bytes, two_channels

FORMATS = ["gwy", "npz", "tif", "h5", "csv", "png"]


def test_npz_has_the_keys_that_scripts_rely_on(tmp_path: Path) -> None:
    scan = restored_scan()
    with np.load(save_scan(scan, tmp_path / "a.npz"), allow_pickle=False) as found:
        assert set(found) == {"raw", "measured", "restored", "deviation", "pixel_size_m", "unit", "provenance"}
        np.testing.assert_array_equal(found["raw"], scan.channels[0].data)
        np.testing.assert_array_equal(found["restored"], scan.channels[2].data)
        np.testing.assert_array_equal(found["deviation"], scan.channels[3].data)
        assert found["measured"].dtype == bool
        np.testing.assert_array_equal(found["measured"], scan.channels[1].data > 0.5)
        assert found["pixel_size_m"].tolist() == [1e-9, 1e-9]
        assert str(found["unit"]) == "m"
        assert json.loads(str(found["provenance"])) == scan.provenance


def test_npz_leaves_out_what_is_not_there(tmp_path: Path) -> None:
    image = np.arange(12.0).reshape(3, 4)
    image[1, 2] = np.nan
    path = save_scan(plain_scan(image, geometry=Geometry(4, 3, 4e-9, 6e-9)), tmp_path / "a.npz")
    with np.load(path) as found:
        assert set(found) == {"raw", "measured", "pixel_size_m", "unit"}
        np.testing.assert_array_equal(found["measured"], np.isfinite(image))
        assert found["pixel_size_m"].tolist() == pytest.approx([2e-9, 1e-9])
    back = open_scan(path)
    assert back.geometry.height == pytest.approx(6e-9)


def test_npz_reads_back(tmp_path: Path) -> None:
    scan = restored_scan(provenance={"channel": "Current", "direction": "backward"})
    back = open_scan(save_scan(scan, tmp_path / "a.npz"))
    assert [(c.role, c.unit) for c in back.channels] == [
        ("raw", "m"),
        ("mask", ""),
        ("restored", "m"),
        ("deviation", "m"),
    ]
    assert {c.label for c in back.channels} == {"Current backward"}
    for ours, theirs in zip(scan.channels, back.channels, strict=True):
        np.testing.assert_array_equal(ours.data, theirs.data)
    for key in ("raw", "restored", "deviation", "measured", "unit", "provenance", "pixel_size_m"):
        with np.load(tmp_path / "a.npz") as found:
            np.savez(tmp_path / "b.npz", **{k: found[k] for k in found if k != key})
        assert len(open_scan(tmp_path / "b.npz").channels) == (
            4 if key in ("unit", "provenance", "pixel_size_m") else 3
        )


def test_npz_truncated_anywhere_is_a_file_error(tmp_path: Path) -> None:
    content = save_scan(restored_scan(4, 4), tmp_path / "a.npz").read_bytes()
    for end in range(1, len(content), 7):
        (tmp_path / "b.npz").write_bytes(content[:end])
        with pytest.raises(FileError):
            open_scan(tmp_path / "b.npz")
    for position in range(0, len(content), 5):
        broken = bytearray(content)
        broken[position] ^= 0xFF
        (tmp_path / "b.npz").write_bytes(broken)
        try:
            _ = [channel.data for channel in open_scan(tmp_path / "b.npz").channels]
        except FileError:
            continue


def test_tiff_has_named_pages_with_size_and_provenance(tmp_path: Path) -> None:
    scan = restored_scan()
    with tifffile.TiffFile(save_scan(scan, tmp_path / "a.tif")) as tiff:
        assert [page.tags["PageName"].value for page in tiff.pages] == [
            "Z forward restored",
            "Z forward raw",
            "Z forward sampling mask",
            "Z forward deviation",
        ]
        first = tiff.pages[0]
        assert first.dtype == np.float32
        np.testing.assert_array_equal(first.asarray(), scan.channels[2].data.astype(np.float32))
        numerator, denominator = first.tags["XResolution"].value
        assert (first.tags["ResolutionUnit"].value, numerator / denominator) == (3, pytest.approx(1e-2 / 1e-9))
        about = json.loads(first.description)
        assert about["size_m"] == [16e-9, 12e-9]
        assert about["provenance"] == scan.provenance


def test_tiff_reads_back(tmp_path: Path) -> None:
    scan = restored_scan()
    back = open_scan(save_scan(scan, tmp_path / "a.tiff"))
    assert [c.role for c in back.channels] == ["restored", "raw", "mask", "deviation"]
    assert back.geometry == scan.geometry
    assert (back.bias_v, back.setpoint_a, back.provenance) == (scan.bias_v, scan.setpoint_a, scan.provenance)
    for channel in back.channels:
        (ours,) = [c for c in scan.channels if c.role == channel.role]
        assert (ours.name, ours.unit) == (channel.name, channel.unit)
        np.testing.assert_array_equal(channel.measured, ours.measured)
        np.testing.assert_allclose(channel.data, ours.data, rtol=1e-7)


def test_tiff_that_lost_a_page_is_refused(tmp_path: Path) -> None:
    content = save_scan(restored_scan(), tmp_path / "a.tif").read_bytes()
    (tmp_path / "b.tif").write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(FileError, match=r"truncated|damaged"):
        open_scan(tmp_path / "b.tif")


def test_tiff_of_any_name_and_size(tmp_path: Path) -> None:
    names = [Channel("Höhe µ 表面 😀", "m", np.zeros((4, 4)))]
    for geometry in (Geometry(4, 4, 4e-13, 4e-13), Geometry(4, 4, 4e-3, 4e-3), Geometry.of_pixels(4, 4)):
        scan = plain_scan(np.zeros((4, 4)), channels=names, geometry=geometry)
        back = open_scan(save_scan(scan, tmp_path / "a.tif"))
        assert back.geometry == geometry
        assert back.channel().name == "Höhe µ 表面 😀"


@pytest.mark.parametrize("form", FORMATS)
def test_provenance_lies_beside_every_export(tmp_path: Path, form: str) -> None:
    scan = restored_scan(provenance={"seed": np.int64(3), "path": Path("a") / "b", "score": float("nan"), "x": (1, 2)})
    path = save_scan(scan, tmp_path / "new" / "folder" / f"a.{form}")
    beside = path.with_name(f"a.{form}.provenance.json")
    found = json.loads(beside.read_text(encoding="utf-8"))
    assert found == {"seed": 3, "path": str(Path("a") / "b"), "score": None, "x": [1, 2]}
    # an export without provenance leaves none that spoke of the file before
    save_scan(restored_scan(provenance=None), path)
    assert sorted(p.name for p in path.parent.iterdir()) == [f"a.{form}"]


@pytest.mark.parametrize("form", FORMATS)
def test_writing_fails_as_a_whole(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"a.{form}"
    path.write_bytes(b"what was there before")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match="No space left"):
        save_scan(restored_scan(), path)
    assert path.read_bytes() == b"what was there before"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_raw_files_are_never_written_over(tmp_path: Path) -> None:
    raw = tmp_path / "raw.gwy"
    save_scan(restored_scan(), raw)
    scan = open_scan(raw)
    before = raw.read_bytes()
    (tmp_path / "link.gwy").symlink_to(raw)
    os.link(raw, tmp_path / "hard.gwy")
    for path in (raw, tmp_path / "sub" / ".." / "raw.gwy", tmp_path / "link.gwy", tmp_path / "hard.gwy"):
        (tmp_path / "sub").mkdir(exist_ok=True)
        with pytest.raises(FileError, match="read from"):
            save_scan(scan, path)
    for name in ("scan_restored.sxm", "OTHER.SXM"):
        (tmp_path / name).write_bytes(b"as measured")
    for name in ("scan.sxm", "scan_restored.sxm", "OTHER.SXM"):
        with pytest.raises(FileError, match="never written over"):
            save_scan(scan, tmp_path / name)
    assert (tmp_path / "scan_restored.sxm").read_bytes() == b"as measured"
    with pytest.raises(FileError, match="never written over"):
        save_scan(scan, tmp_path / "grid.3ds")
    microscope = tmp_path / "misnamed.gwy"
    microscope.write_bytes(sxm_bytes(two_channels()))
    with pytest.raises(FileError, match="never written over"):
        save_scan(scan, microscope)
    assert raw.read_bytes() == before


@pytest.mark.parametrize("kind", [*MADE, "wsxm"])
def test_no_export_takes_the_place_of_a_file_that_is_not_ours(tmp_path: Path, kind: str) -> None:
    """Whatever its name: an image of another program, or what a microscope wrote."""
    content = b"WSxM file copyright\nimage" if kind == "wsxm" else foreign(kind)
    for form in FORMATS:
        path = tmp_path / f"measured.{form}"
        path.write_bytes(content)
        with pytest.raises(FileError, match="never written over"):
            save_scan(restored_scan(), path)
        assert path.read_bytes() == content


@pytest.mark.parametrize("form", [*FORMATS, "pdf", "svg"])
def test_an_export_of_ours_is_replaced_by_the_next(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"out.{form}"
    save_scan(plain_scan(np.zeros((3, 4))), path)
    before = path.read_bytes()
    save_scan(restored_scan(), path)
    assert path.read_bytes() != before


@pytest.mark.parametrize("kind", ["gwy", "npz"])
def test_no_export_takes_the_place_of_a_damaged_image(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"out.{kind}"
    content = save_scan(restored_scan(), path).read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(FileError, match="never written over"):
        save_scan(restored_scan(), path)


def test_format_and_suffix(tmp_path: Path) -> None:
    scan = restored_scan()
    assert save_scan(scan, str(tmp_path / "a"), "npz").name == "a.npz"
    assert save_scan(scan, tmp_path / "scan.001", "GWY").name == "scan.001.gwy"
    assert save_scan(scan, tmp_path / "A.TIFF").name == "A.TIFF"
    for name, form, said in [
        ("a.jpg", None, "'jpg'"),
        ("a", None, "no suffix"),
        ("a.gwy", "3ds", "'3ds'"),
    ]:
        with pytest.raises(FileError, match=said):
            save_scan(scan, tmp_path / name, form)


def test_places_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = restored_scan()
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileError, match="folder cannot be made"):
        save_scan(scan, tmp_path / "file" / "a.gwy")
    (tmp_path / "folder.gwy").mkdir()
    with pytest.raises(FileError, match="is a folder"):
        save_scan(scan, tmp_path / "folder.gwy")

    def barred(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", barred)
    with pytest.raises(FileError, match="no permission to write"):
        save_scan(scan, tmp_path / "a.gwy")


def test_a_channel_that_cannot_be_read_leaves_no_file_behind(tmp_path: Path) -> None:
    raw = tmp_path / "raw.sxm"
    raw.write_bytes(sxm_bytes(two_channels()))
    scan = open_scan(raw)
    raw.unlink()
    with pytest.raises(FileError, match="no such file"):
        save_scan(scan, tmp_path / "a.gwy")
    assert list(tmp_path.iterdir()) == []


def test_companions_of_the_restored_channel() -> None:
    image = np.zeros((3, 3))
    channels = [
        Channel("Z", "m", image),
        Channel("Current", "A", image + 1, "backward"),
        Channel("Current", "A", image + 2, "backward", "restored"),
        Channel("Z", "", image, role="mask"),
        Channel("Current", "", image + 1, "backward", role="mask"),
    ]
    result = result_of(restored_scan(channels=channels))
    assert (result.raw, result.restored, result.mask) == (channels[1], channels[2], channels[4])
    assert result.measured.all()
    assert not result_of(restored_scan(channels=channels[2:3])).measured.any()


def test_gwyddion_files_hold_four_gigabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stmviewer.files import gwy_format

    monkeypatch.setattr(gwy_format, "MOST_BYTES", 1000)
    with pytest.raises(FileError, match="more than a Gwyddion file can hold"):
        save_scan(restored_scan(), tmp_path / "a.gwy")
