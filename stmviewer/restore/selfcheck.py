"""Self-check of sparse scans: part of what was measured is hidden, too, and every method is compared with it.

The gaps are larger then than those of the scan, so the errors are too pessimistic. A factor, fitted on full scans where
the true error is known (`stmviewer evaluate --self-check`; resources/selfcheck.json), corrects that.
"""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stmviewer import paths
from stmviewer.files.units import shown_unit
from stmviewer.restore.case import Case
from stmviewer.restore.classical import CELLS, CLASSICAL, ROWS
from stmviewer.restore.filling import kind_of_mask, separable
from stmviewer.restore.folding import Fold, folds
from stmviewer.scan import FloatArray, Geometry, Progress
from stmviewer.scan.levelling import fit_plane, robust_range
from stmviewer.scan.lines import LinePlacement

#: the check is done on this many pixels a side about the centre: it must not take longer than the restoration
WINDOW = 256
#: no lattice that a tip resolves has rows closer than this (m): graphene's lie 0.213 nm apart
_FINEST_LATTICE = 0.2e-9
#: of the correction for larger gaps, where a unit cell is followed, this power: in 38 masked scans of simulated
#: surfaces the whole of it made one expect errors that were, in the median, 1.2 to 1.3 times too small
_FOLLOWING = 0.5
#: what else could be finer than hidden lines show, where a pattern that fine was followed
_OTHER = {
    ROWS: "the rows run otherwise or something else",
    CELLS: "the lattice is another one or something else",
}

#: restores a case with a method, as it would be shown (measured pixels trusted as the request says)
Shower = Callable[[Case, str, Progress], FloatArray]


@dataclass(frozen=True)
class SelfScore:
    """How a method did: mean |error| at the hidden measured pixels, and what it is expected to be at the scan's gaps.

    Both in the channel's unit.
    """

    method: str
    error: float
    expected: float


@dataclass(frozen=True)
class SelfCheck:
    """Scores of methods on this very scan, the best first.

    `how` says what was hidden, `hidden` how many pixels, `spread` the factor within which two thirds of the expected
    errors were right on full scans, `span` the 1 to 99 % range of the measurement, all in its unit. `unseen` is what is
    finer than hidden lines could show, in words ("0.8 nm across the lines"), empty where that is no lattice; `followed`
    the method by which a pattern that fine was followed, of which nothing checks that it is there.
    """

    how: str
    hidden: int
    scores: tuple[SelfScore, ...]
    spread: float
    span: float
    unit: str
    unseen: str = ""
    followed: str | None = None

    def score(self, method: str) -> SelfScore:
        return next(s for s in self.scores if s.method == method)

    def amount(self, value: float) -> str:
        """An error in words: in pm or nA where the unit is known, else in % of the range of the scan."""
        if not self.unit:
            return f"{100 * value / self.span:.3g} %"
        unit, factor = shown_unit(value, self.unit)
        return f"{float(f'{value * factor:.3g}'):g} {unit}"

    def text(self, method: str) -> str:
        """One line on a method beside linear interpolation."""
        score = self.score(method)
        line = f"Self-check: with {self.how} hidden, too, {method} misses it by {self.amount(score.error)}"
        if method != "linear" and any(s.method == "linear" for s in self.scores):
            line += f", linear interpolation by {self.amount(self.score('linear').error)}"
        line += f"; expected in the gaps: {self.amount(score.expected)}, right to a factor {self.spread:.2g}"
        if self.unseen:
            other = _OTHER.get(self.followed or "", "something")
            line += f", unless {other} is finer than {self.unseen}: the hidden part would not show that"
        return line

    def to_json(self) -> dict[str, Any]:
        return {
            "hidden": self.how,
            "hidden_pixels": self.hidden,
            "unit": self.unit,
            "range": self.span,
            "factor_of_two_thirds": self.spread,
            "unseen_below": self.unseen,
            "scores": [vars(s).copy() for s in self.scores],
        }


@dataclass(frozen=True)
class Trial:
    """What methods made of the hidden parts: `errors[method]`, flat over all folds, in the channel's unit.

    `images[method]` is what it made of the first fold.
    """

    folds: tuple[Fold, ...]
    errors: dict[str, FloatArray]
    images: dict[str, FloatArray]

    @property
    def fine(self) -> FloatArray | None:
        """What of the hidden parts the gaps about them cannot carry, in the order of `errors`; None where unknown."""
        parts = [fold.fine for fold in self.folds if fold.fine is not None]
        return np.concatenate(parts) if len(parts) == len(self.folds) else None

    @property
    def how(self) -> str:
        """In words what was hidden."""
        times = len(self.folds)
        return self.folds[0].how + ("" if times == 1 else f" ({times} times, others each time)")


def try_out(case: Case, methods: Sequence[str], show: Shower, progress: Progress, seed: int = 0) -> Trial | None:
    """Hides parts of the measurement from `methods`; None where too little was measured for that."""
    hidden = folds(window(case), seed)
    if not hidden:
        return None
    progress = progress.part(1.0, "Self-check", len(methods) * len(hidden))
    errors: dict[str, list[FloatArray]] = {method: [] for method in methods}
    images: dict[str, FloatArray] = {}
    for fold in hidden:
        for method in methods:
            image = show(fold.kept, method, progress.part(0.0))
            images.setdefault(method, image)
            errors[method].append(fold.errors(image))
            progress.tick()
    return Trial(tuple(hidden), {m: np.concatenate(e) for m, e in errors.items()}, images)


def judge(case: Case, trial: Trial, unit: str, following: Collection[str] = ()) -> SelfCheck:
    """The scores of a trial, corrected for the larger gaps, which matter less to methods that are `following` a unit
    cell through them."""
    kind = kind_of_mask(case.mask.measured)
    scores = []
    for method, errors in trial.errors.items():
        error = float(np.abs(errors).mean())
        corrected = factor(kind, method)[0] ** (_FOLLOWING if method in following else 1.0)
        scores.append(SelfScore(method, error, error * corrected))
    level = case.raw - fit_plane(case.raw, case.mask.measured)
    low, high = robust_range(level[case.mask.measured])
    hidden = next(iter(trial.errors.values())).size
    scores.sort(key=lambda s: s.error)
    spread = factor(kind, scores[0].method)[1]
    return SelfCheck(trial.how, hidden, tuple(scores), spread, high - low, unit, unseen_below(case))


def unseen_below(case: Case) -> str:
    """The period below which a wave has a longer alias in the measured lines of a case, in words; empty where no
    lattice is that fine, and for random masks, which have no aliases.

    Lines a gap apart show waves of two gaps and longer. A shorter one has the very values of a longer one in all of
    them, in the hidden ones as well: what the self-check expects holds only where there is none.
    """
    kind = kind_of_mask(case.mask.measured)
    axes = separable(case.mask.measured)
    if kind not in ("lines", "grid") or axes is None:
        return ""
    rows = axes[0] if case.placement is None else case.placement.positions
    g = case.geometry
    gaps = [_even_gap(rows) * (g.pixel_height if g.calibrated else 1.0)]
    if kind == "grid":
        gaps.append(_even_gap(axes[1]) * (g.pixel_width if g.calibrated else 1.0))
    period = 2 * max(gaps)
    if period <= (_FINEST_LATTICE if g.calibrated else 2.0):
        return ""
    length = f"{1e9 * period:.2g} nm" if g.calibrated else f"{period:.3g} pixels"
    return f"{length} across the lines" if kind == "lines" else length


def _even_gap(at: NDArray[Any]) -> float:
    """How far `at` (pixels) are apart; 0 where that is not the same everywhere."""
    apart = np.diff(at)
    return float(apart.mean()) if len(apart) and np.ptp(apart) < 1e-6 * apart.max() else 0.0


def factor(kind: str, method: str) -> tuple[float, float]:
    """True over self-checked error for masks of that kind, and the factor within which two thirds of cases lie."""
    fitted = _fitted().get(kind, {})
    values = fitted.get(method if method in CLASSICAL else "learned") or fitted.get("learned")
    return (float(values["factor"]), float(values["spread"])) if values else (1.0, 2.0)


@cache
def _fitted() -> dict[str, Any]:
    try:
        values = json.loads((paths.resources() / "selfcheck.json").read_text(encoding="utf-8"))["kinds"]
    except (OSError, ValueError, LookupError):  # an installation without it checks, too, uncorrected
        return {}
    return values if isinstance(values, dict) else {}


def window(case: Case) -> Case:
    """The middle of a case, at most 256 pixels a side."""
    rows, columns = case.raw.shape
    if max(rows, columns) <= WINDOW:
        return case
    top, left = (max(0, (n - WINDOW) // 2) for n in (rows, columns))
    area = np.s_[top : top + WINDOW, left : left + WINDOW]
    mask = replace(case.mask, measured=case.mask.measured[area])
    g = case.geometry
    shape = mask.measured.shape
    frame = Geometry(shape[1], shape[0], shape[1] * g.pixel_width, shape[0] * g.pixel_height, g.unit, g.angle_deg)
    part = replace(case, raw=case.raw[area], mask=mask, geometry=frame, truth=None)
    if case.placement is None or case.lines is None:
        return part
    positions = case.placement.positions - top
    inside = (positions >= 0) & (positions <= shape[0] - 1)
    placement = LinePlacement(frame, positions[inside])
    lines = case.lines[inside][:, area[1]]
    raw = placement.spread(lines)
    return replace(part, raw=raw, mask=replace(mask, measured=np.isfinite(raw)), placement=placement, lines=lines)
