"""Entry points: `stmviewer` on the command line, `stmviewer-window` by double click."""

import contextlib
import logging
import multiprocessing
import os
import sys
from typing import NoReturn


def main() -> int:
    """The command line; returns the exit code."""
    multiprocessing.freeze_support()  # first of all: a frozen child process must not open a second window
    try:
        _settle()
        from stmviewer.cli import run
    except KeyboardInterrupt:  # while modules are loaded
        sys.stderr.write("stmviewer: stopped\n")
        return 130
    code = run(sys.argv[1:])
    if "torch" in sys.modules and "PySide6" not in sys.modules:
        _leave(code)
    return code


def _leave(code: int) -> NoReturn:
    """Ends the process without taking it apart: with torch that is half a second of work, on a busy machine several,
    in which a window waits for its training to end. Files are closed by then."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # there may be none, or nobody who reads it
            stream.flush()
    os._exit(code)


def _settle() -> None:
    """What libraries read once, when they are loaded.

    numpy works many small matrices here and no large one: with two threads of OpenBLAS dimer rows took 3 s on a busy
    machine, with one 0.4 s. Matplotlib keeps a list of fonts, of which PyInstaller makes a fresh folder at each start:
    seconds, each.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from stmviewer import paths

    if paths.frozen():
        os.environ["MPLCONFIGDIR"] = str(paths.cache() / "matplotlib")


def window() -> int:
    """The window, as a shortcut or a double click opens it."""
    return main()


if __name__ == "__main__":
    sys.exit(main())
