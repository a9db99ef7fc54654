"""Checkpoints of a training: written whole or not at all, read back without unpickling anything.

Model, averaged model and optimizer moments lie in one safetensors file; counters in its header.
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
    """Where a training is. `seconds` is training time over all its runs."""

    step: int = 0
    seconds: float = 0.0
    skipped: int = 0
    best: float = float("-inf")


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def save(
    path: Path,
    model: nn.Module,
    average: dict[str, Tensor],
    optimizer: torch.optim.Optimizer,
    counters: Counters,
    settings: dict[str, object],
) -> None:
    """Writes the state to `path`; whatever happens meanwhile, an older state there survives.

    Raises FileError for what the disk refuses.
    """
    tensors: dict[str, Tensor] = {}
    for name, parameter in model.state_dict().items():
        tensors[f"model/{name}"] = parameter
    for name, value in average.items():
        tensors[f"average/{name}"] = value
    for name, parameter in trainable(model).items():
        for key, value in optimizer.state.get(parameter, {}).items():
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


def load(
    path: Path,
    model: nn.Module,
    average: dict[str, Tensor],
    optimizer: torch.optim.Optimizer,
    settings: dict[str, object],
) -> Counters:
    """Reads the state of `save` into the arguments. Raises FileError when it is damaged or of another training."""
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
        model.load_state_dict({k.removeprefix("model/"): v for k, v in tensors.items() if k.startswith("model/")})
        for name in average:
            average[name].copy_(tensors[f"average/{name}"])
    except (KeyError, RuntimeError) as error:
        cause = f"the checkpoint is of another network ({str(error).splitlines()[0]})"
        raise FileError(path, cause, "Start under another name") from error
    for name, parameter in trainable(model).items():
        state = {}
        for key in ("step", "exp_avg", "exp_avg_sq"):
            value = tensors.get(f"optimizer/{key}/{name}")
            if value is not None:
                state[key] = value.to(parameter.device) if key != "step" else value
        if state:
            optimizer.state[parameter] = state
    return counters
