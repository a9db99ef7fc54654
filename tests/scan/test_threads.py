"""Work on parts in several threads gives what it gives in one, in order, and its errors."""

import threading

import pytest

from stmviewer.scan.threads import in_threads, slices


def test_results_come_in_the_order_of_the_parts() -> None:
    parts = slices(1000, 7)
    assert in_threads(lambda part: part.start, parts) == [part.start for part in parts]
    assert in_threads(lambda part: part, []) == []


def test_parts_of_large_images_are_worked_one_after_the_other() -> None:
    names = in_threads(lambda _: threading.current_thread().name, range(6), pixels=4096**2)
    assert set(names) == {threading.current_thread().name}


@pytest.mark.parametrize(("count", "size"), [(23, 5), (64, 32), (5, 8), (1, 1), (3, 1)])
def test_slices_cover_everything_once(count: int, size: int) -> None:
    parts = slices(count, size)
    assert [k for part in parts for k in range(count)[part]] == list(range(count))
    assert max(part.stop - part.start for part in parts) <= size


def test_of_nothing_there_are_no_slices() -> None:
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
