"""The hills of an image are three running means of it, whatever its shape."""

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from stmviewer.scan.smoothing import WINDOW, smooth


@pytest.mark.parametrize("shape", [(7, 300), (300, 530), (1, 1), (256, 256)])
def test_hills_are_three_running_means(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).normal(size=shape)
    expected = image
    for _ in range(3):
        expected = uniform_filter(expected, WINDOW, mode="nearest")
    smooth(image)
    assert np.allclose(image, expected, rtol=0, atol=1e-12)


def test_a_part_of_an_image_is_smoothed_by_itself() -> None:
    image = np.random.default_rng(1).normal(size=(150, 150))
    before = image.copy()
    part = image[10:140, 20:60]
    expected = np.array(part)
    smooth(expected)
    smooth(part)
    assert np.allclose(part, expected, rtol=0, atol=1e-12)
    image[10:140, 20:60] = before[10:140, 20:60]
    assert np.array_equal(image, before)
