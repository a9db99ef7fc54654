"""`stmviewer smoke-test`: does every part of this installation work? JSON on stdout, exit 0 or 1."""

import argparse
import platform
import tempfile
import time
import traceback
from pathlib import Path

import stmviewer
from stmviewer import paths
from stmviewer.cli.console import print_json
from stmviewer.cli.smoke_checks import CHECKS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", choices=tuple(CHECKS), help="this check alone")
    parser.add_argument("--skip", choices=tuple(CHECKS), action="append", default=[], help="leave this check out")
    parser.add_argument("--no-window", action="store_true", help="leave the window out (no Qt on this machine)")


def run(arguments: argparse.Namespace) -> int:
    left_out = {*arguments.skip, *(["window"] if arguments.no_window else [])}
    chosen = [arguments.only] if arguments.only else [c for c in CHECKS if c not in left_out]
    report: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen:
            begun = time.perf_counter()
            try:
                result: dict[str, object] = {"ok": True, "detail": CHECKS[name](Path(folder))}
            except Exception as error:
                result = {"ok": False, "detail": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}
            report[name] = {**result, "seconds": round(time.perf_counter() - begun, 3)}
    good = all(r["ok"] for r in report.values())
    print_json({"ok": good, **_installation(), "checks": report})
    return 0 if good else 1


def _installation() -> dict[str, object]:
    """Which installation this is, and where it keeps what is the user's."""
    return {
        "version": stmviewer.__version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "frozen": paths.frozen(),
        "portable": paths.portable() is not None,
        "settings": str(paths.settings()),
        "models": str(paths.user_models()),
        "logs": str(paths.logs()),
        "cache": str(paths.cache()),
    }
