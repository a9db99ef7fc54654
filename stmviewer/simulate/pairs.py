"""Simulated scans: a surface, scanned badly, beside what a perfect microscope would have shown."""

import math
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from stmviewer.scan import Channel, FloatArray, Geometry, RequestError, Scan
from stmviewer.simulate.degradations import Unfinished, describe
from stmviewer.simulate.presets import Damage, Pair, degrade_both_ways, find_preset
from stmviewer.simulate.real_images import RealImages
from stmviewer.simulate.surfaces import random_surface

PIXEL_RANGE_M = (0.02e-9, 1e-9)

#: surface around a scan that a second tip end brings into it, whose distance is drawn in metres or in pixels
_MARGIN_M = 6.5e-9
_MARGIN_PX = 24


def simulate_scan(
    surface_name: str,
    rows: int,
    columns: int,
    pixel_m: float,
    preset: str,
    seed: int | tuple[int, int],
    *,
    unfinished: float = 0.0,
) -> Pair:
    """One pair of `rows` x `columns` pixels of `pixel_m`, forward and backward; heights in metres.

    The seed alone decides: sample i of a series has the seed (seed, i), so that a series is the same in whatever
    order, and on however many threads, it is made. With probability `unfinished` the scan was stopped before its end:
    NaN from there on, in the degraded images alone. Raises RequestError for a surface, preset or size that is not
    there.
    """
    find_preset(preset)
    if not PIXEL_RANGE_M[0] <= pixel_m <= PIXEL_RANGE_M[1]:
        low, high = (limit * 1e9 for limit in PIXEL_RANGE_M)
        raise RequestError(f"pixels of {pixel_m * 1e9:g} nm cannot be simulated; {low:g} to {high:g} nm can")
    _check(rows, columns, seed, unfinished)
    # two streams and a margin that does not depend on the preset: every preset degrades the same surface
    surface_rng, scan_rng = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2))
    surface = random_surface(surface_name, surface_rng)
    margin = math.ceil(_MARGIN_M / pixel_m) + _MARGIN_PX
    image = surface.make(rows + 2 * margin, columns + 2 * margin, pixel_m, surface_rng)
    damage = find_preset(preset).draw(scan_rng, pixel_m)
    unseen = margin - min(damage.margin(rows), margin)
    image = image[unseen : image.shape[0] - unseen, unseen : image.shape[1] - unseen]
    pair = _scanned(image, (rows, columns), pixel_m, preset, damage, unfinished, scan_rng)
    parameters: dict[str, Any] = asdict(surface)  # type: ignore[call-overload]  # every surface is a dataclass
    return _told(pair, {"name": surface_name, **parameters}, seed)


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
    surface_rng, scan_rng = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2))
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
    if min(seed if isinstance(seed, tuple) else (seed,)) < 0:
        raise RequestError(f"a seed is a whole number from 0 on, not {seed}")


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
