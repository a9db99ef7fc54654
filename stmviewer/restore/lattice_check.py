"""Lattice check: whether the periodicities of a restored image are those of what was measured.

The amplitude of a wave k in the image, A(k) = |sum w f exp(-ikx)| / sum w with a Hann window w, is compared with the
same sum over the measured pixels alone, w = Hann x mask. On a regular mask the second cannot tell k from its aliases
k + q, where q are the peaks of the mask's own spectrum: a wave that has a longer-waved alias cannot be verified,
however well it agrees. On random masks there are no such q, and every wave can be judged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from stmviewer.restore.checks import Check
from stmviewer.scan import BoolArray, FloatArray, Geometry
from stmviewer.scan.levelling import fit_plane

#: scans are cut to this many pixels a side about their centre: a lattice is everywhere
_MOST = 1024
#: smaller images have no room between their peaks
_LEAST = 32
#: waves longer than a third of the image are steps and slow background
_LONGEST = 3.0
#: a peak stands so far over the ring of its frequency, over what is 3 to 4 bins away, and against the strongest
_OVER_RING, _OVER_AROUND, _OF_STRONGEST = 6.0, 2.0, 0.2
#: a wave is supported by a measurement that has this share of its amplitude
_SUPPORTED = 0.35
#: shifts that the mask's spectrum has this strongly (of its mean) are aliases
_ALIAS = 0.5
_MOST_PEAKS = 24
#: a wave of the measured part is more than this over what stronger ones leak there
_OVER_LEAK = 1.5

Kind = Literal["invented", "vanished", "unverified", "imprint"]


@dataclass(frozen=True)
class Finding:
    """A wave that is not as it should be: bins (row, column) of its frequency, and its amplitude in the image."""

    kind: Kind
    bins: tuple[int, int]
    amplitude: float


def findings(image: FloatArray, raw: FloatArray, measured: BoolArray) -> list[Finding]:
    """The waves of `image` that the measurement does not support, cannot tell from others, or has and the image lacks.

    An imprint is a wave with the very period of a regular mask.

    `raw` holds the measurement where `measured`; all (rows, columns) in one unit. The strongest of each kind first.
    """
    image, raw, measured = (_centre(a) for a in (image, raw, measured))
    if min(image.shape) < _LEAST or measured.sum() < _LEAST**2 / 4:
        return []
    given = np.where(measured, raw, 0.0)
    level = fit_plane(raw, measured)
    rows, columns = (np.hanning(n + 2)[1:-1] for n in image.shape)
    window = rows[:, None] * columns[None, :]
    shown = _amplitude(image - level, window)
    known = _amplitude(np.where(measured, given - level, 0.0), window * measured)
    sampling = _sampling(window * measured)
    aliases = _aliases(sampling)
    # a wave falls between bins: the largest of the neighbours is its amplitude
    shown_near, known_near = _largest_near(shown), _largest_near(known)
    found = []
    for at in _peaks(shown):
        if known_near[at] < _SUPPORTED * shown[at] and known_near[at] < shown[at] - 3 * float(np.median(known)):
            found.append(Finding("invented", at, float(shown[at])))
        elif any(max(abs(a - b) for a, b in zip(at, q, strict=True)) <= 1 for q in aliases):
            found.append(Finding("imprint", at, float(shown[at])))
        elif _has_longer_alias(at, aliases, image.shape):
            found.append(Finding("unverified", at, float(shown[at])))
    before: list[tuple[int, int]] = []
    for at in _peaks(known):
        others = [_moved(at, q, image.shape) for q in aliases]
        if _has_longer_alias(at, aliases, image.shape):
            continue  # judged at that alias
        if known[at] < _OVER_LEAK * _leaked(at, before, known, sampling):
            continue  # a side lobe that random lines give to a stronger wave
        before.append(at)
        if max(float(shown_near[k]) for k in [at, *others]) < _SUPPORTED * known[at]:
            found.append(Finding("vanished", at, float(known[at])))
    return sorted(found, key=lambda f: -f.amplitude)


def lattice_checks(
    image: FloatArray, raw: FloatArray, measured: BoolArray, geometry: Geometry, task: str
) -> tuple[Check, ...]:
    """What is to be said of the periodicities of a restored image, in plain words; nothing when all is well."""
    found = findings(image, raw, measured)
    checks = []
    for kind, text in _texts(task).items():
        waves = [f for f in found if f.kind == kind]
        if waves:
            frame = tuple(min(n, _MOST) for n in image.shape)
            checks.append(Check("lattice", text.format(_in_words(waves, frame, geometry)), warns=True))
    return tuple(checks)


def periods_px(image: FloatArray, measured: BoolArray) -> list[float]:
    """Lattice periods of an image (pixels), the strongest first; only the measured pixels are looked at."""
    image, measured = _centre(image), _centre(measured)
    if min(image.shape) < _LEAST:
        return []
    rows, columns = (np.hanning(n + 2)[1:-1] for n in image.shape)
    weight = rows[:, None] * columns[None, :] * measured
    level = np.where(measured, image - fit_plane(image, measured), 0.0)
    aliases = _aliases(_sampling(weight))
    frequencies = [
        float(np.hypot(k[0] / image.shape[0], k[1] / image.shape[1]))
        for k in _peaks(_amplitude(level, weight))
        if not _has_longer_alias(k, aliases, image.shape)
    ]
    return [1 / f for f in frequencies]


def waves(image: FloatArray) -> tuple[FloatArray, list[tuple[int, int]]]:
    """Amplitude of every wave of a fully measured image (of its middle), each the largest of the bins next to it, and
    the bins (row, column) of its lattice peaks, the strongest first; none for images under 32 pixels a side."""
    image = _centre(image)
    rows, columns = (np.hanning(n + 2)[1:-1] for n in image.shape)
    shown = _amplitude(image - fit_plane(image), rows[:, None] * columns[None, :])
    return _largest_near(shown), _peaks(shown) if min(image.shape) >= _LEAST else []


def _texts(task: str) -> dict[Kind, str]:
    if task == "sparse":
        return {
            "invented": "Lattice check: the restored image has {} that the measured part does not have: it is invented",
            "vanished": "Lattice check: the measured part has {} that the restored image lacks",
            "unverified": "Lattice check: {} cannot be verified: on the measured pixels it looks the same as a longer "
            "wave (alias of the sampling)",
            "imprint": "Lattice check: the restored image has {}, that of the sampling itself: most likely its imprint",
        }
    return {
        "invented": "Lattice check: the repaired image has {} that the scan does not have: it may be invented",
        "vanished": "Lattice check: the scan has {} that the repaired image lacks: right if it was interference (mains "
        "hum), wrong if it was a lattice",
    }


def _in_words(waves: Sequence[Finding], shape: tuple[int, ...], geometry: Geometry) -> str:
    """'a period of 0.77 nm at 90°': length of the wave, and the direction in which it runs, from the x axis."""
    words = []
    for wave in waves[:2]:
        # cycles per pixel, turned into cycles per length; y runs down
        fy, fx = (b / n for b, n in zip(wave.bins, shape, strict=True))
        calibrated = geometry.calibrated
        fy, fx = (fy / geometry.pixel_height, fx / geometry.pixel_width) if calibrated else (fy, fx)
        period = 1 / float(np.hypot(fy, fx))
        angle = round(float(np.degrees(np.arctan2(-fy, fx)))) % 180
        words.append(f"{1e9 * period:.3g} nm at {angle}°" if calibrated else f"{period:.3g} px at {angle}°")
    more = f" and {len(waves) - 2} more" if len(waves) > 2 else ""
    return f"a period of {' and of '.join(words)}{more}"


def _centre(a: np.ndarray) -> np.ndarray:
    top, left = (max(0, (n - _MOST) // 2) for n in a.shape)
    return a[top : top + _MOST, left : left + _MOST]


def _amplitude(level: FloatArray, weight: FloatArray) -> FloatArray:
    """Amplitude of every wave, its weighted mean taken away first; zero for waves that are too long."""
    total = weight.sum()
    level = level - (level * weight).sum() / total
    spectrum: FloatArray = 2 * np.abs(np.fft.fft2(level * weight)) / total
    spectrum[_too_long(level.shape)] = 0.0
    return spectrum


def _bins(n: int) -> np.ndarray:
    return np.rint(np.fft.fftfreq(n) * n).astype(int)


def _too_long(shape: tuple[int, ...]) -> BoolArray:
    """Which waves are longer than a third of the image: bins near zero."""
    near: BoolArray = _bins(shape[0])[:, None] ** 2 + _bins(shape[1])[None, :] ** 2 < _LONGEST**2
    return near


def _largest_near(spectrum: FloatArray) -> FloatArray:
    from scipy.ndimage import maximum_filter

    near: FloatArray = maximum_filter(spectrum, size=3, mode="wrap")
    return near


def _peaks(spectrum: FloatArray) -> list[tuple[int, int]]:
    """Bins of the sharp peaks of one half plane, strongest first."""
    from scipy.ndimage import maximum_filter

    ky, kx = (_bins(n) for n in spectrum.shape)
    half = (kx[None, :] > 0) | ((kx[None, :] == 0) & (ky[:, None] > 0))
    good = half & (spectrum == maximum_filter(spectrum, size=5, mode="wrap"))
    at = np.argwhere(good & (spectrum > _OF_STRONGEST * spectrum.max()))
    # few are left, and only their surroundings are looked at
    high = spectrum[at[:, 0], at[:, 1]]
    y, x = np.mgrid[-4:5, -4:5]
    ring = (np.hypot(y, x) >= 2.9) & (np.hypot(y, x) < 4.6)
    beside = (at[:, axis, None] + shift[ring] for axis, shift in enumerate((y, x)))
    around = spectrum[tuple(k % n for k, n in zip(beside, spectrum.shape, strict=True))].max(axis=1)
    # relative frequency, so that rings are round in oblong images too
    rings = np.rint(40 * np.hypot(ky[:, None] / len(ky), kx[None, :] / len(kx))).astype(np.int8)
    of = rings[at[:, 0], at[:, 1]]
    floors = {ring: np.median(spectrum[rings == ring]) for ring in np.unique(of)}
    sharp = (high > _OVER_AROUND * around) & (high > _OVER_RING * np.array([floors[ring] for ring in of]))
    order = np.argsort(-high[sharp])[:_MOST_PEAKS]
    return [(int(ky[r]), int(kx[c])) for r, c in at[sharp][order]]


def _sampling(weight: FloatArray) -> FloatArray:
    """The spectrum of the weighting over its mean: what a wave of amplitude 1 leaks to other frequencies."""
    spectrum: FloatArray = np.abs(np.fft.fft2(weight)) / weight.sum()
    spectrum[_too_long(weight.shape)] = 0.0
    return spectrum


def _aliases(sampling: FloatArray) -> list[tuple[int, int]]:
    """The shifts of frequency (bins) that a mask cannot tell apart: none for whole images and random masks."""
    from scipy.ndimage import maximum_filter

    peaks = (sampling > _ALIAS) & (sampling == maximum_filter(sampling, size=5, mode="wrap"))
    ky, kx = (_bins(n) for n in sampling.shape)
    return [(int(ky[r]), int(kx[c])) for r, c in np.argwhere(peaks)]


def _leaked(at: tuple[int, int], waves: Sequence[tuple[int, int]], known: FloatArray, sampling: FloatArray) -> float:
    """The most that the mask lets `waves` (each at k and -k) leak to the bin `at`, were all in phase."""
    shape = known.shape
    shifts = [(w, _moved(at, (sign * w[0], sign * w[1]), shape)) for w in waves for sign in (-1, 1)]
    return sum(float(known[w] * sampling[shift]) for w, shift in shifts)


def _moved(at: tuple[int, int], by: tuple[int, int], shape: tuple[int, ...]) -> tuple[int, int]:
    """The bin `at` + `by`, folded into -n/2 ... n/2."""
    row, column = ((a + b + n // 2) % n - n // 2 for a, b, n in zip(at, by, shape, strict=True))
    return row, column


def _has_longer_alias(at: tuple[int, int], aliases: Sequence[tuple[int, int]], shape: tuple[int, ...]) -> bool:
    """Whether a longer wave has the same values at the measured pixels (longer by over one bin)."""

    def frequency(k: tuple[int, int]) -> float:
        return float(np.hypot(k[0] / shape[0], k[1] / shape[1]))

    return any(frequency(_moved(at, q, shape)) < frequency(at) - 1.5 / max(shape) for q in aliases)
