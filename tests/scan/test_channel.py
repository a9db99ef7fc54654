"""Channels: read once, never changed, nothing but finite numbers and NaN; and which of them can be restored."""

import warnings

import numpy as np
import pytest

from stmviewer.scan import Channel


def test_data_is_read_when_first_asked_for_and_once() -> None:
    calls = []

    def load() -> np.ndarray:
        calls.append(1)
        return np.arange(6, dtype=np.float32).reshape(2, 3)

    channel = Channel("Z", "m", load)
    assert calls == []
    assert channel.data is channel.data
    assert channel.measured.all()
    assert calls == [1]
    assert channel.data.dtype == np.float64


def test_nobody_elses_array_is_changed_or_trusted() -> None:
    given = np.array([[1.0, np.inf], [-np.inf, np.nan]])
    kept = given.copy()
    channel = Channel("Z", "m", given)
    assert np.array_equal(channel.data, [[1.0, np.nan], [np.nan, np.nan]], equal_nan=True)
    assert np.array_equal(given, kept, equal_nan=True)
    given[0, 0] = 5.0
    assert channel.data[0, 0] == 1.0


def test_an_array_that_nobody_can_write_to_is_not_copied() -> None:
    given = np.array([[1.0, np.nan], [3.0, 4.0]])
    given.flags.writeable = False
    assert Channel("Z", "m", given).data is given


def test_a_read_only_view_and_infinite_values_are_copied() -> None:
    owner = np.ones((4, 4))
    view = owner[:2]
    view.flags.writeable = False
    channel = Channel("Z", "m", view)
    assert channel.data[0, 0] == 1.0
    owner[0, 0] = 5.0
    assert channel.data[0, 0] == 1.0
    infinite = np.array([[1.0, np.inf], [2.0, 3.0]])
    infinite.flags.writeable = False
    assert np.isnan(Channel("Z", "m", infinite).data[0, 1])


def test_data_and_measured_are_read_only() -> None:
    channel = Channel("Z", "m", np.ones((4, 4)))
    for array in (channel.data, channel.measured):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 0


def test_infinite_values_are_not_measured() -> None:
    data = np.zeros((4, 5))
    data[1, 2], data[3, 0], data[0, 0] = np.inf, -np.inf, np.nan
    channel = Channel("Z", "m", data)
    assert channel.measured.sum() == 17
    assert channel.measured_fraction == 17 / 20


def test_a_stack_is_no_image() -> None:
    with pytest.raises(ValueError, match="Z backward has 3 dimensions"):
        _ = Channel("Z", "m", np.zeros((2, 2, 2)), "backward").data


def mostly_nan(known: int) -> np.ndarray:
    data = np.full((10, 10), np.nan)
    data.flat[:known] = np.arange(known)
    return data


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (np.full((20, 20), np.nan), "no pixel was measured"),
        (np.full((20, 20), np.inf), "no pixel was measured"),
        (np.array([[1.0]]), "1 x 1 pixels are too few"),
        (np.random.default_rng(0).random((30, 7)), "7 x 30 pixels are too few"),
        (mostly_nan(15), "only 15 pixels were measured"),
        (np.full((20, 20), -3.2e-9), "same value"),
        (np.full((20, 20), 1 / 3) * (1 + np.finfo(float).eps), "same value"),
        (np.where(np.eye(20) > 0, np.nan, 5.0), "same value"),
        (np.zeros((20, 20)), "same value"),
    ],
)
def test_what_cannot_be_restored_says_why(data: np.ndarray, reason: str) -> None:
    assert reason in (Channel("Z", "m", data).why_not_restorable() or "")


@pytest.mark.parametrize(
    "data",
    [
        np.random.default_rng(0).random((8, 8)),
        mostly_nan(16),
        -1e-7 + 1e-12 * np.random.default_rng(0).random((20, 20)),
    ],
)
def test_what_can_be_restored(data: np.ndarray) -> None:
    assert Channel("Z", "m", data).why_not_restorable() is None


def test_lines_are_read_alone_where_a_reader_can() -> None:
    image = np.arange(70.0).reshape(10, 7)
    image[4, 2] = np.inf
    asked: list[range] = []

    def load_lines(which: range) -> np.ndarray:
        asked.append(which)
        return image[which.start : which.stop : which.step]

    channel = Channel("Z", "m", lambda: pytest.fail("the whole image was read"), load_lines=load_lines)
    some = channel.lines(3, 10)
    np.testing.assert_array_equal(some, np.where(np.isfinite(image), image, np.nan)[1::3])
    assert asked == [range(1, 10, 3)] and not some.flags.writeable
    assert channel.lines(99, 10).tolist() == [image[9].tolist()]


def test_lines_of_an_image_in_memory_are_not_read_again() -> None:
    image = np.arange(70.0).reshape(10, 7)
    channel = Channel("Z", "m", image, load_lines=lambda _: pytest.fail("read again"))
    _ = channel.data
    np.testing.assert_array_equal(channel.lines(4, 10), image[2::4])
    np.testing.assert_array_equal(Channel("Z", "m", image).lines(4, 10), image[2::4])


def test_a_damaged_value_is_not_measured_and_no_warning() -> None:
    channel = Channel("Z", "m", lambda: np.array([[1e300, 1.0]]) * np.float64(1e300))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(channel.measured, [[False, True]])
