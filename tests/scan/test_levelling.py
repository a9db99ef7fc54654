"""Planes and row offsets that are known beforehand are found."""

import numpy as np
import pytest

from stmviewer.scan.levelling import (
    constant_value,
    find_plane,
    fit_plane,
    level_for_display,
    robust_range,
    row_offsets,
    strips,
)

RNG = np.random.default_rng(0)


def plane(rows: int = 60, columns: int = 45, scale: float = 1.0) -> np.ndarray:
    y, x = np.mgrid[0:rows, 0:columns]
    tilted: np.ndarray = scale * (3.0 - 0.02 * x + 0.05 * y)
    return tilted


@pytest.mark.parametrize("scale", [1.0, 1e-9, 1e-12, 1e6])
def test_a_plane_is_found_exactly_in_any_unit(scale: float) -> None:
    given = plane(scale=scale)
    assert np.abs(fit_plane(given) - given).max() < 1e-12 * np.abs(given).max()


@pytest.mark.parametrize("rows", [5, 128, 300])
def test_a_plane_is_taken_out_strip_by_strip(rows: int) -> None:
    data = plane(rows) + RNG.normal(size=(rows, 45))
    kept = data.copy()
    found = find_plane(data)
    level = found.taken_from(data)
    assert np.array_equal(level, data - fit_plane(data))
    assert np.array_equal(data, kept)
    assert np.array_equal(found.on(slice(2, 4)), found.whole[2:4])
    found.add_to(level)
    assert np.abs(level - data).max() < 1e-12


@pytest.mark.parametrize("rows", [1, 127, 128, 129, 1000])
def test_strips_cover_every_row_once_and_are_about_as_high(rows: int) -> None:
    found = strips(rows, 128)
    assert [r for s in found for r in range(rows)[s]] == list(range(rows))
    heights = [s.stop - s.start for s in found]
    assert max(heights) <= 128
    assert max(heights) - min(heights) <= 1


def test_adsorbates_do_not_tilt_the_plane() -> None:
    given = plane()
    data = given + 1e-3 * np.sin(np.arange(45))
    bumps = np.zeros(data.shape, dtype=bool)
    bumps[40:50, 30:40] = True  # on one side, where they would tilt it
    dirty = np.where(bumps, data + 5.0, data)
    clean, found = fit_plane(data), fit_plane(dirty)
    assert np.abs(found - clean).max() < 2e-4
    ordinary = np.linalg.lstsq(
        np.stack([np.ones(dirty.size), *(i.ravel() for i in np.indices(dirty.shape))], axis=1),
        dirty.ravel(),
        rcond=None,
    )[0]
    assert abs(ordinary[1] - 0.05) > 1e-3  # least squares alone is tilted


def test_spikes_on_an_exact_plane_are_left_out_wholly() -> None:
    given = plane()
    data = given.copy()
    data.flat[RNG.choice(data.size, 20, replace=False)] += 1.0
    assert np.abs(fit_plane(data) - given).max() < 1e-12


@pytest.mark.parametrize("as_nan", [True, False])
def test_what_is_not_measured_has_no_say(as_nan: bool) -> None:
    given = plane()
    measured = RNG.random(given.shape) < 0.3
    data = np.where(measured, given, np.nan if as_nan else 1e3 * RNG.random(given.shape))
    found = fit_plane(data) if as_nan else fit_plane(data, measured)
    assert np.abs(found - given).max() < 1e-11


def test_nothing_measured_and_next_to_nothing_measured() -> None:
    assert np.array_equal(fit_plane(np.full((5, 6), np.nan)), np.zeros((5, 6)))
    one = np.full((5, 6), np.nan)
    one[2, 3] = 7.0
    found = fit_plane(one)
    assert np.isfinite(found).all()
    assert found[2, 3] == pytest.approx(7.0)
    assert fit_plane(np.array([[4.0]])) == pytest.approx(4.0)


def test_a_large_image_is_fitted_from_a_sample_of_its_pixels() -> None:
    given = plane(700, 600)
    assert np.abs(fit_plane(given) - given).max() < 1e-9


def detrended(offsets: np.ndarray) -> np.ndarray:
    line = np.polyfit(np.arange(len(offsets)), offsets, 1)
    return offsets - np.polyval(line, np.arange(len(offsets)))


def terraces(rows: int = 50, columns: int = 64) -> np.ndarray:
    """Two steps along the slow axis, a slanted one, and an adsorbate: none of which is a fault of the rows."""
    y, x = np.mgrid[0:rows, 0:columns]
    surface = 1.0 * (x > 20) + 1.0 * (x > 45) + 0.5 * (x > 30 + y / 3)
    surface[20:26, 5:12] += 3.0
    return surface


def test_row_offsets_are_found_beside_steps_and_adsorbates() -> None:
    offsets = RNG.normal(0, 0.3, 50)
    surface = terraces()
    found = row_offsets(surface + offsets[:, None])
    assert np.abs(found - detrended(offsets)).max() < 1e-12
    corrected = surface + offsets[:, None] - found[:, None]
    # the steps are left: only a tilt along the slow axis, which is no fault of the rows, remains
    assert np.abs(corrected - surface - (offsets - detrended(offsets))[:, None]).max() < 1e-12


def test_a_tilted_sample_has_no_row_offsets() -> None:
    assert np.abs(row_offsets(plane())).max() < 1e-12


def test_rows_that_were_not_measured_are_skipped() -> None:
    offsets = RNG.normal(0, 0.3, 50)
    data = terraces() + offsets[:, None]
    measured = np.zeros(data.shape, dtype=bool)
    measured[1::4] = True
    found = row_offsets(data, measured)
    lines = np.arange(1, 50, 4)
    expected = offsets[lines] - np.polyval(np.polyfit(lines, offsets[lines], 1), lines)
    assert np.abs(found[lines] - expected).max() < 1e-12
    assert np.array_equal(np.delete(found, lines), np.zeros(50 - len(lines)))


def test_two_rows_have_no_offsets_to_speak_of() -> None:
    assert np.array_equal(row_offsets(np.array([[0.0, 0.0], [5.0, 5.0]])), [0.0, 0.0])
    assert np.array_equal(row_offsets(np.full((4, 4), np.nan)), np.zeros(4))


def test_the_robust_range_is_the_percentile_range() -> None:
    values = np.arange(101, dtype=float).reshape(1, -1)
    assert robust_range(values) == (1.0, 99.0)
    assert robust_range(values, 0, 100) == (0.0, 100.0)
    values[0, 0] = np.nan
    assert robust_range(values, 0, 100) == (1.0, 100.0)


@pytest.mark.parametrize("count", [2, 3, 100, 65_536])
@pytest.mark.parametrize("shares", [(1.0, 99.0), (5.0, 95.0), (0.0, 100.0)])
def test_the_robust_range_lies_between_ranks_as_percentiles_do(count: int, shares: tuple[float, float]) -> None:
    values = 1e-10 * RNG.normal(size=count)
    assert robust_range(values, *shares) == pytest.approx(np.percentile(values, shares), rel=1e-12, abs=1e-24)
    rounded = np.round(values, 10)  # many are the same
    assert robust_range(np.append(rounded, 1e-9), *shares) == pytest.approx(
        np.percentile(np.append(rounded, 1e-9), shares), rel=1e-12, abs=1e-24
    )


def test_the_robust_range_is_never_empty() -> None:
    assert robust_range(np.full((3, 3), np.nan)) == (0.0, 1.0)
    assert robust_range(np.zeros((3, 3))) == (-0.5, 0.5)
    low, high = robust_range(np.full((3, 3), 2e-9))
    assert low < 2e-9 < high
    assert high - low == pytest.approx(4e-15)
    few = np.zeros((100, 100))
    few[3, 4] = 7.0
    assert robust_range(few) == (0.0, 7.0)


@pytest.mark.parametrize("seed", range(5))
def test_rounding_errors_of_a_flat_background_are_no_range(seed: int) -> None:
    """A tilted plane with a few adsorbates: less its plane, all that is left around them is rounding."""
    rng = np.random.default_rng(seed)
    data = 1e-9 * plane()
    spikes = rng.choice(data.size, 5, replace=False)
    data.flat[spikes] += 1e-9
    low, high = robust_range(data - fit_plane(data))
    assert high - low == pytest.approx(1e-9, rel=1e-3)


def test_large_images_are_sampled() -> None:
    big = np.random.default_rng(1).normal(size=(1200, 1100))
    low, high = robust_range(big)
    assert low == pytest.approx(-2.326, abs=0.02)
    assert high == pytest.approx(2.326, abs=0.02)


def test_display_levelling_takes_plane_and_median_out_of_a_copy() -> None:
    data = plane() + RNG.normal(0, 0.1, (60, 45))
    data[3, 3] = np.nan
    data.flags.writeable = False
    level = level_for_display(data)
    assert np.nanmedian(level) == pytest.approx(0, abs=1e-12)
    assert np.nanstd(level) == pytest.approx(0.1, rel=0.1)
    assert np.isnan(level[3, 3])
    assert np.isnan(level_for_display(np.full((4, 4), np.nan))).all()


@pytest.mark.parametrize("value", [-7.3e-8, 0.0, 1e300, 5e-324])
def test_a_constant_image_is_levelled_to_exactly_zero(value: float) -> None:
    data = np.full((30, 40), value)
    data[3, 4] = np.nan
    level = level_for_display(data)
    assert not np.nan_to_num(level).any()


def test_what_differs_by_more_than_rounding_is_not_constant() -> None:
    assert constant_value(np.array([1.0, 1.0 + 5e-16])) == 1.0
    assert constant_value(np.array([1.0, 1.0 + 1e-14])) is None
    assert constant_value(np.array([-1.7e308, 1.7e308])) is None
    assert constant_value(np.empty(0)) is None
