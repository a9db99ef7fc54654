"""Progress only ever goes forward, and cancelling stops at the next tick."""

import threading
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stmviewer.scan import Cancelled, Progress
from stmviewer.scan.progress import Advance


class Recorder:
    def __init__(self) -> None:
        self.seen: list[Advance] = []

    def __call__(self, advance: Advance) -> None:
        self.seen.append(advance)

    @property
    def fractions(self) -> list[float]:
        return [a.fraction for a in self.seen]


def test_ticks_count_to_one() -> None:
    seen = Recorder()
    progress = Progress(seen, total=4, step="Filtering")
    for _ in range(4):
        progress.tick()
    assert seen.fractions == [0.25, 0.5, 0.75, 1.0]
    assert {a.step for a in seen.seen} == {"Filtering"}


def test_a_part_counts_in_its_own_ticks() -> None:
    seen = Recorder()
    progress = Progress(seen)
    loading = progress.part(0.2, "Loading")
    loading.tick()
    working = progress.part(0.8, "Working", total=4)
    for _ in range(4):
        working.tick()
    assert seen.fractions == pytest.approx([0, 0.2, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert [a.step for a in seen.seen] == ["Loading"] * 2 + ["Working"] * 5


def test_parts_of_parts_and_of_progress_with_a_total() -> None:
    seen = Recorder()
    outer = Progress(seen).part(0.5, "A", total=10)
    outer.tick(5)
    inner = outer.part(0.5, "B", total=2)  # the rest of the first half: 0.25 to 0.5
    inner.tick()
    inner.tick()
    assert seen.fractions == pytest.approx([0, 0.25, 0.25, 0.375, 0.5])


def test_a_part_without_a_name_keeps_that_of_the_whole() -> None:
    seen = Recorder()
    Progress(seen, step="Restoring").part(1.0).tick()
    assert {a.step for a in seen.seen} == {"Restoring"}


def test_more_ticks_than_announced_stay_at_the_end() -> None:
    seen = Recorder()
    part = Progress(seen).part(0.5, total=2)
    part.tick(7)
    part.tick()
    assert seen.fractions == pytest.approx([0, 0.5, 0.5])


# a job is a tree: numbers are ticks, pairs are parts (share of the whole, total, what is done in it)
trees = st.recursive(
    st.lists(st.floats(0, 3), max_size=4),
    lambda children: st.lists(
        st.one_of(st.floats(0, 3), st.tuples(st.floats(0, 1), st.integers(0, 7), children)), max_size=4
    ),
    max_leaves=25,
)


def walk(progress: Progress, tree: list[Any]) -> None:
    for item in tree:
        if isinstance(item, tuple):
            share, total, inside = item
            walk(progress.part(share, total=total), inside)
        else:
            progress.tick(item)


@settings(deadline=None, max_examples=300)
@given(trees, st.integers(0, 7))
def test_however_work_is_nested_the_bar_never_goes_back(tree: list[Any], total: int) -> None:
    seen = Recorder()
    walk(Progress(seen, total=total), tree)
    fractions = seen.fractions
    assert all(0 <= f <= 1 for f in fractions)
    assert all(later >= earlier - 1e-12 for earlier, later in pairwise(fractions))
    assert all(a.eta_s is None or a.eta_s >= 0 for a in seen.seen)


@settings(deadline=None, max_examples=100)
@given(trees, st.integers(0, 12))
def test_cancel_is_raised_at_the_next_tick_however_deep(tree: list[Any], after: int) -> None:
    stop = threading.Event()
    count = 0

    def report(_: Advance) -> None:
        nonlocal count
        count += 1
        if count > after:
            stop.set()

    with suppress(Cancelled):
        walk(Progress(report, stop), tree)
    assert count <= after + 1  # nothing is reported after it was asked to stop


def test_check_raises_and_reports_nothing() -> None:
    seen, stop = Recorder(), threading.Event()
    progress = Progress(seen, stop)
    progress.check()
    stop.set()
    for again in (progress.check, progress.tick, lambda: progress.part(0.5)):
        with pytest.raises(Cancelled):
            again()
    assert seen.seen == []


def test_time_left_is_guessed_from_the_part_that_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("stmviewer.scan.progress.time.monotonic", lambda: now)
    seen = Recorder()
    progress = Progress(seen, total=100)
    progress._root.started = now
    progress.tick()
    now = 110.0
    progress.tick(24)
    assert [a.eta_s for a in seen.seen] == [None, pytest.approx(30.0)]
    progress.tick(75)
    assert seen.seen[-1].eta_s == 0
