"""Work on parts in several threads gives what it gives in one, in order, and its errors."""

import threading

import pytest

from stmviewer.scan.threads import in_threads, slices


def test_results_come_in_the_order_of_the_parts() -> None:
    assert in_threads(lambda part: part.start, slices(1000, 7)) == list(range(0, 1000, 7))
    assert in_threads(lambda part: part, []) == []


def test_slices_cover_everything_once() -> None:
    covered = [k for part in slices(23, 5) for k in range(23)[part]]
    assert covered == list(range(23))
    assert slices(0, 5) == []


def test_an_error_of_one_part_is_told_and_no_thread_stays() -> None:
    def work(part: int) -> int:
        if part == 3:
            raise ValueError("the third")
        return part

    before = threading.active_count()
    with pytest.raises(ValueError, match="the third"):
        in_threads(work, range(6))
    assert threading.active_count() == before
