"""Errors that a user caused or can mend. Each says in one line what is wrong, with what, and what to do.

Anything else that escapes is a fault of the program (exit code 1 on the command line, a report in the window).
"""

from pathlib import Path


class StmviewerError(Exception):
    """Bad input or a bad request: shown to the user as it reads, exit code 2, never a traceback."""


class FileError(StmviewerError):
    """A file that cannot be read or written.

    `path` is the file, `cause` what is wrong in it (with the offset or the field where one is known), `advice` what
    the user can do about it.
    """

    def __init__(self, path: Path | str, cause: str, advice: str = "") -> None:
        self.path = Path(path)
        self.cause = cause
        self.advice = advice
        super().__init__(f"{path}: {cause}" + (f". {advice}" if advice else ""))


class RequestError(StmviewerError):
    """A request that cannot be met: an unknown channel, mask, model or value."""


#: what allocators of torch say on a processor; on a GPU the error has a type of its own
_WORDS = ("out of memory", "can't allocate memory", "not enough memory", "cannot allocate memory")
#: what systems say where there is no room for a library that is loaded only then (Linux, Windows)
_NO_ROOM = ("failed to map segment", "cannot allocate memory", "paging file is too small")


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory was too small: MemoryError, that of CUDA, of torch's allocator, or of a library
    that found no room."""
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, ImportError | OSError):
        return any(words in str(error).lower() for words in _NO_ROOM)
    if not isinstance(error, RuntimeError):
        return False
    text = str(error).lower()
    return type(error).__name__ == "OutOfMemoryError" or any(words in text for words in _WORDS)
