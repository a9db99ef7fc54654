"""Which weights of a training are kept: the latest that are not worse than the best by more than chance.

A validation has some dozens of samples, and there are a dozen validations: the highest score is that of the luckiest
as often as that of the best. The learning rate falls to nothing over a training, so later weights are the better ones
unless they have begun to learn by heart. So later ones are kept unless their mean is below the highest so far by more
than its standard error, that of the differences sample by sample (the one-standard-error rule of Breiman et al. 1984,
with pairs). They are compared with the highest and not with what was kept before: else a training could go down step
by step, each too small to be seen.
"""

import math
from collections.abc import Sequence

import numpy as np

from stmviewer.train.checkpoint import Counters


def take(counters: Counters, scores: Sequence[float], judged_by: str) -> bool:
    """Whether the weights of a validation at `counters.step` are to be kept in place of those before; notes it.

    `scores` has a number for each sample, higher is better; `judged_by` tells which samples they are. Where these are
    others than before there is nothing to compare with: the new weights are kept.
    """
    mean, highest = float(np.mean(scores)), counters.highest
    comparable = (counters.judged_by, len(highest)) == (judged_by, len(scores)) and math.isfinite(sum(highest))
    if comparable and not _as_good(scores, highest):
        return False
    if not comparable or mean >= float(np.mean(highest)):
        counters.highest, counters.judged_by = tuple(map(float, scores)), judged_by
    counters.best, counters.best_step = mean, counters.step
    return True


def _as_good(scores: Sequence[float], highest: Sequence[float]) -> bool:
    """Whether the mean is not below the highest one by more than the standard error of the difference."""
    difference = np.subtract(scores, highest)
    count = len(difference)
    error = float(difference.std(ddof=1)) / math.sqrt(count) if count > 1 else 0.0
    return float(difference.mean()) >= -error  # NaN is worse than anything
