"""Below the pages: how far the training is, the same as a command line, and the buttons."""

from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QVBoxLayout,
    QWidget,
)

from stmviewer.gui.dialog_button import dialog_button
from stmviewer.gui.elided_label import ElidedLabel
from stmviewer.gui.slim_bar import SlimBar
from stmviewer.gui.training.runner import Phase


class Foot(QWidget):
    """Which buttons there are follows from the phase of a training; none of them sets it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.status = ElidedLabel()
        self.progress = SlimBar(keeps_place=True)
        self.command = QLineEdit()
        self.command.setReadOnly(True)
        self.command.setAccessibleName("The same as a command line")
        self.copy_button = dialog_button("Copy", "Copies the command line that does the same")
        self.resume_button = dialog_button("Stopped trainings", "Go on with a training that was stopped")
        self.resume_menu = QMenu(self.resume_button)
        self.resume_button.setMenu(self.resume_menu)
        self.new_button = dialog_button(
            "New training", "Begin another one; a stopped training can be gone on with later"
        )
        self.delete_button = dialog_button("Delete…", "Deletes the stopped training; models that were made of it stay")
        self.keep_button = dialog_button("Keep this state…", "Makes a model of what it has learned so far; it goes on")
        self.card_button = dialog_button("Card", "What the model was made of, and how well it did")
        self.use_button = dialog_button("Use this model", "Chooses the model in the window")
        self.run_button = dialog_button("Start", "")
        for button in (self.run_button, self.use_button):
            button.setObjectName("primary")
            button.setMinimumWidth(130)
        self._lay_out()

    def show_phase(self, phase: Phase, *, choosing: bool, resumable: bool, problem: str, trained: bool) -> None:
        """`choosing`: nothing is under way or on show; `problem`: why nothing can be started; `trained`: there is
        something to keep already."""
        busy = phase in (Phase.RUNNING, Phase.STOPPING)
        label = {Phase.RUNNING: "Stop", Phase.STOPPING: "Stopping…"}.get(phase, "Resume" if resumable else "Start")
        self.run_button.setText(label)
        self.run_button.setVisible(phase is not Phase.DONE)
        self.run_button.setEnabled(phase is Phase.RUNNING or resumable or (choosing and not problem))
        self.run_button.setToolTip(problem)
        self._paint_button(phase is Phase.RUNNING)
        self.use_button.setVisible(phase is Phase.DONE)
        self.card_button.setVisible(phase is Phase.DONE)
        self.keep_button.setVisible(busy)
        self.keep_button.setEnabled(phase is Phase.RUNNING and trained)
        self.new_button.setVisible(not choosing and not busy)
        self.delete_button.setVisible(resumable and not busy)
        self.resume_button.setVisible(choosing and not self.resume_menu.isEmpty())
        self.progress.setVisible(busy)

    def show_command(self, text: str) -> None:
        if text != self.command.text():
            self.command.setText(text)
            self.command.setCursorPosition(0)
        self.copy_button.setEnabled(bool(text))

    def _paint_button(self, cancels: bool) -> None:
        if self.run_button.property("cancels") != cancels:
            self.run_button.setProperty("cancels", cancels)
            self.run_button.style().polish(self.run_button)

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.addWidget(self.command, 1)
        line.addWidget(self.copy_button)
        bottom = QHBoxLayout()
        bottom.setSpacing(8)
        for widget in (self.resume_button, self.new_button, self.delete_button, self.keep_button):
            bottom.addWidget(widget)
        bottom.addStretch(1)
        for widget in (self.card_button, self.use_button, self.run_button):
            bottom.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.status)
        layout.addWidget(self.progress)
        layout.addLayout(line)
        layout.addLayout(bottom)
