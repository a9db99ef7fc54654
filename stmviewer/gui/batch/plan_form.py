"""What a batch would do: the settings, where results go, and the same as a command line."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QApplication, QComboBox, QFileDialog, QFormLayout, QHBoxLayout, QLineEdit, QWidget

from stmviewer.gui.dialog_button import dialog_button
from stmviewer.gui.elided_label import ElidedLabel
from stmviewer.gui.mask_words import mask_words
from stmviewer.gui.sentences import sentence
from stmviewer.gui.settings import Settings
from stmviewer.restore import RestoreRequest, title
from stmviewer.scan import RequestError
from stmviewer.services.batch import BatchPlan
from stmviewer.services.exporting import EXPORT_FORMATS

#: what the settings of the window are now; raises RequestError while they make no request
Asked = Callable[[], RestoreRequest]


class PlanForm(QWidget):
    """The settings are those of the main window; folder and format are chosen here. `changed` tells that they were.

    `near` gives the folder where the question for another one begins.
    """

    changed = Signal()

    def __init__(
        self, settings: Settings, asked: Asked, near: Callable[[], Path], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._settings, self._asked, self._near = settings, asked, near
        self._chosen = False
        self.request_line = ElidedLabel()
        self.output = QLineEdit()
        self.output.setPlaceholderText("Folder for the results")
        self.output.setAcceptDrops(False)
        self.output.textEdited.connect(lambda _: self._output_chosen())
        self.choose = dialog_button("Choose…", act=self._ask_output)
        self.format = QComboBox()
        for suffix, text in EXPORT_FORMATS.items():
            self.format.addItem(f"{suffix} – {text}", suffix)
        self.format.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.format.setCurrentIndex(max(self.format.findData(settings.text("batch-format", "gwy")), 0))
        self.format.currentIndexChanged.connect(lambda _: self._format_chosen())
        self.command = QLineEdit()
        self.command.setReadOnly(True)
        self.command.setAccessibleName("The same as a command line")
        self.copy_command = dialog_button("Copy")
        self.copy_command.clicked.connect(lambda _: QApplication.clipboard().setText(self.command.text()))
        self._lay_out()

    @property
    def folder(self) -> Path | None:
        """Where the results go."""
        text = self.output.text().strip()
        return Path(text) if text else None

    def propose(self, folder: Path | None) -> None:
        """A folder, as long as the user has chosen none."""
        if not self._chosen and self.folder is None:
            self.output.setText(str(folder or ""))

    def plan(self) -> BatchPlan:
        """What would be done if it were started now. Raises RequestError."""
        if self.folder is None:
            raise RequestError("choose a folder for the results")
        return BatchPlan(self._asked(), self.folder, self.format.currentData())

    def show_plan(self, running: BatchPlan | None, command: Callable[[BatchPlan], str] | None) -> str:
        """Shows the plan that is `running`, else the one that would; `command` puts it as a command line.

        Returns why it cannot be started, '' when it can.
        """
        for widget in (self.output, self.choose, self.format):
            widget.setEnabled(running is None)
        reason, line = "", ""
        try:
            plan = running or self.plan()
            self.request_line.show_text(in_words(plan.request))
            line = command(plan) if command is not None else ""
        except RequestError as error:
            reason = sentence(str(error))
            try:
                self.request_line.show_text(in_words(self._asked()))
            except RequestError:
                self.request_line.show_text("The settings in the main window are not right yet")
        self.command.setText(line)
        self.command.setCursorPosition(0)
        self.command.setToolTip(line)
        self.copy_command.setEnabled(bool(line))
        return reason

    def _ask_output(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Folder for the results", str(self.folder or self._near()))
        if name:
            self.output.setText(name)
            self._output_chosen()

    def _output_chosen(self) -> None:
        self._chosen = True
        self.changed.emit()

    def _format_chosen(self) -> None:
        self._settings.set_text("batch-format", self.format.currentData())
        self.changed.emit()

    def _lay_out(self) -> None:
        where = QHBoxLayout()
        where.addWidget(self.output, 3)
        where.addWidget(self.choose)
        where.addWidget(self.format)
        line = QHBoxLayout()
        line.addWidget(self.command, 1)
        line.addWidget(self.copy_command)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Settings", self.request_line)
        form.addRow("Write to", where)
        form.addRow("As a command", line)


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
