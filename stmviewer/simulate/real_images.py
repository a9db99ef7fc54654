"""Good images of a laboratory as surfaces: cut, turned, flipped and made coarser, as the reference work does.

Source: arXiv 2510.25921, where 36 pristine images are all there is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import FloatArray
from stmviewer.scan.levelling import fit_plane
from stmviewer.simulate.degradations.shifts import lines_at

#: quarter turns of a piece: all, or those that keep scan lines horizontal
ALL_TURNS = (0, 1, 2, 3)
LINES_STAY = (0, 2)
#: share of the pieces that keep the sampling of their image
_AS_IT_IS = 1 / 3
#: waves along a line, up to which structure counts as nearly parallel to the lines
_NEARLY_PARALLEL = 3
#: how far above its neighbours a wave across the lines stands out when it is a lattice and no noise
_LATTICE_PEAK = 6.0


#: waves across the lines longer than this many lines are left: they do no harm along columns, and may be surface
_SLOW_LINES = 40.0


@dataclass(frozen=True)
class Cut:
    """A piece of an image (rows, columns) and how it was cut, as JSON can hold it."""

    image: FloatArray
    recipe: dict[str, Any]


@dataclass(frozen=True)
class RealImages:
    """Pristine images in metres (rows, columns), levelled and without line noise, their pixel sizes and names."""

    images: tuple[FloatArray, ...]
    pixels_m: tuple[float, ...]
    names: tuple[str, ...]
    #: largest factor by which a piece is made coarser
    coarsest: float = 3.0
    #: whether pixel sizes and heights are known; else they are nominal ones
    calibrated: bool = True

    @classmethod
    def of(cls, images: Sequence[FloatArray], pixels_m: Sequence[float], names: Sequence[str] = ()) -> "RealImages":
        """Levels the images and takes their line noise off, once and before any is turned."""
        clean = []
        for image in images:
            level = image - fit_plane(image)
            clean.append(level - line_noise(level)[:, None])
        return cls(tuple(clean), tuple(pixels_m), tuple(names) or tuple(str(i) for i in range(len(images))))

    def __len__(self) -> int:
        return len(self.images)

    def choose(
        self, rows: int, columns: int, rng: np.random.Generator, pixel_m: float | None = None
    ) -> tuple[int, float]:
        """A random image that has room for `rows` x `columns` pixels, and how much coarser its piece becomes.

        `pixel_m` decides the factor; without it, it is 1 or random up to `coarsest`. Raises RequestError when no image
        is large enough, or none is sampled finely enough.
        """
        fitting = []
        for i, image in enumerate(self.images):
            least, most = sorted((rows, columns))
            room = min(min(image.shape) / least, max(image.shape) / most)
            # a hundredth finer is what rounding in a header does
            factor = 1.0 if pixel_m is None else pixel_m / self.pixels_m[i]
            if factor >= 0.99 and max(factor, 1.0) <= room:
                fitting.append((i, max(factor, 1.0), room))
        if not fitting:
            at = "" if pixel_m is None else f" of {pixel_m * 1e9:g} nm"
            largest = max(self.images, key=lambda image: image.size)
            low, high = (limit(self.pixels_m) * 1e9 for limit in (min, max))
            raise RequestError(
                f"no image is large and fine enough for {columns} x {rows} pixels{at}: the largest has "
                f"{largest.shape[1]} x {largest.shape[0]}, their pixels are {low:.3g} to {high:.3g} nm"
            )
        i, factor, room = fitting[rng.integers(len(fitting))]
        return i, factor if pixel_m is not None else draw_factor(min(self.coarsest, room), rng)

    def piece(self, i: int, rows: int, columns: int, factor: float, margin: int, rng: np.random.Generator) -> Cut:
        """A random piece of image `i`, with `margin` pixels more on each side, or as many as there is room for."""
        image = self.images[i]
        while margin and not any(
            _fits(image.shape, outer, factor) for outer in _both(rows + 2 * margin, columns + 2 * margin)
        ):
            margin -= 1
        found = cut(image, (rows + 2 * margin, columns + 2 * margin), factor, rng)
        return Cut(found.image, {"name": self.names[i], "calibrated": self.calibrated, **found.recipe})


def draw_factor(most: float, rng: np.random.Generator) -> float:
    """How much coarser a piece becomes: 1 for a third of them, else log-uniform up to `most`."""
    if rng.random() < _AS_IT_IS or most <= 1:
        return 1.0
    return float(most ** rng.random())


def cut(
    image: FloatArray,
    shape: tuple[int, int],
    factor: float,
    rng: np.random.Generator,
    turns: Sequence[int] = ALL_TURNS,
    lines: FloatArray | None = None,
) -> Cut:
    """A random piece of `image` as (rows, columns) of `shape`: made coarser, turned by one of `turns`, flipped or not.

    Coarser means what a faster scan would have measured: averaged along the fast axis, lines left out. `lines` is the
    line noise of the image (rows,), which is taken off pieces that are turned by 90 or 270 degrees: their lines become
    columns, and no microscope makes noise along columns. Pieces that do not fit turned are not turned so.
    """
    fits = [turn for turn in turns if _fits(image.shape, shape[:: -1 if turn % 2 else 1], factor)]
    if not fits:
        raise RequestError(f"a crop of {shape[1]} x {shape[0]} pixels does not fit in the image")
    turn = int(fits[rng.integers(len(fits))])
    rows, columns = shape[:: -1 if turn % 2 else 1]
    high, wide = int(np.ceil(rows * factor)), int(np.ceil(columns * factor))
    top = int(rng.integers(image.shape[0] - high + 1))
    left = int(rng.integers(image.shape[1] - wide + 1))
    part = image[top : top + high, left : left + wide]
    if lines is not None and turn % 2:
        part = part - lines[top : top + high, None]
    part = np.rot90(coarser(part, rows, columns, factor), turn)
    flip = bool(rng.random() < 0.5)
    recipe = {"top": top, "left": left, "factor": factor, "quarter_turns": turn, "flipped": flip}
    return Cut(np.ascontiguousarray(part[:, ::-1] if flip else part), recipe)


def coarser(image: FloatArray, rows: int, columns: int, factor: float) -> FloatArray:
    """`image` sampled `factor` times more coarsely, (rows, columns): each pixel the mean of what the tip passes in its
    time, each line where it lies (between two that were scanned: interpolated), those between never scanned."""
    if factor == 1:
        return image[:rows, :columns]
    scanned = lines_at(image, np.minimum(factor * np.arange(rows) + factor // 2, image.shape[0] - 1))
    # the integral along a line, read at the edges of the new pixels; it goes on a pixel beyond both ends
    integral = np.concatenate([-scanned[:, :1], np.zeros((rows, 1)), np.cumsum(scanned, axis=1)], axis=1)
    integral = np.concatenate([integral, integral[:, -1:] + scanned[:, -1:]], axis=1)
    edges = np.arange(columns + 1, dtype=np.float64) * factor
    # (cubic, Catmull-Rom: exact for the integral of anything that rises evenly)
    low = np.minimum(np.floor(edges).astype(np.int64), image.shape[1] - 1)
    t = edges - low
    weights = (
        t * (-0.5 + t * (1 - 0.5 * t)),
        1 + t * t * (-2.5 + 1.5 * t),
        t * (0.5 + t * (2 - 1.5 * t)),
        t * t * (-0.5 + 0.5 * t),
    )
    at_edges = sum(w * integral[:, low + k] for k, w in enumerate(weights))
    result: FloatArray = np.diff(at_edges, axis=1) / factor
    return result


def line_noise(image: FloatArray) -> FloatArray:
    """Height offsets of the lines that are noise and not surface, (rows,), mean 0.

    The rise from line to line (its median along them, which does not see the edge of a terrace) holds both. Noise is
    the same along a whole line, so it is not found in waves that lean a little against the lines, while terraces,
    adsorbates and lattices are; and it has no sharp peaks, while a lattice has. Wave by wave (k across the lines) the
    share of noise is taken to be

        1 - max over 0 < |m| <= 3 of |F(k, m)|^2 / |F(k, 0)|^2

    with F the Fourier transform of the rises and m the waves along a line; nothing above six times the median of the
    15 neighbouring k counts. The plain median of differences, by which scans are aligned for the eye, would take off a
    lattice whose rows run along the lines.
    """
    rows, columns = image.shape
    if rows < 16 or columns < 16:
        return np.zeros(rows)
    rises = np.diff(image, axis=0)
    # the median does not see the edge of a terrace, which crosses a few columns between two lines
    rise = np.median(rises, axis=1)
    middle = np.median(rise)
    # an edge along the lines lifts whole ones, far more than noise does
    rise = np.clip(rise - middle, *(sign * 4 * np.median(np.abs(rise - middle)) for sign in (-1, 1)))
    waves = np.arange(1, _NEARLY_PARALLEL + 1)
    along = np.exp(-2j * np.pi * np.outer(np.arange(columns), waves) / columns) / columns
    window = np.hanning(rows - 1)
    straight = np.maximum(np.abs(np.fft.fft(rise * window)) ** 2, np.finfo(float).tiny)
    power = np.abs(np.fft.fft((rises @ along) * window[:, None], axis=0)) ** 2
    # a real image: waves that lean to the other side are those at -k
    leaning = np.maximum(power, np.roll(power[::-1], 1, axis=0)).max(axis=1)
    usual = ndimage.median_filter(straight, 15, mode="wrap")
    share = np.maximum(1 - leaning / straight, 0) * np.minimum(_LATTICE_PEAK * usual / straight, 1)
    k = np.arange(rows - 1)
    share *= np.minimum(k, rows - 1 - k) > rows / _SLOW_LINES
    offsets: FloatArray = np.concatenate([[0.0], np.cumsum(np.fft.ifft(share * np.fft.fft(rise)).real)])
    return offsets - offsets.mean()


def _fits(whole: tuple[int, ...], part: tuple[int, ...], factor: float) -> bool:
    return all(np.ceil(p * factor) <= w for w, p in zip(whole, part, strict=True))


def _both(rows: int, columns: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """A shape and the shape turned by a quarter."""
    return (rows, columns), (columns, rows)
