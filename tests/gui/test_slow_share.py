"""A share that does not answer: the window goes on, other files open, another folder can be watched."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from stmviewer.gui import worker
from stmviewer.gui.live import control
from stmviewer.gui.window import MainWindow
from stmviewer.services.jobs import Context, Job
from stmviewer.services.watch import FolderWatch, Watched

from .bench import Bench, settled

Opener = Callable[..., MainWindow]


def workers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("stmviewer-")]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_PATIENCE_S", 0.05)
    monkeypatch.setattr(worker, "SLOW_S", 0.1)
    monkeypatch.setattr(control, "POLL_MS", 30)


@pytest.fixture
def share(tmp_path: Path) -> Path:
    made = tmp_path / "share"
    made.mkdir()
    for name in ("a.npy", "b.npy", "c.npy"):
        np.save(made / name, np.random.default_rng(0).normal(size=(16, 16)))
    return made


@pytest.fixture
def answers(bench: Bench, share: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """While it is not set, nothing on the share answers; reads cannot be called back."""
    event = threading.Event()
    services = bench.services
    scan_files, poll = services.scan_files, FolderWatch.poll

    def wait_for(path: Path) -> None:
        if path.is_relative_to(share):
            event.wait()

    def hanging_files(asked: list[Path]) -> list[Path]:
        for path in asked:
            wait_for(path)
        return scan_files(asked)

    def open_job(path: Path) -> Job:
        job = services.open_job(path)

        def waiting(context: Context) -> object:
            wait_for(path)
            return job(context)

        return waiting

    def hanging_poll(watch: FolderWatch) -> Watched:
        wait_for(watch.folder)
        return poll(watch)

    bench.services = replace(services, scan_files=hanging_files, open_job=open_job)
    monkeypatch.setattr(FolderWatch, "poll", hanging_poll)
    yield event
    event.set()
    qtbot.waitUntil(lambda: not workers())


def test_other_files_open_while_a_share_does_not_answer(
    bench: Bench, share: Path, answers: threading.Event, open_window: Opener, qtbot: QtBot
) -> None:
    local = bench.add("local.sxm")
    window = open_window()
    for name in ("a.npy", "b.npy", "c.npy"):  # more often than there are workers
        window.open_paths([share / name])
        qtbot.waitUntil(lambda: "slow to answer" in window.statusBar().currentMessage())
    window.open_paths([local])
    qtbot.waitUntil(lambda: window.session.scan is not None and window.session.scan.path == local)
    qtbot.waitUntil(lambda: not window.statusBar().currentMessage())
    answers.set()
    settled(qtbot, window)
    assert window.session.scan.path == local  # late answers are dropped
    window.close()
    assert window.ended_cleanly


def test_a_watched_share_that_hangs_holds_up_neither_the_window_nor_another_watch(
    share: Path, answers: threading.Event, tmp_path: Path, open_window: Opener, qtbot: QtBot
) -> None:
    window = open_window()
    window.live.start(share)
    qtbot.wait(100)
    assert window.live.strip.isVisible() and window.live.folder == share
    other = tmp_path / "other"
    other.mkdir()
    np.save(other / "there.npy", np.random.default_rng(1).normal(size=(16, 16)))
    window.live.stop()
    window.live.start(other)
    qtbot.waitUntil(lambda: window.session.scan is not None and window.session.scan.path == other / "there.npy")


def test_the_window_closes_though_a_share_hangs(
    share: Path, answers: threading.Event, open_window: Opener, qtbot: QtBot
) -> None:
    window = open_window()
    window.live.start(share)
    window.open_paths([share])
    qtbot.wait(50)
    window.close()
    assert not window.isVisible() and not window.ended_cleanly  # the process ends without waiting (gui/app.py)
