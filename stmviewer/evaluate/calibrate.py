"""Calibrates predicted deviations: a scale for each task family so that 1 and 2 deviations cover what they should.

Of normal errors 68.3 and 95.4 % lie within 1 and 2 standard deviations. A deviation map is not called a probability;
the scale makes it honest on average over scans like those that it was fitted on. How well it does on others is
measured, too: fitted on every second group (session, place, surface), it is tried on the rest, and the other way round.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from stmviewer.evaluate.sets import Case
from stmviewer.restore import RestoreRequest, library
from stmviewer.restore.filling import kind_of_mask
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.learned import family_of
from stmviewer.restore.pipeline import restore
from stmviewer.restore.request import Device
from stmviewer.scan import FloatArray, Progress, RequestError
from stmviewer.scan.levelling import fit_plane
from stmviewer.scan.masks import parse_pattern

NOMINAL = (0.683, 0.954)
#: pixels kept of each scan: neighbours are alike, and memory is finite
_MOST = 20_000


@dataclass(frozen=True)
class Coverage:
    """What is covered by 1 and 2 deviations after scaling, in a task family, and how far that is from nominal.

    `one` and `two` on the scans that the scale was fitted on, `others_one` and `others_two` on groups that it was not
    fitted on (NaN where there is one group only).
    """

    family: str
    scale: float
    one: float
    two: float
    scans: int
    others_one: float = float("nan")
    others_two: float = float("nan")

    @property
    def off(self) -> float:
        """The larger distance from nominal, in points of a percent."""
        return 100 * max(abs(self.one - NOMINAL[0]), abs(self.two - NOMINAL[1]))

    @property
    def off_others(self) -> float:
        """The same on groups that the scale was not fitted on."""
        return 100 * max(abs(self.others_one - NOMINAL[0]), abs(self.others_two - NOMINAL[1]))


def fit_scale(ratios: FloatArray) -> tuple[float, float, float]:
    """The scale s and the coverage of 1 and 2 deviations with it, from |error| / deviation of many pixels.

    s makes the larger of the two distances from nominal as small as it can be.
    """
    values = np.sort(ratios[np.isfinite(ratios)])
    if not values.size:
        raise ValueError("there is no deviation to calibrate")

    def covered(scale: float) -> tuple[float, float]:
        return tuple(float(np.searchsorted(values, k * scale, side="right")) / values.size for k in (1, 2))  # type: ignore[return-value]

    low, high = np.quantile(values, 0.3), np.quantile(values, 0.98)
    tried = np.geomspace(max(float(low), 1e-9), max(float(high), 2e-9), 400)
    off = [max(abs(c - n) for c, n in zip(covered(float(s)), NOMINAL, strict=True)) for s in tried]
    scale = float(tried[int(np.argmin(off))])
    return scale, *covered(scale)


def check(model: str | None, tasks: Sequence[str]) -> None:
    """Raises RequestError for tasks that there are not, and for a `model` that is not learned (None: not asked for)."""
    if not tasks:
        raise RequestError("there is no task to fit on")
    for task in tasks:
        if task != "repair":
            parse_pattern(task)
    if model is not None and model not in library.entries():
        raise RequestError(f"there is no learned model '{model}'; there are {', '.join(library.entries())}")


def calibrate(
    model: str, sets: dict[str, list[Case]], tasks: Sequence[str], progress: Progress, *, device: Device = "auto"
) -> list[Coverage]:
    """Fits the scales of a learned model on scans that it was not trained on, and keeps them in its manifest entry.

    Raises RequestError for models that predict no deviation.
    """
    check(model, tasks)
    entry = library.entries()[model]
    plain = ModelInfo(**{**vars(entry.info), "deviation_scale": ()})
    progress = progress.part(1.0, "Calibrating", max(1, len(tasks) * sum(len(c) for c in sets.values())))
    # by family and group, so that no group is on both sides of a trial
    found: dict[str, dict[str, list[FloatArray]]] = {}
    for cases in sets.values():
        for case in cases:
            for task in tasks:
                progress.tick()
                family, ratios = _ratios(plain, case, task, device, progress.part(0.0))
                if ratios is not None:
                    found.setdefault(family, {}).setdefault(case.group, []).append(ratios)
    if not found:
        raise RequestError(f"model '{model}' predicts no deviation on these scans and tasks")
    coverages = []
    for family, groups in sorted(found.items()):
        parts = [r for ratios in groups.values() for r in ratios]
        scale, one, two = fit_scale(np.concatenate(parts))
        coverages.append(Coverage(family, scale, one, two, len(parts), *on_others(groups)))
    scales = {**dict(entry.info.deviation_scale), **{c.family: round(c.scale, 4) for c in coverages}}
    fitted = ModelInfo(**{**vars(entry.info), "deviation_scale": tuple(sorted(scales.items()))})
    library.register(fitted, entry.folder)
    return coverages


def on_others(groups: dict[str, list[FloatArray]]) -> tuple[float, float]:
    """Coverage of 1 and 2 deviations in each half of the groups with the scale that was fitted on the other half.

    The halves are every second group by name; the mean over both ways. NaN where there is one group only.
    """
    if len(groups) < 2:
        return float("nan"), float("nan")
    names = sorted(groups)
    halves = [np.concatenate([r for n in names[k::2] for r in groups[n]]) for k in (0, 1)]
    covered = []
    for fitted, tried in (halves, halves[::-1]):
        scale = fit_scale(fitted)[0]
        good = tried[np.isfinite(tried)]
        covered.append([float(np.mean(good <= k * scale)) for k in (1, 2)])
    one, two = np.mean(covered, axis=0)
    return float(one), float(two)


def _ratios(
    info: ModelInfo, case: Case, task: str, device: Device, progress: Progress
) -> tuple[str, FloatArray | None]:
    """|error| / unscaled deviation at hidden pixels of a sparse scan, or at all pixels of a repair with a truth."""
    kept = dict(library.entries()[info.name].info.deviation_scale)
    if task == "repair":
        if case.truth is None:
            return "repair", None
        request = RestoreRequest(task="repair", model=info.name, device=device, check=False)
        result = restore(case.scan, request, progress)
        error = _level(result.mean) - _level(case.truth)
        where = np.isfinite(error)
        family = "repair"
    else:
        request = RestoreRequest(task="sparse", mask=task, model=info.name, device=device, check=False)
        result = restore(case.scan, request, progress)
        assert result.truth is not None
        error = result.mean - result.truth
        where = ~result.mask.measured & np.isfinite(error)
        family = family_of("sparse", kind_of_mask(result.mask.measured))
    if result.deviation is None:
        return family, None
    ratios = np.abs(error[where]) * kept.get(family, 1.0) / np.maximum(result.deviation[where], 1e-300)
    if ratios.size > _MOST:
        ratios = np.random.default_rng(0).choice(ratios, _MOST, replace=False)
    return family, ratios


def _level(image: FloatArray) -> FloatArray:
    level = image - fit_plane(image)
    shifted: FloatArray = level - np.median(level)
    return shifted


def table(coverages: Sequence[Coverage]) -> str:
    """Markdown: a row for each task family."""

    def percent(value: float) -> str:
        return f"{100 * value:.1f} %" if np.isfinite(value) else "-"

    lines = [
        "| family | scale | within 1 | within 2 | scans | off nominal | other half within 1 | within 2 | off |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for c in coverages:
        others = f"{c.off_others:.1f} points" if np.isfinite(c.off_others) else "-"
        lines.append(
            f"| {c.family} | {c.scale:.3f} | {percent(c.one)} | {percent(c.two)} | {c.scans} | {c.off:.1f} points "
            f"| {percent(c.others_one)} | {percent(c.others_two)} | {others} |"
        )
    return "\n".join(lines)


def to_json(coverages: Sequence[Coverage]) -> list[dict[str, object]]:
    shown = []
    for c in coverages:
        values: dict[str, object] = asdict(c) | {"off": c.off, "off_others": c.off_others}
        # JSON has no NaN
        shown.append({k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in values.items()})
    return shown
