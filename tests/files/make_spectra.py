"""Nanonis spectra and grids made in memory, by the description of their formats and not by our readers."""

import numpy as np
from numpy.typing import NDArray

FIELDS = ("Experiment\tbias spectroscopy", "Date\t14.01.2016 15:19:44", "X (m)\t1E-9", "Y (m)\t-2E-9", "Z (m)\t3E-9")
TITLES = "Bias calc (V)\tCurrent (A)\tCurrent [bwd] (A)\tCurrent (A) [filt]"
ROWS = ("-1.0E+0\t1E-12\t2E-12\tNaN", "0E+0\t3E-12\tN/A\t", "1.0E+0\t5E-12\t-6E-12\tInf")


def dat_bytes(
    fields: tuple[str, ...] = FIELDS, titles: str = TITLES, rows: tuple[str, ...] = ROWS, end: str = "\r\n"
) -> bytes:
    lines = [*(f"{field}\t" for field in fields), "", "[DATA]", titles, *rows]
    return "".join(line + end for line in lines).encode("latin-1")


def grid_bytes(values: NDArray[np.float64], parameters: NDArray[np.float64], **changes: str | None) -> bytes:
    """A grid of `values` (lines, columns, channels, points) and `parameters` (lines, columns, 5), bottom line first."""
    lines, columns, channels, points = values.shape
    fields: dict[str, str | None] = {
        "Grid dim": f'"{columns} x {lines}"',
        "Grid settings": "1E-7;2E-7;4E-9;3E-9;3E+1",
        "Filetype": "Linear",
        "Sweep Signal": '"Bias (V)"',
        "Fixed parameters": '"Sweep Start;Sweep End"',
        "Experiment parameters": '"X (m);Z (m);Settling time (s)"',
        "# Parameters (4 byte)": "5",
        "Experiment size (bytes)": str(4 * channels * points),
        "Points": str(points),
        "Channels": '"Current (A);Current [bwd] (A)"',
        "Experiment": '"Grid Spectroscopy"',
        "Start time": '"09.03.2017 21:19:38"',
        "Comment": "5 µm",
        "Bias>Bias (V)": "-400E-3",
    }
    fields |= {name.replace("_", " "): value for name, value in changes.items()}
    header = "".join(f"{name}={value}\r\n" for name, value in fields.items() if value is not None)
    blocks = np.concatenate([parameters, values.reshape(lines, columns, channels * points)], axis=2)
    return header.encode("latin-1") + b":HEADER_END:\r\n" + blocks.astype(">f4").tobytes()
