"""The HDF5 layout as the module describes it, read by h5py alone."""

import json
from pathlib import Path

import h5py
import numpy as np

from stmviewer.files import save_scan
from stmviewer.scan import Channel, Geometry

from .made_scans import plain_scan, restored_scan


def test_every_channel_with_its_unit_and_role(tmp_path: Path) -> None:
    scan = restored_scan()
    with h5py.File(save_scan(scan, tmp_path / "a.h5")) as tree:
        images = list(tree["channels"].items())
        assert [title for title, _ in images] == [
            "Z forward raw",
            "Z forward sampling mask",
            "Z forward restored",
            "Z forward deviation",
        ]
        for channel, (_, image) in zip(scan.channels, images, strict=True):
            assert image.dtype == np.float64
            np.testing.assert_array_equal(image[()], channel.data)
            assert dict(image.attrs) == {
                "name": channel.name,
                "direction": channel.direction,
                "role": channel.role,
                "unit": channel.unit,
            }


def test_what_is_known_about_the_scan(tmp_path: Path) -> None:
    scan = restored_scan(path=Path("lab/scan.sxm"), format="Nanonis SXM", notes=("a", "ü"))
    with h5py.File(save_scan(scan, tmp_path / "a.h5")) as tree:
        found = tree.attrs
        assert found["stmviewer_layout"] == 1
        assert (found["file"], found["format"]) == ("scan.sxm", "Nanonis SXM")
        assert (found["columns"], found["rows"]) == (16, 12)
        assert (found["width"], found["height"], found["lateral_unit"]) == (16e-9, 12e-9, "m")
        assert found["pixel_size"].tolist() == [12e-9 / 12, 16e-9 / 16]
        assert found["centre"].tolist() == [-1.366789e-7, 2.5e-8]
        assert (found["angle_deg"], found["scan_direction"]) == (-41.0, "up")
        assert (found["bias_V"], found["setpoint_A"]) == (-0.4, 2.5e-10)
        assert found["line_time_s"].tolist() == [0.256, 0.128]
        assert (found["recorded"], found["comment"]) == (scan.recorded, "Tür, 5 µm\nsecond line")
        assert list(found["notes"]) == ["a", "ü"]
        assert json.loads(found["provenance"]) == scan.provenance
        assert dict(tree["header"].attrs) == scan.header


def test_what_is_not_known_is_left_out(tmp_path: Path) -> None:
    scan = plain_scan(np.zeros((3, 4)), geometry=Geometry.of_pixels(3, 4))
    with h5py.File(save_scan(scan, tmp_path / "a.h5")) as tree:
        assert not {"file", "bias_V", "setpoint_A", "line_time_s", "notes", "provenance"} & set(tree.attrs)
        assert (tree.attrs["lateral_unit"], tree.attrs["width"]) == ("px", 4.0)
        assert len(tree["header"].attrs) == 0


def test_any_name_and_a_header_of_any_length(tmp_path: Path) -> None:
    image = np.zeros((3, 4))
    names = ["LI/X", "LI-X", "li-x", "Höhe\0 表面", ".."]
    header = {f"Module {k}>Wert (µV) / \0": "x" * 100 for k in range(2000)} | {"long": "y" * 200_000}
    scan = plain_scan(
        image, channels=[Channel(name, "µ\0", image) for name in names], header=header, provenance={"a": "z" * 100_000}
    )
    with h5py.File(save_scan(scan, tmp_path / "a.h5")) as tree:
        assert len(tree["channels"]) == 5
        assert [c.attrs["name"] for c in tree["channels"].values()] == [*names[:3], "Höhe 表面", ".."]
        assert len(tree["header"].attrs) == 2001
        assert len(tree["header"].attrs["long"]) == 200_000
        assert json.loads(tree.attrs["provenance"])["a"] == "z" * 100_000
