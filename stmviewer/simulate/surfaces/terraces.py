"""Terraces and the steps between them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stmviewer.scan.geometry import FloatArray

#: kinks of a step on Si(001) move it by two atoms of the lower terrace
KINK_M = 0.768e-9
_SAMPLES = 512


@dataclass(frozen=True)
class Terraces:
    """Levels of a stepped surface: 0 on one side, one more beyond every edge.

    An edge is a line with direction `angle` (radians, from the columns axis clockwise) that wanders by a random walk
    (`wander` (edges, samples) in metres, sampled every `spacing_m` along it from `start_m`). It is evaluated at the
    nearest corner of a square lattice of KINK_M turned by `lattice_angle`, so that an edge in any direction consists
    of straight pieces along the lattice with kinks between them.
    """

    angle: float
    offsets_m: FloatArray
    wander_m: FloatArray
    start_m: float
    spacing_m: float
    lattice_angle: float
    pixel_m: float

    @classmethod
    def flat(cls, pixel_m: float) -> "Terraces":
        return cls(0.0, np.zeros(0), np.zeros((0, 1)), 0.0, 1.0, 0.0, pixel_m)

    @classmethod
    def random(
        cls,
        rows: int,
        columns: int,
        pixel_m: float,
        *,
        steps: int,
        angle: float,
        lattice_angle: float,
        roughness_m: tuple[float, float],
        rng: np.random.Generator,
    ) -> "Terraces":
        """`steps` edges inside a field of rows x columns, at least a tenth of the field apart.

        `roughness_m` is the wander of an edge (standard deviation over 10 nm of its length) for edges on the even and
        the odd levels in turn: on Si(001) single-layer edges are smooth (SA, rows of the upper terrace along the
        edge) and rough (SB, rows across it) in turn (Chadi, Phys. Rev. Lett. 59, 1691 (1987)).
        """
        if steps == 0:
            return cls.flat(pixel_m)
        normal = np.array([-np.sin(angle), np.cos(angle)])
        centre = np.array([columns - 1, rows - 1]) / 2 * pixel_m
        half = 0.5 * pixel_m * (abs(normal[0]) * columns + abs(normal[1]) * rows)
        # equal shares of the field, each with its edge somewhere in the middle 4/5 of it
        place = (np.arange(steps) + 0.5 + rng.uniform(-0.4, 0.4, steps)) / steps
        offsets = centre @ normal + 0.85 * half * (2 * place - 1)
        diagonal = 1.1 * np.hypot(rows, columns) * pixel_m
        spacing = 2 * diagonal / _SAMPLES
        rough = np.array(roughness_m)[np.arange(steps) % 2]
        walk = np.cumsum(rng.standard_normal((steps, _SAMPLES)), axis=1) * np.sqrt(spacing / 10e-9)
        walk -= walk.mean(axis=1, keepdims=True)
        start = -diagonal + centre @ np.array([np.cos(angle), np.sin(angle)])
        return cls(angle, offsets, rough[:, None] * walk, float(start), spacing, lattice_angle, pixel_m)

    @property
    def steps(self) -> int:
        return len(self.offsets_m)

    def levels(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.int64]:
        """Level at columns `x` and rows `y` (pixels, any shape)."""
        right, down = np.broadcast_arrays(np.asarray(x, float) * self.pixel_m, np.asarray(y, float) * self.pixel_m)
        level = np.zeros(right.shape, dtype=np.int64)
        if self.steps == 0:
            return level
        right, down = self._on_lattice(right, down)
        across = down * np.cos(self.angle) - right * np.sin(self.angle)
        along = right * np.cos(self.angle) + down * np.sin(self.angle)
        sample = np.clip(((along - self.start_m) / self.spacing_m).astype(np.int64), 0, self.wander_m.shape[1] - 1)
        for offset, wander in zip(self.offsets_m, self.wander_m, strict=True):
            level += across > offset + wander[sample]
        return level

    def _on_lattice(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        sine, cosine = np.sin(self.lattice_angle), np.cos(self.lattice_angle)
        u = np.floor((x * cosine + y * sine) / KINK_M) + 0.5
        v = np.floor((y * cosine - x * sine) / KINK_M) + 0.5
        return (u * cosine - v * sine) * KINK_M, (u * sine + v * cosine) * KINK_M
