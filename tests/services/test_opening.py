"""What a user drops becomes files, or a line that says why not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stmviewer.scan import FileError, Progress, Scan
from stmviewer.services.jobs import Context
from stmviewer.services.opening import open_job, scan_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.npy", "a.NPY", "notes.docx", "c.npy"):
        np.save(tmp_path / "x.npy", np.random.default_rng(0).random((8, 8)))
        (tmp_path / "x.npy").rename(tmp_path / name)
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "d.npy").write_bytes((tmp_path / "b.npy").read_bytes())
    (tmp_path / "folder.npy").mkdir()
    return tmp_path


def test_a_folder_stands_for_the_readable_files_in_it_sorted(folder: Path) -> None:
    assert [p.name for p in scan_files([folder])] == ["a.NPY", "b.npy", "c.npy"]


def test_files_and_folders_keep_their_order(folder: Path) -> None:
    found = scan_files([str(folder / "c.npy"), folder / "deeper", folder / "notes.docx"])
    assert [p.name for p in found] == ["c.npy", "d.npy", "notes.docx"]  # what a file is, its reader decides


def test_a_file_named_twice_is_there_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    found = scan_files([folder / "c.npy", Path("c.npy"), folder, folder / "deeper" / ".." / "b.npy"])
    assert [p.name for p in found] == ["c.npy", "a.NPY", "b.npy"]


def test_nothing_is_nothing() -> None:
    assert scan_files([]) == []


@pytest.mark.parametrize("name", ["missing.sxm", "missing/", "x" * 5000, "nul\0byte"])
def test_what_is_not_there_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        scan_files([tmp_path / name])
    assert caught.value.advice


def test_a_folder_without_scans_says_what_is_readable(tmp_path: Path) -> None:
    (tmp_path / "letter.docx").touch()
    with pytest.raises(FileError, match=r"the folder itself holds no scan. Readable are .*\.gwy.*\.sxm"):
        scan_files([tmp_path])


def test_a_folder_whose_subfolders_hold_scans_says_so(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    above = tmp_path_factory.mktemp("above")
    (above / "inner").mkdir()
    (above / "inner" / "a.npy").write_bytes((folder / "b.npy").read_bytes())
    with pytest.raises(FileError, match="Its subfolders do: give one of them"):
        scan_files([above])


@pytest.mark.parametrize("method", ["iterdir", "is_dir", "exists"])
def test_what_may_not_be_looked_at_is_named(method: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(self: Path, *_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(self))

    with monkeypatch.context() as patch:
        patch.setattr(Path, method, denied)
        with pytest.raises(FileError, match="cannot be looked at") as caught:
            scan_files([folder if method == "iterdir" else folder / "a.NPY"])
    assert "Permission denied" in str(caught.value)


def test_the_job_opens_the_scan_and_loads_what_is_shown_first(folder: Path) -> None:
    parts = open_job(folder / "b.npy")(Context(Progress(), lambda _: None))
    assert isinstance(parts, tuple)
    (scan,) = parts
    assert isinstance(scan, Scan)
    (folder / "b.npy").unlink()
    assert scan.channel().data.shape == scan.geometry.shape  # read by the job, not now


def test_the_job_refuses_what_is_no_scan(folder: Path) -> None:
    with pytest.raises(FileError):
        open_job(folder / "folder.npy")(Context(Progress(), lambda _: None))
