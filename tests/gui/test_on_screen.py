"""Windows are no larger than the screen that they open on."""

import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication, QDialog
from pytestqt.qtbot import QtBot

from stmviewer.gui import on_screen
from stmviewer.gui.beside import BesideWindow
from stmviewer.gui.settings import Settings
from stmviewer.gui.window import MainWindow

from .bench import Bench

#: a laptop at a scale of 150 %, less the title bar
LAPTOP = QSize(1280, 680)


def test_the_window_fits_on_a_small_screen(bench: Bench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_screen, "room_for", lambda _window: LAPTOP)
    window = MainWindow(bench.services, Settings(bench.settings_path))
    assert window.size() == LAPTOP
    window.close()


@pytest.mark.parametrize(("wanted", "size"), [((1300, 760), (1280, 680)), ((960, 600), (960, 600))])
def test_dialogs_fit_too(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, wanted: tuple[int, int], size: tuple[int, int]
) -> None:
    monkeypatch.setattr(on_screen, "room_for", lambda _window: LAPTOP)

    def dialog() -> QDialog:
        made = QDialog()
        made.resize(*wanted)
        return made

    beside = BesideWindow(dialog)
    beside.show()
    assert beside.dialog is not None and beside.dialog.size().toTuple() == size
    beside.close()
    qtbot.waitUntil(lambda: beside.dialog is None)


def test_the_room_is_that_of_the_screen_less_a_title_bar(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    dialog = QDialog()
    qtbot.addWidget(dialog)
    monkeypatch.setattr(on_screen.QGuiApplication, "platformName", lambda: "xcb")
    screen = QApplication.primaryScreen().availableGeometry()
    room = on_screen.room_for(dialog)
    assert room is not None and room.width() == screen.width() and 0 < screen.height() - room.height() < 80
