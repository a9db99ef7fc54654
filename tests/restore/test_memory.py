"""Too little memory: smaller tiles, and it is said."""

import errno
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from stmviewer.restore import ModelInfo, RestoreRequest
from stmviewer.restore.learned import LearnedRestorer
from stmviewer.restore.memory import LEAST_TILE, in_smaller_tiles
from stmviewer.restore.models import RegressionModel
from stmviewer.restore.pipeline import restore
from stmviewer.restore.problem import Options, Problem
from stmviewer.scan import Cancelled, Progress, Scan, make_mask
from stmviewer.scan.errors import out_of_memory

#: what torch 2 says when its allocator on a processor fails
ON_CPU = (
    "[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate "
    "549755813888 bytes. Error code 12 (Cannot allocate memory)"
)


@pytest.fixture
def nothing_to_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is halved here holds no memory, and to collect what a long test run holds takes a second each time."""
    monkeypatch.setattr("stmviewer.restore.memory.release", lambda: None)


def only_up_to(side: int, error: Exception) -> Callable[[int], int]:
    def work(tile: int) -> int:
        if tile > side:
            raise error
        return tile

    return work


@pytest.mark.usefixtures("nothing_to_release")
@pytest.mark.parametrize("error", [MemoryError(), RuntimeError(ON_CPU), torch.cuda.OutOfMemoryError("CUDA")])
def test_tiles_are_halved_until_they_fit(error: Exception) -> None:
    assert out_of_memory(error)
    assert in_smaller_tiles(only_up_to(512, error), 512, 2048) == (512, None)
    assert in_smaller_tiles(only_up_to(200, error), 512, 2048) == (128, 128)
    assert in_smaller_tiles(only_up_to(100, error), 4096, 150) == (75, 75)  # half of the image, not of the tile
    assert in_smaller_tiles(only_up_to(LEAST_TILE, error), 100, 2048) == (64, 64)


@pytest.mark.usefixtures("nothing_to_release")
@pytest.mark.parametrize(("tile", "side"), [(512, 2048), (512, 40), (32, 2048)])
def test_the_smallest_tile_that_does_not_fit_is_an_error_that_says_so(tile: int, side: int) -> None:
    with pytest.raises(MemoryError, match=r"even for tiles of (64|40|32) pixels"):
        in_smaller_tiles(only_up_to(0, RuntimeError(ON_CPU)), tile, side)


@pytest.mark.parametrize("error", [RuntimeError("mat1 and mat2 shapes cannot be multiplied"), Cancelled()])
def test_other_faults_are_not_taken_for_it(error: Exception) -> None:
    assert not out_of_memory(error)
    with pytest.raises(type(error)):
        in_smaller_tiles(only_up_to(64, error), 512, 512)


@pytest.mark.parametrize(
    ("error", "short"),
    [
        (ImportError("libtorch_cpu.so: failed to map segment from shared object"), True),
        (OSError("[WinError 1455] The paging file is too small for this operation to complete"), True),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), True),
        (ImportError("No module named 'torch'"), False),
        (FileNotFoundError("no such file"), False),
    ],
)
def test_a_library_that_finds_no_room_is_too_little_memory(error: Exception, short: bool) -> None:
    assert out_of_memory(error) == short


def test_an_allocation_that_torch_refuses_is_known_as_that() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50)
    assert out_of_memory(caught.value)


def narrow(monkeypatch: pytest.MonkeyPatch, most: int, fault: Callable[[], Exception]) -> list[tuple[int, ...]]:
    """A machine on which the network does not fit for more than `most` pixels; returns the shapes that were tried."""
    tried = []
    whole = RegressionModel.forward

    def forward(self: RegressionModel, filled: Tensor, measured: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        tried.append(tuple(filled.shape))
        if filled[:, 0].numel() > most:
            raise fault()
        return whole(self, filled, measured, told)

    monkeypatch.setattr(RegressionModel, "forward", forward)
    return tried


@pytest.mark.parametrize("model", ["regression-tiny", "flow-tiny"])
@pytest.mark.parametrize("fault", [MemoryError, lambda: RuntimeError(ON_CPU)])
def test_a_restoration_goes_on_in_smaller_tiles_and_says_so(
    model: str,
    fault: Callable[[], Exception],
    make_scan: Callable[..., Scan],
    tiny_models: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scan, request = make_scan(rows=200, columns=200), RestoreRequest(model=model, check=False)
    small = restore(scan, request.replaced(tile=100), Progress())
    assert small.provenance["smaller_tile"] is None
    tried = narrow(monkeypatch, 110 * 110, fault)
    result = restore(scan, request, Progress())
    assert tried[0][2:] == (200, 200)
    assert {max(shape[2:]) for shape in tried[1:]} <= {96, 104}
    assert np.array_equal(result.mean, small.mean)
    assert result.provenance["smaller_tile"] == 100
    assert [c.about for c in result.checks if c.warns] == ["memory"]
    (warning,) = [w for w in result.warnings if "memory was too small" in w]
    assert "tiles of 100 pixels" in warning


def test_images_that_do_not_fit_together_are_restored_one_by_one(
    regression: RegressionModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    masks = [make_mask(pattern, 64, 64).measured for pattern in ("lines:4", "grid:2")]
    problems = [Problem(rng.normal(size=(64, 64)), measured, "sparse") for measured in masks]
    info = ModelInfo("tiny", "regression", "tiny", "", ("sparse",), True)
    method = LearnedRestorer(info, regression, torch.device("cpu"))
    alone = [method.restore(p, Options(), Progress()).mean for p in problems]
    tried = narrow(monkeypatch, 64 * 64, MemoryError)
    together = method.restore_together(problems, Options(), Progress())
    assert [shape[0] for shape in tried] == [2, 1, 1]
    assert all(np.array_equal(a.mean, b) for a, b in zip(together, alone, strict=True))
    assert [a.smaller_tile for a in together] == [None, None]
