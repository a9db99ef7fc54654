"""Makes rows.png beside this file: `python resources/pictures/make_rows.py`. Seeded: always the same.

A simulated coarse scan of Si(001):H (4.3 pixels a dimer row), and what three methods make of every fourth line of it.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from stmviewer.files.colours import lookup_table
from stmviewer.restore import RestoreRequest
from stmviewer.restore.pipeline import restore
from stmviewer.scan import Channel, FloatArray, Geometry, Progress, Scan
from stmviewer.scan.levelling import level_for_display, robust_range
from stmviewer.simulate import simulate_scan

TARGET = Path(__file__).with_name("rows.png")
PIXEL_M, SIDE, SEED = 0.18e-9, 128, 13
ZOOM, GAP, CAPTION = 2, 8, 18
COLOURS = 160
MODELS = {"linear": "linear interpolation", "dimer-rows": "dimer rows and linear", "auto": "auto"}


def scan() -> Scan:
    """What a good tip would have measured, with a little noise."""
    pair = simulate_scan("si001h", SIDE, SIDE, PIXEL_M, "realistic", SEED)
    noise = 0.08 * pair.clean.std() * np.random.default_rng(SEED).standard_normal(pair.clean.shape)
    frame = Geometry(SIDE, SIDE, SIDE * PIXEL_M, SIDE * PIXEL_M)
    return Scan([Channel("Z", "m", pair.clean + noise)], frame)


def main() -> None:
    whole = scan()
    panels: list[tuple[str, FloatArray]] = [("the whole scan", whole.channel().data)]
    for model, name in MODELS.items():
        request = RestoreRequest(task="sparse", model=model, mask="lines:4")
        result = restore(whole, request, Progress())
        panels.append((f"every 4th line, {name} ({result.scores[0].ssim:.2f})", result.mean))
    level = level_for_display(panels[0][1])
    low, high = robust_range(level)
    tilt = panels[0][1] - level
    table = lookup_table()
    side = SIDE * ZOOM
    sheet = Image.new("RGB", (len(panels) * (side + GAP) + GAP, side + CAPTION + 2 * GAP), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=11)
    for k, (caption, image) in enumerate(panels):
        grey = np.clip((image - tilt - low) / (high - low), 0, 1)
        picture = Image.fromarray(table[np.rint(255 * grey).astype(np.uint8)][..., :3].astype(np.uint8))
        left = GAP + k * (side + GAP)
        sheet.paste(picture.resize((side, side), Image.Resampling.NEAREST), (left, GAP + CAPTION))
        draw.text((left, GAP), caption, fill="black", font=font)
    sheet.quantize(COLOURS).save(TARGET, optimize=True)


if __name__ == "__main__":
    main()
