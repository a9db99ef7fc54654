"""The tip changes while scanning."""

from dataclasses import dataclass

import numpy as np

from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.degradations.shifts import shifted
from stmviewer.simulate.degradations.tips import DullTip, MultiTip, SeveralTips, offset


@dataclass(frozen=True)
class TipChange:
    """From some line on another tip scans: another height, another place, another shape.

    From the line at `where` (a share of the rows) and `within` (a share of that line) on, the image is that of `tip`,
    shifted by (x_px, y_px) since the new end sits elsewhere, and `jump_m` higher. Drawn: where ~ U(0.05, 0.95), jump
    normal with 60 pm, a shift of up to 0.5 nm, the new tip dull, multi-tip or several tips.
    """

    where: float
    within: float
    jump_m: float
    x_px: float
    y_px: float
    tip: DullTip | MultiTip | SeveralTips

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> "TipChange":
        kind = (DullTip, MultiTip, SeveralTips)[rng.integers(3)]
        x, y = offset(rng, rng.uniform(0, 0.5e-9) / pixel_m)
        return cls(
            where=float(rng.uniform(0.05, 0.95)),
            within=float(rng.random()),
            jump_m=float(rng.normal(0, 60e-12)),
            x_px=x,
            y_px=y,
            tip=kind.draw(rng, pixel_m),
        )

    @property
    def reach_px(self) -> float:
        return max(abs(self.x_px), abs(self.y_px)) + self.tip.reach_px

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        rows, columns = image.shape
        other = self.tip.apply(shifted(image, self.x_px, self.y_px), rng)
        # the new tip's own contrast, but the same mean height besides the jump
        other += self.jump_m + image.mean() - other.mean()
        result = image.copy().ravel()
        first = min(int(self.where * rows), rows - 1) * columns + int(self.within * columns)
        result[first:] = other.ravel()[first:]
        return result.reshape(image.shape)
