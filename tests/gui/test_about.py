"""The about box: version, places, licences."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

import stmviewer
from stmviewer import paths
from stmviewer.gui.about import AboutDialog, LicenceDialog, licence_text


def test_it_says_which_version_this_is_and_where_the_user_s_things_are(qtbot: QtBot) -> None:
    dialog = AboutDialog()
    qtbot.addWidget(dialog)
    words = "\n".join(label.text() for label in dialog.findChildren(QLabel))
    assert f"stmviewer {stmviewer.__version__}" in words
    assert "not measured" in words
    for place in (paths.user_models(), paths.settings(), paths.logs()):
        assert str(place) in words
    assert "run from Python" in words
    dialog.copy_button.click()
    assert str(paths.logs()) in QApplication.clipboard().text()


def test_licences_open_over_it_and_close(qtbot: QtBot) -> None:
    dialog = AboutDialog()
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.licences_button.click()
    (licences,) = dialog.findChildren(LicenceDialog)
    assert licences.isVisible()
    assert "numpy" in licences.text.toPlainText()
    licences.close()
    dialog.close()


def test_the_texts_of_the_build_are_shown_where_there_are_some(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = tmp_path / "THIRD_PARTY_LICENSES.txt"
    monkeypatch.setattr(paths, "licences", lambda: text)
    assert "cannot be read" in licence_text()
    text.write_text("Qt: LGPL-3.0", encoding="utf-8")
    assert licence_text() == "Qt: LGPL-3.0"
