"""Training samples: a clean crop, what was measured of it, and what the network has to say.

A sample is a function of (seed, index) alone, so the data are the same whatever the number of threads and after
resuming.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from stmviewer.restore.compressed import waves_guess
from stmviewer.restore.filling import fill, sharp_fill
from stmviewer.restore.networks import STRIDE, condition
from stmviewer.restore.normalise import normalisation
from stmviewer.restore.request import Task
from stmviewer.scan import BoolArray, FloatArray, Progress, make_mask
from stmviewer.scan.levelling import fit_plane, row_offsets
from stmviewer.simulate import Pair
from stmviewer.simulate.presets import Plan, degraded_pair, find_preset, plan

#: sampling patterns of the sparse task, with their share
_PATTERNS: tuple[tuple[str, float], ...] = (
    ("lines:2", 0.12),
    ("lines:3", 0.08),
    ("lines:4", 0.2),
    ("lines-random:0.25", 0.08),
    ("lines-random:0.5", 0.04),
    ("grid:2", 0.12),
    ("grid:3", 0.06),
    ("grid:4", 0.1),
    ("pixels:0.25", 0.12),
    ("pixels:0.1", 0.04),
    ("pixels:0.5", 0.04),
)


#: 0.12 nm: some 6 pixels a dimer row, where there is most to gain over interpolation and training starts fastest
_EASY_LOG_PIXEL = float(np.log(0.12e-9))


#: pixels by which the surroundings of a crop grow
_MARGIN_STEP = 8
#: share of samples that are not told their pixel size, since scans do not always know it
_UNTOLD = 0.3
#: share of sparse samples whose scan has a tip and noise as bad as real ones
_SPARSE_DEGRADED = 0.4
#: share of scattered samples whose waves are found on twice the crop
_WAVES_WIDER = 0.6


@dataclass(frozen=True)
class Sample:
    """One training sample on the normalised scale; arrays (size, size). `sharp` and `pixel_m` as in a Problem."""

    filled: FloatArray
    measured: BoolArray
    target: FloatArray
    task: Task
    sharp: FloatArray
    pixel_m: float | None = None


Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
Check = Callable[[], None]


def _go_on() -> None:
    pass


class Maker(Protocol):
    """Makes samples by their index, always the same ones.

    A batch may be a process's share of a larger one whose first index is `first`. It calls `check` before each sample,
    which raises where the batch is not wanted any more.
    """

    def make(self, index: int) -> Sample: ...

    def batch(self, indices: Sequence[int], first: int | None = None, check: Check = ...) -> Arrays: ...


def stacked(samples: Sequence[Sample]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """filled (batch, 2, size, size), measured and target (batch, 1, size, size), told (batch, 4), all float32.

    `filled` holds the first and the sharper guess, `told` what `condition` says of each sample.
    """

    def images(*names: str) -> np.ndarray:
        rows = [[np.asarray(getattr(s, name), dtype=np.float32) for name in names] for s in samples]
        return np.array(rows, dtype=np.float32)

    told = [condition(s.task == "sparse", float(s.measured.mean()), s.pixel_m) for s in samples]
    return images("filled", "sharp"), images("measured"), images("target"), np.array(told, dtype=np.float32)


#: asks for the pair of a plan, if it needs one, and then gives the sample
_Making = Generator[Plan, Pair, Sample]
#: makes the pairs of many plans, on a GPU perhaps
Degrader = Callable[[Sequence[Plan]], list[Pair]]


class CropSource(Protocol):
    """Clean images to cut from, heights in metres: simulated surfaces, or good scans of a laboratory."""

    @property
    def pixels_m(self) -> Sequence[float]:
        """Pixel size of each image (m), a nominal one where it is not known."""
        ...

    @property
    def calibrated(self) -> bool:
        """Whether the pixel sizes are known."""
        ...

    def __len__(self) -> int: ...

    def side(self, i: int) -> int:
        """The largest crop that image `i` allows (pixels)."""
        ...

    def crop(self, i: int, size: int, rng: np.random.Generator) -> np.ndarray:
        """A random crop of image `i` (size, size), turned and flipped at random."""
        ...

    def scanned(self, i: int, size: int, rng: np.random.Generator) -> tuple[np.ndarray, float | None]:
        """A random crop as the microscope scanned it, lines horizontal, and its pixel size (m) where that is known."""
        ...


@dataclass(frozen=True)
class SampleMaker:
    """Makes samples from a source. `repair_share` of them are repairs, the rest sparse."""

    source: CropSource
    size: int = 96
    repair_share: float = 0.5
    presets: tuple[str, ...] = ("reference", "realistic", "mild", "severe")
    seed: int = 0
    #: simulated surfaces carry no noise: sparse targets get some, as the microscope would have measured it
    noisy_targets: bool = True
    #: share of batches of small crops
    small_share: float = 0.0
    #: number of samples over which the range of pixel sizes widens to the whole
    widening: int = 0
    #: degrades the images of a batch together; None: one after the other, in numpy
    degrader: Degrader | None = None
    #: the sharper guess of scattered pixels is that of compressed sensing
    waves: bool = False

    def _order(self) -> np.ndarray:
        """Indices of the source, the ones nearest to the middle of its (logarithmic) pixel sizes first."""
        size = np.log(np.asarray(self.source.pixels_m))
        return np.argsort(np.abs(size - _EASY_LOG_PIXEL), kind="stable")

    def make(self, index: int) -> Sample:
        """The sample of that index: always the same one."""
        return _made(self._making(index, self.size), degraded_pair)

    def _making(self, index: int, size: int) -> _Making:
        rng = np.random.default_rng((self.seed, index))
        # from the middle of the pixel sizes outwards: the whole range at once holds training at plain interpolation
        share = min(1.0, 0.3 + 0.7 * index / self.widening) if self.widening else 1.0
        index = int(self._order()[rng.integers(max(1, round(share * len(self.source))))])
        make = self._repair if rng.random() < self.repair_share else self._sparse
        sample = yield from make(index, size, rng)
        return replace(sample, pixel_m=None) if rng.random() < _UNTOLD else sample

    def whole(self, index: int, size: int) -> tuple[FloatArray, float | None]:
        """An image (size, size) in metres as the samples of that kind have it before a part is hidden; its pixel (m).

        For the ranges that a training covers: scans are larger than crops.
        """
        rng = np.random.default_rng((self.seed, 3, index))
        index = int(rng.integers(len(self.source)))
        size = min(size, self.source.side(index))
        if rng.random() < self.repair_share:
            pair = degraded_pair(self._plan(index, size, str(rng.choice(self.presets)), rng))
            return pair.degraded, pair.pixel_m if self.source.calibrated else None
        scanning = self._scanned(index, size, rng)
        try:
            scanning.send(degraded_pair(next(scanning)))
        except StopIteration as done:
            image, pixel_m = done.value
            return image, pixel_m
        raise AssertionError("an image has one pair at most")

    def _repair(self, index: int, size: int, rng: np.random.Generator) -> _Making:
        pair = yield self._plan(index, size, str(rng.choice(self.presets)), rng)
        everything = np.ones(pair.clean.shape, dtype=np.bool_)
        scale = normalisation(pair.degraded, everything)
        # the tilt of the degraded image is the scanner's: the clean one is judged on the same plane
        level = pair.clean - fit_plane(pair.clean)
        level += np.median(pair.degraded - scale.plane) - np.median(level)
        target = scale.forward(level + scale.plane)
        aligned = scale.forward(pair.degraded - row_offsets(pair.degraded)[:, None])
        gain = _contrast(rng)
        filled = scale.forward(pair.degraded)
        pixel_m = pair.pixel_m if self.source.calibrated else None
        return Sample(gain * filled, everything, gain * target, "repair", gain * aligned, pixel_m)

    def _plan(self, index: int, size: int, preset: str, rng: np.random.Generator) -> Plan:
        """A crop of image `index` and what is to happen to it."""
        pixel_m = self.source.pixels_m[index]
        damage = find_preset(preset).draw(rng, pixel_m)
        # a wide or double tip brings in what lies around the crop
        # (in whole steps, so that many images of a batch have one size)
        margin = -(-damage.margin(size) // _MARGIN_STEP) * _MARGIN_STEP
        outer = min(size + 2 * margin, self.source.side(index))
        around = self.source.crop(index, outer, rng).astype(np.float64)
        return plan(around, preset, rng, pixel_m=pixel_m, crop=(size, size), rotate=False, damage=damage)

    def _scanned(
        self, index: int, size: int, rng: np.random.Generator
    ) -> Generator[Plan, Pair, tuple[FloatArray, float | None]]:
        """What the microscope would have measured with every pixel: a sparse scan is rebuilt as it, tip and noise."""
        if not self.noisy_targets:
            return self.source.scanned(index, size, rng)
        if rng.random() < _SPARSE_DEGRADED:
            pair = yield self._plan(index, size, str(rng.choice(("mild", "realistic"))), rng)
            return pair.degraded, pair.pixel_m if self.source.calibrated else None
        clean, pixel_m = self.source.scanned(index, size, rng)
        return clean + _scanner_noise(clean, rng), pixel_m

    def _sparse(self, index: int, size: int, rng: np.random.Generator) -> _Making:
        names, shares = zip(*_PATTERNS, strict=True)
        pattern = str(rng.choice(names, p=np.array(shares) / sum(shares)))
        in_waves = self.waves and pattern.startswith("pixels")
        # waves are found on the whole of a scan, which is larger than a crop
        outer = min(2 * size, self.source.side(index)) if in_waves and rng.random() < _WAVES_WIDER else size
        clean, pixel_m = yield from self._scanned(index, outer, rng)
        mask = make_mask(pattern, outer, outer, int(rng.integers(2**31))).measured
        # a regular pattern may start anywhere on the crop, as tiles of a large scan do
        measured = np.roll(mask, rng.integers(0, 4, 2), (0, 1)) if ":0." not in pattern else mask
        filled = fill(clean, measured)
        sharp = _in_waves(filled, measured) if in_waves else sharp_fill(clean, measured)
        if outer > size:
            top, left = rng.integers(0, outer - size + 1, 2)
            window = np.s_[top : top + size, left : left + size]
            clean, measured, filled, sharp = clean[window], measured[window], filled[window], sharp[window]
        scale = normalisation(filled, measured)
        gain = _contrast(rng)
        return Sample(
            gain * scale.forward(filled),
            measured,
            gain * scale.forward(clean),
            "sparse",
            gain * scale.forward(sharp),
            pixel_m,
        )

    def batch(self, indices: Sequence[int], first: int | None = None, check: Check = _go_on) -> Arrays:
        """The samples of `indices` as `stacked` gives them.

        A share of the batches is of small crops: only so coarse versions of small scans fit in.
        """
        small = np.random.default_rng((self.seed, 1, _key(indices, first))).random() < self.small_share
        makings = [self._making(i, small_crop(self.size) if small else self.size) for i in indices]
        if self.degrader is not None:
            return stacked(_made_together(makings, self.degrader, check))
        samples = []
        for making in makings:
            check()
            samples.append(_made(making, degraded_pair))
        return stacked(samples)


@dataclass(frozen=True)
class Mixed:
    """Batches of two makers in turn, `share` of them of the second: real scans and simulated ones, say."""

    first: SampleMaker
    second: SampleMaker
    share: float

    def _of(self, index: int) -> SampleMaker:
        seed = (self.first.seed, 2, index)
        return self.second if np.random.default_rng(seed).random() < self.share else self.first

    def make(self, index: int) -> Sample:
        return self._of(index).make(index)

    def batch(self, indices: Sequence[int], first: int | None = None, check: Check = _go_on) -> Arrays:
        return self._of(_key(indices, first)).batch(indices, first, check)


def _key(indices: Sequence[int], first: int | None) -> int:
    """What decides of a batch as a whole: the first of its indices, in every process."""
    return indices[0] if first is None else first


def small_crop(size: int) -> int:
    """The side of the small crops beside those of `size` pixels: three eighths, in whole strides of the network.

    The loss looks at windows of 11 pixels: with crops of 32 they are of 16.
    """
    return max(2 * STRIDE, size * 3 // 8 // STRIDE * STRIDE)


def _made(making: _Making, degrade_one: Callable[[Plan], Pair]) -> Sample:
    """The sample, with its pair, if it asks for one, from `degrade_one`."""
    try:
        making.send(degrade_one(next(making)))
    except StopIteration as done:
        sample: Sample = done.value
        return sample
    raise AssertionError("a sample has one pair at most")


def _made_together(makings: Sequence[_Making], degrader: Degrader, check: Check) -> list[Sample]:
    """The samples, with all the pairs that they ask for made at once."""
    samples: dict[int, Sample] = {}
    plans: dict[int, Plan] = {}
    for i, making in enumerate(makings):
        check()
        try:
            plans[i] = next(making)
        except StopIteration as done:
            samples[i] = done.value
    for i, pair in zip(plans, degrader(list(plans.values())), strict=True):
        check()
        try:
            makings[i].send(pair)
        except StopIteration as done:
            samples[i] = done.value
    return [samples[i] for i in range(len(makings))]


def _in_waves(filled: FloatArray, measured: BoolArray) -> FloatArray:
    """What compressed sensing makes of scattered pixels, found on the scale that networks see."""
    scale = normalisation(filled, measured)
    guess = waves_guess(scale.forward(filled).astype(np.float32), measured, Progress())
    return scale.back(guess.astype(np.float64))


def _contrast(rng: np.random.Generator) -> float:
    """A crop is normalised by itself, a scan as a whole: the contrast of its parts differs."""
    return float(np.exp(rng.uniform(np.log(0.5), np.log(1.6))))


def _scanner_noise(clean: FloatArray, rng: np.random.Generator) -> FloatArray:
    """White noise and line offsets as a share of the lattice's corrugation, up to what good scans have.

    Corrugation is the median standard deviation of 16-pixel blocks: steps and adsorbates do not count.
    """
    rows, columns = (n // 16 * 16 for n in clean.shape)
    blocks = clean[:rows, :columns].reshape(rows // 16, 16, columns // 16, 16)
    spread = float(np.median(blocks.std(axis=(1, 3))))
    white = rng.normal(0, 1, clean.shape) * spread * rng.uniform(0, 0.25)
    lines = rng.normal(0, 1, (clean.shape[0], 1)) * spread * rng.uniform(0, 0.15)
    noise: FloatArray = white + lines
    return noise
