import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from stmviewer.files.colours import lookup_table
from stmviewer.files.drawing import draw, round_length
from stmviewer.files.figures import measured_label, panels_of, save_figure
from stmviewer.files.roles import result_of
from stmviewer.scan import Channel, FileError, Geometry

from .made_scans import plain_scan, restored_scan


def texts(figure) -> list[str]:  # type: ignore[no-untyped-def]
    found = [text.get_text() for text in figure.texts]
    for axes in figure.axes:
        found += [axes.get_title(), axes.get_xlabel(), axes.get_ylabel(), *(t.get_text() for t in axes.texts)]
    return [text for text in found if text]


@pytest.mark.parametrize("longest", np.geomspace(1e-11, 1e-4, 57))
def test_round_length_is_the_longest_of_one_two_five(longest: float) -> None:
    length = round_length(longest)
    power = 10.0 ** np.floor(np.log10(length) + 1e-9)
    assert length / power == pytest.approx(round(length / power))
    assert round(length / power) in (1, 2, 5)
    assert length <= longest * (1 + 1e-9) < 2.5 * length * (1 + 1e-6)


def test_round_length_of_round_lengths() -> None:
    for length in (1e-9, 2e-9, 5e-9, 1e-8, 1e-10, 1000.0):
        assert round_length(length) == pytest.approx(length)


def test_label_says_100_only_when_all_was_measured() -> None:
    assert measured_label(0.25) == "restored, 25 % measured"
    assert measured_label(1.0) == "restored, 100 % measured"
    assert measured_label(0.99999) == "restored, 99.9 % measured"
    assert measured_label(0.0625) == "restored, 6.25 % measured"


def test_panels_share_plane_and_range() -> None:
    scan = restored_scan(64, 64)
    result = result_of(scan)
    raw, mask, restored, deviation = panels_of(scan.channels, result)
    assert raw.limits == restored.limits
    measured = result.measured
    np.testing.assert_array_equal(raw.values[measured], restored.values[measured])
    assert np.median(restored.values) == pytest.approx(0, abs=1e-20)
    # 1 to 99 % of normal noise of 10 pm
    assert restored.limits == pytest.approx((-2.326e-11, 2.326e-11), rel=0.1)
    assert (mask.kind, mask.title) == ("mask", "measured: 25 %")
    assert deviation.limits[0] == 0
    assert restored.title == "restored, 25 % measured"


def test_a_current_keeps_its_values() -> None:
    """They mean something by themselves, and the window shows them as they are: no plane is taken off."""
    slope = 1e-10 + 5e-10 * np.linspace(0, 1, 64)[:, None] * np.ones((64, 48))
    scan = plain_scan(slope, unit="A")
    (panel,) = panels_of(scan.channels, result_of(scan))
    np.testing.assert_array_equal(panel.values, slope)
    assert panel.limits == pytest.approx((1e-10, 6e-10), rel=0.06)


def test_numbers_in_the_heading_stand_off_from_their_units(tmp_path: Path) -> None:
    scan = replace(restored_scan(16, 16), bias_v=-2.0, setpoint_a=5e-11)
    drawn = save_figure(scan, tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "-2\N{NO-BREAK SPACE}V, 50\N{NO-BREAK SPACE}pA" in drawn


def test_the_figure_says_what_it_shows() -> None:
    scan = restored_scan(64, 64)
    figure = draw(panels_of(scan.channels, result_of(scan)), scan.geometry, "scan.sxm, Z forward", 100)
    said = texts(figure)
    assert "scan.sxm, Z forward" in said
    assert "restored, 25 % measured" in said
    assert said.count("5 nm") == 4
    assert said.count("pm") == 2
    assert len(figure.axes) == 4 + 2


def test_an_image_without_a_size_has_pixels_and_no_bar() -> None:
    scan = plain_scan(np.arange(100.0).reshape(10, 10), unit="", geometry=Geometry.of_pixels(10, 10))
    said = texts(draw(panels_of(scan.channels, result_of(scan)), scan.geometry, "x", 100))
    assert said.count("px") == 2
    assert not any("nm" in text for text in said)


def _blank_border(path: Path) -> bool:
    """Whether nothing touches the edge of the picture: nothing was cut off there."""
    pixels = np.asarray(Image.open(path).convert("L"))
    edges = (pixels[:4], pixels[-4:], pixels[:, :4], pixels[:, -4:])
    return all(bool((edge == 255).all()) for edge in edges)


@pytest.mark.parametrize(
    "title",
    [None, "short", "a name without a blank " + "x" * 300, "50 % of $10_{5 \\frac", "word " * 200, "", "two\nlines"],
)
def test_no_title_is_cut_off(tmp_path: Path, title: str | None) -> None:
    for scan in (restored_scan(), plain_scan(np.random.default_rng(0).normal(size=(32, 32)))):
        path = save_figure(scan, tmp_path / "f.png", title=title)
        assert _blank_border(path)
        with Image.open(path) as picture:
            assert picture.width < 3000


@pytest.mark.parametrize(
    "scan",
    [
        plain_scan(np.full((5, 8), np.nan)),
        plain_scan(np.full((5, 8), 3e-9)),
        plain_scan([[1e-9]]),
        plain_scan(np.random.default_rng(0).normal(size=(1, 512)), geometry=Geometry(512, 1, 1e-6, 1e-10)),
        plain_scan(np.random.default_rng(0).normal(size=(512, 2)), geometry=Geometry(2, 512, 1e-10, 1e-6)),
        plain_scan(np.random.default_rng(0).normal(size=(9, 9)), unit="deg"),
    ],
    ids=["nothing measured", "constant", "one pixel", "one line", "one column", "degrees"],
)
def test_odd_scans_are_drawn(tmp_path: Path, scan) -> None:  # type: ignore[no-untyped-def]
    assert _blank_border(save_figure(scan, tmp_path / "f.png"))


def test_vector_formats_and_chosen_channels(tmp_path: Path) -> None:
    scan = restored_scan()
    assert save_figure(scan, tmp_path / "f.pdf", channels=scan.channels[2:3]).read_bytes().startswith(b"%PDF")
    assert b"<svg" in save_figure(scan, tmp_path / "f.svg").read_bytes()
    with pytest.raises(FileError, match="figures are written as"):
        save_figure(scan, tmp_path / "f.jpg")


def test_a_figure_of_another_unit_has_its_own_range() -> None:
    image = np.random.default_rng(0).normal(size=(16, 16))
    channels = [Channel("Z", "m", image * 1e-12), Channel("Current", "A", image * 1e-10)]
    scan = plain_scan(image, channels=channels)
    said = texts(draw(panels_of(channels, result_of(scan)), scan.geometry, "x", 100))
    assert {"pm", "pA"} <= set(said)


def test_colours_are_those_of_gwyddion() -> None:
    table = lookup_table(size=1001)
    assert table[0].tolist() == [0, 0, 0]
    assert table[345].tolist() == [168, 40, 15]
    assert table[687].tolist() == [243, 194, 93]
    assert table[-1].tolist() == [255, 255, 255]
    installed = Path("/usr/share/gwyddion/gradients/Gwyddion.net")
    if installed.is_file():
        for line in installed.read_text().splitlines()[1:]:
            place, *rgb = (float(word) for word in line.split()[:4])
            assert table[round(place * 1000)] == pytest.approx(np.array(rgb) * 255, abs=1)
    with pytest.raises(FileError, match="colour map"):
        lookup_table("none")


def test_drawing_leaves_the_interactive_side_of_matplotlib_alone(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np; from stmviewer.scan import Channel, Geometry, Scan\n"
        "from stmviewer.files import save_scan\n"
        "scan = Scan([Channel('Z', 'm', np.eye(8))], Geometry(8, 8, 1e-9, 1e-9))\n"
        f"save_scan(scan, {str(tmp_path / 'f.png')!r}); print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_figures_carry_title_program_and_provenance(tmp_path: Path) -> None:
    scan = restored_scan(provenance={"model": "flow-sim", "note": "Tür <&>"})
    found = Image.open(save_figure(scan, tmp_path / "a.png", title="5 µm\x07")).info
    assert json.loads(found["Description"]) == scan.provenance
    assert found["Title"] == "5 µm"
    assert found["Software"].startswith("stmviewer ")
    drawn = ElementTree.parse(save_figure(scan, tmp_path / "a.svg"))
    described = drawn.find(".//{http://purl.org/dc/elements/1.1/}description")
    assert described is not None and json.loads(described.text or "") == scan.provenance
    assert b"/Subject" in save_figure(scan, tmp_path / "a.pdf").read_bytes()


def test_a_constant_image_says_its_value_and_has_no_colours() -> None:
    """Less its plane it would be rounding errors, drawn as if they were a surface."""
    scan = plain_scan(np.full((8, 12), 7.3e-9))
    panels = panels_of(scan.channels, result_of(scan))
    assert panels[0].title == "raw, Z forward: 7.3 nm everywhere"
    assert not panels[0].values.any()
    figure = draw(panels, scan.geometry, "title", 100)
    assert len(figure.axes) == 1
