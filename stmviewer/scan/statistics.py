"""Numbers that describe a region, and the heights of steps."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import FloatArray

#: bins of the histogram that terraces are looked for in
_BINS = 512
#: a terrace has at least this part of the pixels, and its peak this part of the highest one
_LEAST_SHARE, _LEAST_PEAK = 0.03, 0.12
#: pixels of an image are alike to their neighbours: one in so many counts as a value of its own
_ALIKE = 25
_MOST_VALUES = 1_000_000


@dataclass(frozen=True)
class Statistics:
    """Of the measured values of a region, in their unit; `skew` and `kurtosis` (0 for a Gaussian) have none.

    `rms` (Sq) and `mean_deviation` (Sa, Ra) are about the mean, as in ISO 25178.
    """

    count: int
    mean: float
    median: float
    least: float
    most: float
    rms: float
    mean_deviation: float
    skew: float
    kurtosis: float


def statistics_of(data: FloatArray) -> Statistics:
    """Of the finite values of any array. Raises RequestError where there are none."""
    values = data[np.isfinite(data)]
    if not values.size:
        raise RequestError("nothing was measured in this region")
    mean = float(values.mean())
    off = values - mean
    rms = float(np.sqrt(np.mean(off**2)))
    if rms > 1e-12 * max(abs(mean), float(np.abs(values).max())):
        skew, kurtosis = float(np.mean((off / rms) ** 3)), float(np.mean((off / rms) ** 4)) - 3
    else:
        skew = kurtosis = 0.0
    return Statistics(
        int(values.size),
        mean,
        float(np.median(values)),
        float(values.min()),
        float(values.max()),
        rms,
        float(np.mean(np.abs(off))),
        skew,
        kurtosis,
    )


@dataclass(frozen=True)
class Terrace:
    """A peak of the histogram: its height, its part of the pixels, and how broad it is (robust deviation)."""

    height: float
    share: float
    spread: float


@dataclass(frozen=True)
class Histogram:
    """Counts over heights (bin centres), smoothed, and the terraces in it from the lowest up."""

    heights: FloatArray
    counts: FloatArray
    terraces: tuple[Terrace, ...]

    @property
    def steps(self) -> list[float]:
        """Heights from one terrace to the next."""
        return [b.height - a.height for a, b in pairwise(self.terraces)]


def terraces_of(data: FloatArray) -> Histogram:
    """The terraces of a levelled image, by the peaks of its height histogram.

    The histogram is smoothed by half the noise between neighbouring pixels, or by what the number of pixels asks for,
    so that chance makes no peaks. Each pixel belongs to the peak whose side of the valleys it is on; the height
    of a terrace is the median of its pixels within one width of the peak. Raises RequestError for too few values.
    """
    from scipy.ndimage import gaussian_filter1d

    values = data[np.isfinite(data)]
    if values.size < 64:
        raise RequestError(f"{values.size} measured pixels are too few for a histogram; 64 is the least")
    if values.size > _MOST_VALUES:
        values = np.random.default_rng(0).choice(values, _MOST_VALUES, replace=False)
    low, high = (float(v) for v in np.percentile(values, (0.1, 99.9)))
    if not high > low:
        raise RequestError("the region is flat: there are no steps in it")
    room = 0.05 * (high - low)
    counts, edges = np.histogram(values, _BINS, (low - room, high + room))
    centres = 0.5 * (edges[1:] + edges[:-1])
    width = float(edges[1] - edges[0])
    # Silverman's rule, no more than a fortieth of the range, or many terraces would become one
    rule = min(0.9 * float(values.std()) * (values.size / _ALIKE) ** -0.2, 0.025 * (high - low))
    sigma = max(_noise(data) / 2, rule) / width
    smooth: FloatArray = gaussian_filter1d(counts.astype(np.float64), sigma)
    peaks = _prominent(smooth, _LEAST_PEAK * float(smooth.max()))
    valleys = [0, *(a + int(np.argmin(smooth[a:b])) for a, b in pairwise(peaks)), _BINS]
    found = []
    for peak, start, stop in zip(peaks, valleys, valleys[1:], strict=False):
        inside = values[(values >= edges[start]) & (values < edges[stop])]
        share = inside.size / values.size
        if share < _LEAST_SHARE:
            continue
        spread = 1.4826 * float(np.median(np.abs(inside - centres[peak])))
        near = inside[np.abs(inside - centres[peak]) <= max(spread, width)]
        found.append(Terrace(float(np.median(near)) if near.size else float(centres[peak]), share, spread))
    return Histogram(centres, smooth, tuple(found))


def _prominent(curve: FloatArray, least: float) -> list[int]:
    """Places of the maxima that rise by `least` over the higher of the valleys to a higher one at either side."""
    inner = (curve[1:-1] > curve[:-2]) & (curve[1:-1] >= curve[2:])
    found = []
    for at in np.flatnonzero(inner) + 1:
        higher = np.flatnonzero(curve > curve[at])
        left = higher[higher < at].max(initial=-1) + 1
        right = higher[higher > at].min(initial=curve.size)
        ground = max(float(curve[left : at + 1].min()), float(curve[at:right].min()))
        if curve[at] - ground >= least:
            found.append(int(at))
    return found


def _noise(data: FloatArray) -> float:
    """The robust deviation between neighbours along the lines, over the root of two."""
    if data.ndim != 2 or data.shape[1] < 2:
        return 0.0
    steps = np.diff(data, axis=1)
    steps = steps[np.isfinite(steps)]
    return 1.4826 * float(np.median(np.abs(steps))) / float(np.sqrt(2)) if steps.size else 0.0


@dataclass(frozen=True)
class StepFit:
    """A step across a profile: `height` with its standard error, where it is, and the two parallel lines."""

    height: float
    error: float
    position: float
    slope: float
    offset: float

    def lower(self, distance: FloatArray) -> FloatArray:
        """The line before the step."""
        result: FloatArray = self.offset + self.slope * distance
        return result

    def upper(self, distance: FloatArray) -> FloatArray:
        """The line after the step."""
        return self.lower(distance) + self.height


def step_across(distance: FloatArray, height: FloatArray) -> StepFit:
    """The height of the one step that a profile crosses, after ISO 5436-1: two parallel lines, the edge left out.

    z = a + b x + h s, with s = 0 before and 1 after the edge, is fitted by least squares to what lies outside of a
    sixth of the profile about the edge; the edge is where that fit is best. Raises RequestError for short profiles.
    """
    known = np.isfinite(height)
    x, z = distance[known], height[known]
    if x.size < 12:
        raise RequestError("the profile has too few measured points for a step; 12 is the least")
    length = float(x[-1] - x[0])
    best: tuple[float, StepFit] | None = None
    for edge in np.linspace(x[0] + 0.2 * length, x[-1] - 0.2 * length, 61):
        used = np.abs(x - edge) > length / 12
        after = (x > edge)[used].astype(np.float64)
        if used.sum() < 8 or not 3 <= after.sum() <= used.sum() - 3:
            continue
        design = np.stack([np.ones(int(used.sum())), x[used] - x[0], after], axis=1)
        solution = np.linalg.lstsq(design, z[used], rcond=None)[0]
        residual = z[used] - design @ solution
        variance = float(residual @ residual) / (len(residual) - 3)
        error = float(np.sqrt(variance * np.linalg.inv(design.T @ design)[2, 2]))
        fit = StepFit(
            float(solution[2]), error, float(edge), float(solution[1]), float(solution[0] - solution[1] * x[0])
        )
        if best is None or variance < best[0]:
            best = variance, fit
    if best is None:
        raise RequestError("no step can be fitted to this profile")
    return best[1]
