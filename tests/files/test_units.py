import numpy as np
import pytest

from stmviewer.files.titles import Names, parse_title, title_of
from stmviewer.files.units import parse_quantity, quantity_in, shown_quantity, shown_unit, si_unit
from stmviewer.scan import Channel


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("1.0E-10 A", 1e-10, "A"),
        ("-0.4 V", -0.4, "V"),
        ("100 pA", 1e-10, "A"),
        ("2,5E-10 A", 2.5e-10, "A"),
        ("-1.400E+1 Hz", -14.0, "Hz"),
        ("  31", 31.0, ""),
        (".5 µm", 5e-7, "m"),
    ],
)
def test_quantities(text: str, value: float, unit: str) -> None:
    found = parse_quantity(text)
    assert found is not None
    assert found == (pytest.approx(value, rel=1e-15), unit)


@pytest.mark.parametrize("text", ["", "A", "n/a", "NaN", "Inf", "1e999 A"])
def test_what_is_no_quantity(text: str) -> None:
    assert parse_quantity(text) is None


def test_a_quantity_of_another_unit_is_none() -> None:
    assert quantity_in("-14 Hz", "A") is None
    assert quantity_in("1e-10", "A") == 1e-10


@pytest.mark.parametrize(
    ("unit", "si"),
    [("nm", ("m", 1e-9)), ("m", ("m", 1.0)), ("deg", ("deg", 1.0)), ("kHz", ("Hz", 1e3)), ("Pa", ("Pa", 1.0)),
     ("min", ("min", 1.0)), ("Å", ("m", 1e-10)), ("mm", ("m", 1e-3)), ("", ("", 1.0)), ("%", ("%", 1.0))],
)  # fmt: skip
def test_si_units(unit: str, si: tuple[str, float]) -> None:
    assert si_unit(unit) == si


@pytest.mark.parametrize(
    ("largest", "unit", "shown"),
    [(3e-10, "m", "pm"), (1e-9, "m", "nm"), (9.99e-10, "m", "pm"), (2e-10, "A", "pA"), (5.0, "V", "V"),
     (170.0, "deg", "deg"),
     (1e-30, "m", "fm"), (0.0, "m", "m"), (float("nan"), "m", "m")],
)  # fmt: skip
def test_shown_units_keep_the_value(largest: float, unit: str, shown: str) -> None:
    name, factor = shown_unit(largest, unit)
    assert name == shown
    prefixes = {"pm": 1e-12, "nm": 1e-9, "fm": 1e-15, "pA": 1e-12}
    assert factor == pytest.approx(1 / prefixes.get(name, 1.0))


def test_shown_quantities() -> None:
    assert shown_quantity(2.5e-10, "A") == "250 pA"
    assert shown_quantity(-0.05, "V") == "-50 mV"
    assert shown_quantity(5e-9, "m") == "5 nm"


def test_titles_round_trip() -> None:
    image = np.zeros((2, 2))
    for role in ("raw", "mask", "restored", "deviation", "residual"):
        for direction in ("forward", "backward"):
            channel = Channel("LI Demod 1 X", "A", image, direction, role)
            assert parse_title(title_of(channel)) == ("LI Demod 1 X", direction, role)


def test_distinct_names_never_meet() -> None:
    names = Names()
    given = [names.distinct(n, "forward") for n in ("Z", "Z", "Z (2)", "z", "Z")]
    assert given == ["Z", "Z (2)", "Z (2) (2)", "z (3)", "Z (4)"]
    assert names.distinct("Z", "backward") == "Z"
    assert names.distinct("Z", "forward", "restored") == "Z"
