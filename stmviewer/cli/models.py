"""`stmviewer models`: what can be chosen with --model; and a model made out of a checkpoint of a training."""

import argparse
from dataclasses import asdict
from pathlib import Path

from stmviewer import paths
from stmviewer.cli.console import print_json
from stmviewer.scan import RequestError
from stmviewer.services.restoring import available_models


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument(
        "--use",
        type=Path,
        metavar="CHECKPOINT",
        help="make a model out of a named checkpoint of a training, NAME.training/checkpoints/*.safetensors",
    )
    parser.add_argument("--name", help="with --use: the name of the new model, such as flow-mylab")
    parser.add_argument("--models-dir", type=Path, help="with --use: library folder; default: the user's")


def run(arguments: argparse.Namespace) -> int:
    if arguments.use is not None:
        return _use(arguments)
    models = available_models()
    if arguments.json:
        print_json([asdict(m) for m in models])
        return 0
    width = max(len(m.name) for m in models)
    for m in models:
        kind = f"{m.source}, {m.licence}" if m.learned else "built in" if m.kind == "auto" else "classical"
        print(f"{m.name:<{width}}  {' and '.join(m.tasks):<17}  {m.summary} [{kind}]")
    return 0


def _use(arguments: argparse.Namespace) -> int:
    if not arguments.name:
        raise RequestError("--use needs a --name for the new model")
    from stmviewer.train.named import adopt

    made = adopt(arguments.use, arguments.name, arguments.models_dir or paths.user_models())
    print_json(asdict(made)) if arguments.json else print(f"use it with --model {made.name}")
    return 0
