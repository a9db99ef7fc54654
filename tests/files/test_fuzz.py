"""Some damaged files of every format; `make fuzz` reads 20,000."""

import signal
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from stmviewer.files.sniffing import Kind

from .fuzz import judge as judging
from .fuzz.campaign import _Worker, campaign
from .fuzz.mutations import damaged
from .fuzz.seeds import MADE, put, seeds
from .fuzz.worker import case


def test_every_format_that_is_read_is_damaged() -> None:
    assert set(MADE) == set(get_args(Kind))


@pytest.mark.parametrize("kind", MADE)
def test_whole_files_open(tmp_path: Path, kind: str) -> None:
    for name, content in seeds(kind):
        assert judging.judge(put(tmp_path, kind, name, content)).outcome == "opened", name


def test_damaged_files_are_scans_or_one_clear_error() -> None:
    report = campaign(range(165), seed=20_000)
    assert report.cases == 165
    assert not report.faults, report.text()
    opened = sum(counts["opened"] for counts in report.outcomes.values())
    assert 15 < opened < 150  # neither all too broken nor hardly damaged


def test_a_case_is_the_same_for_the_same_numbers() -> None:
    kinds = list(MADE)
    for number in range(11):
        assert case(3, number, kinds) == case(3, number, kinds)
    assert case(3, 0, kinds) != case(4, 0, kinds)


def test_damage_changes_something() -> None:
    content = seeds("sxm")[0][1]
    assert sum(damaged(content, np.random.default_rng(k))[0] != content for k in range(100)) > 90


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (ValueError("no"), "ValueError: no"),
        (MemoryError(), "MemoryError"),
        (judging.FileError("elsewhere", "the file is truncated"), "names another file"),
    ],
)
def test_the_judge_sees_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception, said: str) -> None:
    def fail(_: Path) -> None:
        raise fault

    monkeypatch.setattr(judging, "kind_of", fail)
    path = tmp_path / "file"
    path.write_bytes(b"content")
    verdict = judging.judge(path)
    assert verdict.outcome == "fault" and said in verdict.said


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is limited on Linux only")
def test_the_judge_sees_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def allocate(_: Path) -> None:
        np.empty(300 * 10**6, dtype=np.uint8)

    monkeypatch.setattr(judging, "kind_of", allocate)
    path = tmp_path / "file"
    path.write_bytes(b"content")
    assert "MemoryError" in judging.judge(path).said


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes are stopped by a signal of POSIX")
def test_a_reader_that_hangs_or_dies_is_told_from_one_that_works() -> None:
    worker = _Worker(0, ["npy"])
    try:
        worker.ask(0)
        assert worker.answer(60)["kind"] == "npy"
        assert worker.answer(60)["outcome"] in ("opened", "refused")
        worker.process.send_signal(signal.SIGSTOP)
        worker.ask(1)
        with pytest.raises(TimeoutError, match="hangs"):
            worker.answer(0.1)
        worker.process.kill()
        with pytest.raises(EOFError, match="ended with -9"):
            worker.answer(60)
    finally:
        worker.end()
