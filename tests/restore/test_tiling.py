"""Tiles cover every image, start in the network's phase, and their blend is a partition of unity."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stmviewer.restore.networks import STRIDE
from stmviewer.restore.tiling import DEFAULT_TILE, OVERLAP, blend_window, tiles

sides = st.integers(32, 1000)
tile_sides = st.one_of(st.integers(32, 512), st.sampled_from([64, 128, 256, 512]))


@settings(deadline=None, max_examples=150)
@given(sides, sides, tile_sides)
def test_tiles_cover_an_image_of_any_size_in_phase_and_overlap(rows: int, columns: int, side: int) -> None:
    layout = tiles(rows, columns, side)
    for low, high, length in (("top", "bottom", rows), ("left", "right", columns)):
        spans = sorted({(getattr(t, low), getattr(t, high)) for t in layout})
        assert spans[0][0] == 0
        assert spans[-1][1] == length
        assert all(start % STRIDE == 0 and stop - start <= side for start, stop in spans)
        for (_, stop), (start, _) in pairwise(spans):
            assert stop - start >= min(OVERLAP, side // 3)
    assert len(layout) == len({(t.top, t.left) for t in layout})
    assert all(t.image_shape == (rows, columns) for t in layout)


@settings(deadline=None, max_examples=40)
@given(sides, sides, tile_sides)
def test_windows_are_positive_and_divided_by_their_sum_they_are_one(rows: int, columns: int, side: int) -> None:
    layout = tiles(rows, columns, side)
    total = np.zeros((rows, columns))
    for tile in layout:
        window = blend_window(tile)
        assert window.shape == tile.shape
        assert window.min() > 0
        total[tile.slices] += window
    assert total.min() > 0
    image = np.random.default_rng(0).normal(size=(rows, columns))
    blend = np.zeros_like(image)
    for tile in layout:
        blend[tile.slices] += blend_window(tile) * image[tile.slices]
    assert np.abs(blend / total - image).max() < 1e-12


@settings(deadline=None, max_examples=40)
@given(sides, sides, tile_sides)
def test_tiles_that_disagree_meet_without_a_step(rows: int, columns: int, side: int) -> None:
    """Each tile has a value of its own: from pixel to pixel the blend changes by a small part of the difference."""
    layout = tiles(rows, columns, side)
    rng = np.random.default_rng(0)
    blend, total = np.zeros((rows, columns)), np.zeros((rows, columns))
    for tile in layout:
        window = blend_window(tile)
        blend[tile.slices] += window * rng.random()
        total[tile.slices] += window
    blend /= total
    overlap = min(OVERLAP, side // 3, min(min(t.shape) for t in layout) // 3)
    for axis in (0, 1):
        # a raised cosine over n pixels, here a fifth of the overlap, has slope pi / 2 n; two side by side twice that
        assert np.abs(np.diff(blend, axis=axis)).max() < 10 * np.pi / overlap


@pytest.mark.parametrize("side", [256, DEFAULT_TILE])
def test_next_to_its_end_a_tile_does_not_count(side: int) -> None:
    """There a network is wrong by more than the corrugation, 32 pixels further in by 0.3 %."""
    layout = tiles(1000, 1000, side)
    rng = np.random.default_rng(0)
    blend, total = np.zeros((1000, 1000)), np.zeros((1000, 1000))
    for tile in layout:
        wrong = rng.normal(size=tile.shape)
        rows = slice(32 if tile.top else 0, tile.shape[0] - (32 if tile.bottom < 1000 else 0))
        columns = slice(32 if tile.left else 0, tile.shape[1] - (32 if tile.right < 1000 else 0))
        wrong[rows, columns] = 0
        blend[tile.slices] += blend_window(tile) * wrong
        total[tile.slices] += blend_window(tile)
    assert np.abs(blend / total).max() < 1e-4


def test_a_small_image_is_one_tile() -> None:
    (only,) = tiles(45, 131, 512)
    assert (only.slices, only.shape) == ((slice(0, 45), slice(0, 131)), (45, 131))
    assert blend_window(only) == pytest.approx(1, abs=1e-5)


def test_tiles_are_not_many_more_than_needed() -> None:
    assert len(tiles(512, 512, DEFAULT_TILE)) == 1
    assert len(tiles(1024, 1024, DEFAULT_TILE)) == 9
    assert len(tiles(4096, 4096, DEFAULT_TILE)) == 81
