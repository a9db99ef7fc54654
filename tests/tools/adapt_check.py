"""What adapting gains on sessions that were not adapted to: coarse real images of H:Si(100), one session left out.

    python tests/tools/adapt_check.py REAL_DATA [--held SESSION ...] [--scans 8] [--minutes 3 | --train-steps N]

REAL_DATA is the folder that STMVIEWER_REAL_DATA names. Good images are made coarse to five pixels a dimer row, as the
benchmark does it, and told their pixel size, so that dimer rows are followed; those with 64 pixels a side left can be
adapted to. For each session held out, `regression-sim`,
trained on simulations alone, is adapted to a handful of scans of the other sessions of the training part; those of
`validation_sessions.txt` are never adapted to. Prints hidden SSIM on the session held out as Markdown.
"""

import argparse
import csv
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from stmviewer import paths
from stmviewer.evaluate import hidden
from stmviewer.evaluate.sets import Case, centre, coarser
from stmviewer.files import open_scan, save_scan
from stmviewer.scan import Channel, Geometry, Progress, Scan
from stmviewer.scan.corrugation import ROW_SPACING_M, find_rows
from stmviewer.train.adapt import LEAST_SIDE, adapt

TASKS = ("lines:2", "lines:4", "grid:2", "grid:4", "pixels:0.25")
#: two sessions of the training part with room for coarse images, and the one of validation that has
HELD = ("2015Feb11-102853", "2014Nov21-173705", "2015Oct21-110741")
_COARSE_PX, _CERTAIN = 5.0, 2.0
#: of the sessions held out so many images are scored; those of some 60 pixels suffice for that
_SCORED, _LEAST_SCORED = 6, 48
#: images of one session are alike: of one whose first few are too small coarse, all are
_MISSES = 3


def coarse_scans(root: Path, session: str, files: list[str], most: int, least: int) -> list[Scan]:
    """Up to `most` images of a session at five pixels a dimer row, spread over the session."""
    found: list[Scan] = []
    missed = 0
    for name in files[:: max(1, len(files) // (2 * most))]:
        data = open_scan(root / name).channel().data
        rows = find_rows(data)
        if rows is None or rows.strength <= _CERTAIN:
            continue
        factor = max(1, round(rows.period_px / _COARSE_PX))
        small = coarser(data, factor)
        if min(small.shape) >= least:
            high, wide = (n * factor * ROW_SPACING_M / rows.period_px for n in small.shape)
            frame = Geometry(small.shape[1], small.shape[0], wide, high)
            found.append(Scan([Channel("Z", "", small)], frame, path=Path(session)))
        else:
            missed += 1
        if len(found) == most or missed - len(found) > _MISSES:
            break
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--held", nargs="+", default=HELD)
    parser.add_argument("--model", default="regression-sim")
    parser.add_argument("--scans", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--train-steps", type=int)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    root = options.data / "si100h"
    validation = set((root / "validation_sessions.txt").read_text(encoding="utf-8").split())
    sessions: dict[str, list[str]] = defaultdict(list)
    with (root / "labels.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["file"].startswith("pristine/"):
                sessions[row["session"]].append(row["file"])
    print(f"| session held out | images | adapted to | mask | linear | {options.model} | adapted | gain |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    gains = []
    for held in options.held:
        judged = coarse_scans(root, held, sessions[held], _SCORED, _LEAST_SCORED)
        others = {
            s: coarse_scans(root, s, f, options.scans, LEAST_SIDE)
            for s, f in sorted(sessions.items())
            if s != held and s not in validation
        }
        # of each session in turn, so that none crowds out the others
        mixed = [scans[k] for k in range(options.scans) for scans in others.values() if k < len(scans)]
        used = mixed[: options.scans]
        gains += one(held, judged, used, options)
    print(f"\nMean gain {np.mean(gains):+.3f}")


def one(held: str, judged: list[Scan], used: list[Scan], options: argparse.Namespace) -> list[float]:
    """Adapts to `used`, scores on `judged`, prints a row for each mask; the gains."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        paths.user_models = lambda: folder / "models"  # type: ignore[assignment]
        files = [save_scan(scan, folder / f"{k}.npz") for k, scan in enumerate(used)]
        made = adapt(
            files, "regression-adapted", paths.user_models(), lambda _: None, Progress(), start=options.model,
            minutes=options.minutes, steps=options.train_steps, seed=options.seed,
        )  # fmt: skip
        cases = [Case(centre(s, s.channel()), None, held) for s in judged]
        models = ("linear", options.model, made.info.name)
        scores = hidden.evaluate({held: cases}, models, TASKS, Progress())
    found = {(s.task, s.model): s.ssim_hidden for s in scores}
    whose = ", ".join(f"{n} of {s}" for s, n in sorted(count(used).items()))
    gains = []
    for task in TASKS:
        linear, before, after = (found[task, m] for m in models)
        gains.append(after - before)
        print(f"| {held} | {len(judged)} | {whose} | {task} | {linear:.3f} | {before:.3f} | {after:.3f} "
              f"| {after - before:+.3f} |", flush=True)  # fmt: skip
    return gains


def count(scans: list[Scan]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for scan in scans:
        found[str(scan.path)] += 1
    return found


if __name__ == "__main__":
    main()
