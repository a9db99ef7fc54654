"""Sampling a flow: Euler steps from the posterior mean to a clean image."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from stmviewer.restore.models import FlowModel, euler_step, euler_times

#: a few steps give the best SSIM, more give more texture
DEFAULT_STEPS = 4


@torch.inference_mode()
def sample_flow(
    model: FlowModel,
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
    for t, t_next in pairwise(euler_times(steps)):
        now = torch.full((filled.shape[0],), t, device=filled.device)
        clean = model(state, now, mean, filled, measured, told)
        if t_next < 1:
            clean = torch.where(known, filled[:, :1], clean)
        state = euler_step(state, clean, t, t_next)
        tick()
    return state
