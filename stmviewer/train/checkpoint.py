"""Checkpoints of a training: written whole or not at all, read back without unpickling anything.

Model, averaged model, the best of the averaged ones so far and optimizer moments lie in one safetensors file; counters
in its header.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from stmviewer.scan import FileError


@dataclass
class Counters:
    """Where a training is. `seconds` is training time over all its runs.

    `validated` counts twelfths of the training that were validated, `best` is the best standing so far (see
    `validation.standing`) and `best_step` where that was.
    """

    step: int = 0
    seconds: float = 0.0
    skipped: int = 0
    validated: int = 0
    best: float | None = None
    best_step: int = 0


@dataclass
class State:
    """What changes in a training, by the names of the weights: what is to be saved, and filled again when read."""

    model: nn.Module
    average: dict[str, Tensor]
    #: the best averaged weights so far; empty before the first validation
    best: dict[str, Tensor]
    optimizer: torch.optim.Optimizer


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def save(path: Path, state: State, counters: Counters, settings: dict[str, object]) -> None:
    """Writes the state to `path`; whatever happens meanwhile, an older state there survives.

    Raises FileError for what the disk refuses.
    """
    tensors: dict[str, Tensor] = {}
    for name, parameter in state.model.state_dict().items():
        tensors[f"model/{name}"] = parameter
    for name, value in state.average.items():
        tensors[f"average/{name}"] = value
    for name, value in state.best.items():
        tensors[f"best/{name}"] = value
    for name, parameter in trainable(state.model).items():
        for key, value in state.optimizer.state.get(parameter, {}).items():
            tensors[f"optimizer/{key}/{name}"] = torch.as_tensor(value)
    header = {"counters": json.dumps(asdict(counters)), "settings": json.dumps(settings, sort_keys=True)}
    temporary = path.with_name(path.name + ".part")
    # a clone each: safetensors refuses tensors that share memory
    cloned = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
    try:
        save_file(cloned, temporary, header)
        temporary.replace(path)
    except (SafetensorError, OSError) as error:
        raise FileError(path, f"the checkpoint cannot be written ({error})", "Is the disk full?") from error


def load(path: Path, state: State, settings: dict[str, object]) -> Counters:
    """Reads the state of `save` into `state`. Raises FileError when it is damaged or of another training."""
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        counters = Counters(**json.loads(header["counters"]))
        before = json.loads(header["settings"])
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise FileError(path, f"the checkpoint cannot be read ({error})", "Start without --resume") from error
    differing = [k for k in settings if before.get(k) != settings[k]]
    if differing:
        raise FileError(
            path,
            f"the checkpoint is of a training with other settings ({', '.join(differing)})",
            "Resume with the same settings, or start under another name",
        )
    try:
        state.model.load_state_dict({k.removeprefix("model/"): v for k, v in tensors.items() if k.startswith("model/")})
        for name, value in state.average.items():
            value.copy_(tensors[f"average/{name}"])
        state.best.clear()
        if any(name.startswith("best/") for name in tensors):
            state.best.update({n: torch.empty_like(v).copy_(tensors[f"best/{n}"]) for n, v in state.average.items()})
    except (KeyError, RuntimeError) as error:
        cause = f"the checkpoint is of another network ({str(error).splitlines()[0]})"
        raise FileError(path, cause, "Start under another name") from error
    for name, parameter in trainable(state.model).items():
        moments = {}
        for key in ("step", "exp_avg", "exp_avg_sq"):
            found = tensors.get(f"optimizer/{key}/{name}")
            if found is not None:
                moments[key] = found.to(parameter.device) if key != "step" else found
        if moments:
            state.optimizer.state[parameter] = moments
    return counters
