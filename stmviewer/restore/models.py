"""The learned models as mathematics: what goes into the networks and what their output means.

All work on normalised images f (filled), masks m, each (batch, 1, rows, columns), and `told` (batch, 4), which says
what task it is and how the scan was sampled (`networks.condition`). `filled` may have a second channel, a sharper first
guess: cubic where the first is linear, so that a network need not learn to interpolate what is well sampled; of
scattered pixels what compressed sensing makes of them, for networks that were trained on that (`waves`); rows aligned
where a scan is to be repaired. Networks of one guess do not look at it.

One pass: regression, and the autoencoder as a baseline. Both give an image and a Laplace scale b of its error (Kendall
and Gal, NeurIPS 2017, eq. 5).

Sampled, step by step from noise: every network predicts the clean image x_1 from the state x_t (`trajectory`) and from
what was measured, so that the kinds differ in the source and in the way only:

    kind        source x_0                way
    flow        mean(f, m) + sigma_s n    straight    rectified flow from the posterior mean of a frozen regression
                                                      (PMRF: Ohayon, Michaeli, Elad, arXiv 2410.00418)
    cfm         n                         straight    conditional flow matching (Lipman et al., arXiv 2210.02747)
    diffusion   n                         cosine      DDPM with v weights (Salimans and Ho, arXiv 2202.00512), DDIM

with n white noise. Predicting the clean image instead of the velocity leaves no residual noise at small training
budgets, and lets cfm and diffusion start from the weights of a regression: where the state is noise alone, they have to
predict what it does.
"""

from dataclasses import replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from stmviewer.restore.autoencoder import Autoencoder
from stmviewer.restore.info import DEFAULT_STEPS
from stmviewer.restore.networks import UNet, UNetConfig
from stmviewer.restore.trajectory import COSINE, STRAIGHT, Trajectory

#: standard deviation of the noise that is added to the posterior mean, on the normalised scale (corrugation about 1)
SOURCE_NOISE = 0.25


def _log_scale(output: Tensor) -> Tensor:
    return output.clamp(-8, 3)


def _guesses(filled: Tensor, config: UNetConfig) -> tuple[Tensor, list[Tensor]]:
    """The first guess, and those of the others that a network of that shape sees; each (batch, 1, rows, columns)."""
    return filled[:, :1], list(filled[:, 1 : config.guesses].split(1, dim=1)) if config.guesses > 1 else []


class RegressionModel(nn.Module):
    """Posterior mean and error scale in one pass."""

    kind: ClassVar = "regression"

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = replace(config, inputs=1 + config.guesses, outputs=2)
        self.net = UNet(self.config)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the network's inputs, in their order."""
        return ("first", "measured", "sharp")[: self.config.inputs]

    def forward(self, filled: Tensor, measured: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log b, each (batch, 1, rows, columns)."""
        first, others = _guesses(filled, self.config)
        out = self.net(torch.cat([first, measured, *others], dim=1), told, torch.zeros_like(told[:, 0]))
        mean, log_scale = out.chunk(2, dim=1)
        return first + mean, _log_scale(log_scale)


class AutoencoderModel(nn.Module):
    """The image as it comes out of a bottleneck, and its error scale, in one pass: the baseline of the reference work.

    Nothing goes past the bottleneck, the first guess neither: the image is not what is added to it.
    """

    kind: ClassVar = "autoencoder"

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = replace(config, inputs=1 + config.guesses, outputs=2)
        self.net = Autoencoder(self.config)

    def forward(self, filled: Tensor, measured: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        """Image and log b, each (batch, 1, rows, columns)."""
        first, others = _guesses(filled, self.config)
        image, log_scale = self.net(torch.cat([first, measured, *others], dim=1), told).chunk(2, dim=1)
        return image, _log_scale(log_scale)


class SampledModel(nn.Module):
    """What the kinds that draw samples have in common; see the table above."""

    kind: ClassVar[str]
    trajectory: ClassVar[Trajectory]
    #: whether the prediction at time 0 is the posterior mean itself, whatever the noise
    starts_at_mean: ClassVar[bool]
    config: UNetConfig
    net: UNet

    @property
    def steps(self) -> int:
        """Steps where the request leaves the choice."""
        return DEFAULT_STEPS[self.kind]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the network's inputs, in their order."""
        raise NotImplementedError

    def mean(self, filled: Tensor, measured: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        """The posterior mean and log b of its error."""
        raise NotImplementedError

    def source(self, mean: Tensor, noise: Tensor) -> Tensor:
        """x_0 for standard normal `noise`."""
        raise NotImplementedError

    def predict(
        self, state: Tensor, time: Tensor, mean: Tensor, filled: Tensor, measured: Tensor, told: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """The predicted clean image, (batch, 1, rows, columns), and log b of its error where the network gives it."""
        raise NotImplementedError

    def forward(
        self, state: Tensor, time: Tensor, mean: Tensor, filled: Tensor, measured: Tensor, told: Tensor
    ) -> Tensor:
        """The predicted clean image alone."""
        return self.predict(state, time, mean, filled, measured, told)[0]


class FlowModel(SampledModel):
    """Rectified flow from the posterior mean of a frozen regression model, predicting the clean image."""

    kind = "flow"
    trajectory = STRAIGHT
    starts_at_mean = False

    def __init__(self, config: UNetConfig, regression: RegressionModel) -> None:
        super().__init__()
        self.config = replace(config, inputs=3 + config.guesses, outputs=1)
        self.net = UNet(self.config)
        self.regression = regression.requires_grad_(False)

    @property
    def inputs(self) -> tuple[str, ...]:
        return ("state", "mean", "first", "measured", "sharp")[: self.config.inputs]

    def mean(self, filled: Tensor, measured: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            mean, log_scale = self.regression(filled, measured, told)
        return mean, log_scale

    def source(self, mean: Tensor, noise: Tensor) -> Tensor:
        return mean + SOURCE_NOISE * noise

    def predict(
        self, state: Tensor, time: Tensor, mean: Tensor, filled: Tensor, measured: Tensor, told: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        first, others = _guesses(filled, self.config)
        return mean + self.net(torch.cat([state, mean, first, measured, *others], dim=1), told, time), None


class CfmModel(SampledModel):
    """Conditional flow matching: a straight way from white noise to the clean image.

    The state enters times its share of the clean image, so that noise alone does not enter at all: at time 0 the
    network is a regression, and what it says there is the posterior mean with the scale of its error.
    """

    kind = "cfm"
    trajectory = STRAIGHT
    starts_at_mean = True

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = replace(config, inputs=2 + config.guesses, outputs=2)
        self.net = UNet(self.config)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (*("first", "measured", "sharp")[: self.config.inputs - 1], "state")

    def mean(self, filled: Tensor, measured: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        nothing = torch.zeros_like(filled[:, :1])
        mean, log_scale = self.predict(nothing, torch.zeros_like(told[:, 0]), nothing, filled, measured, told)
        assert log_scale is not None
        return mean, log_scale

    def source(self, mean: Tensor, noise: Tensor) -> Tensor:
        return noise

    def predict(
        self, state: Tensor, time: Tensor, mean: Tensor, filled: Tensor, measured: Tensor, told: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        first, others = _guesses(filled, self.config)
        share = self.trajectory.shares(time)[0][:, None, None, None]
        out = self.net(torch.cat([first, measured, *others, share * state], dim=1), told, time)
        image, log_scale = out.chunk(2, dim=1)
        return first + image, _log_scale(log_scale)


class DiffusionModel(CfmModel):
    """The same network on the cosine schedule of diffusion, where the noise goes more slowly at both ends."""

    kind = "diffusion"
    trajectory = COSINE


#: a network that gives its image in one pass, and one that draws samples
OnePassModel = RegressionModel | AutoencoderModel
LearnedModel = OnePassModel | SampledModel
