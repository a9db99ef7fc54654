"""`stmviewer train`: a model from good scans. Reports JSON lines on stdout, messages on stderr."""

import argparse
from pathlib import Path
from typing import Any

from stmviewer import paths
from stmviewer.cli.console import Console, to_json
from stmviewer.scan import FileError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help="good scans, or simulated:si001h")
    parser.add_argument("--model", default="regression", help="kind: regression, flow, cfm, diffusion or autoencoder")
    parser.add_argument("--name", required=True, help="name of the new model, such as regression-mylab")
    parser.add_argument("--minutes", type=float, default=10.0, help="default 10")
    parser.add_argument("--train-steps", type=int, help="instead of minutes: the same curve on every run")
    parser.add_argument(
        "--from",
        dest="start_from",
        help="model to start from; a flow needs a regression or a flow, cfm and diffusion gain by a regression",
    )
    parser.add_argument(
        "--mean", dest="mean_from", help="with --from a flow: the regression whose mean the new flow starts at"
    )
    parser.add_argument("--models-dir", type=Path, help="library folder; default: the user's")
    parser.add_argument("--resume", action="store_true", help="go on with a training that was stopped")
    parser.add_argument("--protocol", type=Path, help="text file: the files of FOLDER to use, one a line")
    parser.add_argument(
        "--size-by-rows", action="store_true", help="pixel sizes of images without one from the dimer rows of Si(001)"
    )
    parser.add_argument("--mix", metavar="SOURCE", help="a second source of batches: simulated:si001h, or a folder")
    parser.add_argument("--mix-share", type=float, default=0.5, help="share of batches from it (default 0.5)")
    parser.add_argument("--repair-share", type=float, help="share of repairs among the samples (default 0.4)")
    parser.add_argument("--small-share", type=float, help="share of batches of small crops (default 0.25)")
    parser.add_argument(
        "--pixel-nm", type=float, nargs=2, metavar=("LOW", "HIGH"), help="range of pixel sizes of simulated surfaces"
    )
    parser.add_argument("--rate", type=float, help="largest learning rate")
    parser.add_argument("--validate-protocol", type=Path, help="text file: the files of --validate to use")
    parser.add_argument("--validate", type=Path, help="folder of scans never trained on, scored as it trains")
    parser.add_argument("--licence", help="of the new weights, when the scans have one that they inherit")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")


def run(arguments: argparse.Namespace) -> int:
    from stmviewer.train.loop import Report
    from stmviewer.train.run import train
    from stmviewer.train.spec import TrainSpec

    chosen: dict[str, Any] = {} if arguments.rate is None else {"rate": arguments.rate}
    for name in ("repair_share", "small_share"):
        if getattr(arguments, name) is not None:
            chosen[name] = getattr(arguments, name)
    if arguments.pixel_nm is not None:
        chosen["pixel_range_m"] = (1e-9 * arguments.pixel_nm[0], 1e-9 * arguments.pixel_nm[1])
    spec = TrainSpec(
        kind=arguments.model,
        name=arguments.name,
        source=arguments.folder,
        minutes=arguments.minutes,
        steps=arguments.train_steps,
        seed=arguments.seed,
        start_from=arguments.start_from,
        mean_from=arguments.mean_from,
        listed=read_protocol(arguments.protocol) if arguments.protocol else None,
        size_by_rows=arguments.size_by_rows,
        licence=arguments.licence,
        mixed_with=arguments.mix,
        mixed_share=arguments.mix_share,
        validation=arguments.validate,
        validation_listed=read_protocol(arguments.validate_protocol) if arguments.validate_protocol else None,
        **chosen,
    )

    def report(line: Report) -> None:
        facts = {"event": line.kind, "step": line.step, "seconds": line.seconds, **line.values}
        print(to_json(facts, indent=None), flush=True)

    models = arguments.models_dir or paths.user_models()
    with Console() as console:
        info = train(spec, models, report, console.progress(), device=arguments.device, resume=arguments.resume)
        console.say(f"stmviewer: model '{info.name}' is in {models}; use it with --model {info.name}")
    return 0


def read_protocol(path: Path) -> tuple[str, ...]:
    """The file names of a protocol: one a line, blank lines and lines that start with # left out."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(path, f"the protocol cannot be read ({error})", "Give a text file, one scan a line") from error
    names = tuple(name for name in map(str.strip, lines) if name and not name.startswith("#"))
    if not names:
        raise FileError(path, "the protocol names no file", "Write one scan a line")
    return names
