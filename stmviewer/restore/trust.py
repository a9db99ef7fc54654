"""How far networks are trusted on a scan: their share of the mixture that is shown, by a rule of a few numbers.

Hidden pixels of the scan tell what part of the way from interpolation to the network is right there,
    s = <t - c, n - c> / <n - c, n - c>,    t the measurement, n the network, c the interpolation:
1 where the network is the mean of what can be (noise of the measurement does not matter), 0 where its detail is made
up. With the gaps of the scan itself, smaller than those of the hidden part, it is another one, drawn to the middle; how
far, was fitted on scans whose hidden pixels are known (`stmviewer evaluate --self-check`; resources/selfcheck.json).
Where gaps are as wide as the lattice nothing can be seen in the hidden part, and a network that knows the surface is
still right: dimer rows of Si(001) at their known spacing count as evidence of their own.
"""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from stmviewer import paths
from stmviewer.scan import FloatArray, Geometry
from stmviewer.scan.corrugation import ROW_SPACING_M, find_rows

#: shares that hidden pixels may speak for; beyond, few of them are at odds
LEAST_SHARE, MOST_SHARE = -0.2, 1.3
#: strength of dimer rows from which they count, and count in full (other surfaces reach 3 at most in most cases)
_SEEN, _CLEAR = 2.5, 3.5
#: width of the agreement with their known spacing: calibrations are off by some per cent
_CALIBRATION = 0.04
#: without a fit: half of each
_UNFITTED = {"none": 0.25, "slope": 0.5, "unknown": 0.5}


@dataclass(frozen=True)
class Evidence:
    """What speaks for networks on a scan.

    kind      lines, grid or scattered
    hidden    the share s that is right on hidden pixels; None where nothing could be hidden
    familiar  0 to 1: whether what a network makes of it has the dimer rows of Si(001)
    """

    kind: str
    hidden: float | None
    familiar: float


def right_share(network: FloatArray, classical: FloatArray) -> float | None:
    """The share s from the errors of both at the same pixels; None where they do not differ."""
    apart = network - classical
    size = float(apart @ apart)
    return -float(classical @ apart) / size if size > 0 else None


def familiarity(image: FloatArray, geometry: Geometry) -> float:
    """How sure it is that a network's image shows Si(001), whose dimer rows are 0.768 nm apart.

    0 without a scale: rows of some spacing are on many surfaces.
    """
    rows = find_rows(image) if geometry.calibrated else None
    if rows is None:
        return 0.0
    off = np.log(rows.period_px * geometry.pixel_width / ROW_SPACING_M) / _CALIBRATION
    seen = np.clip((rows.strength - _SEEN) / (_CLEAR - _SEEN), 0, 1)
    return float(seen * np.exp(-0.5 * off**2))


def share(evidence: Evidence, rule: dict[str, Any] | None = None) -> float:
    """The share of the networks, 0 to 1."""
    rule = _fitted() if rule is None else rule
    line = rule.get("kinds", {}).get(evidence.kind) or _UNFITTED
    if evidence.hidden is None:
        base = float(line["unknown"])
    else:
        base = float(line["none"]) + float(line["slope"]) * float(np.clip(evidence.hidden, LEAST_SHARE, MOST_SHARE))
    base = float(np.clip(base, 0, 1))
    return base + float(rule.get("familiar", 0.0)) * evidence.familiar * (1 - base)


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
