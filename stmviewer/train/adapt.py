"""Adapts a model to a laboratory: a few minutes on one to forty of its own scans, judged on a part kept aside.

A few minutes on a handful of one's own scans gain more than anything else, where the sampling or the surface is not
what the model was trained on. Whether they did is measured on what was never trained on: one scan in five, or of one
or two scans their last third.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from stmviewer.files import open_scan, save_scan
from stmviewer.files.calibration import Calibration, filled_in
from stmviewer.restore import ModelInfo, RestoreRequest, library
from stmviewer.restore.pipeline import restore
from stmviewer.restore.request import Device
from stmviewer.scan import Channel, Geometry, Progress, RequestError, Scan, StmviewerError
from stmviewer.train import checkpoint
from stmviewer.train.folder import JUDGED_BY, judged_by, session
from stmviewer.train.loop import Report
from stmviewer.train.run import STOPPED, train
from stmviewer.train.spec import TrainSpec
from stmviewer.train.work import Work

MOST_SCANS = 40
#: what a scan must have on its shorter side to be cut into crops of 32 pixels
LEAST_SIDE = 64
#: masks that the part kept aside is scored with
TASKS = ("lines:2", "lines:4", "grid:2", "pixels:0.25")
_LEAST_KEPT = 24
#: up to this many scans give up their last third; of more, one in five is kept aside whole
_BY_AREA = 2
#: smaller than a training from scratch has: the model is to learn, not to forget
_RATE = 6e-4
_SCORED_SIDE = 256


@dataclass(frozen=True)
class Split:
    """What is trained on, what is kept aside, how that was done in words, and files left out with the reason."""

    training: tuple[Scan, ...]
    kept: tuple[Scan, ...]
    how: str
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class Gain:
    """Mean hidden SSIM on the part kept aside, for one mask: linear interpolation, the start model, the adapted one."""

    task: str
    linear: float
    start: float
    adapted: float


@dataclass(frozen=True)
class Adapted:
    """The new model, what it gained, and on what that was measured."""

    info: ModelInfo
    start: str
    gains: tuple[Gain, ...]
    split: Split

    @property
    def gain(self) -> float:
        """Mean gain over the start model."""
        return float(np.mean([g.adapted - g.start for g in self.gains]))

    @property
    def over_linear(self) -> float:
        return float(np.mean([g.adapted - g.linear for g in self.gains]))


def start_model(name: str) -> ModelInfo:
    """The learned model of that name or kind. Raises RequestError for classical methods and auto."""
    if name == library.AUTO.name:
        name = "regression"
    info = library.resolve(name, "sparse")
    if not info.learned:
        learned = ", ".join(library.entries()) or "none"
        raise RequestError(f"'{info.name}' is a method without weights and cannot be adapted; choose one of {learned}")
    return info


def split(paths: Sequence[Path], seed: int = 0, calibration: Calibration | None = None) -> Split:
    """Reads the scans and keeps a part of them aside; `calibration` is for those that bring no size or unit.

    Raises RequestError when none can be used.
    """
    if not paths:
        raise RequestError("there is no scan to adapt to; give 1 to 40 of your own")
    if len(paths) > MOST_SCANS:
        raise RequestError(f"{len(paths)} scans are more than {MOST_SCANS}: train on the folder with stmviewer train")
    scans, left_out = [], []
    judging = {folder: judged_by(folder) for folder in {path.parent for path in paths}}
    for path in paths:
        if session(path) in judging[path.parent]:
            left_out.append(f"{path.name}: {JUDGED_BY}")
            continue
        try:
            scan = open_scan(path)
            if calibration:
                scan = filled_in(scan, calibration)
            channel = scan.channel()
            reason = _why_not(channel)
        except StmviewerError as error:
            left_out.append(str(error))
            continue
        if reason:
            left_out.append(f"{path.name}: {reason}")
        else:
            scans.append(_part(scan, channel, 0, channel.data.shape[0]))
    if not scans:
        raise RequestError(f"none of these scans can be adapted to; {left_out[0]}")
    if len(scans) > _BY_AREA:
        order = np.random.default_rng(seed).permutation(len(scans))
        count = max(1, len(scans) // 5)
        kept = tuple(scans[k] for k in sorted(order[:count]))
        training = tuple(scans[k] for k in sorted(order[count:]))
        what = "1 scan" if count == 1 else f"{count} scans"
        return Split(training, kept, f"{what} of {len(scans)}, never trained on", tuple(left_out))
    parts = [_halves(scan) for scan in scans]
    words = "the last third of the scan" if len(scans) == 1 else "the last third of both scans"
    return Split(
        tuple(top for top, _ in parts), tuple(end for _, end in parts), f"{words}, never trained on", tuple(left_out)
    )


def _why_not(channel: Channel) -> str | None:
    reason = channel.why_not_restorable()
    if reason is None and not channel.measured.all():
        reason = "some of its pixels were not measured"
    if reason is None and min(channel.data.shape) < LEAST_SIDE + LEAST_SIDE // 2:
        have = " x ".join(str(n) for n in channel.data.shape[::-1])
        reason = f"{have} pixels are too few; {LEAST_SIDE + LEAST_SIDE // 2} a side is the least"
    return reason


def _part(scan: Scan, channel: Channel, first: int, last: int) -> Scan:
    """Lines `first` to `last` (excluded) of a channel as a scan of its own."""
    data = np.array(channel.data[first:last])
    g = scan.geometry
    frame = Geometry(data.shape[1], len(data), data.shape[1] * g.pixel_width, len(data) * g.pixel_height, g.unit)
    return Scan([Channel(channel.name, channel.unit, data)], frame, path=scan.path)


def _halves(scan: Scan) -> tuple[Scan, Scan]:
    """The first two thirds and the last third of the lines: no line is in both."""
    channel = scan.channel()
    rows = channel.data.shape[0]
    at = max(LEAST_SIDE, min(rows - _LEAST_KEPT, round(rows * 2 / 3)))
    return _part(scan, channel, 0, at), _part(scan, channel, at, rows)


def adapt(
    paths: Sequence[Path],
    name: str,
    models: Path,
    report: Callable[[Report], None],
    progress: Progress,
    *,
    start: str = "regression",
    minutes: float = 5.0,
    steps: int | None = None,
    seed: int = 0,
    device: Device = "auto",
    calibration: Calibration | None = None,
) -> Adapted:
    """Trains on from `start` with the scans at `paths`, puts the model into `models` and scores it.

    `models` must be the user's library (`paths.user_models()`), where restorations look for it. Raises RequestError
    for what cannot be adapted to, Cancelled when stopped; its checkpoint `stopped` can then be made a model.
    """
    info = start_model(start)
    _check_nothing_is_left(Work(models, name))
    parts = split(paths, seed, calibration)
    smallest = min(min(s.channel().data.shape) for s in parts.training)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / "own-scans"
        folder.mkdir()
        for k, scan in enumerate(parts.training):
            save_scan(scan, folder / f"{k:02d}.npz")
        spec = TrainSpec(
            kind=info.kind,
            name=name,
            source=str(folder),
            minutes=minutes,
            steps=steps,
            seed=seed,
            crop=64 if smallest >= LEAST_SIDE + 32 else 32,
            rate=_RATE,
            repair_share=0.25 if "repair" in info.tasks else 0.0,
            start_from=info.name,
        )
        made = train(spec, models, report, progress.part(0.9), device=device)
    gains = score(parts.kept, info.name, made.name, progress.part(1.0), device)
    adapted = Adapted(made, info.name, gains, parts)
    with (models / f"{made.name}.md").open("a", encoding="utf-8") as card:
        card.write(f"\n## What adapting gained\n\n{table(adapted)}\n")
    return adapted


def _check_nothing_is_left(work: Work) -> None:
    """Its pieces of scans went with the adapting that was stopped: unlike a training it cannot go on."""
    if (work.models / f"{work.name}.safetensors").exists() or not checkpoint.exists(work.state):
        return
    raise RequestError(
        f"adapting '{work.name}' was stopped before, and cannot go on: delete {work.folder}, choose another --name, or "
        f"use what it had learned: stmviewer models --use {work.checkpoint(STOPPED)} --name {work.name}-early"
    )


def score(kept: Sequence[Scan], start: str, adapted: str, progress: Progress, device: Device) -> tuple[Gain, ...]:
    """Both models and linear interpolation on the scans kept aside."""
    progress = progress.part(1.0, "Scoring", 2 * len(TASKS) * len(kept))
    gains = []
    for task in TASKS:
        found: dict[str, list[float]] = {"linear": [], start: [], adapted: []}
        for scan in kept:
            small = _middle(scan)
            for model in (start, adapted):
                request = RestoreRequest(task="sparse", mask=task, model=model, device=device, check=False)
                scores = restore(small, request, progress.part(0.0)).scores
                found[model].append(scores[0].ssim_hidden)
                if model == start:
                    found["linear"].append(scores[1].ssim_hidden)
                progress.tick()
        linear, before, after = (float(np.mean(found[k])) for k in ("linear", start, adapted))
        gains.append(Gain(task, linear, before, after))
    return tuple(gains)


def _middle(scan: Scan) -> Scan:
    channel = scan.channel()
    if max(channel.data.shape) <= _SCORED_SIDE:
        return scan
    top, left = (max(0, (n - _SCORED_SIDE) // 2) for n in channel.data.shape)
    data = np.array(channel.data[top : top + _SCORED_SIDE, left : left + _SCORED_SIDE])
    g = scan.geometry
    rows, columns = data.shape
    frame = Geometry(columns, rows, columns * g.pixel_width, rows * g.pixel_height, g.unit)
    return Scan([Channel(channel.name, channel.unit, data)], frame, path=scan.path)


def table(adapted: Adapted) -> str:
    """Markdown, for the card and the terminal."""
    lines = [
        f"Mean hidden SSIM on {adapted.split.how}.",
        "",
        f"| mask | linear | {adapted.start} | {adapted.info.name} | gain |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {g.task} | {g.linear:.3f} | {g.start:.3f} | {g.adapted:.3f} | {g.adapted - g.start:+.3f} |"
        for g in adapted.gains
    ]
    lines += ["", f"Mean gain over {adapted.start} {adapted.gain:+.3f}, over linear {adapted.over_linear:+.3f}."]
    if adapted.gain <= 0:
        lines.append("It is not better than the model that it started from: do not use it.")
    elif adapted.over_linear <= 0:
        lines.append("It is better than before, but not than linear interpolation.")
    return "\n".join(lines)
