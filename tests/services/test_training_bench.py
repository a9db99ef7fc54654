from functools import partial

import pytest

from stmviewer.scan import Progress
from stmviewer.services.training_bench import bench_training
from stmviewer.train import spec


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spec, "TrainSpec", partial(spec.TrainSpec, batch=2, crop=64))


def test_images_a_second_are_told_for_each_size():
    fractions = []
    found = bench_training(Progress(lambda a: fractions.append(a.fraction)), sizes=((8, 8, 8), (8, 16, 16)), steps=2)
    small, large = (t.values["parameters"] for t in found)
    assert 0 < small < large
    for timing in found:
        assert timing.values["images_per_second"] > 0
        assert 0 <= timing.values["waiting_share"] <= 1
        assert "images a second" in timing.note and "M parameters" in timing.what
    assert fractions == sorted(fractions)
