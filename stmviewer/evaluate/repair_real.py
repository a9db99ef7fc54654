"""How well real degraded scans are repaired: against a good scan of the same place, and as a set against good ones.

Paired: SSIM and PSNR over what both show, in the contrast of the good image (8-bit images have a scale of their own
each), and which spots and edges are kept, lost and invented. A good image has noise, and the surface may have changed:
what another good image of the place scores is the ceiling, not 1.

Unpaired: the distance of the repaired set to the good one on an embedding, of each kind of degradation too, and what
the judge of tips says. The judge never had a part in any training. Two halves of the good images that show other places
are apart as well: that distance is reported beside the others. So is how near a perfect repair would come: what a set
shows counts, too, and only good images of the very places show the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from stmviewer.evaluate import embedding
from stmviewer.evaluate.hidden import bootstrap
from stmviewer.evaluate.landmarks import Count, compare_edges, compare_spots
from stmviewer.evaluate.mmd import interval
from stmviewer.evaluate.real_pairs import DEGRADED, GOOD, LabelledImage, Pairing, RealPair
from stmviewer.evaluate.registration import Overlay, same_contrast
from stmviewer.evaluate.tip_state import KINDS, LEAST_SIDE, TipState, judge
from stmviewer.restore import RestoreRequest, library
from stmviewer.restore.pipeline import restore
from stmviewer.restore.request import Device
from stmviewer.scan import BoolArray, FloatArray, Progress, RequestError
from stmviewer.scan.corrugation import find_rows
from stmviewer.scan.metrics import compare

#: the degraded image as it is, and another good image of the same place
INPUT, CEILING = "input", "another good image"
#: in place of a degraded image the good one that its repairs are compared with
PERFECT = "a good image of the place"
#: period of the lattice (px) where it cannot be found
_USUAL_PERIOD_PX = 20.0
_TRUSTED = 1.0


@dataclass(frozen=True)
class Paired:
    """One method on the pairs: means over pairs with the 95 % interval of the SSIM by bootstrap over places.

    `gain` is the mean of its SSIM less that of the untouched image, paired, with its interval.
    """

    method: str
    kind: str
    pairs: int
    ssim: float
    interval: tuple[float, float]
    gain: float
    gain_interval: tuple[float, float]
    psnr_db: float
    spots: Count
    edges: Count


@dataclass(frozen=True)
class Unpaired:
    """One method on the degraded images, all or those of one `kind`: distance to the good ones, and the tip.

    `part_left` is the distance over that of the input, with its 95 % interval (bootstrap over sessions and places,
    paired); `shares` how many of the images the judge calls each kind, `good` the mean probability of a good tip.
    """

    method: str
    kind: str
    images: int
    distance: float
    interval: tuple[float, float]
    part_left: float
    part_interval: tuple[float, float]
    shares: dict[str, float]
    good: float


@dataclass(frozen=True)
class RepairReport:
    """Both comparisons. `good` is how many good images there were; `other_places` how far two halves of them are apart
    that show different places: the mean and 95 % of random halves. `same_places` is as `unpaired`, on the degraded
    images that have a pair and beside good images of their places; of the good ones these stay out (`good_left`)."""

    paired: tuple[Paired, ...]
    unpaired: tuple[Unpaired, ...]
    same_places: tuple[Unpaired, ...]
    threshold: float
    tested: int
    places: int
    good: int
    good_left: int
    other_places: tuple[float, float, float]


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
            # the checks of a repair are for its user: they change nothing of it
            request = RestoreRequest(task="repair", model=method, device=self._device, check=False)
            self._made[key] = restore(image.scan, request, progress.part(0.0)).mean
        return self._made[key]


def score_pairs(pairing: Pairing, methods: Sequence[str], repairs: Repairs, progress: Progress) -> list[Paired]:
    """Every method, the input and the ceiling, over all pairs and over each kind of degradation."""
    rows: dict[tuple[str, str], list[_Row]] = {}
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
                rows.setdefault((method, kind), []).append(_Row(image.place, scored[INPUT].ssim, row))
    return [_summary(method, kind, found) for (method, kind), found in rows.items()]


@dataclass(frozen=True)
class _Scored:
    """One image against a good one."""

    ssim: float
    psnr_db: float
    spots: Count
    edges: Count


@dataclass(frozen=True)
class _Row:
    """One pair: its place, the SSIM of the untouched image, and what a method scores."""

    place: str
    before: float
    scored: _Scored


def period_of(image: FloatArray) -> float:
    """Spacing of the dimer rows (px), or a usual one where they cannot be made out."""
    rows = find_rows(image)
    return rows.period_px if rows is not None and rows.strength >= _TRUSTED else _USUAL_PERIOD_PX


def _scored(image: FloatArray, truth: FloatArray, period: float) -> _Scored:
    level = same_contrast(image, truth)
    quality = compare(level, truth)
    spots, edges = compare_spots(level, truth, period), compare_edges(level, truth, period)
    return _Scored(quality.ssim, quality.psnr_db, spots, edges)


def _ceiling(good: Overlay, other: Overlay, period: float) -> _Scored:
    """Another good image against the good one, where both lie."""
    shared = tuple(
        slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(good.window, other.window, strict=True)
    )

    def cut(over: Overlay) -> FloatArray:
        rows, columns = (slice(s.start - w.start, s.stop - w.start) for s, w in zip(shared, over.window, strict=True))
        return over.image[rows, columns]

    return _scored(cut(other), cut(good), period)


def _summary(method: str, kind: str, rows: Sequence[_Row]) -> Paired:
    places = np.array([row.place for row in rows])
    ssim = np.array([row.scored.ssim for row in rows])
    gains = ssim - np.array([row.before for row in rows])
    return Paired(
        method=method,
        kind=kind,
        pairs=len(rows),
        ssim=float(ssim.mean()),
        interval=bootstrap(ssim, places),
        gain=float(gains.mean()),
        gain_interval=bootstrap(gains, places),
        psnr_db=float(np.mean([row.scored.psnr_db for row in rows])),
        spots=sum((row.scored.spots for row in rows), Count()),
        edges=sum((row.scored.edges for row in rows), Count()),
    )


@dataclass(frozen=True)
class Sets:
    """The sets that are compared: degraded images and good ones, `reference` the good ones on the embedding.

    `perfect` holds, where that is known, of each degraded image a good one of its place.
    """

    degraded: tuple[LabelledImage, ...]
    good: tuple[LabelledImage, ...]
    reference: embedding.Embedded
    perfect: tuple[LabelledImage, ...] = ()

    def of_pairs(self, pairs: Sequence[RealPair]) -> "Sets":
        """The degraded images of the pairs, and of the good ones those that are in no pair."""
        pairs = [p for p in pairs if _fits(p.degraded) and _fits(p.partner)]
        used = {id(p.partner) for p in pairs}
        left = np.array([id(image) not in used for image in self.good])
        return Sets(
            tuple(p.degraded for p in pairs),
            tuple(image for image, stays in zip(self.good, left, strict=True) if stays),
            self.reference.part(left),
            tuple(p.partner for p in pairs),
        )


def make_sets(images: Sequence[LabelledImage], most: int | None, progress: Progress) -> Sets:
    """All degraded and all good images, or of the degraded at most `most`, evenly over kinds and sessions, and of the
    good at most three times as many. Raises RequestError where there are fewer than two of either."""
    degraded = _spread([i for i in images if i.kind in DEGRADED and _fits(i)], most)
    good = _spread([i for i in images if i.kind == GOOD and _fits(i)], most and 3 * most)
    if len(degraded) < 2 or len(good) < 2:
        raise RequestError("distances need at least two degraded and two good images")
    reference = embedding.embed([i.data for i in good], [i.place for i in good], progress)
    return Sets(tuple(degraded), tuple(good), reference)


def score_sets(sets: Sets, methods: Sequence[str], repairs: Repairs, progress: Progress) -> list[Unpaired]:
    """The input and every method on the degraded images, and on those of each kind where there are several.

    With `sets.perfect` these last: what repairs would score that show each place as a good tip does.
    """
    degraded = sets.degraded
    rows = [INPUT, *methods, *([PERFECT] if sets.perfect else [])]
    progress = progress.part(1.0, "Comparing sets", len(degraded) * len(rows))
    kinds = {"all": np.ones(len(degraded), dtype=np.bool_)}
    kinds |= {kind: np.array([i.kind == kind for i in degraded]) for kind in DEGRADED}
    before: dict[str, embedding.Distance] = {}
    results = []
    for method in rows:
        images = sets.perfect if method == PERFECT else degraded
        repaired, states = [], []
        for image in images:
            progress.step = f"{method}, {image.scan.name}"
            progress.tick()
            repaired.append(image.data if method == PERFECT else repairs.of(image, method, progress))
            states.append(judge(repaired[-1]))
        found = embedding.embed(repaired, [i.place for i in degraded], progress.part(0.0))
        for kind, chosen in kinds.items():
            if chosen.sum() < 2 or len(sets.reference) < 2:
                continue
            once, times = _each_once(images, chosen)
            one = embedding.distance(found.part(once), sets.reference, times=times)
            before.setdefault(kind, one)
            tips = [state for state, here in zip(states, chosen, strict=True) if here]
            results.append(_unpaired(method, kind, one, before[kind], tips))
    return results


def _each_once(images: Sequence[LabelledImage], chosen: BoolArray) -> tuple[BoolArray, FloatArray]:
    """Of the chosen images those that are there for the first time, and how often each of these is chosen: one good
    image may show the place of several degraded ones, and its distance to itself tells nothing."""
    at: dict[int, list[int]] = {}
    for k in np.flatnonzero(chosen).tolist():
        at.setdefault(id(images[k]), []).append(k)
    once = np.zeros(len(images), dtype=np.bool_)
    once[[found[0] for found in at.values()]] = True
    return once, np.array([len(found) for found in at.values()], dtype=np.float64)


def _unpaired(
    method: str, kind: str, found: embedding.Distance, before: embedding.Distance, tips: Sequence[TipState]
) -> Unpaired:
    return Unpaired(
        method=method,
        kind=kind,
        images=len(tips),
        distance=found.value,
        interval=found.interval,
        part_left=found.value / before.value,
        part_interval=interval(found.resampled / before.resampled),
        shares={k: float(np.mean([s.kind == k for s in tips])) for k in KINDS},
        good=float(np.mean([s.probabilities["good"] for s in tips])),
    )


def other_places(good: embedding.Embedded, draws: int = 300) -> tuple[float, float, float]:
    """How far two random halves of the good images are apart that share no place: mean and 95 % of the draws.

    NaN where there are fewer than two places.
    """
    places = np.unique(good.groups)
    rng = np.random.default_rng(0)
    values = []
    for _ in range(draws if len(places) > 1 else 0):
        half = set(rng.permutation(places)[: len(places) // 2])
        chosen = np.array([group in half for group in good.groups])
        values.append(embedding.distance(good.part(chosen), good.part(~chosen), draws=0).value)
    known = np.array(values)[np.isfinite(values)]
    return (float(known.mean()) if len(known) else float("nan"), *interval(known))


def _fits(image: LabelledImage) -> bool:
    return min(image.data.shape) >= LEAST_SIDE and image.scan.channel().why_not_restorable() is None


def _spread(images: list[LabelledImage], most: int | None) -> list[LabelledImage]:
    """At most so many (None: all), taken evenly from the list sorted by kind and session."""
    ordered = sorted(images, key=lambda i: (i.kind, i.session, i.scan.name))
    if most is None or len(ordered) <= most:
        return ordered
    return [ordered[int(k)] for k in np.linspace(0, len(ordered) - 1, most)]


def report(
    images: Sequence[LabelledImage],
    pairing: Pairing,
    methods: Sequence[str],
    most: int | None,
    progress: Progress,
    device: Device = "auto",
) -> RepairReport:
    """Both comparisons, on at most `most` of the pairs and of the degraded images (None: on all)."""
    repairs = Repairs(device)
    if most is not None and len(pairing.pairs) > most:
        step = np.linspace(0, len(pairing.pairs) - 1, most).astype(int)
        pairing = replace(pairing, pairs=tuple(pairing.pairs[k] for k in step))
    paired = score_pairs(pairing, methods, repairs, progress.part(0.3))
    sets = make_sets(images, most, progress.part(0.1))
    unpaired = score_sets(sets, methods, repairs, progress.part(0.4))
    of_pairs = sets.of_pairs(pairing.pairs)
    same_places = score_sets(of_pairs, methods, repairs, progress.part(0.2))
    return RepairReport(
        paired=tuple(paired),
        unpaired=tuple(unpaired),
        same_places=tuple(same_places),
        threshold=pairing.threshold,
        tested=pairing.tested,
        places=len({p.degraded.place for p in pairing.pairs}),
        good=len(sets.reference),
        good_left=len(of_pairs.reference),
        other_places=other_places(sets.reference),
    )
