"""What a training covers: known images have known noise, corrugation and periods."""

import math
from dataclasses import replace

import numpy as np
import pytest

from stmviewer.scan import Progress
from stmviewer.simulate import PristineBank
from stmviewer.train import coverage as module
from stmviewer.train.coverage import Coverage, coverage
from stmviewer.train.dataset import Mixed, SampleMaker

from . import tiny

PERIODS = (12.0, 18.0)


def maker(noise: float = 0.0, height_m: float = 50e-12, **changes) -> SampleMaker:
    """Sparse samples of lattices of 12 and 18 pixels a period, `height_m` from crest to mean, and noise."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:256, 0:256]
    images = [height_m * (np.cos(2 * math.pi * x / p) + 0.9 * np.cos(2 * math.pi * y / p)) for p in PERIODS]
    images = [image + noise * height_m * rng.normal(size=image.shape) for image in images]
    bank = PristineBank.of_images(images, [0.1e-9] * len(images))
    return SampleMaker(bank, 64, repair_share=0.0, noisy_targets=False, **changes)


@pytest.fixture(autouse=True)
def _few(monkeypatch):
    monkeypatch.setattr(module, "_IMAGES", 8)


def test_a_lattice_has_its_period_and_corrugation():
    found = coverage(maker(), 64, Progress())
    assert found.periods_px == pytest.approx(PERIODS, rel=0.1)
    low, high = found.contrast_m
    assert 50e-12 < low <= high < 110e-12


@pytest.mark.parametrize("noise", [0.15, 0.4])
def test_noise_is_found_as_a_share_of_the_corrugation(noise):
    """Half the range of the lattice is about 1.9 times its amplitude; the images have no other noise."""
    low, high = coverage(maker(noise), 64, Progress()).noise
    assert noise / 2.4 < low <= high < 1.1 * noise  # the shorter lattice adds to its differences


def test_it_is_the_same_each_time():
    assert coverage(tiny.maker(), 64, Progress()) == coverage(tiny.maker(), 64, Progress())


def test_degraded_images_are_covered_too():
    """On a corrugation of 3 pm the noise of the presets shows."""
    clean, damaged = (
        coverage(replace(maker(height_m=3e-12), repair_share=share), 64, Progress()) for share in (0.0, 1.0)
    )
    assert damaged.noise[1] > 1.5 * clean.noise[1]


def test_two_sources_cover_what_either_does_unless_one_is_unknown():
    first, second = maker(0.1), maker(0.4)
    both = coverage(Mixed(first, second, 0.5), 64, Progress())
    parts = [coverage(m, 64, Progress()) for m in (first, second)]
    assert both.noise == (parts[0].noise[0], parts[1].noise[1])
    assert Coverage((1.0, 2.0)).also(Coverage()) == Coverage()


def test_images_without_heights_leave_the_corrugation_to_the_others():
    known = Coverage(noise=(0.1, 0.2), contrast_m=(1e-11, 1e-10), periods_px=(2.0, 9.0))
    nameless = Coverage(noise=(0.05, 0.1), periods_px=(4.0, 20.0))
    expected = Coverage((0.05, 0.2), (1e-11, 1e-10), (2.0, 20.0))
    assert known.also(nameless) == nameless.also(known) == expected
