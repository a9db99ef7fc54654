"""What the parent of a training asks for, line by line on stdin: `stop`, `checkpoint`, `checkpoint NAME`.

The end of stdin means that the parent is gone, and is a stop too. One thread listens. It never waits in a read: a
thread that does may keep a process from ending.
"""

import os
import queue
import select
import sys
import threading
from collections.abc import Callable

from stmviewer.train.spec import checkpoint_name

_PATIENCE_S = 0.05
_MOST = 4096


class Commands:
    """Listens to file descriptor `fd` until the block is left; calls `stop` once when asked to stop."""

    def __init__(self, fd: int, stop: Callable[[], None], say: Callable[[str], None]) -> None:
        self._fd, self._stop, self._say = fd, stop, say
        self._asked: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="stmviewer-commands", daemon=True)

    def __enter__(self) -> "Commands":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(timeout=10)

    def checkpoints(self) -> list[str]:
        """The names of the checkpoints that were asked for since the last call; '' where none was given."""
        found = []
        while not self._asked.empty():
            found.append(self._asked.get())
        return found

    def _listen(self) -> None:
        rest = b""
        while not self._over.is_set():
            try:
                if not _waiting(self._fd):
                    self._over.wait(_PATIENCE_S)
                    continue
                read = os.read(self._fd, _MOST)
            except (OSError, ValueError):  # a parent that was killed leaves a broken pipe, not an end
                read = b""
            *lines, rest = (rest + read).split(b"\n")
            for line in lines if read else [*lines, rest]:
                self._obey(line.decode("utf-8", "replace").strip())
            if not read:
                self._stop()
                return

    def _obey(self, line: str) -> None:
        word, _, name = line.partition(" ")
        match word:
            case "":
                return
            case "stop":
                self._stop()
            case "checkpoint":
                try:
                    self._asked.put(checkpoint_name(name.strip()))
                except ValueError as error:
                    self._say(str(error))
            case _:
                self._say(f"'{line[:80]}' is no command; there are stop, checkpoint and checkpoint NAME")


def _waiting(fd: int) -> bool:
    """Whether a read would not wait: something is there, or the end. Raises OSError where nobody writes any more."""
    if sys.platform != "win32":
        return bool(select.select([fd], [], [], 0)[0])
    import _winapi
    import msvcrt

    try:
        return bool(_winapi.PeekNamedPipe(msvcrt.get_osfhandle(fd), 0)[0])
    except BrokenPipeError:
        raise
    except OSError:  # no pipe: a console or a file
        return True
