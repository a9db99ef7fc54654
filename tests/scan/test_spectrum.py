import numpy as np
import pytest

from stmviewer.scan import Channel, Curve, Geometry, Grid, Spectrum, Stack


def test_a_curve_is_a_copy_that_nobody_changes() -> None:
    values = np.array([1.0, np.inf, 3.0])
    curve = Curve("Current", "A", values)
    values[0] = 9
    np.testing.assert_array_equal(curve.data, [1, np.nan, 3])
    with pytest.raises(ValueError, match="read-only"):
        curve.data[0] = 0
    with pytest.raises(ValueError, match="2 dimensions"):
        Curve("Current", "A", np.zeros((2, 2)))


def test_curves_are_as_long_as_their_sweep() -> None:
    with pytest.raises(ValueError, match="2 points, its sweep 3"):
        Spectrum(Curve("Bias", "V", np.zeros(3)), [Curve("Current", "A", np.zeros(2))])


def test_a_stack_is_read_once_and_only_when_asked() -> None:
    calls = []

    def load() -> np.ndarray:
        calls.append(1)
        return np.arange(24.0).reshape(2, 3, 4)

    stack = Stack("Current", "A", load)
    grid = Grid(
        channels=[stack],
        parameters=[Channel(axis, "m", np.full((2, 3), n * 1e-9)) for n, axis in enumerate("XYZ", start=1)],
        sweep=Curve("Bias", "V", np.arange(4.0)),
        geometry=Geometry(3, 2, 3e-9, 2e-9),
        measured=np.ones((2, 3), dtype=bool),
    )
    assert not calls
    spectrum = grid.spectrum(1, 2)
    np.testing.assert_array_equal(spectrum.channel("Current").data, [20, 21, 22, 23])
    assert spectrum.position == pytest.approx((1e-9, 2e-9, 3e-9))
    np.testing.assert_array_equal(stack.image(0), [[0, 4, 8], [12, 16, 20]])
    assert len(calls) == 1
