"""Which model a training starts from, and the model that is trained."""

from dataclasses import dataclass
from pathlib import Path

from stmviewer.restore import library
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.models import AutoencoderModel, CfmModel, FlowModel, LearnedModel, RegressionModel
from stmviewer.restore.networks import UNetConfig
from stmviewer.restore.starting import build, grown, sampler_from, with_mean, with_waves
from stmviewer.restore.weights import load_weights
from stmviewer.scan import RequestError
from stmviewer.train.spec import TrainSpec

#: kinds that can start from a regression, where there is none of their own that was trained on simulations alone
_FROM_REGRESSION = ("flow", "cfm", "diffusion")
#: the family of shipped models that every surface starts from: of no laboratory, and free of its licence
_GENERAL = "sim"


def usual_start(kind: str) -> ModelInfo | None:
    """The shipped model that a training of that kind starts from unless told otherwise: minutes, not hours.

    Of the same kind and trained on simulations, else a regression that was, else one of the kind; None without any.
    """
    shipped = [e.info for e in library.entries().values() if e.info.source == "shipped"]
    wanted = [(kind, _GENERAL), *([("regression", _GENERAL)] if kind in _FROM_REGRESSION else [])]
    for one in wanted:
        for info in shipped:
            if (info.kind, info.family) == one:
                return info
    return next((info for info in shipped if info.kind == kind), None)


@dataclass(frozen=True)
class Start:
    """The model to start from: its weights, and the licence that its descendants inherit."""

    weights: Path
    licence: str


def starts(spec: TrainSpec, models: Path) -> tuple[Start | None, Start | None]:
    """The models of --from and --mean, looked for in the library and beside the new one; None: from scratch."""
    if spec.start_from is None and spec.mean_from is None:
        return None, None
    found = {name: Start(e.weights, e.info.licence) for name, e in library.entries().items()}
    for name, values in library.read_manifest(models).items():
        found[name] = Start(models / f"{name}.safetensors", str(values.get("licence", "MIT")))
    for flag, wanted in (("--from", spec.start_from), ("--mean", spec.mean_from)):
        if wanted is not None and wanted not in found:
            raise RequestError(f"{flag}: there is no trained model '{wanted}'; there are {', '.join(found) or 'none'}")
    return found.get(spec.start_from or ""), found.get(spec.mean_from or "")


def model_of(spec: TrainSpec, begin: Start | None, mean_of: Start | None) -> LearnedModel:
    """The untrained model, or the one to start from, with inputs for all that networks of today are told.

    The regression inside a flow is as it was trained; in one from scratch it learns together with the flow.
    """
    if begin is None:
        if mean_of is not None:
            raise RequestError("--mean goes with --from a flow: a flow from scratch learns its mean by itself")
        made = build(spec.kind, UNetConfig(channels=spec.channels, guesses=2, told=True, waves=True))
        if isinstance(made, FlowModel):
            made.regression.requires_grad_(True)
        return made
    start = load_weights(begin.weights)
    mean = load_weights(mean_of.weights) if mean_of is not None else None
    if mean is not None and not (isinstance(start, FlowModel) and isinstance(mean, RegressionModel)):
        raise RequestError(
            f"--mean: a flow takes the mean of a regression, and --from a flow then; '{spec.mean_from}' is a "
            f"{mean.kind}, '{spec.start_from}' a {start.kind}"
        )
    match spec.kind, start:
        case "flow", FlowModel():
            return grown(start) if mean is None else with_mean(start, mean)
        case "flow", RegressionModel():
            inner = grown(start)
            return build("flow", UNetConfig(channels=spec.channels, guesses=2, told=True), inner)  # type: ignore[arg-type]
        case "cfm" | "diffusion", RegressionModel() | CfmModel():
            return sampler_from(spec.kind, start)
        case "regression", RegressionModel():
            larger = grown(start)
            assert isinstance(larger, RegressionModel)
            return with_waves(larger)
        case "autoencoder", AutoencoderModel():
            return grown(start)
    raise RequestError(f"--from: a {spec.kind} cannot start from '{spec.start_from}', which is a {start.kind}")
