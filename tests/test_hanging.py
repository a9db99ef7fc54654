"""A run whose threads nobody ends fails and ends; it does not wait for them for ever."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LEAVES_A_THREAD = """
import threading

threading.Thread(target=threading.Event().wait, name="nobody-ends-me").start()

def test_nothing():
    pass
"""


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """pytest on a folder with the conftest of all tests; the thread is there before a test begins."""
    shutil.copy(HERE / "conftest.py", folder)
    (folder / "test_it.py").write_text(LEAVES_A_THREAD)
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:pytest-qt", *words]
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    return subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.parametrize("words", [(), ("-n", "1")], ids=["alone", "worker"])
def test_a_thread_that_outlives_the_run_fails_and_ends_it(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = run(tmp_path, *words)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert "nobody-ends-me" in done.stdout + done.stderr
    if not words:
        assert "in wait\n" in done.stderr  # where it waits


def test_threads_are_waited_for_and_named(request: pytest.FixtureRequest) -> None:
    (conftest,) = [p for p in request.config.pluginmanager.get_plugins() if hasattr(p, "threads_left")]
    before, end = set(threading.enumerate()), threading.Event()
    for daemon in (False, True):
        threading.Thread(target=end.wait, name=f"daemon {daemon}", daemon=daemon).start()
    assert conftest.threads_left(before, 0.0) == ["daemon False"]
    end.set()
    assert conftest.threads_left(before, 30.0) == []
