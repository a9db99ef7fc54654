"""Simulated scans: a surface, scanned badly, beside what a perfect microscope would have shown."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

import numpy as np

from stmviewer.scan import Channel, FloatArray, Geometry, RequestError, Scan
from stmviewer.simulate.degradations import Unfinished, describe
from stmviewer.simulate.presets import Damage, Pair, degrade_both_ways, find_preset
from stmviewer.simulate.real_images import RealImages
from stmviewer.simulate.surfaces import Surface, random_surface
from stmviewer.simulate.surfaces.settings import with_settings

PIXEL_RANGE_M = (0.02e-9, 1e-9)

#: surface around a scan that a second tip end brings into it, whose distance is drawn in metres or in pixels
_MARGIN_M = 6.5e-9
_MARGIN_PX = 24


@dataclass(frozen=True)
class Scene:
    """A pristine surface ready to be scanned: `heights` (m) of `rows` x `columns` pixels with a margin around."""

    surface: Surface
    heights: FloatArray
    rows: int
    columns: int
    pixel_m: float
    seed: int | tuple[int, int]

    @property
    def margin(self) -> int:
        return (self.heights.shape[0] - self.rows) // 2

    def draw(self, preset: str) -> Damage:
        """The degradations that the preset draws for this scene's seed."""
        return find_preset(preset).draw(self._rng(), self.pixel_m)

    def scan(self, preset: str, damage: Damage | None = None, *, unfinished: float = 0.0) -> Pair:
        """The pair, forward and backward, with the degradations that the preset draws, or with others."""
        rng = self._rng()
        drawn = find_preset(preset).draw(rng, self.pixel_m)
        damage = damage or drawn
        unseen = self.margin - min(damage.margin(self.rows), self.margin)
        image = self.heights[unseen : self.heights.shape[0] - unseen, unseen : self.heights.shape[1] - unseen]
        pair = _scanned(image, (self.rows, self.columns), self.pixel_m, preset, damage, unfinished, rng)
        parameters: dict[str, Any] = asdict(self.surface)  # type: ignore[call-overload]  # every surface is a dataclass
        return _told(pair, {"name": self.surface.name, **parameters}, self.seed)

    def _rng(self) -> np.random.Generator:
        return _streams(self.seed)[1]


def _streams(seed: int | tuple[int, int]) -> tuple[np.random.Generator, np.random.Generator]:
    """One for the surface and one for the scan: every preset degrades the same surface."""
    surface, scan = np.random.SeedSequence(seed).spawn(2)
    return np.random.default_rng(surface), np.random.default_rng(scan)


def make_scene(
    surface_name: str,
    rows: int,
    columns: int,
    pixel_m: float,
    seed: int | tuple[int, int],
    bias: Literal["drawn", "filled", "empty"] = "drawn",
    settings: Mapping[str, str] | None = None,
) -> Scene:
    """A random surface of that name. `bias` is the sign of the sample bias where the surface has one: filled states
    at negative, empty states at positive. `settings` are parameters that are not random (`with_settings`).

    Raises RequestError for a surface, size or seed that is not there.
    """
    if not PIXEL_RANGE_M[0] <= pixel_m <= PIXEL_RANGE_M[1]:
        low, high = (limit * 1e9 for limit in PIXEL_RANGE_M)
        raise RequestError(f"pixels of {pixel_m * 1e9:g} nm cannot be simulated; {low:g} to {high:g} nm can")
    _check(rows, columns, seed, 0.0)
    rng = _streams(seed)[0]
    surface = random_surface(surface_name, rng)
    if bias != "drawn" and "bias_v" in {f.name for f in fields(surface)}:  # type: ignore[arg-type]
        size = abs(surface.bias_v)
        surface = replace(surface, bias_v=-size if bias == "filled" else size)  # type: ignore[type-var]
    if settings:
        surface = with_settings(surface, settings)
    # does not depend on the preset: every preset degrades the same surface
    margin = math.ceil(_MARGIN_M / pixel_m) + _MARGIN_PX
    heights = surface.make(rows + 2 * margin, columns + 2 * margin, pixel_m, rng)
    return Scene(surface, heights, rows, columns, pixel_m, seed)


def simulate_scan(
    surface_name: str,
    rows: int,
    columns: int,
    pixel_m: float,
    preset: str,
    seed: int | tuple[int, int],
    *,
    unfinished: float = 0.0,
    settings: Mapping[str, str] | None = None,
) -> Pair:
    """One pair of `rows` x `columns` pixels of `pixel_m`, forward and backward; heights in metres.

    The seed alone decides: sample i of a series has the seed (seed, i), so that a series is the same in whatever
    order, and on however many threads, it is made. With probability `unfinished` the scan was stopped before its end:
    NaN from there on, in the degraded images alone. `settings` are parameters of the surface that are not random.
    Raises RequestError for a surface, preset, size or parameter that is not there.
    """
    find_preset(preset)
    _check(rows, columns, seed, unfinished)
    scene = make_scene(surface_name, rows, columns, pixel_m, seed, settings=settings)
    return scene.scan(preset, unfinished=unfinished)


def simulate_on_images(
    images: RealImages,
    rows: int,
    columns: int,
    pixel_m: float | None,
    preset: str,
    seed: int | tuple[int, int],
    *,
    unfinished: float = 0.0,
) -> Pair:
    """As `simulate_scan`, with a random piece of a real image as the surface: turned, flipped, made coarser.

    `pixel_m` may be as fine as the images at best; without it the scale is random. Raises RequestError also when no
    image is large or fine enough.
    """
    find_preset(preset)
    _check(rows, columns, seed, unfinished)
    surface_rng, scan_rng = _streams(seed)
    i, factor = images.choose(rows, columns, surface_rng, pixel_m)
    pixel = images.pixels_m[i] * factor
    damage = find_preset(preset).draw(scan_rng, pixel)
    piece = images.piece(i, rows, columns, factor, damage.margin(rows), surface_rng)
    pair = _scanned(piece.image, (rows, columns), pixel, preset, damage, unfinished, scan_rng)
    return _told(pair, piece.recipe, seed)


def _check(rows: int, columns: int, seed: int | tuple[int, int], unfinished: float) -> None:
    if rows < 1 or columns < 1:
        raise RequestError(f"a scan of {columns} x {rows} pixels cannot be simulated")
    if not 0 <= unfinished <= 1:
        raise RequestError(f"the share of unfinished scans is 0 to 1, not {unfinished:g}")
    if (least := min(seed if isinstance(seed, tuple) else (seed,))) < 0:
        raise RequestError(f"a seed is a whole number from 0 on, not {least}")


def _scanned(
    image: FloatArray,
    shape: tuple[int, int],
    pixel_m: float,
    preset: str,
    damage: Damage,
    unfinished: float,
    rng: np.random.Generator,
) -> Pair:
    """Both ways over the middle of `image`, stopped early or not."""
    pair = degrade_both_ways(image, preset, rng, pixel_m=pixel_m, crop=shape, rotate=False, damage=damage)
    return _stopped(pair, Unfinished.draw(rng, pixel_m), rng) if rng.random() < unfinished else pair


def _told(pair: Pair, surface: dict[str, Any], seed: int | tuple[int, int]) -> Pair:
    recipe = {"surface": surface, "pixel_m": pair.pixel_m, "seed": _plain(seed), **pair.recipe}
    return replace(pair, recipe=recipe)


def _stopped(pair: Pair, end: Unfinished, rng: np.random.Generator) -> Pair:
    assert pair.backward is not None
    forward, backward = end.apply_both(pair.degraded, pair.backward, rng)
    recipe = {**pair.recipe, "degradations": [*pair.recipe["degradations"], describe(end)]}
    return replace(pair, degraded=forward, backward=backward, recipe=recipe)


def to_scan(pair: Pair) -> Scan:
    """The pair as a scan that the viewer opens: "Z" as measured, forward and (where there is one) backward, and
    "Z pristine", in metres; NaN where an unfinished scan has no value."""
    rows, columns = pair.degraded.shape
    surface = pair.recipe.get("surface", {})
    line_time = pair.recipe.get("line_time_s")
    measured = [Channel("Z", "m", pair.degraded)]
    if pair.backward is not None:
        measured.append(Channel("Z", "m", pair.backward, "backward"))
    return Scan(
        channels=[*measured, Channel("Z pristine", "m", pair.clean)],
        geometry=Geometry(columns, rows, columns * pair.pixel_m, rows * pair.pixel_m),
        format="simulated",
        bias_v=surface.get("bias_v"),
        line_time_s=(line_time / 2, line_time / 2) if line_time else None,
        comment=f"simulated {surface.get('name', 'surface')}, preset {pair.recipe.get('preset', 'none')}",
        provenance={"recipe": pair.recipe},
    )


def _plain(seed: int | tuple[int, int]) -> int | list[int]:
    return list(seed) if isinstance(seed, tuple) else int(seed)
