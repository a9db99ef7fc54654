"""Scans made in memory, as a restoration gives them."""

from typing import Any

import numpy as np

from stmviewer.scan import Channel, Geometry, Scan


def restored_scan(rows: int = 12, columns: int = 16, **changes: Any) -> Scan:
    """A line-sparse Z: raw with gaps, mask, restored, deviation; every pixel of its own value."""
    rng = np.random.default_rng(7)
    truth = -73e-9 + rng.normal(0, 1e-11, (rows, columns))
    measured = np.zeros((rows, columns), dtype=bool)
    measured[1::4] = True
    channels = [
        Channel("Z", "m", np.where(measured, truth, np.nan)),
        Channel("Z", "", measured.astype(float), role="mask"),
        Channel("Z", "m", truth, role="restored"),
        Channel("Z", "m", np.abs(rng.normal(0, 1e-12, truth.shape)), role="deviation"),
    ]
    facts: dict[str, Any] = {
        "channels": channels,
        "geometry": Geometry(columns, rows, 16e-9, 12e-9, angle_deg=-41.0, centre=(-1.366789e-7, 2.5e-8)),
        "scan_direction": "up",
        "bias_v": -0.4,
        "setpoint_a": 2.5e-10,
        "line_time_s": (0.256, 0.128),
        "recorded": "2016-01-07 12:10:04",
        "comment": "Tür, 5 µm\nsecond line",
        "header": {"BIAS": "-4.000E-1", "Bias>Bias (V)": "500E-3"},
        "provenance": {"channel": "Z", "direction": "forward", "model": "flow-sim", "steps": 4, "scores": [0.5]},
    }
    return Scan(**(facts | changes))


def plain_scan(data: Any, unit: str = "m", **changes: Any) -> Scan:
    """A scan of one raw channel."""
    data = np.asarray(data, dtype=float)
    facts: dict[str, Any] = {
        "channels": [Channel("Z", unit, data)],
        "geometry": Geometry(data.shape[1], data.shape[0], data.shape[1] * 1e-9, data.shape[0] * 1e-9),
    }
    return Scan(**(facts | changes))
