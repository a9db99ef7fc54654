"""Small scans and tiny untrained models: what learned restorers do with any weights, in milliseconds."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from stmviewer.restore import ModelInfo, library
from stmviewer.restore.models import AutoencoderModel, CfmModel, DiffusionModel, FlowModel, RegressionModel
from stmviewer.restore.networks import UNetConfig
from stmviewer.restore.weights import save_weights
from stmviewer.scan import Channel, Geometry, Scan

TINY = UNetConfig(channels=(8, 16, 16), blocks=(1, 1, 1), head=8, embedding=16)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """What holds exactly is tested in float32, on every machine."""
    monkeypatch.setattr("stmviewer.restore.learned.fast_bf16", lambda device: False)


@pytest.fixture
def tiny() -> UNetConfig:
    """A network of a few thousand weights."""
    return TINY


@pytest.fixture
def regression() -> RegressionModel:
    torch.manual_seed(1)
    return RegressionModel(TINY).eval()


@pytest.fixture
def flow(regression: RegressionModel) -> FlowModel:
    torch.manual_seed(2)
    return FlowModel(TINY, regression).eval()


@pytest.fixture
def cfm() -> CfmModel:
    torch.manual_seed(3)
    return CfmModel(TINY).eval()


@pytest.fixture
def diffusion() -> DiffusionModel:
    torch.manual_seed(4)
    return DiffusionModel(TINY).eval()


@pytest.fixture
def autoencoder() -> AutoencoderModel:
    torch.manual_seed(5)
    return AutoencoderModel(replace(TINY, bottleneck=6)).eval()


@pytest.fixture
def no_shipped_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of the shipped models; returns it."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    monkeypatch.setattr("stmviewer.paths.shipped_models", lambda: folder)
    return folder


@pytest.fixture
def tiny_models(no_shipped_models: Path, regression: RegressionModel, flow: FlowModel) -> Path:
    """The models `regression-tiny` and `flow-tiny`, and nothing else that is learned; returns their folder."""
    for model in (regression, flow):
        name, tasks = f"{model.kind}-tiny", ("repair", "sparse")
        flows = model.kind == "flow"
        info = ModelInfo(name, model.kind, "tiny", "for tests", tasks, learned=True, samples=flows)
        save_weights(model, no_shipped_models / f"{info.name}.safetensors")
        library.register(info, no_shipped_models)
    return no_shipped_models


def surface(rows: int, columns: int) -> np.ndarray:
    """Corrugation, a step and a tilt, of order one."""
    y, x = np.mgrid[0:rows, 0:columns]
    corrugated: np.ndarray = np.cos(2 * np.pi * x / 7.7) * np.cos(2 * np.pi * y / 15.4) + 1.5 * (x + y > columns)
    return corrugated + 0.02 * x - 0.01 * y


@pytest.fixture
def make_scan() -> Callable[..., Scan]:
    """make_scan(data=None, rows=.., columns=.., unit=.., geometry=..): a scan of one channel called Z."""

    def make(
        data: np.ndarray | None = None,
        *,
        rows: int = 64,
        columns: int = 64,
        unit: str = "m",
        geometry: Geometry | None = None,
        path: Path | None = None,
    ) -> Scan:
        data = 1e-10 * surface(rows, columns) if data is None else data
        rows, columns = data.shape
        geometry = geometry or Geometry(columns, rows, columns * 1e-10, rows * 1e-10)
        return Scan([Channel("Z", unit, data)], geometry, path=path)

    return make
