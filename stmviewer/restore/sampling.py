"""Sampling: steps from the source to a clean image, along the way that the model was trained on."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from stmviewer.restore.models import SampledModel
from stmviewer.restore.trajectory import times


@torch.inference_mode()
def sample(
    model: SampledModel,
    mean: Tensor,
    filled: Tensor,
    measured: Tensor,
    told: Tensor,
    noise: Tensor,
    steps: int,
    tick: Callable[[], None],
) -> Tensor:
    """One sample, (batch, 1, rows, columns), for standard normal `noise` of that shape; `tick` is called every step.

    In sparse samples (`told[:, 0]` is 1) the path runs through the measured pixels: they are known. The last step is
    the network's own word there too, or its residual at measured pixels would be nothing by force.
    """
    known = (measured > 0.5) & (told[:, :1, None, None] > 0.5)
    state = model.source(mean, noise)
    for t, t_next in pairwise(times(steps)):
        if t == 0 and model.starts_at_mean:
            clean = mean
        else:
            now = torch.full((filled.shape[0],), t, device=filled.device)
            clean = model(state, now, mean, filled, measured, told)
        if t_next < 1:
            clean = torch.where(known, filled[:, :1], clean)
        state = model.trajectory.step(state, clean, t, t_next)
        tick()
    return state
