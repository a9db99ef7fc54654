"""The lattice's numbers: a cell that is its own mirror and one that is not, turned, drifting and noisy."""

import numpy as np
import pytest

from stmviewer.evaluate.tip_lattice import _ORDERS, _PRODUCTS, LATTICE_NUMBERS, lattice_numbers

#: where the products of the wider average begin, each with size, real and imaginary part
_FIRST = 2 + 2 * len(_ORDERS)


def lattice(asymmetry: float, angle_deg: float = 40.0, seed: int = 0, creep: float = 0.0) -> np.ndarray:
    """Rows 24 px apart with dimers along them; `asymmetry` moves the second order of the rows out of the mirror."""
    y, x = np.mgrid[:220, :240].astype(float)
    x = x + creep * (y / 220) ** 2 * 24
    angle = np.deg2rad(angle_deg)
    across = (np.cos(angle) * x + np.sin(angle) * y) / 24
    along = (-np.sin(angle) * x + np.cos(angle) * y) / 12
    rows = np.cos(2 * np.pi * across) + 0.5 * np.cos(4 * np.pi * across + asymmetry)
    dimers = 0.4 * np.cos(2 * np.pi * along) * (1 + 0.5 * np.cos(2 * np.pi * across))
    noise = 0.1 * np.random.default_rng(seed).normal(size=x.shape)
    made: np.ndarray = 0.5 * (rows + dimers) + noise
    return made


def product(numbers: np.ndarray, k: int) -> np.ndarray:
    return numbers[_FIRST + 3 * k : _FIRST + 3 * k + 3]


@pytest.mark.parametrize("angle", [3.0, 40.0, 88.0])
def test_a_cell_out_of_its_mirror_shows_in_the_imaginary_part(angle: float) -> None:
    size, real, imaginary = product(lattice_numbers(lattice(0.0, angle)), 0)
    assert size > 0.9 and real > 0.9 and imaginary < 0.15
    size, real, imaginary = product(lattice_numbers(lattice(np.pi / 2, angle)), 0)
    assert size > 0.9 and abs(real) < 0.15 and imaginary > 0.9


def test_creep_cancels() -> None:
    _, real, imaginary = product(lattice_numbers(lattice(0.6, 20.0, creep=0.8)), 0)
    assert imaginary / real == pytest.approx(np.tan(0.6), rel=0.2)


def test_mirrored_images_have_the_same_numbers() -> None:
    image = lattice(0.8, 30.0)
    one, other = lattice_numbers(image), lattice_numbers(image[:, ::-1])
    np.testing.assert_allclose(product(one, 0), product(other, 0), atol=0.1)
    np.testing.assert_allclose(one[:8], other[:8], atol=0.3)


def test_the_sums_of_orders_are_orders() -> None:
    for a, b, both in _PRODUCTS:
        assert (a[0] + b[0], a[1] + b[1]) == both
        assert both in _ORDERS


@pytest.mark.parametrize("shape", [(64, 64), (64, 200), (257, 130), (64, 380)])
def test_any_image_gives_as_many_finite_numbers(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: shape[0], : shape[1]]
    slow = np.sin(2 * np.pi * x / 25) + 0.1 * rng.normal(size=shape)
    for image in (rng.normal(size=shape), np.zeros(shape), np.eye(*shape), slow, (x + y) % 4.0):
        numbers = lattice_numbers(image)
        assert numbers.shape == (LATTICE_NUMBERS,)
        assert np.isfinite(numbers).all()
