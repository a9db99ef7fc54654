"""Measures noise, corrugation and periods of what shipped models were trained on, where their entry lacks them.

    python tests/tools/training_ranges.py REAL_DATA LIST [--again noise] [--bank 96]

A training writes these ranges itself; this is for models whose stages were put together by hand, as their cards tell:
simulated surfaces for the family `sim`, and for `si100h` those and the images of REAL_DATA that LIST names (every
eighth is looked at). The manifest of models/ is written anew. `--again` names what is measured although it is there.
"""

import argparse
import json
from dataclasses import asdict, fields
from pathlib import Path

from stmviewer.restore.library import MANIFEST, read_manifest
from stmviewer.scan import Progress
from stmviewer.train.coverage import Coverage, coverage
from stmviewer.train.makers import maker_of
from stmviewer.train.spec import TrainSpec

MODELS = Path(__file__).resolve().parents[2] / "models"
#: of every stage of every shipped model
SURFACES, PIXELS_M, REPAIR_SHARE = "simulated:si001h,si001h,si001h,all", (0.015e-9, 0.28e-9), 0.35


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("listed", type=Path)
    parser.add_argument("--again", nargs="*", default=[], choices=[f.name for f in fields(Coverage)])
    parser.add_argument("--bank", type=int, default=96, help="simulated surfaces")
    options = parser.parse_args()
    simulated = TrainSpec(
        kind="regression", name="x", source=SURFACES, bank=options.bank, pixel_range_m=PIXELS_M,
        repair_share=REPAIR_SHARE, small_share=0.25,
    )  # fmt: skip
    names = options.listed.read_text(encoding="utf-8").split()[::8]
    real = TrainSpec(
        kind="regression", name="x", source=str(options.data / "si100h" / "pristine"), listed=tuple(names),
        size_by_rows=True, repair_share=REPAIR_SHARE, small_share=0.25,
    )  # fmt: skip
    sim, own = (
        coverage(maker_of(spec, None, Progress(), waves=False).maker, spec.crop, Progress())
        for spec in (simulated, real)
    )
    print("simulated", sim, "real", own, sep="\n")
    covered = {"sim": sim, "si100h": sim.also(own)}
    listed = read_manifest(MODELS)
    for entry in listed.values():
        for name, limits in asdict(covered[entry["family"]]).items():
            if name in options.again or not entry[name]:
                entry[name] = list(limits)
    (MODELS / MANIFEST).write_text(json.dumps(listed, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
