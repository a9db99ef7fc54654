import threading

import numpy as np
import pytest

from stmviewer.scan import Cancelled, Progress, RequestError
from stmviewer.simulate import PristineBank, surface_names


@pytest.fixture(scope="module")
def bank():
    return PristineBank("si001h", 6, 96, seed=4)


def test_fields_depend_on_seed_and_index_alone(bank):
    fewer = PristineBank("si001h", 3, 96, seed=4)
    for first, second in zip(fewer.fields, bank.fields[:3], strict=True):
        np.testing.assert_array_equal(first, second)
    assert bank.fields[0].dtype == np.float32
    assert len(bank) == 6


def test_pixel_sizes_are_log_uniform_in_the_range():
    sizes = np.log(PristineBank("si001h", 200, 8, (0.05e-9, 0.2e-9)).pixels_m)
    low, high = np.log(0.05e-9), np.log(0.2e-9)
    assert low <= sizes.min() and sizes.max() <= high
    share = np.sort((sizes - low) / (high - low))
    assert np.abs(share - np.linspace(0, 1, 200)).max() < 1.63 / np.sqrt(200)  # Kolmogorov-Smirnov, 1 %


def test_crops_are_pieces_of_the_field_in_all_eight_orientations(bank):
    field = bank.fields[0]
    rng = np.random.default_rng(0)
    whole = PristineBank.of_images([field.astype(float)], [0.1e-9])
    symmetries = [np.rot90(f, k) for f in (whole.fields[0], whole.fields[0][:, ::-1]) for k in range(4)]
    seen = set()
    for _ in range(80):
        crop = whole.crop(0, 96, rng)
        seen |= {n for n, s in enumerate(symmetries) if np.array_equal(s, crop)}
    assert seen == set(range(8))
    assert bank.crop(0, 32, rng).shape == (32, 32)


def test_pairs_are_of_the_size_and_pixel_asked_for(bank):
    pair = bank.pair(48, "realistic", np.random.default_rng(1))
    again = bank.pair(48, "realistic", np.random.default_rng(1))
    np.testing.assert_array_equal(pair.degraded, again.degraded)
    assert pair.clean.shape == pair.degraded.shape == (48, 48)
    assert pair.pixel_m in bank.pixels_m
    # the margin gives way when the field is no larger than the pair
    assert bank.pair(96, "reference", np.random.default_rng(2)).degraded.shape == (96, 96)


def test_uncalibrated_images_are_scaled_to_metres():
    image = np.random.default_rng(3).uniform(0, 254, (60, 50))
    bank = PristineBank.of_images([image], [0.05e-9], range_m=60e-12)
    low, high = np.percentile(bank.fields[0], (5, 95))
    assert high - low == pytest.approx(60e-12, rel=1e-4)
    with pytest.raises(RequestError, match="does not fit"):
        bank.crop(0, 51, np.random.default_rng(0))


def test_making_a_bank_reports_and_can_be_cancelled():
    stop = threading.Event()
    seen = []

    def report(advance):
        seen.append(advance.fraction)
        if len(seen) == 3:
            stop.set()

    with pytest.raises(Cancelled):
        PristineBank("si001h", 50, 16, progress=Progress(report, stop))
    assert len(seen) == 3


def test_unknown_surfaces_are_refused():
    with pytest.raises(RequestError, match="unknown"):
        PristineBank("cheese", 1, 16)


def test_several_surfaces_take_turns() -> None:
    """A network that knows one surface alone draws its lattice everywhere."""
    mixed = PristineBank("si001h,graphite", 4, 48, (0.1e-9, 0.1e-9), seed=5)
    for i, name in enumerate(("si001h", "graphite", "si001h", "graphite")):
        alone = PristineBank(name, i + 1, 48, (0.1e-9, 0.1e-9), seed=5)
        np.testing.assert_array_equal(mixed.fields[i], alone.fields[i])
    every = PristineBank("all", len(surface_names()), 32, (0.1e-9, 0.1e-9))
    assert len({field.std() for field in every.fields}) == len(surface_names())
    with pytest.raises(RequestError, match="unknown"):
        PristineBank("si001h,nowhere", 2, 32)
