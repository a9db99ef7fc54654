import numpy as np
import pytest

from stmviewer.simulate.degradations.shifts import lines_at, shift_rows, shifted


def test_whole_shifts_move_pixels_exactly():
    image = np.random.default_rng(0).normal(size=(20, 30))
    np.testing.assert_array_equal(shifted(image, 3, -2)[:-2, 3:], image[2:, :-3])
    np.testing.assert_allclose(shift_rows(image, np.full(20, 4.0))[:, 4:], image[:, :-4])


def test_fractional_shifts_move_a_wave():
    x = np.arange(100)
    image = np.tile(np.sin(2 * np.pi * x / 20), (5, 1))
    moved = np.tile(np.sin(2 * np.pi * (x - 0.4) / 20), (5, 1))
    np.testing.assert_allclose(shifted(image, 0.4, 0)[:, 3:-3], moved[:, 3:-3], atol=0.02)
    # lines keep what is sharp: far better
    np.testing.assert_allclose(shift_rows(image, np.full(5, 0.4))[:, 5:-5], moved[:, 5:-5], atol=2e-3)


def test_beyond_the_edge_the_image_is_mirrored_however_far():
    image = np.arange(5.0)[:, None] * np.ones((1, 4))
    np.testing.assert_array_equal(shifted(image, 0, 2)[:, 0], [2, 1, 0, 1, 2])
    assert shifted(image, 1000.3, -777.7).shape == image.shape


def test_rows_without_shift_stay_as_they_are():
    image = np.random.default_rng(1).normal(size=(6, 8))
    result = shift_rows(image, np.array([0, 0.5, 0, 0, -1, 0]))
    np.testing.assert_array_equal(result[[0, 2, 3, 5]], image[[0, 2, 3, 5]])
    assert result is not image


@pytest.mark.parametrize("move", [shift_rows, lambda image, x_px: lines_at(image.T, np.arange(90.0) - x_px[0]).T])
def test_lines_between_pixels_are_as_sharp_as_the_others(move):
    """A lattice of three pixels a period, as coarse as scans go, keeps its contrast wherever a line lies."""
    wave = np.tile(np.sin(2 * np.pi * np.arange(90) / 3 + 0.3), (5, 1))
    for shift in (0.25, 0.5, 0.8):
        moved = move(wave, np.full(5, shift))[:, 8:-8]
        expected = np.sin(2 * np.pi * (np.arange(90) - shift) / 3 + 0.3)[8:-8]
        np.testing.assert_allclose(moved, np.tile(expected, (5, 1)), atol=0.01)
    flat = np.full((5, 90), 7.0)
    np.testing.assert_allclose(move(flat, np.full(5, 0.37)), flat, rtol=1e-14)
