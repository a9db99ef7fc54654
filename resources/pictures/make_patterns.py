"""Makes rows.png, cells.png and flattened.png beside this file: `python resources/pictures/make_patterns.py`. Seeded:
always the same.

A simulated coarse scan of Si(001):H (4.3 pixels a dimer row) and one of Si(111)-7x7 (13 pixels a cell), and what three
methods make of every fourth line or pixel of them; and one that was flattened line by line, and two repairs of it.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from stmviewer.files.colours import lookup_table
from stmviewer.restore import RestoreRequest
from stmviewer.restore.pipeline import restore
from stmviewer.scan import Channel, FloatArray, Geometry, Progress, Scan
from stmviewer.scan.levelling import level_for_display, robust_range
from stmviewer.scan.metrics import compare
from stmviewer.scan.processing.rows import align_by_polynomial
from stmviewer.simulate import simulate_scan

SIDE, SEED = 128, 13
ZOOM, GAP, CAPTION = 2, 8, 18
COLOURS = 160


class Picture(NamedTuple):
    """What is shown: surface and pixels (m), the mask and what it is called, and the methods and theirs."""

    surface: str
    pixel_m: float
    mask: str
    given: str
    methods: dict[str, str]


PICTURES = {
    "rows.png": Picture(
        "si001h",
        0.18e-9,
        "lines:4",
        "every 4th line",
        {"linear": "linear interpolation", "dimer-rows": "dimer rows and linear", "auto": "auto"},
    ),
    "cells.png": Picture(
        "si111-7x7",
        0.2e-9,
        "lines:4",
        "every 4th line",
        {"linear": "linear interpolation", "unit-cell": "unit cell and linear", "auto": "auto"},
    ),
}


def scan(picture: Picture) -> Scan:
    """What a good tip would have measured, with a little noise."""
    pair = simulate_scan(picture.surface, SIDE, SIDE, picture.pixel_m, "realistic", SEED)
    noise = 0.08 * pair.clean.std() * np.random.default_rng(SEED).standard_normal(pair.clean.shape)
    frame = Geometry(SIDE, SIDE, SIDE * picture.pixel_m, SIDE * picture.pixel_m)
    return Scan([Channel("Z", "m", pair.clean + noise)], frame)


def make(name: str, picture: Picture) -> None:
    whole = scan(picture)
    panels: list[tuple[str, FloatArray]] = [("the whole scan", whole.channel().data)]
    for model, called in picture.methods.items():
        result = restore(whole, RestoreRequest(task="sparse", model=model, mask=picture.mask), Progress())
        panels.append((f"{picture.given}, {called} ({result.scores[0].ssim:.2f})", result.mean))
    tilt = panels[0][1] - level_for_display(panels[0][1])
    save(name, [(caption, image - tilt) for caption, image in panels])


def make_flattened(name: str, seed: int = 10, pixel_m: float = 0.1e-9) -> None:
    """Every repair is levelled by itself: a flattened scan has no tilt to go by."""
    pair = simulate_scan("si001h", SIDE, SIDE, pixel_m, "mild", seed)
    frame = Geometry(SIDE, SIDE, SIDE * pixel_m, SIDE * pixel_m)
    flat = Scan([Channel("Z", "m", align_by_polynomial(pair.degraded, 1))], frame)
    panels = [("flattened line by line", flat.channel().data)]
    for model in ("row-median", "regression-sim"):
        result = restore(flat, RestoreRequest(task="repair", model=model, check=False), Progress())
        panels.append((model, result.mean))
    truth = level_for_display(pair.clean)
    shown = [("the surface", truth)]
    for caption, image in panels:
        level = level_for_display(image)
        shown.append((f"{caption} ({compare(level, truth).ssim:.2f})", level))
    save(name, shown)


def save(name: str, panels: list[tuple[str, FloatArray]]) -> None:
    """The levelled images beside each other, in the colours of the first."""
    low, high = robust_range(panels[0][1])
    table = lookup_table()
    side = SIDE * ZOOM
    sheet = Image.new("RGB", (len(panels) * (side + GAP) + GAP, side + CAPTION + 2 * GAP), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=11)
    for k, (caption, image) in enumerate(panels):
        grey = np.clip((image - low) / (high - low), 0, 1)
        picture = Image.fromarray(table[np.rint(255 * grey).astype(np.uint8)][..., :3].astype(np.uint8))
        left = GAP + k * (side + GAP)
        sheet.paste(picture.resize((side, side), Image.Resampling.NEAREST), (left, GAP + CAPTION))
        draw.text((left, GAP), caption, fill="black", font=font)
    sheet.quantize(COLOURS).save(Path(__file__).with_name(name), optimize=True)


if __name__ == "__main__":
    for name, picture in PICTURES.items():
        make(name, picture)
    make_flattened("flattened.png")
