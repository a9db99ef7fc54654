"""`stmviewer evaluate`: models beside classical methods, on pixels that were hidden from them and on repairs."""

import argparse
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stmviewer.cli import reports
from stmviewer.cli.console import Console, print_json, to_json
from stmviewer.scan import FileError, RequestError

if TYPE_CHECKING:
    from stmviewer.evaluate.sets import Case

#: images of each real set where nothing else is said
_IMAGES = 24
_TASKS = "repair,lines:2,lines:4,grid:2,grid:4,pixels:0.25"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--benchmark",
        action="store_true",
        help="the fixed simulated set, and real scans where STMVIEWER_REAL_DATA names them",
    )
    what.add_argument(
        "--repair-real",
        action="store_true",
        help="repairs of real degraded scans, against good scans of the same place (needs STMVIEWER_REAL_DATA)",
    )
    what.add_argument(
        "--repair-classes",
        action="store_true",
        help="repairs of simulated scans, each class of degradation alone, and with further tip ends looked for or not",
    )
    what.add_argument(
        "--protocol36",
        action="store_true",
        help="models of the 36-image protocol: hidden pixels and repairs of the validation sessions alone (needs "
        "STMVIEWER_REAL_DATA)",
    )
    what.add_argument(
        "--self-check",
        action="store_true",
        help="fit the correction of the self-check and what model auto decides by (--json FILE keeps it), on scans "
        "that the benchmark has not, real ones where STMVIEWER_REAL_DATA names them, and judge model auto there",
    )
    what.add_argument(
        "--calibrate", metavar="MODEL", help="fit the scale of its deviations on the same sets, kept in its manifest"
    )
    what.add_argument(
        "--compare-reports", nargs=2, type=Path, metavar="JSON", help="two reports beside each other (their JSON files)"
    )
    what.add_argument("--pristine", type=Path, help="folder of good scans")
    parser.add_argument(
        "--degraded",
        type=Path,
        help="with --pristine: folder of degraded scans, repaired and compared with the good ones; without it their "
        "damage is simulated in a report",
    )
    parser.add_argument(
        "--models", help="names or kinds with commas, in a report also classical (all classical methods); default: all"
    )
    parser.add_argument("--tasks", default=_TASKS, help=f"default {_TASKS}")
    parser.add_argument("--steps", type=_steps, help="sampler steps of flows; in a report several with commas: 1,4,16")
    parser.add_argument(
        "--images",
        type=int,
        help=f"of each real set at most; default {_IMAGES}, of --repair-real all",
    )
    parser.add_argument(
        "--pictures", type=Path, metavar="PNG", help="of --repair-classes: a strip of the worst repairs"
    )
    parser.add_argument(
        "--classes", help='of --repair-classes: names with semicolons, such as "MultiTip; MultiTip, 4 further"'
    )
    parser.add_argument(
        "--pixel-nm", type=float, help="of --repair-classes: pixels of all surfaces; default: 0.05, 0.1, 0.18 by turns"
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--json", nargs="?", type=Path, const=Path("-"), help="for machines: a file, or alone stdout")
    reports.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.compare_reports:
        return reports.run_comparison(arguments)
    if arguments.images is None and not arguments.repair_real:
        arguments.images = _IMAGES
    if arguments.degraded or arguments.report:
        if not arguments.pristine:
            raise RequestError("--degraded and --report go with --pristine: say which scans are good")
        names = tuple(_listed(arguments.models)) if arguments.models else ()
        return reports.run_study(arguments, names, tuple(_listed(arguments.tasks)), arguments.steps or ())
    from stmviewer.services.restoring import available_models

    if arguments.steps and len(arguments.steps) > 1:
        raise RequestError("several numbers of steps are compared in a report: add --report FILE.html")
    if arguments.images is not None and arguments.images < 1:
        raise RequestError(f"--images must be 1 or more, not {arguments.images}")
    _check_can_be_written(arguments.json)
    for name in ("pictures", "classes", "pixel_nm"):
        if getattr(arguments, name) is not None and not arguments.repair_classes:
            raise RequestError(f"--{name.replace('_', '-')} goes with --repair-classes")
    if arguments.repair_real:
        return _repair_real(arguments)
    if arguments.protocol36:
        return _protocol36(arguments)
    if arguments.repair_classes:
        return _repair_classes(arguments)
    if arguments.self_check or arguments.calibrate:
        return _fit(arguments)
    from stmviewer.evaluate import hidden, sets

    models = _listed(arguments.models) if arguments.models else [m.name for m in available_models()]
    with Console() as console:
        with console.loading():  # surfaces take seconds to simulate, in no steps
            if arguments.benchmark:
                chosen = _benchmark_sets(arguments.images)
            else:
                chosen = {arguments.pristine.name: sets.folder(arguments.pristine)[: arguments.images]}
        scores = hidden.evaluate(
            chosen,
            models,
            _listed(arguments.tasks),
            console.progress(),
            device=arguments.device,
            steps=arguments.steps[0] if arguments.steps else None,
        )
    return _told([asdict(s) for s in scores], hidden.table(scores), arguments.json)


def _repair_real(arguments: argparse.Namespace) -> int:
    """Real degraded scans of the validation sessions, which no model was trained on."""
    from stmviewer.evaluate import real_pairs, repair_real, repair_tables
    from stmviewer.services.restoring import available_models

    data = os.environ.get("STMVIEWER_REAL_DATA")
    if not data:
        raise RequestError("--repair-real needs real scans: let STMVIEWER_REAL_DATA name their folder")
    names = (
        _listed(arguments.models) if arguments.models else [m.name for m in available_models() if "repair" in m.tasks]
    )
    repair_real.check_models(names)
    with Console() as console:
        progress = console.progress()
        with console.loading():
            images = real_pairs.read_labelled(Path(data))
        pairing = real_pairs.find_pairs(images, progress.part(0.1))
        found = repair_real.report(images, pairing, names, arguments.images, progress.part(0.9), arguments.device)
    return _told(asdict(found), repair_tables.table(found), arguments.json)


def _protocol36(arguments: argparse.Namespace) -> int:
    """What was trained on 36 images, beside shipped models and classical methods."""
    from stmviewer.evaluate import protocol36

    data = os.environ.get("STMVIEWER_REAL_DATA")
    if not data:
        raise RequestError("--protocol36 needs real scans: let STMVIEWER_REAL_DATA name their folder")
    if not arguments.models:
        raise RequestError(
            "--protocol36 compares models: name them with --models, such as protocol36,flow-sim,classical"
        )
    tasks = protocol36.TASKS if arguments.tasks == _TASKS else _listed(arguments.tasks)
    with Console() as console:
        found = protocol36.run(
            Path(data), _listed(arguments.models), tasks, arguments.images, console.progress(), arguments.device
        )
    facts = {
        "sessions": found.sessions,
        "scores": [asdict(s) for s in found.scores],
        "distances": [asdict(d) for d in found.study.distances],
    }
    return _told(facts, protocol36.table(found), arguments.json)


def _repair_classes(arguments: argparse.Namespace) -> int:
    """Simulated scans with one class of degradation each."""
    from stmviewer.evaluate import failure_pictures, repair_classes
    from stmviewer.services.restoring import available_models

    names = (
        _listed(arguments.models)
        if arguments.models
        else [m.name for m in available_models() if "repair" in m.tasks and m.name != "auto"]
    )
    with Console() as console:
        found = repair_classes.report(
            arguments.images,
            names,
            console.progress(),
            arguments.device,
            kinds=_listed(arguments.classes, ";") if arguments.classes is not None else None,
            pixels_m=[arguments.pixel_nm * 1e-9] if arguments.pixel_nm is not None else repair_classes.PIXELS_M,
        )
    if arguments.pictures:
        failure_pictures.write_strip(found.failures, arguments.pictures)
    facts = {"scores": [asdict(s) for s in found.scores], "further_ends": [asdict(e) for e in found.ends]}
    return _told(facts, repair_classes.table(found), arguments.json)


def _told(facts: Any, table: str, json: Path | None) -> int:
    """The table, or the facts as JSON, or both where the JSON goes into a file."""
    if json == Path("-"):
        print_json(facts)
        return 0
    if json:
        _write(json, to_json(facts))
    print(table)
    return 0


def _benchmark_sets(images: int) -> "dict[str, list[Case]]":
    """The simulated set, and the real ones where STMVIEWER_REAL_DATA names them."""
    from stmviewer.evaluate import sets

    chosen = sets.simulated()
    data = os.environ.get("STMVIEWER_REAL_DATA")
    return chosen | sets.real(Path(data), images) if data else chosen


def _fit(arguments: argparse.Namespace) -> int:
    """Fits the correction of the self-check and the choice, or to the benchmark the scale of a model's deviations."""
    from stmviewer.evaluate import calibrate, selfcheck_fit
    from stmviewer.evaluate.choice_sets import choice_sets

    tasks = _listed(arguments.tasks)
    calibrate.check(arguments.calibrate, tasks)  # before surfaces are simulated
    with Console() as console:
        if arguments.calibrate:
            with console.loading():
                chosen = _benchmark_sets(arguments.images)
            found = calibrate.calibrate(arguments.calibrate, chosen, tasks, console.progress(), device=arguments.device)
            facts: Any = calibrate.to_json(found)
            text = calibrate.table(found)
        else:
            tasks = [t for t in tasks if t != "repair"]
            data = os.environ.get("STMVIEWER_REAL_DATA")
            with console.loading():
                others = choice_sets(max(1, arguments.images // 4), Path(data) if data else None)
            measured = selfcheck_fit.measure(others, tasks, console.progress(), device=arguments.device)
            facts = selfcheck_fit.resource(measured)
            text = f"{selfcheck_fit.table(measured.rows)}\n\n{to_json(facts)}"
    return _told(facts, text, arguments.json)


def _check_can_be_written(path: Path | None) -> None:
    """What was measured for an hour is not to be lost to a name that was typed wrongly."""
    if path is None or path == Path("-"):
        return
    if path.is_dir():
        raise FileError(path, "is a folder", "Give the name of a file")
    if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        there = path.absolute().parent.is_dir()
        raise FileError(path, "cannot be written" if there else "there is no such folder", "Choose another place")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise FileError(path, f"cannot be written ({error.strerror})", "Choose another place") from error


def _steps(text: str) -> tuple[int, ...]:
    return tuple(int(item) for item in _listed(text))


def _listed(text: str, between: str = ",") -> list[str]:
    return [item.strip() for item in text.split(between) if item.strip()]
