"""What the tip does to the image: blunt tips and tips with several ends."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy import ndimage

from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.degradations.degradation import SameBothWays
from stmviewer.simulate.degradations.shifts import shifted

KernelKind = Literal["gaussian", "median", "random"]
KERNELS: tuple[KernelKind, ...] = get_args(KernelKind)


@dataclass(frozen=True)
class BluntTip(SameBothWays):
    """A Gaussian filter of `sigma_px`.

    Source: arXiv 2510.25921, sigma ~ U(0.3, 0.6) px.
    """

    sigma_px: float

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> "BluntTip":
        return cls(float(rng.uniform(0.3, 0.6)))

    @property
    def reach_px(self) -> float:
        return 2 * self.sigma_px

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        result: FloatArray = ndimage.gaussian_filter(image, self.sigma_px)
        return result


@dataclass(frozen=True)
class DullTip(BluntTip):
    """A Gaussian filter with a width in nanometres: sigma ~ U(0.04, 0.16) nm, what blurs dimers but not rows."""

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> "DullTip":
        return cls(float(rng.uniform(0.04e-9, 0.16e-9) / pixel_m))


@dataclass(frozen=True)
class ExtraTip:
    """One more end of a multi-tip: position, the constants of its logistic answer, and the kernel of its shape.

    `kernel` is a square of odd side whose values sum to 1 for the Gaussian and the random shape; the median needs only
    `kernel_px`, its side.
    """

    x_px: float
    y_px: float
    amplitude: float
    c: float
    d: float
    kind: KernelKind
    kernel_px: int
    kernel: tuple[tuple[float, ...], ...] = ()

    @classmethod
    def draw(cls, rng: np.random.Generator, x_px: float, y_px: float) -> "ExtraTip":
        kind = KERNELS[rng.integers(len(KERNELS))]
        side = int(rng.choice((3, 5))) if kind != "median" else 3
        kernel = np.zeros((0, 0))
        if kind == "gaussian":
            profile = np.exp(-0.5 * ((np.arange(side) - side // 2) / rng.uniform(0.5, 1.5)) ** 2)
            kernel = np.outer(profile, profile)
        elif kind == "random":
            kernel = rng.random((side, side))
        return cls(
            x_px=x_px,
            y_px=y_px,
            amplitude=float(rng.uniform(1, 2.5)),
            c=float(rng.uniform(5, 9)),
            d=float(rng.uniform(7, 10)),
            kind=kind,
            kernel_px=side,
            kernel=tuple(tuple(float(v) for v in row) for row in kernel / kernel.sum()) if kernel.size else (),
        )

    def image(self, h: FloatArray) -> FloatArray:
        """K[A / (1 + exp(c - d h(x - x_i, y - y_i)))] for h in [0, 1], shape (rows, columns)."""
        answer: FloatArray = self.amplitude / (1 + np.exp(self.c - self.d * shifted(h, self.x_px, self.y_px)))
        if self.kind == "median":
            return np.asarray(ndimage.median_filter(answer, self.kernel_px))
        return np.asarray(ndimage.correlate(answer, np.array(self.kernel)))


@dataclass(frozen=True)
class MultiTip(SameBothWays):
    """A tip with several ends, each imaging the surface again, shifted.

        f(x, y) = h(x, y) + sum_i K_i[ A_i / (1 + exp(c_i - d_i h(x - x_i, y - y_i))) ],   h in [0, 1]

    The image is brought to [0, 1] by its least and largest value and f back to metres by the same scale. Source:
    arXiv 2510.25921, from the current of two tips in the Tersoff-Hamann picture. N in {2, 3, 4} extra tips with
    probabilities {1/2, 3/10, 1/5}; c ~ U(5, 9), d ~ U(7, 10), A ~ U(1, 2.5); offsets x and y ~ U(1, 11) px with
    random signs; K a Gaussian, median or random kernel (ours: with equal chances, 3 or 5 px wide).
    """

    tips: tuple[ExtraTip, ...]

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> "MultiTip":
        offsets = rng.uniform(1, 11, (_count(rng, 2), 2))
        offsets *= rng.choice((-1, 1), offsets.shape)
        return cls(tuple(ExtraTip.draw(rng, float(x), float(y)) for x, y in offsets))

    @property
    def reach_px(self) -> float:
        return max(max(abs(tip.x_px), abs(tip.y_px)) + tip.kernel_px // 2 for tip in self.tips)

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        low, high = float(image.min()), float(image.max())
        if not high > low:
            return image.copy()
        h = (image - low) / (high - low)
        f = h.copy()
        for tip in self.tips:
            f += tip.image(h)
        return low + (high - low) * f


@dataclass(frozen=True)
class SeveralTips(SameBothWays):
    """A tip with several ends that share the tunnelling current:

        z(x, y) = ln( sum_i w_i exp(2 kappa h(x - x_i, y - y_i)) ) / (2 kappa),    w_i = exp(-2 kappa l_i)

    The first end has x = y = l = 0; `shorter_m` l_i is how much farther from the surface end i is than the first (it
    may be negative). Each end's current decays exponentially with its distance (Tersoff and Hamann, Phys. Rev. B 31,
    805 (1985)) and the feedback holds their sum. Drawn: one to three further ends 0.3-6 nm away (log-uniform),
    l ~ U(-0.02, 0.08) nm, kappa ~ U(9.5, 11.5) / nm (a barrier of 3.4 to 5 eV).
    """

    x_px: tuple[float, ...]
    y_px: tuple[float, ...]
    shorter_m: tuple[float, ...]
    kappa_per_m: float

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> "SeveralTips":
        offsets = [offset(rng, 0.3e-9 * 20 ** rng.random() / pixel_m) for _ in range(_count(rng, 1))]
        return cls(
            x_px=tuple(x for x, _ in offsets),
            y_px=tuple(y for _, y in offsets),
            shorter_m=tuple(float(v) for v in rng.uniform(-0.02e-9, 0.08e-9, len(offsets))),
            kappa_per_m=float(rng.uniform(9.5e9, 11.5e9)),
        )

    @property
    def reach_px(self) -> float:
        return max(map(abs, (*self.x_px, *self.y_px)))

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        twice = 2 * self.kappa_per_m
        total = np.ones(image.shape)
        for x, y, shorter in zip(self.x_px, self.y_px, self.shorter_m, strict=True):
            # relative to the first end, so that high features do not overflow
            total += np.exp(twice * (shifted(image, x, y) - image - shorter))
        result: FloatArray = image + np.log(total) / twice
        return result


def _count(rng: np.random.Generator, least: int) -> int:
    """`least`, one more or two more, with probabilities 1/2, 3/10, 1/5."""
    return least + int(rng.choice(3, p=(0.5, 0.3, 0.2)))


def offset(rng: np.random.Generator, distance_px: float) -> tuple[float, float]:
    """(x, y) at that distance in a random direction."""
    direction = rng.uniform(0, 2 * np.pi)
    return float(distance_px * np.cos(direction)), float(distance_px * np.sin(direction))
