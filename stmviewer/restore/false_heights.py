"""Heights that the surface does not have and that can be told from it: jumps of the whole image at a line, bow, and the
shadows of flattened lines (`scan.processing.flattened`).

A tip that picks something up, or loses its end, goes on scanning at another height; a scanner swings in an arc. Both
reach over the whole image, where a network that sees its surroundings alone cannot tell them from terraces. So they are
taken out before it. Steps of the surface are left: an edge is crossed within several lines or by a part of each, and
terraces all tilt alike.
"""

from dataclasses import dataclass

import numpy as np

from stmviewer.files.units import shown_unit
from stmviewer.restore.checks import Check
from stmviewer.scan import FloatArray
from stmviewer.scan.levelling import constant_value, fit_plane
from stmviewer.scan.processing.flattened import LineLevels, find_line_levels
from stmviewer.scan.smoothing import WINDOW, smooth

_MAD = 1.4826
#: a jump is so many robust deviations of what lies between lines, and that part of the corrugation's amplitude
_SIGMAS, _LEAST_JUMP = 8.0, 0.6
#: that share of a line jumps by the same height, within half of it
_SHARE, _WITHIN = 0.85, 0.5
#: lines on each side between which it must last, and the most jumps of a scan
_LASTS, _MOST_JUMPS = 3, 12
_LEAST_ROWS, _MOST_COLUMNS = 16, 512
#: bow: blocks a side whose slopes are compared, how sure it must be, and how high at the edge (of the amplitude)
_BLOCKS, _SURE, _LEAST_BOW = 8, 7.0, 0.2
#: blocks beside each other are alike, as the running means reach over them
_ALIKE = 2.5
#: larger images are made coarser first (px a side), and in smaller ones there is no bow to be seen
_SIDE, _LEAST_SIDE = 512, 96
#: residuals over so many robust deviations do not count (Tukey's biweight), and rounds of weighting
_TUKEY, _ROUNDS = 4.7, 20

#: what is left of a tilted plane by rounding, in parts of its height, and more than that
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Jump:
    """From `column` of `row` on (up to it where the line was scanned leftwards) everything lies `height` higher."""

    row: int
    column: int
    leftwards: bool
    height: float


@dataclass(frozen=True)
class FalseHeights:
    """The jumps of a scan, in its unit, and its bow z = bow_y y^2 + bow_x x^2 around the centre (pixels), 0 if none;
    `lines` is what flattening took wrongly from its lines."""

    jumps: tuple[Jump, ...] = ()
    bow_y: float = 0.0
    bow_x: float = 0.0
    lines: LineLevels | None = None

    def without(self, image: FloatArray) -> FloatArray:
        """The image (rows, columns) less these heights; the image itself where there are none."""
        if self.lines is not None:
            image = self.lines.taken_from(image)
        if not self.jumps and not self.bow_y and not self.bow_x:
            return image
        rows, columns = image.shape
        y, x = _centred(rows), _centred(columns)
        offsets = self.bow_y * y**2
        result = image - self.bow_x * x[None, :] ** 2
        for jump in self.jumps:
            offsets[jump.row + 1 :] += jump.height
            part = np.s_[: jump.column] if jump.leftwards else np.s_[jump.column :]
            result[jump.row, part] -= jump.height
        result -= offsets[:, None]
        return result

    def checks(self, shape: tuple[int, int], unit: str) -> list[Check]:
        """What the user should know of it, for a scan of that shape (rows, columns) in `unit`."""

        def amount(value: float) -> str:
            name, factor = shown_unit(value, unit)
            return f"{float(f'{value * factor:.2g}'):g} {name}".rstrip()

        found = []
        if self.lines is not None:
            taken = "a straight line" if self.lines.with_slopes else "its mean"
            found.append(
                Check(
                    "heights",
                    f"Before the repair shadows of up to {amount(self.lines.highest)} were taken out: the scan was "
                    f"flattened, from every line {taken} was taken, which darkens lines that cross something high",
                )
            )
        if self.jumps:
            places = " and ".join(f"{amount(j.height)} at line {j.row + 1}" for j in self.jumps)
            found.append(
                Check(
                    "heights",
                    f"Before the repair the height jump of {places} was taken out: nearly the whole line jumps at "
                    "once, as where the tip changes. A step edge exactly along the lines would look the same",
                    warns=True,
                )
            )
        bows = [c * (n / 2) ** 2 for c, n in zip((self.bow_y, self.bow_x), shape, strict=True)]
        if any(bows):
            height = max(bows, key=abs)
            text = f"Before the repair a bow of the scanner, {amount(height)} from centre to edge, was taken out"
            found.append(Check("heights", text))
        return found

    def facts(self) -> dict[str, object]:
        """As provenance holds it."""
        return {
            "jumps": [vars(j).copy() for j in self.jumps],
            "bow_y_per_px2": self.bow_y,
            "bow_x_per_px2": self.bow_x,
            "flattened_lines": None
            if self.lines is None
            else {"with_slopes": self.lines.with_slopes, "highest": self.lines.highest},
        }


def find_false_heights(image: FloatArray) -> FalseHeights:
    """The jumps, the bow and the shadows of flattened lines of an image (rows, columns) without gaps."""
    if min(image.shape) < _LEAST_ROWS or constant_value(image) is not None:
        return FalseHeights()
    if np.ptp(_level(image)) <= _ROUNDING * np.ptp(image):
        return FalseHeights()  # nothing but a tilt
    lines = find_line_levels(image)
    if lines is not None:
        image = lines.taken_from(image)
    small = _level(image)
    hills = _background(small)
    amplitude = _amplitude(small, hills)
    jumps = _jumps(image, amplitude)
    if jumps:
        hills = _background(_level(FalseHeights(jumps).without(image)))
    return FalseHeights(jumps, *_bow(hills, amplitude, max(1, -(-max(image.shape) // _SIDE))), lines)


def _centred(count: int) -> FloatArray:
    result: FloatArray = np.arange(count, dtype=np.float64) - (count - 1) / 2
    return result


def _level(image: FloatArray) -> FloatArray:
    """Averaged over squares of pixels, so that no side is longer than 512, and without its tilt."""
    factor = -(-max(image.shape) // _SIDE)
    rows, columns = (n // factor for n in image.shape)
    squares = image[: rows * factor, : columns * factor].reshape(rows, factor, columns, factor)
    small = squares.mean(axis=(1, 3))
    result: FloatArray = small - fit_plane(small)
    return result


def _background(image: FloatArray) -> FloatArray:
    hills = np.array(image)
    smooth(hills)
    return hills


def _amplitude(image: FloatArray, background: FloatArray) -> float:
    low, high = np.percentile(image - background, (5, 95))
    return float(high - low) / 2


def _spread(values: FloatArray) -> float:
    return _MAD * float(np.median(np.abs(values - np.median(values))))


def _jumps(image: FloatArray, amplitude: float) -> tuple[Jump, ...]:
    """The lines at which the image goes on at another height, in their order.

    Compared are lines two apart: where the tip changes within a line, the one between is half of each.
    """
    rows = len(image)
    lines = image[:, :: max(1, image.shape[1] // _MOST_COLUMNS)]
    apart = lines[2:] - lines[:-2]
    steps = np.median(apart, axis=1)
    usual = float(np.median(steps))
    least = max(_SIGMAS * _spread(steps), _LEAST_JUMP * amplitude)
    found: list[tuple[int, float]] = []
    for k in np.argsort(-np.abs(steps - usual), kind="stable")[:_MOST_JUMPS]:
        height = float(steps[k]) - usual
        if not abs(height) > least:
            break
        if k < 1 or k + 2 + _LASTS > rows or any(abs(k - other) < 4 for other, _ in found):
            continue
        near = _WITHIN * abs(height)
        before, after = lines[max(k + 1 - _LASTS, 0) : k + 1], lines[k + 2 : k + 2 + _LASTS]
        tilt = usual / 2 * ((len(before) + len(after)) / 2 + 1)
        lasting = float(np.median(after.mean(axis=0) - before.mean(axis=0))) - tilt
        alike = float(np.mean(np.abs(apart[k] - usual - height) < near))
        if alike >= _SHARE and abs(lasting - height) < near:
            found.append((int(k), height))
    jumps: list[Jump] = []
    for k, height in sorted(found):
        jumps.append(_placed(FalseHeights(tuple(jumps)).without(image[: k + 3]), k, height))
    return tuple(jumps)


def _placed(image: FloatArray, k: int, height: float) -> Jump:
    """The jump between lines k and k + 2, where it fits the line between them best: scanned either way."""
    off = image[k + 1] - (image[k] + image[k + 2] - height) / 2
    low, high = (np.concatenate([[0.0], np.cumsum(np.abs(v))]) for v in (off, off - height))
    # of the first c pixels the one, of the rest the other
    rightwards, leftwards = low + high[-1] - high, high + low[-1] - low
    left = bool(leftwards.min() < rightwards.min())
    column = int((leftwards if left else rightwards).argmin())
    if column == (len(off) if left else 0):
        return Jump(k + 1, 0, False, height)
    if column == (0 if left else len(off)):
        return Jump(k + 2, 0, False, height)
    return Jump(k + 1, column, left, height)


def _bow(hills: FloatArray, amplitude: float, factor: int) -> tuple[float, float]:
    """Curvatures along y and x per square pixel of the image that is `factor` times finer than its background `hills`;
    0 where none is sure.

    A line through the median slopes of 8 x 8 blocks against where they are: terraces tilt all alike, and blocks with a
    step edge in them are left out by their residuals.
    """
    if min(hills.shape) < _LEAST_SIDE:
        return 0.0, 0.0
    cut = WINDOW // 2
    curvatures = []
    for axis, count in enumerate(hills.shape):
        slopes = np.diff(hills, axis=axis)[cut:-cut, cut:-cut]
        parts = [np.array_split(np.arange(n), _BLOCKS) for n in slopes.shape]
        blocks = np.array([[np.median(slopes[np.ix_(a, b)]) for b in parts[1]] for a in parts[0]])
        places = np.array([p.mean() for p in parts[axis]]) + cut + 0.5 - (count - 1) / 2
        curvature, sure = _line(np.repeat(places, _BLOCKS), (blocks if axis == 0 else blocks.T).ravel())
        high = abs(curvature) / 2 * (count / 2) ** 2 > _LEAST_BOW * amplitude
        curvatures.append(curvature / 2 / factor**2 if high and sure else 0.0)
    return curvatures[0], curvatures[1]


def _line(x: FloatArray, y: FloatArray) -> tuple[float, bool]:
    """The slope of a line through points of which some are far off, and whether it is surely not 0."""
    weight = np.ones(len(x))
    slope = 0.0
    rest = y
    for _ in range(_ROUNDS):
        total = weight.sum()
        mx, my = float((weight * x).sum() / total), float((weight * y).sum() / total)
        slope = float((weight * (x - mx) * (y - my)).sum() / (weight * (x - mx) ** 2).sum())
        rest = y - my - slope * (x - mx)
        spread = _MAD * float(np.median(np.abs(rest)))
        if spread == 0:
            break
        weight = (1 - np.clip(np.abs(rest) / (_TUKEY * spread), 0, 1) ** 2) ** 2
    total = weight.sum()
    free = max(total / _ALIKE - 2, 1.0)
    variance = float((weight * rest**2).sum() / total) / free
    error = np.sqrt(variance / float((weight * (x - mx) ** 2).sum() / total))
    return slope, abs(slope) > _SURE * error
