import math

import pytest

from stmviewer.gui.quantities import duration, length, quantity, round_length, scale_for


@pytest.mark.parametrize(
    ("low", "high", "unit", "texts"),
    [
        (-8e-11, 1.3e-10, "m", ("−80", "130 pm")),
        (0.0, 1.5e-9, "m", ("0.00", "1.50 nm")),
        (4.8e-11, 5.2e-11, "A", ("48.00", "52.00 pA")),
        (-30.0, 40.0, "Hz", ("−30.0", "40.0 Hz")),
        (-2.5, 170.0, "deg", ("−2", "170 deg")),
        (0.0, 254.0, "", ("0", "254")),
        (0.0, 2.5e-10, "", ("0", "250 ×10⁻¹²")),
    ],
)
def test_a_range_is_written_in_one_prefix(low: float, high: float, unit: str, texts: tuple[str, str]) -> None:
    scale = scale_for(low, high, unit)
    assert (scale.number(low), scale.text(high)) == texts


def test_the_ends_of_a_narrow_range_far_from_zero_differ() -> None:
    scale = scale_for(-1.234567e-7, -1.234569e-7, "m")
    assert scale.label == "nm"
    assert scale.number(-1.234567e-7) != scale.number(-1.234569e-7)


def test_no_value_and_zero() -> None:
    scale = scale_for(-1e-10, 1e-10, "m")
    assert scale.text(math.nan) == "not measured"
    assert scale.text(-1e-16) == "0 pm"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (5e-11, "A", "50 pA"),
        (-1.8, "V", "−1.8 V"),
        (9.999e-10, "A", "1 nA"),
        (1234.0, "Hz", "1.23 kHz"),
        (0.0, "m", "0 m"),
    ],
)
def test_single_values(value: float, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


@pytest.mark.parametrize(
    ("longest", "bar"), [(6.0, 5.0), (5.0, 5.0), (4.9999, 2.0), (1.0, 1.0), (0.99, 0.5), (0.03, 0.02), (1999, 1000)]
)
def test_scale_bars_have_round_lengths(longest: float, bar: float) -> None:
    assert round_length(longest) == pytest.approx(bar, rel=1e-12)


@pytest.mark.parametrize(
    ("value", "unit", "text"), [(20, "nm", "20 nm"), (0.5, "nm", "500 pm"), (2000, "nm", "2 µm"), (50, "px", "50 px")]
)
def test_lengths(value: float, unit: str, text: str) -> None:
    assert length(value, unit) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.42, "0.4 s"), (12.3, "12 s"), (59.7, "1 min"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_times(seconds: float, text: str) -> None:
    assert duration(seconds) == text
