"""The stage that `pictures.py` plays on: a window of its own, files, and what a state of it is."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import QApplication, QWidget
from screenshots import settle, wait_for_part

from stmviewer.files import save_scan
from stmviewer.gui.empty_state import sample_files
from stmviewer.gui.settings import Settings
from stmviewer.gui.window import MainWindow
from stmviewer.restore import RestoreRequest
from stmviewer.scan import Scan
from stmviewer.services.notes import Note
from stmviewer.simulate import simulate_scan, to_scan

DOUBLE, SPARSE = "si001h-double-tip.gwy", "si001h-sparse-lines.gwy"


class Stage:
    """A window with everything that a state needs; files lie in `folder`."""

    def __init__(self, app: QApplication, folder: Path, size: tuple[int, int], theme: str) -> None:
        self.app, self.folder, self.size = app, folder, size
        settings = Settings(folder / "settings" / "window.ini")
        settings.set_text("theme", theme)
        self.window = MainWindow(settings=settings)
        self.window.resize(*size)
        self.window.show()
        self.settle()

    def settle(self) -> None:
        settle(self.app, self.window)

    def rest(self, seconds: float) -> None:
        """What a timer has put off is done then."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.app.processEvents()
            time.sleep(0.01)

    def open(self, *paths: Path) -> None:
        self.window.open_paths(list(paths))
        self.settle()

    def sample(self, name: str) -> None:
        self.open(next(path for path in sample_files() if path.name == name))

    def scans(self, name: str = "scans", count: int = 6) -> Path:
        """A folder of simulated scans of several surfaces and sizes."""
        made = self.folder / name
        made.mkdir(exist_ok=True)
        surfaces = ("si001h", "si111-7x7", "au111", "graphite", "ge001", "molecules")
        for k in range(count):
            surface = surfaces[k % len(surfaces)]
            scan = to_scan(simulate_scan(surface, 128, 128, (0.05 + 0.03 * k) * 1e-9, "mild", k))
            bias = -1.8 + 0.6 * k
            facts = {"bias_v": bias, "recorded": f"2026-05-{k + 1:02} 12:00:00", "setpoint_a": 5e-11}
            scan = Scan(scan.channels, scan.geometry, **facts)  # type: ignore[arg-type]
            save_scan(scan, made / f"{surface}_{k:03}.gwy")
        return made

    def restore(self, until: float | None = None, **request: object) -> None:
        wanted: dict[str, object] = {"model": "regression-sim", **request}
        self.window.controls.show_request(RestoreRequest(**wanted))  # type: ignore[arg-type]
        self.settle()
        self.window.restore()
        if until is None:
            self.settle()
        else:
            wait_for_part(self.app, self.window, until)

    def browse(self) -> None:
        self.open(self.scans())
        browsing, panel = self.window.browsing, self.window.files
        browsing.notes.write(self.window.session.opening.files[1], Note(True, "nice adatoms"))
        browsing.notes.write(self.window.session.opening.files[3], Note(True))
        while any(entry.tip is None for entry in panel.model.entries):
            self.app.processEvents()
        self.settle()


def until(stage: Stage, done: Callable[[], bool]) -> None:
    while not done():
        stage.app.processEvents()


@dataclass(frozen=True)
class State:
    """A picture: what is done before it is taken, and how large and in which theme the window is."""

    act: Callable[[Stage], QWidget | None]
    size: tuple[int, int] = (1280, 800)
    theme: str = "light"
    scale: float = 1.0
