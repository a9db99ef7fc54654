"""Makes degradations.png beside this file: `python resources/pictures/make_degradations.py`. Seeded: always the same.

One Si(001):H surface, as it is and with one degradation at a time, strong enough to be seen. Each panel is levelled
for display and has its own range, as a viewer would show it.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from stmviewer.files.colours import lookup_table
from stmviewer.scan import FloatArray
from stmviewer.scan.levelling import level_for_display, robust_range
from stmviewer.simulate import Si001H
from stmviewer.simulate.degradations import (
    BluntTip,
    Bow,
    DilatedTip,
    Drift,
    DullTip,
    FeedbackLag,
    FeedbackOvershoot,
    LineMisalignment,
    LineNoise,
    LineOffsets,
    LineSlopes,
    LoopNoise,
    MainsHum,
    MultiTip,
    PickedUpAdsorbate,
    PlaneTilt,
    Quantisation,
    Scars,
    SeveralTips,
    Spikes,
    TipChange,
    TipSwitching,
    Unfinished,
    WhiteNoise,
)
from stmviewer.simulate.degradations.degradation import Degradation, reach

TARGET = Path(__file__).with_name("degradations.png")
PIXEL_M = 0.1e-9
SIDE = 128
MARGIN = 70
KAPPA = 11e9
COLUMNS = 5
ZOOM, GAP, CAPTION = 2, 8, 18
#: few enough for a small file
COLOURS = 160
#: what was not measured
GREY = (138, 143, 152)


def surface() -> FloatArray:
    """Heights (m) with a margin that second tip ends look at."""
    side = SIDE + 2 * MARGIN
    made = Si001H(
        angle_deg=65,
        corrugation_m=45e-12,
        steps=1,
        missing_dimers=0.012,
        dangling_bonds=0.005,
        clusters_per_m2=0.008e18,
    )
    return made.make(side, side, PIXEL_M, np.random.default_rng(11))


def degradations() -> list[tuple[str, Degradation]]:
    """What is shown, in the order in which physics applies it: a name for people and the degradation."""
    two = SeveralTips((14.0,), (-9.0,), (0.02e-9,), KAPPA)
    return [
        ("second tip end, 1.7 nm away", two),
        ("multi-tip of the reference", MultiTip.draw(np.random.default_rng(8), PIXEL_M)),
        ("blunt tip of the reference", BluntTip(0.6)),
        ("blunt tip, Gaussian of 0.17 nm", DullTip(1.7)),
        ("blunt tip, dilation, R = 2 nm", DilatedTip(20.0, PIXEL_M)),
        ("drift and creep", Drift(30e-12, -20e-12, 1.5e-9, 0.6e-9, 0.5, PIXEL_M)),
        ("misaligned lines", LineMisalignment(0.3, 1.5)),
        ("tip change", TipChange(0.5, 0.4, 60e-12, 3.0, 1.0, DullTip(2.0))),
        (
            "adsorbate picked up, dropped",
            PickedUpAdsorbate(0.42, 0.62, 45e-12, SeveralTips((9.0,), (4.0,), (0.0,), KAPPA)),
        ),
        ("switching tip", TipSwitching(900.0, 120.0, 70e-12, 3.0, -2.0)),
        ("scars", Scars(0.25, 25.0, 80e-12)),
        ("feedback lag", FeedbackLag(4.0)),
        ("feedback overshoot", FeedbackOvershoot(10.0, 0.2)),
        ("tilt", PlaneTilt(1.2e-12, 0.6e-12)),
        ("bow", Bow(2e-14, 1.5e-14)),
        ("line offsets", LineOffsets(4e-12, 10e-12)),
        ("line slopes", LineSlopes(60e-12)),
        ("1/f noise", LineNoise(18e-12, 1.2)),
        ("noise through the loop", LoopNoise(12e-12, 8.0)),
        ("white noise", WhiteNoise(12e-12)),
        ("mains hum, 50 Hz, 0.4 s a line", MainsHum(12e-12, 50.0, 0.3975, 0.0)),
        ("spikes", Spikes(0.003, 400e-12)),
        ("converter, 30 pm steps", Quantisation(30e-12)),
        ("unfinished", Unfinished(0.7, 0.5)),
    ]


def shown(one: Degradation, image: FloatArray) -> FloatArray:
    """The middle of the image, degraded; what counts rows or columns of the scan is applied to that alone."""
    rng = np.random.default_rng(5)
    inner = np.s_[MARGIN:-MARGIN, MARGIN:-MARGIN]
    if reach(one, SIDE) and not isinstance(one, TipChange | PickedUpAdsorbate | TipSwitching):
        return one.apply(image, rng)[inner]
    return one.apply(image[inner], rng)


def coloured(heights: FloatArray) -> Image.Image:
    low, high = robust_range(heights, 0.5, 98.5)
    measured = np.isfinite(heights)
    index = np.rint(255 * np.clip((np.where(measured, heights, low) - low) / (high - low), 0, 1)).astype(int)
    pixels = np.where(measured[..., None], lookup_table()[index], np.uint8(GREY))
    return Image.fromarray(pixels).resize((ZOOM * SIDE, ZOOM * SIDE), Image.Resampling.NEAREST)


def sheet() -> Image.Image:
    image = surface()
    panels = [("as it is", image[MARGIN:-MARGIN, MARGIN:-MARGIN])]
    panels += [(name, shown(one, image)) for name, one in degradations()]
    side = ZOOM * SIDE
    rows = -(-len(panels) // COLUMNS)
    size = (COLUMNS * (side + GAP) + GAP, rows * (side + CAPTION + GAP) + GAP)
    made = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(made), ImageFont.load_default(13)
    for number, (name, panel) in enumerate(panels):
        left = GAP + number % COLUMNS * (side + GAP)
        top = GAP + number // COLUMNS * (side + CAPTION + GAP)
        # tilt and bow are the point of their panels: they are shown as measured
        made.paste(coloured(panel if name in ("tilt", "bow") else level_for_display(panel)), (left, top))
        draw.text((left, top + side + 1), name, fill="black", font=font)
    return made.quantize(COLOURS, dither=Image.Dither.NONE)


if __name__ == "__main__":
    sheet().save(TARGET, optimize=True)
