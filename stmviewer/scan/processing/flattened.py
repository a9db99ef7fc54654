"""The shadows that flattening line by line leaves beside high features, and under them.

Programs of microscopes often take its mean, or a straight line, from each line of a scan before they write it. A line
that crosses something high is then too low everywhere else, and a network that sees its surroundings alone takes that
for the surface. Such scans can be told exactly: the means (and slopes) of their lines are all the same, whatever the
lines show. Fitted again without the features (as the masked row alignment of Gwyddion), the lines say how far each of
them is too low. Where little of a line is no feature, it goes on from its neighbours.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from stmviewer.scan.geometry import BoolArray, FloatArray
from stmviewer.scan.levelling import strips

_MAD = 1.4826
_LEAST_ROWS, _LEAST_COLUMNS, _MOST_COLUMNS = 16, 32, 512
#: of scans with more lines some are averaged: from line to line features change too little there to stand out
_LINES = 256
#: features stand out by so many robust deviations; they are grown by so many pixels, and looked for so many times
_STANDS_OUT, _GROWN, _ROUNDS = 3.0, 3, 5
#: a line is fitted where this part of it is no feature and, for its slope, reaches over that part of its width; so many
#: of the lines must be
_FREE, _REACH, _FITTED = 0.35, 0.6, 0.5
#: the means of all lines vary by less than this part of what the fits without features do
_SAME = 0.1
#: how sure the fit of a line is: its deviation (robust deviations of the image) without features, what these add by
#: their part of the line, and what they add beyond that part; and of the difference to the next line, at least
_SURE, _BY_FEATURES, _BY_MORE, _MORE, _NEXT = 0.003, 0.3, 3.0, 0.25, 0.01
#: tilts of lines are told less well than their heights; weight that a line without a fit has
_TILTS, _HARDLY = 1.8, 1e-9
#: robust fit of differences: Tukey's biweight, rounds, and what makes it less than certain
_TUKEY, _TURNS = 2.5, 8
_DIFFERENCES = 1.5
#: what is taken out of the lines that need it most, and of half of them, in robust deviations of the image
_LEAST, _MOST_NEEDING, _MOST = 1.0, 98.0, 1.5
#: where the levels change, lines are off their neighbours by less than this part of what they were before: terraces are
#: not, for nothing tells which part of a line is the feature there
_STEADIER = 0.7


@dataclass(frozen=True, eq=False)
class LineLevels:
    """What was wrongly taken from the lines of a scan, in its unit: of line k it is `heights[k]` in the middle, and
    `tilts[k]` more at its right end, less at its left one. `width` (pixels) is that of the lines."""

    heights: FloatArray
    tilts: FloatArray
    width: int

    def taken_from(self, image: FloatArray) -> FloatArray:
        """The image (rows, columns) less these heights."""
        result: FloatArray = image - self.heights[:, None]
        if self.with_slopes:
            across = _across(self.width)
            for some in strips(len(image)):
                result[some] -= np.outer(self.tilts[some], across)
        return result

    @property
    def highest(self) -> float:
        """The largest height of any line, without its sign."""
        return float((np.abs(self.heights) + np.abs(self.tilts)).max())

    @property
    def with_slopes(self) -> bool:
        """Whether a straight line was taken from each line, not its mean alone."""
        return bool(self.tilts.any())


class _Levelled(NamedTuple):
    """The `levels` of lines (rows, degree + 1), and the pixels of features (rows, columns)."""

    levels: FloatArray
    features: BoolArray


def find_line_levels(image: FloatArray) -> LineLevels | None:
    """What flattening took wrongly from the lines of an image (rows, columns) without gaps.

    None where it was not flattened, or has no features that matter, or where the lines without features say no more.
    """
    rows, columns = image.shape
    if rows < _LEAST_ROWS or columns < _LEAST_COLUMNS:
        return None
    level = _averaged(image, 1, -(-columns // _MOST_COLUMNS))
    lines = _lines(level, np.ones(level.shape, dtype=np.bool_), 1)
    means, slopes = (_variation(values) for values in lines.T)
    level -= (lines[:, 0] - _steadied(lines[:, 0]))[:, None] + np.median(lines[:, 1]) * _across(level.shape[1])
    spread = _spread(level)
    if spread <= 0 or means > _SAME * _variation(np.median(level, axis=1)):
        return None
    together = max(1, rows // _LINES)
    small = _averaged(level, together, 1)
    steps, certain = _steps(small)
    for degree in (1, 0):
        found = _levelled(small, steps[:, : degree + 1], certain)
        if found is None:
            continue
        varied = [_variation(values) for values in found.levels.T]
        if means >= _SAME * varied[0] or (degree == 1 and slopes >= _SAME * varied[1]):
            continue
        needed = np.abs(found.levels).sum(axis=1)
        if np.percentile(needed, _MOST_NEEDING) < _LEAST * spread or np.median(needed) > _MOST * spread:
            return None
        changes = np.zeros(steps.shape)
        changes[:, : degree + 1] = np.diff(found.levels, axis=0)
        weight = _size(changes)
        if weight @ _size(steps - changes) >= _STEADIER * (weight @ _size(steps)):
            return None
        levels = _of_each_line(level, found, together)
        return LineLevels(levels[:, 0], levels[:, 1] if degree else np.zeros(rows), columns)
    return None


def _averaged(image: FloatArray, down: int, across: int) -> FloatArray:
    """A copy, averaged over so many lines and along them: no mean of a line changes, no slope to speak of."""
    rows, columns = image.shape[0] // down, image.shape[1] // across
    blocks = image[: rows * down, : columns * across].reshape(rows, down, columns, across)
    result: FloatArray = blocks.mean(axis=(1, 3))
    return result


def _of_each_line(level: FloatArray, found: _Levelled, together: int) -> FloatArray:
    """The levels of every line (rows, degree + 1), of which `found` has those of so many lines together: lines with few
    features say it themselves, others lie between."""
    if together == 1:
        return found.levels
    lines = np.arange(len(level))
    middles = (np.arange(len(found.levels)) + 0.5) * together - 0.5
    between = np.stack([np.interp(lines, middles, values) for values in found.levels.T], axis=1)
    features = found.features[np.minimum(lines // together, len(found.features) - 1)]
    fits = _lines(level, ~features, found.levels.shape[1] - 1)
    own = (features.mean(axis=1) < _MORE)[:, None] & np.isfinite(fits)
    result: FloatArray = np.where(own, fits, between)
    return result


def _across(columns: int) -> FloatArray:
    return np.linspace(-1.0, 1.0, columns)


def _spread(values: FloatArray) -> float:
    return _MAD * float(np.median(np.abs(values - np.median(values))))


def _variation(values: FloatArray) -> float:
    """How much a number of each line varies from line to line, but for a steady trend."""
    return float(_steadied(values).std())


def _steadied(values: FloatArray) -> FloatArray:
    """A number of each line less its mean and trend over the lines, which is a tilt of the whole image."""
    at = _across(len(values))
    rest = values - values.mean()
    result: FloatArray = rest - at * (at @ rest) / (at @ at)
    return result


def _levelled(level: FloatArray, steps: FloatArray, certain: float) -> _Levelled | None:
    """The lines fitted where they show no feature; None where too few of them can be. `steps` (rows - 1, degree + 1)
    are those of `_steps`."""
    from scipy.ndimage import binary_dilation

    degree = steps.shape[1] - 1
    basis = _basis(level.shape[1], degree)
    image, levels = level, np.zeros((len(level), degree + 1))
    features = np.zeros(level.shape, dtype=np.bool_)
    for turn in range(_ROUNDS):
        # at first a deep shadow stands out of the image as much as what throws it, but most of a line is its ground
        middle = np.median(image, axis=None if turn else 1, keepdims=True)
        spread = _spread(image)
        features = binary_dilation(np.abs(image - middle) > _STANDS_OUT * spread, iterations=_GROWN)
        fits = _lines(level, ~features, degree)
        if np.isfinite(fits[:, 0]).mean() < _FITTED:
            return None
        part = features.mean(axis=1)
        unsure = spread * (_SURE + _BY_FEATURES * part + _BY_MORE * np.clip(part - _MORE, 0, None))
        levels = _joined(fits, unsure, steps, max(_DIFFERENCES * certain, _NEXT * spread))
        image = level - levels @ basis
    return _Levelled(levels, features)


def _basis(columns: int, degree: int) -> FloatArray:
    return np.stack([np.ones(columns), _across(columns)][: degree + 1])


def _steps(level: FloatArray) -> tuple[FloatArray, float]:
    """By how much each line is higher and tilts more than the one before, as most of its pixels say (rows - 1, 2), and
    the deviation of that: a surface goes on from line to line."""
    apart = np.diff(level, axis=0)
    half = level.shape[1] // 2
    basis = _basis(level.shape[1], 1)
    steps = np.zeros((len(apart), 2))
    steps[:, 1] = np.median(apart[:, half:], axis=1) - np.median(apart[:, :half], axis=1)
    steps[:, 0] = np.median(apart - steps[:, 1:] * basis[1], axis=1)
    spread = np.zeros((len(apart), 1))
    for _ in range(_TURNS):
        rest = apart - steps @ basis
        spread = _MAD * np.median(np.abs(rest), axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            weight = np.where(spread > 0, np.clip(1 - (rest / (_TUKEY * spread)) ** 2, 0, None) ** 2, rest == 0)
        steps = _weighted_lines(apart, weight, basis[1])
    return steps, float(np.median(spread)) / np.sqrt(level.shape[1])


def _weighted_lines(values: FloatArray, weight: FloatArray, x: FloatArray) -> FloatArray:
    """Height at 0 and slope of the straight lines through values (rows, columns) at `x` that weigh so much."""
    total = weight.sum(axis=1)
    centre, mean = weight @ x / total, (weight * values).sum(axis=1) / total
    apart = weight @ x**2 - total * centre**2
    tilt = ((weight * values) @ x - total * centre * mean) / np.maximum(apart, 1e-9 * total)
    result: FloatArray = np.stack([mean - tilt * centre, tilt], axis=1)
    return result


def _joined(fits: FloatArray, unsure: FloatArray, steps: FloatArray, certain: float) -> FloatArray:
    """The levels (rows, terms) that agree best with the fits of single lines, each as sure as it is, and with the
    differences between them: least squares."""
    from scipy.linalg import solveh_banded

    levels = np.empty_like(fits)
    for term, (fit, step) in enumerate(zip(fits.T, steps.T, strict=True)):
        known = np.isfinite(fit)
        weight = np.where(known, 1 / unsure**2, _HARDLY / unsure.max() ** 2)
        between = 1 / (certain * (_TILTS if term else 1.0)) ** 2
        diagonal, right = weight.copy(), weight * np.where(known, fit, 0.0)
        diagonal[1:] += between
        diagonal[:-1] += between
        right[1:] += between * step
        right[:-1] -= between * step
        beside = np.full(len(fit), -between)
        levels[:, term] = solveh_banded(np.stack([beside, diagonal]), right)
    return levels


def _lines(image: FloatArray, free: BoolArray, degree: int) -> FloatArray:
    """Mean, and for degree 1 slope, of the `free` pixels of each line (rows, degree + 1); NaN where these are few."""
    x = _across(image.shape[1])
    count = free.sum(axis=1)
    enough = count >= _FREE * image.shape[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(free, image, 0.0).sum(axis=1) / count
        if degree == 0:
            return np.where(enough, mean, np.nan)[:, None]
        centre = (free @ x) / count
        apart = np.where(free, x - centre[:, None], 0.0)
        slope = (apart * image).sum(axis=1) / (apart**2).sum(axis=1)
    first = np.argmax(free, axis=1)
    last = image.shape[1] - 1 - np.argmax(free[:, ::-1], axis=1)
    enough &= last - first >= _REACH * image.shape[1]
    result: FloatArray = np.where(enough, [mean - slope * centre, slope], np.nan).T
    return result


def _size(steps: FloatArray) -> FloatArray:
    """Of steps between lines (lines, 2): of their heights, and half as much of their tilts."""
    result: FloatArray = np.abs(steps) @ [1.0, 0.5]
    return result
