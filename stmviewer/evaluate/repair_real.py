"""How well real degraded scans are repaired: against a good scan of the same place, and as a set against good ones.

Paired: SSIM and PSNR over what both show, in the contrast of the good image (8-bit images have a scale of their own
each), and which spots and edges are kept, lost and invented. A good image has noise, and the surface may have changed:
what another good image of the place scores is the ceiling, not 1.

Unpaired: the distance of the repaired set to the good one on an embedding, and what the judge of tips says. The judge
never had a part in any training.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from stmviewer.evaluate import embedding
from stmviewer.evaluate.hidden import bootstrap
from stmviewer.evaluate.landmarks import Count, compare_edges, compare_spots
from stmviewer.evaluate.mmd import interval
from stmviewer.evaluate.real_pairs import DEGRADED, FALSE_RATE, GOOD, LabelledImage, Pairing
from stmviewer.evaluate.registration import Overlay, same_contrast
from stmviewer.evaluate.tip_state import KINDS, LEAST_SIDE, judge
from stmviewer.restore import RestoreRequest, library
from stmviewer.restore.pipeline import restore
from stmviewer.restore.request import Device
from stmviewer.scan import FloatArray, Progress, RequestError
from stmviewer.scan.corrugation import find_rows
from stmviewer.scan.metrics import compare

#: the degraded image as it is, and another good image of the same place
INPUT, CEILING = "input", "another good image"
#: period of the lattice (px) where it cannot be found
_USUAL_PERIOD_PX = 20.0
_TRUSTED = 1.0


@dataclass(frozen=True)
class Paired:
    """One method on the pairs: means over pairs with the 95 % interval of the SSIM by bootstrap over places."""

    method: str
    kind: str
    pairs: int
    ssim: float
    interval: tuple[float, float]
    psnr_db: float
    spots: Count
    edges: Count


@dataclass(frozen=True)
class Unpaired:
    """One method on the degraded images: distance to the good ones, and the tip.

    `part_left` is the distance over that of the input, with its 95 % interval (bootstrap over sessions and places,
    paired); `shares` how many of the images the judge calls each kind, `good` the mean probability of a good tip.
    """

    method: str
    images: int
    distance: float
    interval: tuple[float, float]
    part_left: float
    part_interval: tuple[float, float]
    shares: dict[str, float]
    good: float


@dataclass(frozen=True)
class RepairReport:
    paired: tuple[Paired, ...]
    unpaired: tuple[Unpaired, ...]
    threshold: float
    tested: int
    places: int


def check_models(models: Sequence[str]) -> None:
    """Raises RequestError for a model that is not there or repairs nothing."""
    for model in models:
        library.resolve(model, "repair")


class Repairs:
    """Repaired images, each made once."""

    def __init__(self, device: Device) -> None:
        self._device: Device = device
        self._made: dict[tuple[int, str], FloatArray] = {}

    def of(self, image: LabelledImage, method: str, progress: Progress) -> FloatArray:
        """The image as `method` repairs it (as it is for `INPUT`)."""
        if method == INPUT:
            return image.data
        key = (id(image), method)
        if key not in self._made:
            request = RestoreRequest(task="repair", model=method, device=self._device)
            self._made[key] = restore(image.scan, request, progress.part(0.0)).mean
        return self._made[key]


def score_pairs(pairing: Pairing, methods: Sequence[str], repairs: Repairs, progress: Progress) -> list[Paired]:
    """Every method, the input and the ceiling, over all pairs and over each kind of degradation."""
    rows: dict[tuple[str, str], list[tuple[str, float, float, Count, Count]]] = {}
    progress = progress.part(1.0, "Comparing with good scans", max(len(pairing.pairs) * (len(methods) + 1), 1))
    for pair in pairing.pairs:
        image, good = pair.degraded, pair.good
        period = period_of(good.image)
        tried = {m: repairs.of(image, m, progress)[good.window] for m in (INPUT, *methods)}
        scored = {}
        for method, candidate in tried.items():
            progress.step = f"{method}, {image.scan.name}"
            progress.tick()
            scored[method] = _scored(candidate, good.image, period)
        if pair.others:
            scored[CEILING] = _ceiling(good, pair.others[0], period)
        for method, row in scored.items():
            for kind in ("all", image.kind):
                rows.setdefault((method, kind), []).append((image.place, *row))
    return [_summary(method, kind, found) for (method, kind), found in rows.items()]


def period_of(image: FloatArray) -> float:
    """Spacing of the dimer rows (px), or a usual one where they cannot be made out."""
    rows = find_rows(image)
    return rows.period_px if rows is not None and rows.strength >= _TRUSTED else _USUAL_PERIOD_PX


def _scored(image: FloatArray, truth: FloatArray, period: float) -> tuple[float, float, Count, Count]:
    level = same_contrast(image, truth)
    quality = compare(level, truth)
    return quality.ssim, quality.psnr_db, compare_spots(level, truth, period), compare_edges(level, truth, period)


def _ceiling(good: Overlay, other: Overlay, period: float) -> tuple[float, float, Count, Count]:
    """Another good image against the good one, where both lie."""
    shared = tuple(
        slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(good.window, other.window, strict=True)
    )

    def cut(over: Overlay) -> FloatArray:
        rows, columns = (slice(s.start - w.start, s.stop - w.start) for s, w in zip(shared, over.window, strict=True))
        return over.image[rows, columns]

    return _scored(cut(other), cut(good), period)


def _summary(method: str, kind: str, rows: list[tuple[str, float, float, Count, Count]]) -> Paired:
    places, ssim, psnr, spots, edges = zip(*rows, strict=True)
    return Paired(
        method=method,
        kind=kind,
        pairs=len(rows),
        ssim=float(np.mean(ssim)),
        interval=bootstrap(np.array(ssim), np.array(places)),
        psnr_db=float(np.mean(psnr)),
        spots=sum(spots, Count()),
        edges=sum(edges, Count()),
    )


def score_sets(
    images: Sequence[LabelledImage], methods: Sequence[str], repairs: Repairs, most: int, progress: Progress
) -> list[Unpaired]:
    """The input and every method on at most `most` of the degraded images, evenly over kinds and sessions, against
    at most three times as many good ones. Raises RequestError where there are no good or no degraded images."""
    degraded = _spread([i for i in images if i.kind in DEGRADED and _fits(i)], most)
    good = _spread([i for i in images if i.kind == GOOD and _fits(i)], 3 * most)
    if len(degraded) < 2 or len(good) < 2:
        raise RequestError("distances need at least two degraded and two good images")
    progress = progress.part(1.0, "Comparing sets", len(degraded) * (len(methods) + 1))
    reference = embedding.embed([i.data for i in good], [i.place for i in good], progress.part(0.0))
    results: list[Unpaired] = []
    before: embedding.Distance | None = None
    for method in (INPUT, *methods):
        repaired, states = [], []
        for image in degraded:
            progress.step = f"{method}, {image.scan.name}"
            progress.tick()
            repaired.append(repairs.of(image, method, progress))
            states.append(judge(repaired[-1]))
        found = embedding.distance(
            embedding.embed(repaired, [i.place for i in degraded], progress.part(0.0)), reference
        )
        before = before or found
        results.append(
            Unpaired(
                method=method,
                images=len(degraded),
                distance=found.value,
                interval=found.interval,
                part_left=found.value / before.value,
                part_interval=interval(found.resampled / before.resampled),
                shares={k: float(np.mean([s.kind == k for s in states])) for k in KINDS},
                good=float(np.mean([s.probabilities["good"] for s in states])),
            )
        )
    return results


def _fits(image: LabelledImage) -> bool:
    return min(image.data.shape) >= LEAST_SIDE and image.scan.channel().why_not_restorable() is None


def _spread(images: list[LabelledImage], most: int) -> list[LabelledImage]:
    """At most so many, taken evenly from the list sorted by kind and session."""
    ordered = sorted(images, key=lambda i: (i.kind, i.session, i.scan.name))
    if len(ordered) <= most:
        return ordered
    return [ordered[int(k)] for k in np.linspace(0, len(ordered) - 1, most)]


def report(
    images: Sequence[LabelledImage],
    pairing: Pairing,
    methods: Sequence[str],
    most: int,
    progress: Progress,
    device: Device = "auto",
) -> RepairReport:
    """Both comparisons; of the pairs, too, at most `most` are taken."""
    repairs = Repairs(device)
    if len(pairing.pairs) > most:
        step = np.linspace(0, len(pairing.pairs) - 1, most).astype(int)
        pairing = replace(pairing, pairs=tuple(pairing.pairs[k] for k in step))
    paired = score_pairs(pairing, methods, repairs, progress.part(0.5))
    unpaired = score_sets(images, methods, repairs, most, progress.part(0.5))
    places = len({p.degraded.place for p in pairing.pairs})
    return RepairReport(tuple(paired), tuple(unpaired), pairing.threshold, pairing.tested, places)


def table(found: RepairReport) -> str:
    """Both comparisons as Markdown."""
    whole = [p for p in found.paired if p.kind == "all"]
    lines = [
        f"Paired: {max((p.pairs for p in whole), default=0)} degraded images of {found.places} places, each laid upon "
        f"a good one (phase correlation over {found.threshold:.1f} deviations; {100 * FALSE_RATE:.1g} % of pairs of "
        "different sessions pass)",
        "",
        "| method | SSIM (95 %) | PSNR (dB) | spots kept | spots invented | edges kept | edges invented |",
        "|---|---|---|---|---|---|---|",
    ]
    for p in whole:
        lines.append(
            f"| {p.method} | {p.ssim:.3f} ({p.interval[0]:.3f} to {p.interval[1]:.3f}) | {p.psnr_db:.1f} | "
            f"{_of(p.spots.found, p.spots.there)} | {_of(p.spots.false, p.spots.there)} | "
            f"{_of(p.edges.found, p.edges.there)} | {_of(p.edges.false, p.edges.there)} |"
        )
    kinds = [k for k in DEGRADED if any(p.kind == k for p in found.paired)]
    lines += ["", "SSIM by kind (pairs)", "", "| method | " + " | ".join(kinds) + " |", "|---|" + "---|" * len(kinds)]
    for method in dict.fromkeys(p.method for p in whole):
        cells = []
        for kind in kinds:
            one = [p for p in found.paired if (p.method, p.kind) == (method, kind)]
            cells.append(f"{one[0].ssim:.3f} ({one[0].pairs})" if one else "")
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    lines += [
        "",
        f"Unpaired: {found.unpaired[0].images} degraded images; {embedding.NAME} (thousandths) to good images, and "
        "what the judge of tips says",
        "",
        "| method | distance (95 %) | of the input's (95 %) | good | double | change | blurry | mean P(good) |",
        "|---|---|---|---|---|---|---|---|",
    ]
    clear = found.unpaired[0].interval[0] > 0
    for u in found.unpaired:
        shares = " | ".join(f"{100 * u.shares[k]:.0f} %" for k in KINDS)
        # a part of what may as well be nothing says nothing
        part = f"{u.part_left:.2f} ({u.part_interval[0]:.2f} to {u.part_interval[1]:.2f})" if clear else ""
        lines.append(
            f"| {u.method} | {u.distance:.0f} ({u.interval[0]:.0f} to {u.interval[1]:.0f}) | {part} | {shares} | "
            f"{u.good:.2f} |"
        )
    return "\n".join(lines)


def _of(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} % of {whole}" if whole else "none"
