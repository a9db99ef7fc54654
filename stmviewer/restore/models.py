"""The learned models as mathematics: what goes into the backbone and what its output means.

Both work on normalised images f (filled), masks m, each (batch, 1, rows, columns), and `told` (batch, 4), which says
what task it is and how the scan was sampled (`networks.condition`). `filled` may have a second channel, a sharper first
guess: cubic where the first is linear, so that a network need not learn to interpolate what is well sampled; rows
aligned where a scan is to be repaired. Networks of one guess do not look at it.

Regression predicts the posterior mean and a Laplace scale b of its error (Kendall and Gal, NeurIPS 2017, eq. 5).

Flow is rectified flow from the posterior mean to the clean image (PMRF: Ohayon, Michaeli, Elad, arXiv 2410.00418):
    x_0 = mean(f, m) + sigma_s n,   x_1 = clean image,   x_t = (1 - t) x_0 + t x_1,
where the network predicts x_1 from (x_t, t, f, m, mean), so that the velocity is v = (x1_hat - x_t) / (1 - t)
(Liu, Gong, Liu, arXiv 2209.03003; conditional flow matching: Lipman et al., arXiv 2210.02747). Predicting the clean
image instead of the velocity leaves no residual noise at small training budgets.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from stmviewer.restore.networks import UNet, UNetConfig

#: standard deviation of the noise that is added to the posterior mean, on the normalised scale (corrugation about 1)
SOURCE_NOISE = 0.25


class RegressionModel(nn.Module):
    """Posterior mean and error scale in one pass."""

    kind = "regression"

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = replace(config, inputs=1 + config.guesses, outputs=2)
        self.net = UNet(self.config)

    def forward(self, filled: Tensor, measured: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log b, each (batch, 1, rows, columns)."""
        first, others = _guesses(filled, self.config)
        out = self.net(torch.cat([first, measured, *others], dim=1), told, torch.zeros_like(told[:, 0]))
        mean, log_scale = out.chunk(2, dim=1)
        return first + mean, log_scale.clamp(-8, 3)


class FlowModel(nn.Module):
    """Rectified flow from the posterior mean of a frozen regression model, predicting the clean image."""

    kind = "flow"

    def __init__(self, config: UNetConfig, regression: RegressionModel) -> None:
        super().__init__()
        self.config = replace(config, inputs=3 + config.guesses, outputs=1)
        self.net = UNet(self.config)
        self.regression = regression.requires_grad_(False)

    def mean(self, filled: Tensor, measured: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            mean, log_scale = self.regression(filled, measured, told)
        return mean, log_scale

    def source(self, mean: Tensor, noise: Tensor) -> Tensor:
        """x_0 for standard normal `noise`."""
        return mean + SOURCE_NOISE * noise

    def forward(
        self, state: Tensor, time: Tensor, mean: Tensor, filled: Tensor, measured: Tensor, told: Tensor
    ) -> Tensor:
        """The predicted clean image x1_hat, (batch, 1, rows, columns)."""
        first, others = _guesses(filled, self.config)
        out: Tensor = mean + self.net(torch.cat([state, mean, first, measured, *others], dim=1), told, time)
        return out


def _guesses(filled: Tensor, config: UNetConfig) -> tuple[Tensor, list[Tensor]]:
    """The first guess, and those of the others that a network of that shape sees; each (batch, 1, rows, columns)."""
    return filled[:, :1], list(filled[:, 1 : config.guesses].split(1, dim=1)) if config.guesses > 1 else []


def euler_times(steps: int) -> list[float]:
    """Equally spaced flow times 0 ... 1, `steps` + 1 of them."""
    return [k / steps for k in range(steps + 1)]


def euler_step(state: Tensor, clean: Tensor, t: float, t_next: float) -> Tensor:
    """x_t -> x_t' along v = (x1_hat - x_t) / (1 - t). The last step (t' = 1) lands on the prediction itself."""
    return state + (t_next - t) / (1 - t) * (clean - state)
