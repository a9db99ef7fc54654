"""Training beside the window: the look at a folder, the choice of scans, and a child process that may do anything."""

import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QApplication, QInputDialog, QWidget
from pytestqt.qtbot import QtBot

from stmviewer.files import save_scan
from stmviewer.files.calibration import Calibration, key_of
from stmviewer.gui import dialogs
from stmviewer.gui.session import Session
from stmviewer.gui.settings import Settings
from stmviewer.gui.training.control import TrainingControl
from stmviewer.gui.training.course import Course, machine_text, progress_text, verdict
from stmviewer.gui.training.dialog import TrainingDialog
from stmviewer.gui.training.gallery import Part, in_few_words
from stmviewer.gui.training.progress_page import read_probes
from stmviewer.gui.training.runner import Phase
from stmviewer.gui.window import MainWindow
from stmviewer.restore.info import ModelInfo
from stmviewer.scan import Channel, Geometry, Scan
from stmviewer.services.judging import TipState
from stmviewer.services.simulation_preview import Catalogue
from stmviewer.services.training import TrainingRequest, prepare, stopped_trainings
from stmviewer.services.training_events import Kept, Saved, TrainingStarted, TrainingStep, Validated
from stmviewer.services.training_preview import ExamplePair
from stmviewer.train.work import Work, locked

from .bench import Bench

Opener = Callable[..., MainWindow]
FAKE = [sys.executable, str(Path(__file__).with_name("fake_training.py"))]
#: the machine is slow and shared; a child takes a second or two to start
PATIENCE = 60_000


@pytest.fixture(autouse=True)
def _child(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.services = replace(bench.services, training_program=lambda: FAKE)
    monkeypatch.setenv("STMVIEWER_MODELS", str(tmp_path / "models"))
    surfaces = Catalogue(("si001h", "au111"), (), ())
    monkeypatch.setattr("stmviewer.gui.training.dialog.catalogue_job", lambda: lambda _: surfaces)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six scans of two sessions, one that is flat."""
    y, x = np.mgrid[0:100, 0:100]
    for k in range(6):
        noise = np.random.default_rng(k).standard_normal((100, 100))
        data = 3e-11 * np.sin(x / 1.3) + 1e-11 * noise + 1e-12 * y
        save_scan(
            Scan([Channel("Z", "m", data)], Geometry(100, 100, 1e-8, 1e-8)),
            tmp_path / "good" / f"{'ab'[k > 3]}_{k}.gwy",
        )
    flat = Scan([Channel("Z", "m", np.zeros((100, 100)))], Geometry.of_pixels(100, 100))
    save_scan(flat, tmp_path / "good" / "flat_1.gwy")
    return tmp_path / "good"


@pytest.fixture
def control(bench: Bench, qtbot: QtBot) -> Iterator[TrainingControl]:
    """Training without a window around it, which takes a second to make."""
    parent = QWidget()
    session = Session(bench.services, parent)
    made = TrainingControl(session, Settings(bench.settings_path), lambda *_: None, parent)
    session.list_models()
    qtbot.waitUntil(lambda: bool(session.models), timeout=PATIENCE)
    yield made
    made.close()
    made.finish()
    assert not made.runner.busy and not made.runner._patience.isActive()
    assert session.close()
    parent.deleteLater()


@pytest.fixture
def dialog(control: TrainingControl) -> TrainingDialog:
    return shown(control)


@pytest.fixture
def in_window(open_window: Opener) -> tuple[MainWindow, TrainingDialog]:
    window = open_window()
    window.menus.actions["train"].trigger()
    return window, shown(window.companions.training)


def shown(control: TrainingControl) -> TrainingDialog:
    control.show()
    assert control.dialog is not None
    return control.dialog


def look(qtbot: QtBot, dialog: TrainingDialog, folder: Path) -> None:
    dialog.form.folder.set_path(str(folder))
    qtbot.waitUntil(lambda: not dialog.control.session.desk.busy, timeout=PATIENCE)


def start(qtbot: QtBot, dialog: TrainingDialog, folder: Path, name: str) -> None:
    look(qtbot, dialog, folder)
    dialog.form.name.setText(name)
    dialog.foot.run_button.click()


def ended(qtbot: QtBot, dialog: TrainingDialog) -> None:
    qtbot.waitUntil(lambda: not dialog.runner.busy, timeout=PATIENCE)


def message(dialog: TrainingDialog, topic: str) -> str:
    bar = dialog.messages._bars.get(topic)
    return bar.text if bar is not None else ""


# the look at the folder


def test_the_folder_is_looked_at_and_a_split_suggested(dialog: TrainingDialog, qtbot: QtBot, folder: Path) -> None:
    assert (
        not dialog.foot.run_button.isEnabled() and dialog.foot.run_button.toolTip() == "Choose a folder of good scans"
    )
    look(qtbot, dialog, folder)
    page = dialog.scans
    assert page.summary.text().startswith("6 scans of 2 sessions, 100 × 100 pixels, 0.1 nm per pixel; 1 cannot be used")
    assert "flat_1.gwy: every measured pixel has the same value" in page.rejected.item(0).text()
    assert (
        sorted(page.aside()) == ["b_4.gwy", "b_5.gwy"] or len(page.aside()) == 1 or "one session" in page.split.text()
    )
    assert all(entry.thumbnail is not None and entry.tip is not None for entry in page.model.entries)
    assert dialog.foot.run_button.toolTip() == "Give the model a name"
    dialog.form.name.setText("mylab")
    assert dialog.foot.run_button.isEnabled() and dialog.foot.command.text().startswith("stmviewer train ")


def test_a_click_leaves_a_scan_out_and_takes_it_again(dialog: TrainingDialog, qtbot: QtBot, folder: Path) -> None:
    look(qtbot, dialog, folder)
    page, gallery = dialog.scans, dialog.scans.gallery
    page.train_on_all()
    place = gallery.visualRect(page.model.index(0)).center()
    qtbot.mouseClick(gallery.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert page.model.parts[0] is Part.OUT and "a_0.gwy" not in dialog.request().trained
    qtbot.mouseClick(gallery.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert page.model.parts[0] is Part.TRAIN
    menu = gallery.menu_for(4)
    next(a for a in menu.actions() if a.text().startswith("Keep aside the whole session")).trigger()
    assert page.aside() == ["b_4.gwy", "b_5.gwy"]
    request = dialog.request()
    assert request.checked == ("b_4.gwy", "b_5.gwy") and len(request.trained) == 4
    page.model.set_part(range(6), Part.OUT)
    dialog.form.name.setText("mylab")
    assert "choose one to train on" in dialog.problem() and not dialog.foot.run_button.isEnabled()
    page.suggest()
    assert not dialog.problem()


def test_below_a_picture_it_says_what_the_scan_is_for_and_how_its_tip_is(
    dialog: TrainingDialog, qtbot: QtBot, folder: Path, bench: Bench
) -> None:
    bench.tip = TipState({"good": 0.9, "double": 0.05, "change": 0.05, "blurry": 0.0})
    look(qtbot, dialog, folder)
    model = dialog.scans.model
    assert model.tips() == "Tips: 6 good" and dialog.scans.split.text().endswith("Tips: 6 good")
    blurry = TipState({"good": 0.1, "double": 0.05, "change": 0.05, "blurry": 0.8})
    model.show_tip(model.scans[0].path, blurry)
    assert model.tips() == "Tips: 5 good, 1 blurry"
    scan = model.scans[0]
    assert in_few_words(scan, Part.TRAIN) == "" and in_few_words(scan, Part.ASIDE) == "kept aside"
    placed = replace(scan, place=2)
    assert in_few_words(placed, Part.TRAIN) == "place 2" and in_few_words(placed, Part.ASIDE) == "aside, place 2"
    assert in_few_words(replace(scan, copy_of="x"), Part.OUT) == "out, copy"
    dialog.grab()
    model.entries[0].tip = None
    assert model.tips() == ""  # not all are judged


def test_bad_tips_are_offered_to_be_left_out(dialog: TrainingDialog, qtbot: QtBot, folder: Path, bench: Bench) -> None:
    bench.tip = TipState({"good": 0.1, "double": 0.8, "change": 0.05, "blurry": 0.05})
    look(qtbot, dialog, folder)
    bar = dialog.scans.messages._bars["tips"]
    assert bar.text.startswith("6 scans look as if the tip was double") and bar.button is not None
    bar.button.click()
    assert dialog.scans.trained() == [] and "tips" not in dialog.scans.messages._bars


def test_places_on_both_sides_are_told(dialog: TrainingDialog, qtbot: QtBot, folder: Path) -> None:
    look(qtbot, dialog, folder)
    model = dialog.scans.model
    model.scans[0], model.scans[1] = replace(model.scans[0], place=3), replace(model.scans[1], place=3)
    model.set_part([0], Part.ASIDE)
    model.set_part([1], Part.TRAIN)
    assert "1 place is shown on both sides" in dialog.scans.messages._bars["mixed"].text
    model.set_part([1], Part.ASIDE)
    assert "mixed" not in dialog.scans.messages._bars


def test_bad_folders_are_told_in_the_panel(dialog: TrainingDialog, qtbot: QtBot, tmp_path: Path, folder: Path) -> None:
    (tmp_path / "empty").mkdir()
    look(qtbot, dialog, tmp_path / "empty")
    assert "there is no scan in this folder" in dialog.scans.messages._bars["error"].text
    (tmp_path / "flat").mkdir()
    (tmp_path / "flat" / "flat.gwy").write_bytes((folder / "flat_1.gwy").read_bytes())
    look(qtbot, dialog, tmp_path / "flat")
    assert dialog.scans.messages._bars["error"].text == "No scan in this folder can be used; below it says why"
    dialog.form.name.setText("mylab")
    assert not dialog.foot.run_button.isEnabled()
    look(qtbot, dialog, folder)
    assert dialog.foot.run_button.isEnabled() and "error" not in dialog.scans.messages._bars


def test_a_look_can_be_cancelled(dialog: TrainingDialog, qtbot: QtBot, folder: Path) -> None:
    dialog.form.folder.set_path(str(folder))
    dialog.scans.cancel()
    qtbot.waitUntil(lambda: not dialog.scans.busy, timeout=PATIENCE)
    assert dialog.scans.look is None and not dialog.foot.run_button.isEnabled()
    assert dialog.scans.summary.text() == "The look at the folder was cancelled"


def test_a_dropped_folder_is_taken(dialog: TrainingDialog, qtbot: QtBot, folder: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(folder / "a_0.gwy"))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    drop = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys)
    assert dialog.drops.eventFilter(dialog, drop)
    assert dialog.form.folder.path() == folder and dialog.scans.busy


def test_pairs_of_the_chosen_scans_are_shown(
    dialog: TrainingDialog, qtbot: QtBot, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How they are made is tested with the service, which loads torch."""
    asked: list[tuple[TrainingRequest, int]] = []

    def pairs_job(request: TrainingRequest, seed: int) -> Callable[[object], tuple[ExamplePair, ...]]:
        asked.append((request, seed))
        image, measured = np.random.default_rng(0).random((64, 64)), np.ones((64, 64), dtype=bool)
        measured[::2] = False
        return lambda _: (ExamplePair(image, image, measured, "sparse", 1e-10),) * 12

    monkeypatch.setattr("stmviewer.gui.training.examples_page.pairs_job", pairs_job)
    dialog.pages.setCurrentWidget(dialog.examples)
    assert not asked  # nothing is chosen yet
    look(qtbot, dialog, folder)
    qtbot.waitUntil(lambda: bool(dialog.examples.pairs), timeout=PATIENCE)
    assert len(dialog.examples.grid.rows) == 4
    assert dialog.examples.grid.heads[:2] == ("given", "wanted")
    assert dialog.examples.grid.rows[0][0].caption == "50 % measured, 0.1 nm per pixel"
    dialog.resize(820, 600)
    qtbot.waitUntil(lambda: len(dialog.examples.grid.heads) == 4, timeout=PATIENCE)  # narrower: two pairs in a row
    dialog.resize(1240, 760)
    qtbot.waitUntil(lambda: len(dialog.examples.grid.heads) == 6, timeout=PATIENCE)
    dialog.grab()
    dialog.examples.others.click()
    dialog.form.task.setCurrentIndex(dialog.form.task.findData("sparse"))
    request, seed = asked[-1]
    assert request == dialog.request() and request.task == "sparse" and seed == 1
    qtbot.waitUntil(lambda: not dialog.examples.busy, timeout=PATIENCE)


# a training


def test_a_training_runs_stops_and_goes_on(dialog: TrainingDialog, qtbot: QtBot, folder: Path) -> None:
    start(qtbot, dialog, folder, "mylab")
    runner = dialog.runner
    qtbot.waitUntil(lambda: len(runner.course.probes) == 3, timeout=PATIENCE)
    assert runner.course.started is not None and runner.course.started.images == len(dialog.scans.trained())
    assert dialog.pages.currentWidget() is dialog.course and not dialog.form.isEnabled()
    assert dialog.foot.status.full_text == "Training mylab: 50 %, about 5 min left"
    assert dialog.foot.run_button.text() == "Stop" and dialog.foot.keep_button.isEnabled()
    assert dialog.control.line.text() == "Training mylab: 50 %, about 5 min left"
    assert dialog.course.sets.currentData() == "real" and dialog.course.sets.count() == 2
    assert len(dialog.course.loss.listDataItems()) == 1
    assert len(dialog.course.scores.listDataItems()) == 4  # two curves, two points for the baselines
    assert dialog.course.grid.heads == ("given", "step 200", "step 400", "step 600", "truth")
    assert [row[0].caption for row in dialog.course.grid.rows] == ["bad tip", "50 % measured"] * 2
    assert "23.4 images per second" in dialog.course.machine.full_text and "1.2 GB" in dialog.course.machine.full_text
    dialog.scans.gallery.clicked.emit(dialog.scans.model.index(0))
    assert dialog.scans.model.parts[0] is Part.TRAIN  # what is trained on stays as it is
    dialog.grab()
    dialog.foot.run_button.click()
    assert dialog.foot.run_button.text() == "Stopping…"
    ended(qtbot, dialog)
    assert (
        runner.phase is Phase.STOPPED and dialog.foot.run_button.text() == "Resume" and not runner._patience.isActive()
    )
    dialog.foot.run_button.click()
    ended(qtbot, dialog)
    assert runner.phase is Phase.DONE
    assert [v.step for v in runner.course.validations] == [200, 400, 600, 800, 1000, 1200]  # the curve goes on
    assert dialog.foot.status.full_text == "Done: the model 'mylab' is in the list of models"


def test_the_new_model_is_used_in_one_click(
    in_window: tuple[MainWindow, TrainingDialog], qtbot: QtBot, folder: Path, bench: Bench
) -> None:
    window, dialog = in_window
    made = ModelInfo("quick", "regression", "quick", "Yours", ("repair", "sparse"), True, source="user")
    before = bench.services.available_models
    window.session.services = replace(bench.services, available_models=lambda: [*before(), made])
    start(qtbot, dialog, folder, "quick")
    ended(qtbot, dialog)
    assert (
        dialog.runner.phase is Phase.DONE
        and dialog.foot.use_button.isVisible()
        and not dialog.foot.run_button.isVisible()
    )
    dialog.foot.use_button.click()
    qtbot.waitUntil(lambda: not window.session.desk.busy, timeout=PATIENCE)
    assert window.controls.request().model == "quick"
    window.controls.sparse.setChecked(True)
    assert window.controls.request().model == "quick"
    card = dialog.show_card()
    assert card is not None and card.isVisible()
    card.close()
    dialog.foot.new_button.click()
    assert dialog.runner.phase is Phase.IDLE and dialog.form.isEnabled()
    dialog.form.name.setText("quick")
    assert "already" in dialog.problem()


def test_a_child_that_is_killed_is_told_and_can_be_resumed(dialog: TrainingDialog, qtbot: QtBot, folder: Path) -> None:
    start(qtbot, dialog, folder, "dies")
    ended(qtbot, dialog)
    assert dialog.runner.phase is Phase.FAILED and "was killed" in message(dialog, "fault")
    assert "can be resumed" in message(dialog, "fault") and dialog.foot.run_button.text() == "Resume"
    assert [s.request.name for s in stopped_trainings(dialog.control.models)] == ["dies"]


def test_a_complaint_of_the_child_is_shown_and_nothing_is_left(
    dialog: TrainingDialog, qtbot: QtBot, folder: Path
) -> None:
    start(qtbot, dialog, folder, "bad")
    ended(qtbot, dialog)
    assert message(dialog, "fault").endswith("cannot be written (No space left on device). Is the disk full?")
    assert dialog.form.isEnabled() and dialog.foot.run_button.text() == "Start" and dialog.foot.run_button.isEnabled()
    assert not list(dialog.control.models.glob("*.training"))


def test_what_cannot_even_begin_is_told(
    dialog: TrainingDialog, qtbot: QtBot, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog.runner._program = lambda: ["/nowhere/stmviewer"]
    start(qtbot, dialog, folder, "mylab")
    ended(qtbot, dialog)
    assert "cannot be started" in message(dialog, "fault") and not list(dialog.control.models.glob("*.training"))
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("STMVIEWER_MODELS", str(tmp_path / "file"))
    dialog.pages.setCurrentWidget(dialog.scans)
    dialog.foot.run_button.click()
    assert dialog.runner.phase is Phase.FAILED and "cannot be written" in message(dialog, "fault")
    assert dialog.pages.currentWidget() is dialog.scans


def test_a_child_that_hears_no_stop_is_ended(
    dialog: TrainingDialog, qtbot: QtBot, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stmviewer.gui.training.runner._GRACE_MS", 20)
    start(qtbot, dialog, folder, "deaf")
    qtbot.waitUntil(lambda: len(dialog.runner.course.probes) == 3, timeout=PATIENCE)
    dialog.foot.run_button.click()
    ended(qtbot, dialog)
    assert dialog.runner.phase is Phase.STOPPED and dialog.foot.run_button.text() == "Resume"


def test_a_state_is_kept_under_a_name(
    dialog: TrainingDialog, qtbot: QtBot, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(qtbot, dialog, folder, "mylab")
    qtbot.waitUntil(lambda: len(dialog.runner.course.probes) == 3, timeout=PATIENCE)
    dialog.keep_as("no name")
    assert "letters" in message(dialog, "kept")
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, text: (text, True))
    adopted: list[tuple[Path, str]] = []

    def adopt_job(path: Path, name: str, _models: Path) -> Callable[[object], str]:
        adopted.append((path, name))
        return lambda _: name

    monkeypatch.setattr("stmviewer.gui.training.control.adopt_job", adopt_job)
    dialog.foot.keep_button.click()
    qtbot.waitUntil(lambda: "is kept as the model" in message(dialog, "kept"), timeout=PATIENCE)
    checkpoints = dialog.control.models / "mylab.training" / "checkpoints"
    assert adopted == [(checkpoints / "mylab-step600.safetensors", "mylab-step600")]
    assert dialog.runner.phase is Phase.RUNNING  # it goes on
    dialog.foot.run_button.click()
    ended(qtbot, dialog)
    assert len(adopted) == 1  # what a stopped training keeps by itself becomes no model


def test_a_training_goes_on_without_its_dialog(dialog: TrainingDialog, qtbot: QtBot, folder: Path) -> None:
    control = dialog.control
    start(qtbot, dialog, folder, "mylab")
    qtbot.waitUntil(lambda: len(control.runner.course.probes) == 3, timeout=PATIENCE)
    dialog.close()
    qtbot.waitUntil(lambda: control.dialog is None)
    assert control.runner.busy
    control.line.click()
    again = control.dialog
    assert again is not None and again.foot.status.full_text.startswith("Training mylab: 50 %")
    assert again.form.name.text() == "mylab" and again.course.grid.rows
    qtbot.waitUntil(lambda: not again.busy, timeout=PATIENCE)
    assert again.scans.trained()


def test_closing_the_window_asks_once_and_leaves_a_state(
    in_window: tuple[MainWindow, TrainingDialog], qtbot: QtBot, folder: Path, closing_is_answered: list[list[str]]
) -> None:
    window, dialog = in_window
    runner = dialog.runner
    start(qtbot, dialog, folder, "mylab")
    qtbot.waitUntil(lambda: len(runner.course.probes) == 3, timeout=PATIENCE)
    process = runner._process
    assert process is not None
    window.close()
    assert closing_is_answered == [["a training"]]
    assert not runner.busy and runner.phase is Phase.STOPPED and runner.course.stopped is not None
    assert (window.companions.training.models / "mylab.training" / "state.safetensors").is_file()


def test_a_stopped_training_is_found_another_day(
    control: TrainingControl, qtbot: QtBot, folder: Path, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    request = TrainingRequest(
        str(folder), "before", minutes=5, task="sparse", trained=("a_1.gwy",), checked=("b_4.gwy",)
    )
    work = prepare(request, models)
    (work / "state.safetensors").write_bytes(b"state")
    (work / "log.jsonl").write_text('{"kind": "train", "step": 40, "seconds": 60, "loss": 0.5, "done": 0.2}\n')
    dialog = shown(control)
    assert dialog.foot.resume_button.isVisible()
    (action,) = dialog.foot.resume_menu.actions()
    assert action.text() == "before, 1 min of 5 min"
    action.trigger()
    qtbot.waitUntil(lambda: not dialog.busy, timeout=PATIENCE)
    assert dialog.foot.status.full_text == "before is stopped at 20 %" and dialog.foot.run_button.text() == "Resume"
    assert (dialog.scans.trained(), dialog.scans.aside()) == (["a_1.gwy"], ["b_4.gwy"])
    assert dialog.form.task.currentData() == "sparse" and dialog.form.minutes.value() == 5


def test_a_stopped_training_is_deleted_when_that_is_confirmed(
    control: TrainingControl, qtbot: QtBot, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tmp_path / "models"
    for name in ("before", "other"):
        work = prepare(TrainingRequest(str(folder), name, trained=("a_1.gwy",)), models)
        (work / "state.safetensors").write_bytes(b"state")
    (models / "before-step600.safetensors").write_bytes(b"a model that was kept from it")
    dialog = shown(control)
    assert not dialog.foot.delete_button.isVisible()
    dialog.show_stopped(next(s for s in stopped_trainings(models) if s.request.name == "before"))
    qtbot.waitUntil(lambda: not dialog.busy, timeout=PATIENCE)
    asked: list[str] = []
    answers = [False, True]
    monkeypatch.setattr(dialogs, "ask_delete", lambda _parent, name: asked.append(name) or answers.pop(0))
    dialog.foot.delete_button.click()
    assert (models / "before.training" / "state.safetensors").exists() and dialog.runner.phase is Phase.STOPPED
    dialog.foot.delete_button.click()
    assert asked == ["before", "before"]
    assert {p.name for p in models.iterdir()} == {"other.training", "before-step600.safetensors"}
    assert dialog.runner.phase is Phase.IDLE and not dialog.foot.delete_button.isVisible()
    assert message(dialog, "kept") == "The stopped training 'before' is deleted"
    assert [a.text() for a in dialog.foot.resume_menu.actions()] == ["other"]


def test_a_training_that_another_process_goes_on_with_is_not_deleted(
    control: TrainingControl, qtbot: QtBot, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tmp_path / "models"
    work = prepare(TrainingRequest(str(folder), "before", trained=("a_1.gwy",)), models)
    (work / "state.safetensors").write_bytes(b"state")
    dialog = shown(control)
    dialog.show_stopped(stopped_trainings(models)[0])
    qtbot.waitUntil(lambda: not dialog.busy, timeout=PATIENCE)
    monkeypatch.setattr(dialogs, "ask_delete", lambda *_: True)
    with locked(Work(models, "before")):
        dialog.foot.delete_button.click()
        assert "another process trains 'before'" in message(dialog, "kept").lower()
    assert (work / "state.safetensors").exists() and dialog.runner.phase is Phase.STOPPED


def test_a_pixel_size_is_typed_only_where_files_say_none(
    dialog: TrainingDialog, qtbot: QtBot, folder: Path, tmp_path: Path
) -> None:
    form = dialog.form
    look(qtbot, dialog, folder)
    form.name.setText("mylab")
    assert not form.pixel.isEnabled() and not form.pixel_nm.isVisible() and not form.note.isVisible()
    (tmp_path / "arrays").mkdir()
    for k in range(2):
        np.save(tmp_path / "arrays" / f"a_{k}.npy", np.random.default_rng(k).standard_normal((100, 100)))
    look(qtbot, dialog, tmp_path / "arrays")
    assert form.pixel.isEnabled() and form.note.text().startswith(
        "2 of 2 scans do not say their pixel size: they count"
    )
    assert dialog.request().image_nm is None and "--image-nm" not in dialog.foot.command.text()
    form.pixel.setCurrentIndex(form.pixel.findData("given"))
    assert form.pixel_nm.isVisible() and dialog.problem() == "Type how large a pixel is, in nm"
    assert not dialog.foot.run_button.isEnabled()
    form.pixel_nm.setValue(0.098)
    assert dialog.request().image_nm == 0.098 and not dialog.problem()
    assert "--image-nm 0.098" in dialog.foot.command.text()
    form.pixel.setCurrentIndex(form.pixel.findData("rows"))
    assert dialog.request().image_nm is None and "--size-by-rows" in dialog.foot.command.text()
    form.pixel.setCurrentIndex(form.pixel.findData("given"))
    look(qtbot, dialog, folder)
    assert dialog.request().image_nm is None and not form.pixel.isEnabled() and not form.pixel_nm.isVisible()


def test_what_was_said_of_the_images_in_the_window_holds_for_training(
    dialog: TrainingDialog, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "arrays").mkdir()
    np.save(tmp_path / "arrays" / "a.npy", np.random.default_rng(0).standard_normal((100, 100)))
    said = Calibration(pixel_nm=(0.25, 0.25))
    dialog._settings.set_calibration(key_of(tmp_path / "arrays" / "a.npy", True), said)
    look(qtbot, dialog, tmp_path / "arrays")
    assert dialog.request().image_nm == 0.25
    dialog.form.pixel.setCurrentIndex(dialog.form.pixel.findData("files"))
    dialog.scans.train_on_all()
    assert dialog.request().image_nm is None  # chosen otherwise


def test_the_command_that_is_copied_runs(dialog: TrainingDialog, qtbot: QtBot, folder: Path) -> None:
    look(qtbot, dialog, folder)
    dialog.form.name.setText("mylab")
    dialog.foot.copy_button.click()
    words = shlex.split(QApplication.clipboard().text())
    assert words[:3] == ["stmviewer", "train", str(folder)]
    listed = Path(words[words.index("--protocol") + 1]).read_text(encoding="utf-8").split()
    assert listed == dialog.scans.trained()
    assert not dialog.problem() and stopped_trainings(dialog.control.models) == []  # it is still to be started


def test_choices_are_remembered_and_the_drawer_opens(dialog: TrainingDialog, qtbot: QtBot, folder: Path) -> None:
    form = dialog.form
    assert not form.expert.isVisible() and not form.model_size.isEnabled()
    form.drawer_button.click()
    assert form.expert.isVisible() and form.expert.start.currentData() == "regression-sim"
    form.expert.start.setCurrentIndex(form.expert.start.findText("From scratch"))
    assert form.model_size.isEnabled() and dialog.request().size == "standard" and dialog.request().rate is None
    form.expert.kind.setCurrentIndex(form.expert.kind.findData("flow"))
    assert form.expert.start.currentData() == "flow-sim" and dialog.request().size is None
    assert dialog.request().rate == 6e-4
    qtbot.waitUntil(lambda: form.expert.mix.count() == 3, timeout=PATIENCE)
    form.expert.validation.set_path(str(folder / "nowhere"))
    form.folder.set_path(str(folder))
    form.name.setText("mylab")
    assert "no folder" in form.problem()
    form.expert.validation.set_path("")
    form.minutes.setValue(3)
    form.remember()
    assert dialog._settings.text("training-minutes") == "3"
    assert dialog._settings.text("training-folder") == str(folder)
    qtbot.waitUntil(lambda: not dialog.busy, timeout=PATIENCE)


# the course, without a window


def test_a_course_says_how_it_goes() -> None:
    course = Course()
    assert progress_text(course) == "reading scans" and verdict(course) == "" and machine_text(course) == ""
    course.take(TrainingStarted("m", Path("/w"), "CPU", 5, 3))
    assert progress_text(course) == "first steps"
    course.take(TrainingStep(10, 60.0, float("nan"), 3.0, 0.3, 2, 0.5, 60.0, 500.0))
    course.take(TrainingStep(20, 120.0, 0.5, 3.0, 0.0, 2, 0.6, None, None))
    course.take(TrainingStep(30, 180.0, 0.5, done=1.0, eta_s=0.0))
    assert progress_text(course) == "100 %, the last check"
    del course.steps[-1]
    assert course.losses() == ([2.0], [0.5]) and progress_text(course) == "60 %"
    assert "2 steps without a result" in machine_text(course)
    course.take(Validated(20, 120, {"own scans sparse model": 0.8, "own scans sparse start": 0.9}))
    course.take(
        Validated(30, 180, {"own scans sparse model": 0.7, "own scans sparse start": 0.9, "real repair model": 0.5})
    )
    assert course.sets() == ["real", "own scans"]
    assert course.lines("own scans")[0].scores == (0.8, 0.7)
    assert verdict(course) == "Bad tips repaired: 0.500"
    course.take(Kept(30, 20))
    course.take(Saved(30))
    course.take(TrainingStarted("m", Path("/w"), "CPU", 5, 3, resumed_from=20))
    assert [v.step for v in course.validations] == [20] and course.saved is None
    assert verdict(course) == "Sparse scans rebuilt: 0.800 (worse; interpolation 0.900)"


def test_probes_that_are_not_whole_are_left_out(tmp_path: Path) -> None:
    assert read_probes(tmp_path / "none.npz") is None
    (tmp_path / "half.npz").write_bytes(b"PK\x03\x04 and no more")
    assert read_probes(tmp_path / "half.npz") is None
    arrays = {name: np.zeros((2, 4, 4)) for name in ("raw", "measured", "restored")}
    np.savez(tmp_path / "a.npz", **arrays)
    assert read_probes(tmp_path / "a.npz") is None
    np.savez(tmp_path / "b.npz", **arrays, truth=np.zeros((3, 4, 4)))
    assert read_probes(tmp_path / "b.npz") is None
    np.savez(tmp_path / "c.npz", **arrays, truth=np.zeros((2, 4, 4)))
    found = read_probes(tmp_path / "c.npz")
    assert found is not None and found["raw"].shape == (2, 4, 4)
