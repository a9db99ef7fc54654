"""The desktop turns dark while the window is open."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from stmviewer.gui import theme
from stmviewer.gui.theme import is_dark
from stmviewer.gui.window import MainWindow

Opener = Callable[..., MainWindow]


class Hints:
    """What the desktop says: pretended, since a test cannot change the desktop."""

    scheme = Qt.ColorScheme.Light

    def colorScheme(self) -> Qt.ColorScheme:
        return self.scheme

    def setColorScheme(self, _: Qt.ColorScheme) -> None: ...

    def unsetColorScheme(self) -> None: ...


def test_the_window_follows_the_desktop_and_the_list_is_drawn_anew(
    open_window: Opener, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    hints = Hints()
    real = QApplication.styleHints()
    monkeypatch.setattr(theme, "hints_of", lambda _app: hints)
    (tmp_path / "scans").mkdir()
    for k in range(2):
        np.save(tmp_path / "scans" / f"{k}.npy", np.random.default_rng(k).normal(size=(16, 16)))
    window = open_window(tmp_path / "scans")
    window.grab()
    entry = window.files.model.entries[0]
    light = entry.drawn
    assert light is not None and not is_dark(window.palette())
    hints.scheme = Qt.ColorScheme.Dark
    real.colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert is_dark(window.palette()) and is_dark(window.files.list.palette())
    window.grab()
    assert entry.drawn is not None and entry.drawn is not light
    window.set_theme("light")  # from now on the desktop does not matter
    real.colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert not is_dark(window.palette())


def test_a_closed_window_dresses_nothing_any_more(open_window: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    hints = Hints()
    monkeypatch.setattr(theme, "hints_of", lambda _app: hints)
    window = open_window()
    assert not is_dark(QApplication.palette())
    window.close()
    hints.scheme = Qt.ColorScheme.Dark
    QApplication.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert not is_dark(QApplication.palette())
