"""`stmviewer restore`: one scan or many, with the same request."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from stmviewer.cli.calibration import add_calibration, add_part, calibration_of
from stmviewer.cli.console import ADVICE, Console, debugging, print_json, quantity
from stmviewer.cli.processing import add_process, process_of
from stmviewer.restore import RestoreRequest
from stmviewer.restore.request import Device, Task, Trust
from stmviewer.scan import Progress
from stmviewer.scan.masks import PATTERNS
from stmviewer.services.batch import Batch, BatchItem, BatchPlan, collected
from stmviewer.services.exporting import EXPORT_FORMATS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILES", help="scans, or folders of scans")
    parser.add_argument("--task", choices=get_args(Task), default="repair", help="default repair")
    parser.add_argument("--mask", help="sparse: " + ", ".join(PATTERNS) + ", a mask.npz, or file (its own gaps)")
    parser.add_argument("--model", default="auto", help="see stmviewer models; default auto: decided for each scan")
    parser.add_argument("--steps", type=int, help="sampler steps: flow 4 by default, cfm 8, diffusion 16")
    parser.add_argument("--samples", type=int, default=1, help="samples of a flow; their mean is written")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", choices=get_args(Device), default="auto")
    parser.add_argument("--channel", help="default: the topography")
    parser.add_argument("--direction", choices=("forward", "backward"))
    parser.add_argument(
        "--trust", choices=get_args(Trust), default="keep", help="sparse: keep measured pixels, or smooth"
    )
    parser.add_argument("--align-rows", action="store_true", help="repair: take out row offsets first")
    add_process(parser)
    parser.add_argument(
        "--tips",
        action="store_true",
        help="repair: take out first what further ends of the tip show, where some are found",
    )
    parser.add_argument("--tile", type=int, help="tile side in pixels for large scans")
    parser.add_argument(
        "--no-check", dest="check", action="store_false", help="no self-check and no lattice check: a little faster"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write to")
    parser.add_argument(
        "--recursive", action="store_true", help="the folders below, too; their tree is kept in the output"
    )
    parser.add_argument("--format", choices=tuple(EXPORT_FORMATS), default="gwy", help="default gwy")
    parser.add_argument("--no-label", action="store_true", help="figures do not say what part was measured")
    parser.add_argument("--json", action="store_true", help="for machines")
    add_part(parser)
    add_calibration(parser)


def run(arguments: argparse.Namespace) -> int:
    """Restores what it can; 2 if any file failed, 1 if any failed by a fault of ours."""
    request = RestoreRequest(
        task=arguments.task,
        channel=arguments.channel,
        direction=arguments.direction,
        model=arguments.model,
        steps=arguments.steps,
        samples=arguments.samples,
        seed=arguments.seed,
        mask=arguments.mask,
        trust=arguments.trust,
        align_rows=arguments.align_rows,
        tips=arguments.tips,
        tile=arguments.tile,
        device=arguments.device,
        check=arguments.check,
        process=process_of(arguments),
    )
    plan = BatchPlan(
        request,
        arguments.output,
        arguments.format,
        arguments.part,
        calibration_of(arguments),
        not arguments.no_label,
    )
    plan.check()  # once for all files: a model that is not there is no fault of theirs
    items, failures = collected(arguments.files, recursive=arguments.recursive, output=arguments.output)
    for failure in failures:
        print(f"stmviewer: {failure.error}", file=sys.stderr)
    outcomes = list(failures)
    with Console() as console:
        try:
            for outcome in Batch.of(plan).outcomes(items, lambda group: _progress(console, group, items)):
                outcomes.append(outcome)
                if outcome.facts is None:
                    if outcome.ours and debugging():
                        console.say(outcome.details)
                    console.say(f"stmviewer: {outcome.error}{ADVICE if outcome.ours and not debugging() else ''}")
                elif not arguments.json:
                    console.clear()
                    print(_summary(outcome.facts), flush=True)
        finally:
            if arguments.json:  # also what was done before Ctrl-C
                print_json([outcome.as_dict() for outcome in outcomes])
    failed = sum(outcome.facts is None for outcome in outcomes)
    if len(outcomes) > 1 and failed:
        print(f"stmviewer: {failed} of {len(outcomes)} could not be restored", file=sys.stderr)
    return 1 if any(outcome.ours for outcome in outcomes) else 2 if failed else 0


def _progress(console: Console, group: Sequence[BatchItem], items: Sequence[BatchItem]) -> Progress:
    first, last = group[0].path.name, group[-1].path.name
    if len(group) > 1:
        console.prefix = f"{first} to {last}: "
    elif len(items) > 1:
        console.prefix = f"{items.index(group[0]) + 1} of {len(items)} {first}: "
    else:
        console.prefix = f"{first}: "
    return console.progress()


def _summary(facts: dict[str, Any]) -> str:
    residual = quantity(facts["residual_rms"], facts["unit"])
    lines = [
        f"{facts['output']}: {facts['channel']}, {facts['model']}, {100 * facts['measured_fraction']:.1f} % measured, "
        f"residual there {residual} rms, {facts['seconds']:.2f} s on {facts['device']}"
    ]
    for s in facts["scores"]:
        error = quantity(s["mae_hidden"], facts["unit"])
        lines.append(
            f"  {s['method']:<16} SSIM {s['ssim']:.3f} (hidden pixels {s['ssim_hidden']:.3f})  "
            f"PSNR {s['psnr_db']:.1f} dB (hidden {s['psnr_hidden_db']:.1f})  error {error}"
        )
    lines += [f"  {c['text']}" for c in facts["checks"] if not c["warns"]]
    return "\n".join(lines + [f"  note: {w}" for w in facts["warnings"]])
