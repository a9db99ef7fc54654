"""Makes surfaces.png beside this file: `python resources/pictures/make_surfaces.py`. Seeded: always the same.

A contact sheet of the surfaces that the simulator knows, each as a perfect microscope would show it. The colours of a
picture span its 0.5 to 99.7 % range; bars are as long as they say.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from stmviewer.files.colours import lookup_table
from stmviewer.scan import FloatArray
from stmviewer.simulate import (
    Au111,
    Ge001,
    GrapheneMoire,
    Graphite,
    Hexagonal,
    Molecules,
    Si001H,
    Si111,
    Square,
    Surface,
)

TARGET = Path(__file__).with_name("surfaces.png")
COLUMNS = 4
SIDE, GAP, CAPTION = 232, 8, 20
#: few enough for a small file
COLOURS = 80

SI = Si001H(angle_deg=25, missing_dimers=0.008, dangling_bonds=0.003, charged=0.6, dihydride=0.003)
LONE = Molecules(angle_deg=8, islands=0, orbital_share=0.9, tip_height_m=0.35e-9, singles_per_m2=0.09e18)

#: caption, surface, side in nm, seed
SHEET: list[tuple[str, Surface, float, int]] = [
    ("Si(001):H, filled states, SA and SB steps", replace(SI, steps=2, step_angle_deg=10), 26, 3),
    ("Si(001):H, empty states, charged bonds", replace(SI, bias_v=2, dangling_bonds=0.008, halo_depth_m=45e-12), 13, 5),
    ("Si(001):H, double-layer step", replace(SI, steps=1, step_angle_deg=85, double_steps=1.0), 22, 11),
    ("Si(001):H, vacancy lines", replace(SI, vacancy_line_spacing_m=4.5e-9), 24, 2),
    ("Si(001):H, bare by lithography", replace(SI, bare_patches=3, bare_length_m=14e-9, bare_width_m=3e-9), 24, 4),
    ("Si(001):H, 3x1 dihydride", replace(SI, dihydride_patches=2, dihydride_size_m=5e-9, dihydride=0.01), 13, 9),
    ("Si(111) 7x7, empty states", Si111(angle_deg=15, missing_adatoms=0.02), 17, 1),
    ("Si(111) 7x7, filled states", Si111(angle_deg=15, bias_v=-1.6, missing_adatoms=0.01), 17, 3),
    ("Ge(001), c(4x2) and p(2x2)", Ge001(angle_deg=20, alternation=0.8, missing_dimers=0.01), 12, 4),
    ("Au(111), herringbone", Au111(angle_deg=20, dark_per_m2=0.004e18), 60, 1),
    ("Au(111), atoms and ridges", Au111(angle_deg=20, corrugation_m=12e-12, elbow_m=13e-9), 14, 2),
    ("Graphite, point defects", Graphite(angle_deg=10, defects_per_m2=0.035e18, interference=0.7), 9, 7),
    ("Graphene on Ir(111), twisted by 1.5 degrees", GrapheneMoire(angle_deg=10, twist_deg=1.5), 12, 2),
    ("Hexagonal, vacancies and adatoms", Hexagonal(angle_deg=12, vacancies=0.006, adatoms=0.003), 8, 2),
    ("Square, a step", Square(angle_deg=12, lattice_m=0.36e-9, steps=1, corrugation_m=25e-12, adatoms=0.004), 9, 3),
    ("Pentacene, highest filled orbital", replace(LONE, molecule="pentacene"), 9, 5),
    ("Phthalocyanine, lowest empty orbital", replace(LONE, bias_v=1.2, singles_per_m2=0.06e18), 9, 8),
    ("Coronene, an island", Molecules(angle_deg=8, molecule="coronene", islands=1, island_radius_m=7e-9), 19, 4),
    ("C60, islands at a step", Molecules(
        angle_deg=8, bias_v=2.0, molecule="c60", molecule_height_m=0.45e-9, islands=2, steps=1, island_radius_m=8e-9,
    ), 24, 6),
    ("Cu(111), standing waves", Molecules(
        angle_deg=8, bias_v=-0.05, islands=0, singles_per_m2=0.0, dark_per_m2=0.012e18, surface_state=0.25,
        corrugation_m=2e-12,
    ), 24, 9),
]  # fmt: skip


def coloured(heights: FloatArray) -> Image.Image:
    low, high = np.percentile(heights, (0.5, 99.7))
    index = np.rint(255 * np.clip((heights - low) / (high - low), 0, 1)).astype(int)
    return Image.fromarray(lookup_table()[index])


def bar_length_nm(side_nm: float) -> int:
    """A round length of about a quarter of the side."""
    return max(length for length in (1, 2, 5, 10, 20) if length <= 0.3 * side_nm)


def sheet() -> Image.Image:
    rows = -(-len(SHEET) // COLUMNS)
    image = Image.new("RGB", (COLUMNS * (SIDE + GAP) + GAP, rows * (SIDE + CAPTION + GAP) + GAP), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(11)
    for k, (caption, surface, side_nm, seed) in enumerate(SHEET):
        left = GAP + k % COLUMNS * (SIDE + GAP)
        top = GAP + k // COLUMNS * (SIDE + CAPTION + GAP)
        heights = surface.make(SIDE, SIDE, side_nm * 1e-9 / SIDE, np.random.default_rng(seed))
        image.paste(coloured(heights), (left, top))
        bar = bar_length_nm(side_nm)
        width = round(bar / side_nm * SIDE)
        bottom = top + SIDE
        draw.rectangle((left + 4, bottom - 25, left + width + 14, bottom - 5), fill="black")
        draw.rectangle((left + 9, bottom - 10, left + 9 + width, bottom - 8), fill="white")
        draw.text((left + 9, bottom - 25), f"{bar} nm", fill="white", font=font)
        draw.text((left, bottom + 3), caption, fill="black", font=font)
    return image.quantize(COLOURS, dither=Image.Dither.NONE)


if __name__ == "__main__":
    sheet().save(TARGET, optimize=True)
