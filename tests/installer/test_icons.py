"""The icon is drawn at every size, and says something at the smallest."""

import icons
import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("icons")
    icons.make(made)
    return made


@pytest.mark.parametrize("size", icons.SIZES)
def test_each_size_has_corners_to_see_through_a_light_tip_and_golden_atoms(folder, size):
    image = Image.open(folder / f"stmviewer-{size}.png")
    assert image.size == (size, size)
    pixels = np.asarray(image.convert("RGBA")).astype(int)
    assert pixels[0, 0, 3] < 130
    assert pixels[size // 2, size // 2, 3] == 255
    red, green, blue = (pixels[..., k] for k in range(3))
    assert (np.minimum(np.minimum(red, green), blue) > 190).sum() > 0.02 * size * size
    atoms = pixels[int(0.7 * size) :]
    assert ((atoms[..., 0] > 150) & (atoms[..., 2] < 110)).sum() > 0.02 * size * size


def test_the_ico_has_every_size_of_windows(folder):
    with Image.open(folder / "stmviewer.ico") as image:
        assert {(s, s) for s in icons.ICO_SIZES} == image.info["sizes"]


def test_the_icns_opens(folder):
    with Image.open(folder / "stmviewer.icns") as image:
        assert max(size[0] for size in image.info["sizes"]) >= 256


def test_a_broken_drawing_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "stmviewer.svg").write_text("<svg")
    monkeypatch.setattr(icons, "ICONS", tmp_path)
    with pytest.raises(ValueError, match=r"stmviewer\.svg"):
        icons.drawn(64)
