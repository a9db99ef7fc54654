import numpy as np
import pytest
from scipy import ndimage, signal

from stmviewer.scan import marks as m

LAGS = np.array([1, 2, 4, 8])


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def waves(rows=128, columns=128):
    """A smooth lattice of amplitude 1."""
    y, x = np.mgrid[0:rows, 0:columns]
    return np.sin(x / 4.0) * np.cos(y / 5.0)


def along_lines(rng, memory, rows=400, columns=400):
    """Noise with autocorrelation memory^|dx| along lines, lines independent, standard deviation 1."""
    white = rng.standard_normal((rows, columns + 200)) * np.sqrt(1 - memory**2)
    return signal.lfilter([1.0], [1.0, -memory], white, axis=1)[:, 200:]


def test_flattening_takes_away_offset_and_slope_of_each_line_and_nothing_else(rng):
    image = waves()
    flat = m.flatten_lines(image)
    x = np.arange(128)
    bent = image + rng.normal(size=(128, 1)) + rng.normal(size=(128, 1)) * x[None, :]
    np.testing.assert_allclose(m.flatten_lines(bent), flat, atol=1e-10)
    np.testing.assert_allclose(flat.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(m.flatten_lines(flat), flat, atol=1e-12)


def test_normalising_does_not_care_for_unit_offset_and_spikes(rng):
    image = waves() + 0.05 * rng.standard_normal((128, 128))
    one = m.normalised(image)
    np.testing.assert_allclose(m.normalised(3e-12 * image - 7e-9), one, atol=1e-9)
    spiked = image.copy()
    spiked.ravel()[:20] = 1e4
    assert np.abs(m.normalised(spiked) - one).ravel()[20:].max() < 0.02
    assert m.normalised(spiked).max() == 4
    assert not m.normalised(np.full((8, 8), 3.0)).any()


def test_correlation_of_noise_with_a_memory_decays_as_it_should(rng):
    noise = along_lines(rng, 0.8)
    np.testing.assert_allclose(m.correlation(noise, LAGS, 1), 0.8**LAGS, atol=0.02)
    np.testing.assert_allclose(m.correlation(noise, LAGS, 0), 0, atol=0.02)


def test_correlation_of_lines_falls_by_the_share_of_noise(rng):
    image = np.tile(np.sin(np.arange(256) / 6), (256, 1))
    signal_power, noise_power = image.var(), 0.2**2
    noisy = image + 0.2 * rng.standard_normal(image.shape)
    expected = signal_power / (signal_power + noise_power)
    np.testing.assert_allclose(m.correlation(noisy, LAGS, 0), expected, atol=0.01)


def test_correlation_of_what_has_none():
    assert not m.correlation(np.ones((20, 20)), LAGS, 0).any()
    assert m.correlation(waves(4, 64), np.array([4, 9]), 0).tolist() == [0, 0]


def test_spectra_of_white_noise_grow_with_the_width_of_their_bins(rng):
    noise = rng.standard_normal((512, 512))
    width = np.diff(m.BAND_EDGES)
    for axis in (0, 1):
        np.testing.assert_allclose(m.axis_spectrum(noise, axis), np.log10(width / width.sum()), atol=0.05)
    rings = m.BAND_EDGES[1:] ** 2 - m.BAND_EDGES[:-1] ** 2
    np.testing.assert_allclose(m.radial_spectrum(noise), np.log10(rings / rings.sum()), atol=0.05)


def test_a_wave_has_its_power_in_its_own_bin_of_its_own_axis():
    image = np.tile(np.sin(2 * np.pi * np.arange(256) / 9), (256, 1))
    own = np.searchsorted(m.BAND_EDGES, 1 / 9) - 1
    shares = 10 ** m.axis_spectrum(image, 1)
    assert shares.argmax() == own
    assert shares[own] > 0.9
    assert (10 ** m.radial_spectrum(image))[own] > 0.9


def test_what_is_smooth_along_lines_alone_has_more_power_along_the_slow_axis(rng):
    difference = [m.axis_spectrum(z, 0) - m.axis_spectrum(z, 1) for z in (along_lines(rng, 0.8), waves())]
    assert difference[0][-1] > 0.5
    assert difference[0][0] < 0


def test_bins_too_fine_for_a_small_image_are_nan():
    small = m.axis_spectrum(np.random.default_rng(0).normal(size=(16, 16)), 1)
    assert np.isnan(small[0])
    assert np.isfinite(small[-1])


def test_skewness(rng):
    assert m.skewness(rng.exponential(size=200_000)) == pytest.approx(2, abs=0.1)
    assert m.skewness(-rng.exponential(size=200_000)) == pytest.approx(-2, abs=0.1)
    assert m.skewness(np.ones(9)) == 0


def test_flanks_that_rise_fast_and_fall_slowly_show_along_their_axis_only():
    saw = np.tile((-np.arange(200) % 20) / 20.0, (200, 1))  # falls slowly, jumps up
    saw = ndimage.gaussian_filter(saw, (0, 1))
    assert m.slope_skewness(saw, 1) > 1
    assert m.slope_skewness(saw[:, ::-1], 1) < -1
    assert m.slope_skewness(saw, 0) == 0


def test_noise_is_found_on_top_of_a_lattice(rng):
    noise = rng.normal(0, 0.1, (256, 256))
    for axis in (0, 1):
        assert m.noise(waves(256, 256) + noise, axis) == pytest.approx(0.1, rel=0.1)
    offsets = rng.normal(0, 0.1, (256, 1)) * np.ones((1, 256))
    assert m.noise(waves(256, 256) + offsets, 0) == pytest.approx(0.1, rel=0.2)
    assert m.noise(offsets, 1) == 0


def test_planted_scars_are_counted_with_their_lengths(rng):
    image = waves(200, 200) + 0.02 * rng.standard_normal((200, 200))
    clean = m.streaks(image)
    assert clean.per_line < 0.02
    rows = np.arange(10, 190, 6)
    for row in rows:
        start = int(rng.integers(170))
        image[row, start : start + 24] += rng.choice((-3, 3))
    found = m.streaks(image)
    assert found.per_line == pytest.approx(len(rows) / 200, rel=0.1)
    assert found.length_px == pytest.approx(24, rel=0.1)
    assert found.part == pytest.approx(len(rows) * 24 / 40000, rel=0.1)


def test_a_step_of_the_surface_is_no_scar():
    step = np.where(np.arange(100)[:, None] + np.zeros(100) < 50, 0.0, 5.0)
    assert m.streaks(step + waves(100, 100)).per_line == 0
    assert m.streaks(step[:2]).per_line == 0


def test_a_tip_change_is_found_at_its_line(rng):
    image = waves(160, 160) + 0.05 * rng.standard_normal((160, 160))
    assert m.largest_jump(image).size < 1.5
    changed = image.copy()
    changed[97:] = 0.2 * np.roll(changed[97:], 9, axis=1)
    jump = m.largest_jump(changed)
    assert jump.line == 97
    assert jump.size > 3
    assert jump.contrast == pytest.approx(np.log(5), abs=0.2)
    assert m.largest_jump(image[:5]).size == 1


def test_line_steps_follow_offsets_and_not_adsorbates(rng):
    offsets = rng.normal(0, 1, 60)
    image = offsets[:, None] + np.zeros((60, 80))
    image[20:40, 10:30] += 50
    np.testing.assert_allclose(m.line_steps(image), np.diff(offsets), atol=1e-12)


def test_constant_images_have_no_marks():
    flat = np.zeros((64, 64))
    assert m.streaks(flat) == m.Streaks(0.0, 0.0, 0.0)
    assert m.largest_jump(flat).size == 0
    assert m.noise(flat, 0) == 0
    assert np.isfinite(m.radial_spectrum(flat)).all()
