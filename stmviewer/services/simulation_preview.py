"""Simulated scans to look at and choose from, for the window. The simulator is loaded by the jobs, never with this."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stmviewer.files.saving import sxm_path
from stmviewer.scan import Progress, RequestError, Scan
from stmviewer.services.exporting import free_path
from stmviewer.services.jobs import Context, Job

if TYPE_CHECKING:
    from stmviewer.simulate.pairs import Scene
    from stmviewer.simulate.presets import Pair
    from stmviewer.simulate.wishes import Entry, Wish

Bias = Literal["drawn", "filled", "empty"]
#: formats that pairs are written in, and what they are
PAIR_FORMATS = {
    "npz": "NumPy arrays: raw is the degraded image, restored the pristine one",
    "sxm": "Nanonis files, forward and backward, with the pristine channel",
    "gwy": "Gwyddion files, forward and backward, with the pristine channel",
}


@dataclass(frozen=True)
class SimulationRequest:
    """Which scan to simulate. `wishes` are for single degradations; those without one come by the preset's chance."""

    surface: str = "si001h"
    bias: Bias = "drawn"
    pixel_nm: float = 0.1
    columns: int = 256
    rows: int = 256
    preset: str = "realistic"
    seed: int = 0
    wishes: tuple[tuple[str, "Wish"], ...] = ()


@dataclass(frozen=True)
class Catalogue:
    """What there is to choose from: names of surfaces and presets, and the degradations in their order."""

    surfaces: tuple[str, ...]
    presets: tuple[str, ...]
    degradations: tuple["Entry", ...]


@dataclass(frozen=True, eq=False)
class Simulated:
    """A simulated pair, as a scan that can be opened, and the names of the degradations in it."""

    request: SimulationRequest
    pair: "Pair"
    scan: Scan
    happened: tuple[str, ...]


def catalogue_job() -> Job:
    """A job that reads the catalogue; the simulator is loaded here, not with the window."""

    def job(_: Context) -> Catalogue:
        from stmviewer.simulate.presets import PRESETS
        from stmviewer.simulate.surfaces import surface_names
        from stmviewer.simulate.wishes import catalogue

        return Catalogue(tuple(surface_names()), tuple(PRESETS), tuple(catalogue()))

    return job


@dataclass
class SceneKeeper:
    """Makes scans for a preview: keeps the last surface, which takes longer than what degrades it."""

    _scene: "tuple[object, Scene] | None" = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def job(self, request: SimulationRequest) -> Job:
        """A job that simulates the scan asked for; its result is a `Simulated`."""

        def job(context: Context) -> Simulated:
            context.progress.check()
            scene = self._scene_of(request)
            context.progress.check()
            return simulated(request, scene)

        return job

    def _scene_of(self, request: SimulationRequest) -> "Scene":
        key = (request.surface, request.bias, request.pixel_nm, request.columns, request.rows, request.seed)
        with self._lock:
            if self._scene is not None and self._scene[0] == key:
                return self._scene[1]
        scene = scene_of(request, request.seed)
        with self._lock:
            self._scene = (key, scene)
        return scene


def scene_of(request: SimulationRequest, seed: int | tuple[int, int]) -> "Scene":
    """The surface of a request at a seed of its own. Raises RequestError for what cannot be simulated."""
    from stmviewer.simulate.pairs import make_scene

    return make_scene(request.surface, request.rows, request.columns, request.pixel_nm * 1e-9, seed, request.bias)


def simulated(request: SimulationRequest, scene: "Scene") -> Simulated:
    """The scan of a surface as it is asked for. Raises RequestError for an unknown preset or degradation."""
    from stmviewer.simulate.pairs import to_scan
    from stmviewer.simulate.wishes import wished_damage

    damage = wished_damage(scene, request.preset, dict(request.wishes)) if request.wishes else None
    pair = scene.scan(request.preset, damage)
    happened = tuple(str(one["name"]) for one in pair.recipe["degradations"])
    return Simulated(request, pair, to_scan(pair), happened)


def save_pairs(
    request: SimulationRequest, count: int, folder: Path, file_format: str, progress: Progress
) -> list[Path]:
    """Writes `count` pairs with their recipes as JSON beside them; returns the files.

    Pair k has the seed (seed, k), so that a series does not depend on its length, and is that of the command line.
    Raises RequestError for what cannot be simulated and FileError for what cannot be written.
    """
    from stmviewer.services.simulating import save_pair

    if count < 1:
        raise RequestError(f"the number of pairs must be 1 or more, not {count}")
    if file_format not in PAIR_FORMATS:
        raise RequestError(f"pairs cannot be written as {file_format}; {', '.join(PAIR_FORMATS)} can")
    ticks = progress.part(1.0, "Simulating", count)
    written = []
    for k in range(count):
        ticks.check()
        made = simulated(request, scene_of(request, (request.seed, k)))
        path = folder / f"{request.surface}-{request.preset}-{request.seed}-{k:05d}.{file_format}"
        if file_format == "sxm":  # never written over, and named so that nobody takes it for a raw file
            path = free_path(sxm_path(made.scan, path))
        written.append(save_pair(made.pair, path))
        ticks.step = f"Simulating, {k + 1} of {count}"
        ticks.tick()
    return written


def save_pairs_job(request: SimulationRequest, count: int, folder: Path, file_format: str) -> Job:
    """A job that writes pairs; its result is the list of files."""
    return lambda context: save_pairs(request, count, folder, file_format, context.progress)
