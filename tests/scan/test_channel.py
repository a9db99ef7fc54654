"""Channels: read once, never changed, nothing but finite numbers and NaN; and which of them can be restored."""

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
