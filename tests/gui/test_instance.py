"""A second start: its files go to the window that is open, unless that hangs, is another user's, or is none of ours."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QUrl
from PySide6.QtGui import QFileOpenEvent
from pytestqt.qtbot import QtBot

from stmviewer.gui import app, instance
from stmviewer.gui.instance import Listener, NoPlaceError, address, hand_over

QLocalSocket = pytest.importorskip("PySide6.QtNetwork", exc_type=ImportError).QLocalSocket
unix = pytest.mark.skipif(sys.platform == "win32", reason="sockets are files elsewhere only")

HANDS_OVER = """
import sys
from pathlib import Path
from stmviewer.gui.instance import hand_over
print(hand_over([Path(a) for a in sys.argv[1:]]))
"""


@pytest.fixture(autouse=True)
def own_place(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for sockets of this test alone, with a short path."""
    folder = tmp_path_factory.mktemp("s")
    folder.chmod(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    return folder


@pytest.fixture
def listener(qapp: object) -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


def said(qtbot: QtBot, message: bytes) -> bytes:
    """What a listener answers to these bytes."""
    client = QLocalSocket()
    answer = bytearray()
    client.readyRead.connect(lambda: answer.extend(client.readAll().data()))
    client.connectToServer(address())
    client.write(message)
    qtbot.waitUntil(lambda: bytes(answer).endswith(b"\n"))
    client.abort()
    return bytes(answer)


def opening(*paths: str, **changes: object) -> bytes:
    return json.dumps({"kind": "stmviewer-open-1", "paths": paths, **changes}).encode() + b"\n"


def test_another_process_hands_its_files_over(qtbot: QtBot, listener: Listener, tmp_path: Path) -> None:
    assert listener.listen()
    name = "Ü 1.sxm"
    with qtbot.waitSignal(listener.asked, timeout=30_000) as asked:
        second = subprocess.Popen(
            [sys.executable, "-c", HANDS_OVER, name, str(tmp_path / "b.gwy")],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            text=True,
        )
    assert asked.args == [[tmp_path / name, tmp_path / "b.gwy"]]  # absolute: the window is elsewhere
    assert second.communicate(timeout=30)[0] == "True\n"


def test_starts_that_come_together_are_one_opening(qtbot: QtBot, listener: Listener) -> None:
    """Windows starts a program for each of the files that are opened at once."""
    assert listener.listen()
    with qtbot.waitSignal(listener.asked) as asked:
        for name in ("/a.sxm", "/b.sxm", "/a.sxm"):
            assert said(qtbot, opening(name)) == b"opened\n"
    assert asked.args == [[Path("/a.sxm"), Path("/b.sxm")]]


def test_a_start_without_files_brings_the_window_to_the_front(qtbot: QtBot, listener: Listener) -> None:
    assert listener.listen()
    with qtbot.waitSignal(listener.asked) as asked:
        said(qtbot, opening())
    assert asked.args == [[]]


@pytest.mark.parametrize(
    "message",
    [
        b"GET / HTTP/1.1\n",
        b"\xff\xfe\n",
        b"[]\n",
        b"3\n",
        opening("/a.sxm", kind="stmviewer-open-2"),
        opening("a.sxm"),
        b'{"kind": "stmviewer-open-1", "paths": 3}\n',
    ],
)
def test_what_is_not_ours_is_refused_and_opens_nothing(qtbot: QtBot, listener: Listener, message: bytes) -> None:
    assert listener.listen()
    with qtbot.assertNotEmitted(listener.asked, wait=2 * instance._TOGETHER_MS):
        assert said(qtbot, message) == b"not understood\n"


def test_a_client_that_says_nothing_keeps_nobody_waiting(qtbot: QtBot, listener: Listener) -> None:
    assert listener.listen()
    silent = QLocalSocket()
    silent.connectToServer(address())
    with qtbot.waitSignal(listener.asked) as asked:
        said(qtbot, opening("/a.sxm"))
    assert asked.args == [[Path("/a.sxm")]]
    silent.abort()


def test_nobody_there(qapp: object, listener: Listener, own_place: Path) -> None:
    assert not hand_over([Path("a.sxm")])
    assert listener.listen()
    listener.close()
    assert not hand_over([Path("a.sxm")])
    assert not list(own_place.iterdir())


def test_the_second_of_two_listeners_does_not_listen(listener: Listener) -> None:
    assert listener.listen()
    other = Listener()
    assert not other.listen()
    assert not other.listening
    other.close()
    assert listener.listening


@unix
def test_what_a_crash_leaves_behind_is_cleared_away(qtbot: QtBot, listener: Listener) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(address())
    left.close()
    assert Path(address()).exists()
    assert not hand_over([Path("a.sxm")])
    assert listener.listen()
    assert said(qtbot, opening("/a.sxm")) == b"opened\n"


@unix
def test_a_window_that_hangs_is_left_alone_and_keeps_its_address(listener: Listener) -> None:
    hangs = socket.socket(socket.AF_UNIX)
    hangs.bind(address())
    hangs.listen(5)
    assert not hand_over([Path("a.sxm")], patience_ms=100)
    assert not listener.listen()
    hangs.settimeout(10)
    connection, _ = hangs.accept()
    assert json.loads(connection.recv(10_000))["paths"] == [str(Path("a.sxm").absolute())]
    connection.close()
    hangs.close()


@unix
def test_an_answer_that_is_none_of_ours_is_no_window(qapp: object) -> None:
    """Too long, without an end: another program at that address."""
    code = (
        "import socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.bind(sys.argv[1])\ns.listen(1)\n"
        "print('on', flush=True)\n"
        "c, _ = s.accept()\nc.sendall(b'x' * 100)\nc.recv(10000)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, address()], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert not hand_over([Path("a.sxm")])
        other.wait(30)


@unix
class TestWhoseFolder:
    def test_a_folder_that_others_may_enter_is_not_used(self, own_place: Path) -> None:
        own_place.chmod(0o755)
        assert Path(address()).parent != own_place
        assert Path(address()).parent.stat().st_mode & 0o077 == 0

    def test_another_user_s_folder_is_not_used(
        self, qapp: object, own_place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.delenv("XDG_RUNTIME_DIR")
        monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
        taken = tmp_path / f"stmviewer-{os.getuid()}"
        taken.mkdir(mode=0o777)
        taken.chmod(0o777)
        with pytest.raises(NoPlaceError, match="somebody else"):
            address()
        assert not hand_over([Path("a.sxm")])
        assert not Listener().listen()
        taken.rmdir()
        taken.symlink_to(own_place)  # nor is a link that somebody has put there followed
        with pytest.raises(NoPlaceError):
            address()

    def test_users_screens_and_settings_have_addresses_of_their_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DISPLAY", ":1")
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        first = address()
        assert address() == first
        monkeypatch.setenv("DISPLAY", ":2")
        second = address()
        monkeypatch.setenv("XDG_CONFIG_HOME", "/elsewhere")
        third = address()
        monkeypatch.setattr("getpass.getuser", lambda: "somebody")
        assert len({first, second, third, address()}) == 4


WINDOW = """
import os, subprocess, sys
from pathlib import Path
from PySide6.QtCore import QTimer
from stmviewer.gui import app

first, second = map(Path, sys.argv[1:])
started = []

def look():
    window = next((w for w in app.QApplication.topLevelWidgets() if isinstance(w, app.MainWindow)), None)
    shown = window.session.shown if window else None
    name = shown.raw.scan.path.name if shown else ""
    if name == first.name and not started:
        window.setWindowState(app.Qt.WindowState.WindowMinimized)
        started.append(subprocess.Popen([sys.executable, "-m", "stmviewer", str(second)]))
    if name != second.name or window.session.desk.busy:
        return QTimer.singleShot(20, look)
    print("second start:", started[0].wait(30), "minimized:", window.isMinimized())
    window.close()

make_app = app.make_app
def watched():
    application = make_app()
    QTimer.singleShot(0, look)
    return application
app.make_app = watched
print("code:", app.run_window([first]))
"""


def test_a_file_opened_later_appears_in_the_window_that_is_open(tmp_path: Path) -> None:
    paths = [tmp_path / "first.npy", tmp_path / "second.npy"]
    for k, path in enumerate(paths):
        np.save(path, np.random.default_rng(k).normal(size=(32, 32)))
    done = subprocess.run(
        [sys.executable, "-c", WINDOW, *map(str, paths)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.splitlines() == ["second start: 0 minimized: False", "code: 0"], done.stderr


@pytest.mark.parametrize(
    ("arguments", "opened", "asks"),
    [
        (["a.sxm"], ["a.sxm"], True),
        ([], [], True),
        (["--new-window", "a.sxm"], ["a.sxm"], False),
        (["a.sxm", "--new-window"], ["a.sxm"], False),
    ],
)
def test_the_command_line_asks_the_open_window_first(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], opened: list[str], asks: bool
) -> None:
    from stmviewer.cli import run

    asked: list[list[str]] = []
    own: list[list[str]] = []
    monkeypatch.setattr(instance, "hand_over", lambda paths: asked.append([p.name for p in paths]) or True)
    monkeypatch.setattr(app, "run_window", lambda paths: own.append([p.name for p in paths]) or 0)
    assert run(arguments) == 0
    assert (asked, own) == (([opened], []) if asks else ([], [opened]))


def test_on_macos_files_come_as_events(qapp: object, open_window: object, monkeypatch: pytest.MonkeyPatch) -> None:
    window = open_window()  # type: ignore[operator]
    came: list[list[Path]] = []
    monkeypatch.setattr(window, "open_paths", lambda paths: came.append(list(paths)))
    filtering = app._FileOpens(window)
    assert filtering.eventFilter(window, QFileOpenEvent(QUrl.fromLocalFile("/a.sxm")))
    assert not filtering.eventFilter(window, QEvent(QEvent.Type.None_))
    assert came == [[Path("/a.sxm")]]


def test_without_qts_network_library_every_start_has_its_own_window(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(instance, "_LACKING", "libgssapi_krb5.so.2: cannot open shared object file")
    listener = Listener()
    assert not listener.listen()
    assert not listener.listening
    assert "libgssapi" in caplog.text
    assert not hand_over([Path("a.sxm")])
    listener.close()
