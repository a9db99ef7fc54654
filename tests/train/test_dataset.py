from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch

from stmviewer.restore.filling import separable
from stmviewer.restore.networks import STRIDE, condition
from stmviewer.scan.metrics import ssim_map
from stmviewer.simulate.degradations.scanner import PlaneTilt
from stmviewer.simulate.presets import PRESETS, Preset
from stmviewer.train.dataset import Mixed, SampleMaker, small_crop
from stmviewer.train.loop import loss_of

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
    filled, measured, target, told = both.batch(range(3, 6))
    assert filled.shape == (3, 2, 64, 64)
    assert measured.shape == target.shape == (3, 1, 64, 64)
    assert {a.dtype for a in (filled, measured, target, told)} == {np.dtype(np.float32)}
    for k in range(3):
        one = both.make(3 + k)
        np.testing.assert_array_equal(filled[k, 0], one.filled.astype(np.float32))
        np.testing.assert_array_equal(target[k, 0], one.target.astype(np.float32))
        np.testing.assert_array_equal(measured[k, 0] > 0.5, one.measured)
        np.testing.assert_array_equal(filled[k, 1], one.sharp.astype(np.float32))
        expected = condition(one.task == "sparse", float(one.measured.mean()), one.pixel_m)
        np.testing.assert_allclose(told[k], expected, rtol=1e-6)


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
    # the median: a coarsely sampled lattice is rougher than any noise
    assert np.median(rough[1]) > 1.2 * np.median(rough[0])


class _Recording:
    """A source that remembers which of its images were asked for."""

    pixels_m = (0.03e-9, 0.26e-9, 0.11e-9, 0.125e-9)
    calibrated = True

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __len__(self) -> int:
        return 4

    def side(self, i: int) -> int:
        return 64

    def crop(self, i: int, size: int, rng: np.random.Generator) -> np.ndarray:
        self.asked.append(i)
        return rng.standard_normal((size, size)) * 1e-11

    def scanned(self, i: int, size: int, rng: np.random.Generator) -> tuple[np.ndarray, float | None]:
        return self.crop(i, size, rng), self.pixels_m[i]


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


def test_two_sources_share_the_batches_as_asked():
    first, second = _Recording(), _Recording()
    mixed = Mixed(SampleMaker(first, 32, 0.0), SampleMaker(second, 32, 0.0), 0.25)
    for i in range(0, 400, 4):
        before = len(first.asked), len(second.asked)
        mixed.batch(range(i, i + 4))
        after = len(first.asked), len(second.asked)
        assert sorted(np.subtract(after, before)) == [0, 4]  # a batch is of one source: crops may differ in size
    assert 60 <= len(second.asked) <= 140


def test_a_share_of_the_batches_is_of_small_crops():
    maker = SampleMaker(_Recording(), 64, 0.0, small_share=0.5)
    sizes = Counter(maker.batch(range(i, i + 2))[0].shape[-1] for i in range(0, 80, 2))
    assert sizes.keys() == {24, 64}
    assert 10 <= sizes[24] <= 30


def test_some_samples_are_not_told_their_pixel_size(both):
    known = [both.make(i).pixel_m is not None for i in range(60)]
    assert 25 <= sum(known) <= 57


def test_the_sharp_guess_is_as_measured_where_there_is_a_measurement(sparse):
    for i in range(12):
        one = sparse.make(i)
        np.testing.assert_allclose(one.sharp[one.measured], one.target[one.measured], rtol=1e-9, atol=1e-12)
        assert np.isfinite(one.sharp).all()


def test_any_number_of_threads_makes_the_same_samples(both):
    alone = [both.make(i) for i in range(12)]
    for threads in (2, 4):
        with ThreadPoolExecutor(threads) as pool:
            assert all(same(a, b) for a, b in zip(alone, pool.map(both.make, range(12)), strict=True))


def test_scattered_pixels_come_with_waves_of_compressed_sensing(sparse: SampleMaker) -> None:
    waves = replace(sparse, waves=True)
    scattered = [s for s in map(waves.make, range(60)) if s.task == "sparse" and separable(s.measured) is None]
    assert len(scattered) > 5
    averages, sharp = (
        [np.abs(g - s.target)[~s.measured].mean() for g, s in pairs]
        for pairs in (
            [(s.filled, s) for s in scattered],
            [(s.sharp, s) for s in scattered],
        )
    )
    assert np.mean(sharp) < 0.9 * np.mean(averages)
    for one in scattered:
        assert one.filled.shape == one.sharp.shape == one.measured.shape == one.target.shape == (sparse.size,) * 2
        assert np.abs(one.sharp - one.filled)[one.measured].max() < 1e-4
    others = [s for s in map(waves.make, range(20)) if s.task == "repair" or separable(s.measured) is not None]
    assert all(np.isfinite(s.sharp).all() for s in others)


def test_small_crops_fit_the_network_and_the_loss():
    assert small_crop(64) == 24
    for size in range(32, 264, 8):
        small = small_crop(size)
        assert small % STRIDE == 0
        assert 11 <= small < size
        assert small <= max(16, size * 3 / 8)


def test_the_loss_of_the_smallest_crops_is_finite():
    """`--crop 32`, which small scans are told to use, with the batches of small crops."""
    maker = tiny.maker(32, small_share=1.0)
    batch = tuple(torch.from_numpy(a) for a in maker.batch(range(2)))
    assert batch[2].shape[-1] == 16
    loss = loss_of(tiny.network(), batch, torch.Generator().manual_seed(0))
    assert torch.isfinite(loss)
