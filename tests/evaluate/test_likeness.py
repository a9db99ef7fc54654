import numpy as np
import pytest

from stmviewer.evaluate import likeness
from stmviewer.scan import Progress


def sample(seed, count=40, groups=8, shift=0.0):
    rng = np.random.default_rng(seed)
    place = rng.normal(0, 1, groups)
    values = {
        f.name: place[np.arange(count) % groups, None] + rng.normal(shift, 1, (count, len(f.members)))
        for f in likeness.FAMILIES
    }
    return values, [f"s{k % groups}" for k in range(count)]


def test_wasserstein_of_what_is_known():
    one = np.random.default_rng(0).normal(size=300)
    assert likeness.wasserstein(one, one) == 0
    assert likeness.wasserstein(one, one + 2.5) == pytest.approx(2.5)
    assert likeness.wasserstein(np.array([0.0]), np.array([1.0, 3.0])) == pytest.approx(2)
    assert likeness.wasserstein(one, 3 * one) == pytest.approx(2 * np.abs(one).mean(), rel=0.05)
    assert np.isnan(likeness.wasserstein(one, np.array([])))


def test_wasserstein_is_that_of_scipy():
    from scipy.stats import wasserstein_distance

    rng = np.random.default_rng(1)
    one, other = rng.normal(size=33), rng.exponential(size=50)
    assert likeness.wasserstein(one, other) == pytest.approx(wasserstein_distance(one, other))


def test_distances_are_in_units_of_the_real_spread():
    real = np.random.default_rng(2).normal(0, 0.01, (400, 2))
    moved = real + np.array([0.03, 0.0])
    found = likeness.member_distances(real, moved)
    np.testing.assert_allclose(found, (3, 0), atol=0.2)
    np.testing.assert_allclose(likeness.member_distances(1e6 * real, 1e6 * moved), found)


def test_all_members_at_once_are_the_same_as_one_by_one():
    rng = np.random.default_rng(8)
    real, other = rng.normal(size=(31, 4)), rng.exponential(size=(31, 4))
    real[:, 3] = other[:, 3] = 2.0
    at_once = likeness.member_distances(real, other)
    for k in range(4):
        spread = max(float(likeness.spread_of(real[:, k])), 0.05 * np.ptp(np.append(real[:, k], other[:, k])))
        expected = likeness.wasserstein(real[:, k], other[:, k]) / spread if k < 3 else 0.0
        assert at_once[k] == pytest.approx(expected)


def test_bands_without_a_value_do_not_count():
    real = np.random.default_rng(3).normal(size=(30, 2))
    real[:, 0] = np.nan
    assert np.isnan(likeness.member_distances(real, real)[0])
    assert likeness.member_distances(real, real)[1] == 0


def test_the_interval_holds_the_distance_and_is_by_session():
    real, groups = sample(0)
    near, _ = sample(1)
    far, _ = sample(2, shift=3)
    one, other = (likeness.distance(n, real, s, groups) for n, s in (("near", near), ("far", far)))
    assert one.total < 1 < other.total
    for d in (one, other):
        assert d.interval[0] < d.total < d.interval[1]
        assert d.total == pytest.approx(np.mean(list(d.families.values())))
    alone = likeness.distance("near", real, near, ["the same"] * 40)
    assert np.isnan(alone.interval).all()
    assert alone.total == one.total


def test_real_sessions_differ_among_themselves():
    real, groups = sample(4)
    among = likeness.among_real(real, groups)
    assert 0.1 < likeness.total(among) < 1.5
    assert all(np.isnan(v) for v in likeness.among_real(real, ["one"] * 40).values())


def test_marks_do_not_depend_on_unit_tilt_and_line_offsets():
    rng = np.random.default_rng(5)
    y, x = np.mgrid[0:96, 0:96]
    image = np.sin(x / 5) * np.cos(y / 7) + 0.1 * rng.standard_normal((96, 96))
    one = likeness.marks_of(image)
    other = likeness.marks_of(2e-11 * (image + rng.normal(size=(96, 1)) + 0.3 * x - 0.1 * y) + 5e-8)
    assert set(one) == {f.name for f in likeness.FAMILIES}
    for family in likeness.FAMILIES:
        assert one[family.name].shape == (len(family.members),)
        np.testing.assert_allclose(one[family.name], other[family.name], atol=1e-6, err_msg=family.name)


def test_measuring_counts_and_stops():
    class Told(Exception):
        pass

    def stop(_):
        raise Told

    with pytest.raises(Told):
        likeness.measure([np.zeros((64, 64))], Progress(stop))
