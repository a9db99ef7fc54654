"""Model `auto`: which methods a sparse scan is restored with, and with what weights, decided on the scan itself.

A single winner of the self-check is often not the best at the smaller gaps of the scan, and to be wrong costs most of
what was to be gained. A mixture with weights fitted on the hidden part, drawn towards equal ones, was better: on real
scans never trained on it comes nearest to what the best method of each scan, known with hindsight, gives.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stmviewer.restore.case import Case
from stmviewer.restore.filling import separable
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.selfcheck import SelfCheck, Trial
from stmviewer.scan import FloatArray

#: classical methods worth trying; biharmonic takes twenty times as long and was never more than 0.006 SSIM better
CLASSICAL_CANDIDATES = ("linear", "cubic", "tv")
#: larger scans are not tried with methods that would take minutes (triangles: scattered pixels) or gigabytes
_MOST_TRIANGULATED, _MOST_TV = 1_500_000, 5_000_000
_MOST_LEARNED = 3
#: methods that miss the hidden part by so much more than the best are left out
_WORSE = 1.3
#: pull towards equal weights, against the mean square of the errors
_PULL = 0.3
_LEAST_WEIGHT = 0.05
#: correlation of the best method with the hidden part at which its verdict counts for nothing, and in full
_BLIND, _CLEAR = 0.3, 0.8
#: what is safe where the self-check cannot tell: as sharp as the gaps allow
_SAFE = ("linear", "cubic")


@dataclass(frozen=True)
class Choice:
    """Weights of methods, adding up to 1, the largest first; `reason` in plain words."""

    weights: dict[str, float]
    reason: str


def candidates(infos: Sequence[ModelInfo], case: Case) -> list[str]:
    """The methods that are tried on a sparse scan: regressions, the user's own first, and cheap classical ones."""
    learned = [i.name for i in infos if i.kind == "regression" and "sparse" in i.tasks][:_MOST_LEARNED]
    return [*learned, *affordable(case)]


def affordable(case: Case) -> list[str]:
    """The classical methods that take seconds on a scan of this size."""
    names = []
    for name in CLASSICAL_CANDIDATES:
        most = _MOST_TV if name == "tv" else None
        if separable(case.mask.measured) is None:
            most = _MOST_TRIANGULATED
        if most is None or case.raw.size <= most:
            names.append(name)
    return names


def choose(trial: Trial, check: SelfCheck, infos: Sequence[ModelInfo]) -> Choice:
    """Weights by non-negative least squares on the hidden pixels, in favour of equal ones."""
    learned = {i.name for i in infos if i.learned}
    best = check.scores[0].error
    kept = [s.method for s in check.scores if s.error <= _WORSE * best]
    weights = fit_weights(np.stack([trial.errors[m] for m in kept], axis=1))
    if any(w < _LEAST_WEIGHT for w in weights):
        kept = [m for m, w in zip(kept, weights, strict=True) if w >= _LEAST_WEIGHT]
        weights = fit_weights(np.stack([trial.errors[m] for m in kept], axis=1))
    fitted = {m: float(w) for m, w in zip(kept, weights, strict=True)}
    chosen = _cautious(fitted, trial)
    return Choice(chosen, _reason(check, chosen, learned))


def _cautious(fitted: dict[str, float], trial: Trial) -> dict[str, float]:
    """Weights drawn to plain interpolation where no method foresaw the hidden part, the largest first.

    With gaps twice as large a lattice may be lost to every method; the smoothest then misses by least, and would be the
    worst in the smaller gaps of the scan.
    """
    trust = float(np.clip((trial.foreseen - _BLIND) / (_CLEAR - _BLIND), 0, 1))
    safe = [m for m in _SAFE if m in trial.errors]
    if not safe:
        trust = 1.0
    mixed = {m: trust * w for m, w in fitted.items()}
    for m in safe:
        mixed[m] = mixed.get(m, 0.0) + (1 - trust) / len(safe)
    kept = {m: w for m, w in mixed.items() if w >= _LEAST_WEIGHT / 2}
    total = sum(kept.values())
    return {m: w / total for m, w in sorted(kept.items(), key=lambda item: -item[1])}


def fit_weights(errors: FloatArray) -> FloatArray:
    """w >= 0 with sum 1 that minimises |errors w|^2 / n + pull * mean square error * |w - 1/k|^2.

    `errors` is (pixels, k); the errors of a mixture are the mixture of the errors.
    """
    from scipy.optimize import nnls

    pixels, k = errors.shape
    scale = float(np.sqrt(np.mean(errors**2)))
    if k == 1 or scale == 0:
        return np.full(k, 1 / k)
    gram = errors.T @ errors / (pixels * scale**2)
    # the square root of the quadratic form, so that the number of pixels costs nothing further
    values, vectors = np.linalg.eigh(gram)
    root = np.sqrt(np.clip(values, 0, None))[:, None] * vectors.T
    heavy = 1e3 * np.ones((1, k))  # the sum is 1
    rows = np.vstack([root, np.sqrt(_PULL) * np.eye(k), heavy])
    wanted = np.concatenate([np.zeros(k), np.full(k, np.sqrt(_PULL) / k), [1e3]])
    weights: FloatArray = nnls(rows, wanted)[0]
    return weights / weights.sum()


def _reason(check: SelfCheck, chosen: dict[str, float], learned: set[str]) -> str:
    tried = [s for s in check.scores if s.method in learned]
    classical = [s for s in check.scores if s.method not in learned]
    text = ""
    if tried and classical:
        a, b = (tried[0], classical[0]) if tried[0].error < classical[0].error else (classical[0], tried[0])
        text = f"on hidden pixels of this scan {a.method} is better than {b.method}: {check.amount(a.error)} against "
        text += check.amount(b.error)
    names = list(chosen)
    if len(names) == 1:
        shown = f"shown is {names[0]}"
    else:
        shown = "shown is a mixture, " + ", ".join(f"{100 * w:.0f} % {n}" for n, w in chosen.items())
    if not learned & set(names):
        shown += ", and no network"
    return f"{text}; {shown}" if text else shown


class Mixing:
    """Adds up images with weights that add up to 1: sums only, since large scans fit into memory few times."""

    def __init__(self) -> None:
        self._base: FloatArray | None = None
        self._first: FloatArray | None = None
        self._second: FloatArray | None = None
        self._deviation: FloatArray | None = None
        self._said = 0.0

    def add(self, weight: float, image: FloatArray, deviation: FloatArray | None) -> None:
        if self._base is None or self._first is None or self._second is None:
            self._base, self._first, self._second = image, np.zeros_like(image), np.zeros_like(image)
        else:
            apart = image - self._base
            self._first += weight * apart
            self._second += weight * apart**2
        if deviation is not None:
            self._said += weight
            self._deviation = weight * deviation + (0.0 if self._deviation is None else self._deviation)

    @property
    def mean(self) -> FloatArray:
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
        between = np.sqrt(np.maximum(self._second - self._first**2, 0.0))
        result: FloatArray = np.maximum(self._deviation / self._said, between)
        return result
