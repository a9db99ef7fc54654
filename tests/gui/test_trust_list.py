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
ROOMY, USUAL, LOW = (500, 400), (500, 90), (500, 50)


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


def test_what_the_user_has_opened_or_closed_stays_so(found: TrustList, qtbot: QtBot) -> None:
    qtbot.mouseClick(found.rows[1], Qt.MouseButton.LeftButton)
    assert found.rows[1].meaning.isVisible()
    found.resize(*ROOMY)
    qtbot.mouseClick(found.rows[0], Qt.MouseButton.LeftButton)
    assert [row.meaning.isVisible() for row in found.rows] == [False, True, True]
    found.resize(*USUAL)
    found.show_findings(FINDINGS, table=True)
    assert [row.meaning.isVisible() for row in found.rows] == [False, True, False]
