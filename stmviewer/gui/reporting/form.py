"""What a report is asked for: sets, tasks, models, and where it goes."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QGridLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from stmviewer.gui.reporting.paths import PathLine
from stmviewer.gui.settings import Settings
from stmviewer.restore import ModelInfo

TASKS = {
    "repair": "Repair",
    "lines:2": "Every 2nd line",
    "lines:4": "Every 4th line",
    "grid:2": "Every 2nd pixel, both ways",
    "pixels:0.25": "A quarter of the pixels",
}
_CHOSEN_TASKS = ("repair", "lines:4")
#: classical methods that are ticked at first: quick, and what networks have to beat
_CHOSEN_CLASSICAL = ("cubic", "row-median")


class ReportForm(QWidget):
    """`changed` is emitted for every change; `values` is what is asked for, `problem` why that cannot be yet."""

    changed = Signal()

    def __init__(self, settings: Settings, models: Sequence[ModelInfo], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self.pristine = PathLine("Good scans", "Folder of good scans", self._ask_folder)
        self.degraded = PathLine("Degraded scans", "Without: damage is simulated", self._ask_folder)
        self.report = PathLine("Report", "File.html", self._ask_file)
        self.question = QLineEdit()
        self.question.setPlaceholderText("Title of the report; without: made from the choices")
        self.question.setAccessibleName("Question")
        self.tasks = {task: QCheckBox(title) for task, title in TASKS.items()}
        self.more_tasks = QLineEdit()
        self.more_tasks.setPlaceholderText("Other masks: grid-jitter:4, spiral:0.3")
        self.more_tasks.setAccessibleName("Other masks")
        self.models = QListWidget()
        self.models.setAccessibleName("Models")
        self.models.setMinimumHeight(170)
        self.steps = QLineEdit()
        self.steps.setPlaceholderText("The model's own; several: 1, 4, 16")
        self.steps.setAccessibleName("Sampler steps")
        self.images = QSpinBox()
        self.images.setRange(1, 10_000)
        self.images.setAccessibleName("Images of each set")
        self.images.setToolTip("Of each folder at most, evenly spread; distances of sets need 50 or more")
        self._fill(models)
        self._recall()
        self._lay_out()
        for line in (self.pristine, self.degraded, self.report):
            line.changed.connect(self.changed)
        for edit in (self.question, self.more_tasks, self.steps):
            edit.textChanged.connect(self.changed)
        for box in self.tasks.values():
            box.toggled.connect(self.changed)
        self.images.valueChanged.connect(self.changed)
        self.models.itemChanged.connect(self.changed)

    def values(self) -> dict[str, Any]:
        """As `services.reporting.study_job` takes it."""
        more = [t.strip() for t in self.more_tasks.text().split(",") if t.strip()]
        return {
            "pristine": self.pristine.path(),
            "degraded": self.degraded.path(),
            "models": tuple(self.chosen_models()),
            "tasks": tuple(dict.fromkeys([*(t for t, box in self.tasks.items() if box.isChecked()), *more])),
            "steps": tuple(int(n) for n in re.findall(r"\d+", self.steps.text())),
            "images": self.images.value(),
            "question": self.question.text().strip(),
        }

    def problem(self) -> str:
        """What is missing still; '' when it can start. The rest is checked when it runs."""
        values = self.values()
        if values["pristine"] is None:
            return "Choose a folder of good scans"
        if not values["tasks"]:
            return "Choose a task"
        if not values["models"]:
            return "Choose a model"
        if not re.fullmatch(r"[\d,\s]*", self.steps.text()):
            return "Steps are whole numbers with commas: 1, 4, 16"
        return "Choose where the report goes" if self.report.path() is None else ""

    def chosen_models(self) -> list[str]:
        items = (self.models.item(k) for k in range(self.models.count()))
        return [i.data(Qt.ItemDataRole.UserRole) for i in items if i.checkState() == Qt.CheckState.Checked]

    def choose_models(self, names: Sequence[str]) -> None:
        """As if the user had ticked these and no others."""
        for k in range(self.models.count()):
            item = self.models.item(k)
            chosen = item.data(Qt.ItemDataRole.UserRole) in names
            item.setCheckState(Qt.CheckState.Checked if chosen else Qt.CheckState.Unchecked)

    def remember(self) -> None:
        """Keeps the choices for the next time."""
        for name, line in (("pristine", self.pristine), ("degraded", self.degraded), ("file", self.report)):
            self._settings.set_text(f"report-{name}", line.edit.text().strip())
        self._settings.set_text("report-models", ",".join(self.chosen_models()))
        self._settings.set_text("report-tasks", ",".join(t for t, box in self.tasks.items() if box.isChecked()))
        self._settings.set_number("report-images", self.images.value())

    def _recall(self) -> None:
        for name, line in (("pristine", self.pristine), ("degraded", self.degraded), ("file", self.report)):
            line.set_path(self._settings.text(f"report-{name}"))
        tasks = self._settings.text("report-tasks", ",".join(_CHOSEN_TASKS)).split(",")
        for task, box in self.tasks.items():
            box.setChecked(task in tasks)
        before = self._settings.text("report-models")
        if before:
            self.choose_models(before.split(","))
        self.images.setValue(min(max(self._settings.number("report-images", 24), 1), 10_000))

    def _fill(self, models: Sequence[ModelInfo]) -> None:
        for info in models:
            item = QListWidgetItem(f"{info.title}   ({info.name})")
            item.setData(Qt.ItemDataRole.UserRole, info.name)
            item.setToolTip(f"{info.summary} ({', '.join(info.tasks)})")
            item.setFlags(Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEnabled)
            chosen = info.learned or info.name in _CHOSEN_CLASSICAL
            item.setCheckState(Qt.CheckState.Checked if chosen else Qt.CheckState.Unchecked)
            self.models.addItem(item)

    def _ask_folder(self, before: str) -> str:
        return QFileDialog.getExistingDirectory(self, "Folder of scans", before)

    def _ask_file(self, before: str) -> str:
        start = before if Path(before).suffix else str(Path(before) / "report.html")
        chosen, _ = QFileDialog.getSaveFileName(self, "Report", start, "Report (*.html);;PDF alone (*.pdf)")
        return chosen if not chosen or Path(chosen).suffix else f"{chosen}.html"

    def _lay_out(self) -> None:
        tasks = QGridLayout()
        tasks.setHorizontalSpacing(10)
        for k, box in enumerate(self.tasks.values()):
            tasks.addWidget(box, k // 2, k % 2)
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        form.addRow("Good scans", self.pristine)
        form.addRow("Degraded", self.degraded)
        form.addRow("Images", self.images)
        form.addRow("Steps", self.steps)
        form.addRow("Question", self.question)
        form.addRow("Report", self.report)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 10, 0)
        layout.setSpacing(7)
        layout.addLayout(form)
        for title, part in (("Tasks", tasks), ("Models and methods", self.models)):
            label = QLabel(title)
            label.setObjectName("heading")
            label.setIndent(0)
            layout.addWidget(label)
            if isinstance(part, QWidget):
                layout.addWidget(part, 1)
            else:
                layout.addLayout(part)
                layout.addWidget(self.more_tasks)
