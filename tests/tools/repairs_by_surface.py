"""Repairs of every simulated surface beside the untouched scan and row levelling + median:
`python tests/tools/repairs_by_surface.py`. SSIM against the clean surface, both levelled."""

import argparse

import numpy as np

from stmviewer.restore import RestoreRequest
from stmviewer.restore.pipeline import restore
from stmviewer.scan import Channel, FloatArray, Geometry, Progress, Scan
from stmviewer.scan.levelling import level_for_display
from stmviewer.scan.metrics import compare
from stmviewer.simulate import simulate_scan
from stmviewer.simulate.pairs import Pair

SURFACES = "si001h,ge001,si111-7x7,au111,graphite,graphene-moire,hexagonal,square,molecules"
PRESETS, PIXELS_M = ("mild", "realistic"), (0.06e-9, 0.12e-9)


def ssim(image: FloatArray, truth: FloatArray) -> float:
    return compare(level_for_display(image), level_for_display(truth)).ssim


def repaired(pair: Pair, model: str) -> FloatArray:
    rows, columns = pair.degraded.shape
    frame = Geometry(columns, rows, columns * pair.pixel_m, rows * pair.pixel_m)
    scan = Scan([Channel("Z", "m", pair.degraded)], frame)
    return restore(scan, RestoreRequest(task="repair", model=model, check=False), Progress()).mean


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--surfaces", default=SURFACES)
    parser.add_argument("--models", default="row-median,regression-sim,regression-si100h")
    parser.add_argument("--count", type=int, default=6, help="scans of each pixel size")
    parser.add_argument("--seed", type=int, default=71)
    parser.add_argument("--side", type=int, default=160)
    asked = parser.parse_args()
    models = asked.models.split(",")
    print("| surface | preset | input | " + " | ".join(models) + " |")
    print("|---|---|---|" + "---|" * len(models))
    for surface in asked.surfaces.split(","):
        for preset in PRESETS:
            rows = []
            for pixel_m in PIXELS_M:
                for k in range(asked.count):
                    pair = simulate_scan(surface, asked.side, asked.side, pixel_m, preset, (asked.seed, k))
                    images = [pair.degraded, *(repaired(pair, model) for model in models)]
                    rows.append([ssim(image, pair.clean) for image in images])
            print(
                f"| {surface} | {preset} | " + " | ".join(f"{v:.3f}" for v in np.mean(rows, axis=0)) + " |", flush=True
            )


if __name__ == "__main__":
    main()
