"""Reports beside the window: choices, a run with progress, stopping and going on, tables, two reports compared."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib.font_manager  # noqa: F401 (its list of fonts takes a minute to make in a fresh home)
import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QDropEvent
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from stmviewer.evaluate import clip_weights, spaces
from stmviewer.evaluate.spaces import Space
from stmviewer.files import save_scan
from stmviewer.gui.reporting.dialog import ReportDialog
from stmviewer.gui.window import MainWindow
from stmviewer.scan import Cancelled, Channel, Geometry, Scan
from stmviewer.services.jobs import Context

Opener = Callable[..., MainWindow]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(clip_weights.VARIABLE, raising=False)
    own = Space(
        "efficientnet", "Own space", "numbers", 1.0, 1000.0, False, 16, lambda z: np.array([z.std(), np.ptp(z)]) * 1e10
    )
    monkeypatch.setattr(spaces, "stand_ins", lambda: [own])


@pytest.fixture
def good(tmp_path: Path) -> Path:
    y, x = np.mgrid[0:40, 0:40]
    for k in range(2):
        data = 3e-11 * np.sin(x / 1.3 + k) + 1e-12 * np.random.default_rng(k).standard_normal((40, 40)) + 1e-12 * y
        save_scan(Scan([Channel("Z", "m", data)], Geometry(40, 40, 4e-9, 4e-9)), tmp_path / "good" / f"p{k}_1.gwy")
    return tmp_path / "good"


@pytest.fixture
def dialog(open_window: Opener, qtbot: QtBot) -> Iterator[ReportDialog]:
    window = open_window()
    window.menus.actions["report"].trigger()
    found = window.companions.reports.dialog
    assert isinstance(found, ReportDialog)
    yield found
    qtbot.waitUntil(lambda: not window.session.desk.busy, timeout=200_000)


def choose(dialog: ReportDialog, good: Path, out: Path) -> None:
    dialog.form.pristine.set_path(str(good))
    dialog.form.report.set_path(str(out))
    dialog.form.choose_models(["linear"])
    for task, box in dialog.form.tasks.items():
        box.setChecked(task == "lines:2")
    dialog.form.more_tasks.setText("lines:4")


def at_rest(qtbot: QtBot, dialog: ReportDialog) -> None:
    qtbot.waitUntil(lambda: not dialog.busy, timeout=200_000)


def test_what_is_missing_is_said_and_nothing_can_be_started(dialog: ReportDialog, good: Path) -> None:
    form = dialog.form
    assert not dialog.run_button.isEnabled()
    assert dialog.run_button.toolTip() == "Choose a folder of good scans"
    choose(dialog, good, good.parent / "r.html")
    assert dialog.run_button.isEnabled()
    form.steps.setText("four")
    assert "whole numbers" in dialog.run_button.toolTip()
    form.steps.setText("1, 4")
    assert form.values()["steps"] == (1, 4)
    assert form.values()["tasks"] == ("lines:2", "lines:4")
    form.choose_models([])
    assert dialog.run_button.toolTip() == "Choose a model"
    form.choose_models(["linear"])
    form.tasks["lines:2"].setChecked(False)
    form.more_tasks.clear()
    assert dialog.run_button.toolTip() == "Choose a task"
    form.more_tasks.setText("lines:4")
    form.report.set_path("")
    assert dialog.run_button.toolTip() == "Choose where the report goes"


def test_networks_are_ticked_at_first_and_the_choice_is_remembered(open_window: Opener, dialog: ReportDialog) -> None:
    assert dialog.form.chosen_models() == ["regression-sim", "flow-sim"]
    dialog.form.choose_models(["flow-sim", "linear"])
    dialog.form.images.setValue(7)
    dialog.form.pristine.set_path("/some/where")
    dialog.form.remember()
    dialog.close()
    again = open_window()
    again.companions.reports.show()
    form = again.companions.reports.dialog.form  # type: ignore[union-attr]
    assert form.chosen_models() == ["flow-sim", "linear"]
    assert form.images.value() == 7
    assert str(form.pristine.path()) == "/some/where"


def test_a_report_is_made_shown_and_opened(
    dialog: ReportDialog, good: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = good.parent / "r.html"
    choose(dialog, good, out)
    dialog.form.choose_models(["linear"])
    dialog.form.more_tasks.setText("")
    # linear alone is what it is compared with: nothing to compare, said in one line
    dialog.run_button.click()
    at_rest(qtbot, dialog)
    assert "nothing to compare" in dialog.status.toolTip() + dialog.status.text()
    assert not out.exists()
    monkeypatch.setattr(dialog.form, "chosen_models", lambda: ["cubic", "linear"])
    dialog.run_button.click()
    assert dialog.run_button.text() == "Cancel"
    assert not dialog.form.isEnabled()
    at_rest(qtbot, dialog)
    assert out.is_file()
    assert out.with_suffix(".json").is_file()
    shown = dialog.shown.toPlainText()
    assert "cubic" in shown
    assert "SSIM" in shown
    assert "CMMD is not computed" in shown
    assert dialog.run_button.text() == "Run"
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url) or True)
    dialog.open_button.click()
    assert opened[0].toLocalFile() == str(out)
    dialog.compare(out.with_suffix(".json"), out.with_suffix(".json"))
    at_rest(qtbot, dialog)
    assert "the same" in dialog.shown.toPlainText()
    dialog.compare(out, out)
    at_rest(qtbot, dialog)
    assert "no report" in dialog.status.toolTip() + dialog.status.text() or "no whole report" in dialog.status.text()


def test_a_stopped_run_goes_on(dialog: ReportDialog, good: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    from stmviewer.evaluate.study import run

    out = good.parent / "r.html"
    choose(dialog, good, out)
    monkeypatch.setattr(dialog.form, "chosen_models", lambda: ["cubic"])
    real, done = run._one, []

    def stop(*arguments: object) -> None:
        done.append(1)
        if len(done) == 4:
            dialog._running.cancel()
            raise Cancelled
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(run, "_one", stop)
    dialog.run_button.click()
    at_rest(qtbot, dialog)
    assert "go on from here" in dialog.status.toolTip() + dialog.status.text()
    assert not out.exists()
    before = len(done)
    dialog.run_button.click()
    at_rest(qtbot, dialog)
    assert out.is_file()
    assert len(done) - before == 2 + 2 * 4 - 3  # good images, two tasks by two methods, less those done before


def test_closing_the_dialog_stops_the_run(dialog: ReportDialog, good: Path, qtbot: QtBot) -> None:
    choose(dialog, good, good.parent / "r.html")
    dialog.form.choose_models(["linear", "regression-sim"])
    dialog.run_button.click()
    dialog.close()
    assert not dialog._running.busy


def test_folders_can_be_chosen_and_dropped(dialog: ReportDialog, good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(good))
    dialog.form.degraded.button.click()
    assert dialog.form.degraded.path() == good
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(good / "name"), ""))
    dialog.form.report.button.click()
    assert dialog.form.report.path() == good / "name.html"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    dialog.form.report.button.click()
    assert dialog.form.report.path() == good / "name.html"
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(good))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    dialog.form.pristine.dropEvent(QDropEvent(QPointF(2, 2), Qt.DropAction.CopyAction, mime, buttons, keys))
    assert dialog.form.pristine.path() == good


def test_two_files_are_needed_to_compare(dialog: ReportDialog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (["a.json"], ""))
    dialog.compare_button.click()
    assert "two reports" in dialog.status.toolTip() + dialog.status.text()


def test_closing_the_window_asks_about_a_report_under_way(
    open_window: Opener, qtbot: QtBot, closing_is_answered: list[list[str]]
) -> None:
    window = open_window()
    window.menus.actions["report"].trigger()
    found = window.companions.reports.dialog
    assert isinstance(found, ReportDialog) and not window.companions.reports.busy
    begun = threading.Event()

    def endless(context: Context) -> None:
        begun.set()
        while True:
            context.progress.check()

    found._running.start("Report", endless)
    qtbot.waitUntil(begun.is_set)
    window.close()
    assert closing_is_answered == [["a report"]] and window.ended_cleanly
