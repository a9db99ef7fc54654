"""The window under test, and nothing left behind."""

import gc
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from stmviewer.gui import dialogs
from stmviewer.gui.services_used import Services
from stmviewer.gui.settings import Settings
from stmviewer.gui.window import MainWindow
from stmviewer.restore import Restoration
from stmviewer.scan import Channel, Scan
from stmviewer.services.jobs import Context, Job

from .bench import MODELS, Bench, FakeRestorer, settled


@pytest.fixture(autouse=True)
def nothing_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test that leaves a thread, a running timer or a window behind. Set up first, so checked last."""
    yield
    if QApplication.instance() is None:
        return
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCoreApplication.processEvents()
    left = [t.name for t in threading.enumerate() if t.name.startswith("stmviewer-")]
    left += [repr(w) for w in QApplication.topLevelWidgets() if w.isVisible()]
    for widget in QApplication.topLevelWidgets():
        left += [f"{widget}: {timer}" for timer in widget.findChildren(QTimer) if timer.isActive()]
    assert not left, f"left behind: {left}"


@pytest.fixture(autouse=True)
def closing_is_answered(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Nobody sits before a test: what is under way may be stopped. Gives what was asked about."""
    asked: list[list[str]] = []
    monkeypatch.setattr(dialogs, "ask_stop", lambda _window, under_way: asked.append(list(under_way)) or True)
    return asked


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    scans: dict[Path, Scan] = {}
    restorer = FakeRestorer()
    real = Services()

    def open_job(path: Path) -> Job:
        return (lambda _: (scans[path],)) if path in scans else real.open_job(path)

    def export_job(_restoration: Restoration, _scan: Scan, path: Path) -> Job:
        def job(_: Context) -> Path:
            path.write_bytes(b"result")
            result.exported.append(path)
            return path

        return job

    def tip_state_job(_scan: Scan, channel: Channel) -> Job:
        result.judged.append(channel)
        return lambda _: result.tip

    def file_tip_job(path: Path, *_: object) -> Job:
        return lambda _: (path, result.tip)

    services = Services(
        open_job=open_job,
        available_models=lambda: MODELS,
        restore_job=restorer.job,
        device_job=lambda: lambda _: "CPU, 2 threads",
        export_job=export_job,
        tip_state_job=tip_state_job,
        file_tip_job=file_tip_job,
    )
    result = Bench(services, restorer, scans, tmp_path)
    return result


@pytest.fixture(autouse=True)
def collected_between_tests() -> Iterator[None]:
    """Rubbish is collected when a test has ended, never within it.

    A closed window that the collector happens to meet while Qt connects a signal of the next one is destroyed under a
    lock of Qt's that its own destructor waits for: seen once, in a whole run of the tests, as a standstill. What was
    there before, torch's a million things among it, is not looked through again: that took longer than the tests.
    """
    gc.disable()
    gc.freeze()
    yield
    gc.enable()
    gc.collect()


@pytest.fixture
def open_window(qtbot: QtBot, bench: Bench) -> Iterator[Callable[..., MainWindow]]:
    """Opens a window on files of the bench, at rest when it returns."""
    windows: list[MainWindow] = []

    def opener(*paths: Path, size: tuple[int, int] = (1280, 800)) -> MainWindow:
        window = MainWindow(bench.services, Settings(bench.settings_path))
        windows.append(window)
        window.resize(*size)
        window.show()
        qtbot.waitExposed(window)
        qtbot.waitUntil(lambda: bool(window.session.models))
        if paths:
            window.open_paths(paths)
            qtbot.waitUntil(lambda: not window.session.desk.busy)
            settled(qtbot, window)
        return window

    yield opener
    bench.restorer.gate.set()
    for window in windows:
        window.close()
        window.deleteLater()
