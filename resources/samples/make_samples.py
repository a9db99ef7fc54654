"""Makes the sample scans beside this file: `python resources/samples/make_samples.py`. Seeded: always the same.

Both are simulated Si(001):H. The first was scanned with a double tip, the second recorded every fourth line only.
"""

from pathlib import Path

import numpy as np

from stmviewer.files import save_scan
from stmviewer.scan import Channel, FloatArray, Geometry, Scan
from stmviewer.simulate import Si001H
from stmviewer.simulate.degradations.noise import WhiteNoise
from stmviewer.simulate.degradations.scanner import LineOffsets
from stmviewer.simulate.degradations.tips import SeveralTips

HERE = Path(__file__).parent
SETPOINT_A = 50e-12
LINE_TIME_S = 0.4


def surface(bias_v: float, steps: int, angle_deg: float) -> Si001H:
    return Si001H(
        angle_deg=angle_deg,
        bias_v=bias_v,
        corrugation_m=45e-12,
        steps=steps,
        missing_dimers=0.012,
        dangling_bonds=0.005,
        clusters_per_m2=0.003e18,
        charges_per_m2=0.02e18,
        charge_height_m=6e-12,
    )


def write(name: str, data: FloatArray, geometry: Geometry, bias_v: float, comment: str) -> None:
    scan = Scan(
        channels=[Channel("Z", "m", data - data.mean())],
        geometry=geometry,
        bias_v=bias_v,
        setpoint_a=SETPOINT_A,
        line_time_s=(LINE_TIME_S, LINE_TIME_S),
        comment=comment,
    )
    save_scan(scan, HERE / name)


def double_tip() -> None:
    """A second tip end, 1.1 nm away and a little shorter, line offsets and noise."""
    pixel = 0.08e-9
    rng = np.random.default_rng(6)
    # with a margin, so that the second end sees a surface beyond the edges too
    clean = surface(-2.0, 1, 70).make(352, 352, pixel, rng)
    bad = SeveralTips(x_px=(11.0,), y_px=(-8.0,), shorter_m=(0.04e-9,), kappa_per_m=11e9).apply(clean, rng)[
        16:-16, 16:-16
    ]
    bad = LineOffsets.draw(rng, pixel).apply(bad, rng)
    bad = WhiteNoise.draw(rng, pixel).apply(bad, rng)
    size = 320 * pixel
    write("si001h-double-tip.gwy", bad, Geometry(320, 320, size, size), -2.0, "Simulated Si(001):H, double tip")


def sparse_lines() -> None:
    """512 pixels by 128 lines over a square: a quarter of the time."""
    pixel = 0.1e-9
    rng = np.random.default_rng(4)
    clean = surface(-1.8, 1, 35).make(512, 512, pixel, rng)
    # line k of 128 lies at (k + 1/2) 4 pixels from the top edge, which is put where that is row 4 k + 2
    lines = clean[2::4] + 3e-12 * rng.standard_normal((128, 512))
    size = 512 * pixel
    write("si001h-sparse-lines.gwy", lines, Geometry(512, 128, size, size), -1.8, "Simulated Si(001):H, every 4th line")


if __name__ == "__main__":
    double_tip()
    sparse_lines()
