"""The bent plate: what is smooth is found again, scikit-image agrees, measured pixels stay, it can be stopped."""

import threading

import numpy as np
import pytest

from stmviewer.restore.plate import bent_plate
from stmviewer.scan import BoolArray, Cancelled, FloatArray, Progress, make_mask

RNG = np.random.default_rng(4)


def smooth(rows: int = 48, columns: int = 56) -> FloatArray:
    y, x = np.mgrid[0:rows, 0:columns]
    image: FloatArray = np.sin(2 * np.pi * x / 19) * np.cos(2 * np.pi * y / 23)
    return image


def given(pattern: str, image: FloatArray) -> tuple[FloatArray, BoolArray]:
    measured = make_mask(pattern, image.shape[0], image.shape[1], 1).measured
    return np.where(measured, image, 0.0), measured


@pytest.mark.parametrize("pattern", ["lines:4", "grid:3", "pixels:0.25"])
def test_it_is_what_scikit_image_finds(pattern: str) -> None:
    from skimage.restoration import inpaint_biharmonic

    image = smooth() + 0.1 * RNG.standard_normal(smooth().shape)
    holed, measured = given(pattern, image)
    expected = inpaint_biharmonic(holed, ~measured)
    found = bent_plate(holed, measured, Progress())
    apart = np.sqrt(np.mean((found - expected)[~measured] ** 2))
    assert apart < 0.1 * np.sqrt(np.mean((expected - image)[~measured] ** 2))
    assert np.array_equal(found[measured], image[measured])


@pytest.mark.parametrize("pattern", ["lines:2", "lines:4", "grid:4", "pixels:0.25"])
def test_what_is_smooth_is_found_again(pattern: str) -> None:
    holed, measured = given(pattern, smooth())
    error = np.abs(bent_plate(holed, measured, Progress()) - smooth())[4:-4, 4:-4]
    assert error.mean() < 0.03


def test_nothing_beyond_what_was_measured() -> None:
    holed, measured = given("pixels:0.1", RNG.standard_normal((40, 40)))
    found = bent_plate(holed, measured, Progress())
    assert found.min() >= holed[measured].min()
    assert found.max() <= holed[measured].max()


def test_odd_cases() -> None:
    image = smooth()
    assert np.array_equal(bent_plate(image, np.ones(image.shape, dtype=np.bool_), Progress()), image)
    thin = RNG.standard_normal((2, 30))
    assert bent_plate(thin, RNG.random((2, 30)) < 0.5, Progress()).shape == (2, 30)
    flat = np.full((20, 20), 3.0)
    holed, measured = given("lines:4", flat)
    assert bent_plate(holed, measured, Progress()) == pytest.approx(flat)


def test_it_can_be_stopped() -> None:
    stop = threading.Event()
    stop.set()
    holed, measured = given("lines:4", smooth())
    with pytest.raises(Cancelled):
        bent_plate(holed, measured, Progress(lambda _: None, stop))
