"""Process and Measure put together for the window: their tools, dialogs and commands."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QFileDialog

from stmviewer.files.history import load_history, save_history
from stmviewer.gui.commands import Command
from stmviewer.gui.drawing import Toolbox
from stmviewer.gui.measuring.commands import measure_commands
from stmviewer.gui.measuring.controller import Measuring
from stmviewer.gui.panes.image_view import Pane
from stmviewer.gui.processing.commands import process_commands
from stmviewer.gui.processing.controller import Processing
from stmviewer.gui.processing.spectrum_marks import SpectrumMarks
from stmviewer.scan import History, StmviewerError

if TYPE_CHECKING:
    from stmviewer.gui.window import MainWindow

_STEPS = "Steps (*.json)"


class Workbench(QObject):
    """Owns the two pages' controllers; one of their tools is in use at a time."""

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._window = window
        place = window.workspace
        panes = window.view.panes.values()
        self.toolbox = Toolbox([(pane.view, partial(_shows, pane)) for pane in panes], self)
        self.marks = SpectrumMarks(place.strip, self)
        self.processing = Processing(window.session, place.processing, self.toolbox, self.marks, self)
        self.measuring = Measuring(window.session, window.view, place.measuring, place.strip, self.toolbox, self)
        self.processing.changed.connect(self._on_steps)
        self.measuring.changed.connect(window.refresh)
        self.processing.told.connect(self._tell)
        self.measuring.copied.connect(lambda text: QApplication.clipboard().setText(text))
        place.measuring.export_asked.connect(self._export_profiles)
        window.tabs.turned.connect(self._on_tab)

    def commands(self) -> tuple[Command, ...]:
        leave = Command(
            "leave-tool",
            "Measure",
            "&Leave the tool",
            lambda _w, _: self.leave(),
            "Esc",
            lambda s: self.active and not (s.run.enabled and s.run.cancels),
            separator=True,
        )
        steps = process_commands(self.processing, self._load, self._save, self._process_folder)
        chain = (*steps, *measure_commands(self.measuring), leave)
        before = ("copy-command", *(command.name for command in chain))
        # between Restore and Simulate, in this order
        return tuple(replace(command, after=name) for command, name in zip(chain, before, strict=False))

    def connect_menus(self) -> None:
        """Once the window has made its menus."""
        self._window.workspace.processing.set_actions(self._window.menus.actions)

    @property
    def active(self) -> bool:
        """Whether a tool is in use."""
        return self.processing.drawing or self.measuring.mode is not None

    def leave(self) -> None:
        if self.processing.drawing:
            self.processing.leave()
        elif self.measuring.mode is not None:
            self.measuring.leave()

    def close(self) -> None:
        self.measuring.close()

    def _on_steps(self) -> None:
        shown = self._window.session.shown
        done = shown.history if shown is not None else History()
        self._window.controls.set_process(done.to_text(), done.in_words())
        self._window.refresh()

    def _on_tab(self, name: str) -> None:
        """A tool belongs to its page."""
        if name != "process":
            self.processing.leave()
        if name != "measure" and self.measuring.mode is not None:
            self.measuring.leave()

    def _tell(self, text: str, folder: object) -> None:
        self._window.messages.tell_done(text, folder if isinstance(folder, Path) else None)

    def _complain(self, error: StmviewerError) -> None:
        self._window.messages.complain(str(error))

    def _beside(self) -> str:
        scan = self._window.session.scan
        return str(scan.path.parent) if scan is not None and scan.path is not None else str(Path.home())

    def _load(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self._window, "Load processing steps", self._beside(), _STEPS)
        if name:
            self.load(Path(name))

    def load(self, path: Path) -> None:
        """Takes the steps of a file: saved ones, or those of the provenance beside a result."""
        try:
            self.processing.take(load_history(path))
        except StmviewerError as error:
            self._complain(error)

    def _save(self) -> None:
        scan = self._window.session.scan
        stem = scan.path.stem if scan is not None and scan.path is not None else "scan"
        start = str(Path(self._beside()) / f"{stem}.steps.json")
        name, _ = QFileDialog.getSaveFileName(self._window, "Save processing steps", start, _STEPS)
        if name:
            try:
                save_history(self.processing.history, Path(name).with_suffix(".json"))
            except StmviewerError as error:
                self._complain(error)

    def _process_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self._window, "Write the processed scans to", self._beside())
        if folder:
            self.processing.process_folder(self._window.session.opening.files, Path(folder))

    def _export_profiles(self) -> None:
        scan = self._window.session.scan
        stem = scan.path.stem if scan is not None and scan.path is not None else "scan"
        start = str(Path(self._beside()) / f"{stem}_profile.csv")
        name, _ = QFileDialog.getSaveFileName(self._window, "Save the profiles", start, "Tables (*.csv)")
        if name:
            try:
                written = self.measuring.export(Path(name).with_suffix(".csv"))
            except StmviewerError as error:
                self._complain(error)
                return
            self._tell("Written: " + ", ".join(str(path) for path in written), written[0].parent)


def _shows(pane: Pane) -> bool:
    """Whether there is an image in the pane to draw on."""
    return pane.frame() is not None
