"""Repairs of simulated scans, each class of degradation alone, and what looking for further tip ends gains.

Every class is taken at a typical strength: the middle of what the preset `realistic` draws (another preset where it has
no such class). Tips with several ends are also scored by how many further ends they have, with the noise of a usual
scan. SSIM is against the clean surface under the main end. Which end is the main one cannot be told from one scan, so
`ssim_any_end` is the best over the surfaces under each of the ends; for other classes both are the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stmviewer.evaluate.hidden import bootstrap
from stmviewer.restore import RestoreRequest, library
from stmviewer.restore.pipeline import restore
from stmviewer.restore.request import Device
from stmviewer.restore.tips.current import moved
from stmviewer.scan import FloatArray, Progress, RequestError
from stmviewer.scan.levelling import level_for_display
from stmviewer.scan.metrics import compare
from stmviewer.simulate import to_scan
from stmviewer.simulate.degradations import Degradation, MultiTip, SeveralTips
from stmviewer.simulate.pairs import Scene, make_scene
from stmviewer.simulate.presets import Damage, find_preset
from stmviewer.simulate.wishes import Wish, catalogue, wished_damage

#: training and the benchmark draw from other seeds
_SEED = 20_261_125
#: pixels of the surfaces, by turns
PIXELS_M = (0.05e-9, 0.10e-9, 0.18e-9)
SIDE = 256
PRESET = "realistic"
#: noise of the classes with several tip ends
_NOISE = ("LoopNoise", "LineNoise", "WhiteNoise")
_ENDS: tuple[tuple[type[MultiTip] | type[SeveralTips], tuple[int, ...]], ...] = (
    (SeveralTips, (1, 2, 3)),
    (MultiTip, (2, 3, 4)),
)
INPUT, SINGLE = "input", "noise, one tip end"
#: the same model with the explicit treatment of further tip ends
EXPLICIT = " + tips"
#: an offset is found within so many pixels; shorter ones and those over a third of the image are not looked for
_WITHIN_PX, _LEAST_PX = 1.0, 2.5
#: baseline that every class is to beat
BASELINE = "row-median"


@dataclass(frozen=True)
class ClassScore:
    """One method on one class: means over images, the 95 % interval of the SSIM by bootstrap over surfaces.

    `gain` is the mean of its SSIM less that of row levelling + median (for `MODEL + tips`: less that of the model
    without), paired, with its interval.
    """

    kind: str
    method: str
    images: int
    ssim: float
    interval: tuple[float, float]
    ssim_any_end: float
    gain: float
    gain_interval: tuple[float, float]


@dataclass(frozen=True)
class EndsFound:
    """What was found of the further ends of one class: how many images were taken for several tips, and of the offsets
    that are looked for how many lie within a pixel of one that was found (either sign: the ends may be swapped)."""

    kind: str
    images: int
    taken: int
    offsets: int
    found: int


@dataclass(frozen=True)
class Failure:
    """A bad repair, to be shown: images (rows, columns) in metres."""

    kind: str
    ssim: float
    clean: FloatArray
    measured: FloatArray
    repaired: FloatArray


@dataclass(frozen=True)
class ClassReport:
    """All scores, the ends that were found, and the worst repair of each class."""

    scores: list[ClassScore]
    ends: list[EndsFound]
    failures: list[Failure] = field(default_factory=list)


@dataclass(frozen=True)
class _Job:
    kind: str
    scene: Scene
    damage: Damage

    @property
    def offsets(self) -> list[tuple[float, float]]:
        """(x, y) of the further ends of its tip."""
        found = []
        for one in self.damage.before_crop:
            if isinstance(one, SeveralTips):
                found += list(zip(one.x_px, one.y_px, strict=True))
            if isinstance(one, MultiTip):
                found += [(tip.x_px, tip.y_px) for tip in one.tips]
        return found


def report(
    count: int,
    models: Sequence[str],
    progress: Progress,
    device: Device = "auto",
    kinds: Sequence[str] | None = None,
    side: int = SIDE,
    pixels_m: Sequence[float] = PIXELS_M,
) -> ClassReport:
    """Every model that repairs on `count` surfaces of every class (or of `kinds`), of `pixels_m` by turns.

    Raises RequestError for models and classes that are not there.
    """
    methods = _methods(models)
    jobs = list(_jobs(count, kinds, side, pixels_m))
    progress = progress.part(1.0, "Evaluating", len(jobs))
    rows: dict[str, dict[str, list[tuple[float, float]]]] = {}
    ends: dict[str, list[tuple[bool, int, int]]] = {}
    failures: dict[str, Failure] = {}
    for job in jobs:
        progress.step = job.kind
        progress.tick()
        pair = job.scene.scan(PRESET, job.damage)
        truths = [pair.clean, *(moved(pair.clean, x, y) for x, y in job.offsets)]
        scan = to_scan(pair)
        for name, model, tips in methods:
            image = pair.degraded
            if model is not None:
                request = RestoreRequest(task="repair", model=model, device=device, check=False, tips=tips)
                result = restore(scan, request, progress.part(0.0))
                image = result.mean
                if tips:
                    ends.setdefault(job.kind, []).append(_found(job.offsets, result.provenance["tip"], side))
                    failure = Failure(job.kind, _ssim(image, pair.clean, ()), pair.clean, pair.degraded, image)
                    worst = failures.setdefault(job.kind, failure)
                    failures[job.kind] = min(worst, failure, key=lambda f: f.ssim)
            scores = (_ssim(image, pair.clean, ()), max(_ssim(image, t, job.offsets) for t in truths))
            rows.setdefault(job.kind, {}).setdefault(name, []).append(scores)
    scored = [s for kind, by_method in rows.items() for s in _scores(kind, by_method)]
    found = [EndsFound(kind, len(r), *(int(v) for v in np.sum(r, axis=0))) for kind, r in ends.items()]
    return ClassReport(scored, found, sorted(failures.values(), key=lambda f: f.ssim))


def _methods(models: Sequence[str]) -> list[tuple[str, str | None, bool]]:
    """(name, model or None for the untouched scan, whether further tip ends are looked for)."""
    methods: list[tuple[str, str | None, bool]] = [(INPUT, None, False), (BASELINE, BASELINE, False)]
    for model in dict.fromkeys(models):
        info = library.resolve(model, "repair")
        if info.name == BASELINE:
            continue
        methods.append((model, model, False))
        if info.learned:
            methods.append((model + EXPLICIT, model, True))
    return methods


def class_names() -> list[str]:
    """The classes in the order of the tables."""
    counted = [f"{kind.__name__}, {n} further" for kind, counts in _ENDS for n in counts]
    return [*(entry.name for entry in catalogue()), SINGLE, *counted]


def _jobs(count: int, kinds: Sequence[str] | None, side: int, pixels_m: Sequence[float]) -> list[_Job]:
    names = class_names()
    if kinds is not None and not kinds:
        raise RequestError(f"no class of degradations is named; there are {'; '.join(names)}")
    for kind in kinds or ():
        if kind not in names:
            raise RequestError(f"there is no class of degradations '{kind}'; there are {'; '.join(names)}")
    jobs = []
    never = {entry.name: Wish("never") for entry in catalogue()}
    for k in range(count):
        scene = make_scene("si001h", side, side, pixels_m[k % len(pixels_m)], (_SEED, k))
        noise = _noise(scene, k)
        made = {name: wished_damage(scene, PRESET, {**never, name: Wish("always")}) for name in never}
        made[SINGLE] = Damage((), noise)
        for tip, counts in _ENDS:
            for n in counts:
                made[f"{tip.__name__}, {n} further"] = Damage((_tip(tip, n, scene, k),), noise)
        jobs += [_Job(name, scene, made[name]) for name in names if kinds is None or name in kinds]
    return sorted(jobs, key=lambda job: names.index(job.kind))


def _noise(scene: Scene, k: int) -> tuple[Degradation, ...]:
    """Noise as the preset draws it."""
    rng = np.random.default_rng((_SEED, k, 1))
    after = find_preset(PRESET).after_crop
    named = {getattr(kind, "__name__", ""): kind for _, kind in after}
    return tuple(named[name].draw(rng, scene.pixel_m) for name in _NOISE)


def _tip(kind: type[MultiTip] | type[SeveralTips], count: int, scene: Scene, k: int) -> MultiTip | SeveralTips:
    """A tip of that kind with that many further ends."""
    rng = np.random.default_rng((_SEED, k, count))
    while True:
        tip = kind.draw(rng, scene.pixel_m)
        if len(tip.tips if isinstance(tip, MultiTip) else tip.x_px) == count:
            return tip


def _ssim(image: FloatArray, truth: FloatArray, offsets: Sequence[tuple[float, float]]) -> float:
    """SSIM of levelled images, without the margin that further ends see beyond the scan."""
    far = max((abs(v) for offset in offsets for v in offset), default=0.0)
    cut = min(int(np.ceil(far)), min(image.shape) // 4)
    inner = np.s_[cut : image.shape[0] - cut, cut : image.shape[1] - cut]
    return compare(level_for_display(image[inner]), level_for_display(truth[inner])).ssim


def _found(offsets: Sequence[tuple[float, float]], facts: dict[str, Any], side: int) -> tuple[bool, int, int]:
    """Whether further ends were found, how many offsets are looked for, and how many of these were found."""
    places = [(end["x_px"], end["y_px"]) for end in facts["further_ends"]]
    sought = [o for o in offsets if _LEAST_PX <= np.hypot(*o) <= side / 3]
    hits = sum(
        any(min(np.hypot(x - s * px, y - s * py) for s in (1, -1)) <= _WITHIN_PX for px, py in places)
        for x, y in sought
    )
    return bool(places), len(sought), hits


def _scores(kind: str, by_method: dict[str, list[tuple[float, float]]]) -> list[ClassScore]:
    scores = []
    for method, rows in by_method.items():
        values = np.array(rows)
        groups = np.arange(len(values))
        against = method.removesuffix(EXPLICIT) if method.endswith(EXPLICIT) else BASELINE
        gains = values[:, 0] - np.array(by_method[against])[:, 0]
        scores.append(
            ClassScore(
                kind,
                method,
                len(values),
                float(values[:, 0].mean()),
                bootstrap(values[:, 0], groups),
                float(values[:, 1].mean()),
                float(gains.mean()),
                bootstrap(gains, groups),
            )
        )
    return scores


def table(found: ClassReport) -> str:
    """Markdown: SSIM by class and method, the gains with their intervals, and the ends that were found."""
    methods = list(dict.fromkeys(s.method for s in found.scores))
    kinds = list(dict.fromkeys(s.kind for s in found.scores))
    by = {(s.kind, s.method): s for s in found.scores}
    head = ["| class | " + " | ".join(methods) + " |", "|---|" + "---|" * len(methods)]

    def line(kind: str) -> str:
        cells = []
        for method in methods:
            s = by[kind, method]
            text = f"{s.ssim:.3f}"
            if s.ssim_any_end != s.ssim and "further" in kind:
                text += f" ({s.ssim_any_end:.3f})"
            cells.append(text)
        return f"| {kind} | " + " | ".join(cells) + " |"

    images = found.scores[0].images if found.scores else 0
    lines = [f"SSIM by class, {images} surfaces each (in brackets: the end that fits best taken as the main one)", ""]
    lines += head + [line(kind) for kind in kinds]
    lines += ["", f"Gain over {BASELINE}; of `+ tips` over the model without", ""]
    gaining = [m for m in methods if m not in (INPUT, BASELINE)]
    lines += ["| class | " + " | ".join(gaining) + " |", "|---|" + "---|" * len(gaining)]
    for kind in kinds:
        lines.append(f"| {kind} | " + " | ".join(_gain(by[kind, m]) for m in gaining) + " |")
    if found.ends:
        lines += [
            "",
            "Further ends found",
            "",
            "| class | taken for several ends | offsets within 1 px |",
            "|---|---|---|",
        ]
        lines += [f"| {e.kind} | {e.taken} of {e.images} | {e.found} of {e.offsets} |" for e in found.ends]
    return "\n".join(lines)


def _gain(score: ClassScore) -> str:
    low, high = score.gain_interval
    return f"{score.gain:+.3f}" if np.isnan(low) else f"{score.gain:+.3f} ({low:+.3f} to {high:+.3f})"
