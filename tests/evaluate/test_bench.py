import threading
from dataclasses import replace

import numpy as np
import pytest

from stmviewer import paths
from stmviewer.evaluate.bench import bench, bench_arithmetic, bench_small
from stmviewer.evaluate.timing import timed
from stmviewer.restore import library
from stmviewer.scan import Cancelled, Progress


@pytest.fixture(autouse=True)
def _one_model(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "shipped_models", lambda: tmp_path / "none")
    monkeypatch.setattr(library, "CLASSICAL", {k: library.CLASSICAL[k] for k in ("linear", "row-median", "tv")})


def test_every_task_of_every_model_is_timed_beside_opening_and_training_pairs():
    fractions = []
    found = bench(Progress(lambda advance: fractions.append(advance.fraction)), size=48)
    whats = [timing.what for timing in found]
    assert whats == [
        "open and level 48 x 48 .gwy",
        "sparse 48 x 48, model auto, with its checks",
        "repair 48 x 48, model auto, with its checks",
        "sparse 48 x 48, auto",
        "sparse 48 x 48, linear",
        "repair 48 x 48, row-median",
        "sparse 48 x 48, tv",
        "repair 48 x 48, tv",
        "50 training pairs of 128 x 128",
    ]
    for timing in found:
        assert 0 < timing.least_s <= timing.median_s <= timing.most_s
    assert found[-1].note.endswith("a second")
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)


def test_a_timing_is_of_three_runs_after_one_that_is_not_counted():
    calls = []
    timing = timed("nothing", lambda: calls.append(len(calls)), "a note")
    assert calls == [0, 1, 2, 3]
    assert timing.note == "a note"
    assert np.isfinite([timing.least_s, timing.median_s, timing.most_s]).all()


def test_the_benchmark_can_be_cancelled():
    progress = Progress()
    progress._root.stop.set()
    with pytest.raises(Cancelled):
        bench(progress, size=48)


def test_it_stops_in_the_middle_of_a_method(monkeypatch):
    """A slow method on a large scan is asked to stop itself: Ctrl-C does not wait for its end."""
    stop = threading.Event()

    def slow(image, measured, progress):
        stop.set()
        progress.tick()
        raise AssertionError("not stopped")

    monkeypatch.setattr(library, "CLASSICAL", {"linear": replace(library.CLASSICAL["linear"], method=slow)})
    with pytest.raises(Cancelled):
        bench(Progress(stop=stop), size=48)


def test_nothing_small_is_timed_without_a_network():
    assert bench_small(Progress()) == []


def test_the_number_format_that_is_used_is_among_those_that_are_timed():
    found = bench_arithmetic()
    assert {t.what for t in found} >= {"convolutions, float32, channels last", "convolutions, float32, channels first"}
    assert len([t for t in found if t.note == "used here"]) == 1
