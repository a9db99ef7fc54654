"""A blunt tip as geometry: the surface dilated by the shape of the tip's end."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.degradations.degradation import SameBothWays

Apex = Literal["paraboloid", "sphere"]
APEXES: tuple[Apex, ...] = get_args(Apex)
#: heights above this are rare at an atomically flat surface: how far a drawn tip is taken to reach
_USUAL_RELIEF_M = 0.2e-9


@dataclass(frozen=True)
class DilatedTip(SameBothWays):
    """The tip touches with whatever part of its end comes first: a grey dilation by the tip's shape t >= 0.

        z(x, y) = max over (u, v) of [ h(x - u, y - v) - t(u, v) ]

    with t = (u^2 + v^2) / (2 R) for a paraboloid and t = R - sqrt(R^2 - u^2 - v^2) for a sphere of radius R
    (`radius_px`, and `pixel_m` to compare it with heights). In constant current R is the tip's radius plus the gap.
    Source: Villarrubia, J. Res. Natl. Inst. Stand. Technol. 102, 425 (1997). Bumps get wider, hollows narrower, and
    nothing gets lower. Drawn: R from 0.3 to 3 nm, log-uniform, paraboloid.
    """

    radius_px: float
    pixel_m: float
    apex: Apex = "paraboloid"

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> "DilatedTip":
        return cls(float(0.3e-9 * 10 ** rng.random() / pixel_m), pixel_m)

    @property
    def reach_px(self) -> float:
        return float(self._across(_USUAL_RELIEF_M))

    def _across(self, relief_m: float) -> int:
        """How many pixels away a part of the tip may touch a surface with heights that differ by `relief_m`."""
        relief = relief_m / self.pixel_m
        if self.apex == "paraboloid":
            return int(np.sqrt(2 * self.radius_px * relief))
        return int(np.sqrt(max(2 * self.radius_px * min(relief, self.radius_px) - min(relief, self.radius_px) ** 2, 0)))

    def height(self, distance_px: FloatArray) -> FloatArray:
        """t at a distance from the apex, in metres; infinite beyond the sphere."""
        if self.apex == "paraboloid":
            return np.asarray(distance_px**2 / (2 * self.radius_px) * self.pixel_m)
        inside = np.maximum(self.radius_px**2 - distance_px**2, 0)
        height = (self.radius_px - np.sqrt(inside)) * self.pixel_m
        return np.where(distance_px <= self.radius_px, height, np.inf)

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        across = min(self._across(float(np.ptp(image))), max(image.shape))
        if across == 0:
            return image.copy()
        if self.apex == "paraboloid":
            # a paraboloid is the sum of two parabolas: one axis after the other
            fall = self.height(np.arange(across + 1.0))
            return _dilated_down(_dilated_down(image, fall).T, fall).T.copy()
        return self._dilated(image, across)

    def _dilated(self, image: FloatArray, across: int) -> FloatArray:
        """Place by place below the tip, since a sphere is no sum of two curves."""
        rows, columns = image.shape
        result = image.copy()
        for v in range(-min(across, rows - 1), min(across, rows - 1) + 1):
            for u in range(-min(across, columns - 1), min(across, columns - 1) + 1):
                fall = float(self.height(np.array(np.hypot(u, v))))
                if fall < np.inf:
                    to = np.s_[max(v, 0) : rows + min(v, 0), max(u, 0) : columns + min(u, 0)]
                    of = np.s_[max(-v, 0) : rows + min(-v, 0), max(-u, 0) : columns + min(-u, 0)]
                    np.maximum(result[to], image[of] - fall, out=result[to])
        return result


def _dilated_down(image: FloatArray, fall: FloatArray) -> FloatArray:
    """max over k of image(row - k) - fall(|k|); nothing lies beyond the edges."""
    result = image.copy()
    for k in range(1, min(len(fall), image.shape[0])):
        lowered = image - fall[k]
        np.maximum(result[k:], lowered[:-k], out=result[k:])
        np.maximum(result[:-k], lowered[k:], out=result[:-k])
    return result
