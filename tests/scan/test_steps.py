"""Processing steps are data: written, read and replayed they do the same."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stmviewer.scan import History, RequestError, Step
from stmviewer.scan.levelling import fit_plane, row_offsets
from stmviewer.scan.steps import STEPS


def scan_data() -> np.ndarray:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:30, 0:40]
    data: np.ndarray = 1e-9 * (0.1 * x - 0.2 * y + np.sin(x) + rng.normal(0, 1, 30)[:, None])
    data[4, 5] = np.nan
    data.flags.writeable = False
    return data


def test_each_step_does_what_its_name_says() -> None:
    data = scan_data()
    assert np.array_equal(Step("level-plane").apply(data), data - fit_plane(data), equal_nan=True)
    aligned = Step("align-rows", {"method": "median-difference"}).apply(data)
    assert np.array_equal(aligned, data - row_offsets(data)[:, None], equal_nan=True)
    assert np.nanmin(Step("fix-zero").apply(data)) == 0.0
    assert all(np.array_equal(np.isnan(Step(name).apply(data)), np.isnan(data)) for name in STEPS)


def test_steps_of_an_empty_scan_leave_it_empty() -> None:
    for name in STEPS:
        assert np.isnan(Step(name).apply(np.full((6, 6), np.nan))).all()


def test_a_history_replays_in_order_and_leaves_the_data_alone() -> None:
    data = scan_data()
    history = History().then(Step("level-plane")).then(Step("align-rows")).then(Step("fix-zero"))
    by_hand = data - fit_plane(data)
    by_hand = by_hand - row_offsets(by_hand)[:, None]
    by_hand = by_hand - np.nanmin(by_hand)
    assert np.array_equal(history.replay(data), by_hand, equal_nan=True)
    assert np.array_equal(History().replay(data), data, equal_nan=True)
    assert [s.name for s in history] == ["level-plane", "align-rows", "fix-zero"]


def test_undo_is_an_earlier_history() -> None:
    first = History().then(Step("fix-zero"))
    second = first.then(Step("level-plane"))
    assert (len(first), len(second)) == (1, 2)
    assert History(second.steps[:-1]) == first


values = st.one_of(st.integers(), st.floats(allow_nan=False), st.text(), st.booleans())
steps = st.builds(Step, st.text(), st.dictionaries(st.text(), values, max_size=4))


@settings(deadline=None)
@given(st.lists(steps, max_size=5))
def test_histories_survive_json(made: list[Step]) -> None:
    history = History(tuple(made))
    assert History.from_json(history.to_json()) == history


def test_a_history_that_was_read_replays_the_same() -> None:
    data = scan_data()
    history = History((Step("level-plane"), Step("align-rows", {"method": "median-difference"}), Step("fix-zero")))
    read = History.from_json(json.dumps(json.loads(history.to_json())))
    assert np.array_equal(read.replay(data), history.replay(data), equal_nan=True)


@pytest.mark.parametrize("text", ["", "{", "5", "null", "[1]", '["level-plane"]', '[{"parameters": {}}]', "[[]]"])
def test_what_is_no_history_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="not a history of processing steps"):
        History.from_json(text)


@pytest.mark.parametrize(
    "text", ['[{"name": 5}]', '[{"name": ["a"]}]', '[{"name": "fix-zero", "parameters": [1]}]', '{"name": "fix-zero"}']
)
def test_histories_of_wrong_types_are_refused_when_read(text: str) -> None:
    with pytest.raises(RequestError, match="not a history of processing steps"):
        History.from_json(text)


def test_unknown_steps_and_parameters_are_named() -> None:
    data = scan_data()
    with pytest.raises(RequestError, match="'sharpen' is unknown; there are level-plane, align-rows, fix-zero"):
        Step("sharpen").apply(data)
    with pytest.raises(RequestError, match=r"'level-plane' does not take .'order': 2."):
        Step("level-plane", {"order": 2}).apply(data)
    with pytest.raises(RequestError, match="not by 'mean'"):
        Step("align-rows", {"method": "mean"}).apply(data)
