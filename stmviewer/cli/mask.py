"""`stmviewer mask`: a sampling mask in a file, and the time it would save."""

import argparse
import math
from pathlib import Path

import numpy as np

from stmviewer.cli.console import print_json
from stmviewer.files.writing import replacing
from stmviewer.scan import RequestError, make_mask
from stmviewer.scan.masks import PATTERNS, full


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pattern", required=True, help=", ".join(PATTERNS) + " (N whole, F the measured part)")
    parser.add_argument("--pixels", required=True, help="COLUMNSxROWS, such as 512x512")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--line-time", type=float, default=1.0, help="seconds a line, forward; default 1")
    parser.add_argument("-o", "--output", type=Path, required=True, help="mask.npz")
    parser.add_argument("--json", action="store_true", help="for machines")


def size(text: str, flag: str) -> tuple[int, int]:
    """(rows, columns) of 'COLUMNSxROWS', which was given after `flag`; raises RequestError."""
    columns, _, rows = text.lower().partition("x")
    try:
        shape = int(rows or columns), int(columns)
    except ValueError:
        shape = (0, 0)
    if not all(1 <= n <= 16384 for n in shape):
        raise RequestError(f"{flag} {text}: give COLUMNSxROWS of 1 to 16384, such as 512x512")
    return shape


def run(arguments: argparse.Namespace) -> int:
    rows, columns = size(arguments.pixels, "--pixels")
    if not 0 < arguments.line_time < math.inf:
        raise RequestError(f"--line-time must be a positive number of seconds, not {arguments.line_time:g}")
    mask = make_mask(arguments.pattern, rows, columns, arguments.seed)
    path: Path = arguments.output
    if path.suffix.lower() != ".npz":
        raise RequestError(f"-o {path}: masks are written as .npz")
    with replacing(path) as file:
        np.savez_compressed(file, measured=mask.measured, pattern=mask.pattern, seed=mask.seed)
    times = (arguments.line_time, arguments.line_time)
    seconds, whole = mask.acquisition_time_s(times), full(rows, columns).acquisition_time_s(times)
    facts = {
        "file": str(path),
        "pattern": mask.pattern,
        "measured_fraction": mask.fraction,
        "acquisition_time_s": seconds,
        "full_time_s": whole,
        "times_faster": whole / seconds,
    }
    if arguments.json:
        print_json(facts)
    else:
        print(
            f"{path}: {mask.pattern} measures {100 * mask.fraction:.1f} % of {columns} x {rows} pixels; "
            f"{seconds:.0f} s instead of {whole:.0f} s, {whole / seconds:.2g} times faster"
        )
    return 0
