import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from stmviewer.evaluate.landmarks import Count, compare_edges, compare_spots

PERIOD = 10.0


def lattice(seed: int = 0, noise: float = 0.1) -> np.ndarray:
    y, x = np.mgrid[:200, :200]
    rng = np.random.default_rng(seed)
    return np.sin(2 * np.pi * (x + 0.3 * y) / PERIOD) + noise * rng.standard_normal((200, 200))


def spot(row: int, column: int, height: float) -> np.ndarray:
    image = np.zeros((200, 200))
    image[row, column] = 1
    blurred = gaussian_filter(image, 4)
    return height * blurred / blurred.max()


SPOTS = spot(50, 60, 3) + spot(120, 40, -3) + spot(150, 150, 3) + spot(80, 140, -3)


def test_the_lattice_alone_has_no_spots():
    assert compare_spots(lattice(1), lattice(), PERIOD).there <= 1  # of noise, at 5 deviations


def test_spots_that_are_kept_lost_and_invented():
    truth = lattice() + SPOTS
    assert compare_spots(lattice(1) + SPOTS, truth, PERIOD) == Count(4, 4, 0)
    assert compare_spots(lattice(1), truth, PERIOD) == Count(4, 0, 0)
    less = compare_spots(lattice(1) + SPOTS - spot(50, 60, 3), truth, PERIOD)
    assert (less.there, less.found) == (4, 3)
    more = compare_spots(lattice(1) + SPOTS + spot(100, 100, 3), truth, PERIOD)
    assert (more.found, more.false) == (4, 1)


def test_a_bright_spot_is_no_dark_one():
    truth = lattice() + spot(100, 100, 3)
    found = compare_spots(lattice(1) + spot(100, 100, -3), truth, PERIOD)
    assert (found.there, found.found, found.false) == (1, 0, 1)


def test_steps_that_are_kept_lost_and_invented():
    step = np.zeros((200, 200))
    step[:, 120:] = 4
    truth = lattice() + step
    kept = compare_edges(lattice(1) + step, truth, PERIOD)
    assert kept.there >= 150
    assert kept.recall > 0.95
    assert kept.false_share < 0.05
    lost = compare_edges(lattice(1), truth, PERIOD)
    assert lost.recall < 0.05
    across = np.zeros((200, 200))
    across[90:] = 4
    invented = compare_edges(lattice(1) + step + across, truth, PERIOD)
    assert invented.false > 100
    # one that lies half a period off still counts, one three periods off does not
    assert compare_edges(lattice(1) + np.roll(step, 5, 1), truth, PERIOD).recall > 0.9
    assert compare_edges(lattice(1) + np.roll(step, 30, 1), truth, PERIOD).recall < 0.2


def test_counts_add_up_and_nothing_is_a_share_of_nothing():
    assert Count(4, 3, 1) + Count(6, 3, 1) == Count(10, 6, 2)
    assert (Count(10, 6, 2).recall, Count(10, 6, 2).false_share) == (0.6, 0.2)
    assert math.isnan(Count().recall)
    assert math.isnan(Count().false_share)


@pytest.mark.parametrize("compare", [compare_spots, compare_edges])
def test_a_flat_truth_has_no_landmarks(compare):
    assert compare(lattice(), np.zeros((200, 200)), PERIOD) == Count()
