"""Weights on disk: safetensors with the network's shape in the header; never pickle."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from stmviewer.restore.models import FlowModel, LearnedModel, RegressionModel
from stmviewer.restore.networks import UNetConfig
from stmviewer.restore.starting import build
from stmviewer.scan import FileError

_FORMAT = "stmviewer-1"


def channels_last(model: LearnedModel) -> LearnedModel:
    """`model` itself, its weights laid out for channels_last convolutions (faster on CPUs with bf16 and on GPUs)."""
    return laid_out(model, torch.channels_last)


def laid_out(model: LearnedModel, layout: torch.memory_format) -> LearnedModel:
    """`model` itself, the weights of its convolutions in that order in memory."""
    for parameter in model.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=layout)
    return model


def save_weights(model: LearnedModel, path: Path, dtype: torch.dtype = torch.float32) -> None:
    """Writes the weights whole or not at all (temporary name, then moved).

    float16 halves the file and rounds to 5e-4, a tenth of what bfloat16 arithmetic does anyway.
    """
    header = {"format": _FORMAT, "kind": model.kind, "config": json.dumps(model.config.to_dict())}
    if isinstance(model, FlowModel):
        header["regression"] = json.dumps(model.regression.config.to_dict())
    tensors = {name: tensor.detach().cpu().to(dtype).contiguous() for name, tensor in model.state_dict().items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(save(tensors, header))  # safetensors' own save_file lets nobody else read it
    temporary.replace(path)


def load_weights(path: Path, device: torch.device | str = "cpu") -> LearnedModel:
    """Reads a model. Raises FileError when the file is missing, damaged (also by numbers that are none), or not of this
    program."""
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            header = file.metadata() or {}
            if header.get("format") != _FORMAT:
                raise FileError(path, "these weights were not made by stmviewer", "Choose a model that it trained")
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 (not a dict)
        config = UNetConfig.from_dict(json.loads(header["config"]))
        # shapes only: weights are not drawn to be thrown away, and a damaged header does not fill the memory
        with torch.device("meta"):
            regression = None
            if "regression" in header:
                regression = RegressionModel(UNetConfig.from_dict(json.loads(header["regression"])))
            model = build(header["kind"], config, regression)
        model.load_state_dict(tensors, assign=True)
        for name, tensor in tensors.items():
            if not bool(torch.isfinite(tensor).all()):  # every image would be empty, and nobody told
                raise ValueError(f"not all numbers of {name} are finite")
    except FileNotFoundError as error:
        raise FileError(path, "the weights are missing", "Install stmviewer again, or choose another model") from error
    except (
        SafetensorError, OSError, LookupError, ArithmeticError, ValueError, TypeError, AttributeError, RuntimeError
    ) as error:  # fmt: skip
        cause = (str(error) or type(error).__name__).splitlines()[0]
        raise FileError(
            path, f"the weights are damaged ({cause})", "Install again, or train the model again"
        ) from error
    model.to(device).eval()
    return channels_last(model)
