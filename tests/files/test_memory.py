"""Images that do not fit into memory are refused before they are read: Linux would end the program."""

from pathlib import Path

import numpy as np
import pytest

from stmviewer.files import memory, open_scan
from stmviewer.scan import FileError, Progress
from stmviewer.services import thumbnails
from stmviewer.services.thumbnails import ThumbnailRequest


@pytest.fixture
def npy(tmp_path: Path) -> Path:
    """A file that claims to be, and on the disk is, of 16000 x 16000 pixels; it takes no room."""
    path = tmp_path / "large.npy"
    np.save(path, np.zeros((1, 1), dtype=np.float32))
    header = path.read_bytes()[:-4].replace(b"(1, 1)", b"(16000, 16000)")
    header = header[:8] + len(header[10:]).to_bytes(2, "little") + header[10:]
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + 4 * 16000**2)
    return path


def test_an_image_too_large_for_the_memory_is_refused(npy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: 8_000_000_000)
    scan = open_scan(npy)  # its facts can be told
    assert scan.geometry.shape == (16000, 16000)
    with pytest.raises(FileError, match=r"large\.npy: an image of 256 million pixels takes about 12\.3 GB of memory"):
        _ = scan.channel().data
    (made,) = thumbnails.thumbnails([npy], ThumbnailRequest(), Progress())
    assert not made.fault or "million pixels" in made.fault


def test_files_that_are_read_whole_are_refused_by_their_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.npz"
    np.savez(path, raw=np.random.default_rng(0).normal(size=(1100, 1100)))
    monkeypatch.setattr(memory, "free_memory", lambda: 40_000_000)
    with pytest.raises(FileError, match=r"million pixels takes about .* and 0\.04 GB are free\. Close other programs"):
        open_scan(path)
    monkeypatch.setattr(memory, "free_memory", lambda: None)  # a system that does not say
    assert open_scan(path).channel().data.shape == (1100, 1100)


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="only Linux says it so")
def test_the_free_memory_is_known() -> None:
    free = memory.free_memory()
    assert free is not None and 2**20 < free < 2**50
