"""How fast this machine opens and restores, each beside its baseline in the same run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from stmviewer.evaluate.timing import Timing, timed
from stmviewer.files import open_scan, save_scan
from stmviewer.restore import RestoreRequest, library
from stmviewer.restore.info import DEFAULT_STEPS, ModelInfo
from stmviewer.restore.pipeline import restore
from stmviewer.restore.request import Device, Task
from stmviewer.scan import Channel, Progress, Scan, make_mask
from stmviewer.scan.levelling import level_for_display
from stmviewer.simulate import PristineBank, simulate_scan, to_scan

#: what a user should wait at most for 512 x 512 pixels on two processors (s): the default model, and flows of 4 steps
GOAL_DEFAULT_S, GOAL_FLOW_S = 0.5, 2.0
_GOAL_SIZE = 512
#: scans of so many pixels a side that are restored one by one and together
_MANY, _SMALL = 64, 128


def bench(progress: Progress, *, size: int = 512) -> list[Timing]:
    """Times opening, restoring a `size` x `size` scan with every model, and making training samples."""
    pair = simulate_scan("si001h", size, size, 0.1e-9, "realistic", 0)
    scan = to_scan(pair)
    infos = library.model_infos()
    jobs = [(info, task, device) for info in infos for task in info.tasks for device in _devices(info)]
    progress = progress.part(1.0, "Timing", len(jobs) + 4)
    found = []
    with _saved(scan) as path:
        found.append(
            timed(f"open and level {size} x {size} .gwy", lambda: level_for_display(open_scan(path).channel().data))
        )
        progress.tick()
    given: dict[Task, tuple[Scan, str | None]] = {"sparse": (_every_fourth_line(scan), "file"), "repair": (scan, None)}
    for task, (shown, mask) in given.items():
        progress.step = f"Timing {task} as the window does it"
        what = f"{task} {size} x {size}, model auto, with its checks"
        found.append(timed(what, _restoring(shown, RestoreRequest(task=task, mask=mask), progress)))
        progress.tick()
    for info, task, device in jobs:
        shown, mask = given[task]
        # the models by themselves; auto is nothing without its self-check
        request = RestoreRequest(task=task, model=info.name, mask=mask, device=device, check=False)
        progress.step = f"Timing {info.name}, {task}"
        what = f"{task} {size} x {size}, {info.name}{'' if device == 'cpu' else f', {device}'}"
        found.append(timed(what, _restoring(shown, request, progress), _note(info, infos, size)))
        progress.tick()
    bank = PristineBank("si001h", 8, 256)
    rng = np.random.default_rng(0)
    pairs = 50
    timing = timed(
        f"{pairs} training pairs of 128 x 128", lambda: [bank.pair(128, "realistic", rng) for _ in range(pairs)]
    )
    found.append(
        Timing(timing.what, timing.median_s, timing.least_s, timing.most_s, f"{pairs / timing.median_s:.0f} a second")
    )
    progress.tick()
    return found


def bench_small(progress: Progress, *, count: int = _MANY) -> list[Timing]:
    """`count` scans of 128 x 128 pixels, one by one and in batches, by the recommended network."""
    from stmviewer.restore.together import restore_together

    info = next((i for i in library.model_infos() if i.learned), None)
    if info is None:
        return []
    scans = [to_scan(simulate_scan("si001h", _SMALL, _SMALL, 0.1e-9, "realistic", k)) for k in range(count)]
    request = RestoreRequest(model=info.name, check=False)
    progress = progress.part(1.0, "Timing many small scans", 2)
    found = []
    ways: dict[str, Callable[[], object]] = {
        "one by one": lambda: [restore(scan, request, progress.part(0.0)) for scan in scans],
        "together": lambda: restore_together(scans, request, progress.part(0.0)),
    }
    for how, action in ways.items():
        timing = timed(f"repair of {count} scans of {_SMALL} x {_SMALL}, {info.name}, {how}", action)
        note = f"{count / timing.median_s:.1f} a second"
        found.append(Timing(timing.what, timing.median_s, timing.least_s, timing.most_s, note))
        progress.tick()
    return found


def bench_arithmetic() -> list[Timing]:
    """Convolutions like those of the networks in each number format and memory layout, and which one is used."""
    import torch

    from stmviewer.restore import devices, probe

    used = devices.arithmetic(torch.device("cpu"))
    found = []
    for (bf16, last), seconds in probe.timings(bf16_possible=devices.bf16_possible()).items():
        what = f"convolutions, {'bfloat16' if bf16 else 'float32'}, channels {'last' if last else 'first'}"
        note = "used here" if (bf16, last) == (used.bf16, used.channels_last) else ""
        found.append(Timing(what, seconds, seconds, seconds, note))
    return found


def _devices(info: ModelInfo) -> list[Device]:
    """A processor for all, and a GPU for networks where there is one."""
    if not info.learned:
        return ["cpu"]
    import torch

    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def _restoring(scan: Scan, request: RestoreRequest, progress: Progress) -> Callable[[], object]:
    # a part that moves no bar, and stops when asked to
    return lambda: restore(scan, request, progress.part(0.0))


def _note(info: ModelInfo, infos: list[ModelInfo], size: int) -> str:
    """How many steps are timed, and what the time should be."""
    steps, goal = "", None
    if info.kind in DEFAULT_STEPS:
        steps, goal = f"{DEFAULT_STEPS[info.kind]} steps", GOAL_FLOW_S if info.kind == "flow" else None
    elif info is next((i for i in infos if i.learned), None):
        goal = GOAL_DEFAULT_S
    words = [steps, f"goal {goal:g} s" if goal is not None and size == _GOAL_SIZE else ""]
    return ", ".join(w for w in words if w)


def _every_fourth_line(scan: Scan) -> Scan:
    """The scan with only every fourth line measured: nothing to score, so that only the restoration is timed."""
    channel = scan.channel()
    rows, columns = channel.data.shape
    data = np.where(make_mask("lines:4", rows, columns).measured, channel.data, np.nan)
    return Scan([Channel(channel.name, channel.unit, data)], scan.geometry)


@contextmanager
def _saved(scan: Scan) -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        yield save_scan(scan, Path(folder) / "bench.gwy")
