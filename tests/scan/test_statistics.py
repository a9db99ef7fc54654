"""Statistics of regions and heights of steps, against closed forms."""

import numpy as np
import pytest

from stmviewer.scan import RequestError
from stmviewer.scan.statistics import statistics_of, step_across, terraces_of

STEP = 1.36e-10


def staircase(noise: float = 1.5e-11) -> np.ndarray:
    y, x = np.mgrid[0:120, 0:160]
    level = np.digitize(x + 0.4 * y, [60, 130])
    return STEP * level + np.random.default_rng(0).normal(0, noise, x.shape)


def test_the_numbers_of_a_region() -> None:
    data = np.array([[1.0, 2.0, np.nan], [3.0, 10.0, np.inf]])
    found = statistics_of(data)
    assert (found.count, found.mean, found.median, found.least, found.most) == (4, 4.0, 2.5, 1.0, 10.0)
    assert found.rms == pytest.approx(np.sqrt((9 + 4 + 1 + 36) / 4))
    assert found.mean_deviation == pytest.approx((3 + 2 + 1 + 6) / 4)
    assert found.skew == pytest.approx((-27 - 8 - 1 + 216) / 4 / 12.5**1.5)
    gauss = statistics_of(np.random.default_rng(0).normal(5, 2, 200_000))
    assert (gauss.skew, gauss.kurtosis) == pytest.approx((0, 0), abs=0.03)
    assert gauss.mean_deviation == pytest.approx(2 * np.sqrt(2 / np.pi), rel=0.01)
    assert statistics_of(np.full((3, 3), -7e-8)).skew == 0
    with pytest.raises(RequestError, match="nothing was measured"):
        statistics_of(np.full((2, 2), np.nan))


def test_terraces_are_the_peaks_of_the_histogram() -> None:
    found = terraces_of(staircase())
    assert len(found.terraces) == 3
    assert found.steps == pytest.approx([STEP, STEP], rel=0.02)
    assert sum(t.share for t in found.terraces) == pytest.approx(1, abs=0.01)
    data = staircase()
    data[:40] = np.nan
    assert terraces_of(data).steps == pytest.approx([STEP, STEP], rel=0.02)


def test_noise_alone_is_one_terrace() -> None:
    noise = np.random.default_rng(1).normal(0, 1e-11, (100, 100))
    assert len(terraces_of(noise).terraces) == 1
    with pytest.raises(RequestError, match="flat"):
        terraces_of(np.zeros((20, 20)))
    with pytest.raises(RequestError, match="too few"):
        terraces_of(np.zeros((5, 5)))


def test_a_step_across_a_tilted_profile() -> None:
    x = np.linspace(0, 20e-9, 200)
    z = 3e-3 * x + STEP / (1 + np.exp(-(x - 12e-9) / 0.3e-9)) + np.random.default_rng(0).normal(0, 5e-12, x.size)
    fit = step_across(x, z)
    assert fit.height == pytest.approx(STEP, abs=3 * fit.error)
    assert fit.error < 0.03 * STEP
    assert fit.position == pytest.approx(12e-9, abs=1.2e-9)
    assert fit.slope == pytest.approx(3e-3, rel=0.1)
    down = step_across(x, -z)
    assert down.height == pytest.approx(-fit.height)
    z[10:30] = np.nan
    assert step_across(x, z).height == pytest.approx(STEP, rel=0.05)
    with pytest.raises(RequestError, match="too few measured points"):
        step_across(x[:10], z[:10])
