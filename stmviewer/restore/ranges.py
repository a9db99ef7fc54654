"""What a scan is like, in numbers that a model's training range can be compared with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from stmviewer.restore.checks import Check
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.lattice_check import periods_px
from stmviewer.restore.normalise import normalisation
from stmviewer.scan import BoolArray, FloatArray, Geometry

#: a training range is taken from samples: its ends are not sharp
_SLACK = 1.15
_Limits = Callable[[ModelInfo], tuple[float, ...]]


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


def range_checks(infos: Sequence[ModelInfo], facts: Facts, advise: bool) -> tuple[Check, ...]:
    """Warnings where a scan lies outside of what the networks `infos`, all of which are shown, were trained on.

    What a model does not record is unknown. `advise`: whether to say how to find out, where nothing was hidden to
    compare with.
    """
    found = []
    what: tuple[tuple[float | None, _Limits, float, float, str], ...] = (
        (facts.pixel_m, lambda i: i.pixels_m, 1.0, 1e9, "pixels of {} to {} nm; these are {} nm"),
        # less noise than in the training is no trouble; of pure noise it is 61 %, which leaves no room for slack
        (facts.noise, _noise, 1.0, 100.0, "noise of {} to {} % of the corrugation; here it is {} %"),
        (facts.contrast, lambda i: i.contrast_m, _SLACK, 1e12, "corrugations of {} to {} pm; here it is {} pm"),
        (facts.period_px, lambda i: i.periods_px, _SLACK, 1.0, "lattices of {} to {} pixels a period; here it is {}"),
    )
    for value, limits, slack, factor, text in what:
        if value is None:
            continue
        outside = {i.name: limits(i) for i in infos if not _within(value, limits(i), slack)}
        if not outside:
            continue
        low, high = min(low for low, _ in outside.values()), max(high for _, high in outside.values())
        numbers = (f"{factor * x:.3g}" for x in (low, high, value))
        who = "The model was" if len(infos) == 1 else "The networks were"
        if len(outside) < len(infos):
            who = f"{' and '.join(outside)} {'was' if len(outside) == 1 else 'were'}"
        words = f"{who} trained on {text.format(*numbers)}"
        if advise:
            words += ": hide a part of a full scan (every 4th line) to see whether it can be trusted here"
        found.append(Check("range", words, warns=True))
    return tuple(found)


def _within(value: float, limits: tuple[float, ...], slack: float) -> bool:
    return not limits or limits[0] / slack <= value <= limits[1] * slack


def _noise(info: ModelInfo) -> tuple[float, ...]:
    return (0.0, info.noise[1]) if info.noise else ()
