"""What a scan is like, in numbers that a model's training range can be compared with."""

from dataclasses import dataclass

import numpy as np

from stmviewer.restore.checks import Check
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.lattice_check import periods_px
from stmviewer.restore.normalise import normalisation
from stmviewer.scan import BoolArray, FloatArray, Geometry

#: a training range is taken from samples: its ends are not sharp
_SLACK = 1.15


@dataclass(frozen=True)
class Facts:
    """A scan in numbers; None where it does not tell.

    pixel_m     side of a pixel (m)
    noise       standard deviation of white noise along the fast axis, over half the range of the corrugation
    contrast    half the range of the corrugation (m), of heights only
    period_px   pixels per strongest lattice period
    """

    pixel_m: float | None
    noise: float | None
    contrast: float | None
    period_px: float | None


def facts_of(filled: FloatArray, measured: BoolArray, geometry: Geometry, unit: str) -> Facts:
    """Facts of an image without gaps, of which `measured` was measured. The trainer may use it on its samples, too."""
    scale = normalisation(filled, measured)
    periods = periods_px(filled, measured)
    return Facts(
        pixel_m=geometry.pixel_width if geometry.calibrated else None,
        noise=white_noise(scale.forward(filled), measured),
        contrast=scale.half_range if unit == "m" else None,
        period_px=periods[0] if periods else None,
    )


def white_noise(image: FloatArray, measured: BoolArray) -> float | None:
    """White noise from second differences along the rows, (a - 2b + c) / sqrt(6), by their median absolute value.

    A lattice under some five pixels a period has second differences of its own: then it is an upper bound. None where
    too few neighbours were measured to tell.
    """
    three = measured[:, :-2] & measured[:, 1:-1] & measured[:, 2:]
    if three.sum() < 100:
        return None
    second = (image[:, :-2] - 2 * image[:, 1:-1] + image[:, 2:])[three]
    return float(1.4826 * np.median(np.abs(second - np.median(second))) / 6**0.5)


def range_checks(info: ModelInfo, facts: Facts, advise: bool) -> tuple[Check, ...]:
    """Warnings where a scan lies outside of what the model was trained on; what the model does not record is unknown.

    `advise`: whether to say how to find out, where nothing was hidden to compare with.
    """
    found = []
    what = (
        (facts.pixel_m, info.pixels_m, 1.0, 1e9, "pixels of {} to {} nm; these are {} nm"),
        (facts.noise, info.noise, _SLACK, 1.0, "noise of {} to {} of the corrugation; here it is {}"),
        (facts.contrast, info.contrast_m, _SLACK, 1e12, "corrugations of {} to {} pm; here it is {} pm"),
        (facts.period_px, info.periods_px, _SLACK, 1.0, "lattices of {} to {} pixels a period; here it is {}"),
    )
    for value, limits, slack, factor, text in what:
        if value is None or not limits or limits[0] / slack <= value <= limits[1] * slack:
            continue
        numbers = (f"{factor * x:.3g}" for x in (*limits, value))
        words = "The model was trained on " + text.format(*numbers)
        if advise:
            words += ": hide a part of a full scan (every 4th line) to see whether it can be trusted here"
        found.append(Check("range", words, warns=True))
    return tuple(found)
