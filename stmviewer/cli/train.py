"""`stmviewer train`: a model from good scans. Reports JSON lines on stdout, messages on stderr.

Every line has `event`, `step` and `seconds` (of training, over all its runs), and by its event:

started     name, work (the folder of the training), device, parameters, images, made_of, start, processes, resumed_from
train       loss, images_per_second, waiting_share, skipped, done (0 to 1), eta_s, memory_mb
validation  the scores, by set, task and what is scored
probes      path of an .npz file: raw, measured, restored, truth
checkpoint  path, name (null for the state that --resume goes on from)
kept        which weights the model has: best_step, their score (best), that of the last ones (last): SSIM, or the loss
            of what samples
saved       path of the model: the training is over
stopped     path of the state that --resume goes on from

With --commands lines on stdin are obeyed (`stmviewer.train.commands`), and a stop is no failure: exit code 0.
"""

import argparse
import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stmviewer import paths
from stmviewer.cli.console import Console, to_json
from stmviewer.scan import Cancelled, FileError, RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stmviewer.train.loop import Report
    from stmviewer.train.spec import TrainSpec

_SCRATCH = "scratch"
#: channels of the network by its name, and the one that shipped models have
_SIZES = {"small": (32, 64, 96), "standard": (48, 96, 128), "large": (64, 128, 192)}
_SHIPPED_SIZE = "standard"
#: smaller than from scratch: a model that goes on is to learn, not to forget
_RATE_GOING_ON = 6e-4
_BATCH = 16
#: fewer images than this are learnt by heart
_FEW = 4
#: torchrun passes a signal on within so many seconds
_ECHO_S = 3.0
_TOO_FEW = (
    "so few images are soon learnt by heart; `stmviewer adapt` keeps a part of them aside and tells whether the model "
    "gained"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help="good scans, or simulated:si001h")
    parser.add_argument("--model", default="regression", help="kind: regression, flow, cfm, diffusion or autoencoder")
    parser.add_argument("--name", required=True, help="name of the new model, such as regression-mylab")
    parser.add_argument("--minutes", type=float, default=10.0, help="default 10")
    parser.add_argument("--train-steps", type=int, help="instead of minutes: the same curve on every run")
    parser.add_argument(
        "--from",
        dest="start_from",
        help="model to start from, or scratch; default: the shipped one of that kind (of FOLDER; simulated surfaces "
        "start from scratch). A flow takes a flow or a regression, cfm and diffusion a regression too",
    )
    parser.add_argument(
        "--mean", dest="mean_from", help="with --from a flow: the regression whose mean the new flow starts at"
    )
    parser.add_argument(
        "--train-mean",
        action=argparse.BooleanOptionalAction,
        help="whether the regression inside a flow learns, too; default: not with --from",
    )
    parser.add_argument("--models-dir", type=Path, help="library folder; default: the user's")
    parser.add_argument("--resume", action="store_true", help="go on with a training that was stopped or killed")
    parser.add_argument("--commands", action="store_true", help="obey lines on stdin: stop, checkpoint [NAME]")
    parser.add_argument("--protocol", type=Path, help="text file: the files of FOLDER to use, one a line")
    unsized = parser.add_mutually_exclusive_group()
    unsized.add_argument(
        "--image-nm", type=float, metavar="NM", help="pixel size of images whose files do not say it (nm per pixel)"
    )
    unsized.add_argument("--size-by-rows", action="store_true", help="or from the dimer rows of Si(001) in them")
    parser.add_argument("--mix", metavar="SOURCE", help="a second source of batches: simulated:si001h, or a folder")
    parser.add_argument("--mix-share", type=float, default=0.5, help="share of batches from it (default 0.5)")
    parser.add_argument(
        "--repair-share",
        type=float,
        help="share of repairs among the samples (default 0.4); with 0 or 1 the model does one task only",
    )
    parser.add_argument("--small-share", type=float, help="share of batches of small crops (default 0.25)")
    parser.add_argument(
        "--pixel-nm", type=float, nargs=2, metavar=("LOW", "HIGH"), help="range of pixel sizes of simulated surfaces"
    )
    parser.add_argument("--size", choices=tuple(_SIZES), help="of the network; small and large start from scratch")
    parser.add_argument("--crop", type=int, help="side of the crops in pixels (default 64)")
    parser.add_argument(
        "--batch", type=int, help=f"images a step, over all processes (default {_BATCH} for each process)"
    )
    parser.add_argument("--rate", type=float, help="largest learning rate")
    parser.add_argument("--validate-protocol", type=Path, help="text file: the files of --validate to use")
    parser.add_argument("--validate", type=Path, help="folder of scans never trained on, scored as it trains")
    parser.add_argument("--licence", help="of the new weights, when the scans have one that they inherit")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")


def run(arguments: argparse.Namespace) -> int:
    stopped = False

    def tell(event: str, step: int, seconds: float, values: dict[str, Any]) -> None:
        nonlocal stopped
        stopped |= event == "stopped"
        print(to_json({"event": event, "step": step, "seconds": seconds, **values}, indent=None), flush=True)

    with Console(echo_s=0.0 if _alone() else _ECHO_S) as console:
        try:
            with _listening(arguments.commands, console) as asked:
                _train(arguments, console, tell, asked)
        except Cancelled:
            if not stopped and _first():  # before there was anything to train
                tell("stopped", 0, 0.0, {"path": None})
            if not arguments.commands:
                raise
    return 0


@contextlib.contextmanager
def _listening(commands: bool, console: Console) -> "Iterator[Callable[[], list[str]]]":
    """What gives the checkpoints that were asked for; from before torch is loaded, which takes seconds."""
    if not commands or not _first():
        yield list
        return
    from stmviewer.train.commands import Commands

    try:
        stream = sys.stdin.fileno()
    except (AttributeError, OSError) as error:
        raise RequestError("--commands reads from stdin, and there is none") from error
    with Commands(stream, console.stop, lambda text: console.say(f"stmviewer: {text}")) as listening:
        yield listening.checkpoints


def _train(arguments: argparse.Namespace, console: Console, tell: Any, asked: Any) -> None:
    with console.loading():
        from stmviewer.train.run import train
        from stmviewer.train.spec import SIMULATED
    progress = console.progress()
    models = arguments.models_dir or paths.user_models()
    notes: list[str] = []
    spec = _spec(arguments, models, notes)

    def report(line: "Report") -> None:
        tell(line.kind, line.step, line.seconds, line.values)
        if line.kind == "started":  # not beside an error, which is one line
            few = line.values["images"] < _FEW and not arguments.folder.startswith(SIMULATED)
            for note in (*notes, *((_TOO_FEW,) if few else ())):
                console.say(f"stmviewer: {note}")

    info = train(spec, models, report, progress, device=arguments.device, resume=arguments.resume, asked=asked)
    if _first():
        console.say(f"stmviewer: model '{info.name}' is in {models}; use it with --model {info.name}")


def _alone() -> bool:
    return os.environ.get("WORLD_SIZE", "1") in ("", "1")


def _first() -> bool:
    """Of several processes the first one talks. Asked before torch is loaded."""
    return _alone() or os.environ.get("RANK") == "0"


def _spec(arguments: argparse.Namespace, models: Path, notes: list[str]) -> "TrainSpec":
    from stmviewer.train.distributed import World
    from stmviewer.train.spec import TrainSpec

    start, usual = _start(arguments, models, notes)
    chosen: dict[str, Any] = {"rate": _RATE_GOING_ON} if usual else {}
    for name in ("repair_share", "small_share", "crop", "rate", "batch"):
        if getattr(arguments, name) is not None:
            chosen[name] = getattr(arguments, name)
    world = World.from_environment()
    if arguments.batch is None and not world.alone:
        chosen["batch"] = _BATCH * world.size
    if arguments.size is not None:
        chosen["channels"] = _SIZES[arguments.size]
    if arguments.pixel_nm is not None:
        chosen["pixel_range_m"] = (1e-9 * arguments.pixel_nm[0], 1e-9 * arguments.pixel_nm[1])
    learns = arguments.train_mean
    return TrainSpec(
        kind=arguments.model,
        name=arguments.name,
        source=arguments.folder,
        minutes=arguments.minutes,
        steps=arguments.train_steps,
        seed=arguments.seed,
        start_from=start,
        mean_from=arguments.mean_from,
        train_mean=(arguments.model == "flow" and usual) if learns is None else learns,
        listed=read_protocol(arguments.protocol) if arguments.protocol else None,
        size_by_rows=arguments.size_by_rows,
        image_pixel_m=None if arguments.image_nm is None else 1e-9 * arguments.image_nm,
        licence=arguments.licence,
        mixed_with=arguments.mix,
        mixed_share=arguments.mix_share,
        validation=arguments.validate,
        validation_listed=read_protocol(arguments.validate_protocol) if arguments.validate_protocol else None,
        **chosen,
    )


def _start(arguments: argparse.Namespace, models: Path, notes: list[str]) -> tuple[str | None, bool]:
    """The model to start from, None from scratch; and whether that is the usual one, which nobody named.

    `notes` get what is to be said of that.
    """
    from stmviewer.train import checkpoint
    from stmviewer.train.spec import SIMULATED
    from stmviewer.train.starts import usual_start
    from stmviewer.train.work import Work

    said = arguments.start_from
    if said is not None:
        if said != _SCRATCH and arguments.size is not None:
            raise RequestError("--size: a model that starts from another one has its size; leave one of both away")
        return (None if said == _SCRATCH else said), False
    if arguments.resume:  # what it started from is known
        before = checkpoint.settings_of(Work(models, arguments.name).state)
        if arguments.train_mean is None:
            arguments.train_mean = bool(before.get("train_mean"))
        return before.get("start_from"), before.get("start_from") is not None
    if arguments.mean_from is not None or arguments.folder.startswith(SIMULATED):
        return None, False
    if arguments.size not in (None, _SHIPPED_SIZE):
        notes.append(f"a {arguments.size} network starts from scratch: the shipped models are {_SHIPPED_SIZE} ones")
        return None, False
    usual = usual_start(arguments.model)
    if usual is None:
        return None, False
    licence = "" if usual.licence == "MIT" else f", whose licence {usual.licence} it inherits"
    notes.append(f"starts from {usual.name}{licence}; --from {_SCRATCH} starts from nothing")
    return usual.name, True


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
