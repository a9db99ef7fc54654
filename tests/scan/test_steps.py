"""Processing steps are data: written, read and replayed they do the same."""

import json
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stmviewer.scan import Cancelled, Geometry, History, Progress, RequestError, Step
from stmviewer.scan.levelling import fit_plane, row_offsets
from stmviewer.scan.processing.catalogue import KINDS
from stmviewer.scan.processing.image import Image
from stmviewer.scan.processing.kinds import Value
from stmviewer.scan.steps import StepError

#: what a kind needs to be told
NEEDED = {
    "fft-filter": "fft-filter:remove,0.2 0 0.1",
    "mask-brush": "mask-brush:3,10 10 20 12",
    "mask-threshold": "mask-threshold:-2e-8,1e-8",
    "drift": "drift:lattice,square",
    "crop": "crop:2,3,40,35",
    "low-pass": "low-pass:4",
    "band-pass": "band-pass:4,20",
}


def scan_data() -> np.ndarray:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:60, 0:64]
    z = np.sin(2 * np.pi * x / 6.0) + np.sin(2 * np.pi * y / 6.0)
    data: np.ndarray = 1e-9 * (0.1 * x - 0.2 * y + 2 * z + rng.normal(0, 0.2, 60)[:, None])
    data[4, 5] = np.nan
    data.flags.writeable = False
    return data


def test_each_step_does_what_its_name_says() -> None:
    data = scan_data()
    plane = History.from_text("plane").replay_data(data)
    assert np.array_equal(plane, data - fit_plane(data), equal_nan=True)
    aligned = History.from_text("align-rows").replay_data(data)
    assert np.array_equal(aligned, data - row_offsets(data)[:, None], equal_nan=True)
    assert np.nanmin(History.from_text("fix-zero").replay_data(data)) == 0.0
    assert np.nanmean(History.from_text("fix-zero:mean").replay_data(data)) == pytest.approx(0, abs=1e-22)


@pytest.mark.parametrize("name", list(KINDS))
def test_no_step_touches_what_it_gets(name: str) -> None:
    data = scan_data()
    kept = data.copy()
    image = Image(data, Geometry(64, 60, 64e-9, 60e-9), data)
    after = History.from_text(NEEDED.get(name, name)).replay(image)
    assert np.array_equal(data, kept, equal_nan=True)
    assert after.data.shape == after.geometry.shape
    assert after.other is not None and after.other.shape == after.data.shape
    assert not np.shares_memory(after.data, data)


@pytest.mark.parametrize("name", list(KINDS))
def test_steps_survive_text_and_json(name: str) -> None:
    history = History.from_text(NEEDED.get(name, name))
    assert History.from_text(history.to_text()) == History.from_text(History.from_text(history.to_text()).to_text())
    data = scan_data()
    once = history.replay_data(data)
    for again in (History.from_text(history.to_text()), History.from_json(history.to_json())):
        assert np.array_equal(again.replay_data(data), once, equal_nan=True)


def test_a_history_replays_in_order_and_leaves_the_data_alone() -> None:
    data = scan_data()
    history = History().then(Step("plane")).then(Step("align-rows")).then(Step("fix-zero"))
    by_hand = data - fit_plane(data)
    by_hand = by_hand - row_offsets(by_hand)[:, None]
    by_hand = by_hand - np.nanmin(by_hand)
    assert np.array_equal(history.replay_data(data), by_hand, equal_nan=True)
    assert np.array_equal(History().replay_data(data), data, equal_nan=True)
    assert [s.name for s in history] == ["plane", "align-rows", "fix-zero"]


def test_what_is_switched_off_does_nothing() -> None:
    data = scan_data()
    off = History((Step("plane", enabled=False), Step("fix-zero")))
    assert np.array_equal(off.replay_data(data), History((Step("fix-zero"),)).replay_data(data), equal_nan=True)
    assert off.to_text() == "fix-zero"
    assert History.from_json(off.to_json()) == off


def test_the_text_of_a_command_line() -> None:
    history = History.from_text("plane; align-rows:median; crop:10,10,20,30; rotate:angle=-12.5")
    assert [s.name for s in history] == ["plane", "align-rows", "crop", "rotate"]
    assert history.steps[1].parameters == {"method": "median"}
    assert history.steps[2].parameters == {"left": 10, "top": 10, "width": 20, "height": 30}
    assert history.to_text() == "plane; align-rows:median; crop:10,10,20,30; rotate:-12.5"
    assert History.from_text("") == History()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sharpen", "'sharpen' is unknown; there are plane, facet"),
        ("plane:soft", "fit is robust or all, not 'soft'"),
        ("plane:robust,3", r"takes 1 parameters \(fit\)"),
        ("facet:3", r"takes 0 parameters \(none\)"),
        ("polynomial:1.5", "order_x is a whole number, not 1.5"),
        ("polynomial:99", "order_x is 0 to 12, not 99"),
        ("polynomial:order=2", "has no parameter 'order'; it has: order_x, order_y"),
        ("crop:a,b", "left is a number, not 'a'"),
        ("rotate:nan", "angle is a number, not nan"),
    ],
)
def test_text_that_is_no_history_is_refused(text: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        History.from_text(text)


def test_histories_are_edited_by_making_new_ones() -> None:
    history = History.from_text("plane; facet; fix-zero")
    assert [s.name for s in history.moved(2, 0)] == ["fix-zero", "plane", "facet"]
    assert [s.name for s in history.without(1)] == ["plane", "fix-zero"]
    assert [s.name for s in history.before(1)] == ["plane"]
    assert [s.name for s in history.replaced(0, Step("median"))] == ["median", "facet", "fix-zero"]
    assert [s.name for s in history] == ["plane", "facet", "fix-zero"]
    assert history.in_words() == "Plane, Facets, Set zero"
    assert not history.alters and history.then(Step("scars")).alters


def test_the_step_that_fails_is_named() -> None:
    history = History.from_text("plane; polynomial:2,9")
    with pytest.raises(StepError, match=r"step 2 \(polynomial\): a polynomial of order 9 needs at least 10 lines") as e:
        history.replay_data(np.random.default_rng(0).normal(size=(3, 20)))
    assert e.value.index == 1
    with pytest.raises(RequestError, match="nothing was measured"):
        history.replay_data(np.full((6, 6), np.nan))
    assert np.isnan(History().replay_data(np.full((6, 6), np.nan))).all()


def test_it_can_be_stopped() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        History.from_text("facet").replay(Image.of_pixels(scan_data()), Progress(stop=stop))


values = st.one_of(st.integers(), st.floats(allow_nan=False), st.text(), st.booleans())
steps = st.builds(Step, st.text(), st.dictionaries(st.text(), values, max_size=4), st.booleans())


@settings(deadline=None)
@given(st.lists(steps, max_size=5))
def test_histories_survive_json(made: list[Step]) -> None:
    history = History(tuple(made))
    assert History.from_json(history.to_json()) == history


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(list(KINDS)), st.dictionaries(st.text(max_size=6), values, max_size=3))
def test_wrong_parameters_are_requests_that_cannot_be_met(name: str, given: dict[str, Value]) -> None:
    """Whatever stands in a file: a step is done, or refused in words."""
    try:
        completed = KINDS[name].completed(given)
    except RequestError:
        return
    assert set(completed) == {p.name for p in KINDS[name].parameters}


@pytest.mark.parametrize("text", ["", "{", "5", "null", "[1]", '["plane"]', '[{"parameters": {}}]', "[[]]"])
def test_what_is_no_history_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="not a history of processing steps"):
        History.from_json(text)


@pytest.mark.parametrize(
    "item",
    [
        {"name": 5},
        {"name": ["a"]},
        {"name": "fix-zero", "parameters": [1]},
        {"name": "fix-zero", "parameters": {"at": None}},
        {"name": "fix-zero", "enabled": 1},
    ],
)
def test_histories_of_wrong_types_are_refused_when_read(item: dict[str, object]) -> None:
    with pytest.raises(RequestError, match="not a history of processing steps"):
        History.from_json(json.dumps([item]))
    with pytest.raises(RequestError, match="not a history of processing steps"):
        History.from_json(json.dumps(item))
