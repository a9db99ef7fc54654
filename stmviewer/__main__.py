"""Entry points: `stmviewer` on the command line, `stmviewer-window` by double click."""

import multiprocessing
import os
import sys


def main() -> int:
    """The command line; returns the exit code."""
    multiprocessing.freeze_support()  # first of all: a frozen child process must not open a second window
    _settle()
    from stmviewer.cli import run

    return run(sys.argv[1:])


def _settle() -> None:
    """Where matplotlib keeps its list of fonts. PyInstaller makes a fresh folder of it at each start: seconds, each."""
    from stmviewer import paths

    if paths.frozen():
        os.environ["MPLCONFIGDIR"] = str(paths.cache() / "matplotlib")


def window() -> int:
    """The window, as a shortcut or a double click opens it."""
    return main()


if __name__ == "__main__":
    sys.exit(main())
