"""Folders of small scans, and a study that needs no network."""

from pathlib import Path

import numpy as np

from stmviewer.evaluate.study.request import StudyRequest
from stmviewer.evaluate.study.result import Study
from stmviewer.evaluate.study.run import run_study
from stmviewer.files import save_scan
from stmviewer.scan import Channel, Geometry, Progress, Scan


def lattice(seed: int = 0, side: int = 48) -> np.ndarray:
    y, x = np.mgrid[0:side, 0:side]
    noise = np.random.default_rng(seed).standard_normal((side, side))
    return 3e-11 * np.sin(2 * np.pi * (x + 0.3 * y + seed) / 7.7) + 1e-12 * y + 2e-12 * noise


def put(folder: Path, count: int = 3, bad: bool = False, side: int = 48, unit: str = "m") -> Path:
    """Scans of as many places; degraded ones have line offsets."""
    for k in range(count):
        image = lattice(k, side)
        if bad:
            image = image + 3e-11 * np.random.default_rng(50 + k).standard_normal((side, 1))
        geometry = Geometry(side, side, side * 1e-10, side * 1e-10) if unit == "m" else Geometry.of_pixels(side, side)
        save_scan(Scan([Channel("Z", unit, image)], geometry), folder / f"place{k}_1.gwy")
    return folder


def study(request: StudyRequest, work: Path | None = None, progress: Progress | None = None) -> Study:
    found, file = run_study(request, work, progress or Progress())
    file.remove()
    return found
