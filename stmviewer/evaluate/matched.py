"""Simulated images made to be compared with real ones: each has the size and the pixel size of one of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stmviewer.evaluate.real_images import RealImage
from stmviewer.scan import FloatArray, Progress
from stmviewer.simulate.presets import Preset, degrade
from stmviewer.simulate.surfaces import random_surface

#: surface around an image that a second tip end brings into it
_MARGIN_M = 3.5e-9
_MARGIN_PX = 20
#: the margin costs time with its square; finely sampled images do with less
_MOST_MARGIN_PX = 64


@dataclass(frozen=True)
class Field:
    """A pristine surface (heights in m) with a margin of `margin` pixels around the part that is imaged."""

    heights: FloatArray
    margin: int
    pixel_m: float

    @property
    def pristine(self) -> FloatArray:
        """What a perfect microscope would show of it."""
        inner = slice(self.margin, -self.margin)
        return self.heights[inner, inner]


def matched_fields(images: Sequence[RealImage], surface: str, seed: int, progress: Progress) -> list[Field]:
    """A random surface for each real image, of its shape and pixel size. Field i depends on (seed, i) and image i.

    Raises RequestError for an unknown surface.
    """
    ticks = progress.part(1.0, "Simulating surfaces", len(images))
    fields = []
    for i, image in enumerate(images):
        rng = np.random.default_rng((seed, i, 0))
        rows, columns = image.data.shape
        margin = min(math.ceil(_MARGIN_M / image.pixel_m) + _MARGIN_PX, _MOST_MARGIN_PX)
        drawn = random_surface(surface, rng)
        heights = drawn.make(rows + 2 * margin, columns + 2 * margin, image.pixel_m, rng)
        fields.append(Field(heights, margin, image.pixel_m))
        ticks.tick()
    return fields


def degraded(fields: Sequence[Field], preset: Preset, seed: int, progress: Progress) -> list[FloatArray]:
    """Each field as the preset degrades it (rows, columns), heights in m.

    The random numbers of image i depend on (seed, i) alone, so that presets are compared on the same surfaces and,
    as far as they draw the same things, by the same accidents.
    """
    images = []
    for i, field in enumerate(fields):
        progress.tick()
        rng = np.random.default_rng((seed, i, 1))
        damage = preset.draw(rng, field.pixel_m)
        outer = min(damage.margin(field.heights.shape[0] - 2 * field.margin), field.margin)
        cut = field.margin - outer
        around = field.heights[cut : field.heights.shape[0] - cut, cut : field.heights.shape[1] - cut]
        rows, columns = (n - 2 * field.margin for n in field.heights.shape)
        pair = degrade(around, "matched", rng, pixel_m=field.pixel_m, crop=(rows, columns), rotate=False, damage=damage)
        images.append(pair.degraded)
    return images
