"""The best, the median and the worst image of each task, and what every method made of them."""

from collections.abc import Iterator

import numpy as np

from stmviewer.evaluate.study.measures import BY_KEY
from stmviewer.evaluate.study.request import INPUT, REPAIR
from stmviewer.evaluate.study.result import Example, Picture, Study
from stmviewer.evaluate.study.work import WorkFile

#: so many methods are shown beside each other: the baseline and the best
_MOST = 6


def examples(study: Study, work: WorkFile) -> Iterator[Example]:
    """Ranked by the method that does best on average: its SSIM, or where no truth is known its nearness to the good
    set."""
    for task in study.tasks:
        measure = "ssim" if task in study.paired else "nearness"
        ranked = sorted(
            (m for m in study.means if (m.task, m.measure) == (task, measure) and m.method != study.baselines[task]),
            key=lambda m: -m.value,
        )
        if not ranked:
            continue
        best = ranked[0].method
        rows = [
            r for r in study.rows if (r.task, r.method) == (task, best) and np.isfinite(r.numbers.get(measure, np.nan))
        ]
        rows.sort(key=lambda r: -r.numbers[measure])
        places = {"best": 0, "median": len(rows) // 2, "worst": len(rows) - 1}
        shown = [study.baselines[task], *(m.method for m in ranked)][:_MOST]
        for which, at in places.items():
            if at in list(places.values())[: list(places).index(which)]:
                continue  # the same image again
            image = rows[at].image
            yield Example(task, which, image, best, tuple(_pictures(study, work, task, image, shown, measure)))


def _pictures(
    study: Study, work: WorkFile, task: str, image: str, methods: list[str], measure: str
) -> Iterator[Picture]:
    for method, title in (("truth", "truth"), ("pristine", "truth"), ("given", "measured part")):
        key = ("" if method == "pristine" else task, method, image)
        wanted = method == "truth" if task == REPAIR else method != "truth"
        if wanted and work.has(key):
            yield Picture(title, "", work.picture(key))
    numbers = {r.method: r.numbers for r in study.rows if (r.task, r.image) == (task, image)}
    for method in methods:
        key = (task, method, image)
        if work.has(key):
            value = numbers[method].get(measure, np.nan)
            m = BY_KEY[measure]
            note = f"{m.title} {value:.{m.digits}f}" if np.isfinite(value) else ""
            yield Picture("as scanned" if method == INPUT else method, note, work.picture(key))
