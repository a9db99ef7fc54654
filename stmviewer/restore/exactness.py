"""The parts of sampled models that compute in float32, though the rest is in bfloat16, where a scan is cut into tiles.

Two tiles differ in the last digits of float32 where they overlap. bfloat16 makes steps of 0.8 % of the value of some of
these, and every step of the sampling makes more of them: flows in tiles of 256 differed from one pass over the same
1024 x 1024 pixels by 11 to 27 % of the corrugation at most. Two parts do nearly all of it: the posterior mean, which
everything starts from, and the head, the layers that see state and guesses pixel by pixel. With both in float32 0.4 to
0.6 % is left, in 1.3 times the time. Float32 throughout takes twice the time for little more; the head alone left 2 to
7 %, the last step alone three quarters of it. Regressions have one step, and 0.8 % at most as they are.
"""

import copy

import torch
from torch import Tensor, nn

from stmviewer.restore.models import SampledModel


class InFloat32(nn.Module):
    """A part of a network that computes in float32 also under autocast."""

    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.part = part

    def forward(self, *seen: Tensor) -> Tensor:
        with torch.autocast(seen[0].device.type, enabled=False):
            out: Tensor = self.part(*(x.float() for x in seen))
        return out


def with_exact_head(model: SampledModel) -> SampledModel:
    """A model of the same weights, not copied, whose head computes in float32. `model` itself is left as it is."""
    twin = copy.deepcopy(model, {id(p): p for p in model.parameters()})
    twin.net.head = InFloat32(twin.net.head)
    return twin
