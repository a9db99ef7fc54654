"""The evidence of waves is that of the Gaussian process it claims to be, and does not know aliases apart."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from stmviewer.restore.rows.evidence import Evidence, Model
from stmviewer.restore.rows.measured import Patches

MODEL = Model(hills=0.5, length=4.0, offsets=0.1, noise=0.2)


def patches(wave: tuple[float, float], strength: float, gap: int = 4, count: int = 3) -> Patches:
    """Lines `gap` pixels apart, with a wave of that strength in noise."""
    rng = np.random.default_rng(1)
    lines, columns = np.arange(0.0, 24, gap), np.arange(24.0)
    y, x = (a.ravel() for a in np.meshgrid(lines, columns, indexing="ij"))
    phases = rng.uniform(0, 2 * np.pi, count)
    values = strength * np.cos(2 * np.pi * (wave[0] * x + wave[1] * y)[:, None] + phases)
    values = values + 0.5 * rng.standard_normal(values.shape)
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    return Patches(lines, columns, values, np.zeros((2, count)))


def test_it_is_the_marginal_likelihood_of_a_gaussian_process() -> None:
    shown = patches((0.14, 0.12), 1.0)
    wave, strengths = np.array([[0.14, 0.12]]), (0.15, 0.6)
    found = Evidence([shown], 5.0, [MODEL]).of([wave], [1.0])[0]
    y, x = (a.ravel() for a in np.meshgrid(shown.y, shown.x, indexing="ij"))
    dy, dx = y[:, None] - y, x[:, None] - x
    hills = MODEL.hills * np.exp(-(dy**2 + dx**2) / (2 * MODEL.length**2))
    alone = hills + MODEL.offsets * (dy == 0) + MODEL.noise * np.eye(len(y))
    # cosine and sine of independent amplitudes: a stationary covariance
    waves = np.cos(2 * np.pi * (wave[0, 0] * dx + wave[0, 1] * dy))
    for k, values in enumerate(shown.values.T):
        logs = [multivariate_normal(cov=alone + s * waves).logpdf(values) for s in strengths]
        expected = np.log(np.mean(np.exp(np.array(logs) - max(logs)))) + max(logs)
        assert found[k] == pytest.approx(expected - multivariate_normal(cov=alone).logpdf(values), abs=0.05)


def test_aliases_have_the_same_evidence_and_other_waves_less() -> None:
    shown = patches((0.14, 0.12), 1.0)
    waves = np.array([[0.14, 0.12], [0.14, 0.12 - 0.25], [0.14, 0.12 + 0.25], [0.14, -0.02], [0.3, 0.12]])
    found = Evidence([shown], 5.0).of([waves], [1.0]).sum(axis=1)
    assert found[:3] == pytest.approx(found[0], abs=0.05)
    assert found[0] > 30 and found[3:].max() < found[0] - 30


def test_noise_is_no_evidence_for_a_wave() -> None:
    shown = patches((0.14, 0.12), 0.0)
    rng = np.random.default_rng(2)
    found = Evidence([shown], 5.0).of([rng.uniform(-0.4, 0.4, (50, 2))], [1.0])
    assert np.median(found) < 0 and np.percentile(found, 90) < 8


def test_one_more_wave_beside_others_counts_as_in_one_set() -> None:
    shown = patches((0.14, 0.12), 1.0)
    evidence = Evidence([shown, patches((0.2, 0.05), 0.7, gap=2)], 5.0)
    tried = np.random.default_rng(3).uniform(-0.4, 0.4, (40, 2))
    chosen = np.array([[0.14, 0.12], [0.31, 0.02], [0.05, 0.11]])
    for count in range(4):
        fixed = [np.broadcast_to(one, tried.shape) for one in chosen[:count]]
        expected = evidence.of([*fixed, tried], [1.0] * (count + 1))
        assert evidence.beside(chosen[:count], evidence.basis(tried)) == pytest.approx(expected, abs=0.01)


def test_waves_that_no_pixel_shows_count_for_nothing() -> None:
    found = Evidence([patches((0.14, 0.12), 1.0)], 5.0).of([np.array([[0.6, 0.1]])], [1.0])
    assert found == pytest.approx(0.0, abs=1e-9)
