"""The tabs at the right: by mouse, by keyboard, remembered."""

from collections.abc import Callable

from pytestqt.qtbot import QtBot

from stmviewer.gui.window import MainWindow

from .bench import Bench

Opener = Callable[..., MainWindow]


def test_each_tab_has_a_shortcut_and_is_remembered(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    path = bench.add("scan.sxm")
    window = open_window(path)
    assert window.tabs.current == "restore"
    assert window.run_controls.isVisible()
    for name, keys in (("process", "Ctrl+2"), ("measure", "Ctrl+3")):
        action = window.menus.actions[f"tab-{name}"]
        assert action.shortcut().toString() == keys
        action.trigger()
        assert window.tabs.current == name
        assert action.isChecked()
        assert getattr(window.workspace, {"process": "processing", "measure": "measuring"}[name]).isVisible()
        assert not window.run_controls.isVisible()
    window.close()
    assert open_window(path).tabs.current == "measure"


def test_the_arrow_keys_turn_the_tabs(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    from PySide6.QtCore import Qt

    window = open_window(bench.add("scan.sxm"))
    window.tabs.bar.setFocus()
    qtbot.keyClick(window.tabs.bar, Qt.Key.Key_Right)
    assert window.tabs.current == "process"


def test_a_tab_that_another_version_knew_is_no_tab_here(bench: Bench, open_window: Opener) -> None:
    window = open_window(bench.add("scan.sxm"))
    window.tabs.show_tab("measure")
    window.tabs.show_tab("dance")
    assert window.tabs.current == "measure"
