"""The folder of a training, `NAME.training`: what lies where, its log, and the lock that keeps it to one process."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from stmviewer.scan import FileError, RequestError

#: lines of the log that a validation writes, and writes again where it is repeated
_OF_VALIDATION = ("validation", "probes", "kept", "saved")


@dataclass(frozen=True)
class Work:
    """Where a training named `name` keeps its things, in the library folder `models`."""

    models: Path
    name: str

    @property
    def folder(self) -> Path:
        return self.models / f"{self.name}.training"

    @property
    def state(self) -> Path:
        """The newest checkpoint to resume from; `checkpoint.generations` names those before."""
        return self.folder / "state.safetensors"

    @property
    def log(self) -> Path:
        return self.folder / "log.jsonl"

    def probes(self, step: int) -> Path:
        return self.folder / "probes" / f"{step}.npz"

    def checkpoint(self, name: str) -> Path:
        """A named checkpoint, which can become a model."""
        return self.folder / "checkpoints" / f"{name}.safetensors"


@contextmanager
def locked(work: Work) -> Iterator[None]:
    """Makes the folder and keeps it to this process; takes it away again, if nothing is in it, when what follows fails.

    The lock is the operating system's: that of a process that died is gone. Raises RequestError where another process
    trains there, FileError where the folder cannot be made.
    """
    path = work.folder / "lock"
    try:
        work.folder.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b")
    except OSError as error:
        cause = f"the folder cannot be made ({error.strerror or error})"
        raise FileError(work.folder, cause, "Choose another --models-dir") from error
    try:
        if not _lock(file, path):
            raise RequestError(
                f"another process trains '{work.name}' at this moment ({work.folder}); wait for it, stop it, or choose "
                "another --name"
            )
        try:
            yield
        finally:
            with suppress(OSError):
                path.unlink()  # while it is ours; an open file of Windows stays, and locks nobody out
            with suppress(OSError):
                work.folder.rmdir()
    finally:
        file.close()


def _lock(file: IO[bytes], path: Path) -> bool:
    """Locks the open file of `path` for this process; False where another has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # the one who had it before may have taken the file away between the opening and the locking
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False


class Journal:
    """The log of a training: one JSON object a line, whole lines only. `lines` is how many there are."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0

    def begin(self) -> None:
        """A new training: what an earlier one of that name left is gone."""
        self.path.unlink(missing_ok=True)
        self.lines = 0

    def go_on(self, lines: int | None, step: int, *, over: bool) -> None:
        """A resumed one: what was written after the checkpoint, at `lines` lines and `step`, will come again.

        `lines` is None for checkpoints that do not know it; `over`: the training had all its steps, and its last
        validation will be repeated.
        """
        try:
            found = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            found = []
        kept = []
        for text in found[:lines]:
            try:
                line = json.loads(text)
                if line["step"] > step or (over and line["step"] == step and line["kind"] in _OF_VALIDATION):
                    continue
            except (ValueError, KeyError, TypeError):  # cut short by a power cut
                continue
            kept.append(text)
        self.lines = len(kept)
        if kept == found:
            return
        temporary = self.path.with_name(self.path.name + ".part")
        with self._writing(), whole(temporary):
            temporary.write_text("".join(text + "\n" for text in kept), encoding="utf-8")
            temporary.replace(self.path)

    def write(self, line: dict[str, Any]) -> None:
        with self._writing():
            self.path.parent.mkdir(parents=True, exist_ok=True)  # someone may have taken the folder away
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        self.lines += 1

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            cause = f"cannot be written ({error.strerror or error})"
            raise FileError(self.path, cause, "Is the disk full? Go on later with --resume") from error


@contextmanager
def whole(temporary: Path) -> Iterator[None]:
    """Takes half a file away when writing it failed: it may be what fills the disk."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def synced(path: Path) -> None:
    """Waits until a file is on the disk: a name that is moved to it must not outlive what it names in a power cut."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
