"""How like real degraded images simulated ones are: the marks of each image, and distances of their distributions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from stmviewer.scan import FloatArray, Progress
from stmviewer.scan import marks as m

_LAGS = np.array([1, 2, 4, 8, 16])
_PARTS = (0.01, 0.05, 0.25, 0.75, 0.95, 0.99)
#: half octaves, named by the wavelength (px) at their lower edge
_BANDS = tuple(f"{1 / f:.3g} px" for f in m.BAND_EDGES[:-1])
#: a spread smaller than this part of the range of both sets is no unit to measure in
_LEAST_SPREAD = 0.05

Values = dict[str, FloatArray]


@dataclass(frozen=True)
class Family:
    """One kind of mark: its `title`, the names of its numbers, and how they are taken of a normalised image."""

    name: str
    title: str
    members: tuple[str, ...]
    take: Callable[[FloatArray], FloatArray]


def _apart(z: FloatArray, axis: int) -> FloatArray:
    # 0.99 and 0.999 are as different as 0.9 and 0.99: what is lost counts, not what is kept
    return np.log10(np.maximum(1 - m.correlation(z, _LAGS, axis), 1e-4))


def _streaks(z: FloatArray) -> FloatArray:
    found = m.streaks(z)
    # counts and lengths span decades: none is one scar in a thousand lines
    return np.array([np.log10(found.per_line + 1e-3), np.log10(found.length_px + 1.0)])


def _jumps(z: FloatArray) -> FloatArray:
    jump = m.largest_jump(z)
    steps = m.line_steps(z)
    walk = 1.4826 * float(np.median(np.abs(steps)))
    usual, largest = np.log10(walk + 1e-3), np.log10(np.abs(steps).max() + 1e-3)
    return np.array([np.log10(max(jump.size, 0.1)), jump.contrast, usual, largest])


def _noise(z: FloatArray) -> FloatArray:
    return np.log10(np.array([m.noise(z, 0), m.noise(z, 1)]) + 1e-3)


def _asymmetry(z: FloatArray) -> FloatArray:
    return np.array([m.slope_skewness(z, 1), m.slope_skewness(z, 0)])


#: everything that is compared
FAMILIES: tuple[Family, ...] = (
    Family(
        "lines",
        "Correlation of lines (log10 of 1 - C)",
        tuple(f"{k} lines apart" for k in _LAGS),
        lambda z: _apart(z, 0),
    ),
    Family(
        "pixels",
        "Correlation along lines (log10 of 1 - C)",
        tuple(f"{k} px apart" for k in _LAGS),
        lambda z: _apart(z, 1),
    ),
    Family("spectrum", "Radial power spectrum", _BANDS, m.radial_spectrum),
    Family(
        "anisotropy",
        "Power along slow / fast axis",
        _BANDS,
        lambda z: m.axis_spectrum(z, 0) - m.axis_spectrum(z, 1),
    ),
    Family(
        "heights",
        "Height histogram",
        (*(f"{100 * q:g} %" for q in _PARTS), "skewness"),
        lambda z: np.append(m.quantiles(z, _PARTS), m.skewness(z)),
    ),
    Family("scars", "Scars", ("a line (log10)", "length (log10 px)"), _streaks),
    Family("jumps", "Jumps between lines", ("largest (log10)", "contrast", "usual (log10)", "step (log10)"), _jumps),
    Family("noise", "Noise (log10)", ("between lines", "along lines"), _noise),
    Family("asymmetry", "Skewness of slopes", ("fast axis", "slow axis"), _asymmetry),
)


def marks_of(image: FloatArray) -> Values:
    """The numbers of every family for one image (rows, columns), by the family's name.

    The image is first flattened line by line and normalised, so that one which a program has flattened and stretched
    to 8 bits compares with one in metres.
    """
    z = m.normalised(m.flatten_lines(image))
    return {family.name: family.take(z) for family in FAMILIES}


def measure(images: Sequence[FloatArray], progress: Progress) -> Values:
    """The numbers of many images; arrays (images, members) by the family's name."""
    rows = []
    for image in images:
        progress.tick()
        rows.append(marks_of(image))
    return {family.name: np.array([row[family.name] for row in rows]) for family in FAMILIES}


def spread_of(real: FloatArray) -> FloatArray:
    """The unit of distances: the standard deviation of the middle of the real values (half the 16 to 84 % range),
    along the first axis.

    Where most real images agree (none has a scar) it is a part of the standard deviation of all of them.
    """
    low, high = np.percentile(real, (16, 84), axis=0)
    spread: FloatArray = np.maximum((high - low) / 2, 0.3 * real.std(axis=0))
    return spread


def wasserstein(one: FloatArray, other: FloatArray) -> float:
    """Wasserstein-1 distance of two samples: the area between their cumulative distributions; in their own unit."""
    one, other = np.sort(one), np.sort(other)
    if not (len(one) and len(other)):
        return float("nan")
    every = np.sort(np.concatenate([one, other]))
    step = np.diff(every)
    below_one = np.searchsorted(one, every[:-1], side="right") / len(one)
    below_other = np.searchsorted(other, every[:-1], side="right") / len(other)
    return float(np.sum(np.abs(below_one - below_other) * step))


def member_distances(real: FloatArray, simulated: FloatArray) -> FloatArray:
    """W1 of each member of a family in units of the real spread, (members,); NaN where neither has a value."""
    if real.shape == simulated.shape and np.isfinite(real).all() and np.isfinite(simulated).all():
        return _distances_of_equally_many(real, simulated)
    result = np.full(real.shape[1], np.nan)
    for k in range(real.shape[1]):
        a, b = (x[np.isfinite(x[:, k]), k] for x in (real, simulated))
        if not (len(a) and len(b)):
            continue
        spread = max(float(spread_of(a)), _LEAST_SPREAD * float(np.ptp(np.concatenate([a, b]))))
        result[k] = wasserstein(a, b) / spread if spread > 0 else 0.0
    return result


def _distances_of_equally_many(real: FloatArray, simulated: FloatArray) -> FloatArray:
    """All members at once: the k-th smallest of one sample moves to the k-th smallest of the other."""
    moved = np.abs(np.sort(real, axis=0) - np.sort(simulated, axis=0)).mean(axis=0)
    everything = np.ptp(np.concatenate([real, simulated]), axis=0)
    spread = np.maximum(spread_of(real), _LEAST_SPREAD * everything)
    result: FloatArray = np.divide(moved, spread, out=np.zeros_like(moved), where=spread > 0)
    return result


def spectrum_error(real: Values, simulated: Values) -> float:
    """RMS over the bands of the difference of the mean log10 radial spectra."""
    difference = np.nanmean(simulated["spectrum"], axis=0) - np.nanmean(real["spectrum"], axis=0)
    return float(np.sqrt(np.nanmean(difference**2)))


@dataclass(frozen=True)
class Distance:
    """One simulated set against the real one. `families` is the mean W1 of each family's members in real spreads;
    `total` the mean of the families, `interval` its 95 % interval, `spectrum_error` as the function of that name."""

    name: str
    families: dict[str, float]
    total: float
    interval: tuple[float, float]
    spectrum_error: float


def family_distances(real: Values, simulated: Values) -> dict[str, float]:
    """Mean over the members of each family of the W1 in units of the real spread."""
    return {f.name: float(np.nanmean(member_distances(real[f.name], simulated[f.name]))) for f in FAMILIES}


def total(families: dict[str, float]) -> float:
    """The mean of the families: each counts the same, however many members it has."""
    return float(np.mean(list(families.values())))


def distance(
    name: str,
    real: Values,
    simulated: Values,
    groups: Sequence[str],
    *,
    draws: int = 60,
    progress: Progress | None = None,
) -> Distance:
    """The distances of a simulated set whose image i was made for real image i, which belongs to `groups[i]`.

    The interval is by bootstrap over whole groups (sessions, places): images of one are not independent, and the
    simulated images go with the real ones they were made for. NaN for a single group.
    """
    ticks = (progress or Progress()).part(1.0, total=draws)
    families = family_distances(real, simulated)
    names = np.unique(groups)
    members = [np.nonzero(np.asarray(groups) == n)[0] for n in names]
    rng = np.random.default_rng(0)
    totals = []
    for _ in range(draws if len(names) > 1 else 0):
        ticks.tick()
        pick = np.concatenate([members[k] for k in rng.integers(len(names), size=len(names))])
        totals.append(total(family_distances(_rows(real, pick), _rows(simulated, pick))))
    middle = total(families)
    low, high = np.percentile(totals, (2.5, 97.5)) if totals else (float("nan"), float("nan"))
    # drawing sessions twice makes a set smaller, and distances of smaller sets are larger: that is taken off again
    bias = float(np.mean(totals)) - middle if totals else 0.0
    interval = (float(low) - bias, float(high) - bias)
    return Distance(name, families, middle, interval, spectrum_error(real, simulated))


def _rows(values: Values, pick: np.ndarray) -> Values:
    return {name: array[pick] for name, array in values.items()}


def among_real(real: Values, groups: Sequence[str], *, draws: int = 20) -> dict[str, float]:
    """How far real images are from other real ones: the families' distances of one half of the groups to the other,
    mean over random halves. What a perfect simulation would score, about. NaN with fewer than two groups."""
    names = np.unique(groups)
    if len(names) < 2:
        return {family.name: float("nan") for family in FAMILIES}
    rng = np.random.default_rng(0)
    found = []
    for _ in range(draws):
        half = rng.permutation(names)[: len(names) // 2]
        inside = np.isin(np.asarray(groups), half)
        found.append(family_distances(_rows(real, np.nonzero(~inside)[0]), _rows(real, np.nonzero(inside)[0])))
    return {family.name: float(np.mean([one[family.name] for one in found])) for family in FAMILIES}
