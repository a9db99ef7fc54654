"""Finds the further ends of a tip: the features of a scan repeat at their offsets.

Features are what is no lattice: steps, adsorbates, vacancies. Candidates are peaks of their autocorrelation. Each is
judged by a linear inversion: taken away, a true second end leaves fewer features, while a false one leaves more,
since every feature without a twin gets a negative one. What is left is compared with what false ends as far away
leave, so that waves and streaks, which any shift takes a part of, prove nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stmviewer.restore.tips.current import TipEnd, decay_of, without
from stmviewer.restore.tips.defects import faded, levelled, off_lattice
from stmviewer.scan import FloatArray, Progress
from stmviewer.scan.corrugation import find_rows

#: looked at (pixels a side, about the centre)
WINDOW = 256
_LEAST_SIDE = 64
#: dimer rows (or what else waves) at least so wide are averaged over pixels until they are not twice as wide
_ROW_PX, _CERTAIN_ROWS = 20.0, 2.0
#: and pixels under half of this size
_PIXEL_M = 0.05e-9
#: offsets that are looked for: from so many pixels to this share of the image
_LEAST_PX, _MOST_SHARE = 2.5, 1 / 3
_CANDIDATES = 10
#: how peaky the autocorrelation is made: powers of the spectrum, 1 none, 0 white
_WHITEN = 0.35
_WEIGHTS, _FINE_WEIGHTS = (0.3, 0.6), (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
#: weights that an end's current may have; the first is too weak to be worth the noise that its removal adds, and
#: what seems to be so weak is often no current but another kind of image
_CURRENTS = (0.15, 0.3, 0.5, 0.75, 1.0)
_MOST_ENDS = 2
#: a feature stands so many deviations out of the rest, over so many pixels
_FEATURE, _FEATURE_PX = 5.0, 5
#: so many features are needed, since two alike a chance distance apart look like one and its ghost
LEAST_FEATURES = 24
#: features that are left, at most, of those that false ends leave, and of those before
EVIDENCE, _FEWER = 0.75, 0.95
#: the same for a second further end, whose trial starts from an imperfect first one
_EVIDENCE_MORE = 0.6
#: false ends that a true one is compared with
_CONTROLS = 8
_REGULAR = 0.005


@dataclass(frozen=True)
class Tip:
    """What was found of the tip of a scan: its further ends, strongest evidence first; none for a single tip.

    `decay` is s of the current model (one over the unit of the image), `features` how many there are to judge by, and
    `evidence` the features left without the first end over those left without false ones (under 0.75 to be believed;
    1 where nothing was found).
    """

    ends: tuple[TipEnd, ...]
    decay: float
    features: int
    evidence: float = 1.0

    @property
    def several(self) -> bool:
        return bool(self.ends)


def find_tip(image: FloatArray, unit: str, progress: Progress, pixel_m: float | None = None) -> Tip:
    """The further ends of the tip that scanned `image` (rows, columns; without gaps), looked for in its middle.

    `pixel_m` is the size of its pixels where that is known.
    """
    progress.check()
    # (a unit of length has a decay of its own, whatever the heights are)
    decay = decay_of(image if unit == "m" else levelled(image), unit)
    factor = _coarser_by(image, pixel_m)
    small = _binned(image, factor)
    if min(small.shape) < _LEAST_SIDE:
        return Tip((), decay, 0)
    scene = Scene(small)
    if scene.count < LEAST_FEATURES:
        return Tip((), decay, scene.count)
    ends: list[TipEnd] = []
    evidence = before = 1.0
    places = scene.candidates()
    while places and len(ends) < _MOST_ENDS:
        progress.check()
        end, left, over_false = _next_end(scene, ends, places)
        if over_false > (_EVIDENCE_MORE if ends else EVIDENCE) or left > _FEWER * before:
            break
        evidence = evidence if ends else over_false
        ends.append(end)
        before = left
        places = [p for p in places if not _same(p, end)]
    found = _currents(scene, ends, decay)
    large = tuple(TipEnd(factor * end.x_px, factor * end.y_px, end.weight) for end in found)
    return Tip(large, decay, scene.count, evidence)


def _coarser_by(image: FloatArray, pixel_m: float | None) -> int:
    """How many pixels are averaged: finely sampled rows are many pixels wide and would be taken for features.

    Rows are looked for only where the size of the pixels is not known: a double tip can make others of them.
    """
    if pixel_m is not None:
        return max(1, int(_PIXEL_M / pixel_m))
    rows = find_rows(image)
    if rows is None or rows.strength < _CERTAIN_ROWS:
        return 1
    return max(1, int(rows.period_px / _ROW_PX))


def _binned(image: FloatArray, factor: int) -> FloatArray:
    """Means over `factor` x `factor` pixels."""
    rows, columns = (n // factor for n in image.shape)
    cut = image[: rows * factor, : columns * factor]
    binned: FloatArray = cut.reshape(rows, factor, columns, factor).mean(axis=(1, 3))
    return binned


def _same(place: tuple[float, float], end: TipEnd) -> bool:
    return min(np.hypot(place[0] - s * end.x_px, place[1] - s * end.y_px) for s in (1, -1)) < 2


def _next_end(
    scene: "Scene", ends: Sequence[TipEnd], places: Sequence[tuple[float, float]]
) -> tuple[TipEnd, float, float]:
    """The end that leaves the fewest features beside `ends`; what is left; and that over what false ends leave."""
    tried = [TipEnd(s * x, s * y, w) for x, y in places for s in (1, -1) for w in _WEIGHTS]
    best = min(tried, key=lambda end: scene.left([*ends, end]))
    finer = [TipEnd(best.x_px, best.y_px, w) for w in _FINE_WEIGHTS]
    best = min(finer, key=lambda end: scene.left([*ends, end]))
    left = scene.left([*ends, best])
    rng = np.random.default_rng(0)
    false = []
    for _ in range(_CONTROLS):
        angle, away = rng.uniform(0, 2 * np.pi), best.distance_px * rng.uniform(0.7, 1.4)
        end = TipEnd(float(away * np.cos(angle)), float(away * np.sin(angle)), best.weight)
        false.append(scene.left([*ends, end]))
    return best, left, left / max(float(np.median(false)), 1e-12)


def _currents(scene: "Scene", ends: Sequence[TipEnd], decay: float) -> tuple[TipEnd, ...]:
    """The ends with the weights of their currents: the least that leave no more twins at their offsets than chance.

    Ends of the least weight are left out.
    """
    found: list[TipEnd] = []
    for end in ends:
        chance = float(np.median(scene.twins(scene.seen, _turned(end))))
        weight = _CURRENTS[-1]
        for weight in _CURRENTS:
            surface = without(scene.image, [*found, TipEnd(end.x_px, end.y_px, weight)], decay)
            if scene.twins(scene.features(surface), [end])[0] <= max(chance, 0.0):
                break
        if weight > _CURRENTS[0]:
            found.append(TipEnd(end.x_px, end.y_px, weight))
    return tuple(found)


def _turned(end: TipEnd) -> list[TipEnd]:
    """False ends, as far away as `end` in other directions."""
    turns = np.linspace(0.35, np.pi - 0.35, _CONTROLS)
    direction, away = np.arctan2(end.y_px, end.x_px), end.distance_px
    return [TipEnd(float(away * np.cos(direction + t)), float(away * np.sin(direction + t)), 1.0) for t in turns]


class Scene:
    """The middle of a scan, levelled, its features, and how many of them an inversion leaves."""

    def __init__(self, image: FloatArray) -> None:
        rows, columns = image.shape
        top, left = max(0, (rows - WINDOW) // 2), max(0, (columns - WINDOW) // 2)
        self.image = levelled(image[top : top + WINDOW, left : left + WINDOW])
        self._filter = off_lattice(self.image)
        self._window = faded(self.image.shape)
        self.seen = self.features(self.image)
        #: features are what exceeds it
        self.floor = max(_FEATURE * 1.4826 * float(np.median(np.abs(self.seen))), np.finfo(np.float64).tiny)
        self._whole = max(self._amount(self.seen), 1e-12)

    def features(self, image: FloatArray) -> FloatArray:
        """What is no lattice in an image of that place, faded out at the margins."""
        from scipy import fft

        seen: FloatArray = fft.irfft2(fft.rfft2((image - image.mean()) * self._window) * self._filter, image.shape)
        return seen

    def _amount(self, seen: FloatArray) -> float:
        """sum log(1 + (|e| - f)+ / f): the area of the features, their height counting little."""
        size = np.abs(seen)
        # of the few pixels above the floor alone: most of an image is no feature, and logarithms are slow
        return float(np.log(size[size > self.floor] / self.floor).sum())

    @cached_property
    def count(self) -> int:
        """Number of separate features."""
        from scipy import ndimage

        labels, _ = ndimage.label(np.abs(self.seen) > self.floor)
        return int((np.bincount(labels.ravel())[1:] >= _FEATURE_PX).sum())

    @cached_property
    def _spectrum(self) -> np.ndarray:
        from scipy import fft

        return np.asarray(fft.rfft2(self.seen.astype(np.float32)))

    def left(self, ends: Sequence[TipEnd]) -> float:
        """Share of the features left without those ends: inverted by K* / (|K|^2 + e), K = 1 + sum w exp(-ikd)."""
        from scipy import fft

        shape = self.seen.shape
        ky, kx = fft.fftfreq(shape[0])[:, None], fft.rfftfreq(shape[1])[None, :]
        kernel = np.ones((shape[0], shape[1] // 2 + 1), dtype=np.complex64)
        for end in ends:
            down = end.weight * np.exp(-2j * np.pi * end.y_px * ky)
            kernel += down.astype(np.complex64) * np.exp(-2j * np.pi * end.x_px * kx).astype(np.complex64)
        power = kernel.real**2 + kernel.imag**2
        inverse = kernel.conj() * ((1 + _REGULAR) / (power + _REGULAR))
        return self._amount(fft.irfft2(self._spectrum * inverse, shape)) / self._whole

    def twins(self, seen: FloatArray, ends: Sequence[TipEnd]) -> list[float]:
        """Correlation of the features `seen` with themselves at the offset of each end; high ones count no more."""
        from scipy import fft

        seen = np.clip(np.sign(seen) * np.maximum(np.abs(seen) - self.floor, 0), -3 * self.floor, 3 * self.floor)
        auto = fft.irfft2(np.abs(fft.rfft2(seen)) ** 2, seen.shape)
        whole = max(float(auto[0, 0]), 1e-300)
        rows, columns = seen.shape
        return [float(auto[round(end.y_px) % rows, round(end.x_px) % columns] / whole) for end in ends]

    def candidates(self) -> list[tuple[float, float]]:
        """(x, y) of the highest peaks of the whitened autocorrelation, one of each pair of opposites."""
        from scipy import fft, ndimage

        rows, columns = self.seen.shape
        power = np.abs(fft.rfft2(np.arcsinh(self.seen / self.floor))) ** 2
        auto = fft.fftshift(fft.irfft2(power**_WHITEN, self.seen.shape))
        auto -= ndimage.gaussian_filter(auto, 6)
        y, x = np.mgrid[:rows, :columns]
        y, x = y - rows // 2, x - columns // 2
        away = np.hypot(x, y)
        peak = (
            (auto == ndimage.maximum_filter(auto, 3)) & (away >= _LEAST_PX) & (away <= _MOST_SHARE * min(rows, columns))
        )
        peak &= (y > 0) | ((y == 0) & (x > 0))
        order = np.argsort(-auto[peak], kind="stable")[:_CANDIDATES]
        return [_vertex(auto, r, c) for r, c in np.argwhere(peak)[order]]


def _vertex(auto: FloatArray, r: int, c: int) -> tuple[float, float]:
    """(x, y) of a peak from the middle, to a fraction of a pixel by parabolas."""

    def beside(before: float, here: float, after: float) -> float:
        curve = before - 2 * here + after
        return 0.5 * (before - after) / curve if curve < 0 else 0.0

    dy = beside(auto[r - 1, c], auto[r, c], auto[r + 1, c])
    dx = beside(auto[r, c - 1], auto[r, c], auto[r, c + 1])
    return float(c - auto.shape[1] // 2 + dx), float(r - auto.shape[0] // 2 + dy)
