"""How far networks are trusted on a scan: their share of the mixture that is shown, by a rule of a few numbers.

Hidden pixels of the scan tell what part of the way from interpolation to the network is right there,
    s = -<c, n - c> / <n - c, n - c>,    n the error of the network, c that of the interpolation:
1 where the network is the mean of what can be (noise of the measurement does not matter), 0 where its detail is made
up. With the gaps of the scan itself, smaller than those of the hidden part, it is another one, drawn to the middle.

One thing hidden lines say falsely. Waves f that gaps twice as wide cannot carry (`Fold.fine`) are missed by
interpolation beside a hidden line but not in the scan itself, and a network that smooths them away looks right:
    smoothed = (1 - |n' - c'|^2 / |n - c|^2) min(1, -<n, f> / <f, f>),    x' = x - f <x, f> / <f, f>,
what part of the difference is such waves, times how far the network leaves them out. A wave of 2.5 pixels through a
scan of Cu(111), every second line measured, makes s = 1.9 where -0.2 would be right; smoothed is 0.28 there and under
0.1 on most scans. The share, for lines, grids and scattered points apart, is
    a = none + slope s - smoothed,    within 0 and 1.
`none` and `slope` were fitted on scans whose hidden pixels are known (`stmviewer evaluate --self-check`;
resources/selfcheck.json). For scattered points the gaps hardly grow, and a is nearly s.

Where gaps are as wide as the lattice nothing can be seen in hidden lines, and a network that knows the surface is
still right: dimer rows of Si(001), by their known size, count as evidence of their own and draw the share to 1,
    a + familiar (1 - a) known.
"""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from stmviewer import paths
from stmviewer.scan import FloatArray, Geometry
from stmviewer.scan.corrugation import ROW_SPACING_M, find_rows
from stmviewer.scan.dimer_rows import silicon_rows

#: shares that hidden pixels may speak for; beyond, few of them are at odds
LEAST_SHARE, MOST_SHARE = -0.2, 1.3
#: strength of dimer rows from which they count, and count in full (other surfaces reach 3 at most in most cases)
_SEEN, _CLEAR = 2.5, 3.5
#: width of the agreement with their known spacing: calibrations are off by some per cent
_CALIBRATION = 0.04
#: likelihood of Si(001) from which it counts: a network's image of Si(111)-7x7 reached it
_LIKELY = 0.5
#: rows that are this sure are not looked at again
_SURE = 0.9
#: without a fit: half of each
_UNFITTED = {"none": 0.25, "slope": 0.5, "unknown": 0.5}


@dataclass(frozen=True)
class Evidence:
    """What speaks for networks on a scan.

    kind      lines, grid or scattered
    hidden    the share s that is right on hidden pixels; None where nothing could be hidden
    familiar  0 to 1: whether what a network makes of it has the lattice of Si(001)
    smoothed  part of what sets network and interpolation apart there that is waves too short for those gaps, as far
              as the network leaves them out
    """

    kind: str
    hidden: float | None
    familiar: float
    smoothed: float = 0.0


def right_share(network: FloatArray, classical: FloatArray) -> float | None:
    """The share s from the errors of both at the same pixels; None where they do not differ."""
    apart = network - classical
    size = float(apart @ apart)
    return -float(classical @ apart) / size if size > 0 else None


def weighed(
    kind: str, network: FloatArray, classical: FloatArray, fine: FloatArray | None, familiar: float
) -> Evidence:
    """The evidence of the errors of both at the same hidden pixels; `fine` is what of these the gaps cannot carry."""
    hidden = right_share(network, classical)
    size = 0.0 if fine is None else float(fine @ fine)
    if fine is None or hidden is None or not size > 0:
        return Evidence(kind, hidden, familiar)
    apart = network - classical
    left = apart - fine * (float(apart @ fine) / size)
    waves = 1 - float(left @ left) / float(apart @ apart)
    left_out = float(np.clip(-float(network @ fine) / size, 0, 1))
    return Evidence(kind, hidden, familiar, waves * left_out)


def familiarity(image: FloatArray, geometry: Geometry) -> float:
    """How sure it is that a network's image shows Si(001), whose dimer rows are 0.768 nm apart.

    By the rows at that spacing, or by the lattice as `dimer_rows` knows it, whichever is surer: the first sees clear
    rows also where pixels are too large for the dimers, the second faint ones in noise. Clear rows of another spacing
    speak against both. 0 without a scale: rows of some spacing are on many surfaces.
    """
    if not geometry.calibrated:
        return 0.0
    rows = find_rows(image)
    seen = agree = 0.0
    if rows is not None:
        off = np.log(rows.period_px * geometry.pixel_width / ROW_SPACING_M) / _CALIBRATION
        seen = float(np.clip((rows.strength - _SEEN) / (_CLEAR - _SEEN), 0, 1))
        agree = float(np.exp(-0.5 * off**2))
    if seen * agree > _SURE:
        return seen * agree
    likely = silicon_rows(image, geometry.pixel_height, geometry.pixel_width)
    likely = max(0.0, (likely - _LIKELY) / (1 - _LIKELY))
    return max(seen * agree, likely * (1 - seen * (1 - agree)))


def share(evidence: Evidence, rule: dict[str, Any] | None = None) -> float:
    """The share of the networks, 0 to 1."""
    rule = _fitted() if rule is None else rule
    line = rule.get("kinds", {}).get(evidence.kind) or _UNFITTED
    if evidence.hidden is None:
        base = float(line["unknown"])
    else:
        hidden = float(np.clip(evidence.hidden, LEAST_SHARE, MOST_SHARE))
        base = float(line["none"]) + float(line["slope"]) * hidden - evidence.smoothed
    base = float(np.clip(base, 0, 1))
    return base + float(line.get("familiar", 0.0)) * evidence.familiar * (1 - base)


def shipped() -> dict[str, Any]:
    """The rule of resources/selfcheck.json; empty where there is none."""
    return _fitted()


@cache
def _fitted() -> dict[str, Any]:
    try:
        rule = json.loads((paths.resources() / "selfcheck.json").read_text(encoding="utf-8"))["choice"]
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
    ):
        return {}  # an installation without it decides on what is hidden alone
    return rule if isinstance(rule, dict) else {}
