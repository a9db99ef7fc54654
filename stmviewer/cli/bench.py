"""`stmviewer bench`: speed on this machine, each model beside the classical methods."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from stmviewer.cli.console import Console, print_json
from stmviewer.restore.request import Task
from stmviewer.scan import Progress, RequestError

if TYPE_CHECKING:
    from stmviewer.evaluate.timing import Timing

#: what a user waits for, as whole processes; the window is opened on a sample scan, drawn and closed
_PROCESSES = {
    "stmviewer --version, whole process": ["--version"],
    "stmviewer models, whole process": ["models"],
    "window opened, drawn, closed, whole process": ["smoke-test", "--only", "window"],
}
#: files of the folder that the window is opened on
_FILES = 1000
#: what is timed where nothing else is said, in this order
_PARTS = ("processes", "folder", "files", "restoring", "arithmetic")
_LONGER = ("window", "small", "tiles", "training")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--size", type=int, default=512, help="pixels a side; default 512")
    parser.add_argument(
        "--only", nargs="+", choices=(*_PARTS, *_LONGER), metavar="PART",
        help=f"only these parts of: {', '.join((*_PARTS, *_LONGER))}",
    )  # fmt: skip
    parser.add_argument(
        "--full",
        action="store_true",
        help="also the window, many small scans, 4096 x 4096 in tiles, training: minutes",
    )
    parser.add_argument("--json", action="store_true", help="for machines")
    # what a process of its own measures of a large scan, for the part `tiles`
    parser.add_argument("--measure-large", nargs=3, metavar=("MODEL", "TASK", "PIXELS"), help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    from stmviewer.restore.devices import describe_device

    if arguments.measure_large:
        return _measure_large(*arguments.measure_large)
    if not 32 <= arguments.size <= 4096:
        raise RequestError(f"--size must be 32 to 4096 pixels, not {arguments.size}")
    parts = arguments.only or (*_PARTS, *(_LONGER if arguments.full else ()))
    with Console() as console:
        timings = [t for part in parts for t in _part(part, arguments.size, console.progress)]
    device = describe_device("auto")
    if arguments.json:
        print_json({"device": device, "timings": [asdict(t) for t in timings]})
        return 0
    print(f"Seconds: median (least to most) of 3 runs, on {device}")
    width = max((len(t.what) for t in timings), default=0)
    for t in timings:
        print(f"{t.what:<{width}}  {t.median_s:7.3f}  ({t.least_s:.3f} to {t.most_s:.3f})  {t.note}".rstrip())
    return 0


def _part(part: str, size: int, progress: Callable[[], Progress]) -> "Sequence[Timing]":
    from stmviewer.evaluate import bench, tiles_bench
    from stmviewer.evaluate.timing import whole_process
    from stmviewer.restore import library
    from stmviewer.services import file_bench

    match part:
        case "processes":
            return [whole_process(what, [*file_bench.program(), *words]) for what, words in _PROCESSES.items()]
        case "folder":
            return _folder()
        case "files":
            return file_bench.bench_files(progress(), size=size)
        case "restoring":
            return bench.bench(progress(), size=size)
        case "arithmetic":
            return bench.bench_arithmetic()
        case "window":
            from stmviewer.gui.window_bench import bench_window

            return bench_window(progress())
        case "small":
            return bench.bench_small(progress())
        case "tiles":
            return tiles_bench.bench_tiles(library.model_infos(), _large_command, progress())
        case _:
            from stmviewer.services.training_bench import bench_training

            return bench_training(progress())


def _folder() -> "Sequence[Timing]":
    """A folder of many files in the window; nothing where Qt cannot be loaded."""
    from stmviewer.services.file_bench import made_folder

    try:
        import PySide6.QtWidgets  # noqa: F401 (its libraries may be missing)
    except ImportError:
        return []
    from stmviewer.gui.folder.bench import bench_folder

    with TemporaryDirectory() as name:
        return bench_folder(made_folder(Path(name) / "scans", _FILES), Path(name) / "cache")


def _large_command(model: str, task: Task, size: int) -> list[str]:
    from stmviewer.services.file_bench import program

    return [*program(), "bench", "--measure-large", model, task, str(size)]


def _measure_large(model: str, task: str, size: str) -> int:
    from stmviewer.evaluate.tiles_bench import large

    if task not in ("repair", "sparse") or not size.isdigit():
        raise RequestError("--measure-large takes a model, repair or sparse, and the pixels a side")
    print_json(asdict(large(model, "repair" if task == "repair" else "sparse", int(size), Progress())))
    return 0
