"""What repairs of flattened scans gain by taking their shadows out first: `python tests/tools/flattened_scans.py`.

Simulated scans of several surfaces are flattened line by line (the mean, or a straight line, of every line taken out)
and repaired as they are and without the shadows. Scores are SSIM against the clean surface, both levelled. Also told:
how many scans that were not flattened are taken for it.
"""

import argparse
from collections.abc import Iterator
from unittest import mock

import numpy as np

from stmviewer.restore import RestoreRequest, false_heights
from stmviewer.restore.pipeline import restore
from stmviewer.scan import Channel, FloatArray, Geometry, Progress, Scan
from stmviewer.scan.levelling import level_for_display
from stmviewer.scan.metrics import compare
from stmviewer.scan.processing.flattened import find_line_levels
from stmviewer.scan.processing.rows import align_by_polynomial
from stmviewer.simulate import simulate_scan
from stmviewer.simulate.pairs import Pair

PRESETS, PIXELS_M, DEGREES = ("mild", "realistic"), (0.05e-9, 0.10e-9, 0.18e-9), (0, 1)
SURFACES = "si001h,au111,graphite,graphene-moire,si111-7x7,ge001,molecules"


def ssim(image: FloatArray, truth: FloatArray) -> float:
    return compare(level_for_display(image), level_for_display(truth)).ssim


def pairs(surface: str, count: int, seed: int, side: int) -> Iterator[Pair]:
    for preset in PRESETS:
        for pixel_m in PIXELS_M:
            for k in range(count):
                yield simulate_scan(surface, side, side, pixel_m, preset, (seed, k))


def repaired(pair: Pair, flat: FloatArray, model: str) -> FloatArray:
    rows, columns = flat.shape
    frame = Geometry(columns, rows, columns * pair.pixel_m, rows * pair.pixel_m)
    scan = Scan([Channel("Z", "m", flat)], frame)
    return restore(scan, RestoreRequest(task="repair", model=model, check=False), Progress()).mean


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--surfaces", default=SURFACES)
    parser.add_argument("--count", type=int, default=8, help="surfaces of each preset and pixel size")
    parser.add_argument("--seed", type=int, default=30_303)
    parser.add_argument("--side", type=int, default=192)
    parser.add_argument("--model", default="regression-sim")
    asked = parser.parse_args()
    print(
        "| surface | flattened scans | with shadows found | scan | without | repaired as it is | without first | gain |"
    )
    print("|---|---|---|---|---|---|---|---|")
    every = []
    for surface in asked.surfaces.split(","):
        rows, scans, unflattened = [], 0, 0
        for pair in pairs(surface, asked.count, asked.seed, asked.side):
            unflattened += find_line_levels(pair.degraded) is not None
            for degree in DEGREES:
                scans += 1
                flat = align_by_polynomial(pair.degraded, degree)
                found = find_line_levels(flat)
                if found is None:
                    continue
                with mock.patch.object(false_heights, "find_line_levels", return_value=None):
                    before = repaired(pair, flat, asked.model)
                images = flat, found.taken_from(flat), before, repaired(pair, flat, asked.model)
                rows.append([ssim(image, pair.clean) for image in images])
        every += rows
        line(surface, scans, rows)
        if unflattened:
            print(f"{surface}: {unflattened} scans that were not flattened were taken for it")
    line("all", len(PRESETS) * len(PIXELS_M) * len(DEGREES) * asked.count * len(asked.surfaces.split(",")), every)


def line(name: str, scans: int, rows: list[list[float]]) -> None:
    if not rows:
        print(f"| {name} | {scans} | 0 |  |  |  |  |  |", flush=True)
        return
    scores = np.array(rows)
    gains = scores[:, 3] - scores[:, 2]
    means = " | ".join(f"{value:.3f}" for value in scores.mean(axis=0))
    told = f"{gains.mean():+.3f} ({gains.min():+.3f} to {gains.max():+.3f}; {(gains < -0.01).sum()} lose over 0.01)"
    print(f"| {name} | {scans} | {len(rows)} | {means} | {told} |", flush=True)


if __name__ == "__main__":
    main()
