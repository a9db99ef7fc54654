import numpy as np

from stmviewer.simulate.degradations.shifts import shift_rows, shifted


def test_whole_shifts_move_pixels_exactly():
    image = np.random.default_rng(0).normal(size=(20, 30))
    np.testing.assert_array_equal(shifted(image, 3, -2)[:-2, 3:], image[2:, :-3])
    np.testing.assert_allclose(shift_rows(image, np.full(20, 4.0))[:, 4:], image[:, :-4])


def test_fractional_shifts_move_a_wave():
    x = np.arange(100)
    image = np.tile(np.sin(2 * np.pi * x / 20), (5, 1))
    moved = np.tile(np.sin(2 * np.pi * (x - 0.4) / 20), (5, 1))
    np.testing.assert_allclose(shifted(image, 0.4, 0)[:, 3:-3], moved[:, 3:-3], atol=0.02)
    # cubic for lines: an order better
    np.testing.assert_allclose(shift_rows(image, np.full(5, 0.4))[:, 3:-3], moved[:, 3:-3], atol=1e-3)


def test_beyond_the_edge_the_image_is_mirrored_however_far():
    image = np.arange(5.0)[:, None] * np.ones((1, 4))
    np.testing.assert_array_equal(shifted(image, 0, 2)[:, 0], [2, 1, 0, 1, 2])
    assert shifted(image, 1000.3, -777.7).shape == image.shape


def test_rows_without_shift_stay_as_they_are():
    image = np.random.default_rng(1).normal(size=(6, 8))
    result = shift_rows(image, np.array([0, 0.5, 0, 0, -1, 0]))
    np.testing.assert_array_equal(result[[0, 2, 3, 5]], image[[0, 2, 3, 5]])
    assert result is not image
