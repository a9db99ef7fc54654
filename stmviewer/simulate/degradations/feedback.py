"""The feedback loop follows the surface late, or rings."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import signal

from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.degradations.degradation import BothWays


class Loop:
    """Base: a linear loop along the fast axis. The retrace is the trace in a mirror, so it lags to the other side.

    Before a line comes the turn-around, and before that the line the other way: each line is led in by itself,
    mirrored, for as long as the loop remembers.
    """

    moves: ClassVar[bool] = False

    def filter(self) -> tuple[FloatArray, FloatArray]:
        """Numerator and denominator of the loop's answer H(z) to heights at pixels, of gain 1."""
        raise NotImplementedError

    @property
    def memory_px(self) -> float:
        """After so many pixels a step is followed to 1 %."""
        raise NotImplementedError

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        lead = min(int(np.ceil(self.memory_px)), image.shape[1])
        numerator, denominator = self.filter()
        led = np.concatenate([image[:, :lead][:, ::-1], image], axis=1)
        begin = signal.lfilter_zi(numerator, denominator)[None, :] * led[:, :1]
        followed, _ = signal.lfilter(numerator, denominator, led, axis=1, zi=begin)
        result: FloatArray = followed[:, lead:]
        return result

    def apply_both(self, forward: FloatArray, backward: FloatArray, rng: np.random.Generator) -> BothWays:
        return self.apply(forward, rng), self.apply(backward[:, ::-1], rng)[:, ::-1].copy()


@dataclass(frozen=True)
class FeedbackLag(Loop):
    """A slow loop: the tip follows the surface with one time constant.

        dz/dx = (h - z) / tau,  pixel by pixel  z[n] = z[n-1] + (1 - exp(-1 / tau)) (h[n] - z[n-1])

    along the fast axis, with tau = `time_constant_px`: what an integral controller does on a logarithmic current
    (Oliva et al., Rev. Sci. Instrum. 66, 3196 (1995)). Drawn: 0.3 to 3 px, log-uniform.
    """

    time_constant_px: float

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> "FeedbackLag":
        return cls(float(0.3 * 10 ** rng.random()))

    def filter(self) -> tuple[FloatArray, FloatArray]:
        kept = np.exp(-1 / self.time_constant_px)
        return np.array([1 - kept]), np.array([1, -kept])

    @property
    def memory_px(self) -> float:
        return 4.6 * self.time_constant_px


@dataclass(frozen=True)
class FeedbackOvershoot(Loop):
    """A loop with too much gain: it overshoots behind edges and rings.

        z'' + 2 zeta omega z' + omega^2 z = omega^2 h,    omega = 2 pi / `period_px`,  zeta = `damping` < 1

    along the fast axis, exact for heights that are constant over a pixel. A step is overshot by
    exp(-pi zeta / sqrt(1 - zeta^2)), half a period of the damped oscillation behind it (Franklin, Powell and
    Emami-Naeini, Feedback Control of Dynamic Systems). Drawn: period 3 to 12 px, damping U(0.25, 0.7).
    """

    period_px: float
    damping: float

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> "FeedbackOvershoot":
        return cls(float(3 * 4 ** rng.random()), float(rng.uniform(0.25, 0.7)))

    def filter(self) -> tuple[FloatArray, FloatArray]:
        omega = 2 * np.pi / self.period_px
        decay = np.exp(-self.damping * omega)
        damped = omega * np.sqrt(1 - self.damping**2)
        cosine, sine = np.cos(damped), np.sin(damped)
        sine *= self.damping * omega / damped
        numerator = np.array([1 - decay * (cosine + sine), decay**2 + decay * (sine - cosine)])
        return numerator, np.array([1, -2 * decay * cosine, decay**2])

    @property
    def memory_px(self) -> float:
        return 4.6 / (self.damping * 2 * np.pi / self.period_px)
