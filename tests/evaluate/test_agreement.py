"""Spectrum, lattice and coverage against what the equations say of made images."""

import numpy as np
import pytest

from stmviewer.evaluate.agreement import coverage, lattice_agreement, radial_power, spectrum_error, spectrum_ratio
from stmviewer.evaluate.perceptual import feature_distance
from stmviewer.scan.marks import BAND_EDGES


def waves(side: int = 64, periods: tuple[float, ...] = (8.0,), amplitude: float = 1.0, seed: int = 0) -> np.ndarray:
    y, x = np.mgrid[0:side, 0:side]
    noise = 0.02 * np.random.default_rng(seed).standard_normal((side, side))
    return noise + sum(amplitude * np.sin(2 * np.pi * (x + k * y) / p) for k, p in enumerate(periods))


def test_radial_power_is_in_the_ring_of_the_wave_and_goes_with_the_square_of_its_amplitude() -> None:
    power = radial_power(waves(periods=(6.7,)))
    ring = int(np.searchsorted(BAND_EDGES, 1 / 6.7, side="right")) - 1
    assert np.nanargmax(power) == ring
    assert power[ring] > 0.9 * np.nansum(power)
    stronger = radial_power(waves(periods=(6.7,), amplitude=3.0))
    assert stronger[ring] / power[ring] == pytest.approx(9, rel=0.02)


def test_the_ratio_of_twice_an_image_is_four_in_every_ring() -> None:
    truth = waves(periods=(8.0, 5.0))
    ratio = spectrum_ratio(2 * truth, truth)
    np.testing.assert_allclose(ratio[np.isfinite(ratio)], 4.0, rtol=1e-6)
    assert np.isfinite(ratio).sum() >= 6
    assert spectrum_error(ratio) == pytest.approx(np.log10(4.0))
    assert spectrum_error(spectrum_ratio(truth, truth)) == pytest.approx(0, abs=1e-12)


def test_blur_takes_high_frequencies_and_noise_adds_them() -> None:
    from scipy.ndimage import gaussian_filter

    truth = np.random.default_rng(0).standard_normal((64, 64))
    blurred = spectrum_ratio(gaussian_filter(truth, 1.5), truth)
    noisy = spectrum_ratio(truth + 0.5 * np.random.default_rng(1).standard_normal((64, 64)), truth)
    assert blurred[-1] < 0.05
    assert noisy[-1] == pytest.approx(1.25, rel=0.1)


def test_a_tilt_costs_no_spectrum_error_and_a_constant_image_has_none() -> None:
    truth = waves()
    tilt = 5.0 * np.arange(64)[:, None]
    assert spectrum_error(spectrum_ratio(truth + tilt, truth + tilt)) == pytest.approx(0, abs=1e-9)
    assert np.isnan(spectrum_error(spectrum_ratio(np.zeros((32, 32)), np.zeros((32, 32)))))


def test_the_same_lattice_agrees_and_another_does_not() -> None:
    truth = waves(periods=(8.0, 6.4), seed=1)
    same = lattice_agreement(waves(periods=(8.0, 6.4), seed=2), truth)
    assert same.agreement > 0.95
    assert (same.found, same.there, same.invented) == (2, 2, 0)
    other = lattice_agreement(waves(periods=(4.0,), seed=3), truth)
    assert other.agreement < 0.2
    assert (other.found, other.there, other.invented) == (0, 2, 1)


def test_a_weaker_lattice_agrees_as_the_equation_says() -> None:
    """A_image = A/3 at the one peak: 1 - (2/3) / (4/3) = 1/2."""
    found = lattice_agreement(waves(amplitude=1.0 / 3), waves(amplitude=1.0))
    assert found.agreement == pytest.approx(0.5, abs=0.02)
    assert found.found == 0  # less than half of its amplitude


def test_noise_has_no_lattice() -> None:
    one, other = (np.random.default_rng(k).standard_normal((48, 48)) for k in (0, 1))
    assert np.isnan(lattice_agreement(one, other).agreement)
    assert np.isnan(lattice_agreement(one[:16, :16], other[:16, :16]).agreement)


def test_normal_errors_are_covered_as_often_as_their_deviation_says() -> None:
    rng = np.random.default_rng(0)
    deviation = rng.uniform(1, 3, (200, 200))
    truth = np.zeros((200, 200))
    image = deviation * rng.standard_normal((200, 200))
    everywhere = np.ones((200, 200), dtype=bool)
    one, two = coverage(image, truth, deviation, everywhere)
    assert one == pytest.approx(0.683, abs=0.01)
    assert two == pytest.approx(0.954, abs=0.01)
    assert coverage(image, truth, deviation / 2, everywhere)[1] == pytest.approx(0.683, abs=0.01)
    assert all(np.isnan(coverage(image, truth, deviation, ~everywhere)))


def test_the_feature_distance_is_zero_for_equal_images_and_grows_with_blur() -> None:
    from scipy.ndimage import gaussian_filter

    truth = waves(periods=(8.0, 6.4))
    assert feature_distance(truth, truth) == pytest.approx(0, abs=1e-9)
    found = [feature_distance(gaussian_filter(truth, s), truth) for s in (0.5, 1.0, 2.0)]
    assert 0 < found[0] < found[1] < found[2] < 2
    assert feature_distance(3 * truth[:16], truth[:16]) != feature_distance(truth, truth)  # too small: no number
    assert np.isnan(feature_distance(truth[:16], truth[:16]))


def test_the_feature_distance_knows_no_height_unit() -> None:
    truth = waves(periods=(8.0, 6.4))
    image = truth + 0.3 * np.random.default_rng(0).standard_normal(truth.shape)
    assert feature_distance(1e-12 * image + 4e-9, 1e-12 * truth + 4e-9) == pytest.approx(
        feature_distance(image, truth), rel=1e-3
    )
