"""Sampling masks: what each pattern measures, when it is the same, and the time it takes."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stmviewer.scan import Mask, RequestError, make_mask
from stmviewer.scan.masks import PATTERNS, SETTLING_S, full, parse_pattern

SEEDED = ("lines-random:0.3", "grid-jitter:4", "pixels:0.25")
FIXED = ("lines:4", "grid:3", "spiral:0.25")


@pytest.mark.parametrize(("n", "rows"), [(1, 10), (2, 64), (3, 64), (4, 64), (4, 66), (7, 50)])
def test_every_nth_line(n: int, rows: int) -> None:
    measured = make_mask(f"lines:{n}", rows, 12).measured
    lines = [k for k in range(rows) if k % n == (n - 1) // 2]
    expected = np.zeros((rows, 12), dtype=bool)
    expected[lines] = True
    assert np.array_equal(measured, expected)
    assert make_mask(f"lines:{n}", rows, 12).whole_lines


def test_lines_are_equally_far_from_both_edges_for_odd_factors() -> None:
    lines = np.nonzero(make_mask("lines:5", 50, 4).measured[:, 0])[0]
    assert lines[0] == 49 - lines[-1] == 2


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_a_grid_measures_one_pixel_in_n_squared(n: int) -> None:
    mask = make_mask(f"grid:{n}", 12 * n, 5 * n)
    assert mask.fraction == 1 / n**2
    rows, columns = np.nonzero(mask.measured)
    assert set(np.diff(np.unique(rows))) <= {n}
    assert set(np.diff(np.unique(columns))) <= {n}


def test_a_jittered_grid_measures_one_pixel_in_each_cell() -> None:
    measured = make_mask("grid-jitter:4", 40, 24, seed=3).measured
    cells = measured.reshape(10, 4, 6, 4).sum(axis=(1, 3))
    assert (cells == 1).all()
    assert len(np.unique(np.nonzero(measured)[0] % 4)) == 4  # jittered, no regular grid


def test_a_jittered_grid_stays_inside_cells_that_are_cut() -> None:
    measured = make_mask("grid-jitter:5", 13, 11, seed=1).measured
    for top in range(0, 13, 5):
        for left in range(0, 11, 5):
            assert measured[top : top + 5, left : left + 5].sum() == 1


@pytest.mark.parametrize("part", [0.01, 0.25, 1 / 3, 0.9, 1.0])
def test_random_patterns_measure_the_part_asked_for(part: float) -> None:
    assert make_mask(f"pixels:{part}", 60, 50).measured.sum() == max(1, round(part * 3000))
    lines = make_mask(f"lines-random:{part}", 60, 50)
    assert lines.measured[:, 0].sum() == max(1, round(part * 60))
    assert lines.whole_lines


@pytest.mark.parametrize("part", [0.02, 0.1, 0.25, 0.5, 0.75])
@pytest.mark.parametrize("shape", [(128, 128), (200, 300)])
def test_a_spiral_measures_about_the_part_asked_for(part: float, shape: tuple[int, int]) -> None:
    assert make_mask(f"spiral:{part}", *shape).fraction == pytest.approx(part, rel=0.1)


def test_the_arms_of_a_spiral_are_equally_far_apart_out_to_the_corners() -> None:
    measured = make_mask("spiral:0.1", 201, 201).measured
    pitch = 1.2 / 0.1
    r, c = np.nonzero(measured)
    y, x = r - 100, c - 100
    # Archimedes: radius = pitch * angle / 2 pi, so that the turns left over are whole numbers
    turns = np.hypot(x, y) / pitch - np.arctan2(y, x) / (2 * np.pi)
    outside = np.hypot(x, y) > pitch
    assert np.abs(turns - np.rint(turns))[outside].max() < 1.0 / pitch
    assert np.hypot(x, y).max() > 0.9 * np.hypot(100, 100)


@pytest.mark.parametrize("pattern", SEEDED)
def test_the_seed_decides(pattern: str) -> None:
    first, same, other = (make_mask(pattern, 64, 48, seed=s) for s in (5, 5, 6))
    assert np.array_equal(first.measured, same.measured)
    assert not np.array_equal(first.measured, other.measured)
    assert (first.pattern, first.seed) == (pattern, 5)


@pytest.mark.parametrize("pattern", FIXED)
def test_regular_patterns_do_not_depend_on_the_seed(pattern: str) -> None:
    assert np.array_equal(make_mask(pattern, 64, 48, 1).measured, make_mask(pattern, 64, 48, 2).measured)


@pytest.mark.parametrize("pattern", ["lines:1", "grid:1", "grid-jitter:1", "pixels:1", "lines-random:1"])
def test_a_factor_of_one_measures_everything(pattern: str) -> None:
    assert make_mask(pattern, 9, 11).fraction == 1


class TestAcquisitionTime:
    """Against times worked out by hand; a line takes 1.0 s forward and 0.5 s backward."""

    TIMES = (1.0, 0.5)

    def test_a_full_raster(self) -> None:
        assert full(100, 80).acquisition_time_s(self.TIMES) == pytest.approx(150)

    @pytest.mark.parametrize(("pattern", "lines"), [("lines:4", 25), ("grid:4", 25), ("grid:5", 20)])
    def test_lines_and_grids_save_their_factor_and_not_its_square(self, pattern: str, lines: int) -> None:
        assert make_mask(pattern, 100, 80).acquisition_time_s(self.TIMES) == pytest.approx(1.5 * lines)

    def test_random_lines_cost_as_much_as_regular_ones(self) -> None:
        assert make_mask("lines-random:0.25", 100, 80).acquisition_time_s(self.TIMES) == pytest.approx(1.5 * 25)

    def test_scattered_points_dwell_settle_and_travel_on_a_serpentine(self) -> None:
        measured = np.zeros((10, 100), dtype=bool)
        measured[0, [10, 50]] = True  # to the right: 40 pixels
        measured[3, [20, 50]] = True  # down 3, then to the left: 30 pixels
        dwell = 1.0 / 100
        expected = 4 * (dwell + SETTLING_S) + (40 + 3 + 30) * dwell
        assert Mask(measured, "pixels:0.004").acquisition_time_s(self.TIMES) == pytest.approx(expected)

    def test_one_scattered_point(self) -> None:
        measured = np.zeros((10, 100), dtype=bool)
        measured[4, 4] = True
        assert Mask(measured, "x").acquisition_time_s(self.TIMES) == pytest.approx(0.01 + SETTLING_S)

    def test_scattered_points_never_take_longer_than_scanning_their_lines(self) -> None:
        mask = make_mask("pixels:0.9", 50, 50)
        assert mask.acquisition_time_s(self.TIMES) == pytest.approx(75)

    def test_a_jittered_grid_is_no_raster(self) -> None:
        mask = make_mask("grid-jitter:8", 64, 64)
        assert mask.acquisition_time_s(self.TIMES) < 64 * 1.5


@pytest.mark.parametrize(
    ("pattern", "advice"),
    [
        ("lines:2.5", "lines needs a whole number from 1 to 4096, such as lines:4"),
        ("lines:0", "whole number"),
        ("lines:-3", "whole number"),
        ("grid:nan", "whole number"),
        ("grid:inf", "whole number"),
        ("grid-jitter:", "whole number"),
        ("pixels:0", "measured part, over 0 up to 1, such as pixels:0.25"),
        ("pixels:1.5", "measured part"),
        ("spiral:-0.1", "measured part"),
        ("lines-random:nan", "measured part"),
        ("", "unknown; patterns are lines:N"),
        ("columns:4", "unknown"),
        ("Lines:4", "unknown"),
    ],
)
def test_bad_patterns_are_refused_with_advice(pattern: str, advice: str) -> None:
    with pytest.raises(RequestError) as caught:
        make_mask(pattern, 64, 64)
    assert f"mask '{pattern}'" in str(caught.value)
    assert advice in str(caught.value)


def test_a_pattern_that_measures_nothing_is_refused() -> None:
    with pytest.raises(RequestError, match="measures nothing on 10 x 10 pixels"):
        make_mask("lines:100", 10, 10)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(RequestError, match="seed of a mask must not be negative"):
        make_mask("pixels:0.5", 8, 8, seed=-1)


names = st.sampled_from([p.partition(":")[0] for p in PATTERNS])
numbers = st.one_of(st.floats().map(str), st.integers().map(str), st.text(max_size=8))
written = st.one_of(st.text(max_size=20), st.builds("{}:{}".format, names, numbers))


@settings(deadline=None, max_examples=300)
@example("spiral:1e-300")
@example("spiral:1e-9")
@example("pixels:1e-300")
@example("lines:1e400")
@given(written)
def test_whatever_is_written_gives_a_mask_or_an_explanation(pattern: str) -> None:
    try:
        mask = make_mask(pattern, 24, 17)
    except RequestError as error:
        assert repr(pattern)[1:-1] in repr(str(error))
    else:
        assert mask.measured.shape == (24, 17)
        assert mask.measured.dtype == np.bool_
        assert mask.measured.any()
        assert 0 < mask.acquisition_time_s() <= full(24, 17).acquisition_time_s()


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_listed_patterns_are_the_ones_that_exist(pattern: str) -> None:
    name, _, letter = pattern.partition(":")
    assert parse_pattern(f"{name}:{'3' if letter == 'N' else '0.5'}") == (name, 3 if letter == "N" else 0.5)
