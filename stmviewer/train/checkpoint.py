"""Checkpoints of a training: written whole or not at all, read back without unpickling anything.

Model, averaged model, the averaged one that is kept so far and optimizer moments lie in one safetensors file; counters
in its header. The one before is kept beside it: killed at any moment, or with a disk that lost the newest, a training
has one to go on from.
"""

import json
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from stmviewer.scan import FileError
from stmviewer.train.distributed import World
from stmviewer.train.work import synced


@dataclass
class Counters:
    """Where a training is. `seconds` is training time over all its runs.

    `validated` counts twelfths of the training that were validated. `best` is the mean score of the weights that are
    kept (see `keeping.py`) and `best_step` where that was; `highest` are the scores of each sample at the validation
    with the highest mean, `judged_by` tells which samples these are. `logged` is how many lines the log has; None: not
    known.
    """

    step: int = 0
    seconds: float = 0.0
    skipped: int = 0
    validated: int = 0
    best: float | None = None
    best_step: int = 0
    highest: Sequence[float] = ()
    judged_by: str = ""
    logged: int | None = None


@dataclass
class State:
    """What changes in a training, by the names of the weights: what is to be saved, and filled again when read."""

    model: nn.Module
    average: dict[str, Tensor]
    #: the averaged weights that are kept so far; empty before the first validation
    best: dict[str, Tensor]
    optimizer: torch.optim.Optimizer


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def generations(path: Path) -> tuple[Path, Path]:
    """The files of a checkpoint at `path`: the newest, and the one before."""
    return path, path.with_name("previous-" + path.name)


def save(path: Path, state: State, counters: Counters, settings: dict[str, object]) -> None:
    """Writes the state to `path`; what was there becomes the older generation.

    Whatever happens meanwhile, an older state survives. Raises FileError for what the disk refuses.
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
    # a clone each: safetensors refuses tensors that share memory
    cloned = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
    header = {
        "counters": json.dumps(asdict(counters)),
        "settings": json.dumps(settings, sort_keys=True),
        "checksum": _checksum(cloned),
    }
    newest, before = generations(path)
    temporary = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)  # someone may have taken the folder away
        save_file(cloned, temporary, header)
        synced(temporary)
        if newest.exists():
            newest.replace(before)
        temporary.replace(newest)
    except (SafetensorError, OSError) as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)  # it may be what fills the disk
        cause = f"the checkpoint cannot be written ({error})"
        raise FileError(path, cause, "Is the disk full? What was saved before is kept: go on with --resume") from error


def _checksum(tensors: dict[str, Tensor]) -> str:
    """Of the values: a disk may give a file its length before its content."""
    found = 0
    for name in sorted(tensors):
        found = zlib.crc32(tensors[name].numpy().tobytes(), found)
    return f"{found:08x}"


@dataclass(frozen=True)
class Stored:
    """A checkpoint that could be read."""

    path: Path
    tensors: dict[str, Tensor]
    counters: Counters
    settings: dict[str, object]


def exists(path: Path) -> bool:
    """Whether there is a checkpoint at `path`, of either generation."""
    return any(p.is_file() for p in generations(path))


def settings_of(path: Path) -> dict[str, Any]:
    """The settings that a checkpoint at `path` was made with; empty where none can be read."""
    for candidate in generations(path):
        try:
            with safe_open(candidate, framework="pt") as file:
                return dict(json.loads((file.metadata() or {})["settings"]))
        except (SafetensorError, OSError, KeyError, ValueError, TypeError):
            continue
    return {}


def read(path: Path) -> Stored:
    """The newest checkpoint at `path` that can be read. Raises FileError, of the newest, where none can."""
    found: list[Stored] = []
    errors: list[FileError] = []
    for candidate in generations(path):
        try:
            found.append(_read(candidate))
        except FileError as error:
            errors.append(error)
    if not found:
        raise errors[0]
    return max(found, key=lambda s: s.counters.step)


def _read(path: Path) -> Stored:
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        counters = Counters(**json.loads(header["counters"]))
        settings = json.loads(header["settings"])
        if header.get("checksum", "") not in ("", _checksum(tensors)):
            raise ValueError("its values are not those that were saved")
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise FileError(path, f"the checkpoint cannot be read ({error})", "Start without --resume") from error
    return Stored(path, tensors, counters, settings)


def load(path: Path, state: State, settings: dict[str, object]) -> Counters:
    """Reads the newest state of `save` into `state`.

    Raises FileError when it is damaged, the one before too, or of another training.
    """
    stored = read(path)
    path, tensors, before = stored.path, stored.tensors, stored.settings
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
                moments[key] = found.to(parameter.device if key != "step" else "cpu", copy=True)
        if moments:
            state.optimizer.state[parameter] = moments
    return stored.counters


def share(world: World, state: State, counters: Counters) -> None:
    """Gives every process what the first has: weights, moments and counters. Averages are the writer's alone."""
    for name, value in vars(counters).items():
        setattr(counters, name, world.told(value))
    world.shared(list(state.model.state_dict().values()))
    for parameter in trainable(state.model).values():
        moments = state.optimizer.state[parameter]
        have = world.told({k: v.device.type == "cpu" for k, v in moments.items()})
        assert isinstance(have, dict)
        for key in have:
            # the optimizer keeps its count of steps on the processor
            blank = torch.zeros(()) if key == "step" else torch.zeros_like(parameter)
            value = moments[key] if world.writes else blank
            moved = value.detach().to(parameter.device).contiguous()
            world.shared([moved])
            moments[key] = moved.to(value.device) if key == "step" else torch.empty_like(value).copy_(moved)
