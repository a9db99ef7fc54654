"""Planted second tips: what they add to the image is found at its offset, and drawn-out features by their direction."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from stmviewer.evaluate.tip_shapes import _RINGS, shape_numbers


def spots(seed: int, side: int = 200, sigma: tuple[float, float] = (2.0, 2.0)) -> np.ndarray:
    """Rows, and bright spots at random places."""
    rng = np.random.default_rng(seed)
    image = np.zeros((side, side))
    image[rng.integers(0, side, 60), rng.integers(0, side, 60)] = 1.0
    image = gaussian_filter(image, sigma, mode="wrap")
    rows = 0.3 * np.cos(2 * np.pi * np.arange(side) / 12)[None, :]
    made: np.ndarray = 2 * image / image.max() + rows + 0.05 * rng.normal(size=image.shape)
    return made


@pytest.mark.parametrize("offset", [(11, 4), (20, -9)])
def test_a_second_tip_stands_out_in_the_ring_of_its_offset(offset: tuple[int, int]) -> None:
    ring = next(k for k, (a, b) in enumerate(_RINGS) if a <= np.hypot(*offset) < b)
    at = 3 * len(_RINGS) + 3 * ring  # the wider band
    gains = []
    for seed in range(4):
        image = spots(seed)
        twice = image + 0.6 * np.roll(image, offset, axis=(0, 1))
        gains.append(shape_numbers(twice)[at] - shape_numbers(image)[at])
    assert np.mean(gains) > 0.15


def test_features_drawn_out_one_way_point_one_way() -> None:
    round_, long = (np.mean([shape_numbers(spots(k, sigma=s)) for k in range(3)], axis=0) for s in ((2, 2), (4, 1.5)))
    first = len(round_) - 2 - 14  # of the bright features: length, alike, direction
    assert long[first] > round_[first] + 0.2
    assert long[first + 1] > round_[first + 1] + 0.2
    assert long[first + 2] < -0.5  # along the slow axis


@pytest.mark.parametrize("shape", [(64, 64), (64, 200), (257, 130)])
def test_any_image_gives_as_many_finite_numbers(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    for image in (rng.normal(size=shape), np.zeros(shape), np.eye(*shape)):
        numbers = shape_numbers(image)
        assert numbers.shape == (72,) and np.isfinite(numbers).all()
