"""Simulated scans: a surface, scanned badly, beside what a perfect microscope would have shown."""

import math
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from stmviewer.scan import Channel, Geometry, RequestError, Scan
from stmviewer.simulate.degradations import Unfinished, describe
from stmviewer.simulate.presets import Pair, degrade_both_ways, find_preset
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
    if rows < 1 or columns < 1:
        raise RequestError(f"a scan of {columns} x {rows} pixels cannot be simulated")
    if not 0 <= unfinished <= 1:
        raise RequestError(f"the share of unfinished scans is 0 to 1, not {unfinished:g}")
    if min(seed if isinstance(seed, tuple) else (seed,)) < 0:
        raise RequestError(f"a seed is a whole number from 0 on, not {seed}")
    # two streams and a margin that does not depend on the preset: every preset degrades the same surface
    surface_rng, scan_rng = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2))
    surface = random_surface(surface_name, surface_rng)
    margin = math.ceil(_MARGIN_M / pixel_m) + _MARGIN_PX
    image = surface.make(rows + 2 * margin, columns + 2 * margin, pixel_m, surface_rng)
    damage = find_preset(preset).draw(scan_rng, pixel_m)
    unseen = margin - min(damage.margin(rows), margin)
    image = image[unseen : image.shape[0] - unseen, unseen : image.shape[1] - unseen]
    pair = degrade_both_ways(
        image, preset, scan_rng, pixel_m=pixel_m, crop=(rows, columns), rotate=False, damage=damage
    )
    if scan_rng.random() < unfinished:
        pair = _stopped(pair, Unfinished.draw(scan_rng, pixel_m), scan_rng)
    parameters: dict[str, Any] = asdict(surface)  # type: ignore[call-overload]  # every surface is a dataclass
    recipe = {"surface": {"name": surface_name, **parameters}, "pixel_m": pixel_m, "seed": _plain(seed), **pair.recipe}
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
