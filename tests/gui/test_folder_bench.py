from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from stmviewer.gui.folder import bench
from stmviewer.services import thumbnails
from stmviewer.services.file_bench import made_folder


def test_a_folder_is_timed_until_its_last_picture(qtbot: QtBot, tmp_path: Path) -> None:
    files = made_folder(tmp_path / "scans", 5, size=64)
    timings = bench.bench_folder(files, tmp_path / "cache")
    assert [t.what for t in timings] == [
        f"window, folder of 5 files{seen}: {what}"
        for seen in ("", ", seen before")
        for what in ("listed, a scan on show", "all pictures")
    ]
    assert all(t.median_s > 0 for t in timings) and "longest pause" in timings[1].note


def test_pictures_that_never_come_are_told(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = made_folder(tmp_path / "scans", 2, size=64)
    monkeypatch.setattr(bench, "_PATIENCE_S", -1.0)
    monkeypatch.setattr(thumbnails, "thumbnails_job", lambda *_: lambda _: None)
    with pytest.raises(RuntimeError, match=r"0 of 2 thumbnails came"):
        bench.browse(files, tmp_path / "cache")
