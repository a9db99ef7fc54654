"""Training samples: a clean crop, what was measured of it, and what the network has to say.

A sample is a function of (seed, index) alone, so the data are the same whatever the number of threads and after
resuming.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from stmviewer.restore.filling import fill
from stmviewer.restore.normalise import normalisation
from stmviewer.restore.request import Task
from stmviewer.scan import BoolArray, FloatArray, make_mask
from stmviewer.scan.levelling import fit_plane
from stmviewer.simulate import Pair, degrade
from stmviewer.simulate.presets import find_preset

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


#: share of sparse samples whose scan has a tip and noise as bad as real ones
_SPARSE_DEGRADED = 0.6


@dataclass(frozen=True)
class Sample:
    """One training sample on the normalised scale; float32 arrays (size, size)."""

    filled: FloatArray
    measured: BoolArray
    target: FloatArray
    task: Task


class CropSource(Protocol):
    """Clean images to cut from, heights in metres: simulated surfaces, or good scans of a laboratory."""

    @property
    def pixels_m(self) -> Sequence[float]:
        """Pixel size of each image (m)."""
        ...

    def __len__(self) -> int: ...

    def side(self, i: int) -> int:
        """The largest crop that image `i` allows (pixels)."""
        ...

    def crop(self, i: int, size: int, rng: np.random.Generator) -> np.ndarray:
        """A random crop of image `i` (size, size), turned and flipped at random."""
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
    #: number of samples over which the range of pixel sizes widens to the whole
    widening: int = 0

    def _order(self) -> np.ndarray:
        """Indices of the source, the ones nearest to the middle of its (logarithmic) pixel sizes first."""
        size = np.log(np.asarray(self.source.pixels_m))
        return np.argsort(np.abs(size - _EASY_LOG_PIXEL), kind="stable")

    def make(self, index: int) -> Sample:
        """The sample of that index: always the same one."""
        rng = np.random.default_rng((self.seed, index))
        # from the middle of the pixel sizes outwards: the whole range at once holds training at plain interpolation
        share = min(1.0, 0.3 + 0.7 * index / self.widening) if self.widening else 1.0
        index = int(self._order()[rng.integers(max(1, round(share * len(self.source))))])
        make = self._repair if rng.random() < self.repair_share else self._sparse
        return make(index, rng)

    def _repair(self, index: int, rng: np.random.Generator) -> Sample:
        pair = self._pair(index, str(rng.choice(self.presets)), rng)
        everything = np.ones(pair.clean.shape, dtype=np.bool_)
        scale = normalisation(pair.degraded, everything)
        # the tilt of the degraded image is the scanner's: the clean one is judged on the same plane
        level = pair.clean - fit_plane(pair.clean)
        level += np.median(pair.degraded - scale.plane) - np.median(level)
        target = scale.forward(level + scale.plane)
        gain = _contrast(rng)
        return Sample(gain * scale.forward(pair.degraded), everything, gain * target, "repair")

    def _pair(self, index: int, preset: str, rng: np.random.Generator) -> Pair:
        """A crop of image `index`, clean and degraded."""
        pixel_m = self.source.pixels_m[index]
        damage = find_preset(preset).draw(rng, pixel_m)
        # a wide or double tip brings in what lies around the crop
        outer = min(self.size + 2 * damage.margin_px, self.source.side(index))
        around = self.source.crop(index, outer, rng).astype(np.float64)
        frame = (self.size, self.size)
        return degrade(around, preset, rng, pixel_m=pixel_m, crop=frame, rotate=False, damage=damage)

    def _scanned(self, index: int, rng: np.random.Generator) -> FloatArray:
        """What the microscope would have measured with every pixel: a sparse scan is rebuilt as it, tip and noise."""
        if not self.noisy_targets:
            return self.source.crop(index, self.size, rng).astype(np.float64)
        if rng.random() < _SPARSE_DEGRADED:
            return self._pair(index, str(rng.choice(("mild", "realistic"))), rng).degraded
        clean = self.source.crop(index, self.size, rng).astype(np.float64)
        return clean + _scanner_noise(clean, rng)

    def _sparse(self, index: int, rng: np.random.Generator) -> Sample:
        clean = self._scanned(index, rng)
        names, shares = zip(*_PATTERNS, strict=True)
        pattern = str(rng.choice(names, p=np.array(shares) / sum(shares)))
        mask = make_mask(pattern, self.size, self.size, int(rng.integers(2**31))).measured
        # a regular pattern may start anywhere on the crop, as tiles of a large scan do
        measured = np.roll(mask, rng.integers(0, 4, 2), (0, 1)) if ":0." not in pattern else mask
        filled = fill(clean, measured)
        scale = normalisation(filled, measured)
        gain = _contrast(rng)
        return Sample(gain * scale.forward(filled), measured, gain * scale.forward(clean), "sparse")

    def batch(self, indices: Sequence[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """filled, measured, target (batch, 1, size, size) and task (batch,), all float32."""
        samples = [self.make(i) for i in indices]

        def stack(name: str) -> np.ndarray:
            return np.stack([np.asarray(getattr(s, name), dtype=np.float32) for s in samples])[:, None]

        task = np.array([s.task == "sparse" for s in samples], dtype=np.float32)
        return stack("filled"), stack("measured"), stack("target"), task


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
