"""`stmviewer evaluate` with a report: sets, models and tasks compared; and two reports beside each other."""

import argparse
from pathlib import Path
from typing import Any

from stmviewer.cli.console import Console, print_json, to_json
from stmviewer.files.writing import replacing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--report",
        type=Path,
        help="FILE.html: the report, with FILE.pdf and FILE.csv (every image) beside it; FILE.pdf: without the HTML. "
        "Stopped, the same command goes on where it was",
    )
    parser.add_argument("--question", default="", help="the title of the report")
    parser.add_argument("--preset", default="realistic", help="of the simulated damage for repairs without --degraded")
    parser.add_argument("--samples", type=int, default=1, help="of generative models; default 1")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--clip", type=Path, help="file or folder with the weights for CMMD; else see stmviewer clip")


def run_study(
    arguments: argparse.Namespace, models: tuple[str, ...], tasks: tuple[str, ...], steps: tuple[int, ...]
) -> int:
    from stmviewer.evaluate.report.text import text
    from stmviewer.evaluate.study.request import StudyRequest
    from stmviewer.services.reporting import Outputs, run_report

    request = StudyRequest(
        pristine=arguments.pristine,
        degraded=arguments.degraded,
        models=models,
        tasks=tasks,
        steps=steps,
        images=arguments.images,
        samples=arguments.samples,
        preset=arguments.preset,
        seed=arguments.seed,
        device=arguments.device,
        clip=arguments.clip,
        question=arguments.question,
    )
    on_stdout = arguments.json == Path("-")
    with Console() as console:
        outputs = Outputs(arguments.report, None if on_stdout else arguments.json)
        study, written = run_report(request, outputs, console.progress())
    if on_stdout:
        print(study.to_json())
        return 0
    print(text(study))
    for path in written:
        print(f"written: {path}")
    return 0


def run_comparison(arguments: argparse.Namespace) -> int:
    from stmviewer.evaluate.report.compare import page, table
    from stmviewer.services.reporting import compare_reports

    found = compare_reports(*arguments.compare_reports)
    if arguments.report:
        _put(arguments.report, page(found))
    facts: dict[str, Any] = found.to_json()
    if arguments.json == Path("-"):
        print_json(facts)
        return 0
    if arguments.json:
        _put(arguments.json, to_json(facts) + "\n")
    print(table(found))
    return 0


def _put(path: Path, text: str) -> None:
    with replacing(path) as file:
        file.write(text.encode())
