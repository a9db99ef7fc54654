"""Every image of a study as a table: one line an image, task and method."""

import csv
import io

import numpy as np

from stmviewer.evaluate.study.measures import MEASURES
from stmviewer.evaluate.study.result import Study


def to_csv(study: Study) -> str:
    """Numbers in full, empty where there are none; columns are named as in the JSON, with units in their names."""
    used = {k for r in study.rows for k, v in r.numbers.items() if np.isfinite(v)}
    keys = [m.key for m in MEASURES if m.key in used]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["task", "method", "image", "group", "sha256", *keys])
    for r in study.rows:
        values = [r.numbers.get(k, float("nan")) for k in keys]
        writer.writerow(
            [r.task, r.method, r.image, r.group, r.sha256, *(repr(float(v)) if np.isfinite(v) else "" for v in values)]
        )
    return out.getvalue()
