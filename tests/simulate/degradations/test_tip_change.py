import json

import numpy as np
import pytest
from scipy import ndimage

from stmviewer.simulate.degradations import DullTip, PickedUpAdsorbate, SeveralTips, TipChange, TipSwitching, describe
from stmviewer.simulate.degradations.degradation import in_time

PIXEL = 0.1e-9
KAPPA = 11e9


@pytest.fixture
def image():
    rng = np.random.default_rng(0)
    return 50e-12 * ndimage.gaussian_filter(rng.normal(size=(64, 80)), 2)


def test_a_change_leaves_the_lines_before_it_and_lifts_those_after(image):
    change = TipChange(where=0.5, within=0.25, jump_m=1e-9, x_px=0.0, y_px=0.0, tip=DullTip(0.01))
    z, back = change.apply_both(image, image, np.random.default_rng(0))
    np.testing.assert_array_equal(z[:32], image[:32])
    np.testing.assert_array_equal(z[32, :20], image[32, :20])
    np.testing.assert_allclose(z[32, 20:] - image[32, 20:], 1e-9, rtol=1e-6)
    np.testing.assert_allclose(z[33:] - image[33:], 1e-9, rtol=1e-6)
    # on its way back over the same line the tip has changed already
    np.testing.assert_array_equal(back[:32], image[:32])
    np.testing.assert_allclose(back[32:] - image[32:], 1e-9, rtol=1e-6)
    np.testing.assert_array_equal(change.apply(image, np.random.default_rng(0)), z)


def test_recipes_are_json_with_the_kinds_of_tips():
    rng = np.random.default_rng(4)
    kinds = set()
    for _ in range(20):
        recipe = json.loads(json.dumps(describe(TipChange.draw(rng, PIXEL))))
        assert recipe["name"] == "TipChange"
        kinds.add(recipe["tip"]["name"])
    assert kinds == {"DullTip", "MultiTip", "SeveralTips"}


def test_switching_tips_dwell_as_a_random_telegraph_signal():
    flat = np.zeros((3000, 200))
    ways = TipSwitching(300.0, 40.0, 1e-10, 0.0, 0.0).apply_both(flat, flat, np.random.default_rng(1))
    away = in_time(*ways).ravel() > 0
    edges = np.nonzero(np.diff(away))[0]
    dwells = np.diff(edges)
    first_is_rest = not away[edges[0] + 1]
    rest, gone = (dwells[::2], dwells[1::2]) if first_is_rest else (dwells[1::2], dwells[::2])
    assert len(gone) == pytest.approx(flat.size * 2 / 340, rel=0.1)
    assert rest.mean() == pytest.approx(300, rel=0.1)
    assert gone.mean() == pytest.approx(40, rel=0.1)
    # exponential: the spread is the mean, and half last for less than ln 2 of it
    assert rest.std() == pytest.approx(300, rel=0.1)
    assert np.median(rest) == pytest.approx(300 * np.log(2), rel=0.1)
    assert away.mean() == pytest.approx(40 / 340, rel=0.1)


def test_away_the_other_place_is_seen(image):
    switching = TipSwitching(50.0, 50.0, 3e-11, 2.0, -1.0)
    z = switching.apply(image, np.random.default_rng(2))
    moved = np.roll(image, (-1, 2), (0, 1)) + 3e-11
    inner = np.s_[:-1, 2:]
    here, there = (np.isclose(z, seen, rtol=0, atol=1e-18)[inner] for seen in (image, moved))
    assert (here | there).all()
    assert 0.2 < there.mean() < 0.8


def test_what_is_picked_up_doubles_everything_until_it_is_dropped(image):
    ends = SeveralTips((4.0,), (3.0,), (0.0,), KAPPA)
    held = PickedUpAdsorbate(0.25, 0.75, 2e-10, ends)
    z, back = held.apply_both(image, image, np.random.default_rng(3))
    column = int(np.argmax(image[16]))
    np.testing.assert_array_equal(z[:16], image[:16])
    np.testing.assert_array_equal(z[16, :column], image[16, :column])
    np.testing.assert_array_equal(z[48:], image[48:])
    np.testing.assert_array_equal(back[48:], image[48:])
    double = ends.apply(image, np.random.default_rng(0))
    for way, first in ((z, 17), (back, 16)):
        rise = way[first:48] - double[first:48]
        np.testing.assert_allclose(rise, rise[0, 0], rtol=1e-9)
    assert (z - image)[17:48].mean() == pytest.approx(2e-10, rel=0.05)


def test_half_of_the_adsorbates_are_dropped_again():
    drawn = [PickedUpAdsorbate.draw(np.random.default_rng(s), PIXEL) for s in range(400)]
    assert all(d.until > d.where for d in drawn)
    assert np.mean([d.until >= 1 for d in drawn]) > 0.5  # some fall after the end
    kept = PickedUpAdsorbate(0.5, 1.0, 1e-10, SeveralTips((4.0,), (3.0,), (0.0,), KAPPA))
    assert (kept.apply(np.zeros((10, 10)), np.random.default_rng(0))[6:] != 0).all()
