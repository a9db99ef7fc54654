"""One window per user and screen: a second start hands its files to the window that is open, and ends.

A local socket (a named pipe on Windows) of the user alone; one JSON line there, one line back. A window that does not
answer is left alone, and the second start opens its own: nobody waits for a program that hangs. What a crash leaves
behind is cleared away by the next start.

Only QtCore and QtNetwork are imported: a second start that hands over is gone before the window would be loaded.
"""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import json
import logging
import os
import stat
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QDeadlineTimer, QLockFile, QObject, Signal

from stmviewer import paths
from stmviewer.gui.delayed import delayed

try:
    from PySide6.QtNetwork import QLocalServer, QLocalSocket

    _LACKING = ""
except ImportError as error:  # on Linux it needs a library of Kerberos: without it every start has its own window
    _LACKING = str(error)

_log = logging.getLogger("stmviewer.instance")
#: a window that is busy drawing answers within this; one that hangs does not
PATIENCE_MS = 5000
#: several files that Windows opens at once come as a start each: they are one opening
_TOGETHER_MS = 150
#: a message is longer than this, or slower: it is none of ours
_MOST_BYTES = 4_000_000
_DONE = b"opened\n"
_REFUSED = b"not understood\n"
_KIND = "stmviewer-open-1"


class NoPlaceError(OSError):
    """There is no folder that is the user's alone."""


def address() -> str:
    """Where the window of this user, on this screen, with these settings, listens.

    Raises NoPlaceError where somebody else could listen there: files would be opened, and named, to a stranger.
    """
    screen = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY") or ""
    told = "\n".join((_user(), screen, os.environ.get("SESSIONNAME", ""), str(paths.settings())))
    name = f"stmviewer-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
    return name if sys.platform == "win32" else str(_own_folder() / name)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user without a name, as in containers
        return str(os.getuid()) if hasattr(os, "getuid") else ""


def _own_folder() -> Path:
    """A folder that only this user can enter. A socket's path must be short (104 bytes on macOS)."""
    given = os.environ.get("XDG_RUNTIME_DIR")
    if given and _is_ours(Path(given)):
        return Path(given)
    folder = Path(tempfile.gettempdir()) / f"stmviewer-{os.getuid()}"
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
    if not _is_ours(folder):
        raise NoPlaceError(f"{folder} belongs to somebody else, or others may enter it")
    return folder


def _is_ours(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def hand_over(opened: Sequence[Path], patience_ms: int = PATIENCE_MS) -> bool:
    """Asks the window that is open to open these and come to the front; False where there is none, or it hangs."""
    try:
        place = address()
    except NoPlaceError:
        return False
    if _LACKING:
        return False
    socket = QLocalSocket()
    socket.connectToServer(place)
    if not socket.waitForConnected(patience_ms):
        return False
    try:
        _let_it_come_to_the_front()
        message = {
            "kind": _KIND,
            "paths": [os.path.abspath(path) for path in opened],  # noqa: PTH100 - links are opened as links
            "token": os.environ.get("XDG_ACTIVATION_TOKEN", ""),
        }
        socket.write(json.dumps(message).encode() + b"\n")
        answer, end = b"", QDeadlineTimer(patience_ms)
        while not answer.endswith(b"\n") and len(answer) < len(_REFUSED):
            # the bytes may all be there before we wait for them
            if not socket.bytesAvailable() and not socket.waitForReadyRead(end.remainingTime()):
                _log.warning("the window that is open does not answer; here is another one")
                return False
            answer += bytes(socket.readAll().data())
        return answer == _DONE
    finally:
        socket.abort()


def _let_it_come_to_the_front() -> None:
    """Windows lets only the program in front bring another one there: it is asked to."""
    if sys.platform == "win32":
        import ctypes

        any_process = -1
        ctypes.windll.user32.AllowSetForegroundWindow(any_process)


class Listener(QObject):
    """Hears of second starts. `asked` brings the paths to open, none where the window shall only come to the front."""

    asked = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._server: QLocalServer | None = None
        self._clients: dict[QLocalSocket, bytes] = {}
        self._gathered: list[Path] = []
        self._together = delayed(self, self._tell, _TOGETHER_MS)

    @property
    def listening(self) -> bool:
        return self._server is not None

    def listen(self) -> bool:
        """Starts to listen; False where another window does already, or nothing can be listened to.

        Call it when nothing was handed over: an address where nobody answers is what a crash left behind. A window
        that hangs keeps its address (it may come back), so that one opened beside it does not listen.
        """
        if _LACKING:
            _log.warning("a second start opens a window of its own: %s", _LACKING)
            return False
        try:
            place = address()
        except OSError as error:
            _log.warning("a second start will open a window of its own: %s", error)
            return False
        lock = QLockFile(f"{Path(tempfile.gettempdir()) / place if sys.platform == 'win32' else place}.lock")
        if not lock.tryLock(PATIENCE_MS):  # two that start at once must not both clear the address
            return False
        try:
            if _somebody_at(place):
                return False
            QLocalServer.removeServer(place)
            server = QLocalServer(self)
            server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
            if not server.listen(place):
                _log.warning("a second start will open a window of its own: %s", server.errorString())
                server.deleteLater()
                return False
        finally:
            lock.unlock()
        server.newConnection.connect(self._on_connection)
        self._server = server
        return True

    def close(self) -> None:
        """No socket is open and no timer runs after this."""
        self._together.stop()
        for client in list(self._clients):
            self._drop(client)
        if self._server is not None:
            self._server.close()
            self._server.deleteLater()
            self._server = None

    def _on_connection(self) -> None:
        while self._server is not None and (client := self._server.nextPendingConnection()) is not None:
            self._clients[client] = b""
            client.readyRead.connect(lambda c=client: self._on_bytes(c))
            client.disconnected.connect(lambda c=client: self._drop(c))
            if client.bytesAvailable():
                self._on_bytes(client)

    def _on_bytes(self, client: QLocalSocket) -> None:
        if client not in self._clients:
            return
        self._clients[client] += bytes(client.readAll().data())
        line, end, _ = self._clients[client].partition(b"\n")
        if end or len(line) > _MOST_BYTES:
            wanted = _understood(line) if end else None
            client.write(_REFUSED if wanted is None else _DONE)
            client.flush()
            client.disconnectFromServer()  # once what was written is out
            if wanted is not None:
                self._gathered += wanted
                self._together.start()

    def _drop(self, client: QLocalSocket) -> None:
        if self._clients.pop(client, None) is not None:
            client.abort()
            client.deleteLater()

    def _tell(self) -> None:
        gathered, self._gathered = self._gathered, []
        self.asked.emit(list(dict.fromkeys(gathered)))


def _somebody_at(place: str) -> bool:
    socket = QLocalSocket()
    socket.connectToServer(place)
    found = socket.waitForConnected(PATIENCE_MS)
    socket.abort()
    return found


def _understood(line: bytes) -> list[Path] | None:
    """The paths of a message; None where it is not one of ours."""
    try:
        message = json.loads(line)
        if message["kind"] != _KIND:
            return None
        wanted = [str(path) for path in message["paths"]]
        token = message.get("token", "")
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    if not all(os.path.isabs(path) for path in wanted):  # noqa: PTH117
        return None
    if isinstance(token, str) and token:  # Wayland's leave to come to the front; Qt takes it from there
        os.environ["XDG_ACTIVATION_TOKEN"] = token
    return [Path(path) for path in wanted]
