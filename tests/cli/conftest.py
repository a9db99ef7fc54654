"""What tests of the command line share: running it, scans to run it on, a tiny learned model."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import stmviewer.cli
from stmviewer import paths

from . import scans
from .outcome import Outcome

Run = Callable[..., Outcome]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line in this process."""

    def run_(*words: object) -> Outcome:
        capsys.readouterr()
        code = stmviewer.cli.run([str(word) for word in words])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run_


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment of a child process that has neither a display nor unbuffered streams."""
    gone = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "PYTHONUNBUFFERED", "STMVIEWER_DEBUG")
    kept = {k: v for k, v in os.environ.items() if k not in gone}
    return kept | {"PYTHONPATH": str(Path(stmviewer.cli.__file__).parents[2])}


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `python -m stmviewer ...` as a process of its own."""
    started = []

    def start_(*words: object, **options: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "stmviewer", *map(str, words)]
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, **({"env": environment} | streams | options)))
        return started[-1]

    yield start_
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def scan_file(tmp_path: Path) -> Path:
    """A calibrated scan of 48 x 40 pixels."""
    return scans.write(tmp_path / "scan.gwy")


@pytest.fixture
def no_shipped_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "shipped_models", lambda: tmp_path / "none")


@pytest.fixture
def learned() -> str:
    """Name of a tiny untrained regression in the user's library."""
    return scans.put_model("regression-tiny")
