"""What torch makes of a batch is what numpy makes of each image."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from stmviewer.simulate import Si001H
from stmviewer.simulate import degradations as d
from stmviewer.simulate.presets import PRESETS, Damage, degraded_pair, plan
from stmviewer.train.batched import OPERATIONS, BatchDegrader
from stmviewer.train.run import degrader_for

from . import tiny

PIXEL = 0.1e-9
DEGRADER = BatchDegrader(torch.device("cpu"))


@pytest.fixture(scope="module")
def surface():
    made = Si001H(angle_deg=25, steps=1, missing_dimers=0.03, dangling_bonds=0.01, clusters_per_m2=0.01e18)
    return made.make(96, 110, PIXEL, np.random.default_rng(0))


def both(surface, damages, crop=(64, 72), dtype=torch.float32):
    """The pairs by torch and by numpy of the same plans, made twice since their generators go on."""

    def plans():
        return [
            plan(surface, "mild", np.random.default_rng(k), pixel_m=PIXEL, crop=crop, rotate=False, damage=damage)
            for k, damage in enumerate(damages)
        ]

    return BatchDegrader(torch.device("cpu"), dtype)(plans()), [degraded_pair(p) for p in plans()]


def worst(one, other) -> float:
    """Largest difference as a share of the range."""
    return float(np.abs(one - other).max() / np.ptp(other))


@pytest.mark.parametrize("kind", [k for k in OPERATIONS if k is not d.Quantisation])
def test_every_operation_is_the_degradation_of_that_class(kind, surface):
    for before in (True, False):
        ones = [kind.draw(np.random.default_rng(k), PIXEL) for k in range(8)]
        damages = [Damage((one,)) if before else Damage((), (one,)) for one in ones]
        for batched, single in zip(*both(surface, damages), strict=True):
            assert worst(batched.degraded, single.degraded) < 1e-4
            np.testing.assert_array_equal(batched.clean, single.clean)
            assert batched.recipe == single.recipe


def test_the_converter_rounds_alike_but_for_ties(surface):
    ones = [d.Quantisation.draw(np.random.default_rng(k), PIXEL) for k in range(6)]
    for one, batched, single in zip(ones, *both(surface, [Damage((), (one,)) for one in ones]), strict=True):
        apart = np.abs(batched.degraded - single.degraded)
        assert apart.max() < 1.01 * one.step_m
        assert (apart > 1e-4 * np.ptp(single.degraded)).mean() < 1e-3


@pytest.mark.parametrize("preset", PRESETS)
def test_whole_presets_are_the_same_to_rounding(preset, surface):
    """All chains of a batch, with what is left to numpy in between; in double precision, so that no tie falls apart."""
    damages = [PRESETS[preset].draw(np.random.default_rng(100 + k), PIXEL) for k in range(24)]
    for batched, single in zip(*both(surface, damages, dtype=torch.float64), strict=True):
        assert worst(batched.degraded, single.degraded) < 1e-6, [type(o).__name__ for o in damages]


def test_far_higher_second_ends_do_not_overflow():
    step = np.zeros((64, 64))
    step[:, 32:] = 8e-9
    tip = d.SeveralTips((-6.0,), (0.0,), (0.0,), 11e9)
    (batched,), (single,) = both(step, [Damage((), (tip,))], crop=(64, 64))
    assert np.isfinite(batched.degraded).all()
    # the second end meets the step first; single precision sees it only 3.6 nm up
    assert single.degraded[0, 28] == pytest.approx(8e-9, rel=1e-3)
    assert batched.degraded[0, 28] == pytest.approx(80 / 22e9, rel=1e-3)
    np.testing.assert_allclose(batched.degraded[:, 32:], single.degraded[:, 32:], rtol=1e-5)


def test_a_sample_is_the_same_whoever_shares_its_batch():
    """And whatever degrades it: one by one in numpy, or all at once in torch."""
    one_by_one = tiny.maker()
    together = replace(one_by_one, degrader=BatchDegrader(torch.device("cpu"), torch.float64))
    expected = one_by_one.batch(range(10))
    for indices in (range(10), range(3, 7), [8]):
        found = together.batch(indices)
        for mine, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(mine, theirs[list(indices)], atol=2e-5)


def test_single_precision_is_enough_for_training():
    one_by_one = tiny.maker()
    single = replace(one_by_one, degrader=DEGRADER).batch(range(12))
    for mine, theirs in zip(single, one_by_one.batch(range(12)), strict=True):
        assert np.mean(np.abs(mine - theirs)) < 1e-3  # a converter's tie may fall to the other side


def test_only_a_gpu_degrades_batches_together():
    assert degrader_for(torch.device("cpu")) is None
    assert isinstance(degrader_for(torch.device("cuda")), BatchDegrader)
