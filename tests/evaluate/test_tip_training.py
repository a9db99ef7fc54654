import numpy as np
import pytest

from stmviewer.evaluate.tip_state import softmax
from stmviewer.evaluate.tip_training import fit_head, fit_temperature, folds, report, soft_labels, table


def planted(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Four kinds, rare ones too, a unit apart in four of six features."""
    labels = rng.choice(4, count, p=(0.6, 0.2, 0.1, 0.1))
    values = rng.normal(size=(count, 6)) * 5 + 3
    values[np.arange(count), labels] += 15
    return values, labels


def test_planted_kinds_are_told_apart():
    rng = np.random.default_rng(0)
    values, labels = planted(rng, 800)
    head = fit_head(values, labels, 1e-3)
    others, theirs = planted(rng, 800)
    found = report(head.probabilities(others), theirs)
    assert found.accuracy > 0.85
    assert found.balanced > 0.8


def test_labels_that_more_people_gave_count_for_more():
    shares = soft_labels(np.array([0, 1, 1, 3]), np.array([1, 1, 6, 2]))
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert (shares.argmax(axis=1) == [0, 1, 1, 3]).all()
    assert shares[2, 1] > shares[1, 1]
    assert shares[1, 0] > shares[1, 2]  # an asymmetric tip that is none is a good one


def test_doubtful_labels_make_doubtful_answers():
    rng = np.random.default_rng(2)
    values, labels = planted(rng, 800)
    sure = fit_head(values, labels, 1e-3).probabilities(values).max(axis=1)
    shares = soft_labels(labels, np.ones(len(labels)))
    doubtful = fit_head(values, labels, 1e-3, shares=shares).probabilities(values)
    assert doubtful.max(axis=1).mean() < sure.mean() - 0.05
    assert report(doubtful, labels).accuracy > 0.85


def test_the_temperature_of_overconfident_logits_is_found():
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(4000, 4)) * 1.5
    labels = np.array([rng.choice(4, p=p) for p in softmax(logits)])
    assert fit_temperature(3 * logits, labels) == pytest.approx(3, rel=0.1)
    assert report(softmax(logits), labels).ece < 0.03
    assert report(softmax(3 * logits), labels).ece > 0.1


def test_report_by_hand():
    shares = np.array([[0.95, 0.05, 0, 0], [0.85, 0.15, 0, 0], [0.05, 0.95, 0, 0], [0.25, 0.75, 0, 0]])
    found = report(shares, np.array([0, 1, 1, 1]))
    assert found.accuracy == 0.75
    assert found.balanced == pytest.approx((1 + 2 / 3) / 2)
    np.testing.assert_array_equal(found.confusion[:2, :2], [[1, 0], [1, 2]])
    # bins: 0.95 twice right, 0.85 wrong, 0.75 right
    assert found.ece == pytest.approx(0.5 * 0.05 + 0.25 * 0.85 + 0.25 * 0.25)
    assert "| double | 1 | 2 | 0 | 0 | 0.67 |" in table(found)


def test_folds_hold_whole_sessions_and_are_about_equal():
    sessions = ["a"] * 50 + ["b"] * 30 + ["c"] * 25 + ["d"] * 5
    found = folds(sessions, 2)
    assert set(found) == {"a", "b", "c", "d"}
    sizes = [sum(found[s] == k for s in sessions) for k in (0, 1)]
    assert sizes == [55, 55]


def test_views_of_an_image_are_never_turned():
    """Noise runs along lines: horizontal stripes stay so, in flips and coarser versions."""
    import importlib.util
    from pathlib import Path

    path = Path(__file__).parents[1] / "tools" / "train_tipstate.py"
    spec = importlib.util.spec_from_file_location("train_tipstate", path)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    rows = np.random.default_rng(0).random((512, 1)) * np.ones((1, 512))
    found = tool.views(rows)
    assert len(found) == len(tool.VIEWS)
    for _, view in found:
        assert min(view.shape) >= 64
        assert np.ptp(view, axis=1).max() < 1e-12
        assert np.ptp(view, axis=0).min() > 0.5
    small = tool.views(rows[:120, :120])
    assert all(min(view.shape) >= 64 for _, view in small)
    assert len(small) < len(tool.VIEWS)
