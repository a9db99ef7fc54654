"""The scale that models see: undone exactly, the same in every unit, not squeezed by spikes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stmviewer.restore.filling import fill
from stmviewer.restore.normalise import normalisation

RNG = np.random.default_rng(0)
EVERYTHING = np.ones((60, 50), dtype=bool)


def lattice(step: float = 0.0) -> np.ndarray:
    y, x = np.mgrid[0:60, 0:50]
    corrugated: np.ndarray = np.cos(2 * np.pi * x / 7.0) * np.cos(2 * np.pi * y / 9.0) + step * (x > 25)
    return corrugated


@settings(deadline=None, max_examples=60)
@given(st.floats(-15, 6), st.floats(-3, 3), st.floats(-3, 3), st.integers(0, 2**31))
def test_back_undoes_forward_in_any_unit(power: float, tilt: float, offset: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = np.mgrid[0:40, 0:30][1]
    data = 10.0**power * (rng.normal(size=(40, 30)) + tilt * x + 10 * offset)
    scale = normalisation(data, np.ones_like(data, dtype=bool))
    image = rng.normal(size=data.shape)
    assert np.abs(scale.back(scale.forward(data)) - data).max() <= 1e-12 * np.abs(data).max()
    assert np.abs(scale.forward(scale.back(image)) - image).max() < 1e-9


@pytest.mark.parametrize("factor", [1e-9, 1e-12, 1e5])
def test_unit_and_tilt_change_nothing_that_a_model_sees(factor: float) -> None:
    y, x = np.mgrid[0:60, 0:50]
    data = lattice(3.0) + RNG.normal(0, 0.05, (60, 50))
    tilted = factor * (data + 0.4 * x - 0.1 * y + 1000.0)
    seen = normalisation(data, EVERYTHING).forward(data)
    assert np.abs(normalisation(tilted, EVERYTHING).forward(tilted) - seen).max() < 1e-8


@pytest.mark.parametrize("step", [0.0, 3.0, 6.0])
def test_corrugation_is_brought_to_about_one_beside_a_step(step: float) -> None:
    y, x = np.mgrid[0:256, 0:256]
    data = np.cos(2 * np.pi * x / 7.0) * np.cos(2 * np.pi * y / 9.0) + step * (x > 128)
    seen = normalisation(data, np.ones_like(data, dtype=bool)).forward(data)[:, :64]  # away from the step
    assert 0.5 < np.percentile(seen, 99) < 2
    assert -2 < np.percentile(seen, 1) < -0.5


def test_spikes_do_not_squeeze_the_lattice() -> None:
    data = lattice()
    spiked = data.copy()
    spiked.flat[RNG.choice(data.size, 30, replace=False)] += 100.0
    scale, expected = (normalisation(d, EVERYTHING) for d in (spiked, data))
    assert scale.half_range < 4 * expected.half_range


def test_what_is_not_measured_sets_no_scale() -> None:
    data = lattice() + 0.1 * np.mgrid[0:60, 0:50][0]
    measured = np.zeros_like(EVERYTHING)
    measured[1::4] = True
    filled = fill(np.where(measured, data, np.nan), measured)
    guess = np.where(measured, filled, filled + RNG.normal(0, 1e-3, filled.shape))
    one, other = normalisation(filled, measured), normalisation(guess, measured)
    assert np.array_equal(one.plane, other.plane)
    assert one.half_range == pytest.approx(other.half_range, rel=1e-3)


def test_the_plane_is_the_tilt_of_the_sample() -> None:
    y, x = np.mgrid[0:60, 0:50]
    tilt = 2.0 + 0.3 * x - 0.1 * y
    scale = normalisation(tilt + 1e-3 * RNG.normal(size=(60, 50)), EVERYTHING)
    assert np.abs(scale.plane - tilt).max() < 1e-3


@pytest.mark.parametrize("base", [0.0, 1e-9, -3e-7])
@pytest.mark.parametrize("tilt", [0.0, 1e-11])
@pytest.mark.parametrize("adsorbates", [1, 5, 40])
def test_a_flat_image_with_few_adsorbates_stays_in_a_range_that_a_network_can_take(
    base: float, tilt: float, adsorbates: int
) -> None:
    data = base + tilt * np.mgrid[0:60, 0:50][1]
    data.flat[RNG.choice(data.size, adsorbates, replace=False)] += 1e-10
    seen = normalisation(data, EVERYTHING).forward(data)
    assert np.abs(seen).max() < 1e3


@pytest.mark.parametrize("value", [0.0, 1e-9, 5e3])
def test_a_flat_image_has_a_scale(value: float) -> None:
    data = np.full((60, 50), value)
    scale = normalisation(data, EVERYTHING)
    assert scale.half_range > 0
    assert np.abs(scale.back(scale.forward(data)) - data).max() <= 1e-12 * value


def test_the_data_is_not_changed() -> None:
    data = lattice()
    data.flags.writeable = False
    normalisation(data, EVERYTHING)
