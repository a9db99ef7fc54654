from collections import Counter

import numpy as np
import pytest

from stmviewer.scan.metrics import ssim_map
from stmviewer.simulate.degradations.scanner import PlaneTilt
from stmviewer.simulate.presets import PRESETS, Preset
from stmviewer.train.dataset import SampleMaker

from . import tiny


@pytest.fixture(scope="module")
def both() -> SampleMaker:
    return tiny.maker()


@pytest.fixture(scope="module")
def repairs() -> SampleMaker:
    return tiny.maker(repair_share=1.0)


@pytest.fixture(scope="module")
def sparse() -> SampleMaker:
    return tiny.maker(repair_share=0.0)


def same(one, other) -> bool:
    arrays = ((one.filled, other.filled), (one.measured, other.measured), (one.target, other.target))
    return one.task == other.task and all(np.array_equal(a, b) for a, b in arrays)


def test_a_sample_depends_on_seed_and_index_alone(both):
    forwards = [both.make(i) for i in range(8)]
    again = tiny.maker()  # another bank, as after resuming
    backwards = [again.make(i) for i in reversed(range(8))][::-1]
    assert all(same(a, b) for a, b in zip(forwards, backwards, strict=True))
    assert not same(forwards[0], forwards[1])
    assert not same(forwards[0], tiny.maker(seed=1).make(0))


def test_a_batch_is_its_samples_as_float32(both):
    filled, measured, target, task = both.batch(range(3, 6))
    assert filled.shape == measured.shape == target.shape == (3, 1, 64, 64)
    assert {a.dtype for a in (filled, measured, target, task)} == {np.dtype(np.float32)}
    for k in range(3):
        one = both.make(3 + k)
        np.testing.assert_array_equal(filled[k, 0], one.filled.astype(np.float32))
        np.testing.assert_array_equal(target[k, 0], one.target.astype(np.float32))
        np.testing.assert_array_equal(measured[k, 0] > 0.5, one.measured)
        assert task[k] == (one.task == "sparse")


def test_shares_of_the_tasks(both):
    tasks = Counter(both.make(i).task for i in range(60))
    assert 15 <= tasks["repair"] <= 45
    assert tasks["repair"] + tasks["sparse"] == 60


def test_sparse_samples_start_from_what_was_measured(sparse):
    parts = []
    for i in range(40):
        sample = sparse.make(i)
        assert sample.task == "sparse"
        assert sample.filled.shape == sample.target.shape == sample.measured.shape == (64, 64)
        np.testing.assert_array_equal(sample.filled[sample.measured], sample.target[sample.measured])
        assert np.isfinite(sample.filled).all()
        assert np.isfinite(sample.target).all()
        parts.append(sample.measured.mean())
    assert min(parts) < 0.15  # grids and few pixels
    assert max(parts) >= 0.5
    assert max(parts) < 0.6  # never the whole image


def test_hidden_pixels_are_a_guess_not_the_truth(sparse):
    for i in range(10):
        sample = sparse.make(i)
        hidden = ~sample.measured
        assert np.abs(sample.filled - sample.target)[hidden].mean() > 0.005


def test_repairs_see_every_pixel_and_pairs_lie_on_each_other(repairs):
    """A pair is the same crop: the degraded image is most like the clean one where it lies, not shifted from it."""
    agree = 0
    for i in range(24):
        sample = repairs.make(i)
        assert sample.task == "repair"
        assert sample.measured.all()
        assert sample.filled.shape == sample.target.shape == (64, 64)
        inner = np.s_[8:-8, 8:-8]
        here = np.corrcoef(sample.filled[inner].ravel(), sample.target[inner].ravel())[0, 1]
        turned = np.corrcoef(np.rot90(sample.filled)[inner].ravel(), sample.target[inner].ravel())[0, 1]
        agree += here > 0.3 and here > turned
    assert agree >= 15  # a crashed tip hides a few


@pytest.mark.parametrize("kinds", [(), (PlaneTilt,)], ids=["nothing", "tilt"])
def test_an_undamaged_pair_is_the_same_image_twice(monkeypatch, kinds):
    """Cropped alike, on one scale, and a tilt is no damage: the network need not learn any of it."""
    monkeypatch.setitem(PRESETS, "light", Preset(before_crop=tuple((1.0, kind) for kind in kinds)))
    light = tiny.maker(repair_share=1.0, presets=("light",))
    for i in range(6):
        sample = light.make(i)
        np.testing.assert_allclose(sample.filled, sample.target, atol=1e-9)


def test_repairs_have_something_to_repair(repairs):
    values = [
        ssim_map(s.filled, s.target, float(np.ptp(np.percentile(s.target, (1, 99))))).mean()
        for s in (repairs.make(i) for i in range(12))
    ]
    assert np.median(values) < 0.9


def test_samples_are_on_the_models_scale(both):
    """The lattice fills some [-1, 1]; a clean image of another height would teach the model to scale."""
    for i in range(20):
        sample = both.make(i)
        spans = [float(np.ptp(np.percentile(a, (5, 95)))) for a in (sample.filled, sample.target)]
        assert min(spans) > 0.05
        assert max(spans) < 8


def test_noise_is_added_to_simulated_targets_alone():
    quiet, noisy = tiny.maker(repair_share=0.0, noisy_targets=False), tiny.maker(repair_share=0.0)
    rough = [[np.abs(np.diff(m.make(i).target, n=3, axis=1)).mean() for i in range(12)] for m in (quiet, noisy)]
    assert np.mean(rough[1]) > 1.2 * np.mean(rough[0])


class _Recording:
    """A source that remembers which of its images were asked for."""

    pixels_m = (0.03e-9, 0.26e-9, 0.11e-9, 0.125e-9)

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __len__(self) -> int:
        return 4

    def side(self, i: int) -> int:
        return 64

    def crop(self, i: int, size: int, rng: np.random.Generator) -> np.ndarray:
        self.asked.append(i)
        return rng.standard_normal((size, size)) * 1e-11


def test_training_widens_from_usual_pixel_sizes_to_all():
    source = _Recording()
    widening = SampleMaker(source, 32, 0.0, widening=200)
    for i in range(10):
        widening.make(i)
    assert set(source.asked) == {3}  # 30 % of four images, rounded: the one nearest to 0.12 nm
    source.asked.clear()
    for i in range(200, 240):
        widening.make(i)
    assert set(source.asked) == {0, 1, 2, 3}


def test_without_widening_every_image_is_there_from_the_first_sample():
    firsts = set()
    for seed in range(40):
        source = _Recording()
        SampleMaker(source, 32, 0.0, seed=seed).make(0)
        firsts |= set(source.asked)
    assert firsts == {0, 1, 2, 3}
