"""Scores of models on sets of scans: what was hidden and rebuilt, or degraded and repaired."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stmviewer.evaluate.sets import Case
from stmviewer.restore import RestoreRequest, library
from stmviewer.restore.pipeline import restore
from stmviewer.restore.request import Device
from stmviewer.scan import Channel, FloatArray, Progress, RequestError, Scan
from stmviewer.scan.levelling import fit_plane
from stmviewer.scan.masks import parse_pattern
from stmviewer.scan.metrics import compare


@dataclass(frozen=True)
class Score:
    """One model, task and set: means over images, and the 95 % interval of the SSIM by bootstrap over groups."""

    set: str
    task: str
    model: str
    images: int
    ssim: float
    ssim_hidden: float
    psnr_db: float
    mae_percent: float
    interval: tuple[float, float]
    seconds: float


def evaluate(
    sets: dict[str, list[Case]],
    models: Sequence[str],
    tasks: Sequence[str],
    progress: Progress,
    *,
    device: Device = "auto",
    steps: int | None = None,
) -> list[Score]:
    """Every model on every task and set that it can do. A task is `repair` or a mask pattern.

    Repairs are scored against a known truth, so sets without one are skipped; `input` is the degraded image itself.
    Raises RequestError for unknown models and masks, and when nothing is left to score.
    """
    for task in tasks:
        if task != "repair":
            parse_pattern(task)
    infos = {i.name: i for i in library.model_infos()}
    for model in models:
        if model not in infos and model not in {i.kind for i in infos.values()}:
            library.resolve(model, "sparse")  # raises, with the list of models
    jobs = [
        (name, task, model)
        for name, cases in sets.items()
        for task in tasks
        for model in _able(models, task)
        if task != "repair" or cases[0].truth is not None
    ]
    if not jobs:
        raise RequestError(
            "there is nothing to score: none of these models does one of these tasks here; repairs need the truth "
            "of a simulated set (--benchmark)"
        )
    progress = progress.part(1.0, "Evaluating", sum(len(sets[name]) for name, _, _ in jobs))
    scores = []
    for name, task, model in jobs:
        rows = []
        for case in sets[name]:
            progress.step = f"{model}, {task}, {name}"
            progress.tick()
            # a part that moves no bar, and stops when asked to
            rows.append(_one(case, task, model, device, steps, progress.part(0.0)))
        scores.append(_summary(name, task, model, sets[name], np.array(rows)))
    return scores


def _able(models: Sequence[str], task: str) -> list[str]:
    """The models that do the task; for repairs beside the untouched input."""
    kind = "repair" if task == "repair" else "sparse"
    infos = library.model_infos()
    able = [m for m in models if any(kind in i.tasks for i in infos if m in (i.name, i.kind))]
    return ["input", *able] if kind == "repair" else able


def _one(case: Case, task: str, model: str, device: Device, steps: int | None, progress: Progress) -> tuple[float, ...]:
    """ssim, ssim_hidden, psnr_db, mae_percent, seconds of one image."""
    if task == "repair":
        assert case.truth is not None
        data = case.scan.channel().data
        seconds = 0.0
        if model != "input":
            result = restore(case.scan, _request(model, "repair", device, steps), progress)
            data, seconds = result.mean, float(result.provenance["seconds"])
        q = compare(_level(data), _level(case.truth))
        return q.ssim, q.ssim, q.psnr_db, q.mae_percent, seconds
    result = restore(_as_measured(case), _request(model, "sparse", device, steps, task), progress)
    assert result.truth is not None
    q = compare(result.mean, result.truth, ~result.mask.measured)
    return q.ssim, q.ssim_hidden, q.psnr_db, q.mae_percent, float(result.provenance["seconds"])


def _request(model: str, task: str, device: Device, steps: int | None, mask: str | None = None) -> RestoreRequest:
    kind = "repair" if task == "repair" else "sparse"
    return RestoreRequest(task=kind, model=model, mask=mask, device=device, steps=steps, check=False)  # type: ignore[arg-type]


def _as_measured(case: Case) -> Scan:
    """What a good tip would have scanned: the clean image of a simulated pair, with a little noise."""
    if case.truth is None:
        return case.scan
    channel = case.scan.channel()
    rng = np.random.default_rng(int(1e15 * abs(float(case.truth[0, 0]))) % 2**31)
    noisy = case.truth + 0.08 * float(_level(case.truth).std()) * rng.standard_normal(case.truth.shape)
    return Scan([Channel(channel.name, channel.unit, noisy)], case.scan.geometry, path=case.scan.path)


def _level(image: FloatArray) -> FloatArray:
    level = image - fit_plane(image)
    shifted: FloatArray = level - np.median(level)
    return shifted


def _summary(name: str, task: str, model: str, cases: list[Case], rows: np.ndarray) -> Score:
    groups = np.array([c.group for c in cases])
    mean = rows.mean(axis=0)
    return Score(
        set=name,
        task=task,
        model=model,
        images=len(cases),
        ssim=float(mean[0]),
        ssim_hidden=float(mean[1]),
        psnr_db=float(mean[2]),
        mae_percent=float(mean[3]),
        interval=bootstrap(rows[:, 0], groups),
        seconds=float(mean[4]),
    )


def bootstrap(values: np.ndarray, groups: np.ndarray, draws: int = 1000) -> tuple[float, float]:
    """95 % interval of the mean by drawing whole groups (places, sessions): images of one group are not independent.

    NaN for a single group, of which nothing can be said about the next.
    """
    names = np.unique(groups)
    if len(names) < 2:
        return float("nan"), float("nan")
    members = [values[groups == n] for n in names]
    rng = np.random.default_rng(0)
    picks = rng.integers(len(names), size=(draws, len(names)))
    sums, counts = np.array([m.sum() for m in members]), np.array([len(m) for m in members])
    means = sums[picks].sum(axis=1) / counts[picks].sum(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def table(scores: Sequence[Score]) -> str:
    """Markdown: a table a set, a row a model, a column a task; the best of each column in bold."""
    blocks = []
    for name in dict.fromkeys(s.set for s in scores):
        here = [s for s in scores if s.set == name]
        tasks = list(dict.fromkeys(s.task for s in here))
        best = {t: max(s.ssim for s in here if s.task == t) for t in tasks}
        lines = [f"SSIM, {name} ({here[0].images} images)", "", "| model | " + " | ".join(tasks) + " |"]
        lines.append("|---|" + "---|" * len(tasks))
        for model in dict.fromkeys(s.model for s in here):
            cells = []
            for task in tasks:
                found = [s.ssim for s in here if s.task == task and s.model == model]
                text = f"{found[0]:.3f}" if found else ""
                cells.append(f"**{text}**" if found and found[0] > best[task] - 0.0005 else text)
            lines.append(f"| {model} | " + " | ".join(cells) + " |")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)
