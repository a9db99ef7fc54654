"""Fits what corrects the self-check, on full scans where the true error is known, and tells how well it predicts.

Also what model `auto` decides by, and what it shows beside the best classical method of each scan, with hindsight.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import stmviewer
from stmviewer.evaluate import choice_fit
from stmviewer.evaluate.sets import Case
from stmviewer.restore import RestoreRequest, library
from stmviewer.restore.case import prepare
from stmviewer.restore.checking import check_sparse
from stmviewer.restore.choice import CLASSICAL_CANDIDATES, SCATTERED_CANDIDATES
from stmviewer.restore.filling import kind_of_mask
from stmviewer.restore.pipeline import shower
from stmviewer.restore.request import Device
from stmviewer.restore.trust import Evidence, right_share, shipped
from stmviewer.scan import FloatArray, Progress, RequestError
from stmviewer.scan.metrics import compare

_CLASSICAL = tuple(dict.fromkeys([*CLASSICAL_CANDIDATES, *SCATTERED_CANDIDATES]))


@dataclass(frozen=True)
class Row:
    """One method on one masked scan: its self-checked and its true mean error at hidden pixels, and its SSIM.

    Both errors are shares of the range of the scan, so that scans of different units can be compared.
    """

    set: str
    group: str
    task: str
    kind: str
    method: str
    checked: float
    true: float
    ssim: float


@dataclass(frozen=True)
class Measured:
    """What is fitted on: errors of methods, and shares of networks that were right."""

    rows: list[Row]
    shares: list[choice_fit.Row]


def measure(
    sets: dict[str, list[Case]], tasks: Sequence[str], progress: Progress, *, device: Device = "auto"
) -> Measured:
    """Restores every scan of `sets`, masked by every pattern of `tasks`, by auto and by each method that it tried."""
    count = sum(len(cases) for cases in sets.values()) * len(tasks)
    if not count:
        raise RequestError("there is no scan to fit the self-check on")
    progress = progress.part(1.0, "Self-check", count)
    found = Measured([], [])
    for name, cases in sets.items():
        for case in cases:
            for task in tasks:
                _one(name, case, task, device, progress.part(0.0), found)
                progress.tick()
    return found


def surface_of(name: str) -> str:
    """The surface of a set, by its name: Si(001):H is simulated and real, fine and coarse."""
    known = ("simulated si001h", "simulated fine", "simulated medium", "simulated coarse", "real H:Si(100)")
    return "Si(001):H" if name.startswith(known) else name.removeprefix("simulated ").removeprefix("real ")


def _one(name: str, case: Case, task: str, device: Device, progress: Progress, found: Measured) -> None:
    """Every method restores the scan once; what auto would show is their mixture, since measured pixels stay."""
    request = RestoreRequest(task="sparse", model=library.AUTO.name, mask=task, device=device)
    channel = case.scan.channel()
    masked = prepare(case.scan, channel, request)
    show, followed = shower(masked, request, progress)
    choice, tried = check_sparse(masked, library.AUTO, request, channel.unit, show, followed, progress)
    if tried is None or not tried.span > 0 or masked.truth is None:
        return
    kind, hidden = kind_of_mask(masked.mask.measured), ~masked.mask.measured
    images = {one.method: show(masked, one.method, progress) for one in tried.scores}
    auto = np.asarray(sum(weight * images[method] for method, weight in choice.weights.items()))
    checked = {one.method: one.error / tried.span for one in tried.scores}
    for method, image in {library.AUTO.name: auto, **images}.items():
        q = compare(image, masked.truth, hidden)
        told = checked.get(method, float("nan"))
        found.rows.append(Row(name, case.group, task, kind, method, told, q.mae_hidden / tried.span, q.ssim))
    if choice.evidence is not None and choice.networks and choice.classical:
        errors = {method: (image - masked.truth)[hidden] for method, image in images.items()}
        share = _share(name, choice.evidence, choice.networks, choice.classical, errors)
        found.shares.extend([] if share is None else [share])


def _share(
    name: str,
    evidence: Evidence,
    networks: Mapping[str, float],
    classical: Mapping[str, float],
    errors: Mapping[str, FloatArray],
) -> choice_fit.Row | None:
    """The share that would have been right, by the true `errors` of all methods."""
    network, plain = (np.asarray(sum(w * errors[m] for m, w in sort.items())) for sort in (networks, classical))
    right, size = right_share(network, plain), float(plain @ plain)
    if right is None or size == 0:
        return None
    apart = network - plain
    return choice_fit.Row(name, surface_of(name), evidence, right, float(apart @ apart) / size)


def fit(rows: Sequence[Row]) -> dict[str, Any]:
    """The correction of the self-check: by kind of mask and method, the median of true over self-checked error.

    `spread` is the factor within which two thirds of the scans lie about it, `correlation` that of the logarithms of
    both errors as shares of the range of the scan; learned models count as one method. `left_out` are the 16, 50 and
    84 % quantiles of the true over the expected error on surfaces that the factor was not fitted on.
    """
    learned = {i.name for i in library.model_infos() if i.learned}
    kinds: dict[str, dict[str, Any]] = {}
    for kind in sorted({r.kind for r in rows}):
        kinds[kind] = {}
        for method in ("learned", *_CLASSICAL):
            chosen = [
                r
                for r in rows
                if r.kind == kind
                and (r.method in learned if method == "learned" else r.method == method)
                and min(r.checked, r.true) > 0
            ]
            if len(chosen) >= 3:
                kinds[kind][method] = _correction(chosen)
    return kinds


def _correction(rows: Sequence[Row]) -> dict[str, Any]:
    logs = np.log([(r.checked, r.true) for r in rows])
    ratio = logs[:, 1] - logs[:, 0]
    surfaces = np.array([surface_of(r.set) for r in rows])
    middle = float(np.median(ratio))
    outside = [ratio[surfaces == s] - np.median(ratio[surfaces != s]) for s in set(surfaces) if (surfaces != s).any()]
    found: dict[str, Any] = {
        "factor": round(float(np.exp(middle)), 3),
        "spread": round(float(np.exp(np.quantile(np.abs(ratio - middle), 2 / 3))), 3),
        "correlation": round(float(np.corrcoef(logs.T)[0, 1]), 3),
        "scans": len(rows),
    }
    if outside:
        found["left_out"] = [
            round(float(q), 3) for q in np.exp(np.quantile(np.concatenate(outside), (0.16, 0.5, 0.84)))
        ]
    return found


def resource(measured: Measured) -> dict[str, Any]:
    """What resources/selfcheck.json holds; the rule of the choice stays as it is where a new one is not better."""
    rows = [r for r in measured.rows if r.method == library.AUTO.name]
    sets = list(dict.fromkeys(r.set for r in rows))
    real = any(name.startswith("real ") for name in sets)
    made = (
        f"stmviewer evaluate --self-check, version {stmviewer.__version__}, masks "
        f"{', '.join(dict.fromkeys(r.task for r in rows))}; {len(rows)} masked scans of choice_sets: {', '.join(sets)}"
        + ("" if real else "; no real scan, since STMVIEWER_REAL_DATA names none")
    )
    return {"made": made, "kinds": fit(measured.rows), "choice": _choice(measured.shares)}


def _choice(shares: Sequence[choice_fit.Row]) -> dict[str, Any]:
    """The rule fitted anew; the shipped one, with what it was compared with, where that is not better elsewhere."""
    anew = {**choice_fit.fit(shares), "left_out": choice_fit.left_out(shares)}
    standing = shipped()
    if not standing.get("kinds"):
        return {"made": "the same", **anew}
    told = choice_fit.compared(shares, standing)
    beside = {kind: {name: asdict(value) for name, value in both.items()} for kind, both in told.items()}
    if choice_fit.better(told):
        return {"made": "the same", **anew, "compared": beside}
    return {"made": standing.get("made", ""), "kinds": standing["kinds"], "compared": beside, "not_better": anew}


def table(rows: Sequence[Row]) -> str:
    """Markdown: mean SSIM of auto, and in brackets what it has over the best classical and the best learned method of
    the set, both chosen with hindsight."""
    tasks = list(dict.fromkeys(r.task for r in rows))
    learned = {i.name for i in library.model_infos() if i.learned}
    lines = ["SSIM of auto (over the best of " + ", ".join(_CLASSICAL) + "; over the best network)", ""]
    lines += ["| set | " + " | ".join(tasks) + " |", "|---|" + "---|" * len(tasks)]
    for name in dict.fromkeys(r.set for r in rows):
        cells = []
        for task in tasks:
            here = [r for r in rows if (r.set, r.task) == (name, task)]
            mean = {m: float(np.mean([r.ssim for r in here if r.method == m])) for m in {r.method for r in here}}
            best = [max((v for m, v in mean.items() if m in sort), default=None) for sort in (_CLASSICAL, learned)]
            over = "; ".join("none" if b is None else f"{mean['auto'] - b:+.3f}" for b in best)
            cells.append(f"{mean['auto']:.3f} ({over})" if mean else "")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
