"""`stmviewer restore`: one scan or many, with the same request."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from stmviewer.cli.calibration import add_calibration, add_part, calibration_of
from stmviewer.cli.console import Console, fault, print_json, quantity
from stmviewer.cli.processing import add_process, process_of
from stmviewer.files.calibration import Calibration
from stmviewer.restore import Restoration, RestoreRequest
from stmviewer.restore.request import Device, Task, Trust
from stmviewer.scan import Cancelled, FileError, RequestError, Scan, StmviewerError
from stmviewer.scan.masks import PATTERNS
from stmviewer.services.exporting import EXPORT_FORMATS, default_name, export, free_path
from stmviewer.services.opening import open_calibrated, pick_part, scan_files

#: scans of no more pixels than this are restored together, so many at once
_SMALL, _TOGETHER = 256 * 256, 16

#: a file, and its scan or why it cannot be opened
_Opened = tuple[Path, Scan | Exception]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILES", help="scans, or folders of scans")
    parser.add_argument("--task", choices=get_args(Task), default="repair", help="default repair")
    parser.add_argument("--mask", help="sparse: " + ", ".join(PATTERNS) + ", a mask.npz, or file (its own gaps)")
    parser.add_argument("--model", default="auto", help="see stmviewer models; default auto: decided for each scan")
    parser.add_argument("--steps", type=int, help="sampler steps of a flow")
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
    parser.add_argument("--tile", type=int, help="tile side in pixels for large scans")
    parser.add_argument(
        "--no-check", dest="check", action="store_false", help="no self-check and no lattice check: a little faster"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write to")
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
        tile=arguments.tile,
        device=arguments.device,
        check=arguments.check,
        process=process_of(arguments),
    )
    said = calibration_of(arguments)
    if arguments.output.exists() and not arguments.output.is_dir():
        raise FileError(arguments.output, "is a file, not a folder", "Give a folder after -o")
    from stmviewer.restore.library import AUTO, resolve

    info = resolve(request.model, request.task)  # once for all files: a model that is not there is no fault of theirs
    files, results = _files(arguments.files)
    count = len(files) + len(results)
    # only networks gain by it, and the others lose less when they are stopped
    job = _Job(request, said, arguments, together=info.learned or info.name == AUTO.name)
    with Console() as console:
        try:
            for found in job.results(files, console):
                results.append(found)
                if "error" in found:
                    console.say(f"stmviewer: {found['error']}")
                elif not arguments.json:
                    console.clear()
                    print(_summary(found), flush=True)
        finally:
            if arguments.json:  # also what was done before Ctrl-C
                print_json(results)
    failed = sum("error" in result for result in results)
    if count > 1 and failed:
        print(f"stmviewer: {failed} of {count} could not be restored", file=sys.stderr)
    return 1 if job.faults else 2 if failed else 0


class _Job:
    """Restores files, if `together` small ones in batches, and says of each what became of it, in their order."""

    def __init__(
        self, request: RestoreRequest, said: Calibration | None, arguments: argparse.Namespace, together: bool
    ) -> None:
        self.request, self.said, self.arguments, self.together = request, said, arguments, together
        self.faults = 0

    def results(self, files: list[Path], console: Console) -> Iterator[dict[str, Any]]:
        waiting: list[_Opened] = []
        for number, file in enumerate(files, 1):
            console.prefix = f"{number} of {len(files)} {file.name}: " if len(files) > 1 else f"{file.name}: "
            opened = (file, self._opened(file))
            if not self._small(opened[1]):
                yield from self._restored(waiting, console)
                yield from self._restored([opened], console)
                waiting = []
                continue
            waiting.append(opened)
            if len(waiting) == _TOGETHER:
                yield from self._restored(waiting, console)
                waiting = []
        yield from self._restored(waiting, console)

    def _opened(self, file: Path) -> Scan | Exception:
        try:
            return pick_part(open_calibrated(file, self.said), self.arguments.part)
        except Cancelled:
            raise
        except Exception as error:
            return error

    def _small(self, scan: Scan | Exception) -> bool:
        if not self.together or isinstance(scan, Exception):
            return False
        return scan.geometry.rows * scan.geometry.columns <= _SMALL

    def _restored(self, group: list[_Opened], console: Console) -> Iterator[dict[str, Any]]:
        scans = [scan for _, scan in group if isinstance(scan, Scan)]
        if len(scans) > 1:
            from stmviewer.restore.together import restore_together

            console.prefix = f"{group[0][0].name} to {group[-1][0].name}: "
            made = iter(restore_together(scans, self.request, console.progress()))
        else:
            made = (self._alone(scan, console) for scan in scans)
        for file, scan in group:
            try:
                if isinstance(scan, Exception):
                    raise scan
                yield self._written(file, scan, next(made))
            except Cancelled:
                raise
            except Exception as error:
                self.faults += not isinstance(error, StmviewerError | MemoryError)
                yield {"file": str(file), "error": _cause(file, error)}

    def _alone(self, scan: Scan, console: Console) -> Restoration | Exception:
        from stmviewer.restore.pipeline import restore

        try:
            return restore(scan, self.request, console.progress())
        except Cancelled:
            raise
        except Exception as error:
            return error

    def _written(self, file: Path, scan: Scan, result: Restoration | Exception) -> dict[str, Any]:
        if isinstance(result, RequestError) and scan.name not in str(result):
            raise RequestError(f"{scan.name}: {result}") from result
        if isinstance(result, Exception):
            raise result
        path = free_path(self.arguments.output / default_name(result, scan, self.arguments.format))
        path = export(result, scan, path, label=not self.arguments.no_label)
        return _facts(file, path, result) | _part_facts(scan, result)


def _cause(file: Path, error: Exception) -> str:
    if isinstance(error, StmviewerError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"{file}: the computer ran out of memory. Close other programs, or choose a smaller --tile"
    return f"{file}: {fault(error)}"


def _files(paths: list[Path]) -> tuple[list[Path], list[dict[str, Any]]]:
    """The files of all paths, and the failures: paths that are missing or empty."""
    files: list[Path] = []
    results: list[dict[str, Any]] = []
    for path in paths:
        try:
            files += scan_files([path])
        except StmviewerError as error:
            print(f"stmviewer: {error}", file=sys.stderr)
            results.append({"file": str(path), "error": str(error)})
    return files, results


def _part_facts(scan: Scan, result: Restoration) -> dict[str, Any]:
    """What is to be said of a file that holds more scans than the one that was restored."""
    part = scan.part
    if part.alone:
        return {}
    note = f"this is part {part.number} of {part.count} of the file ({part.name}); --part chooses another"
    return {"part": part.number, "parts": part.count, "warnings": [note, *result.warnings]}


def _facts(file: Path, path: Path, result: Restoration) -> dict[str, Any]:
    return {
        "file": str(file),
        "output": str(path),
        "channel": result.channel.label,
        "model": result.model,
        "task": result.request.task,
        "mask": result.mask.pattern,
        "measured_fraction": result.mask.fraction,
        "residual_rms": result.residual_rms,
        "unit": result.unit,
        "seconds": result.provenance["seconds"],
        "device": result.provenance["device"],
        "scores": [vars(s) for s in result.scores],
        "methods": result.provenance["methods"],
        "self_check": result.provenance["self_check"],
        "checks": [vars(c) for c in result.checks],
        "warnings": list(result.warnings),
    }


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
