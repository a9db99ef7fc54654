"""Untrained models, and models that start from the weights of others: every input goes where its name is."""

from dataclasses import replace

import torch
from torch import nn

from stmviewer.restore.models import (
    AutoencoderModel,
    CfmModel,
    DiffusionModel,
    FlowModel,
    LearnedModel,
    RegressionModel,
    SampledModel,
)
from stmviewer.restore.networks import TIME_FEATURES, UNet, UNetConfig, fourier_features

#: channels of an autoencoder's code: a patch of 8 x 8 pixels becomes as many numbers
_BOTTLENECK = 16
#: pixels of an image that one pixel of the network's inner images holds
_FOLDED = 4


def build(kind: str, config: UNetConfig, regression: RegressionModel | None = None) -> LearnedModel:
    """An untrained model of that kind; a flow needs its regression (a new one of the same shape if None)."""
    match kind:
        case "regression":
            return RegressionModel(config)
        case "flow":
            mean = regression or RegressionModel(config)
            return FlowModel(replace(config, waves=mean.config.waves), mean)  # both see the same guesses
        case "cfm":
            return CfmModel(config)
        case "diffusion":
            return DiffusionModel(config)
        case "autoencoder":
            return AutoencoderModel(config if config.bottleneck else replace(config, bottleneck=_BOTTLENECK))
    raise ValueError(f"no learned model is of kind '{kind}'")


def with_waves(model: RegressionModel) -> RegressionModel:
    """`model` itself, its sharper guess of scattered pixels that of compressed sensing from now on: to be trained."""
    model.config = model.net.config = replace(model.config, waves=True)
    return model


def grown(model: LearnedModel) -> LearnedModel:
    """The same model with inputs for two first guesses and for the sampling; new inputs have weights of zero.

    What it computes is the same until it is trained further. `model` itself where it has them already.
    """
    if model.config.guesses == 2 and model.config.told:
        return model
    assert not isinstance(model, AutoencoderModel), "there never was one with fewer inputs"
    config = replace(model.config, guesses=2, told=True)
    if isinstance(model, FlowModel):
        return with_mean(model, model.regression)
    larger = build(model.kind, config)
    assert isinstance(larger, RegressionModel | SampledModel)
    _take_over(larger, model)
    return larger


def with_mean(flow: FlowModel, regression: RegressionModel) -> FlowModel:
    """The network of a flow on the posterior mean of another regression, both grown."""
    inner = grown(regression)
    assert isinstance(inner, RegressionModel)
    larger = FlowModel(replace(flow.config, guesses=2, told=True, waves=inner.config.waves), inner)
    _take_over(larger, flow)
    return larger


def sampler_from(kind: str, start: RegressionModel | CfmModel) -> CfmModel:
    """A cfm or diffusion model that predicts, at every time, what `start` predicts.

    A regression knows no time and no state: of the time it was told only that it is 0, and the state gets weights of
    zero. The models on noise know both and keep them, whichever way they went.
    """
    start_grown = grown(start)
    assert isinstance(start_grown, RegressionModel | CfmModel)
    made = build(kind, start_grown.config)
    assert isinstance(made, CfmModel)
    _take_over(made, start_grown)
    if isinstance(start, RegressionModel):
        first = made.net.embed[0]
        assert isinstance(first, nn.Linear)
        with torch.no_grad():
            always = fourier_features(torch.zeros(1), TIME_FEATURES)[0]
            first.bias.add_(first.weight[:, :TIME_FEATURES] @ always)
            first.weight[:, :TIME_FEATURES] = 0
    return made


def _take_over(new: RegressionModel | SampledModel, old: RegressionModel | SampledModel) -> None:
    """Copies the network of `old` into that of `new`, its inputs by name; what `old` does not have becomes zero."""
    where = [new.inputs.index(name) for name in old.inputs]
    mine, others = new.net.state_dict(), old.net.state_dict()
    _check_shapes(new.net, old.net)
    with torch.no_grad():
        for name, values in others.items():
            mine[name].zero_()
            if name == "enter.weight":
                into = [_FOLDED * i + k for i in where for k in range(_FOLDED)]
                mine[name][:, into] = values
            elif name == "head.0.weight":
                head = new.config.head
                mine[name][:, [*range(head), *(head + i for i in where)]] = values
            else:  # what is told besides the task comes last
                mine[name][tuple(slice(n) for n in values.shape)] = values


def _check_shapes(new: UNet, old: UNet) -> None:
    same = ("channels", "blocks", "head", "embedding", "outputs")
    assert all(getattr(new.config, k) == getattr(old.config, k) for k in same), "networks of one shape"
