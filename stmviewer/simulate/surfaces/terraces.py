"""Terraces and the steps between them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stmviewer.scan.geometry import FloatArray

#: kinks of a step on Si(001) move it by two atoms of the lower terrace
KINK_M = 0.768e-9
_SAMPLES = 512


@dataclass(frozen=True)
class Terraces:
    """Levels of a stepped surface: 0 on one side, `layers` more beyond every edge.

    An edge is a line with direction `angle` (radians, from the columns axis clockwise) that wanders by a random walk
    (`wander` (edges, samples) in metres, sampled every `spacing_m` along it from `start_m`). It is evaluated at the
    centre of the nearest cell of a lattice: `kink_m` long rhombi (squares, unless `kink_angle` says otherwise), turned
    by `lattice_angle`, so that an edge in any direction consists of straight pieces along the lattice with kinks
    between them.
    """

    angle: float
    offsets_m: FloatArray
    layers: NDArray[np.int64]
    wander_m: FloatArray
    start_m: float
    spacing_m: float
    lattice_angle: float
    kink_m: float
    kink_angle: float
    pixel_m: float

    @classmethod
    def flat(cls, pixel_m: float) -> "Terraces":
        none = np.zeros(0)
        return cls(
            0.0, none, none.astype(np.int64), np.zeros((0, 1)), 0.0, 1.0, 0.0, KINK_M, np.pi / 2, pixel_m
        )  # fmt: skip

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
        roughness_m: Sequence[float],
        rng: np.random.Generator,
        layers: Sequence[int] = (1,),
        kink_m: float = KINK_M,
        kink_angle: float = np.pi / 2,
    ) -> "Terraces":
        """`steps` edges inside a field of rows x columns, at least a tenth of the field apart.

        `roughness_m` is the wander of an edge (standard deviation over 10 nm of its length) and `layers` its height in
        layers, both for one edge after the other and then again from the first.
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
        rough = np.resize(np.asarray(roughness_m, float), steps)
        walk = np.cumsum(rng.standard_normal((steps, _SAMPLES)), axis=1) * np.sqrt(spacing / 10e-9)
        walk -= walk.mean(axis=1, keepdims=True)
        start = -diagonal + centre @ np.array([np.cos(angle), np.sin(angle)])
        return cls(
            angle,
            offsets,
            np.resize(np.asarray(layers, np.int64), steps),
            rough[:, None] * walk,
            float(start),
            spacing,
            lattice_angle,
            kink_m,
            kink_angle,
            pixel_m,
        )

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
        for offset, layers, wander in zip(self.offsets_m, self.layers, self.wander_m, strict=True):
            level += layers * (across > offset + wander[sample])
        return level

    def field(self, rows: int, columns: int) -> NDArray[np.int64]:
        """Level of every pixel; shape (rows, columns)."""
        return self.levels(np.arange(columns)[None, :], np.arange(rows)[:, None])

    def _on_lattice(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        sine, cosine = np.sin(self.lattice_angle), np.cos(self.lattice_angle)
        along, across = x * cosine + y * sine, y * cosine - x * sine
        second = across / np.sin(self.kink_angle)
        u = (np.floor((along - second * np.cos(self.kink_angle)) / self.kink_m) + 0.5) * self.kink_m
        v = (np.floor(second / self.kink_m) + 0.5) * self.kink_m
        along, across = u + v * np.cos(self.kink_angle), v * np.sin(self.kink_angle)
        return along * cosine - across * sine, along * sine + across * cosine
