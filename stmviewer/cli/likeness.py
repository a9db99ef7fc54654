"""`stmviewer simulate --compare` and `--fit`: simulated images beside real ones."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stmviewer.cli.console import Console, print_json
from stmviewer.files.writing import replacing
from stmviewer.scan import FileError, Progress, RequestError

if TYPE_CHECKING:
    from stmviewer.evaluate.comparison import Comparison
    from stmviewer.evaluate.real_images import RealImage

_COUNT = 96


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--compare",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="instead: how like the real images in these folders the simulated ones are; -o is the HTML report",
    )
    parser.add_argument("--without", type=Path, metavar="FILE", help="sessions to leave out of --compare, one a line")
    parser.add_argument("--only", type=Path, metavar="FILE", help="sessions to compare with, one a line")
    parser.add_argument("--json", action="store_true", help="distances for machines (with --compare)")


def run_compare(arguments: argparse.Namespace) -> int:
    from stmviewer.evaluate.comparison import compare, table
    from stmviewer.evaluate.likeness_report import report
    from stmviewer.simulate.presets import PRESETS, find_preset
    from stmviewer.simulate.surfaces import random_surface

    find_preset(arguments.preset)
    random_surface(arguments.surface, np.random.default_rng(0))  # an unknown one is refused before any work
    path: Path = arguments.output
    if path.suffix.lower() not in (".html", ".htm"):
        path = path / f"{arguments.surface}-{arguments.preset}.html"
    with Console() as console:
        progress = console.progress()
        images = read(arguments, progress.part(0.25))
        found = compare(images, arguments.surface, PRESETS, progress.part(0.75), seed=arguments.seed)
        page = report(found, arguments.preset)
    with replacing(path) as file:
        file.write(page.encode())
    if arguments.json:
        print_json(_facts(found, path))
        return 0
    print(f"{len(images)} real images of {len({i.group for i in images})} sessions, {arguments.surface} simulated\n")
    print(table(found))
    print(f"\n{path}: the report with figures")
    return 0


def read(arguments: argparse.Namespace, progress: Progress) -> "list[RealImage]":
    """The real images that the command line names."""
    from stmviewer.evaluate.real_images import read_images

    without, only = (_names(path) for path in (arguments.without, arguments.only))
    folders: Sequence[Path] = arguments.compare
    count = _COUNT if arguments.count is None else arguments.count
    if count < 1:
        raise RequestError(f"--count must be 1 or more, not {count}")
    images = []
    for k, folder in enumerate(folders):
        share = count // len(folders) + (k < count % len(folders))
        images += read_images(
            folder,
            progress.part(1 / len(folders)),
            count=share,
            without=without or (),
            only=only,
            seed=arguments.seed,
        )
    return images


def _names(path: Path | None) -> list[str] | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(path, "cannot be read as a list of sessions", "Give a text file, one session a line") from error


def _facts(found: "Comparison", path: Path) -> dict[str, object]:
    return {
        "report": str(path),
        "surface": found.surface,
        "images": [str(image.path) for image in found.real],
        "among_real": found.among_real,
        "sets": {
            d.name: {
                "distances": d.families,
                "total": d.total,
                "interval": d.interval,
                "spectrum_error": d.spectrum_error,
            }
            for d in found.distances
        },
    }
