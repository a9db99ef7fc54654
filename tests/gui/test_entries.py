"""Which files the list shows, and in which order: without a window."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stmviewer.evaluate.tip_state import SecondEnd
from stmviewer.gui.folder.entry import Entry, Range, Wanted, day_of, in_order, number_of
from stmviewer.services.events import Thumbnail
from stmviewer.services.file_facts import FileFacts
from stmviewer.services.judging import TipKind, TipState
from stmviewer.services.notes import Note

FACTS = FileFacts(50e-9, 25e-9, 512, 256, -1.2, "2024-05-31", "2024-05-31 12:00:00", (("Z", "forward"),))


def entry(name: str, facts: FileFacts | None = FACTS, tip: TipKind | None = None, note: Note | None = None) -> Entry:
    thumbnail = Thumbnail(Path(name), np.ones((4, 4), np.uint8), "Z forward", facts=facts)
    shares = dict.fromkeys(("good", "double", "change", "blurry"), 0.1)
    state = TipState({**shares, tip: 0.7}, 41 if tip == "change" else None) if tip else None  # type: ignore[arg-type]
    return Entry(Path(name), name, thumbnail, note or Note(), state)


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        (Wanted(), True),
        (Wanted("SCAN 7"), True),
        (Wanted("scan 8"), False),
        (Wanted("pretty"), True),
        (Wanted(size_nm=Range(50, 50)), True),  # the longer side
        (Wanted(size_nm=Range(None, 49)), False),
        (Wanted(bias_v=Range(-2, -1)), True),
        (Wanted(bias_v=Range(0, None)), False),
        (Wanted(first="2024", last="2024"), True),
        (Wanted(first="2024-05-31", last="2024-05"), True),
        (Wanted(first="2024-06"), False),
        (Wanted(last="2024-05-30"), False),
        (Wanted(tips=frozenset({"double"})), True),
        (Wanted(tips=frozenset({"good", "none"})), False),
        (Wanted(starred=True), False),
    ],
)
def test_filters(wanted: Wanted, holds: bool) -> None:
    assert wanted.holds(entry("scan_7.sxm", tip="double", note=Note(False, "Pretty"))) is holds


def test_what_is_not_known_lies_in_no_range() -> None:
    unknown = Entry(Path("a"), "a")
    assert Wanted().holds(unknown)
    for wanted in (Wanted(size_nm=Range(0)), Wanted(bias_v=Range(high=9)), Wanted(first="1900")):
        assert not wanted.holds(unknown)
    assert Wanted(tips=frozenset({"none"})).holds(unknown)


def test_numbers_and_days_as_people_type_them() -> None:
    assert [number_of(text) for text in ("", " 1,5 ", "−2", "3e1")] == [None, 1.5, -2.0, 30.0]
    with pytest.raises(ValueError, match="could not convert"):
        number_of("wide")
    assert [day_of(text) for text in ("", "2024", "2024-05 ", "2024-05-31")] == ["", "2024", "2024-05", "2024-05-31"]
    with pytest.raises(ValueError, match="a day reads"):
        day_of("31.5.2024")


def test_orders_put_the_unknown_last_and_names_decide() -> None:
    small, large = replace(FACTS, width_m=1e-9, height_m=1e-9, bias_v=2.0), replace(FACTS, recorded="2020-01-01 00:00")
    files = [
        entry("d", None),
        entry("c", large, "blurry"),
        entry("b", small, "good", Note(True)),
        entry("a", FACTS, "change"),
    ]
    for order, expected in (
        ("size", "bacd"),
        ("bias", "acbd"),
        ("recorded", "cabd"),
        ("tip", "bacd"),
        ("star", "bacd"),
    ):
        assert "".join(str(p) for p in in_order(files, order)) == expected, order  # type: ignore[arg-type]


def test_what_an_entry_says() -> None:
    said = entry("a", FACTS, "change")
    assert (said.facts_text, said.tip_text) == ("50 nm · −1.2 V", "changed at line 42")
    assert "Tip: changed at line 42 (70 %)" in said.tooltip and "2024-05-31 12:00:00" in said.tooltip
    assert entry("a", replace(FACTS, width_m=None, bias_v=-0.005)).facts_text == "512 × 256 px · −5 mV"
    assert entry("a", replace(FACTS, width_m=2e-6, bias_v=None)).facts_text == "2 µm"
    second = TipState({"good": 0.9, "double": 0.1, "change": 0.0, "blurry": 0.0}, second=SecondEnd(1e-9, 0.0, True))
    repeating = Entry(Path("a"), "a", tip=second)
    assert (repeating.tip_mark, repeating.tip_text) == ("double", "double")
    assert "features repeat at +1, +0 nm" in repeating.tooltip
    unsure = Entry(Path("a"), "a", tip=TipState({"good": 0.4, "double": 0.3, "change": 0.2, "blurry": 0.1}))
    assert (unsure.tip_mark, unsure.tip_text) == ("unsure", "not sure")
    gold = TipState({"good": 0.1, "double": 0.0, "change": 0.0, "blurry": 0.9}, recognised=False)
    other = Entry(Path("a"), "a", tip=gold)
    assert (other.tip_mark, other.tip_text) == ("other", "not judged")
    assert "recondition" not in gold.text
    assert "on another surface it cannot be judged" in gold.text
    assert Entry(Path("a"), "a", tip="too small").tip_mark == "none"


def test_facts_survive_the_cache() -> None:
    assert FileFacts.from_dict(FACTS.to_dict()) == FACTS
    with pytest.raises((KeyError, TypeError)):
        FileFacts.from_dict({"channels": [], "other": 1})


def test_a_converter_that_stands_at_zero_shows_zero() -> None:
    assert entry("a", replace(FACTS, bias_v=-2.2e-16)).facts_text == "50 nm · 0 V"
