import math
from itertools import pairwise

import numpy as np
import pytest

from stmviewer.train.checkpoint import Counters
from stmviewer.train.keeping import take


def kept(*validations, judged_by: str = "these") -> list[int]:
    """Which of the validations, counted from 1, were kept when they came."""
    counters, found = Counters(), []
    for step, scores in enumerate(validations, 1):
        counters.step = step
        if take(counters, scores, judged_by):
            found.append(step)
            assert counters.best == pytest.approx(np.mean(scores), nan_ok=True)
            assert counters.best_step == step
    return found


def test_what_is_better_or_as_good_is_kept():
    assert kept([0.5, 0.6], [0.6, 0.7], [0.6, 0.7]) == [1, 2, 3]


def test_what_is_worse_in_every_sample_is_not():
    assert kept([0.50, 0.60, 0.70], [0.49, 0.59, 0.69]) == [1]


def test_what_is_worse_by_less_than_its_uncertainty_is_kept():
    # mean difference -0.01, its standard error 0.1 / sqrt(3)
    assert kept([0.5, 0.6, 0.7], [0.59, 0.49, 0.69]) == [1, 2]


def test_many_small_steps_down_are_a_step_down():
    """Each is worse than the one before by less than its uncertainty, and soon than the highest by more."""
    noise = np.array([0.1, -0.1, 0.1, -0.1])
    validations = [0.5 - 0.03 * k + noise * (-1) ** k for k in range(8)]
    errors = [np.std(np.subtract(b, a), ddof=1) / 2 for a, b in pairwise(validations)]
    assert all(e > 0.03 for e in errors)
    assert kept(*validations) == [1, 2, 4]  # 3 is as the highest with 0.06 off each sample; 4 has other noise again


def test_one_sample_has_no_uncertainty():
    assert kept([0.5], [0.4], [0.5], [0.6]) == [1, 3, 4]


def test_scores_that_are_no_numbers_are_never_kept_for_long():
    bad = [math.nan, 0.5]
    assert kept([0.5, 0.5], bad, [0.6, 0.6]) == [1, 3]
    assert kept(bad, [0.1, 0.1], bad) == [1, 2]


def test_other_samples_are_not_compared_with():
    counters = Counters(step=1)
    assert take(counters, [0.9, 0.9], "these")
    counters.step = 2
    assert not take(counters, [0.5, 0.5], "these")
    assert take(counters, [0.5, 0.5], "those")
    assert (counters.best, counters.best_step, counters.judged_by) == (0.5, 2, "those")
    assert take(counters, [0.1, 0.1, 0.1], "those")


def test_checkpoints_of_before_know_no_samples_and_are_not_compared_with():
    counters = Counters(step=5, best=0.9, best_step=3)
    assert take(counters, [0.5, 0.5], "these")
    assert counters.best_step == 5


def test_few_noisy_repairs_do_not_hold_a_training_that_gets_better():
    """A flow from 36 images: losses fall by a twentieth at each of twelve validations, those of five repairs by
    nothing, and scatter by half. Where the tasks counted alike, the luckiest repairs decided."""
    rng = np.random.default_rng(0)
    trials, right, by_task = 200, 0, 0
    for _ in range(trials):
        sparse = [0.05 * k + rng.normal(0, 0.05, 43) for k in range(12)]
        repair = [rng.normal(0, 0.5, 5) for _ in range(12)]
        ours = kept(*(np.concatenate(pair) for pair in zip(sparse, repair, strict=True)))
        right += ours[-1] >= 10
        alike = [0.5 * (s.mean() + r.mean()) for s, r in zip(sparse, repair, strict=True)]
        by_task += int(np.argmax(alike)) + 1 >= 10
    assert right > 0.97 * trials
    assert by_task < 0.75 * trials


def test_what_has_begun_to_be_learnt_by_heart_is_not_kept():
    """Half way the model is at its best; from there every validation is worse by a little more."""
    rng = np.random.default_rng(1)
    trials, near = 200, 0
    places = rng.normal(0.7, 0.1, 48)  # samples differ far more than models do
    for _ in range(trials):
        rise = [0.02 * min(k, 6) - 0.01 * max(k - 6, 0) for k in range(12)]
        ours = kept(*(places + r + rng.normal(0, 0.01, 48) for r in rise))
        near += ours[-1] in (6, 7, 8)
    assert near > 0.97 * trials
