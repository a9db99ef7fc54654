"""The tip changes while scanning: for good, back and forth, or by picking something up.

All three show what one of two tips sees, and say when: the time runs along each line forward, then back.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from stmviewer.scan.geometry import BoolArray, FloatArray
from stmviewer.simulate.degradations.degradation import BothWays, both_ways
from stmviewer.simulate.degradations.shifts import shifted
from stmviewer.simulate.degradations.tips import DullTip, MultiTip, SeveralTips, offset


class TwoTips:
    """Base: `other` is the image of the second tip, `when` the times at which it scans."""

    moves: ClassVar[bool] = False

    def other(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        """What the second tip sees where the first sees `image`, (rows, columns) in metres."""
        raise NotImplementedError

    def when(self, image: FloatArray, rng: np.random.Generator) -> BoolArray:
        """True where the second tip scans: (rows, 2 columns), each line forward and then back (`in_time`)."""
        raise NotImplementedError

    def apply(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        return self._mixed(image, self.when(image, rng)[:, : image.shape[1]], rng)

    def apply_both(self, forward: FloatArray, backward: FloatArray, rng: np.random.Generator) -> BothWays:
        there, back = both_ways(self.when(forward, rng))
        return self._mixed(forward, there, rng), self._mixed(backward, back, rng)

    def _mixed(self, image: FloatArray, there: BoolArray, rng: np.random.Generator) -> FloatArray:
        return np.where(there, self.other(image, rng), image) if there.any() else image.copy()


@dataclass(frozen=True)
class TipChange(TwoTips):
    """From some line on another tip scans: another height, another place, another shape.

        z(x, k) = h(x, k) before,  T[h](x - x_0, k - y_0) + jump after

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

    def other(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        seen = self.tip.apply(shifted(image, self.x_px, self.y_px), rng)
        # the new tip's own contrast, but the same mean height besides the jump
        return seen + (self.jump_m + image.mean() - seen.mean())

    def when(self, image: FloatArray, rng: np.random.Generator) -> BoolArray:
        rows, columns = image.shape
        line = min(int(self.where * rows), rows - 1)
        return _from(rows, columns, line, int(self.within * columns))


@dataclass(frozen=True)
class TipSwitching(TwoTips):
    """The end of the tip hops between two states: streaks of another height and place, a random telegraph signal.

    The state is a Markov process in time: it rests for exponentially distributed times of mean `rest_px`, is away
    for such times of mean `away_px` (both in pixels scanned, forward and backward), and is found away for the share
    away / (rest + away) of the time. Away, the image is shifted by (x_px, y_px) and `jump_m` higher. Source: Machlup,
    J. Appl. Phys. 25, 341 (1954). Drawn: rest 10^U(2.7, 4.5) px, away 10^U(0.7, 2.7) px, jump normal with 60 pm, a
    shift of up to 0.5 nm.
    """

    rest_px: float
    away_px: float
    jump_m: float
    x_px: float
    y_px: float

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> "TipSwitching":
        x, y = offset(rng, rng.uniform(0, 0.5e-9) / pixel_m)
        return cls(
            rest_px=float(10 ** rng.uniform(2.7, 4.5)),
            away_px=float(10 ** rng.uniform(0.7, 2.7)),
            jump_m=float(rng.normal(0, 60e-12)),
            x_px=x,
            y_px=y,
        )

    @property
    def reach_px(self) -> float:
        return max(abs(self.x_px), abs(self.y_px)) + 1

    def other(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        return shifted(image, self.x_px, self.y_px) + self.jump_m

    def when(self, image: FloatArray, rng: np.random.Generator) -> BoolArray:
        rows, columns = image.shape
        total = rows * 2 * columns
        away = bool(rng.random() < self.away_px / (self.rest_px + self.away_px))
        dwells = (self.away_px, self.rest_px) if away else (self.rest_px, self.away_px)
        times = np.zeros(0)
        while not times.size or times[-1] < total:
            count = int(1.2 * total / (self.rest_px + self.away_px)) + 4
            more = rng.exponential(dwells, (count, 2)).ravel()
            times = np.concatenate([times, (times[-1] if times.size else 0.0) + np.cumsum(more)])
        hops = np.bincount(times[times < total].astype(np.int64), minlength=total)
        state: BoolArray = ((np.cumsum(hops) + away) % 2).astype(np.bool_)
        return state.reshape(rows, 2 * columns)


@dataclass(frozen=True)
class PickedUpAdsorbate(TwoTips):
    """On a line the tip picks up what it passes over, and images with it until it falls off again.

    At the highest place of the line at `where` (a share of the rows) an adsorbate jumps to the apex. From then on the
    image is that of two ends (`tip`: the adsorbate and the old apex beside it, a ghost of everything), `jump_m`
    higher since the adsorbate hangs below the tip (as molecules are picked up on purpose: Bartels, Meyer and Rieder,
    Appl. Phys. Lett. 71, 213 (1997)). At `until` (a share of the rows; 1 or more: never) it is dropped.
    Drawn: where ~ U(0.05, 0.95); dropped with probability 1/2, U(0.02, 0.6) of the rows later; one further end
    0.3-1.2 nm away with l ~ U(-0.03, 0.05) nm; jump ~ U(30, 250) pm.
    """

    where: float
    until: float
    jump_m: float
    tip: SeveralTips

    @classmethod
    def draw(cls, rng: np.random.Generator, pixel_m: float) -> "PickedUpAdsorbate":
        x, y = offset(rng, rng.uniform(0.3e-9, 1.2e-9) / pixel_m)
        ends = SeveralTips((x,), (y,), (float(rng.uniform(-0.03e-9, 0.05e-9)),), float(rng.uniform(9.5e9, 11.5e9)))
        where = float(rng.uniform(0.05, 0.95))
        until = where + float(rng.uniform(0.02, 0.6)) if rng.random() < 0.5 else 1.0
        return cls(where, until, float(rng.uniform(30e-12, 250e-12)), ends)

    @property
    def reach_px(self) -> float:
        return self.tip.reach_px

    def other(self, image: FloatArray, rng: np.random.Generator) -> FloatArray:
        seen = self.tip.apply(image, rng)
        return seen + (self.jump_m + image.mean() - seen.mean())

    def when(self, image: FloatArray, rng: np.random.Generator) -> BoolArray:
        rows, columns = image.shape
        line = min(int(self.where * rows), rows - 1)
        held = _from(rows, columns, line, int(np.argmax(image[line])))
        if self.until < 1:
            held &= ~_from(rows, columns, int(self.until * rows), 0)
        return held


def _from(rows: int, columns: int, line: int, column: int) -> BoolArray:
    """True from that place of the trace on, in the order of measurement: (rows, 2 columns)."""
    state = np.zeros(rows * 2 * columns, dtype=np.bool_)
    state[line * 2 * columns + column :] = True
    return state.reshape(rows, 2 * columns)
