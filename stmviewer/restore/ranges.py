"""What a scan is like, in numbers that a model's training range can be compared with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stmviewer.restore.checks import Check
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.lattice_check import periods_px
from stmviewer.restore.normalise import normalisation
from stmviewer.scan import BoolArray, FloatArray, Geometry

#: a training range is taken from samples: its ends are not sharp
_SLACK = 1.15
#: second differences tell noise from a lattice of at least this many pixels a period; finer ones look like noise
_LEAST_PERIOD_PX = 5.0
#: a training is looked at in images of 192 pixels, whose longest waves are a third of that (train.coverage): where its
#: periods go about so far, longer ones were not looked for, and mostly they are steps
_LONGEST_PX = 0.9 * 64
#: how a check begins that found nothing outside
INSIDE = "Within what"
_CANNOT = "Cannot tell whether the scan is like those of the training"
_Limits = Callable[[ModelInfo], tuple[float, ...]]


@dataclass(frozen=True)
class Facts:
    """A scan in numbers; None where it does not tell.

    pixel_m     side of a pixel (m)
    noise       standard deviation of white noise along the fast axis, over half the range of the corrugation; of
                lattices under five pixels a period it cannot be told
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
    fine = bool(periods) and periods[0] < _LEAST_PERIOD_PX
    return Facts(
        pixel_m=geometry.pixel_width if geometry.calibrated else None,
        noise=None if fine else white_noise(scale.forward(filled), measured),
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
    """Whether a scan lies within what the networks `infos`, all of which are shown, were trained on.

    A warning for each number that lies outside, and one check that does not warn: of what a model does not record, or
    a scan does not tell, nobody knows whether it lies within. `advise`: whether to say how to find out, where nothing
    was hidden to compare with.
    """
    found, inside, untold = [], list[str](), list[str]()
    unrecorded: dict[str, list[str]] = {}
    advice = ": hide a part of a full scan (every 4th line) to see whether it can be trusted here" if advise else ""
    what: tuple[tuple[str, float | None, _Limits, float, float, str], ...] = (
        ("pixel size", facts.pixel_m, lambda i: i.pixels_m, 1.0, 1e9, "pixels of {} to {} nm; these are {} nm"),
        # less noise than in the training is no trouble; of pure noise it is 61 %, which leaves no room for slack
        ("noise", facts.noise, _noise, 1.0, 100.0, "noise of {} to {} % of the corrugation; here it is {} %"),
        ("corrugation", facts.contrast, lambda i: i.contrast_m, _SLACK, 1e12,
         "corrugations of {} to {} pm; here it is {} pm"),
        ("lattice period", facts.period_px, _periods, _SLACK, 1.0,
         "lattices of {} to {} pixels a period; here it is {}"),
    )  # fmt: skip
    for name, value, limits, slack, factor, text in what:
        for info in infos:
            if not limits(info):
                unrecorded.setdefault(info.name, []).append(name)
        if value is None:
            untold.append(name)
            continue
        outside = {i.name: limits(i) for i in infos if limits(i) and not _within(value, limits(i), slack)}
        if outside:
            low, high = min(low for low, _ in outside.values()), max(high for _, high in outside.values())
            numbers = (f"{factor * x:.3g}" if x < np.inf else "any number of" for x in (low, high, value))
            who = "The model was" if len(infos) == 1 else "The networks were"
            if len(outside) < len(infos):
                who = f"{listed(list(outside))} {'was' if len(outside) == 1 else 'were'}"
            found.append(Check("range", f"{who} trained on {text.format(*numbers)}{advice}", warns=True))
        elif all(limits(info) for info in infos):
            inside.append(name)
    if unrecorded:
        found.append(Check("range", _unrecorded(unrecorded) + advice))
    elif not inside and not found:
        found.append(Check("range", f"{_CANNOT}: the scan does not tell its {listed(untold)}{advice}"))
    elif not found:
        told = f" (the scan does not tell its {listed(untold)})" if untold else ""
        who = "the model was" if len(infos) == 1 else "the networks were"
        found.append(Check("range", f"{INSIDE} {who} trained on: {listed(inside)}{told}"))
    return tuple(found)


def _unrecorded(missing: Mapping[str, list[str]]) -> str:
    """Which models do not record what they were trained on, those that lack the same together."""
    together: dict[tuple[str, ...], list[str]] = {}
    for name, lacks in missing.items():
        together.setdefault(tuple(lacks), []).append(name)
    said = (
        f"{listed(names)} {'does' if len(names) == 1 else 'do'} not record the {listed(lacks)} of "
        f"{'its' if len(names) == 1 else 'their'} training"
        for lacks, names in together.items()
    )
    return f"{_CANNOT}: {'; '.join(said)}"


def listed(words: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _within(value: float, limits: tuple[float, ...], slack: float) -> bool:
    return limits[0] / slack <= value <= limits[1] * slack


def _noise(info: ModelInfo) -> tuple[float, ...]:
    return (0.0, info.noise[1]) if info.noise else ()


def _periods(info: ModelInfo) -> tuple[float, ...]:
    if not info.periods_px or info.periods_px[1] < _LONGEST_PX:
        return info.periods_px
    return (info.periods_px[0], np.inf)
