"""The sharp peaks in the spectrum of what a sparse scan measured."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stmviewer.restore.cells.seen import Seen
from stmviewer.scan import FloatArray

#: so many times the points of the transform are worked out, so that peaks have a shape
_PADDED = 3
#: beyond these percentiles of the values stand adsorbates and spikes, not a lattice
_CLIPPED = (2.0, 98.0)
#: a peak stands out of the median of its ring of equal frequency by this (natural logarithm of power), of scattered
#: pixels, whose spectrum is noise, by more; no background is lower than this part of the strongest peak
_STANDS_OUT, _OF_SCATTERED, _FLOOR = 2.0, 3.0, 1e-6
#: no power at all
_NONE = 1e-30
#: the strongest ones are enough, and fewer waves than this across the scan are hills
_MOST, _LEAST_WAVES = 24, 2.5


class Peaks(NamedTuple):
    """The strongest first: `waves` (n, 2; x and y, cycles a pixel), how far each stands out of its surroundings
    (`heights`, natural logarithm of power), and `amplitudes` in arbitrary units."""

    waves: FloatArray
    heights: FloatArray
    amplitudes: FloatArray


def peaks_of(seen: Seen) -> Peaks:
    """The sharp peaks among the waves that the gaps carry; longer or shorter ones look as their aliases there."""
    from scipy.ndimage import maximum_filter

    power, x, y = _spectrum(seen)
    extent = seen.extent
    waves_across = np.hypot(x[None, :] * extent[0], y[:, None] * extent[1]).astype(np.float32)
    surroundings = _medians(power, waves_across)
    heights = np.log((power + _NONE) / (surroundings + _FLOOR * power.max() + _NONE))
    half = (x[None, :] > 0) | ((x[None, :] == 0) & (y[:, None] > 0))  # k and -k are the same wave
    candidates = (
        half & (heights > (_STANDS_OUT if seen.known is None else _OF_SCATTERED)) & (waves_across > _LEAST_WAVES)
    )
    candidates &= power == maximum_filter(power, size=2 * _PADDED + 1)
    candidates[[0, -1]] = False
    candidates[:, [0, -1]] = False
    at = np.argwhere(candidates)
    at = at[np.argsort(-power[candidates], kind="stable")][:_MOST]
    waves = np.empty((len(at), 2))
    for k, (r, c) in enumerate(at):
        waves[k] = (
            x[c] + _vertex(power[r, c - 1 : c + 2]) * (x[1] - x[0]),
            y[r] + _vertex(power[r - 1 : r + 2, c]) * (y[1] - y[0]),
        )
    strongest = tuple(at.T)
    return Peaks(waves, heights[strongest].astype(np.float64), np.sqrt(power[strongest].astype(np.float64)))


def _spectrum(seen: Seen) -> tuple[NDArray[np.float32], FloatArray, FloatArray]:
    """The power (y, x) of what was measured, under a Hann window, at frequencies x and y (cycles a pixel): the half
    of it with x >= 0, and a few columns of the other one beside it."""
    from scipy.fft import next_fast_len, rfft2

    seen = seen.evenly()
    inside = seen.values if seen.known is None else seen.values[seen.known > 0]
    low, high = np.percentile(inside, _CLIPPED)
    values = np.clip(seen.values, low, high)
    values -= np.clip(inside, low, high).mean()
    if seen.known is not None:
        values *= seen.known
    values *= np.outer(*(np.hanning(count + 2)[1:-1] for count in values.shape))
    shape = [next_fast_len(_PADDED * count) for count in values.shape]
    size = float(np.abs(values).max()) or 1.0
    transform = rfft2((values / size).astype(np.float32), shape)
    power = np.fft.fftshift(np.abs(transform) ** 2, axes=0)
    y = np.fft.fftshift(np.fft.fftfreq(shape[0], seen.gaps[1]))
    x = np.fft.rfftfreq(shape[1], seen.gaps[0])
    beside = _PADDED + 1
    opposite = np.roll(power[::-1, beside:0:-1], 1 - shape[0] % 2, axis=0)
    return np.concatenate([opposite, power], axis=1), np.concatenate([-x[beside:0:-1], x]), y


def _medians(power: NDArray[np.float32], waves_across: NDArray[np.float32]) -> NDArray[np.float32]:
    """The median of each ring, in its place; neighbouring points of a padded transform say the same.

    The points that are taken lie alike on both sides of zero, so that a mirrored image has the same medians.
    """
    rings = np.rint(waves_across).astype(np.int32)
    first = [int(at) % _PADDED for at in np.unravel_index(int(waves_across.argmin()), waves_across.shape)]
    ring, value = (a[first[0] :: _PADDED, first[1] :: _PADDED].ravel() for a in (rings, power))
    order = np.argsort(ring, kind="stable")
    counts = np.bincount(ring, minlength=int(rings.max()) + 1)
    ends = np.cumsum(counts)
    value = value[order]
    medians = np.array([np.median(value[e - n : e]) if n else np.nan for n, e in zip(counts, ends, strict=True)])
    known = np.nonzero(counts)[0]
    medians = np.interp(np.arange(len(medians)), known, medians[known])
    return np.asarray(medians.astype(np.float32)[rings])


def _vertex(three: NDArray[np.float32]) -> float:
    """Where between -1/2 and 1/2 a parabola through the logarithms of three values is highest."""
    before, at, after = np.log(three.astype(np.float64) + _NONE)
    curve = before - 2 * at + after
    return float(np.clip(0.5 * (before - after) / curve, -0.5, 0.5)) if curve < 0 else 0.0
