"""How much of the findings is seen: as much as there is room for."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from stmviewer.gui.panes.trust_list import TrustList
from stmviewer.gui.trust import Finding

FINDINGS = [
    Finding("look", "Training", "the model was trained on other pixels", "Outside of its training a model guesses."),
    Finding("unknown", "Residual", "0 rms at measured pixels", "Interpolation goes through every measured pixel."),
    Finding("ok", "Lattice", "no period was invented, none was lost", "Waves before and after are compared."),
]
ROOMY, USUAL, LOW = (500, 400), (500, 90), (500, 40)


@pytest.fixture
def found(qtbot: QtBot) -> TrustList:
    trust = TrustList()
    qtbot.addWidget(trust)
    trust.put_above(QLabel("Linear interpolation, 2 s"), QLabel("SSIM\n0.9\n0.8"))
    trust.resize(*USUAL)
    trust.show()
    trust.show_findings(FINDINGS, table=True)
    return trust


def test_texts_where_they_fit(found: TrustList) -> None:
    assert all(row.isVisible() and not row.meaning.isVisible() for row in found.rows)
    assert found.marks == []
    assert not found.verticalScrollBar().isVisible()


def test_what_they_mean_where_there_is_room(found: TrustList) -> None:
    found.resize(*ROOMY)
    assert all(row.meaning.isVisible() for row in found.rows)
    assert not found.verticalScrollBar().isVisible()
    found.resize(*USUAL)
    assert not any(row.meaning.isVisible() for row in found.rows)


def test_marks_alone_where_there_is_none(found: TrustList, qtbot: QtBot) -> None:
    found.resize(*LOW)
    assert not any(row.isVisible() for row in found.rows)
    assert [mark.accessibleName().split(":")[1].strip() for mark in found.marks] == ["Training", "Residual", "Lattice"]
    assert "trained on other pixels" in found.marks[0].toolTip() and "guesses" in found.marks[0].toolTip()
    qtbot.waitUntil(lambda: not found.verticalScrollBar().isVisible())
    found.resize(*USUAL)
    assert found.marks == [] and all(row.isVisible() for row in found.rows)


def test_what_matters_most_in_words_where_not_all_fits(found: TrustList, qtbot: QtBot) -> None:
    more = [Finding("ok", f"Check {k}", "nothing stands out", "Each is looked at.") for k in range(9)]
    found.show_findings([*FINDINGS, *more], table=True)
    found.resize(500, 110)
    assert [row.isVisible() for row in found.rows] == [True] * 2 + [False] * 10
    assert len(found.marks) == 10 and found.marks[0].accessibleName().startswith("ok: Lattice")
    places = [mark.mapTo(found, mark.rect().topLeft()) for mark in found.marks]
    assert all(place.y() > found.rows[1].geometry().bottom() for place in places)
    qtbot.waitUntil(lambda: not found.verticalScrollBar().isVisible())
    qtbot.mouseClick(found.rows[0], Qt.MouseButton.LeftButton)
    assert found.rows[0].meaning.isVisible()
    found.show_findings(FINDINGS, table=True)
    assert found.marks == [] and all(row.isVisible() for row in found.rows)


def test_the_tip_of_a_mark_is_no_wider_than_one_reads(found: TrustList) -> None:
    long = Finding("unknown", "Dimer rows", "Si(001) at 90° and 0° were followed", "word " * 60)
    found.show_findings([long], table=True)
    found.resize(*LOW)
    tip = found._marks[0].toolTip()
    assert tip.startswith("Dimer rows: Si(001) at 90° and 0° were followed.\nword word")
    assert max(map(len, tip.splitlines())) <= 80


def test_what_the_user_has_opened_or_closed_stays_so(found: TrustList, qtbot: QtBot) -> None:
    qtbot.mouseClick(found.rows[1], Qt.MouseButton.LeftButton)
    assert found.rows[1].meaning.isVisible()
    found.resize(*ROOMY)
    qtbot.mouseClick(found.rows[0], Qt.MouseButton.LeftButton)
    assert [row.meaning.isVisible() for row in found.rows] == [False, True, True]
    found.resize(*USUAL)
    found.show_findings(FINDINGS, table=True)
    assert [row.meaning.isVisible() for row in found.rows] == [False, True, False]
