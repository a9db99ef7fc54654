import numpy as np
import pytest

from stmviewer.simulate.degradations import MainsHum, Quantisation, Spikes, Unfinished
from stmviewer.simulate.degradations.degradation import in_time

RNG = np.random.default_rng(0)


def peak(spectrum: np.ndarray) -> int:
    return int(np.argmax(np.abs(spectrum)))


@pytest.mark.parametrize(("frequency", "line_time"), [(50.0, 0.4), (60.0, 0.5), (50.0, 1.0)])
def test_hum_has_its_periods_along_a_line_and_its_phase_from_line_to_line(frequency, line_time):
    z = MainsHum(2e-12, frequency, line_time, 0.3).apply(np.zeros((64, 512)), RNG)
    assert np.abs(z).max() == pytest.approx(2e-12, rel=1e-3)
    # half of the line time is the forward line
    assert peak(np.fft.rfft(z[0])) == frequency * line_time / 2
    # these have a whole number of periods a line time: every line begins with the same phase
    np.testing.assert_allclose(z, z[:1].repeat(64, axis=0), atol=1e-22)


def test_stripes_lean_when_the_line_time_is_no_whole_number_of_periods():
    # 50 Hz, 0.405 s: 20.25 periods, so the phase gains a quarter of a period a line
    z = MainsHum(1e-12, 50.0, 0.405, 0.0).apply(np.zeros((64, 512)), RNG)
    assert peak(np.fft.rfft(z[:, 100])) == 64 / 4
    np.testing.assert_allclose(z[4], z[0], atol=1e-20)
    np.testing.assert_allclose(z[2], -z[0], atol=1e-20)


def test_hum_runs_on_through_the_retrace():
    flat = np.zeros((8, 256))
    forward, backward = MainsHum(1e-12, 50.0, 0.3173, 1.0).apply_both(flat, flat, RNG)
    signal = in_time(forward, backward).ravel()
    time = np.arange(signal.size) * 0.3173 / 512
    np.testing.assert_allclose(signal, 1e-12 * np.sin(2 * np.pi * 50 * time + 1.0), atol=1e-22)


def test_spikes_are_as_many_and_as_high_as_asked():
    z = Spikes(0.003, 200e-12).apply(np.zeros((1000, 1000)), np.random.default_rng(1))
    heights = z[z != 0]
    assert heights.size == pytest.approx(3000, abs=5 * np.sqrt(3000))
    assert np.abs(heights).mean() == pytest.approx(200e-12, rel=0.1)
    assert (heights > 0).mean() == pytest.approx(0.5, abs=0.05)


def test_quantised_heights_are_steps_with_the_error_of_bennett():
    image = np.random.default_rng(2).normal(0, 50e-12, (300, 300))
    z = Quantisation(4e-12).apply(image, RNG)
    np.testing.assert_allclose(z / 4e-12, np.round(z / 4e-12), atol=1e-9)
    assert np.diff(np.unique(z)).min() == pytest.approx(4e-12)
    assert np.abs(z - image).max() <= 2e-12 * (1 + 1e-9)
    assert (z - image).std() == pytest.approx(4e-12 / np.sqrt(12), rel=0.01)


def test_an_unfinished_scan_ends_within_a_line_of_the_trace():
    z = np.ones((10, 8))
    forward, backward = Unfinished(0.45, 0.5).apply_both(z, z, RNG)
    assert np.isfinite(forward[:4]).all()
    assert np.isfinite(forward[4, :4]).all()
    assert np.isnan(forward[4, 4:]).all()
    assert np.isnan(forward[5:]).all()
    assert np.isfinite(backward[:4]).all()
    assert np.isnan(backward[4:]).all()
    np.testing.assert_array_equal(np.isnan(Unfinished(0.45, 0.5).apply(z, RNG)), np.isnan(forward))
