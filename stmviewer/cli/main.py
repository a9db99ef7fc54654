"""Chooses the command: `stmviewer [FILES]` is the window, `stmviewer COMMAND ...` everything else."""

import argparse
import errno
import io
import logging
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import stmviewer
from stmviewer.cli.console import fault
from stmviewer.scan import Cancelled, StmviewerError
from stmviewer.scan.errors import out_of_memory

#: command -> module of stmviewer.cli, and its line in the help
COMMANDS = {
    "info": ("info", "what is in a file: size, bias, setpoint, channels"),
    "mask": ("mask", "make a sampling mask, and what it would save"),
    "plan": ("plan", "what a scan costs in time, whole and sampled sparsely"),
    "convert": ("convert", "write files and folders in another format"),
    "restore": ("restore", "repair scans, or rebuild sparse ones"),
    "simulate": ("simulate", "make surfaces and degraded scans of them"),
    "train": ("train", "train a model on your own scans"),
    "adapt": ("adapt", "make a model better on a few of your own scans"),
    "evaluate": ("evaluate", "score models on hidden pixels"),
    "clip": ("clip", "the weights that CMMD needs"),
    "models": ("models", "list the models"),
    "bench": ("bench", "time opening, restoring and training on this machine"),
    "smoke-test": ("smoke", "check that every part of the installation works"),
}
#: another window beside the one that is open
_NEW_WINDOW = "--new-window"

EXIT_BAD_INPUT, EXIT_OUR_FAULT, EXIT_STOPPED = 2, 1, 130


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line that says where help is."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_BAD_INPUT, f"stmviewer: {message}; see {self.prog} --help\n")


def parser(command: str | None = None) -> Parser:
    """The parser of the whole command line; with a `command`, of that one alone, which spares the imports of others."""
    whole = Parser(
        prog="stmviewer",
        description="Restore scanning tunnelling microscope images. With files or folders, or alone: the window.",
        epilog="stmviewer [--new-window] [FILES or FOLDERS] opens the window, or these files in the window that is "
        "open already.",
    )
    whole.add_argument("--version", action="version", version=f"stmviewer {stmviewer.__version__}")
    commands = whole.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    for name in COMMANDS if command is None else (command,):
        module, line = COMMANDS[name]
        added = commands.add_parser(name, help=line, description=line[0].upper() + line[1:] + ".")
        added.set_defaults(module=module)
        import_module(f"stmviewer.cli.{module}").add_arguments(added)
    return whole


def run(arguments: Sequence[str]) -> int:
    """Runs a command line; returns the exit code: 0 done, 2 bad input (one clear line), 1 a fault of ours."""
    # busy-waiting OpenMP threads slow a shared machine down several times; must be set before torch is loaded
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    logging.basicConfig(level=logging.WARNING, format="stmviewer: %(message)s", stream=sys.stderr)
    logging.captureWarnings(True)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name or unit that the terminal cannot show stops no work
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = _run(arguments)
        if sys.stdout is not None:  # a window without a console has none
            sys.stdout.flush()
        return code
    except BrokenPipeError:  # `stmviewer models | head`: nobody reads on
        _silence()
        return 0
    except OSError as error:
        if not _full(error):
            raise
        return _no_space(error)


def _full(error: Exception) -> bool:
    """Whether what stdout leads to is full: errors of files that we write have their name."""
    return isinstance(error, OSError) and error.errno == errno.ENOSPC and error.filename is None


def _no_space(error: Exception) -> int:
    _silence()
    cause = getattr(error, "strerror", "") or error
    print(f"stmviewer: the report cannot be written to where stdout leads ({cause}). Make room there", file=sys.stderr)
    return EXIT_BAD_INPUT


def _silence() -> None:
    """What is left of stdout goes nowhere: to write it when the process ends would fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(arguments: Sequence[str]) -> int:
    try:
        if _NEW_WINDOW in arguments and arguments[0] not in COMMANDS:
            return _window([Path(a) for a in arguments if a != _NEW_WINDOW], new=True)
        if arguments and (arguments[0] in COMMANDS or arguments[0].startswith("-")):
            chosen = parser(arguments[0] if arguments[0] in COMMANDS else None).parse_args(arguments)
            return int(import_module(f"stmviewer.cli.{chosen.module}").run(chosen))
        return _window([Path(a) for a in arguments])
    except StmviewerError as error:
        print(f"stmviewer: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except (Cancelled, KeyboardInterrupt):
        print("stmviewer: stopped", file=sys.stderr)
        return EXIT_STOPPED
    except BrokenPipeError:
        raise
    except SystemExit as error:
        return int(error.code or 0)
    except Exception as error:
        if out_of_memory(error):
            print("stmviewer: the computer ran out of memory. Close other programs", file=sys.stderr)
            return EXIT_BAD_INPUT
        if _full(error):
            return _no_space(error)
        print(f"stmviewer: {fault(error)}", file=sys.stderr)
        return EXIT_OUR_FAULT


def _window(paths: list[Path], *, new: bool = False) -> int:
    try:
        # before the window and all that it needs is loaded
        from stmviewer.gui.instance import hand_over

        if not new and hand_over(paths):
            return 0
        from stmviewer.gui.app import has_display, run_window
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "PySide6":
            raise
        print(
            f"stmviewer: Qt cannot be loaded, so there is no window ({error}); install the system library that it "
            "names (in the source tree: sh installer/linux_libraries.sh); `stmviewer --help` lists what works without",
            file=sys.stderr,
        )
        return EXIT_BAD_INPUT
    if not has_display():
        print(
            "stmviewer: there is no display to open the window on; "
            "`stmviewer restore --help` works without one, `stmviewer --help` lists the commands",
            file=sys.stderr,
        )
        return EXIT_BAD_INPUT
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return run_window(paths)
