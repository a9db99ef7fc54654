"""From a folder of scans to a model of one's own that is chosen in the window, with a training that trains."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from stmviewer.files import save_scan
from stmviewer.gui.services_used import Services
from stmviewer.gui.training.dialog import TrainingDialog
from stmviewer.gui.training.runner import Phase
from stmviewer.gui.window import MainWindow
from stmviewer.restore import library
from stmviewer.simulate import simulate_scan, to_scan

from .bench import Bench

#: torch is loaded in two children, beside whatever else the machine does (ms)
PATIENCE = 240_000
SMALL = [sys.executable, str(Path(__file__).with_name("small_training.py"))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six scans of two sessions."""
    for k in range(6):
        scan = to_scan(simulate_scan("si001h", 112, 112, 0.1e-9, "mild", k))
        save_scan(scan, tmp_path / "good" / f"{'ab'[k > 3]}_{k}.gwy")
    return tmp_path / "good"


@pytest.mark.timeout(900)
def test_a_model_of_ones_own_from_a_folder_to_the_window(
    open_window: Callable[..., MainWindow],
    qtbot: QtBot,
    bench: Bench,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = tmp_path / "models"
    monkeypatch.setenv("STMVIEWER_MODELS", str(models))
    # on a busy machine it may need longer than a user would wait; whether it is ended then is tested elsewhere
    monkeypatch.setattr("stmviewer.gui.training.runner._GRACE_MS", 60_000)
    bench.services = replace(
        bench.services, training_program=lambda: SMALL, available_models=Services().available_models
    )
    window = open_window()
    window.menus.actions["train"].trigger()
    control = window.companions.training
    dialog, runner = control.dialog, control.runner
    assert isinstance(dialog, TrainingDialog)

    def until(done: Callable[[], bool]) -> None:
        qtbot.waitUntil(done, timeout=PATIENCE)

    form, foot = dialog.form, dialog.foot
    form.folder.set_path(str(folder))
    until(lambda: not window.session.desk.busy)
    assert dialog.scans.summary.text() == "6 scans of 2 sessions, 112 × 112 pixels, 0.1 nm per pixel"
    form.name.setText("regression-own")
    form.minutes.setValue(60)  # it will not come to that
    form.expert.start.setCurrentIndex(form.expert.start.findText("From scratch"))
    form.model_size.setCurrentIndex(form.model_size.findData("small"))
    form.task.setCurrentIndex(form.task.findData("sparse"))
    foot.run_button.click()
    course = runner.course
    until(lambda: bool(course.steps and course.validations and course.probes) or not runner.busy)
    assert runner.phase is Phase.RUNNING, (runner.fault, runner.details)
    assert course.started is not None and course.started.images == len(dialog.scans.trained())
    assert dialog.course.loss.listDataItems() and dialog.course.scores.listDataItems() and dialog.course.grid.rows
    assert foot.status.full_text.endswith(" left") and "images per second" in dialog.course.machine.full_text

    dialog.keep_as("own-early")
    until(lambda: "own-early" in [m.name for m in window.session.models])
    assert runner.phase is Phase.RUNNING  # it goes on

    foot.run_button.click()
    until(lambda: not runner.busy)
    assert runner.phase is Phase.STOPPED and runner.course.stopped is not None  # by itself: nobody had to end it
    stopped_at = runner.course.stopped.step
    assert foot.run_button.text() == "Resume" and stopped_at >= 1
    assert not (models / "regression-own.safetensors").exists()

    foot.run_button.click()
    until(lambda: not runner.busy)
    assert runner.phase is Phase.DONE, (runner.fault, runner.details)
    course = runner.course
    assert course.started is not None and course.started.resumed_from == stopped_at
    steps = [s.step for s in course.steps]
    assert steps == sorted(set(steps)) and steps[0] <= stopped_at < steps[-1]

    foot.use_button.click()
    until(lambda: not window.session.desk.busy)
    window.controls.sparse.setChecked(True)
    assert window.controls.request().model == "regression-own"
    window.controls.repair.setChecked(True)
    assert window.controls.request().model != "regression-own"  # it was trained for sparse scans alone
    assert {"regression-own", "own-early"} <= library.entries().keys()
    card = (models / "regression-own.md").read_text(encoding="utf-8")
    assert f"{len(dialog.scans.trained())} scans in the folder good" in card
    assert "rebuilding sparse scans alone" in card
    shown = dialog.show_card()
    assert shown is not None and shown.isVisible()
    shown.close()
