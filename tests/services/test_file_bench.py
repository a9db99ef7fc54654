import shutil
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from stmviewer.evaluate.timing import Timing
from stmviewer.scan import Cancelled, Progress
from stmviewer.services import file_bench
from stmviewer.services.file_bench import bench_files


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The processes that would be timed."""
    asked: list[list[str]] = []

    def whole_process(what: str, command: Sequence[str]) -> Timing:
        asked.append(list(command))
        assert any(Path(word).is_file() for word in command[1:])
        return Timing(what, 1.0, 1.0, 1.0)

    monkeypatch.setattr(file_bench, "whole_process", whole_process)
    return asked


def test_opening_thumbnails_and_processes_are_timed(commands: list[list[str]]) -> None:
    fractions: list[float] = []
    found = bench_files(Progress(lambda advance: fractions.append(advance.fraction)), size=48, count=4)
    whats = [timing.what for timing in found]
    assert whats[:2] == ["open and level 48 x 48 .sxm", "open 48 x 48 .sxm, all 4 channels"]
    assert {"thumbnails of 4 files", "thumbnails of 4 files, seen before"} <= set(whats)
    assert ("reading 4 files with nanonispy2" in whats) == (find_spec("nanonispy2") is not None)
    assert any("Gwyddion" in what for what in whats) == (shutil.which("gwyddion") is not None)
    assert [command[-1] for command in commands[:2]][1] == "gwy" and "info" in commands[0]
    for timing in found:
        assert 0 < timing.least_s <= timing.median_s <= timing.most_s
    assert next(t for t in found if t.what.startswith("thumbnails")).note.endswith("ms each")
    assert fractions[-1] == pytest.approx(1)


def test_what_is_not_installed_is_not_timed(commands: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_bench, "find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    found = bench_files(Progress(), size=48, count=2)
    assert len(found) == 6
    assert not any("nanonispy2" in t.what or "Gwyddion" in t.what for t in found)


def test_it_can_be_cancelled() -> None:
    progress = Progress()
    progress._root.stop.set()
    with pytest.raises(Cancelled):
        bench_files(progress, size=48, count=2)
