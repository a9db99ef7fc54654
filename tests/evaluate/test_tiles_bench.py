"""Seams and memory of large scans: found where they are, nothing where there are none."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from stmviewer.evaluate import tiles_bench
from stmviewer.evaluate.bench import bench_small
from stmviewer.evaluate.tiles_bench import Large, Seams, bench_tiles, in_a_process, large, surface, whole_seams, windows
from stmviewer.evaluate.timing import peak_memory
from stmviewer.restore import ModelInfo, library
from stmviewer.restore.models import RegressionModel
from stmviewer.restore.networks import UNetConfig
from stmviewer.restore.weights import save_weights
from stmviewer.scan import Progress


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A network of a few thousand weights that nobody trained."""
    torch.manual_seed(1)
    model = RegressionModel(UNetConfig(channels=(8, 8), blocks=(1, 1), head=8, embedding=16))
    save_weights(model, tmp_path / "regression-tiny.safetensors")
    info = ModelInfo("regression-tiny", "regression", "tiny", "for tests", ("repair", "sparse"), learned=True)
    library.register(info, tmp_path)
    monkeypatch.setattr("stmviewer.paths.shipped_models", lambda: tmp_path)
    monkeypatch.setattr("stmviewer.paths.user_models", lambda: tmp_path / "none")
    monkeypatch.setattr("stmviewer.restore.learned.fast_bf16", lambda device: False)
    return info.name


def test_windows_lie_about_crossings_and_in_phase_with_the_network() -> None:
    for size in (2048, 4096):
        found = windows(size)
        assert 1 < len(found) <= 3
        for rows, columns in found:
            assert rows.stop - rows.start == columns.stop - columns.start == 768
            assert rows.start >= 0 and rows.stop <= size
            assert rows.start % 8 == columns.start % 8 == 0
    assert windows(512) == []


@pytest.mark.parametrize("task", ["repair", "sparse"])
def test_seams_of_a_small_network_are_small_and_not_nothing(tiny: str, task: str) -> None:
    seams = whole_seams(tiny, task, Progress(), side=256, tile=128)  # type: ignore[arg-type]
    assert 0 < seams.rms_percent <= seams.most_percent < 1


def test_tiles_that_are_not_blended_would_be_seen(tiny: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The measure itself: with a step of a tenth of the corrugation in one tile it says so."""
    from stmviewer.restore.learned import LearnedRestorer

    whole = LearnedRestorer._tile

    def off(self, problems, tile, *rest):  # type: ignore[no-untyped-def]
        mean, deviation, between = whole(self, problems, tile, *rest)
        return mean + 0.2 * (tile.left > 0), deviation, between

    monkeypatch.setattr(LearnedRestorer, "_tile", off)
    assert whole_seams(tiny, "repair", Progress(), side=256, tile=128).most_percent == pytest.approx(10, rel=0.05)


def test_a_large_scan_is_compared_at_its_crossings(tiny: str) -> None:
    found = large(tiny, "sparse", 1536, Progress())
    assert found.seconds > 0
    assert found.peak_bytes > 50e6
    assert 0 < found.seams.rms_percent <= found.seams.most_percent < 1


def test_the_surface_repeats_without_a_break_and_is_sparse_where_asked() -> None:
    data = surface(64, "sparse").channel().data
    assert np.isfinite(data).any(axis=1).sum() == 16
    assert np.isfinite(surface(64, "repair").channel().data).all()


def test_what_another_process_says_is_a_row(tiny: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = Large(12.5, 1_500_000_000, Seams(0.1, 0.4))
    monkeypatch.setattr(tiles_bench, "_WHOLE", 128)
    monkeypatch.setattr(tiles_bench, "_SMALL_TILE", 64)
    command = [sys.executable, "-c", f"print({json.dumps(json.dumps(asdict(said)))})"]
    assert in_a_process(command) == said
    found = bench_tiles(library.model_infos(), lambda *_: command, Progress(), 4096)
    assert [t.what.split(",")[0] for t in found] == [
        "repair 128 x 128", "repair 4096 x 4096", "sparse 128 x 128", "sparse 4096 x 4096"
    ]  # fmt: skip
    assert "peak 1.50 GB (goal 2)" in found[1].note
    assert found[1].values["peak_bytes"] == 1.5e9


def test_many_small_scans_are_timed_both_ways(tiny: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stmviewer.evaluate.timing._REPEATS", 1)
    found = bench_small(Progress(), count=3)
    assert [t.what for t in found] == [
        f"repair of 3 scans of 128 x 128, regression-tiny, {how}" for how in ("one by one", "together")
    ]
    assert all(t.note.endswith("a second") for t in found)


def test_peak_memory_grows_with_what_is_held() -> None:
    before = peak_memory()
    held = np.ones(30_000_000)
    assert held[0] == 1
    after = peak_memory()
    assert 0 < before <= after
    assert after >= 200e6
