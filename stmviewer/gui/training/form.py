"""What to train: the folder, a name, four numbers, and the drawer for experts."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
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
_FILES, _ROWS, _GIVEN = "files", "rows", "given"
_PIXELS = (
    ("As the files say it", _FILES),
    ("Typed, in nm per pixel", _GIVEN),
    ("From the dimer rows of Si(001)", _ROWS),
)


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
        for text, way in _PIXELS:
            self.pixel.addItem(text, way)
        self.pixel_nm = _Length()
        self.pixel_nm.setDecimals(5)
        self.pixel_nm.setRange(0, 10_000)
        self.pixel_nm.setSingleStep(0.01)
        self.pixel_nm.setSuffix(" nm per pixel")
        self.pixel_nm.setSpecialValueText("not known")
        self.pixel_nm.setAccessibleName("Pixel size of images whose files do not say it")
        #: the folder that was looked at, how many of its scans do not say their pixel size, and how many there are
        self._told: tuple[Path | None, int, int] = (None, 0, 0)
        self.drawer_button = QToolButton()
        self.drawer_button.setObjectName("chip")
        self.drawer_button.setText("For experts")
        self.drawer_button.setCheckable(True)
        self.expert = ExpertDrawer()
        self.expert.hide()
        self.note = QLabel()
        self.note.setObjectName("quiet")
        self.note.setWordWrap(True)
        self.form = QFormLayout()
        self._recall()
        self._lay_out()
        for spin in (self.minutes, self.pixel_nm):
            spin.setMinimumHeight(self.task.sizeHint().height())
        self.drawer_button.toggled.connect(self._toggle_drawer)
        self.folder.changed.connect(self._folder_typed)
        self.folder.edit.editingFinished.connect(self.look)
        self.name.textChanged.connect(self.changed)
        self.minutes.valueChanged.connect(self.changed)
        for box in (self.task, self.model_size):
            box.currentIndexChanged.connect(self.changed)
        self.pixel.currentIndexChanged.connect(self._pixels_changed)
        self.pixel_nm.valueChanged.connect(self.changed)
        self.expert.changed.connect(self._expert_changed)
        self._show_pixels()
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
        if self.pixel.currentData() == _GIVEN and not self.pixel_nm.value():
            return "Type how large a pixel is, in nm"
        return why_not_name(name, self._models()) or self.expert.problem()

    def request(self, trained: Sequence[str], checked: Sequence[str]) -> TrainingRequest:
        """What is asked for now, of these files of the folder."""
        return TrainingRequest(
            folder=str((self.folder.path() or Path()).absolute()),
            name=self.name.text().strip(),
            minutes=round(self.minutes.value(), 1),
            task=self.task.currentData(),
            size=self.model_size.currentData() if self.expert.from_scratch else None,
            size_by_rows=self.pixel.currentData() == _ROWS,
            image_nm=round(self.pixel_nm.value(), 5) if self.pixel.currentData() == _GIVEN else None,
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
        self.pixel_nm.setValue(request.image_nm or 0.0)
        _choose(self.pixel, _ROWS if request.size_by_rows else _FILES if request.image_nm is None else _GIVEN)
        self.expert.show_request(request)
        self.blockSignals(before)
        self._expert_changed()
        if request.size is not None:
            _choose(self.model_size, request.size)

    def tell_pixels(self, unsized: int, usable: int) -> None:
        """How many scans do not say their pixel size: only then there is something to choose.

        What was said of the images of this folder in the window is taken, unless something is chosen already.
        """
        told = (self._folder, unsized, usable)
        if told == self._told:
            return
        self._told = told
        with QSignalBlocker(self.pixel), QSignalBlocker(self.pixel_nm):
            said = self._said_pixel_nm()
            if not unsized:
                _choose(self.pixel, _FILES)
            elif said and self.isEnabled() and self.pixel.currentData() == _FILES:
                self.pixel_nm.setValue(said)
                _choose(self.pixel, _GIVEN)
        self._show_pixels()

    def _said_pixel_nm(self) -> float | None:
        """The pixel size that the user has given to the images of the folder, if their pixels are square."""
        said = self._settings.calibrations.get(str(self._folder.absolute())) if self._folder is not None else None
        pair = said.pixel_nm if said is not None else None
        return pair[0] if pair is not None and pair[0] == pair[1] else None

    def _pixels_changed(self) -> None:
        self._show_pixels()
        self.changed.emit()

    def _show_pixels(self) -> None:
        way, (_, unsized, usable) = self.pixel.currentData(), self._told
        some = unsized > 0
        self.pixel.setEnabled(some)
        self.pixel.setToolTip("" if some else "There is a choice only where files do not say their pixel size")
        self.form.setRowVisible(self.pixel_nm, way == _GIVEN)
        whose = f"{unsized} of {usable} scans do not say their pixel size"
        what = {
            _FILES: "they count as 0.06 nm per pixel, and the model is not told any. Better type it, if you know it.",
            _GIVEN: "they get this one.",
            _ROWS: "their dimer rows are to tell it, or those of their session.",
        }
        self.note.setText(f"{whose}: {what[way]}" if some else "")
        self.note.setVisible(some)

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
        self.model_size.setToolTip(
            "" if scratch else "A choice only where a model starts from scratch, which is for experts and takes hours"
        )
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
        form = self.form
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
            ("", self.pixel_nm),
        ):
            form.addRow(label, widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 10, 0)
        layout.setSpacing(8)
        layout.addLayout(form)
        layout.addWidget(self.note)
        layout.addWidget(self.drawer_button)
        layout.addWidget(self.expert)
        layout.addStretch(1)


class _Length(QDoubleSpinBox):
    """As many digits as were typed."""

    def textFromValue(self, value: float) -> str:
        return self.locale().toString(value, "g", 5)


def _choose(box: QComboBox, value: object) -> None:
    box.setCurrentIndex(max(box.findData(value), 0))
