"""How fast this machine opens, restores and trains, each beside its baseline in the same run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from stmviewer.evaluate.timing import Timing, timed
from stmviewer.files import open_scan, save_scan
from stmviewer.restore import RestoreRequest, library
from stmviewer.restore.pipeline import restore
from stmviewer.scan import Channel, Progress, Scan, make_mask
from stmviewer.scan.levelling import level_for_display
from stmviewer.simulate import PristineBank, simulate_scan, to_scan


def bench(progress: Progress, *, size: int = 512) -> list[Timing]:
    """Times opening, restoring a `size` x `size` scan with every model, and making training samples."""
    pair = simulate_scan("si001h", size, size, 0.1e-9, "realistic", 0)
    scan = to_scan(pair)
    infos = library.model_infos()
    jobs = [(info, task) for info in infos for task in info.tasks]
    progress = progress.part(1.0, "Timing", len(jobs) + 2)
    found = []
    with _saved(scan) as path:
        found.append(
            timed(f"open and level {size} x {size} .gwy", lambda: level_for_display(open_scan(path).channel().data))
        )
        progress.tick()
    sparse = _every_fourth_line(scan)
    for info, task in jobs:
        given, mask = (sparse, "file") if task == "sparse" else (scan, None)
        # the models by themselves; auto is nothing without its self-check
        request = RestoreRequest(task=task, model=info.name, mask=mask, check=False)
        progress.step = f"Timing {info.name}, {task}"

        def once(request: RestoreRequest = request, given: Scan = given) -> None:
            restore(given, request, progress.part(0.0))  # a part that moves no bar, and stops when asked to

        what = f"{task} {size} x {size}, {info.name}"
        found.append(timed(what, once, "4 steps" if info.kind == "flow" else ""))
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
