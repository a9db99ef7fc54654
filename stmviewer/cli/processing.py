"""`--process`: the steps that a command applies first."""

import argparse
from pathlib import Path

from stmviewer.files.history import load_history
from stmviewer.scan.processing.catalogue import KINDS
from stmviewer.scan.processing.kinds import Kind


def add_process(parser: argparse.ArgumentParser) -> None:
    told = ", ".join(_told(kind) for kind in KINDS.values())
    parser.add_argument(
        "--process",
        default="",
        metavar="STEPS",
        help="steps that come first, such as 'plane; align-rows:median; crop:10,10,200,200', or the provenance file "
        f"(.json) of an earlier result, whose steps are replayed. Steps: {told}",
    )


def process_of(arguments: argparse.Namespace) -> str:
    """The steps asked for, as text; those of a file where one is named. Raises FileError and RequestError."""
    asked: str = arguments.process
    if asked.strip().casefold().endswith(".json"):
        return load_history(Path(asked.strip())).to_text()
    return asked


def _told(kind: Kind) -> str:
    return ":".join(filter(None, (kind.name, ",".join(p.name for p in kind.parameters))))
