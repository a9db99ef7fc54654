import threading

import numpy as np
import pytest

from stmviewer.scan import Cancelled
from stmviewer.train.prefetch import Prefetcher

from . import tiny


def threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "stmviewer-batches"]


class _Counting:
    """Batches that say which samples they hold; fails at a sample, if asked to."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.fails_at = fails_at
        self.made = 0
        self.three = threading.Event()

    def batch(self, indices, first=None, check=lambda: None):
        if self.fails_at in indices:
            raise ValueError("a damaged sample")
        self.made += 1
        if self.made == 3:
            self.three.set()
        numbers = np.array(list(indices), dtype=np.float32)
        return numbers, numbers, numbers, numbers


def test_batches_come_in_order_from_the_step_asked_for():
    with Prefetcher(_Counting(), 3, start_step=2) as batches:
        stream = iter(batches)
        first, second = next(stream), next(stream)
    assert first[0].tolist() == [6, 7, 8]
    assert second[0].tolist() == [9, 10, 11]


def test_batches_are_those_of_the_maker():
    maker = tiny.maker()
    with Prefetcher(maker, 2) as batches:
        found = next(iter(batches))
    for tensor, array in zip(found, maker.batch(range(2)), strict=True):
        np.testing.assert_array_equal(tensor.numpy(), array)


def test_the_thread_ends_when_the_block_is_left():
    with Prefetcher(_Counting(), 1, depth=2) as batches:
        next(iter(batches))
        assert len(threads()) == 1
    assert not threads()


def test_the_thread_ends_when_its_queue_is_full_and_nobody_reads():
    counting = _Counting()
    batches = Prefetcher(counting, 1, depth=2)
    assert counting.three.wait(20)  # two in the queue, one in hand
    batches.close()
    assert not threads()
    assert counting.made <= 4


def test_the_thread_ends_when_the_block_is_left_by_an_error():
    with pytest.raises(KeyError), Prefetcher(_Counting(), 1) as batches:
        next(iter(batches))
        raise KeyError
    assert not threads()


def test_an_error_in_the_thread_reaches_the_reader_in_its_turn():
    with Prefetcher(_Counting(fails_at=4), 2) as batches:
        stream = iter(batches)
        assert next(stream)[0].tolist() == [0, 1]
        assert next(stream)[0].tolist() == [2, 3]
        with pytest.raises(ValueError, match="a damaged sample"):
            next(stream)
    assert not threads()


def test_closing_twice_is_closing():
    batches = Prefetcher(_Counting(), 1)
    batches.close()
    batches.close()
    assert not threads()


def test_who_reads_on_after_the_end_is_told_so_and_does_not_wait():
    batches = Prefetcher(_Counting(), 1)
    stream = iter(batches)
    next(stream)
    batches.close()
    with pytest.raises(RuntimeError, match="has ended"):
        list(stream)


def test_who_reads_on_after_an_error_is_told_so_and_does_not_wait():
    with Prefetcher(_Counting(fails_at=0), 1) as batches:
        with pytest.raises(ValueError, match="a damaged sample"):
            next(iter(batches))
        with pytest.raises(RuntimeError, match="has ended"):
            next(iter(batches))


class _Slow:
    """A batch that is never ready, and looks whether it is still wanted."""

    def __init__(self) -> None:
        self.begun = threading.Event()

    def batch(self, indices, first=None, check=lambda: None):
        self.begun.set()
        while True:
            check()


def test_a_batch_that_is_not_wanted_any_more_is_not_made_to_its_end():
    slow = _Slow()
    with Prefetcher(slow, 1):
        assert slow.begun.wait(20)
    assert not threads()


def test_who_waits_for_a_batch_can_be_stopped():
    progress = tiny.stopping_after(0)
    with Prefetcher(_Slow(), 1, progress=progress) as batches:
        progress._root.stop.set()
        with pytest.raises(Cancelled):
            next(iter(batches))
    assert not threads()


def test_a_batch_is_made_sample_by_sample():
    maker, calls = tiny.maker(), []

    def check() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise KeyError

    with pytest.raises(KeyError):
        maker.batch(range(8), None, check)
    assert len(calls) == 3
