"""Noise of the electronics: white, through the feedback loop, and along time."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from scipy import signal

from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.degradations.degradation import BothWays, EachWayAnew, both_ways


@dataclass(frozen=True)
class WhiteNoise(EachWayAnew):
    """Noise of standard deviation `rms_m`, independent from pixel to pixel. Drawn: 10^U(-12.7, -11.2) m
    (0.2-6 pm)."""

    rms_m: float

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> "WhiteNoise":
        return cls(float(10 ** rng.uniform(-12.7, -11.2)))

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        return image + self.rms_m * rng.standard_normal(image.shape)


@dataclass(frozen=True)
class LoopNoise(EachWayAnew):
    """Noise of the current as the feedback loop passes it on: streaks of a few pixels along the lines.

    The loop is of first order, so the heights are white noise through an exponential memory: autocorrelation
    exp(-|dx| / `correlation_px`), standard deviation `rms_m`, lines independent (the tip comes back in between).
    Drawn: 10^U(-12.2, -11) m (0.6-10 pm), 1.5-20 px log-uniform.
    """

    rms_m: float
    correlation_px: float

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> "LoopNoise":
        return cls(float(10 ** rng.uniform(-12.2, -11)), float(1.5 * (20 / 1.5) ** rng.random()))

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        rows, columns = image.shape
        memory = np.exp(-1 / self.correlation_px)
        white = rng.standard_normal((rows, columns)) * np.sqrt(1 - memory**2)
        before = rng.standard_normal((rows, 1)) * memory  # the loop has been running all the time
        noise, _ = signal.lfilter([1.0], [1.0, -memory], white, axis=1, zi=before)
        result: FloatArray = image + self.rms_m * noise
        return result


@dataclass(frozen=True)
class LineNoise:
    """Noise along time with a power spectrum 1 / f^exponent and standard deviation `rms_m`.

    The time runs along each line and back again, so a line and the next are one backward line apart: within a line
    the noise is correlated, from line to line it appears as small offsets. Made from its spectrum (Timmer and Koenig,
    Astron. Astrophys. 300, 707 (1995)). Drawn: exponent U(0.7, 1.4), rms
    10^U(-12.3, -11) m (0.5-10 pm).
    """

    moves: ClassVar[bool] = False

    rms_m: float
    exponent: float

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> "LineNoise":
        return cls(float(10 ** rng.uniform(-12.3, -11)), float(rng.uniform(0.7, 1.4)))

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        return image + self._noise(len(image), image.shape[1], rng)[:, : image.shape[1]]

    def apply_both(self, forward: FloatArray, backward: FloatArray, rng: np.random.Generator) -> BothWays:
        there, back = both_ways(self._noise(len(forward), forward.shape[1], rng))
        return forward + there, backward + back

    def _noise(self, rows: int, columns: int, rng: np.random.Generator) -> FloatArray:
        """(rows, 2 columns) in the order of measurement."""
        count = rows * 2 * columns
        amplitude = np.exp(-self.exponent / 2 * _log_frequency(count // 2 + 1))
        amplitude[0] = 0  # no mean
        spectrum = amplitude * (rng.standard_normal(amplitude.size) + 1j * rng.standard_normal(amplitude.size))
        noise = np.fft.irfft(spectrum, count).reshape(rows, 2 * columns)
        # the scale that the ensemble has, so that a quiet stretch stays quiet
        scale = count / np.sqrt(4 * np.sum(amplitude**2))
        result: FloatArray = self.rms_m * scale * noise
        return result


@lru_cache(maxsize=8)
def _log_frequency(count: int) -> FloatArray:
    """ln(0 .. count - 1), with 0 for the first: a power of each frequency is what the noise spends its time on."""
    logarithms = np.log(np.maximum(np.arange(count, dtype=np.float64), 1))
    logarithms.flags.writeable = False
    return logarithms
