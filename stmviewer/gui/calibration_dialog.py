"""Asks for the size and unit of an image that brings none."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from stmviewer.files.calibration import Calibration, key_of, lacks_size, lacks_unit, of_facts
from stmviewer.gui.number_box import NumberBox
from stmviewer.gui.sentences import sentence
from stmviewer.gui.session import Session
from stmviewer.gui.settings import Settings
from stmviewer.scan import RequestError, Scan

_PIXEL, _WHOLE, _NONE = "Pixel size", "Whole size", "Unknown"
_UNITS = ("", "nm", "pm", "Å", "pA", "nA", "V", "Hz")
_LONGEST_NM = 1e9


class CalibrationDialog(QDialog):
    """`said` gives a Calibration, or None to forget the one there was, and whether it is for the whole folder."""

    def __init__(
        self, scan: Scan, done: Callable[[Calibration | None, bool], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._scan, self._done = scan, done
        before = of_facts(scan.calibration)
        self.setWindowTitle("Size and unit")
        self.kind = QComboBox()
        self.kind.addItems([_PIXEL, _WHOLE, _NONE])
        self.kind.setAccessibleName("What is known of the size")
        self.across, self.down = _length("Across, in nm"), _length("Down, in nm")
        self.square = QCheckBox("Square pixels")
        self.unit = QComboBox()
        self.unit.setEditable(True)
        self.unit.addItems(_UNITS)
        edit = self.unit.lineEdit()
        assert edit is not None
        edit.setPlaceholderText("unit")
        self.unit.setAccessibleName("Unit of the values")
        self.scale = NumberBox()
        self.scale.setDecimals(9)
        self.scale.setRange(-_LONGEST_NM, _LONGEST_NM)
        self.scale.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
        self.scale.setAccessibleName("A value of 1 is")
        self.folder = QCheckBox("Also for the other images in this folder")
        self.folder.setChecked(True)
        self.told = QLabel()
        self.told.setWordWrap(True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self._lay_out(forget=before is not None)
        self._show(before)
        self._connect()
        self._refresh()

    def calibration(self) -> Calibration:
        """What is typed. Raises RequestError for what no image can have."""
        pair = self.across.value(), self.down.value()
        kind, unit = self.kind.currentText(), self.unit.currentText().strip()
        return Calibration(
            pixel_nm=pair if kind == _PIXEL else None,
            size_nm=pair if kind == _WHOLE else None,
            unit=unit,
            scale=self.scale.value() if unit else 1.0,
        )

    def _lay_out(self, forget: bool) -> None:
        lengths = QHBoxLayout()
        for widget in (self.across, QLabel("×"), self.down, QLabel("nm")):
            lengths.addWidget(widget)
        values = QHBoxLayout()
        values.addWidget(QLabel("a value of 1 is"))
        values.addWidget(self.scale)
        values.addWidget(self.unit)
        form = QFormLayout()
        form.addRow(QLabel(f"{self._scan.name}, {self._scan.geometry.columns} × {self._scan.geometry.rows} pixels"))
        form.addRow(self.kind, lengths)
        form.addRow("", self.square)
        form.addRow("Values", values)
        form.addRow("", self.folder)
        self.told.setMinimumHeight(2 * self.told.fontMetrics().lineSpacing())
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(self.told)
        column.addWidget(self.buttons)
        if forget:
            button = self.buttons.addButton("Forget", QDialogButtonBox.ButtonRole.ResetRole)
            button.setToolTip("Shows the image in pixels again")
            button.clicked.connect(self._forget)

    def _show(self, before: Calibration | None) -> None:
        pair = (before.pixel_nm or before.size_nm) if before is not None else None
        pair = pair or (0.1, 0.1)
        if before is not None:
            self.kind.setCurrentText(_PIXEL if before.pixel_nm else _WHOLE if before.size_nm else _NONE)
            self.unit.setCurrentText(before.unit)
        self.scale.setValue(before.scale if before is not None else 1.0)
        self.across.setValue(pair[0])
        self.down.setValue(pair[1])
        self.square.setChecked(abs(pair[1] - self._square(pair[0])) <= 1e-9 * pair[1])
        known = before is not None and bool(before.unit)
        for widget in (self.unit, self.scale):
            widget.setEnabled(known or lacks_unit(self._scan))

    def _connect(self) -> None:
        self.kind.currentTextChanged.connect(self._refresh)
        self.square.toggled.connect(self._refresh)
        self.across.valueChanged.connect(self._refresh)
        self.down.valueChanged.connect(self._refresh)
        self.unit.currentTextChanged.connect(self._refresh)
        self.scale.valueChanged.connect(self._refresh)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)

    def _square(self, across: float) -> float:
        """The length down that goes with a length across where pixels are square."""
        whole = self.kind.currentText() == _WHOLE
        frame = self._scan.geometry
        return across * frame.rows / frame.columns if whole else across

    def _refresh(self) -> None:
        sized = self.kind.currentText() != _NONE
        if self.square.isChecked() and self.down.value() != self._square(self.across.value()):
            self.down.setValue(self._square(self.across.value()))
        self.across.setEnabled(sized)
        self.square.setEnabled(sized)
        self.down.setEnabled(sized and not self.square.isChecked())
        try:
            self.told.setText(self._in_words(self.calibration()))
            fits = True
        except RequestError as error:
            self.told.setText(sentence(str(error)))
            fits = False
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(fits)

    def _in_words(self, said: Calibration) -> str:
        frame = self._scan.geometry
        if said.pixel_nm is not None:
            pixel, size = said.pixel_nm, (said.pixel_nm[0] * frame.columns, said.pixel_nm[1] * frame.rows)
        elif said.size_nm is not None:
            pixel, size = (said.size_nm[0] / frame.columns, said.size_nm[1] / frame.rows), said.size_nm
        else:
            return "Lengths stay in pixels."
        return f"{size[0]:.4g} × {size[1]:.4g} nm, {pixel[0]:.4g} × {pixel[1]:.4g} nm a pixel. Every export has it."

    def _accept(self) -> None:
        said = self.calibration()
        self.accept()
        self._done(said or None, self.folder.isChecked())

    def _forget(self) -> None:
        self.accept()
        self._done(None, self.folder.isChecked())


def _length(name: str) -> QDoubleSpinBox:
    box = NumberBox()
    box.setDecimals(6)
    box.setRange(1e-6, _LONGEST_NM)
    box.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
    box.setAccessibleName(name)
    return box


def can_calibrate(scan: Scan | None) -> bool:
    """Whether there is anything to say about `scan`: it lacks a size or a unit, or has them from the user."""
    if scan is None or scan.path is None:
        return False
    return scan.calibration is not None or lacks_size(scan) or lacks_unit(scan)


def ask_calibration(parent: QWidget, session: Session, settings: Settings) -> None:
    """Asks for size and unit of the image on show; they count for its folder, too, if the user wants."""
    scan = session.scan
    if scan is None or scan.path is None:
        return
    path = scan.path

    def said(calibration: Calibration | None, whole_folder: bool) -> None:
        settings.set_calibration(key_of(path, False), None if whole_folder else calibration)
        if whole_folder:
            settings.set_calibration(key_of(path, True), calibration)
        session.opening.calibrations = settings.calibrations
        session.opening.reopen()

    dialog = CalibrationDialog(scan, said, parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
