"""The window of a batch: files, settings, where results go; progress, table, and the same as a command line."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from stmviewer.gui import dialogs
from stmviewer.gui.batch.queue import Phase, Status, default_output
from stmviewer.gui.batch.runner import BatchRunner
from stmviewer.gui.batch.table import FILE, HEADS, NOTES, RESULT, BatchTable
from stmviewer.gui.drop import DropTarget
from stmviewer.gui.elided_label import ElidedLabel
from stmviewer.gui.info_bar import InfoArea
from stmviewer.gui.mask_words import mask_words
from stmviewer.gui.sentences import sentence
from stmviewer.gui.settings import Settings
from stmviewer.gui.slim_bar import SlimBar
from stmviewer.restore import RestoreRequest, title
from stmviewer.scan import RequestError
from stmviewer.services.batch import BatchPlan, table_csv
from stmviewer.services.exporting import EXPORT_FORMATS

_INVITATION = "Drop files and folders here, or add them below."
#: what the settings of the window are now; raises RequestError while they make no request
Asked = Callable[[], RestoreRequest]


class BatchDialog(QDialog):
    """Shows the runner's queue. Until a batch is started it goes with the settings of the main window."""

    def __init__(self, runner: BatchRunner, settings: Settings, asked: Asked, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Restore many files – stmviewer")
        self.runner, self._settings, self._asked = runner, settings, asked
        self._output_chosen = False
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
        self.add_files = self._button("Add files…", self._ask_files)
        self.add_folder = self._button("Add folder…", self._ask_folder, "With the folders below it")
        self.remove = self._button("Remove", self._remove, "Takes the marked files out of the batch")
        self.clear = self._button("Clear", runner.clear)
        self.retry = self._button("Retry failed", self._retry)
        self.copy_table = self._button("Save table…", self._save_table, "The table as CSV")
        self.request_line = ElidedLabel()
        self.output = QLineEdit()
        self.output.setPlaceholderText("Folder for the results")
        self.output.setAcceptDrops(False)
        self.output.textEdited.connect(self._output_typed)
        self.choose = self._button("Choose…", self._ask_output)
        self.format = QComboBox()
        for suffix, text in EXPORT_FORMATS.items():
            self.format.addItem(f"{suffix} – {text}", suffix)
        self.format.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.format.setCurrentIndex(max(self.format.findData(settings.text("batch-format", "gwy")), 0))
        self.format.currentIndexChanged.connect(lambda _: self._format_chosen())
        self.command = QLineEdit()
        self.command.setReadOnly(True)
        self.command.setAccessibleName("The same as a command line")
        self.copy_command = self._button("Copy", self._copy_command)
        self.status = QLabel()
        self.progress = SlimBar()
        self.pause = self._button("Pause", self._pause)
        self.cancel = self._button("Cancel", runner.cancel)
        self.start = self._button("Start", self._start)
        self.start.setObjectName("primary")
        self.start.setMinimumWidth(120)
        self._lay_out()
        self.drops = DropTarget(self)
        self.drops.watch(self)
        self.drops.watch(self.view.viewport())
        self.drops.dropped.connect(self.add)
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
        self.runner.add(paths, Path(self.output.text()) if self.output.text() else None)

    def plan(self) -> BatchPlan:
        """What would be done if it were started now. Raises RequestError."""
        if not self.output.text().strip():
            raise RequestError("choose a folder for the results")
        return BatchPlan(self._asked(), Path(self.output.text().strip()), self.format.currentData())

    def refresh(self) -> None:
        """Brings everything in line with the queue and the settings of the window."""
        queue, runner = self.runner.queue, self.runner
        self.table.show_queue(queue)
        self.empty.setVisible(not queue.rows)
        self.empty.setText(
            "Looking for scans…" if runner.looking else "Drop files and folders here, or add them below."
        )
        if not self._output_chosen and not self.output.text() and queue.rows:
            self.output.setText(str(default_output([row.item for row in queue.rows]) or ""))
        reason = self._describe()
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
        for widget in (self.output, self.choose, self.format):
            widget.setEnabled(idle)

    def _describe(self) -> str:
        """Shows settings and command line; returns why it cannot be started, '' when it can."""
        try:
            plan = self.runner.plan if self.runner.busy and self.runner.plan is not None else self.plan()
        except RequestError as error:
            self.command.clear()
            self.copy_command.setEnabled(False)
            try:
                self.request_line.show_text(in_words(self._asked()))
            except RequestError:
                self.request_line.show_text("The settings in the main window are not right yet")
            return sentence(str(error))
        self.request_line.show_text(in_words(plan.request))
        self.command.setText(self.runner.command(plan) if self.runner.queue.rows else "")
        self.command.setCursorPosition(0)
        self.command.setToolTip(self.command.text())
        self.copy_command.setEnabled(bool(self.command.text()))
        return ""

    # what the user does

    def _start(self) -> None:
        self.messages.dismiss("error")
        try:
            plan = self.plan()
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

    def _ask_output(self) -> None:
        name = QFileDialog.getExistingDirectory(
            self, "Folder for the results", self.output.text() or str(self._folder())
        )
        if name:
            self._output_typed(name)
            self.output.setText(name)
            self.refresh()

    def _output_typed(self, _: str) -> None:
        self._output_chosen = True
        self.refresh()

    def _format_chosen(self) -> None:
        self._settings.set_text("batch-format", self.format.currentData())
        self.refresh()

    def _folder(self) -> Path:
        rows = self.runner.queue.rows
        recent = self._settings.recent
        path = rows[-1].item.path if rows else recent[0] if recent else Path.home()
        return path if path.is_dir() else path.parent

    def _copy_command(self) -> None:
        QApplication.clipboard().setText(self.command.text())

    def _save_table(self) -> None:
        start = Path(self.output.text() or ".") / "batch.csv"
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

    def _button(self, text: str, action: Callable[[], None], tip: str = "") -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        button.setToolTip(tip)
        button.clicked.connect(lambda _: action())
        return button

    def _lay_out(self) -> None:
        self.view.setColumnHidden(HEADS.index("Result"), False)
        assert len(HEADS) - 1 == RESULT
        over = QVBoxLayout(self.view)
        over.addWidget(self.empty)
        files = QHBoxLayout()
        for button in (self.add_files, self.add_folder, self.remove, self.clear):
            files.addWidget(button)
        files.addStretch(1)
        for button in (self.retry, self.copy_table):
            files.addWidget(button)
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Settings", self.request_line)
        where = QHBoxLayout()
        where.addWidget(self.output, 3)
        where.addWidget(self.choose)
        where.addWidget(self.format)
        form.addRow("Write to", where)
        line = QHBoxLayout()
        line.addWidget(self.command, 1)
        line.addWidget(self.copy_command)
        form.addRow("As a command", line)
        run = QHBoxLayout()
        run.addWidget(self.status, 1)
        for button in (self.pause, self.cancel, self.start):
            run.addWidget(button)
        column = QVBoxLayout(self)
        column.addWidget(self.messages)
        column.addWidget(self.view, 1)
        column.addLayout(files)
        column.addLayout(form)
        column.addWidget(self.progress)
        column.addLayout(run)


def in_words(request: RestoreRequest) -> str:
    """What a request asks for, in one line: `Repair a bad tip · Network · any surface · Z forward`."""
    sparse = f"Rebuild a sparse scan ({mask_words(request.mask or '')})"
    parts = ["Repair a bad tip" if request.task == "repair" else sparse]
    parts.append("method chosen for each scan" if request.model == "auto" else title(request.model))
    parts.append(" ".join(filter(None, (request.channel or "topography", request.direction))))
    if request.align_rows:
        parts.append("lines aligned first")
    if request.tips:
        parts.append("second tip ends taken out first")
    if request.samples > 1:
        parts.append(f"{request.samples} samples")
    if request.process:
        parts.append(f"first {request.process}")
    return "   ·   ".join(parts)
