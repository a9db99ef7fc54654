from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stmviewer.gui.trust import bar_warnings, changed_text, findings, residual_text
from stmviewer.restore import HiddenScore, Restoration, RestoreRequest
from stmviewer.restore.cells import Cells, cell_checks
from stmviewer.restore.checks import NO_SECOND_END, Check
from stmviewer.restore.false_heights import FalseHeights, Jump
from stmviewer.restore.rows import Rows, row_checks
from stmviewer.scan import Geometry

from .bench import make_scan, restoration_of, surface

REPAIR = RestoreRequest("repair", model="flow-sim")
SPARSE = RestoreRequest("sparse", model="flow-sim", mask="lines:4")
SPARSE_FRAME = Geometry(64, 64, 64 * 0.2e-9, 64 * 0.2e-9)


def result(request: RestoreRequest = SPARSE, **changes: Any) -> Restoration:
    return replace(restoration_of(make_scan(), request), **changes)


def told(restoration: Restoration) -> dict[str, tuple[str, str]]:
    return {f.about: (f.mark, f.text) for f in findings(restoration)}


def tried(shown: float, linear: float) -> dict[str, Any]:
    scores = [
        {"method": "flow-sim", "error": shown, "expected": shown / 2},
        {"method": "linear", "error": linear, "expected": linear / 2},
    ]
    return {"self_check": {"scores": scores, "range": 1e-10}, "methods": [{"name": "flow-sim", "sha256": "ab"}]}


def test_a_small_residual_is_good_only_where_something_was_kept_from_the_method() -> None:
    assert told(result())["Residual"][0] == "ok"
    assert told(result(REPAIR))["Residual"][0] == "unknown"
    large = np.where(result().mask.measured, 1e-10, np.nan)
    mark, text = told(result(residual=large))["Residual"]
    assert mark == "look"
    assert text.startswith("100 pm rms at measured pixels")
    none = np.where(result().mask.measured, 0.0, np.nan)
    assert told(result(residual=none))["Residual"][0] == "unknown"  # interpolation
    assert "Residual" not in told(result(residual=np.full((64, 64), np.nan)))
    assert residual_text(result()) == "1 pm rms"


def test_hidden_pixels_say_who_is_better() -> None:
    assert told(result())["Hidden pixels"][0] == "ok"
    worse = (HiddenScore("flow-sim", 0.8, 20, 0.7, 20, 9e-12), HiddenScore("linear", 0.9, 25, 0.8, 25, 5e-12))
    mark, text = told(result(scores=worse, warnings=("On the hidden pixels linear is better",)))["Hidden pixels"]
    assert mark == "look"
    assert text.endswith("interpolation does better here")
    assert "Note" not in told(result(scores=worse, warnings=("On the hidden pixels linear is better",)))
    tie = (HiddenScore("auto", 0.8, 20, 0.738, 20, 9e-12), HiddenScore("linear", 0.9, 25, 0.746, 25, 5e-12))
    assert told(result(scores=tie))["Hidden pixels"][0] == "ok"


def test_the_self_check_of_a_sparse_scan() -> None:
    long = Check("self-check", "Self-check: with every 2nd line hidden, too, flow-sim misses it by 8 pm; and so on")
    good = result(checks=(long,), provenance=tried(8e-12, 1.6e-11))
    assert told(good)["Self-check"] == ("ok", "4 pm expected in the gaps, linear interpolation 8 pm")
    finer = tried(8e-12, 1.6e-11)
    finer["self_check"]["unseen_below"] = "0.8 nm across the lines"
    text = told(result(checks=(long,), provenance=finer))["Self-check"][1]
    assert (
        text == "4 pm expected in the gaps, linear interpolation 8 pm, if nothing is finer than 0.8 nm across the lines"
    )
    cells = told(result(checks=(long,), provenance=finer | {"cells": {"evidence": 80.0}}))["Self-check"][1]
    assert cells.endswith(
        "if the lattice is that which was followed and nothing else is finer than 0.8 nm across the lines"
    )
    opened = next(f for f in findings(good) if f.about == "Self-check")
    assert opened.more.startswith("with every 2nd line")
    assert told(result(checks=(long,), provenance=tried(2e-11, 1e-11)))["Self-check"][0] == "look"
    little = Check("self-check", "Self-check: too little was measured to hide a part of it, so there is nothing")
    assert told(result(checks=(little,)))["Self-check"][0] == "unknown"
    assert told(result(SPARSE.replaced(check=False)))["Self-check"] == ("unknown", "not asked for")


def test_the_self_check_of_a_repair() -> None:
    none = Check("self-check", "Self-check: the other scan direction is not in the file, so there is nothing to check")
    assert told(result(REPAIR, checks=(none,)))["Self-check"][0] == "unknown"
    alike = Check("self-check", "Self-check: forward and backward, repaired apart, differ by 3 pm (as measured 9 pm)")
    assert told(result(REPAIR, checks=(alike,)))["Self-check"][0] == "ok"
    worse = replace(alike, text=alike.text + ": the repair made them less alike", warns=True)
    assert told(result(REPAIR, checks=(worse,)))["Self-check"][0] == "look"


@pytest.mark.parametrize(
    ("text", "mark", "in_bar"),
    [
        ("the restored image has a period of 1 nm that the measured part does not have: it is invented", "look", True),
        ("the measured part has a period of 1 nm at 0° that the restored image lacks", "look", True),
        ("a period of 1 nm at 0° cannot be verified: on the measured pixels it looks the same", "unknown", False),
    ],
)  # fmt: skip
def test_periods_that_are_not_as_they_should_be(text: str, mark: str, in_bar: bool) -> None:
    checked = result(checks=(Check("lattice", f"Lattice check: {text}", warns=True),))
    assert told(checked)["Lattice"][0] == mark
    assert ("invented" in text) == ("invented" in told(checked)["Lattice"][1])
    assert bool(bar_warnings(checked)) == in_bar


def test_periods_that_are_or_cannot_be_told() -> None:
    assert told(result())["Lattice"] == ("ok", "no period was invented, none was lost")
    assert told(result(SPARSE.replaced(check=False)))["Lattice"][0] == "unknown"
    small = restoration_of(make_scan(data=surface(16, 16)), REPAIR)
    assert told(small)["Lattice"][0] == "unknown"


def test_the_range_of_the_training() -> None:
    assert "Training" not in told(result())  # nothing learned
    learned = tried(1e-12, 2e-12)
    assert told(result(provenance=learned))["Training"] == ("unknown", "not compared with that of the model")
    within = Check("range", "Within what the model was trained on: pixel size and noise")
    assert told(result(provenance=learned, checks=(within,)))["Training"] == (
        "ok",
        "Within what the model was trained on",
    )
    old = Check("range", "Cannot tell whether the scan is like those of the training: flow-mine does not record it")
    mark, text = told(result(provenance=learned, checks=(old,)))["Training"]
    assert (mark, text) == ("unknown", "Cannot tell whether the scan is like those of the training")
    (opened,) = [f for f in findings(result(provenance=learned, checks=(old,))) if f.about == "Training"]
    assert opened.more == "“Texture network · mine” does not record it"  # what was said above is not said twice
    out = Check("range", "The model was trained on pixels of 0.1 to 0.3 nm; these are 0.8 nm: hide a part", warns=True)
    warned = result(checks=(out,), warnings=(out.text, "The lines do not lie on rows of square pixels"))
    mark, text = told(warned)["Training"]
    assert (mark, text) == ("look", "The model was trained on pixels of 0.1 to 0.3 nm; these are 0.8 nm")
    assert told(warned)["Note"][0] == "look"
    assert bar_warnings(warned) == ["The lines do not lie on rows of square pixels"]


def test_a_tip_with_several_ends_is_told_in_the_list_and_in_the_bar() -> None:
    seen = Check("tip", "Tip: 41 features of this scan repeat. What they show is still in the repair", warns=True)
    twice = result(REPAIR, checks=(seen,), warnings=(seen.text,))
    assert told(twice)["Tip"] == ("look", "the surface is seen twice")
    assert "Note" not in told(twice)
    assert bar_warnings(twice) == [seen.text]
    advice = Check("tip", "Tip: as it is; the box for it below Task, or restore --tips, takes it out", warns=True)
    assert bar_warnings(result(REPAIR, checks=(advice,), warnings=(advice.text,))) == [
        "Tip: as it is; the box for it below Task takes it out"
    ]
    (tip,) = [f for f in findings(twice) if f.about == "Tip"]
    assert tip.more.startswith("41 features")
    out = Check("tip", "Tip: 41 features of this scan repeat. What they show was taken out before the repair")
    taken = result(REPAIR.replaced(tips=True), checks=(out,))
    assert told(taken)["Tip"] == ("ok", "the second image was taken out")
    assert bar_warnings(taken) == []
    worse = result(REPAIR.replaced(tips=True), checks=(replace(out, warns=True),), warnings=(out.text,))
    assert told(worse)["Tip"] == ("look", "the second image was taken out, but the repair fits the scan worse")


def test_a_second_end_that_was_not_found_is_told_where_it_was_asked_for() -> None:
    none = result(REPAIR.replaced(tips=True), checks=(Check("tip", NO_SECOND_END),))
    assert told(none)["Tip"] == ("unknown", "no second end was found in this scan, and nothing was taken out")
    assert bar_warnings(none) == []


def test_heights_that_were_taken_out_are_told() -> None:
    heights = FalseHeights((Jump(21, 5, False, 126e-12),), 0.0, 1e-15)
    checks = tuple(heights.checks((64, 64), "m"))
    told = result(RestoreRequest(task="repair"), checks=checks, warnings=(checks[0].text,))
    jump, bow = [f for f in findings(told) if f.about == "Heights"]
    assert (jump.mark, bow.mark) == ("look", "ok")
    assert jump.text.endswith("130 pm at line 22 was taken out")
    assert "step edge" in jump.more
    assert not [f for f in findings(told) if f.about == "Note"]
    assert bar_warnings(told) == [checks[0].text]


def test_followed_rows_are_told() -> None:
    across = np.array([0.1, 0.2])
    seen = Rows(across, np.array([0.2, -0.1]), np.array([[9.0], [1.0]]), np.zeros((2, 1)), 28.0, 50.0)
    followed = row_checks(seen, ["regression-sim"], networks=True)
    (rows,) = [f for f in findings(result(SPARSE, checks=tuple(followed))) if f.about == "Dimer rows"]
    assert (rows.mark, rows.text) == ("unknown", "Si(001) at 27° were followed through the gaps")
    assert rows.more.startswith("gaps of that width")
    assert "compare with “Thin plate”" in rows.more
    missed = row_checks(None, ["dimer-rows"], networks=False)
    told_ = result(SPARSE, checks=tuple(missed), warnings=(missed[0].text,))
    assert told(told_)["Dimer rows"][0] == "look"
    assert not [f for f in findings(told_) if f.about == "Note"]
    assert bar_warnings(told_) == []


def test_a_followed_unit_cell_is_told() -> None:
    found = Cells(np.array([[0.05, 0.0], [0.0, 0.06]]), 60.0, 12, 14, SPARSE_FRAME)
    followed = cell_checks(found, ["regression-sim"], networks=True)
    (cell,) = [f for f in findings(result(SPARSE, checks=tuple(followed))) if f.about == "Unit cell"]
    assert (cell.mark, cell.text) == (
        "unknown",
        "4 × 3.33 nm was followed through the gaps",
    )
    assert "defect that lies in a gap is drawn as an intact cell" in cell.more and "“Thin plate”" in cell.more
    missed = cell_checks(None, ["unit-cell"], networks=False)
    told_ = result(SPARSE, checks=tuple(missed), warnings=(missed[0].text,))
    assert told(told_)["Unit cell"][0] == "look"
    assert not [f for f in findings(told_) if f.about == "Note"]
    assert bar_warnings(told_) == []


def test_too_little_memory_is_told() -> None:
    check = Check("memory", "The memory was too small: restored in tiles of 128 pixels", warns=True)
    small = result(REPAIR, checks=(check,), warnings=(check.text,))
    assert told(small)["Note"] == ("look", check.text)
    assert bar_warnings(small) == [check.text]


def test_what_should_be_looked_at_comes_first_and_everything_says_what_it_means() -> None:
    out = Check("range", "The model was trained on something else", warns=True)
    found = findings(result(checks=(out,), warnings=(out.text,)))
    assert [f.mark for f in found] == sorted((f.mark for f in found), key=["look", "unknown", "ok"].index)
    assert all(f.meaning.endswith(".") for f in found)


def test_how_much_was_inferred() -> None:
    assert changed_text(result()) == "75 % inferred"
    assert changed_text(result(REPAIR)) == "every pixel inferred"


def test_what_is_out_of_reach_is_told_and_the_self_check_does_not_speak_for_it() -> None:
    text = "32 % of the image lies more than 8 pixels from anything that was measured: what is drawn there is made up"
    wide = result(
        checks=(Check("self-check", "Self-check: fine"), Check("gap", text, warns=True)),
        warnings=(text,),
        provenance=tried(2e-12, 4e-12),
    )
    said = told(wide)
    assert said["Note"] == ("look", text)
    assert said["Self-check"][1].startswith("1 pm expected in the gaps near measured pixels")
    assert text in bar_warnings(wide)
    assert "near measured pixels" not in told(replace(wide, checks=wide.checks[:1], warnings=()))["Self-check"][1]
