"""`stmviewer bench`: speed on this machine, each model beside the classical methods."""

import argparse
from dataclasses import asdict

from stmviewer.cli.console import Console, print_json
from stmviewer.scan import RequestError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--size", type=int, default=512, help="pixels a side; default 512")
    parser.add_argument("--json", action="store_true", help="for machines")


def run(arguments: argparse.Namespace) -> int:
    from stmviewer.evaluate.bench import bench
    from stmviewer.restore.devices import describe_device

    if not 32 <= arguments.size <= 4096:
        raise RequestError(f"--size must be 32 to 4096 pixels, not {arguments.size}")
    with Console() as console:
        timings = bench(console.progress(), size=arguments.size)
    device = describe_device("auto")
    if arguments.json:
        print_json({"device": device, "timings": [asdict(t) for t in timings]})
        return 0
    print(f"Seconds: median (least to most) of 3 runs, on {device}")
    width = max(len(t.what) for t in timings)
    for t in timings:
        print(f"{t.what:<{width}}  {t.median_s:7.3f}  ({t.least_s:.3f} to {t.most_s:.3f})  {t.note}".rstrip())
    return 0
