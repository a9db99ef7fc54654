"""Means over images and distances of sets, with their intervals and against a baseline."""

from collections.abc import Sequence

import numpy as np

from stmviewer.evaluate import mmd, spaces
from stmviewer.evaluate.hidden import bootstrap
from stmviewer.evaluate.spaces import SetDistance, Space
from stmviewer.evaluate.study.measures import MEASURES
from stmviewer.evaluate.study.result import Apart, Mean, Row
from stmviewer.evaluate.study.sources import Image
from stmviewer.evaluate.study.work import WorkFile
from stmviewer.scan import FloatArray

#: the task and method under which the good images themselves are kept
REFERENCE, PRISTINE = "", "pristine"
#: the good images, one half of their groups against the other: what distances would be at best
HALVES = "pristine, half against half"
_NAN = float("nan")


def means(rows: Sequence[Row], task: str, baseline: str) -> list[Mean]:
    """Every measure of every method of a task."""
    methods = list(dict.fromkeys(r.method for r in rows if r.task == task))
    by = {m: {r.image: r for r in rows if (r.task, r.method) == (task, m)} for m in methods}
    found = []
    for method in methods:
        for measure in MEASURES:
            taken = [r for r in by[method].values() if np.isfinite(r.numbers.get(measure.key, _NAN))]
            if not taken:
                continue
            values = np.array([r.numbers[measure.key] for r in taken])
            groups = np.array([r.group for r in taken])
            gain, gain_interval = _NAN, (_NAN, _NAN)
            both = [
                (r, by[baseline][r.image].numbers.get(measure.key, _NAN))
                for r in taken
                if method != baseline and r.image in by.get(baseline, {})
            ]
            more = np.array([r.numbers[measure.key] - before for r, before in both if np.isfinite(before)])
            if len(more):
                gain = float(more.mean())
                gain_interval = bootstrap(more, np.array([r.group for r, before in both if np.isfinite(before)]))
            found.append(
                Mean(task, method, measure.key, float(values.mean()), bootstrap(values, groups), len(taken), gain,
                     gain_interval)
            )  # fmt: skip
    return found


def distances(
    work: WorkFile,
    space: Space,
    task: str,
    methods: Sequence[str],
    images: Sequence[Image],
    good: Sequence[Image],
    baseline: str,
) -> list[Apart]:
    """Every method of a task against the good images, in one space; nothing where an image has no place in it.

    What a method restored from the very good images is compared with the other ones: see `mmd`.
    """
    reference = work.vectors(space.key, [(REFERENCE, PRISTINE, i.name) for i in good])
    if reference is None or len(reference) < 2 or len(images) < 2:
        return []
    groups = ([i.group for i in images], [i.group for i in good])
    names = np.array([i.name for i in good])
    same = np.array([names == i.name for i in images])
    found: dict[str, SetDistance] = {}
    for method in methods:
        vectors = work.vectors(space.key, [(task, method, i.name) for i in images])
        if vectors is not None:
            found[method] = spaces.distance(space, vectors, reference, groups, same)
    apart = []
    for method, d in found.items():
        gain, gain_interval = _NAN, (_NAN, _NAN)
        if method != baseline and baseline in found:
            gain = d.value - found[baseline].value
            if len({*groups[0], *groups[1]}) >= spaces.LEAST_GROUPS:
                gain_interval = mmd.interval(d.resampled - found[baseline].resampled)
        apart.append(
            Apart(task, method, space.key, d.value, d.interval, d.unbiased, len(images), len(good), gain, gain_interval)
        )
    return apart


def halves(work: WorkFile, space: Space, good: Sequence[Image]) -> list[Apart]:
    """One half of the groups of the good images against the other: the mean over ten random halvings.

    The interval is the spread of the halvings. Nothing where there are fewer than four groups.
    """
    names = sorted({i.group for i in good})
    vectors = work.vectors(space.key, [(REFERENCE, PRISTINE, i.name) for i in good])
    if vectors is None or len(names) < 4:
        return []
    rng = np.random.default_rng(0)
    groups = np.array([i.group for i in good])
    values: list[tuple[float, float]] = []
    for _ in range(10):
        first = np.isin(groups, rng.permutation(names)[: len(names) // 2])
        if min(first.sum(), (~first).sum()) >= 2:
            k = mmd.kernels(vectors[first], vectors[~first], space.sigma)
            values.append(tuple(space.scale * mmd.squared_mmd(k, biased=b) for b in (space.biased, False)))  # type: ignore[arg-type]
    if not values:
        return []
    value, unbiased = (float(v) for v in np.mean(values, axis=0))
    interval = mmd.interval(np.array([v for v, _ in values]))
    n = len(good) // 2
    return [Apart(REFERENCE, HALVES, space.key, value, interval, unbiased, n, len(good) - n, _NAN, (_NAN, _NAN))]


def nearness(
    work: WorkFile, space: Space, task: str, method: str, images: Sequence[Image], good: Sequence[Image]
) -> FloatArray:
    """How near each image is to the good ones in a space; NaN where it has no place in it."""
    reference = work.vectors(space.key, [(REFERENCE, PRISTINE, i.name) for i in good])
    vectors = work.vectors(space.key, [(task, method, i.name) for i in images])
    if reference is None or vectors is None:
        return np.full(len(images), np.nan)
    same = np.array([[i.name == g.name for g in good] for i in images])
    return spaces.nearness(space, vectors, reference, same)
