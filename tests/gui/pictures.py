"""Takes a picture of every state of the window, to be looked at: `make pictures`.

    python tests/gui/pictures.py FOLDER [--only NAME ...] [--list]

Names end in what is special about them: theme, size, scale. Each scale is drawn by a process of its own, since Qt reads
it once. Without a display it draws off screen; settings, notes and caches of the user are neither read nor written.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform in ("win32", "darwin")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
from picture_dialogs import DIALOGS
from picture_stage import DOUBLE, SPARSE, Stage, State, until
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QWidget

from stmviewer.files import save_scan
from stmviewer.gui.app import make_app
from stmviewer.gui.empty_state import sample_files
from stmviewer.gui.measuring.profile_tool import Ends
from stmviewer.gui.measuring.work import Mode
from stmviewer.gui.training.dialog import TrainingDialog
from stmviewer.restore import RestoreRequest
from stmviewer.scan import Channel, History, Scan
from stmviewer.scan.processing.rows import align_by_polynomial
from stmviewer.simulate import simulate_scan, to_scan


def _nothing(stage: Stage) -> None:
    stage.settle()


def _recent(stage: Stage) -> None:
    stage.window.settings.add_recent([*sample_files(), stage.scans(count=1)])
    stage.window._fill_recent()


def _scan(stage: Stage) -> None:
    stage.sample(DOUBLE)


def _sparse(stage: Stage) -> None:
    stage.sample(SPARSE)
    stage.restore(task="sparse", mask="file")


def _repaired(stage: Stage) -> None:
    stage.sample(DOUBLE)
    stage.restore(task="repair")


def _second_tip(stage: Stage) -> None:
    """Steps and molecules seen twice, and the box that takes the second image out."""
    pair = simulate_scan("molecules", 256, 256, 0.3e-9, "mild", 4)
    seen = pair.clean + 0.45 * np.roll(pair.clean, (4, 7), (0, 1))
    path = stage.folder / "molecules_021.gwy"
    scan = to_scan(pair)
    save_scan(Scan([Channel("Z", "m", seen)], scan.geometry, bias_v=-1.2, setpoint_a=5e-11), path)
    stage.open(path)
    stage.restore(task="repair", tips=True)


def _flattened(stage: Stage) -> None:
    """A scan whose lines another program flattened: its shadows are taken out before the repair."""
    pair = simulate_scan("molecules", 256, 256, 0.1e-9, "mild", 4)
    path = stage.folder / "flattened_007.gwy"
    flat = align_by_polynomial(pair.degraded, 1)
    save_scan(Scan([Channel("Z", "m", flat)], to_scan(pair).geometry, bias_v=-1.2, setpoint_a=5e-11), path)
    stage.open(path)
    stage.restore(task="repair")


def _restoring(stage: Stage) -> None:
    stage.sample(DOUBLE)
    stage.restore(0.3, task="sparse", mask="lines:4", model="tv")


def _failed(stage: Stage) -> None:
    broken = stage.folder / "scan_042.sxm"
    broken.write_bytes(b":NANONIS_VERSION:\n2\n:SCANIT_END:\n")
    stage.sample(DOUBLE)
    stage.open(broken)


def _folder(stage: Stage) -> None:
    stage.browse()


def _filtered(stage: Stage) -> None:
    stage.browse()
    form = stage.window.files.filter
    form.more.setChecked(True)
    form.bias.lines[0].setText("-1,5")
    form.starred.setChecked(True)
    stage.settle()


def _live(stage: Stage) -> None:
    folder = stage.scans(count=3)
    stage.window.live.start(folder)
    until(stage, lambda: stage.window.session.shown is not None)
    shutil.copy(folder / "au111_002.gwy", folder / "new_scan_017.gwy")
    until(stage, lambda: "new_scan" in stage.window.live.strip.text.full_text and stage.window.live._last != "")
    stage.window.live._timer.stop()
    stage.settle()


def _lost(stage: Stage) -> None:
    folder = stage.scans(count=2)
    stage.window.live.start(folder)
    until(stage, lambda: stage.window.session.shown is not None)
    stage.settle()
    shutil.rmtree(folder)
    until(stage, lambda: "Still trying" in stage.window.live.strip.text.full_text)
    stage.window.live._timer.stop()


def _finder(stage: Stage) -> None:
    stage.sample(DOUBLE)
    stage.window.companions.help.finder.open()
    stage.window.companions.help.finder.text.setText("ex")


def _batch_empty(stage: Stage) -> QWidget | None:
    stage.window.batch.show()
    return stage.window.batch.dialog


def _batch(stage: Stage) -> QWidget | None:
    folder = stage.scans()
    (folder / "broken.sxm").write_bytes(b"rubbish")
    stage.window.controls.show_request(RestoreRequest(task="sparse", mask="lines:2", model="linear"))
    stage.window.batch.show([folder])
    dialog = stage.window.batch.dialog
    assert dialog is not None
    until(stage, lambda: len(dialog.runner.queue.rows) == 7)
    stage.settle()
    dialog.start.click()
    until(stage, lambda: len(dialog.runner.queue.outcomes()) >= 5)
    dialog.pause.click()
    stage.settle()
    return dialog


def _training(stage: Stage, count: int = 14) -> TrainingDialog:
    """The panel with a folder of simulated scans of three sessions; its child is a script that trains nothing."""
    folder = stage.folder / "good"
    folder.mkdir()
    for k in range(count):
        pair = simulate_scan("si001h", 192, 192, 0.1e-9, "mild", k if k != 6 else 5)
        scan = to_scan(pair)
        clean = Scan([Channel("Z", "m", pair.clean)], scan.geometry)
        save_scan(clean, folder / f"{('monday', 'tuesday', 'friday')[k * 3 // count]}_{k:03}.gwy")
    (folder / "friday_099.sxm").write_bytes(b"rubbish")
    fake = [sys.executable, str(Path(__file__).with_name("fake_training.py"))]
    os.environ["STMVIEWER_MODELS"] = str(stage.folder / "models")
    control = stage.window.companions.training
    control.runner._program = lambda: fake
    control.show()
    dialog = control.dialog
    assert dialog is not None
    dialog.resize(*stage.size)
    dialog.form.folder.set_path(str(folder))
    stage.settle()
    return dialog


def _training_scans(stage: Stage) -> QWidget | None:
    dialog = _training(stage)
    dialog.scans.model.toggle(2)
    return dialog


def _training_examples(stage: Stage) -> QWidget | None:
    dialog = _training(stage)
    dialog.form.drawer_button.click()
    dialog.form.name.setText("mylab")
    dialog.pages.setCurrentWidget(dialog.examples)
    stage.settle()
    return dialog


def _training_images(stage: Stage) -> QWidget | None:
    """Images that bring no size, which is typed."""
    dialog = _training(stage, 6)
    folder = stage.folder / "images"
    folder.mkdir()
    for k in range(6):
        np.save(folder / f"{'ab'[k > 3]}_{k}.npy", 1e9 * simulate_scan("si001h", 128, 128, 0.1e-9, "mild", k).clean)
    dialog.form.folder.set_path(str(folder))
    stage.settle()
    dialog.form.name.setText("mylab")
    dialog.form.pixel.setCurrentIndex(dialog.form.pixel.findData("given"))
    dialog.form.pixel_nm.setValue(0.1)
    return dialog


def _training_state(name: str) -> Callable[[Stage], QWidget | None]:
    """How the panel looks when the child with that name has done what it does."""

    def act(stage: Stage) -> QWidget | None:
        dialog = _training(stage, 6)
        dialog.form.name.setText(name)
        dialog.act()
        runner = dialog.runner
        until(stage, lambda: not runner.busy or (name == "mylab" and len(runner.course.probes) == 3))
        return dialog

    return act


def _training_empty(stage: Stage) -> QWidget | None:
    stage.window.companions.training.show()
    dialog = stage.window.companions.training.dialog
    assert dialog is not None
    dialog.resize(*stage.size)
    return dialog


def _sheet(stage: Stage) -> QWidget | None:
    stage.window.companions.help.sheet.show()
    return stage.window.companions.help.sheet.dialog


def _log(stage: Stage) -> QWidget | None:
    stage.window.companions.help.log.show()
    return stage.window.companions.help.log.dialog


def _process(stage: Stage) -> None:
    stage.sample(DOUBLE)
    stage.window.show_tab("process")


def _measure(stage: Stage) -> None:
    stage.sample(DOUBLE)
    stage.window.show_tab("measure")


def _steps(stage: Stage) -> None:
    _process(stage)
    stage.window.workbench.processing.take(History.from_text("plane; align-rows:median; scars"))
    stage.settle()


def _cropping(stage: Stage) -> None:
    _steps(stage)
    stage.window.workbench.processing.add("crop")
    stage.window.workbench.processing.tools.box.set_rect(QRectF(4, 5, 12, 10))
    stage.settle()


def _painted(stage: Stage) -> None:
    _process(stage)
    stage.window.workbench.processing.take(History.from_text("plane; mask-brush:5,40 60 150 90 240 70"))
    stage.settle()


def _marking(stage: Stage) -> None:
    _process(stage)
    stage.window.workbench.processing.take(History.from_text("plane; fft-filter:remove,0.43 -1.2 0.15"))
    stage.settle()
    stage.window.workspace.processing.form.draw.click()
    stage.settle()


def _step_failed(stage: Stage) -> None:
    _process(stage)
    stage.window.workbench.processing.take(History.from_text("plane; crop:0,0,4000,10"))
    stage.settle()


def _measuring(mode: Mode) -> Callable[[Stage], None]:
    """A tool in use on raw and restored."""

    def act(stage: Stage) -> None:
        stage.sample(DOUBLE)
        stage.restore(task="sparse", mask="lines:4", model="linear")
        stage.window.show_tab("measure")
        measuring = stage.window.workbench.measuring
        measuring.use(mode)
        measuring.profiles.tool.lines = [Ends(QPointF(2, 4), QPointF(20, 16)), Ends(QPointF(3, 20), QPointF(22, 20))]
        measuring.profiles.tool.changed.emit()
        stage.window.workspace.measuring.fit.setChecked(True)
        stage.settle()

    return act


STATES: dict[str, State] = {
    "empty": State(_nothing),
    "empty-dark": State(_nothing, theme="dark"),
    "empty-recent": State(_recent),
    "scan": State(_scan),
    "scan-dark": State(_scan, theme="dark"),
    "repaired": State(_repaired),
    "sparse": State(_sparse),
    "sparse-dark-2560": State(_sparse, (2560, 1440), "dark"),
    "restoring": State(_restoring),
    "failed": State(_failed),
    "folder": State(_folder),
    "folder-dark": State(_folder, theme="dark"),
    "folder-filtered": State(_filtered),
    "folder-2560": State(_folder, (2560, 1440)),
    "folder-small": State(_folder, (900, 600)),
    "live": State(_live),
    "live-lost": State(_lost),
    "finder": State(_finder),
    "finder-dark": State(_finder, theme="dark"),
    "batch-empty": State(_batch_empty),
    "batch": State(_batch),
    "batch-dark": State(_batch, theme="dark"),
    "shortcuts": State(_sheet),
    "log": State(_log),
    "steps": State(_steps),
    "steps-dark": State(_steps, theme="dark"),
    "cropping": State(_cropping),
    "painted": State(_painted),
    "marking": State(_marking),
    "marking-dark": State(_marking, theme="dark"),
    "step-failed": State(_step_failed),
    "profiles": State(_measuring("profile")),
    "profiles-dark-2560": State(_measuring("profile"), (2560, 1440), "dark"),
    "profiles-150": State(_measuring("profile"), scale=1.5),
    "region": State(_measuring("region")),
    "spectrum": State(_measuring("spectrum")),
    "spectrum-dark": State(_measuring("spectrum"), theme="dark"),
    "autocorrelation": State(_measuring("autocorrelation")),
    "step-heights": State(_measuring("steps")),
    "training-empty": State(_training_empty),
    "training-scans": State(_training_scans),
    "training-scans-dark": State(_training_scans, theme="dark"),
    "training-examples": State(_training_examples),
    "training-images": State(_training_images),
    "training": State(_training_state("mylab")),
    "training-dark": State(_training_state("mylab"), theme="dark"),
    "training-died": State(_training_state("dies")),
    "training-bad": State(_training_state("bad"), theme="dark"),
    "training-done": State(_training_state("quick")),
    "training-150": State(_training_state("mylab"), scale=1.5),
    "repaired-2560": State(_repaired, (2560, 1440)),
    "repaired-150": State(_repaired, scale=1.5),
    "flattened": State(_flattened),
    "flattened-dark-1024": State(_flattened, (1024, 700), "dark"),
    "second-tip": State(_second_tip),
    "second-tip-dark": State(_second_tip, theme="dark"),
    "process": State(_process),
    "measure": State(_measure),
    "empty-150": State(_nothing, scale=1.5),
    "folder-150": State(_folder, scale=1.5),
    "batch-150": State(_batch, scale=1.5),
    **DIALOGS,
}


@contextmanager
def _own_folders() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            os.environ[variable] = name
        yield Path(name)


def take(names: list[str], out: Path) -> None:
    """Takes these pictures, all of one scale, in this process."""
    out.mkdir(parents=True, exist_ok=True)
    with _own_folders() as home:
        app = make_app()
        for number, name in enumerate(names):
            state, folder = STATES[name], home / str(number)
            folder.mkdir()
            stage = Stage(app, folder, state.size, state.theme)
            seen = state.act(stage) or stage.window
            for _ in range(5):
                app.processEvents()
            seen.grab().save(str(out / f"{name}.png"))
            print(out / f"{name}.png", flush=True)
            stage.window.asks_before_closing = False
            stage.window.close()
            stage.window.deleteLater()
            app.processEvents()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", nargs="*", choices=tuple(STATES), metavar="NAME")
    parser.add_argument("--scale", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--list", action="store_true", help="the names of the states")
    options = parser.parse_args()
    wanted = options.only or list(STATES)
    if options.list:
        print("\n".join(wanted))
        return
    scales = dict.fromkeys(STATES[name].scale for name in wanted)
    for scale in scales if options.scale is None else [options.scale]:
        names = [name for name in wanted if STATES[name].scale == scale]
        if scale == (options.scale or 1.0):
            take(names, options.out)
        else:
            environment = {**os.environ, "QT_SCALE_FACTOR": str(scale)}
            words = [sys.executable, __file__, str(options.out), "--scale", str(scale), "--only", *names]
            subprocess.run(words, env=environment, check=True)


if __name__ == "__main__":
    main()
