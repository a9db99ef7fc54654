"""What holds for every degradation."""

import json
from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from stmviewer.simulate import degradations
from stmviewer.simulate.degradations import Drift, Unfinished, describe
from stmviewer.simulate.degradations.degradation import both_ways, in_time, reach

PIXEL = 0.1e-9
KINDS = [kind for name in degradations.__all__ if is_dataclass(kind := getattr(degradations, name))]
#: forward and backward share it, and its noise if it has any
SHARED = {
    "BluntTip",
    "Bow",
    "DilatedTip",
    "Drift",
    "DullTip",
    "LineMisalignment",
    "MultiTip",
    "PlaneTilt",
    "Quantisation",
    "SeveralTips",
}


def image(rows=40, columns=50):
    return np.random.default_rng(5).normal(0, 20e-12, (rows, columns))


def test_every_degradation_is_listed():
    assert len(KINDS) == 24


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_image_and_the_input_stays(kind):
    z = image()
    before = z.copy()
    first, second = (
        kind.draw(rng, PIXEL).apply(z, rng) for rng in (np.random.default_rng(6), np.random.default_rng(6))
    )
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(z, before)
    assert first.shape == z.shape
    assert not np.shares_memory(first, z)


@pytest.mark.parametrize("kind", KINDS)
def test_the_smallest_images_pass(kind):
    for seed in range(4):
        rng = np.random.default_rng(seed)
        for shape in ((1, 1), (1, 9), (9, 1), (2, 2)):
            z = kind.draw(rng, PIXEL).apply(np.zeros(shape), rng)
            assert z.shape == shape
            assert np.isfinite(z).all() or kind is Unfinished


@pytest.mark.parametrize("kind", KINDS)
def test_recipes_come_back_from_json(kind):
    """Numbers survive exactly, and a flat recipe makes the degradation anew."""
    drawn = kind.draw(np.random.default_rng(7), 0.07e-9)
    recipe = json.loads(json.dumps(describe(drawn)))
    assert recipe.pop("name") == kind.__name__
    assert recipe.keys() == {f.name for f in fields(kind)}
    if not any(isinstance(v, dict | list) for v in recipe.values()):
        assert kind(**recipe) == drawn


@pytest.mark.parametrize("kind", KINDS)
def test_both_ways_share_tip_and_scanner_but_no_noise(kind):
    drawn = kind.draw(np.random.default_rng(8), PIXEL)
    z = image(60, 64)
    forward, backward = drawn.apply_both(z, z, np.random.default_rng(9))
    assert forward.shape == backward.shape == z.shape
    if kind.__name__ in SHARED:
        np.testing.assert_array_equal(forward, backward)
    elif not kind.__name__.startswith(
        ("Spikes", "Scars", "PickedUp", "TipSwitching")
    ):  # may have nothing in so few lines
        assert not np.array_equal(forward, backward)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_comes_from_farther_than_the_reach(kind):
    """A pixel that changes far away is not seen: crops with that margin are what whole images are."""
    for seed in range(5):
        drawn = kind.draw(np.random.default_rng(seed), PIXEL)
        margin = reach(drawn, 40)
        z = np.zeros((40, 300))
        z[20, 280] = 100e-12
        if hasattr(drawn, "memory_px"):  # a loop remembers along its line, on the crop itself
            continue
        degraded, flat = (drawn.apply(x, np.random.default_rng(3)) for x in (z, np.zeros_like(z)))
        seen = (np.abs(degraded - flat) > 2e-12).any(axis=0) & (np.arange(300) < 280 - margin - 1)
        if kind.__name__ not in ("TipChange", "PickedUpAdsorbate"):  # their mean height depends on the whole image
            assert not seen.any(), (drawn, np.nonzero(seen))


def test_time_runs_forward_and_back():
    forward, backward = np.arange(6).reshape(2, 3), 10 + np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(in_time(forward, backward)[0], [0, 1, 2, 12, 11, 10])
    for one, other in zip(both_ways(in_time(forward, backward)), (forward, backward), strict=True):
        np.testing.assert_array_equal(one, other)


def test_drift_alone_moves_the_clean_image_too():
    assert [kind for kind in KINDS if kind.moves] == [Drift]
