"""The process of the window: how it starts, what it loads, how it ends."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stmviewer.gui.app import has_display


def run(code: str, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    names = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")
    environment = {**os.environ, **dict.fromkeys(names, str(tmp_path)), "QT_QPA_PLATFORM": "offscreen"}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


OPENS = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from stmviewer.gui import app

def look():
    window = next(w for w in app.QApplication.topLevelWidgets() if isinstance(w, app.MainWindow))
    if not (window.session.models and window.session.shown and window.session.sampling.mask):
        return QTimer.singleShot(20, look)
    window.grab()
    heavy = [name for name in ("torch", "scipy", "skimage", "matplotlib", "PIL") if name in sys.modules]
    print("heavy:", heavy)
    window.close()

make_app = app.make_app
def watched():
    application = make_app()
    QTimer.singleShot(0, look)
    return application
app.make_app = watched
print("code:", app.run_window([Path(sys.argv[1])]))
"""


def test_the_first_window_with_a_scan_loads_no_heavy_library(tmp_path: Path) -> None:
    np.save(tmp_path / "scan.npy", np.random.default_rng(0).normal(size=(64, 64)))
    done = run(OPENS, tmp_path, str(tmp_path / "scan.npy"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["heavy: []", "code: 0"], done.stderr


INTERRUPTED = """
import os, signal, sys
from PySide6.QtCore import QTimer
from stmviewer.gui import app

make_app = app.make_app
def watched():
    application = make_app()
    def fault():
        raise RuntimeError("a fault in a slot")
    QTimer.singleShot(0, fault)
    def shown():
        dialogs = [w for w in application.topLevelWidgets() if type(w).__name__ == "ErrorDialog"]
        if not dialogs:
            return QTimer.singleShot(20, shown)
        print(len(dialogs), "a fault in a slot" in dialogs[0].details.toPlainText())
        dialogs[0].copy_button.click()
        print("Traceback" in application.clipboard().text())
        os.kill(os.getpid(), signal.SIGINT)
    QTimer.singleShot(0, shown)
    return application
app.make_app = watched
print("code:", app.run_window())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_a_fault_is_shown_and_logged_and_ctrl_c_ends_the_window(tmp_path: Path) -> None:
    done = run(INTERRUPTED, tmp_path)
    assert done.stdout.split("\n")[:3] == ["1 True", "True", "code: 0"], done.stderr
    log = next(tmp_path.rglob("stmviewer.log")).read_text()
    assert "RuntimeError: a fault in a slot" in log


def test_without_a_display_there_is_no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert not has_display()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert has_display()
    monkeypatch.delenv("WAYLAND_DISPLAY")
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert has_display()
