"""Starts the window."""

import gc
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from pyqtgraph.util.garbage_collector import GarbageCollector
from PySide6.QtCore import QEvent, QObject, QSocketNotifier, Qt, QTimer
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication

import stmviewer
from stmviewer.gui.empty_state import app_icon
from stmviewer.gui.error_report import FaultCatcher, start_log
from stmviewer.gui.instance import Listener
from stmviewer.gui.window import MainWindow


def has_display() -> bool:
    """Whether a window could be shown: Qt ends the whole process where it could not."""
    if os.environ.get("QT_QPA_PLATFORM"):
        return True
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def run_window(paths: Sequence[Path] = ()) -> int:
    """Opens the window on `paths` (files and folders) and stays until it is closed; returns the exit code.

    Call `has_display()` first. A second start hands its files to this window (gui/instance.py).
    """
    start_log()
    app = make_app()
    # left to itself, Python may destroy a closed dialog in a worker's thread, or under a lock of Qt's that the dialog's
    # own end waits for: a standstill. So rubbish is collected by this thread, between its events
    collector = GarbageCollector()
    listener = Listener()
    listener.listen()
    catcher = FaultCatcher()
    catcher.install()
    window = MainWindow()
    catcher.window = window
    listener.asked.connect(lambda asked: _answer(window, asked))
    window.closing.connect(listener.close)  # from here on a second start opens its own window
    opened_by_system = _FileOpens(window)
    if sys.platform == "darwin":  # nowhere else are there such events, and a filter sees every event of all
        app.installEventFilter(opened_by_system)
    window.show()
    if paths:
        QTimer.singleShot(0, window, lambda: window.open_paths(list(paths)))
    with _Interrupts(app, window):
        code = app.exec()
    collector.timer.stop()
    gc.enable()
    listener.close()
    app.removeEventFilter(opened_by_system)
    catcher.uninstall()
    if not window.ended_cleanly:
        # a job is inside a call that cannot be stopped, such as the first import of torch: the user has closed the
        # window and expects it gone; settings and files are written
        os._exit(code)
    return code


def make_app() -> QApplication:
    """The QApplication of this process with its name and icon."""
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("stmviewer")
    app.setApplicationDisplayName("stmviewer")
    app.setApplicationVersion(stmviewer.__version__)
    app.setDesktopFileName("stmviewer")
    app.setWindowIcon(app_icon())
    return app


def _answer(window: MainWindow, asked: list[Path]) -> None:
    """What a second start asks for: these files, in front."""
    window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized | Qt.WindowState.WindowActive)
    window.raise_()
    window.activateWindow()
    if asked:
        window.open_paths(asked)


class _FileOpens(QObject):
    """On macOS a double click, or a file dragged onto the icon, comes as an event and not as an argument."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QFileOpenEvent) and event.file():
            _answer(self._window, [Path(event.file())])
            return True
        return super().eventFilter(watched, event)


class _Interrupts:
    """Lets Ctrl-C in the terminal close the window: Qt's loop would not give Python the chance to see it.

    Python writes a byte into a socket at each signal, the socket wakes Qt, and Python's handler runs. No polling.
    """

    def __init__(self, app: QApplication, window: MainWindow) -> None:
        self._app, self._window = app, window

    def __enter__(self) -> None:
        self._reading, self._writing = socket.socketpair()
        for end in (self._reading, self._writing):
            end.setblocking(False)
        self._notifier = QSocketNotifier(self._reading.fileno(), QSocketNotifier.Type.Read)
        self._notifier.activated.connect(lambda *_: self._reading.recv(64))
        self._wakeup = signal.set_wakeup_fd(self._writing.fileno())
        self._handler = signal.signal(signal.SIGINT, lambda *_: self._close())

    def _close(self) -> None:
        self._window.asks_before_closing = False
        self._app.closeAllWindows()

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._handler)
        signal.set_wakeup_fd(self._wakeup)
        self._notifier.setEnabled(False)
        for end in (self._reading, self._writing):
            end.close()
