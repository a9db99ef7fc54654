"""A file dragged from another program onto the window, with a real mouse on a real (virtual) screen."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

TOOLS = ("Xvfb", "openbox", "xdotool")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(any(shutil.which(tool) is None for tool in TOOLS), reason=f"needs {', '.join(TOOLS)}"),
]
HERE = Path(__file__).parent


def until(found: Callable[[], str], what: str, patience_s: float = 120.0) -> str:
    """Waits for other programs: there are no signals to wait for."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        if said := found():
            return said
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come within {patience_s:.0f} s")


class Screen:
    """A virtual screen with a window manager; programs on it are ended with it."""

    def __init__(self, home: Path) -> None:
        self._running: list[subprocess.Popen[str]] = []
        reading, writing = os.pipe()
        words = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x900x24", "-nolisten", "tcp"]
        self._running.append(subprocess.Popen(words, pass_fds=[writing], stderr=subprocess.DEVNULL, text=True))
        os.close(writing)
        with os.fdopen(reading) as said:
            display = said.readline().strip()
        folders = dict.fromkeys(("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"), str(home))
        self.environment = {**os.environ, **folders, "DISPLAY": f":{display}", "QT_QPA_PLATFORM": "xcb"}
        self.start("openbox")

    def start(self, *words: str) -> "subprocess.Popen[str]":
        program = subprocess.Popen(
            words, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._running.append(program)
        return program

    def xdotool(self, *words: str) -> str:
        done = subprocess.run(
            ["xdotool", *words], env=self.environment, capture_output=True, text=True, check=False, timeout=60
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    def window(self, title: str) -> str:
        return until(lambda: self.xdotool("search", "--onlyvisible", "--name", title), f"a window '{title}'").split()[0]

    def close(self) -> None:
        for program in reversed(self._running):
            program.terminate()
        for program in self._running:
            program.wait(20)
            if program.stdout is not None:
                program.stdout.close()


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    made = Screen(tmp_path / "home")
    yield made
    made.close()


def test_a_file_dropped_by_another_program_opens_and_stays_where_it_was(screen: Screen, tmp_path: Path) -> None:
    file = tmp_path / "dragged.npy"
    np.save(file, np.random.default_rng(0).normal(size=(64, 64)))
    app = screen.start(sys.executable, "-m", "stmviewer")
    target = screen.window("^stmviewer$")
    screen.xdotool("windowmove", target, "400", "40")
    screen.xdotool("windowsize", target, "1100", "780")
    source = screen.start(sys.executable, str(HERE / "drag_source.py"), str(file))
    held = screen.window("drag-source")
    screen.xdotool("windowmove", held, "20", "60")
    screen.xdotool("windowraise", held)
    screen.xdotool("mousemove", "--window", held, "100", "100", "mousedown", "1")
    for x in range(140, 900, 20):  # as a hand moves it: what lies under it is told step by step
        screen.xdotool("mousemove", str(x), "400")
        time.sleep(0.02)
    time.sleep(1.0)
    screen.xdotool("mouseup", "1")
    assert source.stdout is not None
    assert source.stdout.readline().strip() == "dropped as CopyAction"  # never moved: the source would delete it
    screen.window(r"dragged\.npy – stmviewer")
    assert file.is_file()
    app.terminate()
    assert app.wait(30) is not None
