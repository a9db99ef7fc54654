"""`stmviewer simulate --compare` and `--fit`: simulated images beside real ones."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stmviewer.cli.console import Console, print_json, to_json
from stmviewer.files.writing import replacing
from stmviewer.scan import FileError, Progress, RequestError

if TYPE_CHECKING:
    from stmviewer.evaluate.comparison import Comparison
    from stmviewer.evaluate.real_images import RealImage

_COUNT = 96
#: a fit looks at its images hundreds of times
_FIT_COUNT, _FIT_SIDE = 48, 160
_HELD_BACK = "validation_sessions.txt"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--compare",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="instead: how like the real images in these folders the simulated ones are; -o is the HTML report",
    )
    instead.add_argument(
        "--fit",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="instead: fit the ranges of the preset to the real degraded images in these folders; -o is a JSON file. "
        "Sessions of a validation_sessions.txt in a folder or beside it are left out",
    )
    parser.add_argument("--generations", type=int, default=10, help="of --fit; default 10")
    parser.add_argument("--without", type=Path, metavar="FILE", help="sessions to leave out, one a line")
    parser.add_argument("--only", type=Path, metavar="FILE", help="sessions to take alone, one a line")
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
        images = read(arguments.compare, arguments, progress.part(0.25), count=_COUNT)
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


def run_fit(arguments: argparse.Namespace) -> int:
    from stmviewer.evaluate import fitting, likeness, matched
    from stmviewer.simulate.presets import find_preset
    from stmviewer.simulate.surfaces import random_surface

    start = find_preset(arguments.preset)
    random_surface(arguments.surface, np.random.default_rng(0))
    if arguments.generations < 1:
        raise RequestError(f"--generations must be 1 or more, not {arguments.generations}")
    path: Path = arguments.output
    if path.suffix.lower() != ".json":
        path = path / f"{arguments.preset}.json"
    held_back = left_out(arguments.fit)
    with Console() as console:
        if held_back:
            console.say(f"stmviewer: left out, to judge by: {', '.join(held_back)}")
        progress = console.progress()
        images = read(
            arguments.fit, arguments, progress.part(0.03), count=_FIT_COUNT, without=held_back, side=_FIT_SIDE
        )
        fields = matched.matched_fields(images, arguments.surface, arguments.seed, progress.part(0.02))
        marks = likeness.measure([image.data for image in images], progress.part(0.01, total=len(images)))
        problem = fitting.Problem(images, marks, fields, arguments.seed)
        fitted = fitting.fit(problem, start, progress.part(0.94), generations=arguments.generations, tell=console.say)
    facts = {
        "preset": arguments.preset,
        "surface": arguments.surface,
        "seed": arguments.seed,
        "distance_before": fitted.before,
        "distance": fitted.distance,
        "entries": fitting.described(fitted.preset),
        "images": [image.path.name for image in images],
    }
    with replacing(path) as file:
        file.write((to_json(facts) + "\n").encode())
    if arguments.json:
        print_json(facts)
        return 0
    print(f"mean distance {fitted.before:.3f} before, {fitted.distance:.3f} after, on {len(images)} images")
    for entry in facts["entries"]:
        ranges = ", ".join(f"{name} {low:.2g} to {high:.2g}" for name, (low, high) in entry["ranges"].items())
        print(f"  {entry['name']:18} {100 * entry['chance']:3.0f} %  {ranges}")
    print(f"{path}: the fitted preset")
    return 0


def left_out(folders: Sequence[Path]) -> list[str]:
    """Sessions that a validation_sessions.txt in one of the folders or beside it holds back: nothing is fitted to
    what models are judged by."""
    lists = {place / _HELD_BACK for folder in folders for place in (folder, folder.absolute().parent)}
    return sorted({name for path in lists if path.is_file() for name in _names(path) or ()})


def read(
    folders: Sequence[Path],
    arguments: argparse.Namespace,
    progress: Progress,
    *,
    count: int,
    without: Sequence[str] = (),
    side: int | None = None,
) -> "list[RealImage]":
    """The real images that the command line names: `count` of them unless it says how many."""
    from stmviewer.evaluate.real_images import SIDE, read_images

    listed, only = (_names(path) for path in (arguments.without, arguments.only))
    count = count if arguments.count is None else arguments.count
    if count < 1:
        raise RequestError(f"--count must be 1 or more, not {count}")
    images = []
    for k, folder in enumerate(folders):
        share = count // len(folders) + (k < count % len(folders))
        images += read_images(
            folder,
            progress.part(1 / len(folders)),
            count=share,
            without=[*without, *(listed or ())],
            only=only,
            side=side or SIDE,
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
