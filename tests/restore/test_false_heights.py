"""Jumps of the height and bow that the surface does not have: found where planted, and only there."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from stmviewer.restore import RestoreRequest
from stmviewer.restore.false_heights import FalseHeights, Jump, find_false_heights
from stmviewer.restore.pipeline import restore
from stmviewer.scan import FloatArray, Progress, Scan
from stmviewer.scan.levelling import level_for_display
from stmviewer.scan.processing.flattened import LineLevels
from stmviewer.scan.processing.rows import align_by_polynomial
from stmviewer.simulate import Si001H

PIXEL_M = 0.08e-9


def surface(
    seed: int = 0, rows: int = 160, columns: int = 192, pixel_m: float = PIXEL_M, noise_m: float = 2e-12
) -> Any:
    rng = np.random.default_rng(seed)
    clean = np.asarray(Si001H.random(rng).make(rows, columns, pixel_m, rng))
    return clean + noise_m * rng.standard_normal(clean.shape)


def jumped(image: FloatArray, row: int, column: int, height: float, leftwards: bool = False) -> FloatArray:
    return FalseHeights((Jump(row, column, leftwards, -height),)).without(image)


def bowed(image: FloatArray, edge_y: float, edge_x: float) -> FloatArray:
    """`edge_y` and `edge_x` are the heights from the centre to the edges."""
    rows, columns = image.shape
    return FalseHeights((), -edge_y / (rows / 2) ** 2, -edge_x / (columns / 2) ** 2).without(image)


def test_nothing_is_found_on_surfaces_with_steps_and_lattice() -> None:
    for seed in range(12):
        pixel_m = (0.05e-9, 0.1e-9, 0.2e-9)[seed % 3]
        assert find_false_heights(surface(seed, pixel_m=pixel_m)) == FalseHeights(), seed


@pytest.mark.parametrize("leftwards", [False, True])
def test_a_jump_within_a_line_is_found_to_the_pixel(leftwards: bool) -> None:
    image = surface(1)
    (found,) = find_false_heights(jumped(image, 70, 60, 120e-12, leftwards)).jumps
    assert (found.row, found.leftwards) == (70, leftwards)
    assert abs(found.column - 60) <= 2
    assert found.height == pytest.approx(120e-12, rel=0.05)


def test_jumps_up_and_down_are_taken_out() -> None:
    image = surface(2)
    twice = jumped(jumped(image, 40, 0, 90e-12), 111, 30, -90e-12)
    found = find_false_heights(twice)
    assert [j.row for j in found.jumps] == [40, 111]
    off = found.without(twice) - image
    assert np.ptp(off) < 15e-12
    assert np.array_equal(twice, jumped(jumped(image, 40, 0, 90e-12), 111, 30, -90e-12))  # left as it was


def test_a_line_that_differs_alone_is_no_jump() -> None:
    image = surface(3)
    image[80] += 150e-12
    assert find_false_heights(image).jumps == ()


def test_a_step_edge_across_the_lines_is_no_jump() -> None:
    y, x = np.mgrid[:160, :192]
    for slant in (0.1, 0.3, 1.0):
        edge = np.clip((y - 60 - slant * x) / 2, 0, 1) * 136e-12
        assert find_false_heights(surface(4) + edge).jumps == ()


def test_a_bow_is_found_beside_a_staircase() -> None:
    y, x = np.mgrid[:160, :192]
    stairs = 136e-12 * np.floor((x + 0.4 * y) / 60)
    tilt = 1e-12 * x - 2e-12 * y
    assert find_false_heights(surface(5) + stairs + tilt) == FalseHeights()
    found = find_false_heights(bowed(surface(5) + stairs + tilt, 60e-12, 0.0))
    assert found.bow_y * 80**2 == pytest.approx(60e-12, rel=0.2)
    found = find_false_heights(bowed(surface(5) + tilt, 60e-12, -80e-12))
    assert found.bow_y * 80**2 == pytest.approx(60e-12, rel=0.2)
    assert found.bow_x * 96**2 == pytest.approx(-80e-12, rel=0.2)


def test_of_large_scans_the_bow_is_that_of_their_own_pixels() -> None:
    rows, columns = 700, 1100
    rng = np.random.default_rng(0)
    image = bowed(5e-12 * rng.standard_normal((rows, columns)), 0.0, 90e-12)
    found = find_false_heights(image)
    assert found.bow_y == 0
    assert found.bow_x * (columns / 2) ** 2 == pytest.approx(90e-12, rel=0.05)


def test_neither_unit_nor_tilt_matters() -> None:
    y, x = np.mgrid[:160, :192]
    image = bowed(jumped(surface(6), 50, 20, 150e-12), 70e-12, 0.0)
    one, other = find_false_heights(image), find_false_heights(1e12 * image + 3.0 * x - 2.0 * y + 500)
    assert len(one.jumps) == 1
    for a, b in zip(one.jumps, other.jumps, strict=True):
        assert (a.row, a.column) == (b.row, b.column)
        assert 1e12 * a.height == pytest.approx(b.height, rel=1e-3)
    assert 1e12 * one.bow_y == pytest.approx(other.bow_y, rel=1e-3)


@pytest.mark.parametrize("shape", [(4, 4), (16, 300), (64, 64), (97, 100)])
def test_small_and_constant_images(shape: tuple[int, int]) -> None:
    assert find_false_heights(np.full(shape, 3e-9)) == FalseHeights()
    y, x = np.mgrid[: shape[0], : shape[1]]
    assert find_false_heights(1e-12 * x - 3e-12 * y) == FalseHeights()
    found = find_false_heights(np.random.default_rng(0).normal(0, 1e-12, shape))
    assert found == FalseHeights()


def test_what_is_said_of_it() -> None:
    heights = FalseHeights((Jump(21, 5, False, 126e-12),), 0.0, -1e-15)
    jump, bow = heights.checks((100, 200), "m")
    assert jump.warns
    assert "126" not in jump.text  # two digits
    assert "130 pm at line 22" in jump.text
    assert not bow.warns
    assert "-10 pm" in bow.text
    assert FalseHeights().checks((100, 200), "m") == []


@pytest.mark.usefixtures("tiny_models")
def test_networks_get_scans_without_them_and_say_so(make_scan: Callable[..., Scan]) -> None:
    clean = surface(7, 128, 128)
    scan = make_scan(jumped(clean, 60, 0, 300e-12))

    def run(**request: Any) -> Any:
        return restore(scan, RestoreRequest(device="cpu", **request), Progress())

    repaired = run(model="regression")
    level = level_for_display(repaired.mean)
    assert abs(float(np.median(level[70:]) - np.median(level[:50]))) < 60e-12
    assert any("jump" in warning for warning in repaired.warnings)
    assert [j["row"] for j in repaired.provenance["false_heights"]["jumps"]] == [60]
    # the measurement stays what it was, and classical methods do what they always did
    assert np.array_equal(repaired.raw, scan.channel().data)
    classical = run(model="tv")
    assert not any("jump" in warning for warning in classical.warnings)
    assert float(np.median(classical.mean[70:]) - np.median(classical.mean[:50])) > 200e-12


# shadows of flattened lines: how they are found is tested in scan/processing/test_flattened.py


def with_blobs(image: FloatArray) -> FloatArray:
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    result = image.copy()
    for row, column, radius in ((40, 60, 9), (90, 130, 13), (120, 20, 6)):
        result += 450e-12 * np.exp(-((((y - row) ** 2 + (x - column) ** 2) / radius**2) ** 2))
    return result


def lattice() -> FloatArray:
    y, x = np.mgrid[:160, :192]
    noise = 3e-12 * np.random.default_rng(0).standard_normal((160, 192))
    result: FloatArray = 20e-12 * np.cos(2 * np.pi * (0.0625 * x + 0.05 * y)) + noise
    return result


def test_jumps_and_bow_are_looked_for_without_shadows() -> None:
    flat = align_by_polynomial(with_blobs(lattice()), 1)
    found = find_false_heights(flat)
    assert found.lines is not None
    assert found.jumps == ()
    assert np.array_equal(found.without(flat), found.lines.taken_from(flat))
    assert found.facts()["flattened_lines"] == {"with_slopes": True, "highest": found.lines.highest}
    assert FalseHeights().facts()["flattened_lines"] is None


def test_what_is_said_of_shadows() -> None:
    lines = LineLevels(np.array([0.0, -126e-12]), np.zeros(2), 50)
    (said,) = FalseHeights(lines=lines).checks((2, 50), "m")
    assert said.about == "heights"
    assert not said.warns
    assert "from every line its mean was taken" in said.text
    assert "130 pm" in said.text
    (said,) = FalseHeights(lines=LineLevels(np.zeros(2), np.array([0.0, 1.0]), 50)).checks((2, 50), "")
    assert "from every line a straight line was taken" in said.text


@pytest.mark.usefixtures("tiny_models")
def test_networks_get_scans_without_shadows_and_say_so(make_scan: Callable[..., Scan]) -> None:
    truth = with_blobs(lattice())
    scan = make_scan(align_by_polynomial(truth, 1))

    def run(**request: Any) -> Any:
        return restore(scan, RestoreRequest(device="cpu", **request), Progress())

    repaired = run(model="regression")
    assert any("shadows" in check.text for check in repaired.checks)
    assert repaired.provenance["false_heights"]["flattened_lines"]["with_slopes"]
    shadow, light = np.s_[88:92, 60:90], np.s_[60:65, 60:90]
    before = float(np.median(scan.channel().data[light]) - np.median(scan.channel().data[shadow]))
    after = float(np.median(repaired.mean[light]) - np.median(repaired.mean[shadow]))
    assert before > 30e-12
    assert abs(after) < before / 2
    # the measurement stays what it was, and classical methods do what they always did
    assert np.array_equal(repaired.raw, scan.channel().data)
    assert run(model="tv").provenance["false_heights"]["flattened_lines"] is None
