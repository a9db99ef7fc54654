"""Large scans in tiles: how much their seams show against one pass, how much memory they take, and how long.

A seam is what tiles change: |tiled - in one pass| where tiles overlap, in % of the corrugation (the 5 to 95 % range of
the detail, which is 2 on the normalised scale). Memory is the peak of a process that does nothing else.

Where networks run in bfloat16, its rounding is in these numbers: it differs between shapes of tiles, by one step
(0.8 %) for regressions. Samplers make more of it; what matters to them is in float32 in large scans
(`stmviewer.restore.exactness`), in tiles as in the one pass.
"""

import json
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from stmviewer.evaluate.timing import Timing, peak_memory
from stmviewer.restore import RestoreRequest, library
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.pipeline import restore
from stmviewer.restore.problem import Answer, Options, Problem, Restorer
from stmviewer.restore.request import Device, Task
from stmviewer.restore.tiling import DEFAULT_TILE, OVERLAP, tiles
from stmviewer.scan import Channel, FloatArray, Geometry, Progress, Scan, make_mask
from stmviewer.simulate import simulate_scan

#: side of the scan whose seams are looked at whole, and of its tiles
_WHOLE, _SMALL_TILE = 1024, 256
#: about a crossing of seams in a large scan: what is compared, and what the one pass sees around it
_COMPARED, _SEEN = 256, 768
_CROSSINGS = 3
_CORRUGATION = 2.0
_PIXEL_M = 0.1e-9
#: what the design asks for
GOAL_SEAM_PERCENT, GOAL_PEAK_GB = 1.0, 2.0


@dataclass(frozen=True)
class Seams:
    """Seams in % of the corrugation: root mean square where tiles overlap, and the largest anywhere."""

    rms_percent: float
    most_percent: float


@dataclass(frozen=True)
class Large:
    """A large scan restored with its checks: seconds, peak memory of the process (bytes), seams at some crossings."""

    seconds: float
    peak_bytes: int
    seams: Seams


def bench_tiles(
    infos: Sequence[ModelInfo],
    command: Callable[[str, Task, int], Sequence[str]],
    progress: Progress,
    size: int = 4096,
) -> list[Timing]:
    """The first regression and the first sampled model: seams on 1024 x 1024 pixels in small tiles; the regression on
    `size` x `size` in a process of its own, which `command(model, task, size)` starts and which prints a `Large`."""
    chosen = [next((i for i in infos if i.learned and i.samples is sampled), None) for sampled in (False, True)]
    jobs = [(info, task) for info in chosen if info for task in info.tasks]
    progress = progress.part(1.0, "Tiles", 2 * len(jobs))
    found = []
    for info, task in jobs:
        begun = time.perf_counter()
        seams = whole_seams(info.name, task, progress.part(0.0))
        seconds = time.perf_counter() - begun
        what = f"{task} {_WHOLE} x {_WHOLE}, {info.name}, tiles of {_SMALL_TILE} and one pass"
        found.append(Timing(what, seconds, seconds, seconds, _seam_words(seams), asdict(seams)))
        progress.tick()
        if not info.samples:
            large = in_a_process(command(info.name, task, size))
            note = f"peak {large.peak_bytes / 1e9:.2f} GB (goal {GOAL_PEAK_GB:g}), {_seam_words(large.seams)}"
            what = f"{task} {size} x {size}, {info.name}, with its checks"
            values = {"peak_bytes": float(large.peak_bytes), **asdict(large.seams)}
            found.append(Timing(what, large.seconds, large.seconds, large.seconds, note, values))
        progress.tick()
    return found


def _seam_words(seams: Seams) -> str:
    return (
        f"seams {seams.rms_percent:.2g} % of the corrugation rms, {seams.most_percent:.2g} % at most "
        f"(goal {GOAL_SEAM_PERCENT:g} %)"
    )


def in_a_process(command: Sequence[str]) -> Large:
    """What the process that `command` starts says of a large scan."""
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    values = json.loads(done.stdout)
    return Large(float(values["seconds"]), int(values["peak_bytes"]), Seams(**values["seams"]))


def whole_seams(model: str, task: Task, progress: Progress, side: int = _WHOLE, tile: int = _SMALL_TILE) -> Seams:
    """Small tiles against one pass, every pixel compared."""
    taken = _Taken()
    restore(surface(side, task), _request(model, task), progress, taken.load)
    (problem, restorer) = taken.problems[0], taken.restorers[0]
    one, tiled = (restorer.restore(problem, Options(tile=t), progress).mean for t in (side, tile))
    overlap = np.zeros(one.shape, dtype=np.int64)
    for t in tiles(one.shape[0], one.shape[1], tile):
        overlap[t.slices] += 1
    return _seams(tiled - one, overlap > 1)


def large(model: str, task: Task, size: int, progress: Progress) -> Large:
    """A scan of `size` x `size` pixels as a user restores it. Memory is that of this process up to now."""
    scan = surface(size, task)
    taken = _Taken(windows(size))
    begun = time.perf_counter()
    restore(scan, _request(model, task), progress.part(0.8), taken.load)
    seconds, peak = time.perf_counter() - begun, peak_memory()
    differences = []
    middle = np.s_[(_SEEN - _COMPARED) // 2 : (_SEEN + _COMPARED) // 2]
    for problem, tiled in zip(taken.problems, taken.answers, strict=True):
        one = taken.restorers[0].restore(problem, Options(tile=_SEEN), progress.part(0.0)).mean
        differences.append((tiled - one)[middle, middle])
    error = np.stack(differences) if differences else np.zeros((1, 1, 1))
    band = np.abs(np.arange(error.shape[-1]) - error.shape[-1] // 2) < OVERLAP // 2
    return Large(seconds, peak, _seams(error, np.broadcast_to(band[:, None] | band, error.shape)))


def _seams(error: FloatArray, overlap: np.ndarray) -> Seams:
    percent = 100 * np.abs(error) / _CORRUGATION
    inside = percent[overlap]
    rms = float(np.sqrt(np.mean(inside**2))) if inside.size else 0.0
    return Seams(rms, float(percent.max()))


def windows(size: int) -> list[tuple[slice, slice]]:
    """Windows about some crossings of seams of the usual tiles, whole within the image; none where it is too small."""
    starts = sorted({t.top for t in tiles(size, size, DEFAULT_TILE)})
    fits = [s + OVERLAP // 2 - _SEEN // 2 for s in starts]
    fits = [s for s in fits if 0 <= s <= size - _SEEN]
    chosen = fits[:: max(1, len(fits) // _CROSSINGS)][:_CROSSINGS]
    return [np.s_[top : top + _SEEN, left : left + _SEEN] for top, left in zip(chosen, chosen[::-1], strict=True)]


def surface(size: int, task: Task) -> Scan:
    """A simulated scan, mirrored at its edges where larger than 1024 pixels; every fourth line of it if sparse."""
    side = min(size, _WHOLE)
    pair = simulate_scan("si001h", side, side, _PIXEL_M, "realistic", 0)
    data = np.pad(pair.degraded, (0, size - side), mode="symmetric")
    if task == "sparse":
        data = np.where(make_mask("lines:4", size, size).measured, data, np.nan)
    return Scan([Channel("Z", "m", data)], Geometry(size, size, size * _PIXEL_M, size * _PIXEL_M))


def _request(model: str, task: Task) -> RestoreRequest:
    return RestoreRequest(task=task, model=model, mask="file" if task == "sparse" else None)


@dataclass
class _Taken:
    """Listens to what the network is asked for the scan itself: the problem, or `windows` of it and of its answer."""

    windows: Sequence[tuple[slice, slice]] | None = None
    problems: list[Problem] = field(default_factory=list)
    answers: list[FloatArray] = field(default_factory=list)
    restorers: list[Restorer] = field(default_factory=list)

    def load(self, info: ModelInfo, device: Device) -> tuple[Restorer, str]:
        restorer, sha256 = library.load(info, device)
        return (_Listening(restorer, self) if info.learned else restorer), sha256

    def take(self, restorer: Restorer, problem: Problem, answer: Answer) -> None:
        self.restorers = [restorer]
        if self.windows is None:
            self.problems = [problem]
            return
        self.problems, self.answers = [], []
        for area in self.windows:
            sharp = None if problem.sharp is None else problem.sharp[area].copy()
            part = Problem(problem.image[area].copy(), problem.measured[area].copy(), problem.task, sharp)
            self.problems.append(Problem(**{**vars(part), "pixel_m": problem.pixel_m}))
            self.answers.append(answer.mean[area].copy())


@dataclass(frozen=True)
class _Listening:
    restorer: Restorer
    taken: _Taken

    @property
    def info(self) -> ModelInfo:
        return self.restorer.info

    def restore(self, problem: Problem, options: Options, progress: Progress) -> Answer:
        answer = self.restorer.restore(problem, options, progress)
        self.taken.take(self.restorer, problem, answer)  # the last one is the scan itself, after the self-check
        return answer
