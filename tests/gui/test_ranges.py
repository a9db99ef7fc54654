from pathlib import Path

import numpy as np
import pytest

from stmviewer.files.colours import DEFAULT
from stmviewer.gui.colours import KINDS, MAPS, _table, default_map, table
from stmviewer.gui.quantities import parse, scale_for
from stmviewer.gui.ranges import ColourRange, Display
from stmviewer.scan import RequestError

VALUES = np.linspace(-1e-10, 1e-10, 1001)
PM = scale_for(-1e-10, 1e-10, "m")


def test_the_automatic_range_is_1_to_99_percent() -> None:
    assert ColourRange().limits(VALUES, "m", True) == pytest.approx((-0.98e-10, 0.98e-10))


def test_percentages_are_typed_as_one_likes() -> None:
    wanted = ColourRange.percentiles("5 %", "90,5")
    assert (wanted.low, wanted.high) == (5.0, 90.5)
    assert wanted.limits(VALUES, "m", True) == pytest.approx((-0.9e-10, 0.81e-10))


@pytest.mark.parametrize(
    ("low", "high"), [("99", "1"), ("-1", "50"), ("0", "101"), ("a", "9"), ("nan", "99"), ("", "")]
)
def test_percentages_that_are_none(low: str, high: str) -> None:
    with pytest.raises(RequestError):
        ColourRange.percentiles(low, high)


def test_values_are_typed_with_units() -> None:
    wanted = ColourRange.typed("−50 pm", "0.12 nm", "m", PM, levelled=True)
    assert wanted.limits(VALUES, "m", True) == pytest.approx((-5e-11, 1.2e-10))
    bare = ColourRange.typed("-50", "60,5", "m", PM, levelled=True)  # as the bar is written
    assert bare.limits(VALUES, "m", True) == pytest.approx((-5e-11, 6.05e-11))


@pytest.mark.parametrize(("low", "high"), [("1 V", "2 V"), ("a", "2"), ("5 pm", "5 pm"), ("9 pm", "1 pm"), ("", "1")])
def test_values_that_are_none(low: str, high: str) -> None:
    with pytest.raises(RequestError):
        ColourRange.typed(low, high, "m", PM, levelled=True)


def test_given_ends_hold_only_for_what_they_were_given_for() -> None:
    wanted = ColourRange().with_fixed(-5e-11, 5e-11, "m", True)
    assert wanted.limits(VALUES, "m", True) == (-5e-11, 5e-11)
    automatic = ColourRange().limits(VALUES, "m", True)
    assert wanted.limits(VALUES, "A", True) == automatic  # another channel
    assert wanted.limits(VALUES, "m", False) == automatic  # with its plane
    assert wanted.automatic() == ColourRange()


def test_a_number_without_a_unit_may_have_powers() -> None:
    scale = scale_for(0.0, 2.5e-10, "")
    assert parse("100", "", scale) == pytest.approx(1e-10)
    assert parse("100 ×10⁻¹²", "", scale) == pytest.approx(1e-10)
    with pytest.raises(RequestError, match="type a number"):
        parse("12 pm", "", scale)


def test_the_display_is_remembered_but_not_the_ends_of_one_scan() -> None:
    display = Display(levelled=False, tint=True)
    display = display.with_colouring("heights", map="bids:viridis", inverted=True, range=ColourRange(2, 98))
    given = display.with_colouring("difference", range=ColourRange().with_fixed(0, 1, "m", True))
    assert Display.from_json(given.to_json()) == display


@pytest.mark.parametrize("spoilt", ["", "{", "[1]", '{"levelled": 3, "heights": {"map": "no", "range": {"low": 5}}}'])
def test_spoilt_settings_read_as_their_defaults(spoilt: str) -> None:
    assert Display.from_json(spoilt) == Display()


@pytest.mark.parametrize("kind", KINDS)
def test_every_map_that_is_offered_is_there(kind: str) -> None:
    grey = table("grey")
    for name in MAPS[kind]:  # type: ignore[index]
        colours = table(name)
        assert colours.shape == (256, 3)
        assert name == "grey" or (colours != grey).any(), name  # grey stands in for what is missing
        assert (table(name, inverted=True) == colours[::-1]).all()


def test_maps_of_differences_have_their_light_in_the_middle() -> None:
    for name in MAPS["difference"]:
        light = table(name).astype(int).sum(axis=1)
        assert light[127] > light[0] + 100, name
        assert light[127] > light[255] + 100, name


def test_an_unknown_map_is_grey(caplog: pytest.LogCaptureFixture) -> None:
    assert (table("bids:nothing") == table("grey")).all()
    assert "bids:nothing" in caplog.text
    assert default_map("heights") == "gwyddion-net"


def test_a_map_that_was_missing_is_found_at_the_next_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _table.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr("stmviewer.paths.resources", lambda: tmp_path)
        assert (table(DEFAULT) == table("grey")).all()
    assert not (table(DEFAULT) == table("grey")).all()
    assert (table(DEFAULT, inverted=True) == table(DEFAULT)[::-1]).all()
