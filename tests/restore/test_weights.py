"""Weights on disk: the same model comes back, and anything else is a clear error that executes nothing."""

import json
import os
import pickle
import stat
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from stmviewer.restore.library import KINDS
from stmviewer.restore.models import FlowModel, RegressionModel
from stmviewer.restore.networks import UNetConfig
from stmviewer.restore.starting import build
from stmviewer.restore.weights import load_weights, save_weights
from stmviewer.scan import FileError

TINY = {"channels": [8, 16, 16], "blocks": [1, 1, 1], "head": 8, "embedding": 16}


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_comes_back_as_it_was(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    model = request.getfixturevalue(kind)
    path = tmp_path / "new folder" / "a.safetensors"
    save_weights(model, path)
    read = load_weights(path)
    assert type(read) is type(model)
    assert read.config == model.config
    assert not read.training
    grown = {name: p.requires_grad for name, p in model.named_parameters()}
    assert {name: p.requires_grad for name, p in read.named_parameters()} == grown
    assert read.state_dict().keys() == model.state_dict().keys()
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in read.state_dict().items())
    assert list(path.parent.iterdir()) == [path]  # no temporary file is left


def test_weights_of_half_precision_are_widened(regression: RegressionModel, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_weights(regression.half(), path)
    assert {p.dtype for p in load_weights(path).parameters()} == {torch.float32}


def test_a_flow_keeps_a_regression_of_another_shape(tmp_path: Path, tiny: UNetConfig) -> None:
    flow = FlowModel(tiny, RegressionModel(UNetConfig(channels=(8, 8), blocks=(1, 1), head=8, embedding=16)))
    save_weights(flow, tmp_path / "f.safetensors")
    read = load_weights(tmp_path / "f.safetensors")
    assert isinstance(read, FlowModel)
    assert read.regression.config.channels == (8, 8)
    images = torch.randn(1, 1, 16, 16), torch.ones(1, 1, 16, 16), torch.ones(1, 4)
    assert torch.allclose(read.mean(*images)[0], flow.mean(*images)[0], atol=1e-6)


def test_a_failed_write_leaves_the_old_weights(
    regression: RegressionModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.safetensors"
    save_weights(regression, path)
    before = path.read_bytes()

    def full(*_: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("stmviewer.restore.weights.Path.write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        save_weights(regression, path)
    assert path.read_bytes() == before


def refused(path: Path, cause: str) -> FileError:
    with pytest.raises(FileError, match=cause) as caught:
        load_weights(path)
    assert caught.value.path == path
    assert caught.value.advice
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.skipif(os.name == "nt", reason="files of Windows have no such modes")
def test_weights_in_a_shared_folder_can_be_read_by_the_others(regression: RegressionModel, tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    save_weights(regression, tmp_path / "a.safetensors")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a.safetensors", "usual")]
    assert modes[0] == modes[1]


def test_missing_weights(tmp_path: Path) -> None:
    refused(tmp_path / "none.safetensors", "the weights are missing")


def test_weights_of_another_program(tmp_path: Path) -> None:
    for name, header in (("a", None), ("b", {"format": "pt"}), ("c", {"format": "stmviewer-99"})):
        path = tmp_path / name
        save_file({"weight": torch.zeros(3)}, path, header)
        refused(path, "not made by stmviewer")


def test_truncated_at_any_length(regression: RegressionModel, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_weights(regression, path)
    whole = path.read_bytes()
    for length in (0, 1, 7, 8, 9, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        refused(path, "the weights are damaged")


class Trap:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("written_by", ["pickle", "torch"])
def test_nothing_is_ever_unpickled(written_by: str, tmp_path: Path) -> None:
    marker, path = tmp_path / "executed", tmp_path / "a.safetensors"
    with path.open("wb") as file:
        if written_by == "pickle":
            pickle.dump(Trap(marker), file)
        else:
            torch.save(Trap(marker), file)
    with path.open("rb") as file:
        torch.load(file, weights_only=False) if written_by == "torch" else pickle.load(file)
    assert marker.exists()  # the trap works
    marker.unlink()
    refused(path, "the weights are damaged")
    assert not marker.exists()


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"kind": "regression"},
        {"kind": "diffusion", "config": json.dumps(TINY)},  # of another kind
        {"kind": "autoencoder", "config": json.dumps(TINY | {"bottleneck": -1})},
        {"kind": "gan", "config": json.dumps(TINY)},
        {"kind": "regression", "config": "{"},
        {"kind": "regression", "config": "[]"},
        {"kind": "regression", "config": "5"},
        {"kind": "regression", "config": json.dumps(TINY | {"colour": "blue"})},
        {"kind": "regression", "config": json.dumps(TINY | {"channels": [8]})},
        {"kind": "regression", "config": json.dumps(TINY | {"channels": "abc"})},
        {"kind": "regression", "config": json.dumps(TINY | {"channels": [-8, 16, 16]})},
        {"kind": "regression", "config": json.dumps(TINY | {"channels": [10**7, 16, 16]})},
        {"kind": "regression", "config": json.dumps(TINY | {"blocks": [1, 10**9, 1]})},  # would be built for hours
        {"kind": "regression", "config": json.dumps(TINY | {"channels": [8] * 500, "blocks": [1] * 500})},
        {"kind": "regression", "config": json.dumps(TINY | {"blocks": [1]})},
        {"kind": "flow", "config": json.dumps(TINY), "regression": "null"},
        {"kind": "regression", "config": json.dumps(TINY)},  # tensors are missing
    ],
)
def test_headers_that_make_no_sense(header: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"weight": torch.zeros(3)}, path, {"format": "stmviewer-1"} | header)
    refused(path, "the weights are damaged")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers(value: float, regression: RegressionModel, tmp_path: Path) -> None:
    next(iter(regression.parameters())).data.view(-1)[0] = value
    save_weights(regression, tmp_path / "a.safetensors")
    refused(tmp_path / "a.safetensors", r"the weights are damaged \(not all numbers of .+ are finite")


def test_a_folder_is_no_weights(tmp_path: Path) -> None:
    refused(tmp_path, "the weights are damaged")


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=200))
def test_any_bytes_are_weights_or_a_file_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    path.write_bytes(content)
    refused(path, "the weights are damaged")


def test_only_known_kinds_are_built(tiny: UNetConfig) -> None:
    with pytest.raises(ValueError, match="no learned model is of kind 'gan'"):
        build("gan", tiny)
