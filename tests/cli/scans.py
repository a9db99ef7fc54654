"""Scans and models to run commands on."""

from pathlib import Path
from typing import Any

import numpy as np

from stmviewer import paths
from stmviewer.files import save_scan
from stmviewer.scan import Channel, Geometry, Scan

PIXEL_M = 0.1e-9


def lattice(rows: int = 40, columns: int = 48, seed: int = 0) -> np.ndarray:
    """Dimer rows on a slight tilt with noise; metres."""
    y, x = np.mgrid[0:rows, 0:columns]
    noise = np.random.default_rng(seed).standard_normal((rows, columns))
    return 3e-11 * np.sin(2 * np.pi * (x + 0.3 * y) / 7.7) + 1e-12 * y + 2e-12 * noise


def scan_of(data: np.ndarray, height_m: float | None = None, **facts: Any) -> Scan:
    rows, columns = data.shape
    geometry = Geometry(columns, rows, columns * PIXEL_M, height_m or rows * PIXEL_M)
    return Scan([Channel("Z", "m", data)], geometry, **facts)


def write(path: Path, data: np.ndarray | None = None, **facts: Any) -> Path:
    return save_scan(scan_of(lattice() if data is None else data, **facts), path)


def put_model(name: str, kind: str = "regression") -> str:
    """An untrained tiny model in the user's library; returns its name."""
    import torch

    from stmviewer.restore import ModelInfo, library
    from stmviewer.restore.networks import UNetConfig
    from stmviewer.restore.starting import build
    from stmviewer.restore.weights import save_weights

    torch.manual_seed(0)
    flow = kind == "flow"
    info = ModelInfo(name, kind, "tiny", "made by a test", ("repair", "sparse"), learned=True, samples=flow)
    save_weights(build(kind, UNetConfig(channels=(8, 16, 16))), paths.user_models() / f"{name}.safetensors")
    library.register(info, paths.user_models())
    return name
