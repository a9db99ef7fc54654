"""Fits how far model `auto` trusts networks (`stmviewer.restore.trust`), and tells what that is worth elsewhere.

With a share a of the networks' mixture n over the interpolations' c, the mean square error against the truth t is
    |t - c|^2 (1 + k (a^2 - 2 a s)),    k = |n - c|^2 / |t - c|^2,    s = <t - c, n - c> / |n - c|^2:
s is the share that would have been right, k what is at stake.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stmviewer.restore.trust import LEAST_SHARE, MOST_SHARE, Evidence, share
from stmviewer.scan import FloatArray

#: a share too large counts for so much more than one too small: to lose to interpolation is worse than to gain less
_WORSE = 1.3
#: scans with less familiar surfaces tell what hidden pixels are worth, the others what familiarity adds
_FAMILIAR = 0.1
#: surfaces that networks know best: what they are trusted there is a matter of being familiar
_KNOWN = ("Si(001):H",)
#: sets of other surfaces that networks have seen as the simulator makes them: nobody's scan is as known as these, so
#: they have no say
_SEEN = "simulated "
#: one surface on few scans is no ground to leave interpolation out altogether
_MOST_FAMILIAR = 0.95
#: one scan may not outweigh the others by much
_MOST_STAKE = 1.0
#: pull of a line towards the one of all kinds of mask, in scans
_PULL = 2.0


@dataclass(frozen=True)
class Row:
    """One masked scan of a `set` and `surface`: what was known, the share that was `right`, what was at stake."""

    set: str
    surface: str
    evidence: Evidence
    right: float
    stake: float

    @property
    def weight(self) -> float:
        return min(self.stake, _MOST_STAKE)

    @property
    def wanted(self) -> float:
        """The right share, within reach."""
        return float(np.clip(self.right, -0.5, 1.5))

    def gain(self, part: float) -> float:
        """RMS error of a mixture with that share over that of the interpolations alone, less 1."""
        return float(np.sqrt(max(1 + self.stake * (part**2 - 2 * part * self.right), 1e-6))) - 1


def fit(rows: Sequence[Row]) -> dict[str, Any]:
    """The rule of `trust.share`, by weighted least squares in which trust that is too large counts for more."""
    rows = [r for r in rows if r.surface in _KNOWN or not r.set.startswith(_SEEN)]
    strange = [r for r in rows if r.evidence.familiar < _FAMILIAR and r.surface not in _KNOWN]
    everywhere = _line(strange, None)
    found: dict[str, dict[str, float]] = {}
    for kind in sorted({r.evidence.kind for r in rows}):
        here = [r for r in strange if r.evidence.kind == kind]
        none, slope = _line(here, everywhere)
        found[kind] = {"none": none, "slope": slope, "unknown": _line(here, None, flat=True)[0]}
    for kind, line in found.items():
        near = [r for r in rows if r.evidence.familiar >= _FAMILIAR and r.evidence.kind == kind]
        line["familiar"] = _familiar(near, {"kinds": found})
    return {"kinds": {kind: {name: round(x, 3) for name, x in line.items()} for kind, line in found.items()}}


def _line(rows: Sequence[Row], towards: tuple[float, float] | None, flat: bool = False) -> tuple[float, float]:
    """(none, slope) of right = none + slope * hidden - smoothed; `flat` without the slope."""
    rows = [r for r in rows if r.evidence.hidden is not None]
    if not rows:
        return towards or (0.0, 0.0)
    hidden = np.clip([r.evidence.hidden for r in rows], LEAST_SHARE, MOST_SHARE)
    columns = np.stack([np.ones_like(hidden), np.zeros_like(hidden) if flat else hidden], axis=1)
    wanted = np.array([r.wanted + (0.0 if flat else r.evidence.smoothed) for r in rows])
    return _expectile(columns, wanted, rows, np.array(towards or (0.0, 0.0)), _PULL if towards else 1e-3)


def _expectile(
    columns: FloatArray, wanted: FloatArray, rows: Sequence[Row], towards: FloatArray, pull: float
) -> tuple[float, float]:
    """Iterated least squares: residuals of one sign weigh more."""
    weight = np.array([r.weight for r in rows])
    answer = towards
    for _ in range(30):
        heavy = np.sqrt(np.where(columns @ answer > wanted, _WORSE, 1.0) * weight)
        system = np.vstack([columns * heavy[:, None], np.sqrt(pull) * np.eye(2)])
        answer = np.linalg.lstsq(system, np.concatenate([wanted * heavy, np.sqrt(pull) * towards]), rcond=None)[0]
    return float(answer[0]), float(answer[1])


def _familiar(rows: Sequence[Row], rule: dict[str, Any]) -> float:
    """How far full familiarity draws the share to 1."""
    if not rows:
        return 0.0
    base = np.array([share(r.evidence, rule) for r in rows])
    step = np.array([r.evidence.familiar for r in rows]) * (1 - base)
    wanted, weight = np.array([r.wanted for r in rows]) - base, np.array([r.weight for r in rows])
    size = float((weight * step**2).sum())
    return float(np.clip((weight * step * wanted).sum() / size, 0, _MOST_FAMILIAR)) if size > 0 else 0.0


def left_out(rows: Sequence[Row]) -> dict[str, Any]:
    """What the rule does on surfaces that it was not fitted on: change of the RMS error against interpolation.

    Means over all scans of each kind of mask: by the rule, by half of each, by the network alone, and by the best
    share with hindsight; `worst` is the surface that loses most by the rule.
    """
    parts = _fitted_elsewhere(rows)
    told: dict[str, Any] = {}
    for kind in sorted({r.evidence.kind for r in rows}):
        here = [(k, r) for k, r in enumerate(rows) if r.evidence.kind == kind]
        by_surface = {
            s: float(np.mean([r.gain(parts[k]) for k, r in here if r.surface == s]))
            for s in {r.surface for _, r in here}
        }
        worst = max(by_surface, key=lambda s: by_surface[s])
        told[kind] = {
            "rule": round(float(np.mean([r.gain(parts[k]) for k, r in here])), 4),
            "half": round(float(np.mean([r.gain(0.5) for _, r in here])), 4),
            "network": round(float(np.mean([r.gain(1.0) for _, r in here])), 4),
            "hindsight": round(float(np.mean([r.gain(float(np.clip(r.right, 0, 1))) for _, r in here])), 4),
            "worst": [worst, round(by_surface[worst], 4)],
            "scans": len(here),
        }
    return told


def _fitted_elsewhere(rows: Sequence[Row]) -> list[float]:
    """The share of each row by a rule that was fitted without its surface."""
    rules = {s: fit([r for r in rows if r.surface != s]) for s in {r.surface for r in rows}}
    return [share(r.evidence, rules[r.surface]) for r in rows]


@dataclass(frozen=True)
class Comparison:
    """Change of the RMS error against interpolation, mean over scans; `lost` counts those alone that lose."""

    gain: float
    lost: float


def compared(rows: Sequence[Row], standing: dict[str, Any]) -> dict[str, dict[str, Comparison]]:
    """By kind of mask the `standing` rule, and one `fitted` to all surfaces but that of the scan.

    Surfaces that networks know have no part in it: on those, more trust is always better.
    """
    elsewhere = _fitted_elsewhere(rows)
    found: dict[str, dict[str, Comparison]] = {}
    strange = [k for k, r in enumerate(rows) if r.surface not in _KNOWN and not r.set.startswith(_SEEN)]
    for kind in sorted({rows[k].evidence.kind for k in strange}):
        here = [k for k in strange if rows[k].evidence.kind == kind]
        both = {
            "standing": [rows[k].gain(share(rows[k].evidence, standing)) for k in here],
            "fitted": [rows[k].gain(elsewhere[k]) for k in here],
        }
        found[kind] = {
            name: Comparison(round(float(np.mean(x)), 4), round(float(np.maximum(x, 0).mean()), 4))
            for name, x in both.items()
        }
    return found


def better(told: dict[str, dict[str, Comparison]]) -> bool:
    """Whether a rule fitted anew takes the place of the standing one: it gains no less and loses no more anywhere."""
    pairs = [(kind["fitted"], kind["standing"]) for kind in told.values()]
    return all(new.gain <= old.gain and new.lost <= old.lost for new, old in pairs)
