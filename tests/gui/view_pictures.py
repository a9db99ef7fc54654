"""Takes a picture of the images in every state, in every look, to be looked at: the second part of `make pictures`.

    python tests/gui/view_pictures.py OUT [--only STATE ...] [--looks LOOK ...]

A look is a theme, a size and a scale of the screen; each has a process of its own, since the scale belongs to one.
Files are OUT/LOOK/STATE.png. Add a state: a function below that brings the window there, with @state. Without a display
it draws off screen. Settings of the user are neither read nor written.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform in ("win32", "darwin")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QWidget

from stmviewer.gui.app import make_app
from stmviewer.gui.settings import Settings
from stmviewer.gui.window import MainWindow
from stmviewer.restore import RestoreRequest, title

SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "samples"
DOUBLE_TIP, SPARSE_LINES = SAMPLES / "si001h-double-tip.gwy", SAMPLES / "si001h-sparse-lines.gwy"
#: theme, size in logical pixels, scale
LOOKS = {
    "light-1280": ("light", "1280x800", "1"),
    "dark-1280": ("dark", "1280x800", "1"),
    "light-2560": ("light", "2560x1440", "1"),
    "dark-150percent": ("dark", "1280x800", "1.5"),
    "light-small": ("light", "900x620", "1"),
}
_PATIENCE_S = 600


class Stage:
    """A window to play on."""

    def __init__(self, app: QApplication, window: MainWindow, folder: Path) -> None:
        self.app, self.window, self.folder = app, window, folder

    def settle(self) -> None:
        """Until no job is under way and everything is painted."""
        until, quiet = time.monotonic() + _PATIENCE_S, time.monotonic()
        while time.monotonic() - quiet < 0.3:
            self.app.processEvents()
            time.sleep(0.01)
            if self.window.session.desk.busy or self.window.restore_page.waiting:
                quiet = time.monotonic()
            if time.monotonic() > until:
                raise SystemExit("the window did not come to rest")

    def open(self, *paths: Path) -> None:
        self.window.open_paths(paths)
        self.settle()

    def ask(self, **wishes: object) -> None:
        self.window.controls.show_request(RestoreRequest(**wishes))  # type: ignore[arg-type]
        self.settle()

    def restore(self, **wishes: object) -> None:
        self.ask(**wishes)
        self.window.restore()
        self.settle()

    def panes(self, *names: str) -> None:
        self.window.view.set_wanted(names)  # type: ignore[arg-type]
        self.app.processEvents()

    def also(self, *names: str) -> None:
        """Tries these methods as the menu of the compare pane offers them."""
        for name in names:
            self.window.viewing.try_also(dict(self.window.viewing.offers())[title(name)])
            self.settle()

    def point(self, across: float, down: float) -> None:
        shown = self.window.session.shown
        assert shown is not None
        frame = shown.picture.frame
        at = QPointF(frame.x + across * frame.width, frame.y + down * frame.height)
        self.window.view.panes["raw"].hovered.emit(at)

    def made(self, name: str, data: np.ndarray) -> Path:
        path = self.folder / f"{name}.npy"
        np.save(path, data)
        return path


State = Callable[[Stage], QWidget | None]
STATES: dict[str, State] = {}


def state(play: State) -> State:
    """A function that brings a fresh window into a state; it returns a popup to draw over it, or nothing."""
    STATES[play.__name__.replace("_", "-")] = play
    return play


@state
def empty(stage: Stage) -> None:
    pass


@state
def one_scan(stage: Stage) -> None:
    stage.open(DOUBLE_TIP)
    stage.point(0.4, 0.6)


@state
def sparse_offered(stage: Stage) -> None:
    stage.open(SPARSE_LINES)


@state
def sparse_chosen(stage: Stage) -> None:
    stage.open(DOUBLE_TIP)
    stage.ask(task="sparse", mask="lines:4", model="regression-sim")


@state
def restoring(stage: Stage) -> None:
    stage.open(DOUBLE_TIP)
    stage.ask(task="sparse", mask="lines:4", model="biharmonic")
    stage.window.restore()
    until = time.monotonic() + 30
    while stage.window.session.run.fraction < 0.2 and stage.window.session.run.busy and time.monotonic() < until:
        stage.app.processEvents()
        time.sleep(0.01)


@state
def failed(stage: Stage) -> None:
    stage.open(DOUBLE_TIP)
    stage.restore(task="repair", model="regression-sim", device="cuda")


@state
def bad_file(stage: Stage) -> None:
    path = stage.folder / "notes.sxm"
    path.write_text("these are notes, no scan")
    stage.open(path)


@state
def never_ran(stage: Stage) -> None:
    stage.open(stage.made("empty", np.full((64, 96), np.nan)))


@state
def without_a_size(stage: Stage) -> None:
    rng = np.random.default_rng(0)
    stage.open(stage.made("unknown", rng.normal(size=(120, 200)).cumsum(axis=1)))
    stage.point(0.7, 0.5)


@state
def repaired(stage: Stage) -> None:
    stage.open(DOUBLE_TIP)
    stage.restore(task="repair", model="regression-sim")
    stage.point(0.4, 0.6)


@state
def rebuilt_and_scored(stage: Stage) -> None:
    stage.open(DOUBLE_TIP)
    stage.restore(task="sparse", mask="lines:4", model="regression-sim")
    stage.point(0.6, 0.3)


@state
def five_panes(stage: Stage) -> None:
    stage.open(SPARSE_LINES)
    stage.restore(task="sparse", mask="file", model="regression-sim")
    stage.panes("raw", "mask", "restored", "difference", "deviation")
    stage.point(0.4, 0.6)


@state
def one_pane(stage: Stage) -> None:
    stage.open(SPARSE_LINES)
    stage.restore(task="sparse", mask="file", model="regression-sim")
    stage.panes("restored")


@state
def tinted(stage: Stage) -> None:
    stage.open(SPARSE_LINES)
    stage.restore(task="sparse", mask="file", model="regression-sim")
    stage.panes("raw", "restored")
    stage.window.view.set_tint(True)
    stage.window.zoom(6)


@state
def findings_opened(stage: Stage) -> None:
    stage.open(SPARSE_LINES)
    stage.restore(task="sparse", mask="file", model="regression-sim")
    for row in stage.window.view.legend.trust.rows[:3]:
        row.toggle()


@state
def compared(stage: Stage) -> None:
    stage.open(DOUBLE_TIP)
    stage.restore(task="sparse", mask="lines:4", model="regression-sim")
    stage.also("linear", "regression-si100h")
    stage.panes("compare")
    stage.point(0.3, 0.4)


@state
def candidates_menu(stage: Stage) -> QWidget:
    compared(stage)
    menu = stage.window.view.candidate_menu
    stage.window.view.fill_candidates()
    button = stage.window.view.compare.corner.itemAt(0).widget()
    menu.popup(button.mapToGlobal(QPoint(0, button.height())))
    return menu


@state
def several_results(stage: Stage) -> None:
    stage.open(DOUBLE_TIP)
    stage.restore(task="repair", model="regression-sim")
    stage.also("flow-sim")
    stage.panes("raw", "restored", "difference")


@state
def space_held(stage: Stage) -> None:
    several_results(stage)
    stage.panes("restored", "compare")
    stage.window.view.hold_raw(True)


@state
def colour_maps(stage: Stage) -> QWidget:
    stage.open(DOUBLE_TIP)
    return stage.window.view.legend.open_colours("heights")


@state
def range_typed(stage: Stage) -> QWidget | None:
    stage.open(DOUBLE_TIP)
    popup = stage.window.view.legend.open_range("heights")
    assert popup is not None
    popup.by_value.setChecked(True)
    popup.values[0].setText("-50 volts")
    popup.apply()
    return popup


@state
def range_narrow(stage: Stage) -> None:
    stage.open(DOUBLE_TIP)
    legend = stage.window.view.legend
    legend.shared.range_dragged.emit(-2e-11, 3e-11)
    view = stage.window.view
    view.set_display(view.display.with_colouring("heights", map="bids:viridis"))


def picture_of(window: MainWindow, popup: QWidget | None) -> QPixmap:
    """The window, and over it what has popped up: that is a window of its own."""
    seen = window.grab()
    if popup is not None:
        painter = QPainter(seen)
        painter.drawPixmap(window.mapFromGlobal(popup.mapToGlobal(QPoint(0, 0))), popup.grab())
        painter.end()
        popup.close()
    return seen


@dataclass(frozen=True)
class Look:
    name: str
    theme: str
    size: str


def take(out: Path, look: Look, names: list[str]) -> None:
    app = make_app()
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            settings = Settings(Path(folder) / "window.ini")
            settings.theme = look.theme  # type: ignore[assignment]
            window = MainWindow(settings=settings)
            window.asks_before_closing = False
            window.resize(*map(int, look.size.split("x")))
            window.show()
            stage = Stage(app, window, Path(folder))
            stage.settle()
            popup = STATES[name](stage)
            for _ in range(5):
                app.processEvents()
            path = out / look.name / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            picture_of(window, popup).save(str(path))
            print(path, flush=True)
            window.close()
            window.deleteLater()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", nargs="+", choices=tuple(STATES), metavar="STATE", help=", ".join(STATES))
    parser.add_argument("--looks", nargs="+", choices=tuple(LOOKS), default=tuple(LOOKS))
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)  # in this process: the child
    options = parser.parse_args()
    names = options.only or list(STATES)
    if options.here:
        (name,) = options.looks
        theme, size, _ = LOOKS[name]
        take(options.out, Look(name, theme, size), names)
        return 0
    worst = 0
    for name in options.looks:
        environment = {**os.environ, "QT_SCALE_FACTOR": LOOKS[name][2]}
        command = [sys.executable, __file__, str(options.out), "--here", "--looks", name, "--only", *names]
        worst = max(worst, subprocess.run(command, env=environment, check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
