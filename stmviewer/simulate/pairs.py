"""Simulated scans: a surface, scanned badly, beside what a perfect microscope would have shown."""

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from stmviewer.scan import Channel, Geometry, RequestError, Scan
from stmviewer.simulate.presets import MARGIN_PX, PRESETS, Pair, degrade
from stmviewer.simulate.surfaces import random_surface

PIXEL_RANGE_M = (0.02e-9, 1e-9)


def simulate_scan(
    surface_name: str,
    rows: int,
    columns: int,
    pixel_m: float,
    preset: str,
    seed: int | tuple[int, int],
) -> Pair:
    """One pair of `rows` x `columns` pixels of `pixel_m`; heights in metres.

    The seed alone decides: sample i of a series has the seed (seed, i), so that a series is the same in whatever
    order, and on however many threads, it is made. Raises RequestError for a surface, preset or size that is not
    there.
    """
    if preset not in PRESETS:
        raise RequestError(f"preset '{preset}' is unknown; there are {', '.join(PRESETS)}")
    if not PIXEL_RANGE_M[0] <= pixel_m <= PIXEL_RANGE_M[1]:
        low, high = (limit * 1e9 for limit in PIXEL_RANGE_M)
        raise RequestError(f"pixels of {pixel_m * 1e9:g} nm cannot be simulated; {low:g} to {high:g} nm can")
    if rows < 1 or columns < 1:
        raise RequestError(f"a scan of {columns} x {rows} pixels cannot be simulated")
    if min(seed if isinstance(seed, tuple) else (seed,)) < 0:
        raise RequestError(f"a seed is a whole number from 0 on, not {seed}")
    rng = np.random.default_rng(seed)
    surface = random_surface(surface_name, rng)
    image = surface.make(rows + 2 * MARGIN_PX, columns + 2 * MARGIN_PX, pixel_m, rng)
    pair = degrade(image, preset, rng, pixel_m=pixel_m, crop=(rows, columns))
    parameters: dict[str, Any] = asdict(surface)  # type: ignore[call-overload]  # every surface is a dataclass
    recipe = {"surface": {"name": surface_name, **parameters}, "pixel_m": pixel_m, "seed": _plain(seed), **pair.recipe}
    return replace(pair, recipe=recipe)


def to_scan(pair: Pair) -> Scan:
    """The pair as a scan that the viewer opens: channel "Z" as measured and "Z pristine", forward, in metres."""
    rows, columns = pair.degraded.shape
    surface = pair.recipe.get("surface", {})
    return Scan(
        channels=[Channel("Z", "m", pair.degraded), Channel("Z pristine", "m", pair.clean)],
        geometry=Geometry(columns, rows, columns * pair.pixel_m, rows * pair.pixel_m),
        format="simulated",
        bias_v=surface.get("bias_v"),
        comment=f"simulated {surface.get('name', 'surface')}, preset {pair.recipe.get('preset', 'none')}",
        provenance={"recipe": pair.recipe},
    )


def _plain(seed: int | tuple[int, int]) -> int | list[int]:
    return list(seed) if isinstance(seed, tuple) else int(seed)
