"""Calibrates predicted deviations: a scale for each task family so that 1 and 2 deviations cover what they should.

Of normal errors 68.3 and 95.4 % lie within 1 and 2 standard deviations. A deviation map is not called a probability;
the scale makes it honest on average over scans like those that it was fitted on.
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

NOMINAL = (0.683, 0.954)
#: pixels kept of each scan: neighbours are alike, and memory is finite
_MOST = 20_000


@dataclass(frozen=True)
class Coverage:
    """What is covered by 1 and 2 deviations after scaling, in a task family, and how far that is from nominal."""

    family: str
    scale: float
    one: float
    two: float
    scans: int

    @property
    def off(self) -> float:
        """The larger distance from nominal, in points of a percent."""
        return 100 * max(abs(self.one - NOMINAL[0]), abs(self.two - NOMINAL[1]))


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


def calibrate(
    model: str, sets: dict[str, list[Case]], tasks: Sequence[str], progress: Progress, *, device: Device = "auto"
) -> list[Coverage]:
    """Fits the scales of a learned model on scans that it was not trained on, and keeps them in its manifest entry.

    Raises RequestError for models that predict no deviation.
    """
    entry = library.entries().get(model)
    if entry is None:
        raise RequestError(f"there is no learned model '{model}'; there are {', '.join(library.entries())}")
    plain = ModelInfo(**{**vars(entry.info), "deviation_scale": ()})
    progress = progress.part(1.0, "Calibrating", max(1, len(tasks) * sum(len(c) for c in sets.values())))
    found: dict[str, list[FloatArray]] = {}
    for cases in sets.values():
        for case in cases:
            for task in tasks:
                progress.tick()
                family, ratios = _ratios(plain, case, task, device, progress.part(0.0))
                if ratios is not None:
                    found.setdefault(family, []).append(ratios)
    if not found:
        raise RequestError(f"model '{model}' predicts no deviation on these scans and tasks")
    coverages = []
    for family, parts in sorted(found.items()):
        scale, one, two = fit_scale(np.concatenate(parts))
        coverages.append(Coverage(family, scale, one, two, len(parts)))
    scales = {**dict(entry.info.deviation_scale), **{c.family: round(c.scale, 4) for c in coverages}}
    fitted = ModelInfo(**{**vars(entry.info), "deviation_scale": tuple(sorted(scales.items()))})
    library.register(fitted, entry.folder)
    return coverages


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
    lines = ["| family | scale | within 1 | within 2 | scans | off nominal |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {c.family} | {c.scale:.3f} | {100 * c.one:.1f} % | {100 * c.two:.1f} % | {c.scans} | {c.off:.1f} points |"
        for c in coverages
    ]
    return "\n".join(lines)


def to_json(coverages: Sequence[Coverage]) -> list[dict[str, object]]:
    return [asdict(c) | {"off": c.off} for c in coverages]
