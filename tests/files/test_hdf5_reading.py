"""HDF5 files that stmviewer wrote, and those of others."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from stmviewer.files import open_scan, save_scan
from stmviewer.files.source import Source
from stmviewer.scan import FileError, Geometry

from .made_scans import plain_scan, restored_scan


def test_what_is_written_reads_back_the_same(tmp_path: Path) -> None:
    scan = restored_scan()
    back = open_scan(save_scan(scan, tmp_path / "Tür.h5"))
    assert [(c.name, c.direction, c.role, c.unit) for c in back.channels] == [
        (c.name, c.direction, c.role, c.unit) for c in scan.channels
    ]
    for ours, theirs in zip(scan.channels, back.channels, strict=True):
        np.testing.assert_array_equal(ours.data, theirs.data)
    same = ("geometry", "scan_direction", "bias_v", "setpoint_a", "line_time_s", "recorded", "comment", "header")
    for name in (*same, "provenance", "notes"):
        assert getattr(back, name) == getattr(scan, name), name
    assert list(back.header) == list(scan.header)
    assert back.format == "stmviewer HDF5"


def test_an_image_without_size_and_what_is_not_known(tmp_path: Path) -> None:
    scan = plain_scan(np.arange(12.0).reshape(3, 4), unit="", geometry=Geometry.of_pixels(3, 4), notes=("one", "two"))
    back = open_scan(save_scan(scan, tmp_path / "a.h5"))
    assert back.geometry == scan.geometry
    assert back.notes == ("one", "two")
    assert (back.bias_v, back.line_time_s, back.provenance) == (None, None, None)


def test_data_stay_in_the_file_until_asked_for(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = save_scan(restored_scan(400, 500), tmp_path / "a.h5")
    read = 0

    class Counting(Source):
        pass

    import stmviewer.files.hdf5_reading as module

    def counted(source: Source):  # type: ignore[no-untyped-def]
        nonlocal read
        read += 1
        return original(source)

    original, module._opened = module._opened, counted
    try:
        scan = open_scan(path)
        assert read == 1
        _ = scan.channels[2].data
        assert read == 2
    finally:
        module._opened = original
    assert rng is not None


def test_files_of_others_and_of_the_future_are_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as tree:
        tree["entry/data"] = np.zeros((3, 3))
        tree["other"] = 1
    with pytest.raises(FileError, match=r"HDF5 file of another program: its root holds 'entry', 'other'"):
        open_scan(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "w") as tree:
        tree.attrs["stmviewer_layout"] = 2
    with pytest.raises(FileError, match="layout 2, of a newer stmviewer"):
        open_scan(tmp_path / "a.h5")


def test_impossible_contents_are_refused(tmp_path: Path) -> None:
    def spoilt(change) -> Path:  # type: ignore[no-untyped-def]
        path = save_scan(plain_scan(np.arange(12.0).reshape(3, 4)), tmp_path / "a.h5")
        with h5py.File(path, "r+") as tree:
            change(tree)
        return path

    def shape(tree: h5py.File) -> None:
        tree.attrs["rows"] = 4

    def huge(tree: h5py.File) -> None:
        tree.attrs["rows"] = tree.attrs["columns"] = 10**9

    def no_channels(tree: h5py.File) -> None:
        del tree["channels"]

    def empty(tree: h5py.File) -> None:
        for name in list(tree["channels"]):
            del tree["channels"][name]

    def words(tree: h5py.File) -> None:
        for name in list(tree["channels"]):
            del tree["channels"][name]
        tree["channels/Z"] = np.array([[b"a"] * 4] * 3)

    def bomb(tree: h5py.File) -> None:
        for name in list(tree["channels"]):
            del tree["channels"][name]
        tree.attrs["rows"] = tree.attrs["columns"] = 8000
        tree["channels"].create_dataset("Z", (8000, 8000), dtype="f8", chunks=True, compression="gzip")

    for change in (shape, huge, no_channels, empty, words, bomb):
        with pytest.raises(FileError, match=r"a\.h5"):
            open_scan(spoilt(change))
    no_header = spoilt(lambda tree: tree.__delitem__("header"))
    assert open_scan(no_header).header == {}


def test_truncated_or_broken_it_is_a_scan_or_one_clear_error(tmp_path: Path) -> None:
    content = save_scan(plain_scan(np.arange(12.0).reshape(3, 4)), tmp_path / "a.h5").read_bytes()
    path = tmp_path / "b.h5"
    for end in range(8, len(content), 37):
        path.write_bytes(content[:end])
        with pytest.raises(FileError, match=r"b\.h5"):
            open_scan(path).channel().data.sum()
    rng = np.random.default_rng(1)
    read = 0
    for _ in range(150):
        broken = bytearray(content)
        for position in rng.integers(8, len(content), 2):
            broken[position] = rng.integers(0, 256)
        path.write_bytes(broken)
        try:
            _ = [channel.data for channel in open_scan(path).channels]
            read += 1
        except FileError:
            pass
    assert read > 0


@pytest.mark.timeout(60)
def test_a_heap_that_the_library_would_read_for_ever_is_refused(tmp_path: Path) -> None:
    content = bytearray(save_scan(restored_scan(), tmp_path / "a.h5").read_bytes())
    heaps = [k for k in range(len(content)) if content[k : k + 4] == b"GCOL"]
    assert heaps
    for heap in heaps:
        # its first object says that it is the free rest, of no length
        content[heap + 16 : heap + 32] = bytes(16)
    (tmp_path / "b.h5").write_bytes(content)
    with pytest.raises(FileError, match="damaged"):
        open_scan(tmp_path / "b.h5")
