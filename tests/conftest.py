"""What every test shares: Qt without a screen, the real scans where they are, nobody's own settings touched.

A thread that nobody ends would keep the whole run from ending, after its last line and for ever. Here it fails the
test that left it, and if it outlives the run, the process says its name, where it waits, and ends as failed.
"""

import os

# without a display and without this, Qt aborts the whole test process: set before anything imports it
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# two OpenMP threads on a busy machine were five times slower than one
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import faulthandler
import sys
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from time import monotonic

import pytest

#: threads that were told to end have this long for it (s)
GRACE_S = 10.0
#: and the interpreter this long to end after the last test (s)
_END_S = 120.0
_stuck_key = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with the real scans; the test is skipped where there is none."""
    folder = os.environ.get("STMVIEWER_REAL_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("STMVIEWER_REAL_DATA does not point at the real scans")
    return Path(folder)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, logs and user models of the tests go to a fresh folder, never to the user's."""
    home = tmp_path_factory.mktemp("home")
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(home))
    monkeypatch.setenv("STMVIEWER_MODELS", str(home / "models"))


def threads_left(before: Collection[threading.Thread], grace_s: float) -> list[str]:
    """Names of the threads since `before` that would keep the process from ending, after `grace_s` at most."""
    until = monotonic() + grace_s
    left = [t for t in threading.enumerate() if not t.daemon and t not in before]
    for thread in left:
        thread.join(max(0.0, until - monotonic()))
    return [t.name for t in left if t.is_alive()]


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    """Fails the test that leaves a thread behind which the end of the process would wait for."""
    before = set(threading.enumerate())
    yield
    left = threads_left(before, GRACE_S)
    assert not left, f"threads left running: {left}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A thread that outlives all tests makes the run a failed one; a worker of pytest-xdist tells its controller."""
    main = {threading.current_thread(), threading.main_thread()}
    stuck = session.config.stash[_stuck_key] = threads_left(main, 0.0)
    if stuck and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["stuck"] = stuck


class _Workers:
    """Hooks that only pytest-xdist knows: what its workers tell of threads that outlived their tests."""

    stuck: list[str]

    def __init__(self) -> None:
        self.stuck = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        self.stuck += getattr(node, "workeroutput", {}).get("stuck", [])

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.stuck:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.stuck:
            terminalreporter.write_line(f"threads left running at the end of a worker: {self.stuck}", red=True)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_Workers())


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends the process by force where threads would keep it, after saying which and where they are."""
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is not None:
        capture.stop_global_capturing()
    stuck = config.stash.get(_stuck_key, [])
    if stuck:
        print(f"threads left running at the end: {stuck}", file=sys.stderr, flush=True)
        faulthandler.dump_traceback(sys.__stderr__)
        sys.stdout.flush()
        os._exit(pytest.ExitCode.TESTS_FAILED)
    if config.stash.get(_stuck_key, None) is not None:  # tests were run
        faulthandler.dump_traceback_later(_END_S, exit=True, file=sys.__stderr__)
