"""The probe of number formats: decided by clear gains only, asked once a machine, and never in the way."""

import json
from pathlib import Path

import pytest
import torch

from stmviewer.restore import devices, probe
from stmviewer.restore.devices import Arithmetic, free_threads

FLOAT = {(False, False): 1.0, (False, True): 1.0}


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(probe, "_kept", {})
    monkeypatch.setattr("stmviewer.paths.cache", lambda: tmp_path / "cache")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (FLOAT, Arithmetic(False, True)),
        ({(False, False): 1.0, (False, True): 1.3}, Arithmetic(False, False)),
        (FLOAT | {(True, False): 0.9, (True, True): 0.95}, Arithmetic(False, True)),  # no clear gain
        (FLOAT | {(True, False): 0.5, (True, True): 0.55}, Arithmetic(True, True)),
        (FLOAT | {(True, False): 0.5, (True, True): 0.7}, Arithmetic(True, False)),
        (FLOAT | {(True, False): 3.0, (True, True): 3.0}, Arithmetic(False, True)),  # emulated
    ],
)
def test_only_a_clear_gain_decides(seconds: dict[tuple[bool, bool], float], expected: Arithmetic) -> None:
    assert probe.choose(seconds) == expected


def test_a_machine_is_timed_once_and_remembered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls = []

    def timings(bf16_possible: bool) -> dict[tuple[bool, bool], float]:
        calls.append(bf16_possible)
        return FLOAT | {(True, False): 0.5, (True, True): 0.5}

    monkeypatch.setattr(probe, "timings", timings)
    first = probe.verdict(bf16_possible=True)
    monkeypatch.setattr(probe, "_kept", {})  # another process
    monkeypatch.setattr(probe, "choose", lambda seconds: Arithmetic(False, False))  # would decide otherwise now
    assert probe.verdict(bf16_possible=True) == first == Arithmetic(True, True)
    assert calls == [True]
    (key,) = json.loads((tmp_path / "cache" / "arithmetic.json").read_text())
    assert torch.__version__ in key


@pytest.mark.parametrize("text", ["", "[]", "{", '{"%s": 3}', '{"%s": {"bf16": "yes", "channels_last": 1}}'])
def test_a_damaged_memory_is_asked_again(text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(probe, "timings", lambda possible: FLOAT)
    probe.verdict(bf16_possible=False)
    path = tmp_path / "cache" / "arithmetic.json"
    (key,) = json.loads(path.read_text())
    path.write_text(text % key if "%s" in text else text)
    monkeypatch.setattr(probe, "_kept", {})
    assert probe.verdict(bf16_possible=False) == Arithmetic(False, True)
    assert json.loads(path.read_text())[key] == {"bf16": False, "channels_last": True}


def test_a_folder_that_cannot_be_written_stops_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    monkeypatch.setattr(probe, "timings", lambda possible: FLOAT)
    assert probe.verdict(bf16_possible=False) == Arithmetic(False, True)


def test_the_timing_itself_covers_what_is_possible() -> None:
    assert set(probe.timings(False)) == {(False, False), (False, True)}
    assert all(s > 0 for s in probe.timings(True).values())


def test_threads_leave_busy_processors_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(devices.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    for elsewhere, expected in ((0, 8), (3, 5), (7, 1), (40, 1)):
        monkeypatch.setattr(devices, "_running_elsewhere", lambda n=elsewhere: n)
        assert free_threads() == expected
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert free_threads() == 3
