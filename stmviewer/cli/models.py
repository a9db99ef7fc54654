"""`stmviewer models`: what can be chosen with --model."""

import argparse
from dataclasses import asdict

from stmviewer.cli.console import print_json
from stmviewer.services.restoring import available_models


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for machines")


def run(arguments: argparse.Namespace) -> int:
    models = available_models()
    if arguments.json:
        print_json([asdict(m) for m in models])
        return 0
    width = max(len(m.name) for m in models)
    for m in models:
        kind = f"{m.source}, {m.licence}" if m.learned else "built in" if m.kind == "auto" else "classical"
        print(f"{m.name:<{width}}  {' and '.join(m.tasks):<17}  {m.summary} [{kind}]")
    return 0
