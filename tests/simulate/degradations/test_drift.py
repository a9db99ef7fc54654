import numpy as np
import pytest
from scipy import ndimage
from skimage.registration import phase_cross_correlation

from stmviewer.simulate.degradations import Drift

PIXEL = 0.1e-9
RNG = np.random.default_rng(0)


def still(**changed) -> Drift:
    parameters = {"x_m_per_s": 0.0, "y_m_per_s": 0.0, "creep_x_m": 0.0, "creep_y_m": 0.0}
    return Drift(**(parameters | changed), line_time_s=0.5, pixel_m=PIXEL)


def surface(rows=256, columns=200):
    return 30e-12 * ndimage.gaussian_filter(np.random.default_rng(1).normal(size=(rows, columns)), 2.5)


def found(drifted: np.ndarray, truth: np.ndarray, band: int = 32):
    """Middle of each band of lines, and how far down and across it lies from the truth by registration."""
    window = np.outer(np.hanning(band), np.hanning(truth.shape[1]))

    def register(top: int, moved: int) -> np.ndarray:
        parts = (truth[top + moved : top + moved + band], drifted[top : top + band])
        shift, *_ = phase_cross_correlation(*(p * window for p in parts), upsample_factor=50, normalization=None)
        return np.array([moved, 0]) + shift

    tops = range(24, truth.shape[0] - band - 24, 16)
    # twice: a window that stays in its place holds the answer back
    shifts = [register(top, round(register(top, 0)[0])) for top in tops]
    return np.array(tops) + band // 2, -np.array(shifts)


@pytest.mark.parametrize(
    "drift",
    [
        still(x_m_per_s=4e-12),  # 0.24 nm a minute, 0.02 px a line
        still(y_m_per_s=4e-12),
        still(x_m_per_s=-3e-12, y_m_per_s=2e-12),
        still(creep_x_m=0.6e-9, creep_y_m=-0.4e-9),
        still(x_m_per_s=2e-12, creep_y_m=0.15e-9),
    ],
)
def test_registration_finds_the_drift(drift):
    truth = surface()
    middles, shifts = found(drift.apply(truth, RNG), truth)
    across, down = drift.displacement_px(256)
    # the tip has gone on by d: what it sees lies d before its place
    np.testing.assert_allclose(shifts[:, 0], -down[middles], atol=0.15)
    np.testing.assert_allclose(shifts[:, 1], -across[middles], atol=0.1)
    assert np.abs(shifts).max() > 0.5  # there was something to find


def test_drift_is_its_speed_times_the_line_time_and_creep_goes_with_decades():
    across, _ = still(x_m_per_s=4e-12).displacement_px(100)
    np.testing.assert_allclose(np.diff(across), 4e-12 * 0.5 / PIXEL)
    across, _ = still(creep_x_m=0.2e-9).displacement_px(20_001)
    # t >> 0.1 s: from 100 s to 1000 s, and from 1000 s to 10000 s
    decades = across[[2000, 20_000]] - across[[200, 2000]]
    np.testing.assert_allclose(decades, 0.2e-9 / PIXEL, rtol=1e-3)


def test_undo_brings_the_surface_back():
    truth = surface()
    for seed in range(8):
        drift = Drift.draw(np.random.default_rng(seed), PIXEL)
        margin = int(drift.reach_over(256)) + 4
        inner = np.s_[margin:-margin, margin:-margin]
        back = drift.undo(drift.apply(truth, RNG))
        assert np.abs(back - truth)[inner].max() < 0.02 * np.ptp(truth), drift


def test_the_frame_stays_and_no_line_is_scanned_out_of_turn():
    for seed in range(200):
        drift = Drift.draw(np.random.default_rng(seed), 0.02e-9)
        across, down = drift.displacement_px(300)
        assert across.mean() == pytest.approx(0, abs=1e-9)
        assert down.mean() == pytest.approx(0, abs=1e-9)
        assert np.diff(np.arange(300) + down).min() >= 0.5 - 1e-12
        assert max(np.abs(across).max(), np.abs(down).max()) <= drift.reach_over(300)


def test_no_drift_is_no_change():
    truth = surface(40, 30)
    np.testing.assert_allclose(still().apply(truth, RNG), truth, atol=1e-24)
