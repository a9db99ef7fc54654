"""The window of a batch: its files and what became of them, what it would do, how far it is."""

from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from stmviewer.gui import dialogs
from stmviewer.gui.batch.plan_form import Asked, PlanForm
from stmviewer.gui.batch.queue import Phase, Status, default_output
from stmviewer.gui.batch.runner import BatchRunner
from stmviewer.gui.batch.table import FILE, NOTES, BatchTable
from stmviewer.gui.dialog_button import dialog_button
from stmviewer.gui.drop import DropTarget
from stmviewer.gui.info_bar import InfoArea
from stmviewer.gui.sentences import sentence
from stmviewer.gui.settings import Settings
from stmviewer.gui.slim_bar import SlimBar
from stmviewer.scan import RequestError
from stmviewer.services.batch import table_csv

_INVITATION = "Drop files and folders here, or add them below."


class BatchDialog(QDialog):
    """Shows the runner's queue. Until a batch is started it goes with the settings of the main window."""

    def __init__(self, runner: BatchRunner, settings: Settings, asked: Asked, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Restore many files – stmviewer")
        self.runner, self._settings = runner, settings
        self.form = PlanForm(settings, asked, self._folder)
        self.messages = InfoArea()
        self.table = BatchTable(self)
        self.view = QTableView()
        self.view.setModel(self.table)
        self.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.view.verticalHeader().hide()
        self.view.verticalHeader().setDefaultSectionSize(self.view.fontMetrics().lineSpacing() + 8)
        self.view.setShowGrid(False)
        self.view.setAlternatingRowColors(True)
        self.view.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.view.setWordWrap(False)
        self.view.setAccessibleName("Files of the batch")
        self.view.doubleClicked.connect(self._show_result)
        head = self.view.horizontalHeader()
        for column, width in enumerate((190, 84, 84, 116, 190, 170)):
            self.view.setColumnWidth(column, width)
        head.setSectionResizeMode(NOTES, QHeaderView.ResizeMode.Stretch)
        head.setStretchLastSection(False)
        self.empty = QLabel(_INVITATION)
        self.empty.setObjectName("quiet")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.add_files = dialog_button("Add files…", act=self._ask_files)
        self.add_folder = dialog_button("Add folder…", "With the folders below it", self._ask_folder)
        self.remove = dialog_button("Remove", "Takes the marked files out of the batch", self._remove)
        self.clear = dialog_button("Clear", act=runner.clear)
        self.retry = dialog_button("Retry failed", act=self._retry)
        self.copy_table = dialog_button("Save table…", "The table as CSV", self._save_table)
        self.status = QLabel()
        self.progress = SlimBar()
        self.pause = dialog_button("Pause", act=self._pause)
        self.cancel = dialog_button("Cancel", act=runner.cancel)
        self.start = dialog_button("Start", act=self._start)
        self.start.setObjectName("primary")
        self.start.setMinimumWidth(120)
        self._lay_out()
        self.drops = DropTarget(self)
        self.drops.watch(self)
        self.drops.watch(self.view.viewport())
        self.drops.dropped.connect(self.add)
        self.form.changed.connect(self.refresh)
        runner.changed.connect(self.refresh)
        runner.complained.connect(self._complain)
        self.resize(self.sizeHint())
        layout = settings.layout("batch")
        if layout is not None:
            self.restoreGeometry(layout)
        self.refresh()

    def sizeHint(self) -> QSize:
        return QSize(960, 600)

    def add(self, paths: list[Path]) -> None:
        """Puts files and folders into the batch."""
        self.runner.add(paths, self.form.folder)

    def refresh(self) -> None:
        """Brings everything in line with the queue and the settings of the window."""
        queue, runner = self.runner.queue, self.runner
        self.table.show_queue(queue)
        self.empty.setVisible(not queue.rows)
        self.empty.setText("Looking for scans…" if runner.looking else _INVITATION)
        if queue.rows:
            self.form.propose(default_output([row.item for row in queue.rows]))
        reason = self.form.show_plan(runner.plan if runner.busy else None, runner.command if queue.rows else None)
        idle = not runner.busy
        self.status.setText(reason if idle and reason and queue.rows else queue.text)
        self.progress.setVisible(queue.busy or queue.fraction > 0)
        self.progress.show_fraction(queue.fraction)
        self.start.setVisible(idle)
        self.start.setEnabled(idle and not reason and bool(queue.waiting(1)) and not runner.looking)
        self.pause.setVisible(not idle)
        self.pause.setEnabled(queue.phase in (Phase.RUNNING, Phase.PAUSED))
        self.pause.setText("Resume" if queue.phase is Phase.PAUSED else "Pause")
        self.cancel.setVisible(not idle)
        self.cancel.setEnabled(queue.phase is not Phase.CANCELLING)
        for button in (self.clear, self.remove):
            button.setEnabled(bool(queue.rows) and idle)
        self.retry.setEnabled(idle and queue.count(Status.FAILED, Status.CANCELLED) > 0)
        self.copy_table.setEnabled(bool(queue.outcomes()))

    # what the user does

    def _start(self) -> None:
        self.messages.dismiss("error")
        try:
            plan = self.form.plan()
        except RequestError as error:
            self._complain(str(error), "")
            return
        self._settings.set_text("batch-format", plan.file_format)
        self.runner.start(plan)

    def _pause(self) -> None:
        (self.runner.resume if self.runner.queue.phase is Phase.PAUSED else self.runner.pause)()

    def _retry(self) -> None:
        self.runner.retry()
        self._start()

    def _remove(self) -> None:
        self.runner.remove([index.row() for index in self.view.selectionModel().selectedRows(FILE)])

    def _ask_files(self) -> None:
        chosen = dialogs.ask_files(self, self._folder())
        if chosen:
            self.add(chosen)

    def _ask_folder(self) -> None:
        chosen = dialogs.ask_folder(self, self._folder())
        if chosen:
            self.add(chosen)

    def _folder(self) -> Path:
        rows = self.runner.queue.rows
        recent = self._settings.recent
        path = rows[-1].item.path if rows else recent[0] if recent else Path.home()
        return path if path.is_dir() else path.parent

    def _save_table(self) -> None:
        start = (self.form.folder or Path()) / "batch.csv"
        name, _ = QFileDialog.getSaveFileName(self, "Save the table", str(start), "Table (*.csv)")
        if name:
            self.save_table(Path(name))

    def save_table(self, path: Path) -> None:
        """Writes the table of what was restored or has failed as CSV."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(table_csv(self.runner.queue.outcomes()), encoding="utf-8")
        except OSError as error:
            self._complain(f"{path}: cannot be written ({error.strerror or error})", "")
        else:
            self.messages.show_message("saved", "offer", f"Written: {path}")

    def _show_result(self) -> None:
        row = self.table.row(self.view.currentIndex().row())
        if row.outcome is not None and row.outcome.output is not None:
            dialogs.show_folder(row.outcome.output.parent)

    def _complain(self, message: str, details: str) -> None:
        self.messages.show_message("error", "error", sentence(message), details=details)

    def closeEvent(self, event: QCloseEvent) -> None:
        """The batch goes on without this window; the main window's menu shows it again."""
        self._settings.set_layout("batch", self.saveGeometry())
        super().closeEvent(event)

    # once

    def _lay_out(self) -> None:
        over = QVBoxLayout(self.view)
        over.addWidget(self.empty)
        files = QHBoxLayout()
        for button in (self.add_files, self.add_folder, self.remove, self.clear):
            files.addWidget(button)
        files.addStretch(1)
        for button in (self.retry, self.copy_table):
            files.addWidget(button)
        run = QHBoxLayout()
        run.addWidget(self.status, 1)
        for button in (self.pause, self.cancel, self.start):
            run.addWidget(button)
        column = QVBoxLayout(self)
        column.addWidget(self.messages)
        column.addWidget(self.view, 1)
        column.addLayout(files)
        column.addWidget(self.form)
        column.addWidget(self.progress)
        column.addLayout(run)
