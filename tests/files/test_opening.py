import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from stmviewer.files import READABLE, file_sha256, open_scan, readable, save_scan
from stmviewer.scan import FileError

from .made_scans import restored_scan
from .make_createc import createc_bytes
from .make_spectra import dat_bytes
from .make_sxm import sxm_bytes, two_channels


def _fails(path: Path, *words: str) -> None:
    with pytest.raises(FileError) as caught:
        open_scan(path)
    assert caught.value.path.name == path.name
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_content_counts_before_the_suffix(tmp_path: Path) -> None:
    made = save_scan(restored_scan(), tmp_path / "a.gwy")
    made.rename(tmp_path / "a.sxm")
    assert open_scan(tmp_path / "a.sxm").format == "Gwyddion"
    (tmp_path / "b.gwy").write_bytes(sxm_bytes(two_channels()))
    assert open_scan(str(tmp_path / "b.gwy")).format == "Nanonis SXM"


def test_what_is_no_scan_is_named(tmp_path: Path) -> None:
    _fails(tmp_path / "gone.sxm", "no such file")
    _fails(tmp_path, "is a folder")
    for name, content, said in [
        ("empty.sxm", b"", "empty"),
        ("notes.sxm", b"Dear diary, today we scanned\nsilicon.", "Dear diary, today"),
        ("zeros.gwy", bytes(500), "zero bytes"),
        ("noise.gwy", bytes(range(200, 256)), "c8 c9 ca"),
        ("vert.dat", b"[ParVERT30]\r\nfoo=1\r\n", "Createc spectrum"),
        ("lat.lat", b"[ParLAT32]\r\nfoo=1\r\n", "lateral manipulation"),
        ("createc.dat", b"[Parameter]\r\nDAC-Type=20bit\r\n", "Createc image of 16-bit converters"),
        ("grid.3ds", b'Grid dim="20 x 20"\r\n', "ends within its header"),
        ("iv.dat", b"Experiment\tbias spectroscopy\t\r\n", "Nanonis spectrum"),
        ("field.gsf", b"Gwyddion Simple Field 1.0\nXRes = 4\n", "the file is cut"),
        ("rhk.sm4", b"8\0" + "STiMage 005.004".encode("utf-16-le"), "file header"),
        ("web.sxm", b"<!DOCTYPE html><html>", "web page"),
        ("old.gwy", b"GWYO1234", "Gwyddion 1.x"),
        ("text.sxm", b":) a smile is no header:\n", "text"),
    ]:
        (tmp_path / name).write_bytes(content)
        _fails(tmp_path / name, said)


def test_the_refusal_of_a_foreign_format_says_not_yet(tmp_path: Path) -> None:
    (tmp_path / "image.dat").write_bytes(b"[Parameter]\r\nDAC-Type=20bit\r\n")
    _fails(tmp_path / "image.dat", "which this version does not read yet", ".sxm")


@pytest.mark.real_data
def test_every_real_file_opens_or_is_refused_by_name(real_data: Path) -> None:
    for path in sorted((real_data / "scans").rglob("*.*")):
        if path.suffix in (".sxm", ".gwy", ".3ds", ".sm4") or path.name.startswith("createc"):
            scan = open_scan(path)
            assert scan.channel().data.shape == scan.geometry.shape
        elif path.suffix == ".dat":
            _fails(path, "Nanonis spectrum")


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "scan.sxm"
    path.write_bytes(sxm_bytes(two_channels()))

    def barred(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", barred)
        _fails(path, "no permission to read")
    scan = open_scan(path)
    monkeypatch.setattr(Path, "open", barred)
    with pytest.raises(FileError, match="no permission"):
        _ = scan.channel().data


def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes in the file system here")
    os.mkfifo(tmp_path / "pipe.sxm")
    _fails(tmp_path / "pipe.sxm", "device or a pipe")


def test_names_that_are_none() -> None:
    with pytest.raises(FileError, match="not a file name"):
        open_scan("a\0b.sxm")


def test_readable_names_every_suffix_in_both_cases() -> None:
    for suffix in (".sxm", ".3ds", ".gwy", ".gsf", ".sm4", ".npy", ".npz", ".tif", ".tiff", ".png"):
        assert READABLE[suffix] == READABLE[suffix.upper()]


def test_in_a_folder_the_content_decides_where_names_do_not(tmp_path: Path) -> None:
    def file(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    matrix = b"1,2,3,4\n5,6,7,8\n"
    scans = [
        file("a.SXM", b"whatever: its reader says what is wrong"),
        file("night--1_1.Z_mtrx", b"x"),
        file("night--1_1.I_MTRX", b"x"),
        file("b.csv", matrix),
        file("b.TXT", b"# a comment\r\n" + matrix),
        file("c.dat", createc_bytes()),
        file("d.dat", matrix),
        save_scan(restored_scan(), tmp_path / "e.h5"),
    ]
    with h5py.File(tmp_path / "foreign.h5", "w") as tree:
        tree["data"] = 1
    others = [
        file("spectrum.dat", dat_bytes()),
        file("curve.csv", b"0,1\n" * 100),
        file("labels.csv", b"file,session,size\n1.png,2,3\n"),
        file("readme.txt", b"Si(001):H, 4 K\n"),
        file("empty.csv", b""),
        file("night--1_1.I(V)_mtrx", b"x"),
        file("night_0001.mtrx", b"x"),
        file("letter.docx", b"x"),
        tmp_path / "foreign.h5",
        tmp_path / "gone.csv",
    ]
    assert [path.name for path in scans + others if readable(path)] == [path.name for path in scans]


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert file_sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(FileError, match="no such file"):
        file_sha256(tmp_path / "gone")


def test_importing_the_package_and_a_scan_brings_no_heavy_library(tmp_path: Path) -> None:
    path = tmp_path / "scan.sxm"
    path.write_bytes(sxm_bytes(two_channels()))
    save_scan(restored_scan(), tmp_path / "r.gwy")
    code = (
        "import sys; from stmviewer.files import open_scan, save_scan\n"
        f"open_scan({str(path)!r}).channel().data; save_scan(open_scan({str(tmp_path / 'r.gwy')!r}), "
        f"{str(tmp_path / 's.gwy')!r})\n"
        "heavy = {'scipy', 'skimage', 'matplotlib', 'tifffile', 'PIL', 'gwyfile', 'torch', 'PySide6', 'pandas'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_folder_of_scans_keeps_no_file_open(tmp_path: Path) -> None:
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("open files cannot be counted here")
    path = tmp_path / "scan.sxm"
    path.write_bytes(sxm_bytes(two_channels()))
    before = len(list(Path("/proc/self/fd").iterdir()))
    scans = [open_scan(path) for _ in range(20)]
    assert all(np.isfinite(scan.channel().data).all() for scan in scans)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
