"""What a training covers: noise, corrugation and periods of its images, by the measures that warn on a scan later."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stmviewer.restore.ranges import Facts, facts_of
from stmviewer.scan import Geometry, Progress
from stmviewer.train.dataset import Maker, Mixed, SampleMaker
from stmviewer.train.folder import FolderSource

#: images that are looked at, and their side: a few lattice periods of the finest, and terraces
_IMAGES = 64
_SIDE = 192
#: the ends of a range leave out this share (%) of the images: one strange image does not widen it
_TAIL = 2.0


@dataclass(frozen=True)
class Coverage:
    """Smallest and largest value, as `ModelInfo` has them; empty where it is not known."""

    noise: tuple[float, ...] = ()
    contrast_m: tuple[float, ...] = ()
    periods_px: tuple[float, ...] = ()

    def also(self, other: "Coverage") -> "Coverage":
        """Both: what one of them does not know is not known. Images without heights of their own say nothing of the
        corrugation, though: there the range is that of those which have them."""
        return Coverage(
            _spanned(self.noise, other.noise),
            _spanned(self.contrast_m, other.contrast_m) or self.contrast_m or other.contrast_m,
            _spanned(self.periods_px, other.periods_px),
        )


def coverage(maker: Maker, crop: int, progress: Progress) -> Coverage:
    """What the images of `maker` are like, for crops of `crop` pixels; the same for the same maker."""
    if isinstance(maker, Mixed):
        return coverage(maker.first, crop, progress).also(coverage(maker.second, crop, progress))
    assert isinstance(maker, SampleMaker)
    progress = progress.part(0.02, "Measuring the scans", _IMAGES)
    large, small = [], []
    for index in range(_IMAGES):
        large.append(_facts(maker, index, _SIDE))
        small.append(_facts(maker, index, crop))  # coarser: a small crop of a coarse version still fits in
        progress.tick()
    return Coverage(
        _range([f.noise for f in large]),
        _range([f.contrast for f in large]) if _in_metres(maker) else (),
        _range([f.period_px for f in (*large, *small)]),
    )


def _facts(maker: SampleMaker, index: int, size: int) -> Facts:
    image, pixel_m = maker.whole(index, size)
    side = image.shape[0]
    frame = Geometry.of_pixels(side, side) if pixel_m is None else Geometry(side, side, side * pixel_m, side * pixel_m)
    return facts_of(image, np.ones(image.shape, dtype=np.bool_), frame, "m")


def _in_metres(maker: SampleMaker) -> bool:
    """Whether the heights are those of the scans: images that have none of their own are given a nominal one."""
    source = maker.source
    return not isinstance(source, FolderSource) or bool(np.isfinite(source.scales).all())


def _range(values: Sequence[float | None]) -> tuple[float, ...]:
    found = [v for v in values if v is not None]
    if len(found) < 2:
        return ()
    low, high = (float(f"{x:.4g}") for x in np.percentile(found, (_TAIL, 100 - _TAIL)))
    return low, high


def _spanned(one: tuple[float, ...], other: tuple[float, ...]) -> tuple[float, ...]:
    return (min(one[0], other[0]), max(one[1], other[1])) if one and other else ()
