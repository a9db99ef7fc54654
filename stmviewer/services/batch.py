"""Restoring many files with one request: the same code for `stmviewer restore` and the batch of the window.

One file that fails does not stop the others; nothing is overwritten; folders below a folder keep their places.
"""

import csv
import io
import os
import shlex
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stmviewer.files import readable
from stmviewer.files.calibration import Calibration
from stmviewer.restore import Restoration, RestoreRequest
from stmviewer.scan import Cancelled, FileError, Progress, RequestError, Scan, StmviewerError
from stmviewer.scan.errors import out_of_memory
from stmviewer.services import events
from stmviewer.services.exporting import default_name, export, free_path
from stmviewer.services.jobs import Context, Job
from stmviewer.services.opening import open_calibrated, pick_part, scan_files

#: scans of no more pixels than this are restored together, so many at once
_SMALL, TOGETHER = 256 * 256, 16


@dataclass(frozen=True)
class BatchItem:
    """A file to restore, and the folder below the output folder that its result goes into."""

    path: Path
    below: Path = Path()


@dataclass(frozen=True)
class BatchPlan:
    """What is done with every file. `label`: figures say that they are restored, and what part was measured."""

    request: RestoreRequest
    output: Path
    file_format: str = "gwy"
    part: int = 1
    calibration: Calibration | None = None
    label: bool = True

    def check(self) -> None:
        """Raises FileError or RequestError for what would fail with every file."""
        from stmviewer.restore.library import resolve

        if self.output.exists() and not self.output.is_dir():
            raise FileError(self.output, "is a file, not a folder", "Choose a folder to write to")
        resolve(self.request.model, self.request.task)

    def command(self, paths: Sequence[Path]) -> str:
        """The command line that does the same to files and folders, those below the folders included."""
        words = ["stmviewer", "restore", *map(str, paths), *self.request.words()]
        if any(path.is_dir() for path in paths):
            words.append("--recursive")
        words += ["-o", str(self.output)]
        if self.file_format != "gwy":
            words += ["--format", self.file_format]
        return shlex.join(words)


@dataclass(frozen=True)
class Outcome:
    """What became of one file: `facts` as the command line prints them, or the line that says what is wrong.

    `details` is the traceback where the fault is ours.
    """

    item: BatchItem
    facts: dict[str, Any] | None = None
    error: str = ""
    details: str = ""

    @property
    def ours(self) -> bool:
        return bool(self.details)

    @property
    def output(self) -> Path | None:
        return Path(self.facts["output"]) if self.facts else None

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return self.facts if self.facts is not None else {"file": str(self.item.path), "error": self.error}


def collected(
    paths: Iterable[Path], *, recursive: bool = False, output: Path | None = None
) -> tuple[list[BatchItem], list[Outcome]]:
    """The files of `paths`, and the outcome of paths that are missing or hold nothing.

    With `recursive` also the files in the folders below, whose results go into the same folders below the output; with
    several folders each has its own there. What lies below `output` is left out: it is made by such a batch. A file
    that is met twice is restored once to each place.
    """
    paths = list(paths)
    folders = [path for path in paths if path.is_dir()]
    items: list[BatchItem] = []
    failures: list[Outcome] = []
    for path in paths:
        try:
            if recursive and path.is_dir():
                top = Path(path.absolute().name) if len(folders) > 1 else Path()
                items += _below(path, top, output)
            else:
                items += [BatchItem(file) for file in scan_files([path])]
        except StmviewerError as error:
            failures.append(Outcome(BatchItem(path), error=str(error)))
    once: dict[tuple[str, Path], BatchItem] = {}
    for item in items:
        once.setdefault((os.path.normpath(item.path.absolute()), item.below), item)
    return list(once.values()), failures


def _below(folder: Path, top: Path, output: Path | None) -> list[BatchItem]:
    barred: list[OSError] = []
    found: list[BatchItem] = []
    made = output.absolute() if output is not None and output.absolute() != folder.absolute() else None
    for place, inside, names in os.walk(folder, onerror=barred.append):
        here = Path(place)
        inside[:] = sorted(name for name in inside if made is None or (here / name).absolute() != made)
        below = top / here.relative_to(folder)
        found += [BatchItem(here / name, below) for name in sorted(names) if readable(here / name)]
    if barred and not found:
        raise FileError(folder, f"cannot be looked at ({barred[0].strerror})", "Check the path and its rights")
    if not found:
        raise FileError(folder, "neither the folder nor those below it hold a scan")
    return found


class Batch:
    """Restores files as planned and says of each what became of it, in their order.

    With `together` small scans go through a network in one batch: only networks gain by it, and other methods lose
    less when they are stopped.
    """

    def __init__(self, plan: BatchPlan, *, together: bool = False) -> None:
        self.plan, self.together = plan, together

    @classmethod
    def of(cls, plan: BatchPlan) -> "Batch":
        """One that restores small scans together where the plan's model gains by it. Raises RequestError."""
        from stmviewer.restore.library import AUTO, resolve

        info = resolve(plan.request.model, plan.request.task)
        return cls(plan, together=info.learned or info.name == AUTO.name)

    def outcomes(
        self, items: Sequence[BatchItem], progress_of: Callable[[Sequence[BatchItem]], Progress]
    ) -> Iterator[Outcome]:
        """One Outcome a file; `progress_of` gives the progress for the files that are restored next. Raises Cancelled
        when the user stops it."""
        waiting: list[tuple[BatchItem, Scan | Exception]] = []
        for item in items:
            opened = (item, self._opened(item))
            if not self._small(opened[1]):
                yield from self._restored(waiting, progress_of)
                yield from self._restored([opened], progress_of)
                waiting = []
                continue
            waiting.append(opened)
            if len(waiting) == TOGETHER:
                yield from self._restored(waiting, progress_of)
                waiting = []
        yield from self._restored(waiting, progress_of)

    def _opened(self, item: BatchItem) -> Scan | Exception:
        try:
            return pick_part(open_calibrated(item.path, self.plan.calibration), self.plan.part)
        except Cancelled:
            raise
        except Exception as error:
            return error

    def _small(self, scan: Scan | Exception) -> bool:
        if not self.together or isinstance(scan, Exception):
            return False
        return scan.geometry.rows * scan.geometry.columns <= _SMALL

    def _restored(
        self,
        group: Sequence[tuple[BatchItem, Scan | Exception]],
        progress_of: Callable[[Sequence[BatchItem]], Progress],
    ) -> Iterator[Outcome]:
        scans = [scan for _, scan in group if isinstance(scan, Scan)]
        if len(scans) > 1:
            from stmviewer.restore.together import restore_together

            progress = progress_of([item for item, _ in group])
            made: Iterator[Restoration | Exception] = iter(restore_together(scans, self.plan.request, progress))
        else:
            made = (self._alone(scan, progress_of([item])) for item, scan in group if isinstance(scan, Scan))
        for item, scan in group:
            try:
                if isinstance(scan, Exception):
                    raise scan
                yield Outcome(item, self._written(item, scan, next(made)))
            except Cancelled:
                raise
            except Exception as error:
                ours = not (isinstance(error, StmviewerError) or out_of_memory(error))
                details = "".join(traceback.format_exception(error)) if ours else ""
                yield Outcome(item, None, _cause(item.path, error), details)

    def _alone(self, scan: Scan, progress: Progress) -> Restoration | Exception:
        from stmviewer.restore.pipeline import restore

        try:
            return restore(scan, self.plan.request, progress)
        except Cancelled:
            raise
        except Exception as error:
            return error

    def _written(self, item: BatchItem, scan: Scan, result: Restoration | Exception) -> dict[str, Any]:
        if isinstance(result, RequestError) and scan.name not in str(result):
            raise RequestError(f"{scan.name}: {result}") from result
        if isinstance(result, Exception):
            raise result
        path = free_path(self.plan.output / item.below / default_name(result, scan, self.plan.file_format))
        path = export(result, scan, path, label=self.plan.label)
        return _facts(item.path, path, result) | _part_facts(scan, result)


class _Enough(Cancelled):
    """What could go together is done."""


def restore_next_job(items: Sequence[BatchItem], plan: BatchPlan) -> Job:
    """A job that restores the first of `items`, and with it those next to it that gain by going together.

    It tells as `Part` which items they are (a tuple, once they are open), and the Outcome of each, those included that
    could not be opened on the way. The rest is for the next job: between the two others have their turn.
    """

    def job(context: Context) -> None:
        begun: list[BatchItem] = []

        def progress_of(group: Sequence[BatchItem]) -> Progress:
            if begun:
                raise _Enough
            begun.extend(group)
            context.emit(events.Part(tuple(group)))
            return context.progress

        context.progress.check()
        try:
            for outcome in Batch.of(plan).outcomes(items, progress_of):
                context.emit(events.Part(outcome))
                if begun and outcome.item is begun[-1]:
                    return  # before any other is opened
        except _Enough:
            return

    return job


def _cause(file: Path, error: Exception) -> str:
    if isinstance(error, StmviewerError):
        return str(error)
    if out_of_memory(error):
        return f"{file}: the computer ran out of memory. Close other programs, or choose a smaller --tile"
    return f"{file}: a fault of stmviewer: {type(error).__name__}: {error}"


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


#: columns of the table of a batch
COLUMNS = (
    "file",
    "status",
    "channel",
    "model",
    "ssim_hidden",
    "ssim_hidden_linear",
    "residual_rms",
    "unit",
    "warnings",
    "output",
)


def table_row(outcome: Outcome) -> dict[str, str]:
    """What the summary table says of one file; numbers as numbers."""
    facts = outcome.facts
    row = dict.fromkeys(COLUMNS, "") | {"file": str(outcome.item.path)}
    if facts is None:
        return row | {"status": "failed", "warnings": outcome.error}
    scores = {score["method"]: score["ssim_hidden"] for score in facts["scores"]}
    own = next((v for name, v in scores.items() if name != "linear"), scores.get("linear"))
    return row | {
        "status": "done",
        "channel": facts["channel"],
        "model": facts["model"],
        "ssim_hidden": "" if own is None else f"{own:.4f}",
        "ssim_hidden_linear": "" if "linear" not in scores else f"{scores['linear']:.4f}",
        "residual_rms": f"{facts['residual_rms']:.6g}",
        "unit": facts["unit"],
        "warnings": "; ".join(facts["warnings"]),
        "output": facts["output"],
    }


def table_csv(outcomes: Iterable[Outcome]) -> str:
    """The summary table as CSV, one line a file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table_row(outcome) for outcome in outcomes)
    return text.getvalue()
