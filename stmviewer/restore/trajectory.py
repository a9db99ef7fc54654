"""Ways from noise to image: how much of each is in the state at time t, and the deterministic step along the way.

Time runs from 0, the source x_0 alone, to 1, the clean image x_1 alone:
    x_t = s(t) x_0 + a(t) x_1.
A network that predicts x_1 from x_t predicts the source as well, x_0 = (x_t - a x_1) / s, and the state at a later time
is made of both predictions. On the straight way (s = 1 - t, a = t) that is an Euler step of a flow along the velocity
(x_1 - x_t) / (1 - t) (Lipman et al., arXiv 2210.02747; Liu, Gong, Liu, arXiv 2209.03003); with a^2 + s^2 = 1 and white
noise as source it is a step of DDIM with eta = 0 (Song, Meng, Ermon, arXiv 2010.02502, eq. 12).
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

#: offset of the cosine schedule: the last steps before the clean image have some noise to work on
_OFFSET = 0.008


@dataclass(frozen=True)
class Trajectory:
    """`straight` for flows, or the `cosine` schedule of diffusion (Nichol and Dhariwal, arXiv 2102.09672, eq. 17)."""

    shape: Literal["straight", "cosine"]

    def shares(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """a(t) and s(t), the shares of the clean image and of the source at times in [0, 1]; any shape, as `t` has."""
        if self.shape == "straight":
            return t, 1 - t
        # written in the time that is left, which runs from the noise's end
        full = math.cos(_OFFSET / (1 + _OFFSET) * math.pi / 2)
        clean = torch.cos((1 - t + _OFFSET) / (1 + _OFFSET) * math.pi / 2) / full
        clean = clean.clamp(0, 1)
        return clean, (1 - clean**2).clamp_min(0).sqrt()

    def state(self, source: Tensor, clean: Tensor, t: Tensor) -> Tensor:
        """x_t for times that broadcast over the images."""
        a, s = self.shares(t)
        return s * source + a * clean

    def step(self, state: Tensor, clean: Tensor, t: float, t_next: float) -> Tensor:
        """x_t -> x_t' with the predicted clean image. The last step (t' = 1) lands on the prediction itself."""
        (a, a_next), (s, s_next) = (x.tolist() for x in self.shares(torch.tensor([t, t_next], dtype=torch.float64)))
        ratio = s_next / s
        return ratio * state + (a_next - ratio * a) * clean


STRAIGHT = Trajectory("straight")
COSINE = Trajectory("cosine")


def times(steps: int) -> list[float]:
    """Equally spaced times 0 ... 1, `steps` + 1 of them."""
    return [k / steps for k in range(steps + 1)]
