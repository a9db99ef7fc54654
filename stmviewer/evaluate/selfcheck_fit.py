"""Fits what corrects the self-check, on full scans where the true error is known, and tells how well it predicts.

Also what model `auto` shows beside the best classical method of each scan, chosen with hindsight.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import stmviewer
from stmviewer.evaluate.sets import Case
from stmviewer.restore import RestoreRequest, library
from stmviewer.restore.choice import CLASSICAL_CANDIDATES
from stmviewer.restore.filling import kind_of_mask
from stmviewer.restore.pipeline import restore
from stmviewer.restore.request import Device
from stmviewer.scan import Progress, RequestError


@dataclass(frozen=True)
class Row:
    """One method on one masked scan: its self-checked and its true mean error at hidden pixels, and its hidden SSIM."""

    set: str
    group: str
    task: str
    kind: str
    method: str
    checked: float
    true: float
    ssim: float


def measure(
    sets: dict[str, list[Case]], tasks: Sequence[str], progress: Progress, *, device: Device = "auto"
) -> list[Row]:
    """Restores every scan of `sets`, masked by every pattern of `tasks`, by auto and by each method that it tried."""
    count = sum(len(cases) for cases in sets.values()) * len(tasks)
    if not count:
        raise RequestError("there is no scan to fit the self-check on")
    progress = progress.part(1.0, "Self-check", count)
    rows = []
    for name, cases in sets.items():
        for case in cases:
            for task in tasks:
                rows += _one(name, case, task, device, progress.part(0.0))
                progress.tick()
    return rows


def _one(name: str, case: Case, task: str, device: Device, progress: Progress) -> list[Row]:
    request = RestoreRequest(task="sparse", model=library.AUTO.name, mask=task, device=device)
    auto = restore(case.scan, request, progress)
    tried = auto.provenance["self_check"]
    if tried is None:
        return []
    kind = kind_of_mask(auto.mask.measured)
    rows = [Row(name, case.group, task, kind, "auto", float("nan"), *_hidden(auto.scores[0]))]
    for score in tried["scores"]:
        alone = restore(case.scan, request.replaced(model=score["method"], check=False), progress)
        rows.append(Row(name, case.group, task, kind, score["method"], score["error"], *_hidden(alone.scores[0])))
    return rows


def _hidden(score: Any) -> tuple[float, float]:
    return float(score.mae_hidden), float(score.ssim_hidden)


def fit(rows: Sequence[Row]) -> dict[str, Any]:
    """What resources/selfcheck.json holds: by kind of mask and method, the median of true over self-checked error.

    `spread` is the factor within which two thirds of the scans lie about it, `correlation` that of the logarithms over
    all scans of the kind; learned models count as one method.
    """
    learned = {i.name for i in library.model_infos() if i.learned}
    kinds: dict[str, dict[str, Any]] = {}
    for kind in sorted({r.kind for r in rows}):
        kinds[kind] = {}
        for method in ("learned", *CLASSICAL_CANDIDATES):
            chosen = [
                (r.checked, r.true)
                for r in rows
                if r.kind == kind and (r.method in learned if method == "learned" else r.method == method)
            ]
            logs = np.log([p for p in chosen if min(p) > 0])
            if len(logs) < 3:
                continue
            ratio = logs[:, 1] - logs[:, 0]
            middle = float(np.median(ratio))
            kinds[kind][method] = {
                "factor": round(float(np.exp(middle)), 3),
                "spread": round(float(np.exp(np.quantile(np.abs(ratio - middle), 2 / 3))), 3),
                "correlation": round(float(np.corrcoef(logs.T)[0, 1]), 3),
                "scans": len(logs),
            }
    sets = ", ".join(dict.fromkeys(r.set for r in rows))
    made = f"stmviewer evaluate --self-check, version {stmviewer.__version__}, on {sets}"
    return {"made": made, "kinds": kinds}


def table(rows: Sequence[Row]) -> str:
    """Markdown: hidden SSIM that auto loses (-) or gains against the best classical method of each very scan."""
    tasks = list(dict.fromkeys(r.task for r in rows))
    lines = [
        "Hidden SSIM of auto, less that of the best of " + ", ".join(CLASSICAL_CANDIDATES) + " on the same scan",
        "",
    ]
    lines += ["| set, scan | " + " | ".join(tasks) + " |", "|---|" + "---|" * len(tasks)]
    for name, group in dict.fromkeys((r.set, r.group) for r in rows):
        cells = []
        for task in tasks:
            here = [r for r in rows if (r.set, r.group, r.task) == (name, group, task)]
            gains = [a.ssim - _best(here[k : k + 16]) for k, a in enumerate(here) if a.method == "auto"]
            cells.append(f"{np.mean(gains):+.3f}" if gains else "")
        lines.append(f"| {name}, {group} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _best(rows: Sequence[Row]) -> float:
    """The best classical SSIM of the first scan in `rows`, which begins with its auto."""
    end = next((k for k, r in enumerate(rows) if k and r.method == "auto"), len(rows))
    return max(r.ssim for r in rows[:end] if r.method in CLASSICAL_CANDIDATES)
