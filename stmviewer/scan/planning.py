"""Planning a scan: what each sampling of it costs, how fast the tip moves, how coarsely the lattice is sampled."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from stmviewer.scan.errors import RequestError
from stmviewer.scan.masks import full, make_mask

#: samplings that a plan compares, from the densest
PATTERNS = ("lines:2", "lines:3", "lines:4", "lines-random:0.25", "grid:2", "grid:4", "pixels:0.25", "spiral:0.25")
#: no scan is larger, and no line takes longer
_LARGEST_M, _LONGEST_S = 1.0, 1e6
#: what a line is scanned at faster than this, feedback on atoms seldom follows (m/s)
FAST_M_PER_S = 200e-9
#: pixels a lattice period from which interpolation is good already, and below which a lattice cannot be told at all
FINE_PX, LEAST_PX = 8.0, 2.0
#: a wave whose period is so near the lattice's could be the lattice itself, of another domain or with drift
_ALIKE = 0.15


@dataclass(frozen=True)
class Sampling:
    """One way to measure the scan: the part of its pixels, seconds, and how many times faster than all of them.

    `period_samples` are the measured lines (or points) a lattice period: below two, the lattice cannot be
    told from its aliases. `lookalike` is another wave that has the same values at every measured line and nearly the
    lattice's period: its period (m) and angle (degrees), where the lattice's direction was given.
    """

    pattern: str
    fraction: float
    seconds: float
    times_faster: float
    period_samples: float | None = None
    lookalike: tuple[float, float] | None = None


@dataclass(frozen=True)
class ScanPlan:
    """A scan as it is planned; lengths in metres, times in seconds."""

    rows: int
    columns: int
    width: float
    height: float
    line_time: float
    backward_time: float
    period: float | None
    samplings: tuple[Sampling, ...]

    @property
    def pixel(self) -> float:
        """The larger side of a pixel (m)."""
        return max(self.width / self.columns, self.height / self.rows)

    @property
    def tip_speed(self) -> float:
        """Along the fast axis (m/s)."""
        return self.width / self.line_time

    @property
    def period_px(self) -> float | None:
        """Pixels a lattice period, where one was given."""
        return None if self.period is None else self.period / self.pixel

    def fastest_within(self, seconds: float) -> Sampling | None:
        """The sampling with the most pixels that takes no longer than that; None when all do."""
        fitting = [s for s in self.samplings if s.seconds <= seconds]
        return max(fitting, key=lambda s: (s.fraction, s.pattern.startswith("lines:")), default=None)

    def warnings(self) -> list[str]:
        """What speaks against the plan, in words."""
        found = []
        if self.tip_speed > FAST_M_PER_S:
            found.append(
                f"the tip moves at {1e9 * self.tip_speed:.0f} nm/s; the feedback follows atoms up to some "
                f"{1e9 * FAST_M_PER_S:.0f} nm/s"
            )
        width, height = self.width / self.columns, self.height / self.rows
        if max(width, height) > 1.05 * min(width, height):
            found.append(f"pixels are not square: {1e9 * width:.3g} nm wide, {1e9 * height:.3g} nm high")
        if self.period_px is not None and self.period_px < LEAST_PX:
            found.append(
                f"{self.period_px:.2g} pixels a lattice period: even the full scan does not resolve the lattice"
            )
        for one in self.samplings:
            if one.lookalike is not None:
                period, angle = one.lookalike
                found.append(
                    f"{one.pattern} cannot tell this lattice from one of {1e9 * period:.3g} nm at {angle:.0f}°, which "
                    "another domain or drift may make: take other lines, or turn the scan"
                )
        return found


def plan_scan(
    shape: tuple[int, int],
    size_m: tuple[float, float],
    line_time_s: float,
    *,
    backward_time_s: float | None = None,
    period_m: float | None = None,
    angle_deg: float | None = None,
    patterns: Sequence[str] = PATTERNS,
) -> ScanPlan:
    """The plan of a scan of `shape` (rows, columns) over `size_m` (height, width).

    `line_time_s` is that of one line forward, `backward_time_s` back (the same by default); `period_m` is the lattice
    period that is to be seen, `angle_deg` the direction in which it repeats, from the fast axis (either sense: mirrored
    waves have mirrored lookalikes). Raises RequestError for sizes and times that make no sense.
    """
    rows, columns = shape
    for what, value, most, unit in (
        ("size", size_m[0], _LARGEST_M, "m"),
        ("size", size_m[1], _LARGEST_M, "m"),
        ("line time", line_time_s, _LONGEST_S, "s"),
    ):
        if not 0 < value <= most:
            raise RequestError(f"the {what} of a scan must be positive, and at most {most:g} {unit}, not {value:g}")
    back = line_time_s if backward_time_s is None else backward_time_s
    if not 0 <= back <= _LONGEST_S:
        raise RequestError(f"the time of a line back must not be negative nor over {_LONGEST_S:g} s, not {back:g}")
    if period_m is not None and not 0 < period_m < math.inf:
        raise RequestError(f"a lattice period must be positive, not {period_m:g}")
    if angle_deg is not None and (period_m is None or not math.isfinite(angle_deg)):
        raise RequestError("a lattice angle is a number of degrees, and needs the lattice period, too")
    times = (line_time_s, back)
    whole = full(rows, columns).acquisition_time_s(times)
    pixel = max(size_m[1] / columns, size_m[0] / rows)

    def samples(gap_px: float) -> float | None:
        return None if period_m is None else period_m / (pixel * gap_px)

    found = [Sampling("full", 1.0, whole, 1.0, samples(1.0))]
    for pattern in patterns:
        try:
            mask = make_mask(pattern, rows, columns)
        except RequestError:
            continue  # too few lines or pixels for it
        seconds = mask.acquisition_time_s(times)
        name, _, number = pattern.partition(":")
        gap = float(number) if name in ("lines", "grid", "grid-jitter") else 1 / mask.fraction
        # scattered points have a mean distance in both directions, lines in one
        gap = gap if name in ("lines", "grid", "grid-jitter", "lines-random", "spiral") else math.sqrt(gap)
        alike = None
        if name == "lines" and period_m is not None and angle_deg is not None:
            alike = lookalike(period_m, angle_deg, gap * size_m[0] / rows)
        found.append(Sampling(pattern, mask.fraction, seconds, whole / seconds, samples(gap), alike))
    return ScanPlan(rows, columns, size_m[1], size_m[0], line_time_s, back, period_m, tuple(found))


def lookalike(period_m: float, angle_deg: float, gap_m: float) -> tuple[float, float] | None:
    """The wave nearest in period that equals one of `period_m` at `angle_deg` on lines `gap_m` apart.

    Its period (m) and angle (0 to 180 degrees); None where none is within 15 %. On such lines the waves (fx, fy) and
    (fx, fy + n / gap) are the same for every whole n. Rows at 45 degrees meet their own mirror image where
    2 |fy| = 1 / gap.
    """
    fx = math.cos(math.radians(angle_deg)) / period_m
    fy = math.sin(math.radians(angle_deg)) / period_m
    orders = range(-math.ceil(2 * abs(fy) * gap_m) - 1, math.ceil(2 * abs(fy) * gap_m) + 2)
    others = [(math.hypot(fx, fy + n / gap_m), n) for n in orders if n]
    frequency, order = min(others, key=lambda one: abs(math.log(max(one[0], 1e-12 / period_m) * period_m)))
    if not 1 / (1 + _ALIKE) < frequency * period_m < 1 + _ALIKE:
        return None
    return 1 / frequency, math.degrees(math.atan2(fy + order / gap_m, fx)) % 180
