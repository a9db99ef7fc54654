"""The Process page: from a step to the image, undo, drawing, copying, the whole folder."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from stmviewer.files import open_scan
from stmviewer.gui.processing.editing import Editor
from stmviewer.gui.processing.step_list import step_text
from stmviewer.gui.session import steps
from stmviewer.gui.shown import StepFault, processed_shown
from stmviewer.gui.window import MainWindow
from stmviewer.restore import RestoreRequest
from stmviewer.scan import History, Step
from stmviewer.scan.processing.catalogue import KINDS
from stmviewer.scan.processing.scans import processed

from .bench import Bench, settled

Opener = Callable[..., MainWindow]


def data_of(window: MainWindow) -> np.ndarray:
    assert window.session.shown is not None
    return window.session.shown.channel.data


def said(window: MainWindow, topic: str) -> str:
    message = window.messages.message(topic)
    return message.text if message is not None else ""


def expected(window: MainWindow, steps: str) -> np.ndarray:
    assert window.session.shown is not None
    raw = window.session.shown.raw
    return processed(raw.scan, raw.channel, History.from_text(steps))[1].data


def drag(window: MainWindow, start: QPointF, end: QPointF, pane: str = "raw") -> None:
    """Drags with the left button between two places (nm) on a pane."""
    widget = window.view.panes[pane].viewport_widget  # type: ignore[index]
    view = window.view.panes[pane].view  # type: ignore[index]

    def on_screen(at: QPointF) -> QPoint:
        return widget.mapFromScene(view.mapViewToScene(at))

    port = widget.viewport()
    QTest.mousePress(port, Qt.MouseButton.LeftButton, pos=on_screen(start))
    for part in (0.3, 0.7, 1.0):
        QTest.mouseMove(port, on_screen(start + (end - start) * part))
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, pos=on_screen(end))


@pytest.fixture
def window(bench: Bench, open_window: Opener) -> MainWindow:
    opened = open_window(bench.add("scan.sxm"), bench.add("second.sxm"))
    opened.show_tab("process")
    return opened


def test_without_steps_the_page_says_what_to_do(window: MainWindow) -> None:
    panel = window.workspace.processing
    assert panel.empty.isVisible() and "Add a step" in panel.empty.text()
    assert not panel.list.isVisible() and not panel.form.isVisible() and not panel.undo.isEnabled()
    assert not window.menus.actions["copy-steps"].isEnabled()


def test_steps_change_what_is_seen_and_nothing_else(window: MainWindow, qtbot: QtBot) -> None:
    raw = data_of(window)
    kept = raw.copy()
    for name in ("plane", "align-rows"):
        window.menus.actions[f"step-{name}"].trigger()
        settled(qtbot, window)
    assert np.array_equal(data_of(window), expected(window, "plane; align-rows"), equal_nan=True)
    assert window.view.panes["raw"].title == "Processed"
    assert np.array_equal(raw, kept, equal_nan=True)
    window.menus.actions["undo-step"].trigger()
    settled(qtbot, window)
    assert np.array_equal(data_of(window), expected(window, "plane"), equal_nan=True)
    window.menus.actions["undo-step"].trigger()
    settled(qtbot, window)
    assert data_of(window) is raw
    window.menus.actions["redo-step"].trigger()
    settled(qtbot, window)
    assert np.array_equal(data_of(window), expected(window, "plane"), equal_nan=True)


def test_ticks_order_and_deletion(window: MainWindow, qtbot: QtBot) -> None:
    processing, list_ = window.workbench.processing, window.workspace.processing.list
    processing.take(History.from_text("plane; fix-zero; median"))
    settled(qtbot, window)
    list_.item(1).setCheckState(Qt.CheckState.Unchecked)
    settled(qtbot, window)
    assert np.array_equal(data_of(window), expected(window, "plane; median"))
    list_.setCurrentRow(2)
    qtbot.keyClick(list_, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    qtbot.keyClick(list_, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    settled(qtbot, window)
    assert [s.name for s in processing.history] == ["median", "plane", "fix-zero"]
    assert np.array_equal(data_of(window), expected(window, "median; plane"))
    qtbot.keyClick(list_, Qt.Key.Key_Delete)
    settled(qtbot, window)
    assert [s.name for s in processing.history] == ["plane", "fix-zero"]
    list_.model().moveRow(list_.rootIndex(), 0, list_.rootIndex(), 2)
    settled(qtbot, window)
    assert [s.name for s in processing.history] == ["fix-zero", "plane"]


def test_parameters_are_edited_and_one_undo_takes_all_notches_back(window: MainWindow, qtbot: QtBot) -> None:
    processing, form = window.workbench.processing, window.workspace.processing.form
    processing.add("gaussian")
    settled(qtbot, window)
    for value in (1.5, 2.0, 2.5):
        form.fields["sigma"].setValue(value)  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: np.array_equal(data_of(window), expected(window, "gaussian:2.5")))
    processing.undo()
    settled(qtbot, window)
    assert np.array_equal(data_of(window), expected(window, "gaussian"))
    assert form.fields["sigma"].value() == 1.0  # type: ignore[attr-defined]


def test_what_cannot_be_done_is_said_and_the_image_stays(window: MainWindow, qtbot: QtBot) -> None:
    processing, panel = window.workbench.processing, window.workspace.processing
    processing.take(History.from_text("plane; crop:0,0,9000,10"))
    settled(qtbot, window)
    assert panel.fault.isVisible() and "is not inside the image" in panel.fault.text()
    assert panel.list.item(1).text().startswith("⚠")
    assert window.session.shown is not None and not window.session.shown.history.enabled
    processing.undo()
    settled(qtbot, window)
    assert not panel.fault.isVisible()


def test_a_rectangle_is_drawn_to_crop(window: MainWindow, qtbot: QtBot) -> None:
    processing = window.workbench.processing
    window.menus.actions["step-crop"].trigger()
    settled(qtbot, window)
    assert processing.drawing and "Drag a rectangle" in window.workspace.processing.hint.text()
    assert not len(processing.history)
    shown = window.session.shown
    assert shown is not None
    frame = shown.picture.frame
    drag(
        window,
        QPointF(frame.width * 0.25, frame.height * 0.25),
        QPointF(frame.width * 0.75, frame.height * 0.5),
    )
    settled(qtbot, window)
    (step,) = processing.history
    columns, rows = shown.scan.geometry.columns, shown.scan.geometry.rows
    assert step.parameters["width"] == pytest.approx(columns / 2, abs=2)
    assert step.parameters["height"] == pytest.approx(rows / 4, abs=2)
    assert not processing.drawing
    cropped = window.session.shown
    assert cropped is not None and cropped.scan.geometry.columns == step.parameters["width"]
    assert not window.view.links.zoomed


def test_escape_leaves_the_tool_with_nothing_done(window: MainWindow, qtbot: QtBot) -> None:
    window.menus.actions["step-mask-brush"].trigger()
    settled(qtbot, window)
    assert window.menus.actions["leave-tool"].isEnabled()
    window.menus.actions["leave-tool"].trigger()
    assert not window.workbench.processing.drawing and window.workbench.toolbox.tool is None
    assert not len(window.workbench.processing.history)
    assert not window.menus.actions["leave-tool"].isEnabled()


def test_what_is_painted_is_not_measured_and_can_be_filled(window: MainWindow, qtbot: QtBot) -> None:
    processing = window.workbench.processing
    processing.add("mask-brush")
    settled(qtbot, window)
    frame = window.session.shown.picture.frame  # type: ignore[union-attr]
    for height in (0.3, 0.6):
        drag(
            window,
            QPointF(frame.width * 0.2, frame.height * height),
            QPointF(frame.width * 0.8, frame.height * height),
        )
        settled(qtbot, window)
    (step,) = processing.history
    assert str(step.parameters["path"]).count("/") == 1
    gone = ~window.session.shown.channel.measured  # type: ignore[union-attr]
    rows = gone.any(axis=1)
    assert gone.any() and not gone.all() and rows[round(0.3 * len(rows))] and not rows[round(0.45 * len(rows))]
    assert window.session.shown is not None and window.session.shown.has_own_gaps


def test_painting_goes_on_when_the_stroke_was_undone_or_other_steps_were_pasted(
    window: MainWindow, qtbot: QtBot
) -> None:
    processing = window.workbench.processing
    processing.add("facet")
    processing.copy()
    processing.add("mask-brush")
    settled(qtbot, window)
    frame = window.session.shown.picture.frame  # type: ignore[union-attr]

    def paint(height: float) -> None:
        left, right = (QPointF(frame.width * part, frame.height * height) for part in (0.2, 0.8))
        drag(window, left, right)
        settled(qtbot, window)

    paint(0.3)
    processing.undo()
    settled(qtbot, window)
    assert [step.name for step in processing.history] == ["facet"] and processing.drawing
    paint(0.6)
    assert [step.name for step in processing.history] == ["facet", "mask-brush"]
    assert "/" not in str(processing.history.steps[1].value("path"))
    processing.paste()
    settled(qtbot, window)
    paint(0.8)
    assert [step.name for step in processing.history] == ["facet", "mask-brush"]
    gone = ~window.session.shown.channel.measured  # type: ignore[union-attr]
    rows = gone.any(axis=1)
    assert rows[round(0.8 * len(rows))] and not rows[round(0.6 * len(rows))]


def test_waves_are_marked_on_the_spectrum(window: MainWindow, qtbot: QtBot) -> None:
    processing, strip = window.workbench.processing, window.workspace.strip
    processing.add("fft-filter")
    settled(qtbot, window)
    assert strip.isVisible() and strip.page is strip.planes
    strip.planes.drawn.emit(QPointF(1.0, 0.5), 0.2)
    settled(qtbot, window)
    (step,) = processing.history
    assert step.parameters["circles"] == "1 0.5 0.2"
    assert len(strip.planes.planes[0].rings.rings) == 2
    assert np.array_equal(data_of(window), expected(window, "fft-filter:remove,1 0.5 0.2"))  # seen at once
    strip.planes.drawn.emit(QPointF(-0.3, 0.9), 0.1)
    settled(qtbot, window)
    assert processing.editor.step is not None and len(str(processing.editor.step.value("circles")).split()) == 6
    strip.planes.drawn.emit(QPointF(0.3, -0.9), 0.0)  # a click on its other half takes it away
    settled(qtbot, window)
    window.workbench.leave()
    settled(qtbot, window)
    assert not strip.isVisible()
    assert np.array_equal(data_of(window), expected(window, "fft-filter:remove,1 0.5 0.2"))


def test_steps_are_copied_to_another_scan(window: MainWindow, qtbot: QtBot) -> None:
    processing = window.workbench.processing
    processing.take(History.from_text("plane; fix-zero"))
    settled(qtbot, window)
    window.menus.actions["copy-steps"].trigger()
    window.step_file(1)
    settled(qtbot, window)
    assert not len(processing.history) and window.session.shown is not None and not window.session.shown.history.enabled
    window.menus.actions["paste-steps"].trigger()
    settled(qtbot, window)
    assert np.array_equal(data_of(window), expected(window, "plane; fix-zero"))
    window.step_file(-1)
    settled(qtbot, window)
    assert processing.history.to_text() == "plane; fix-zero"
    assert np.array_equal(data_of(window), expected(window, "plane; fix-zero"))


def test_a_restoration_begins_with_the_steps_and_its_command_says_so(
    bench: Bench, window: MainWindow, qtbot: QtBot
) -> None:
    window.workbench.processing.take(History.from_text("plane; align-rows:median"))
    settled(qtbot, window)
    assert window.controls.process_line.text() == "After: Plane, Align lines"
    assert window.controls.request().process == "plane; align-rows:median"
    window.controls.samples.setValue(2)
    assert RestoreRequest.from_json(window.settings.text("request")).process == ""
    window.restore()
    settled(qtbot, window)
    assert bench.restorer.requests[-1].process == "plane; align-rows:median"
    assert window.session.restored is not None
    assert "--process 'plane; align-rows:median'" in (window.session.restoring.command() or "")
    window.workbench.processing.undo()
    settled(qtbot, window)
    assert window.session.restored is None
    window.workbench.processing.redo()
    settled(qtbot, window)
    assert window.session.restored is not None


def test_steps_go_to_a_file_and_back(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.json"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    processing = window.workbench.processing
    processing.take(History.from_text("plane; rotate:90"))
    window.menus.actions["save-steps"].trigger()
    processing.take(History())
    window.menus.actions["load-steps"].trigger()
    assert processing.history.to_text() == "plane; rotate:90"
    path.write_text("[1]")
    window.menus.actions["load-steps"].trigger()
    assert "not a history" in said(window, "error")
    settled(qtbot, window)


def test_the_whole_folder_is_processed(
    open_window: Opener, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stmviewer.files import save_scan

    from .bench import make_scan

    (tmp_path / "in").mkdir()
    files = [save_scan(make_scan(), tmp_path / "in" / name) for name in ("a.gwy", "b.gwy")]
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "out"))
    window = open_window(*files)
    window.workbench.processing.take(History.from_text("plane"))
    settled(qtbot, window)
    window.menus.actions["process-folder"].trigger()
    qtbot.waitUntil(lambda: not window.workbench.processing.busy)
    assert "Processed 2 scans" in said(window, "done")
    made = open_scan(tmp_path / "out" / "b.gwy")
    (channel,) = (c for c in made.channels if c.role == "processed")
    assert channel.data == pytest.approx(expected(window, "plane"), abs=1e-18)


def test_every_step_has_its_form(window: MainWindow, qtbot: QtBot) -> None:
    form = window.workspace.processing.form
    for kind in KINDS.values():
        form.show_step(Step(kind.name), "m", "nm")
        drawn = {p.name for p in kind.parameters} - set(form.fields)
        assert drawn <= {"path", "circles"}, kind.name
        assert ("Alters data" in form.note.text()) == kind.alters
        assert step_text(Step(kind.name)).startswith(kind.label)


def test_editing_without_a_window() -> None:
    editor = Editor()
    editor.undo()
    editor.add(Step("plane"))
    editor.add(Step("crop"))
    editor.set_values(left=3, top=4)
    editor.enable(0, False)
    editor.remove(5)
    assert editor.history == History((Step("plane", {}, False), Step("crop", {"left": 3, "top": 4})))
    for _ in range(4):
        editor.undo()
    assert editor.history == History() and not editor.can_undo
    for _ in range(4):
        editor.redo()
    assert len(editor.history) == 2 and not editor.can_redo
    editor.undo()
    editor.add(Step("median"))
    assert not editor.can_redo


def test_a_step_that_takes_long_can_be_cancelled(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    from stmviewer.scan import Progress

    running = threading.Event()

    def slow(raw: object, history: History, progress: Progress) -> None:
        work = progress.part(1.0, total=10**9)
        while True:
            work.tick()
            running.set()

    monkeypatch.setattr(steps, "processed_shown", slow)
    monkeypatch.setattr(steps, "_LONG_S", 0.0)
    raw, panel = data_of(window), window.workspace.processing
    window.workbench.processing.add("plane")
    qtbot.waitUntil(lambda: running.is_set() and panel.cancel.isVisible())
    panel.cancel.click()
    settled(qtbot, window)
    assert not panel.cancel.isVisible() and "Cancelled" in panel.fault.text()
    assert data_of(window) is raw
    monkeypatch.setattr(steps, "processed_shown", processed_shown)
    window.workbench.processing.undo()
    settled(qtbot, window)
    assert not panel.fault.isVisible()


def test_steps_begin_with_what_fits_the_image(window: MainWindow, qtbot: QtBot) -> None:
    processing = window.workbench.processing
    for name in ("mask-threshold", "low-pass", "high-pass", "band-pass"):
        processing.add(name)
        settled(qtbot, window)
        assert not window.workspace.processing.fault.isVisible(), name
        processing.undo()
        settled(qtbot, window)
    processing.add("mask-threshold")
    settled(qtbot, window)
    gone = 1 - window.session.shown.channel.measured_fraction  # type: ignore[union-attr]
    assert 0 < gone < 0.03


def test_the_steps_wait_while_a_restoration_runs(bench: Bench, window: MainWindow, qtbot: QtBot) -> None:
    panel = window.workspace.processing
    window.workbench.processing.add("plane")
    settled(qtbot, window)
    bench.restorer.gate.clear()
    window.restore()
    qtbot.waitUntil(bench.restorer.at_gate.is_set)
    assert not panel.list.isEnabled() and not panel.add.isEnabled()
    assert not window.menus.actions["undo-step"].isEnabled()
    bench.restorer.gate.set()
    settled(qtbot, window)
    assert panel.list.isEnabled() and panel.add.isEnabled()
    assert window.session.restored is not None


def test_a_restoration_waits_for_the_steps_that_are_being_set(bench: Bench, window: MainWindow, qtbot: QtBot) -> None:
    window.workbench.processing.add("gaussian")
    settled(qtbot, window)
    window.workspace.processing.form.edited.emit("sigma", 2.5)  # shown a moment later, like a value that is turned up
    window.restore()
    assert not window.session.run.busy and not window.run_controls.button.isEnabled()
    assert "steps of the Process page" in window.run_controls.status.text()
    qtbot.waitUntil(lambda: window.session.restored is not None)
    assert bench.restorer.requests[-1].process == window.workbench.processing.history.to_text()
    assert "2.5" in bench.restorer.requests[-1].process


@pytest.mark.parametrize("leave", ["undo", "fault", "channel"])
def test_nothing_waits_for_steps_that_never_come(
    window: MainWindow, qtbot: QtBot, leave: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if leave == "fault":
        monkeypatch.setattr(steps, "processed_shown", lambda *_: StepFault(0, "there is no plane"))
    window.workbench.processing.add("plane")
    assert window.session.steps.busy
    window.restore()
    assert window.restore_page.obstacle() is not None
    if leave == "undo":
        window.workbench.processing.undo()
        qtbot.waitUntil(lambda: window.session.restored is not None)
    elif leave == "channel":
        window.step_direction()
    else:
        settled(qtbot, window)
        assert window.session.restored is None
    qtbot.waitUntil(lambda: window.restore_page.obstacle() is None)
    settled(qtbot, window)


def test_closing_at_once_after_a_change_is_no_fault(window: MainWindow, qtbot: QtBot) -> None:
    window.workbench.processing.add("gaussian")
    settled(qtbot, window)
    window.workspace.processing.form.edited.emit("sigma", 2.5)
    window.close()
    qtbot.wait(200)  # longer than such a change is waited with: no job must find the runners closed
    assert window.ended_cleanly and not window.session.steps.busy
