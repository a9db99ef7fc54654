"""`stmviewer bench`: speed on this machine, each model beside the classical methods."""

import argparse
from dataclasses import asdict

from stmviewer.cli.console import Console, print_json
from stmviewer.scan import RequestError

#: what a user waits for, as whole processes; the window is opened on a sample scan, drawn and closed
_PROCESSES = {
    "stmviewer --version, whole process": ["--version"],
    "stmviewer models, whole process": ["models"],
    "window opened, drawn, closed, whole process": ["smoke-test", "--only", "window"],
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--size", type=int, default=512, help="pixels a side; default 512")
    parser.add_argument("--json", action="store_true", help="for machines")


def run(arguments: argparse.Namespace) -> int:
    from stmviewer.evaluate.bench import bench
    from stmviewer.evaluate.timing import whole_process
    from stmviewer.restore.devices import describe_device
    from stmviewer.services.file_bench import bench_files, program

    if not 32 <= arguments.size <= 4096:
        raise RequestError(f"--size must be 32 to 4096 pixels, not {arguments.size}")
    with Console() as console:
        timings = [whole_process(what, [*program(), *words]) for what, words in _PROCESSES.items()]
        timings += bench_files(console.progress(), size=arguments.size)
        timings += bench(console.progress(), size=arguments.size)
    device = describe_device("auto")
    if arguments.json:
        print_json({"device": device, "timings": [asdict(t) for t in timings]})
        return 0
    print(f"Seconds: median (least to most) of 3 runs, on {device}")
    width = max(len(t.what) for t in timings)
    for t in timings:
        print(f"{t.what:<{width}}  {t.median_s:7.3f}  ({t.least_s:.3f} to {t.most_s:.3f})  {t.note}".rstrip())
    return 0
