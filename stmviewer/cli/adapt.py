"""`stmviewer adapt`: a model made better on your own scans, with the gain measured on a part kept aside."""

import argparse
from dataclasses import asdict
from pathlib import Path

from stmviewer import paths
from stmviewer.cli.calibration import add_calibration, calibration_of
from stmviewer.cli.console import Console, print_json
from stmviewer.services.opening import scan_files


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILES", help="1 to 40 good scans, or folders of them")
    parser.add_argument("--model", default="regression", help="learned model to start from; default regression")
    parser.add_argument("--name", required=True, help="name of the new model, such as regression-mylab")
    parser.add_argument("--minutes", type=float, default=5.0, help="training time; default 5")
    parser.add_argument("--train-steps", type=int, help="instead of minutes: the same result on every run")
    add_calibration(parser)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--json", action="store_true", help="for machines")


def run(arguments: argparse.Namespace) -> int:
    files = scan_files(arguments.files)
    from stmviewer.train.adapt import adapt, table

    with Console() as console:
        made = adapt(
            files,
            arguments.name,
            paths.user_models(),
            lambda _: None,
            console.progress(),
            start=arguments.model,
            minutes=arguments.minutes,
            steps=arguments.train_steps,
            seed=arguments.seed,
            device=arguments.device,
            calibration=calibration_of(arguments),
        )
        for reason in made.split.left_out:
            console.say(f"stmviewer: left out: {reason}")
        if not arguments.json:
            print(table(made))
            console.say(f"stmviewer: use it with --model {made.info.name}; model auto tries it, too")
    if arguments.json:
        gains = [asdict(g) for g in made.gains]
        print_json(
            {
                "model": made.info.name,
                "start": made.start,
                "kept_aside": made.split.how,
                "left_out": list(made.split.left_out),
                "gains": gains,
                "gain": made.gain,
                "over_linear": made.over_linear,
            }
        )
    return 0
