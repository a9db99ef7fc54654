"""Clean fields kept in memory, from which training cuts its crops."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stmviewer.scan import Progress, RequestError
from stmviewer.scan.geometry import FloatArray
from stmviewer.scan.levelling import robust_range
from stmviewer.simulate.presets import Pair, degrade, find_preset
from stmviewer.simulate.surfaces import random_surface, surface_names


class PristineBank:
    """Clean images (float32, metres) with their pixel sizes, and random crops of them.

    Making a surface costs more than degrading a crop, so training makes a bank once and draws from it.
    """

    def __init__(
        self,
        surface: str,
        count: int,
        size: int,
        pixel_range_m: tuple[float, float] = (0.03e-9, 0.26e-9),
        seed: int = 0,
        progress: Progress | None = None,
    ) -> None:
        """`count` fields of `size` x `size` pixels, pixel sizes log-uniform in `pixel_range_m`.

        `surface` may be several names with commas, taken in turn (a name given twice counts twice); `all` stands for
        every surface. Field i depends on (seed, i) alone. Raises RequestError for an unknown surface.
        """
        names = [n for part in surface.split(",") for n in (surface_names() if part == "all" else [part.strip()])]
        ticks = (progress or Progress()).part(1.0, "simulating surfaces", count)
        low, high = (math.log(limit) for limit in pixel_range_m)
        self.fields: list[NDArray[np.float32]] = []
        self.pixels_m: list[float] = []
        for i in range(count):
            rng = np.random.default_rng((seed, i))
            pixel_m = math.exp(rng.uniform(low, high))
            self._add(random_surface(names[i % len(names)], rng).make(size, size, pixel_m, rng), pixel_m)
            ticks.tick()

    @classmethod
    def of_images(
        cls, images: Sequence[FloatArray], pixels_m: Sequence[float], range_m: float | None = None
    ) -> "PristineBank":
        """A bank of given images (rows, columns; heights in metres), each with its pixel size.

        `range_m` is for uncalibrated images: each is scaled so that its 5 to 95 % range is that many metres, since
        the degradations have heights in metres.
        """
        bank = cls.__new__(cls)
        bank.fields, bank.pixels_m = [], []
        for image, pixel_m in zip(images, pixels_m, strict=True):
            low, high = robust_range(image, 5, 95)
            bank._add(image if range_m is None else image * (range_m / (high - low)), pixel_m)
        return bank

    def _add(self, image: FloatArray, pixel_m: float) -> None:
        field: NDArray[np.float32] = (image - image.mean()).astype(np.float32)
        self.fields.append(field)
        self.pixels_m.append(pixel_m)

    @property
    def calibrated(self) -> bool:
        """Simulated fields know their pixel size."""
        return True

    def __len__(self) -> int:
        return len(self.fields)

    def side(self, i: int) -> int:
        """The largest crop that field i allows (pixels)."""
        return min(self.fields[i].shape)

    def crop(self, i: int, size: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """A random `size` x `size` crop of field i, turned by a random quarter and flipped or not."""
        field = self.fields[i]
        if size > min(field.shape):
            raise RequestError(
                f"a crop of {size} pixels does not fit in a field of {field.shape[1]} x {field.shape[0]}"
            )
        top = int(rng.integers(field.shape[0] - size + 1))
        left = int(rng.integers(field.shape[1] - size + 1))
        crop = np.rot90(field[top : top + size, left : left + size], int(rng.integers(4)))
        return np.ascontiguousarray(crop[:, ::-1] if rng.random() < 0.5 else crop)

    def scanned(self, i: int, size: int, rng: np.random.Generator) -> tuple[FloatArray, float | None]:
        """A crop as a perfect microscope would have scanned it, and its pixel size (m)."""
        return self.crop(i, size, rng).astype(np.float64), self.pixels_m[i]

    def pair(self, size: int, preset: str, rng: np.random.Generator) -> Pair:
        """A random crop of a random field and its degraded counterpart, `size` x `size` pixels, metres."""
        i = int(rng.integers(len(self)))
        pixel_m = self.pixels_m[i]
        damage = find_preset(preset).draw(rng, pixel_m)
        # cut with the surroundings that the damage will bring in: degrading the whole field would cost too much
        outer = min(size + 2 * damage.margin(size), *self.fields[i].shape)
        crop = self.crop(i, max(outer, size), rng).astype(np.float64)
        return degrade(crop, preset, rng, pixel_m=pixel_m, crop=(size, size), rotate=False, damage=damage)

    def describe(self) -> dict[str, Any]:
        """How many fields, and their range of pixel sizes in nm, for a model's card."""
        return {
            "fields": len(self),
            "pixel_nm": [round(min(self.pixels_m) * 1e9, 4), round(max(self.pixels_m) * 1e9, 4)] if self.fields else [],
        }
