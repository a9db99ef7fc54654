"""What every fourth line of the coarse real H:Si(100) images can tell at all: `coarse_limits.py DATA`.

DATA is the folder that STMVIEWER_REAL_DATA names. For each image: SSIM of linear interpolation; of hidden lines told by
the fine lines that the coarse image leaves out right beside them, so the noise of the truth is in it and the lattice
is known (a bound by noise); and the wave that the measured lines cannot tell from its dimer rows
(`scan.planning.lookalike`).
"""

import sys
from pathlib import Path

import numpy as np

from stmviewer.evaluate.sets import coarser
from stmviewer.files import open_scan
from stmviewer.restore.filling import fill
from stmviewer.scan.corrugation import find_rows
from stmviewer.scan.metrics import compare
from stmviewer.scan.planning import lookalike

GAP = 4
#: pixels a dimer row, and the reduction where rows are not clear, as in stmviewer.evaluate.sets
COARSE_PX, USUAL = 5.0, 12
#: fine lines on either side that tell a hidden one, Gaussian weights
WIDTH = 2.0


def main(data: Path, count: int = 16) -> None:
    wanted = set((data / "si100h" / "validation_sessions.txt").read_text(encoding="utf-8").split())
    files = sorted(p for p in (data / "si100h" / "pristine").glob("*.png") if p.name.split("_")[0] in wanted)
    files = files[:: max(1, len(files) // count)][:count]
    scores, alike = [], 0
    for file in files:
        image = np.asarray(open_scan(file).channel().data, dtype=np.float64)
        rows = find_rows(image)
        known = rows is not None and rows.strength > 2.0
        factor = max(1, round(rows.period_px / COARSE_PX)) if known and rows else USUAL
        truth = coarser(image, factor)
        columns = truth.shape[1] * factor
        lines = image[:, :columns].reshape(len(image), -1, factor).mean(axis=2)
        measured = np.zeros(truth.shape, dtype=bool)
        measured[::GAP] = True
        told = truth.copy()
        for row in range(len(truth)):
            at = row * factor + factor // 2
            weights = np.exp(-0.5 * ((np.arange(len(lines)) - at) / WIDTH) ** 2)
            weights[at] = 0.0
            told[row] = weights @ lines / weights.sum()
        interpolated = fill(np.where(measured, truth, 0.0), measured)
        linear, bound = (compare(np.where(measured, truth, x), truth, ~measured).ssim for x in (interpolated, told))
        scores.append((linear, bound))
        other = lookalike(rows.period_px, -rows.angle_deg, GAP * factor) if known and rows else None
        alike += other is not None
        what = (
            "rows not seen" if rows is None else f"{rows.period_px / factor:.1f} px at {-rows.angle_deg % 180:.0f} deg"
        )
        like = f", like {other[0] / factor:.1f} px at {other[1]:.0f} deg" if other else ""
        sides = f"{truth.shape[0]} x {truth.shape[1]}"
        print(f"{file.name}: {sides}, linear {linear:.3f}, bound {bound:.3f}; rows {what}{like}")
    linear, bound = np.mean(scores, axis=0)
    print(f"mean: linear {linear:.3f}, bound by noise {bound:.3f}; rows that have a lookalike: {alike} of {len(files)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
