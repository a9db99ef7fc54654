"""What to train: the folder, a name, four numbers, and the drawer for experts."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from stmviewer.gui.reporting.paths import PathLine
from stmviewer.gui.settings import Settings
from stmviewer.gui.training.expert import ExpertDrawer, compact_box
from stmviewer.restore import ModelInfo
from stmviewer.services.training import SIZES, TrainingRequest, why_not_name

_TASKS = (("Repair and rebuild", "both"), ("Repair bad tips only", "repair"), ("Rebuild sparse scans only", "sparse"))
_SIZES = {"small": "Small: fast", "standard": "Standard", "large": "Large: slow, learns more"}
_AS_START = "As the model it starts from"
_PIXELS = (("As the files say it", False), ("From the dimer rows of Si(001)", True))


class TrainingForm(QWidget):
    """`changed` for every change, `folder_chosen` when there is another folder to look at."""

    changed = Signal()
    folder_chosen = Signal(object)

    def __init__(self, settings: Settings, models: Callable[[], Path], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings, self._models = settings, models
        self._folder: Path | None = None
        self.folder = PathLine("Folder of good scans", "Folder of good scans", self._ask_folder)
        self.name = QLineEdit()
        self.name.setPlaceholderText("such as mylab")
        self.name.setAccessibleName("Name of the model")
        self.minutes = QDoubleSpinBox()
        self.minutes.setRange(0.1, 10_000)
        self.minutes.setDecimals(1)
        self.minutes.setSuffix(" min")
        self.minutes.setValue(10)
        self.minutes.setToolTip("How long it learns; some minutes are enough to adapt a model that there is")
        self.task, self.model_size, self.pixel = compact_box(), compact_box(), compact_box()
        for text, value in _TASKS:
            self.task.addItem(text, value)
        for size in SIZES:
            self.model_size.addItem(_SIZES[size], size)
        self.model_size.setCurrentIndex(self.model_size.findData("standard"))
        for text, by_rows in _PIXELS:
            self.pixel.addItem(text, by_rows)
        self.pixel.setToolTip("Images without a size count as 0.06 nm per pixel, unless their dimer rows tell it")
        self.drawer_button = QToolButton()
        self.drawer_button.setObjectName("chip")
        self.drawer_button.setText("For experts")
        self.drawer_button.setCheckable(True)
        self.expert = ExpertDrawer()
        self.expert.hide()
        self.note = QLabel()
        self.note.setObjectName("quiet")
        self.note.setWordWrap(True)
        self._recall()
        self._lay_out()
        self.minutes.setMinimumHeight(self.task.sizeHint().height())
        self.drawer_button.toggled.connect(self._toggle_drawer)
        self.folder.changed.connect(self._folder_typed)
        self.folder.edit.editingFinished.connect(self.look)
        self.name.textChanged.connect(self.changed)
        self.minutes.valueChanged.connect(self.changed)
        for box in (self.task, self.model_size, self.pixel):
            box.currentIndexChanged.connect(self.changed)
        self.expert.changed.connect(self._expert_changed)
        self._expert_changed()

    def set_models(self, models: Sequence[ModelInfo]) -> None:
        self.expert.set_models(models)

    def look(self) -> None:
        """Asks for a look at the folder, if it is another than the last one and there."""
        folder = self.folder.path()
        if folder is not None and folder != self._folder:
            self._folder = folder
            self.folder_chosen.emit(folder)

    def look_again(self) -> None:
        """Asks for a look at the same folder."""
        self._folder = None
        self.look()

    def problem(self) -> str:
        """What is missing still; '' when it can start, as far as this form knows."""
        if self.folder.path() is None:
            return "Choose a folder of good scans"
        name = self.name.text().strip()
        if not name:
            return "Give the model a name"
        return why_not_name(name, self._models()) or self.expert.problem()

    def request(self, trained: Sequence[str], checked: Sequence[str]) -> TrainingRequest:
        """What is asked for now, of these files of the folder."""
        return TrainingRequest(
            folder=str((self.folder.path() or Path()).absolute()),
            name=self.name.text().strip(),
            minutes=round(self.minutes.value(), 1),
            task=self.task.currentData(),
            size=self.model_size.currentData() if self.expert.from_scratch else None,
            size_by_rows=self.pixel.currentData(),
            trained=tuple(trained),
            checked=tuple(checked),
            **self.expert.values(),  # type: ignore[arg-type]
        )

    def show_request(self, request: TrainingRequest) -> None:
        """Shows what a stopped training was asked for."""
        before = self.blockSignals(True)
        self._folder = Path(request.folder)
        self.folder.set_path(request.folder)
        self.name.setText(request.name)
        self.minutes.setValue(request.minutes)
        _choose(self.task, request.task)
        _choose(self.pixel, request.size_by_rows)
        self.expert.show_request(request)
        self.blockSignals(before)
        self._expert_changed()
        if request.size is not None:
            _choose(self.model_size, request.size)

    def tell_pixels(self, unknown: int, usable: int) -> None:
        """How many scans do not say their pixel size: then the rows may tell it."""
        self.note.setText(
            f"{unknown} of {usable} scans do not say their pixel size. Where dimer rows are seen they can tell it."
            if unknown
            else ""
        )
        self.note.setVisible(bool(unknown))

    def remember(self) -> None:
        """Keeps the choices for the next time."""
        self._settings.set_text("training-folder", self.folder.edit.text().strip())
        self._settings.set_text("training-minutes", f"{self.minutes.value():g}")
        self._settings.set_text("training-task", self.task.currentData())
        self._settings.set_text("training-size", self.model_size.currentData())

    def _recall(self) -> None:
        self.folder.set_path(self._settings.text("training-folder"))
        try:
            self.minutes.setValue(float(self._settings.text("training-minutes", "10")))
        except ValueError:
            self.minutes.setValue(10)
        _choose(self.task, self._settings.text("training-task", "both"))
        _choose(self.model_size, self._settings.text("training-size", "standard"))

    def _folder_typed(self) -> None:
        path = self.folder.path()
        if path is not None and path.is_dir() and not self.folder.edit.hasFocus():
            self.look()  # chosen or dropped: not one that is still being typed
        self.changed.emit()

    def _expert_changed(self) -> None:
        scratch = self.expert.from_scratch
        self.model_size.setEnabled(scratch)
        if not scratch and self.model_size.findData(None) < 0:
            self.model_size.insertItem(0, _AS_START, None)
            self.model_size.setCurrentIndex(0)
        elif scratch and (at := self.model_size.findData(None)) >= 0:
            self.model_size.removeItem(at)
            _choose(self.model_size, "standard")
        self.changed.emit()

    def _toggle_drawer(self, shown: bool) -> None:
        self.expert.setVisible(shown)

    def _ask_folder(self, before: str) -> str:
        start = before if Path(before).is_dir() else str(Path.home())
        return QFileDialog.getExistingDirectory(self, "Folder of good scans", start)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        for label, widget in (
            ("Scans", self.folder),
            ("New model", self.name),
            ("Time", self.minutes),
            ("Model size", self.model_size),
            ("Task", self.task),
            ("Pixel size", self.pixel),
        ):
            form.addRow(label, widget)
        self.note.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 10, 0)
        layout.setSpacing(8)
        layout.addLayout(form)
        layout.addWidget(self.note)
        layout.addWidget(self.drawer_button)
        layout.addWidget(self.expert)
        layout.addStretch(1)


def _choose(box: QComboBox, value: object) -> None:
    box.setCurrentIndex(max(box.findData(value), 0))
