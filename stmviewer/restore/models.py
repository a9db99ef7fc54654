"""The learned models as mathematics: what goes into the backbone and what its output means.

Both work on normalised images f (filled, (batch, 1, rows, columns)) and masks m of the same shape.

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
        self.config = replace(config, inputs=2, outputs=2)
        self.net = UNet(self.config)

    def forward(self, filled: Tensor, measured: Tensor, task: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log b, each (batch, 1, rows, columns)."""
        out = self.net(torch.cat([filled, measured], dim=1), task, torch.zeros_like(task))
        mean, log_scale = out.chunk(2, dim=1)
        return filled + mean, log_scale.clamp(-8, 3)


class FlowModel(nn.Module):
    """Rectified flow from the posterior mean of a frozen regression model, predicting the clean image."""

    kind = "flow"

    def __init__(self, config: UNetConfig, regression: RegressionModel) -> None:
        super().__init__()
        self.config = replace(config, inputs=4, outputs=1)
        self.net = UNet(self.config)
        self.regression = regression.requires_grad_(False)

    def mean(self, filled: Tensor, measured: Tensor, task: Tensor) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            mean, log_scale = self.regression(filled, measured, task)
        return mean, log_scale

    def source(self, mean: Tensor, noise: Tensor) -> Tensor:
        """x_0 for standard normal `noise`."""
        return mean + SOURCE_NOISE * noise

    def forward(
        self, state: Tensor, time: Tensor, mean: Tensor, filled: Tensor, measured: Tensor, task: Tensor
    ) -> Tensor:
        """The predicted clean image x1_hat, (batch, 1, rows, columns)."""
        out: Tensor = mean + self.net(torch.cat([state, mean, filled, measured], dim=1), task, time)
        return out


def euler_times(steps: int) -> list[float]:
    """Equally spaced flow times 0 ... 1, `steps` + 1 of them."""
    return [k / steps for k in range(steps + 1)]


def euler_step(state: Tensor, clean: Tensor, t: float, t_next: float) -> Tensor:
    """x_t -> x_t' along v = (x1_hat - x_t) / (1 - t). The last step (t' = 1) lands on the prediction itself."""
    return state + (t_next - t) / (1 - t) * (clean - state)
