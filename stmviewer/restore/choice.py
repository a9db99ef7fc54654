"""Model `auto`: which methods a sparse scan is restored with, and with what weights, decided on the scan itself.

A single winner of the self-check is often not the best at the smaller gaps of the scan, and to be wrong costs most of
what was to be gained. So networks and interpolations are each mixed with weights fitted on the hidden part, drawn
towards usual ones, and how far the networks are trusted over the interpolations is a matter of its own
(`stmviewer.restore.trust`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stmviewer.restore.case import Case
from stmviewer.restore.classical import CELLS, ROWS
from stmviewer.restore.filling import kind_of_mask, separable
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.selfcheck import SelfCheck, Trial
from stmviewer.restore.trust import Evidence, familiarity, share, weighed
from stmviewer.scan import FloatArray, Geometry
from stmviewer.scan.levelling import strips

#: classical methods worth trying, with their weights where nothing is known; plate stands for biharmonic. Compressed
#: sensing is none of them: hidden lines cannot tell a wave from its alias, so that it looks best where it is worst
CLASSICAL_CANDIDATES = {"plate": 0.5, "cubic": 0.2, "tv": 0.2, "linear": 0.1}
#: on scattered pixels compressed sensing is ahead of interpolation on every surface tried, and quicker
SCATTERED_CANDIDATES = {"cs-dct": 0.5, "plate": 0.3, "tv": 0.2}
#: larger scans are not tried with methods that would take minutes or gigabytes; linear and cubic are cheap
_MOST_SLOW = 5_000_000
#: networks that are tried: those that ship, always, and beside them as many of the user's own. Each costs a few tenths
#: of a second on the hidden part, but where its weight is not small, a whole restoration, too
_MOST_SHIPPED, _MOST_OWN, _MOST_OWN_LARGE = 3, 3, 1
#: where a pattern was recognised, this and linear interpolation of the rest is ahead of interpolation alone
_PATTERN_WEIGHT = 1.0
#: methods that miss the hidden part by so much more than the best of their sort are left out
_WORSE = 1.3
#: pull towards the usual weights, against the mean square of the errors
_PULL = 0.1
_LEAST_WEIGHT = 0.05
#: networks of this family learned from real Si(001):H: where that is recognised they count for so much more
_EXPERT, _TILT = "si100h", 3.0
#: familiarity from which it is said that the surface was recognised
_RECOGNISED = 0.3


@dataclass(frozen=True)
class Choice:
    """Weights of methods, adding up to 1, the largest first; `reason` in plain words.

    `evidence` is what the share of the networks was decided on, None where they had no rival; `networks` and
    `classical` the weights within each sort.
    """

    weights: dict[str, float]
    reason: str
    evidence: Evidence | None = None
    networks: dict[str, float] | None = None
    classical: dict[str, float] | None = None
    #: models that would have been tried but cannot be used, each with the cause
    left_out: tuple[str, ...] = ()
    #: models of the user's own that there was no time for
    untried: tuple[str, ...] = ()


def candidates(infos: Sequence[ModelInfo], case: Case, followed: str | None = None) -> list[str]:
    """The methods that are tried on a sparse scan: regressions, those that ship and the user's own, and cheap classical
    ones.

    `followed` is the method that follows a pattern which was recognised and that the gaps are too wide for.
    """
    return [*networks_tried(infos, case), *affordable(case, followed)]


def networks_tried(infos: Sequence[ModelInfo], case: Case) -> list[str]:
    """The regressions that are tried. The user's own join those that ship and never displace them: what was learned
    from few scans of one surface may be wrong on the next. Where they are many, those come first whose training holds
    the scan's pixels."""
    able = [i for i in infos if i.kind == "regression" and "sparse" in i.tasks]
    own = [i.name for i in sorted(_of_the_user(able), key=lambda i: _distance(i, case.geometry))]
    shipped = [i.name for i in able if i.source != "user"][:_MOST_SHIPPED]
    return shipped + own[: _MOST_OWN_LARGE if case.raw.size > _MOST_SLOW else _MOST_OWN]


def networks_untried(infos: Sequence[ModelInfo], names: Sequence[str]) -> list[str]:
    """The user's own regressions that are not among the `names` that were tried."""
    return [i.name for i in _of_the_user(infos) if i.kind == "regression" and i.name not in names]


def _of_the_user(infos: Sequence[ModelInfo]) -> list[ModelInfo]:
    return [i for i in infos if i.source == "user" and "sparse" in i.tasks]


def _distance(info: ModelInfo, geometry: Geometry) -> int:
    """0 where the scan's pixels lie within those of the training, 2 where they lie outside, 1 where nobody knows."""
    if not info.pixels_m or not geometry.calibrated:
        return 1
    return 0 if info.pixels_m[0] <= geometry.pixel_width <= info.pixels_m[1] else 2


def affordable(case: Case, followed: str | None = None) -> list[str]:
    """The classical methods that take seconds on a scan of this size."""
    names = list(classical_candidates(case))
    if case.raw.size > _MOST_SLOW:
        names = [name for name in names if name in ("linear", "cubic")]
    return [followed, *names] if followed else names


def classical_candidates(case: Case) -> dict[str, float]:
    """The classical methods for masks like that of the scan, with their usual weights."""
    return SCATTERED_CANDIDATES if separable(case.mask.measured) is None else CLASSICAL_CANDIDATES


def choose(
    names: Sequence[str],
    infos: Sequence[ModelInfo],
    case: Case,
    trial: Trial | None,
    check: SelfCheck | None,
    sample: tuple[FloatArray, Geometry] | None = None,
) -> Choice:
    """Weights of the methods `names`, by what they made of the hidden part; by the usual ones where none was hidden.

    `sample` is an image by a network where there is no trial.
    """
    learned = {i.name for i in infos if i.learned}
    networks = _within({m: 1.0 for m in names if m in learned}, trial)
    followed = next((m for m in names if m in (ROWS, CELLS)), None)
    usual = {ROWS: _PATTERN_WEIGHT, CELLS: _PATTERN_WEIGHT, **classical_candidates(case)}
    classical = _within({m: usual.get(m, 0.1) for m in names if m not in learned}, trial)
    if not networks or not classical:
        weights = networks or classical
        return Choice(weights, _reason(check, weights, learned, None, followed))
    known = 0.0 if sample is None else familiarity(*sample)
    if trial is not None:
        known = max(familiarity(trial.images[m], trial.folds[0].kept.geometry) for m in networks)
    expert = {i.name for i in infos if i.family == _EXPERT}
    tilted = {m: w * (1 + _TILT * known * (m in expert)) for m, w in networks.items()}
    networks = _sorted({m: w / sum(tilted.values()) for m, w in tilted.items()})
    kind = {"gaps": "scattered"}.get(kind_of_mask(case.mask.measured), kind_of_mask(case.mask.measured))
    evidence = Evidence(kind, None, known)
    if trial is not None:
        evidence = weighed(kind, _error(trial, networks), _error(trial, classical), trial.fine, known)
    part = share(evidence)
    weights = {m: part * w for m, w in networks.items()} | {m: (1 - part) * w for m, w in classical.items()}
    weights = _without_small(weights)
    return Choice(weights, _reason(check, weights, learned, evidence, followed), evidence, networks, classical)


def _within(usual: Mapping[str, float], trial: Trial | None) -> dict[str, float]:
    """Weights within one sort of method, the largest first: fitted to the hidden part, drawn to the `usual` ones."""
    if not usual or trial is None:
        total = sum(usual.values())
        return _sorted({m: w / total for m, w in usual.items()})
    size = {m: float(np.sqrt(np.mean(trial.errors[m] ** 2))) for m in usual}
    kept = [m for m in usual if size[m] <= _WORSE * min(size.values())]
    prior = np.array([usual[m] for m in kept])
    fitted = fit_weights(np.stack([trial.errors[m] for m in kept], axis=1), prior / prior.sum())
    return _without_small(dict(zip(kept, map(float, fitted), strict=True)))


def _error(trial: Trial, weights: Mapping[str, float]) -> FloatArray:
    """The error of a mixture: the mixture of the errors."""
    return np.asarray(sum(w * trial.errors[m] for m, w in weights.items()))


def _without_small(weights: Mapping[str, float]) -> dict[str, float]:
    """Methods of little weight left out: each costs time; the largest first."""
    kept = {m: w for m, w in weights.items() if w >= min(_LEAST_WEIGHT, max(weights.values()))}
    total = sum(kept.values())
    return _sorted({m: w / total for m, w in kept.items()})


def _sorted(weights: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(weights.items(), key=lambda item: -item[1]))


def fit_weights(errors: FloatArray, usual: FloatArray | None = None) -> FloatArray:
    """w >= 0 with sum 1 that minimises |errors w|^2 / n + pull * mean square error * |w - usual|^2.

    `errors` is (pixels, k); the errors of a mixture are the mixture of the errors. `usual` is equal weights if not
    given.
    """
    from scipy.optimize import nnls

    pixels, k = errors.shape
    usual = np.full(k, 1 / k) if usual is None else usual
    scale = float(np.sqrt(np.mean(errors**2)))
    if k == 1 or scale == 0:
        return np.array(usual)
    gram = errors.T @ errors / (pixels * scale**2)
    # the square root of the quadratic form, so that the number of pixels costs nothing further
    values, vectors = np.linalg.eigh(gram)
    root = np.sqrt(np.clip(values, 0, None))[:, None] * vectors.T
    heavy = 1e3 * np.ones((1, k))  # the sum is 1
    rows = np.vstack([root, np.sqrt(_PULL) * np.eye(k), heavy])
    wanted = np.concatenate([np.zeros(k), np.sqrt(_PULL) * usual, [1e3]])
    weights: FloatArray = nnls(rows, wanted)[0]
    return weights / weights.sum()


def _reason(
    check: SelfCheck | None,
    chosen: dict[str, float],
    learned: set[str],
    evidence: Evidence | None,
    followed: str | None,
) -> str:
    """What is shown, and what decided; where the hidden pixels alone would say otherwise, why they do not."""
    names = list(chosen)
    shown = f"shown is {names[0]}"
    if len(names) > 1:
        shown = "shown is a mixture, " + ", ".join(f"{100 * w:.0f} % {n}" for n, w in chosen.items())
    networks = bool(learned & set(names))
    if not networks:
        shown += ", and no network"
    parts = []
    if networks and evidence is not None and evidence.familiar > _RECOGNISED:
        parts.append("it shows the dimer rows of Si(001), which the networks know")
    if followed is not None:
        what = "dimer rows" if followed == ROWS else "the unit cell"
        parts.append(f"all but linear interpolation follow {what}")
    if check is None:
        parts.append("too little was measured to hide a part of it, so what usually does best was taken")
    else:
        parts += _on_hidden(check, sum(w for n, w in chosen.items() if n in learned), learned, evidence)
    return f"{shown}: {'; '.join(parts)}" if parts else shown


def _on_hidden(check: SelfCheck, part: float, learned: set[str], evidence: Evidence | None) -> list[str]:
    """Which sort of method was nearer to the hidden pixels, and why the other leads where it does; `part` is that of
    the networks."""
    tried = [s for s in check.scores if s.method in learned]
    classical = [s for s in check.scores if s.method not in learned]
    if not tried or not classical:
        return []
    a, b = (tried[0], classical[0]) if tried[0].error < classical[0].error else (classical[0], tried[0])
    text = f"on hidden pixels of this scan {a.method} is better than {b.method} ("
    text += f"{check.amount(a.error)} against {check.amount(b.error)})"
    if evidence is None or (a.method in learned) == (part > 0.5):
        return [text]
    if a.method in learned:
        return [text + ", but in its own gaps, which are narrower, interpolation gains more"]
    if evidence.familiar > _RECOGNISED:
        return [text + ", but gaps are wider there than in the scan"]
    right = 100 * float(np.clip(evidence.hidden or 0.0, 0, 1))
    return [text + f", but {right:.0f} % of the detail that sets the networks apart is right there"]


class Mixing:
    """Adds up images with weights that add up to 1: sums only, since large scans fit into memory few times.

    What images differ by is small against them, so that float32 is enough for its sums.
    """

    def __init__(self) -> None:
        self._base: FloatArray | None = None
        self._first: NDArray[np.float32] | None = None
        self._second: NDArray[np.float32] | None = None
        self._deviation: NDArray[np.float32] | None = None
        self._said = 0.0

    def add(self, weight: float, image: FloatArray, deviation: FloatArray | None) -> None:
        if self._base is None or self._first is None or self._second is None:
            self._base = image
            self._first, self._second = np.zeros(image.shape, np.float32), np.zeros(image.shape, np.float32)
        else:
            for rows in strips(len(image)):
                apart = image[rows] - self._base[rows]
                self._first[rows] += weight * apart
                self._second[rows] += weight * apart**2
        if deviation is not None:
            self._said += weight
            if self._deviation is None:
                self._deviation = np.zeros(deviation.shape, dtype=np.float32)
            for rows in strips(len(deviation)):
                self._deviation[rows] += weight * deviation[rows]

    @property
    def mean(self) -> FloatArray:
        """A new array."""
        assert self._base is not None and self._first is not None
        return self._base + self._first

    @property
    def deviation(self) -> FloatArray | None:
        """What the mixture says of its error: that of its networks or, where larger, the spread between its methods.

        None without a network: classical methods claim nothing of themselves.
        """
        if self._deviation is None:
            return None
        assert self._first is not None and self._second is not None
        result: FloatArray = np.divide(self._deviation, self._said, dtype=np.float64)
        for rows in strips(len(result)):
            squared = np.square(self._first[rows], dtype=np.float64)
            between = np.sqrt(np.maximum(self._second[rows] - squared, 0.0))
            np.maximum(result[rows], between, out=result[rows])
        return result
