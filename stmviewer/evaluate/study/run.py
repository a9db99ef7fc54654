"""Runs a study: reads the sets, restores and scores every image by every method, and measures how far the sets are
apart. What is done is kept in a work file, so that it can be stopped and goes on."""

import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import stmviewer
from stmviewer.evaluate import tip_state
from stmviewer.evaluate.spaces import Space
from stmviewer.evaluate.study import facts, sources, summary
from stmviewer.evaluate.study.caveats import chosen_spaces, warnings
from stmviewer.evaluate.study.examples import examples
from stmviewer.evaluate.study.measures import level, of_restoration, paired
from stmviewer.evaluate.study.request import INPUT, REPAIR, Method, StudyRequest, identity, methods_for
from stmviewer.evaluate.study.result import Row, Study
from stmviewer.evaluate.study.sources import Image
from stmviewer.evaluate.study.summary import PRISTINE, REFERENCE
from stmviewer.evaluate.study.work import Done, Key, WorkFile
from stmviewer.restore import RestoreRequest, library
from stmviewer.restore.pipeline import restore
from stmviewer.scan import FloatArray, Progress, RequestError, StmviewerError
from stmviewer.scan.levelling import fit_plane, robust_range

#: methods under which pictures are kept that are no results: the truth of a repair, the measured part of a sparse scan
TRUTH, GIVEN = "truth", "given"


@dataclass(frozen=True)
class _Task:
    name: str
    images: list[Image]
    methods: list[Method]


def run_study(request: StudyRequest, work_path: Path | None, progress: Progress) -> tuple[Study, WorkFile]:
    """The study, and its work file, which the caller removes when the report is written.

    Raises RequestError or FileError for what cannot be done, Cancelled when the user stops it; the same request with
    the same `work_path` goes on from there.
    """
    begun = time.monotonic()
    notes: list[str] = []
    plans = [(task, *methods_for(request, task)) for task in request.tasks]
    for _, _, said in plans:
        notes += [n for n in said if n not in notes]
    good = sources.read_folder(request.pristine, request.images, progress.part(0.02), good=True)
    bad: list[Image] = []
    if REPAIR in request.tasks:
        if request.degraded is not None:
            bad = sources.read_folder(request.degraded, request.images, progress.part(0.02), good=False)
        else:
            bad = sources.damaged(good, request.preset, request.seed, progress.part(0.02))
    tasks = [_Task(name, bad if name == REPAIR else good, methods) for name, methods, _ in plans if len(methods) > 1]
    notes += [f"None of these methods does {name}: left out" for name, methods, _ in plans if len(methods) == 1]
    if not tasks:
        raise RequestError(
            "there is nothing to compare: none of these models does one of these tasks, but for the baseline that "
            "all are compared with"
        )
    chosen = chosen_spaces(request, notes)
    models = facts.models(sorted({m.model for t in tasks for m in t.methods}))
    key = identity(request, {f"{k}{i.name}": i.sha256 for k, s in enumerate((good, bad)) for i in s},
                   {m.name: m.sha256 for m in models} | {s.key: s.title for s in chosen})  # fmt: skip
    work = WorkFile(work_path, key)
    try:
        failed = _do(tasks, good, chosen, request, work, progress.part(0.95))
        notes += failed
        progress.part(1.0, "Comparing sets")
        study = _study(request, tasks, good, bad, chosen, models, notes, work, time.monotonic() - begun)
    except BaseException:
        work.__exit__()
        raise
    return study, work


def _do(
    tasks: Sequence[_Task],
    good: Sequence[Image],
    chosen: list[Space],
    request: StudyRequest,
    work: WorkFile,
    progress: Progress,
) -> list[str]:
    """Does what is not done yet; returns what could not be."""
    jobs: list[tuple[_Task | None, Method, Image]] = [(None, Method(PRISTINE), i) for i in good]
    jobs += [(t, m, i) for t in tasks for m in t.methods for i in t.images]
    left = [(t, m, i) for t, m, i in jobs if not work.has((t.name if t else REFERENCE, m.label, i.name))]
    progress = progress.part(1.0, "Going on" if work.resumed else "Evaluating", max(len(left), 1))
    failed: dict[str, int] = {}
    for task, method, image in left:
        progress.step = f"{method.label}, {task.name}, {image.name}" if task else f"Good images, {image.name}"
        progress.check()
        try:
            _one(task, method, image, chosen, request, work, progress.part(0.0))
        except StmviewerError as error:
            what = f"{method.label}, {task.name if task else PRISTINE}: {error}"
            failed[what] = failed.get(what, 0) + 1
        progress.tick()
    if failed and all(not work.has((t.name, m.label, i.name)) for t in tasks for m in t.methods for i in t.images):
        raise RequestError(f"nothing could be restored: {next(iter(failed))}")
    return [f"{count} of the images failed with {what}" for what, count in failed.items()]


def _one(
    task: _Task | None,
    method: Method,
    image: Image,
    chosen: list[Space],
    request: StudyRequest,
    work: WorkFile,
    progress: Progress,
) -> None:
    """One image by one method: restored, scored, embedded, kept."""
    key: Key = (task.name if task else REFERENCE, method.label, image.name)
    data, ratio = image.data, np.empty(0)
    numbers: dict[str, float] = {}
    truth: FloatArray | None = None
    if task is not None:
        truth = image.truth if task.name == REPAIR else image.data
        hidden = None
        if method.model != INPUT:
            result = restore(image.scan, _restore_request(request, task.name, method), progress)
            data = result.mean
            numbers = of_restoration(result, image, truth)
            if task.name != REPAIR:
                hidden = ~result.mask.measured
                given = _grey(image.data, image.data)
                work.put((task.name, GIVEN, image.name), Done({}, (), np.where(hidden, 0, given).astype(np.uint8), {}))
        if truth is not None:
            shown, true = (data, truth) if hidden is not None else (level(data), level(truth))
            numbers |= paired(shown, true, hidden, image.in_metres and image.scan.geometry.calibrated)
            ratio = facts.ratio(shown, true)
            if task.name == REPAIR:
                work.put((task.name, TRUTH, image.name), Done({}, (), _grey(truth, truth), {}))
    if min(data.shape) >= tip_state.LEAST_SIDE:
        numbers["good_tip"] = float(tip_state.judge(data).probabilities["good"])
    vectors = {s.key: s.embed(data) for s in chosen if min(data.shape) >= s.least}
    work.put(key, Done(numbers, tuple(ratio.tolist()), _grey(data, data if truth is None else truth), vectors))


def _restore_request(request: StudyRequest, task: str, method: Method) -> RestoreRequest:
    infos = {i.name: i for i in library.model_infos()}
    samples = request.samples if infos[method.model].samples else 1
    return RestoreRequest(
        task="repair" if task == REPAIR else "sparse",
        model=method.model,
        mask=None if task == REPAIR else task,
        steps=method.steps,
        samples=samples,
        seed=request.seed,
        device=request.device,
        check=False,
    )


def _grey(image: FloatArray, like: FloatArray) -> NDArray[np.uint8]:
    """As it is shown: less the plane of `like`, on its 1 to 99 % range; each level to the median of itself."""
    plane = fit_plane(like)
    low, high = robust_range(like - plane)
    flat = image - (plane if image is like else fit_plane(image))
    flat = flat + np.median(like - plane) - np.median(flat)
    return np.rint(255 * np.clip((flat - low) / (high - low), 0, 1)).astype(np.uint8)


def _study(
    request: StudyRequest,
    tasks: Sequence[_Task],
    good: list[Image],
    bad: list[Image],
    chosen: list[Space],
    models: list[facts.ModelFacts],
    notes: list[str],
    work: WorkFile,
    seconds: float,
) -> Study:
    rows: list[Row] = []
    distances = [d for s in chosen for d in summary.halves(work, s, good)]
    means, spectra = [], {}
    near = next(s for s in chosen if s.key == "efficientnet")
    for task in tasks:
        labels = [m.label for m in task.methods]
        for label in labels:
            done = [i for i in task.images if work.has((task.name, label, i.name))]
            nearness = summary.nearness(work, near, task.name, label, done, good)
            for image, value in zip(done, nearness, strict=True):
                numbers = work.numbers((task.name, label, image.name)) | {"nearness": float(value)}
                rows.append(Row(task.name, label, image.name, image.group, image.sha256, numbers))
        spectra[task.name] = facts.mean_spectra(work, task.name, labels, task.images)
        means += summary.means(rows, task.name, labels[0])
        for space in chosen:
            distances += summary.distances(work, space, task.name, labels, task.images, good, labels[0])
    paired_tasks = [t.name for t in tasks if t.name != REPAIR or any(i.truth is not None for i in t.images)]
    degraded = [facts.image_set("degraded", request.degraded, bad)] if request.degraded is not None and bad else []
    study = Study(
        question=request.asked,
        request=request.to_json(),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        version=stmviewer.__version__,
        device=facts.device(request.device),
        platform=platform.platform(terse=True),
        seconds=round(seconds, 1),
        sets=[facts.image_set("pristine", request.pristine, good), *degraded],
        models=models,
        baselines={t.name: t.methods[0].label for t in tasks},
        paired=paired_tasks,
        spaces={s.key: [s.title, s.about] for s in chosen},
        rows=rows,
        means=means,
        distances=distances,
        spectra=spectra,
        notes=[*notes, *warnings(request, {t.name: t.images for t in tasks}, good, work.resumed > 0)],
    )
    study.examples.extend(examples(study, work))
    return study
