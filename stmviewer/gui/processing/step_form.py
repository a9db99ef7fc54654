"""The parameters of one step as widgets, made from their description."""

from functools import partial

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from stmviewer.files.units import shown_unit
from stmviewer.gui.number_box import NumberBox
from stmviewer.scan import Step
from stmviewer.scan.processing.kinds import Parameter, Value

_LIMIT = 1e9
_NARROW = 72
_DRAW = {
    "box": "Draw on the image",
    "strokes": "Paint on the image",
    "spectrum": "Mark on the spectrum",
}
#: texts that are drawn, not written
_DRAWN = ("path", "circles")


class StepForm(QWidget):
    """Shows a step. `edited` gives name and value of a parameter; `draw_asked` that it shall be drawn."""

    edited = Signal(str, object)
    draw_asked = Signal()
    clear_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.note = QLabel()
        self.note.setObjectName("quiet")
        self.note.setWordWrap(True)
        self.draw = QPushButton()
        self.draw.setCheckable(True)
        self.draw.clicked.connect(self.draw_asked)
        self.clear = QPushButton("Clear")
        self.clear.clicked.connect(self.clear_asked)
        self.drawn = QLabel()
        self.drawn.setObjectName("quiet")
        self._form = QFormLayout()
        self._form.setContentsMargins(0, 2, 0, 0)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        for widget in (self.note, self.draw, self.drawn, self.clear):
            layout.addWidget(widget)
        layout.addLayout(self._form)
        self._kind = ""
        self._units: tuple[str, str] = ("", "")
        self.fields: dict[str, QWidget] = {}
        self.show_step(None)

    def show_step(self, step: Step | None, unit: str = "m", lateral: str = "nm") -> None:
        """Shows the parameters of `step` for a channel of that unit and an image whose lengths are in `lateral`."""
        self.setVisible(step is not None)
        if step is None:
            self._kind = ""
            return
        kind = step.kind
        if (kind.name, (unit, lateral)) != (self._kind, self._units):
            self._kind, self._units = kind.name, (unit, lateral)
            self._build(kind.parameters)
        note = kind.hint + ("." if kind.hint else "")
        self.note.setText(note + (" <b>Alters data.</b>" if kind.alters else ""))
        self.draw.setText(_DRAW.get(kind.drawn, ""))
        self.draw.setVisible(bool(kind.drawn))
        text = next((str(step.value(p.name)) for p in kind.parameters if p.name in _DRAWN), "")
        self.drawn.setText(_counted(kind.drawn, text))
        self.drawn.setVisible(any(p.name in _DRAWN for p in kind.parameters))
        self.clear.setVisible(bool(text))
        for parameter in kind.parameters:
            self._show(parameter, step.value(parameter.name))
            if parameter.needs is not None and parameter.name in self.fields:
                other, values = parameter.needs
                self._form.setRowVisible(self.fields[parameter.name], step.value(other) in values)

    def _build(self, parameters: tuple[Parameter, ...]) -> None:
        while self._form.rowCount():
            self._form.removeRow(0)
        self.fields = {}
        for parameter in parameters:
            if parameter.name in _DRAWN:
                continue
            field = self._field(parameter)
            field.setMinimumWidth(_NARROW)  # a spin box wants room for the largest number that it takes
            field.setAccessibleName(parameter.label)
            field.setToolTip(parameter.hint)
            self.fields[parameter.name] = field
            self._form.addRow(parameter.label, field)

    def _field(self, parameter: Parameter) -> QWidget:
        send = partial(self.edited.emit, parameter.name)
        match parameter.default:
            case bool():
                box = QCheckBox()
                box.toggled.connect(send)
                return box
            case int():
                whole = QSpinBox()
                whole.setRange(int(max(parameter.low, -_LIMIT)), int(min(parameter.high, _LIMIT)))
                whole.setSuffix(f" {parameter.unit}" if parameter.unit else "")
                whole.setKeyboardTracking(False)
                whole.valueChanged.connect(send)
                return whole
            case float():
                factor, unit = self._scale(parameter)
                real = NumberBox()
                real.setDecimals(3)
                real.setRange(max(parameter.low, -_LIMIT), min(parameter.high, _LIMIT))
                real.setSuffix(f" {unit}" if unit else "")
                real.setKeyboardTracking(False)
                real.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
                real.valueChanged.connect(lambda value: send(value / factor))
                return real
            case _:
                combo = QComboBox()
                combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
                combo.setMinimumContentsLength(8)
                for value, words in parameter.choices:
                    combo.addItem(words, value)
                combo.activated.connect(lambda _: send(combo.currentData()))
                return combo

    def _scale(self, parameter: Parameter) -> tuple[float, str]:
        """What a number is multiplied by to be shown, and its unit then."""
        unit, lateral = self._units
        if parameter.unit == "value":
            label, factor = shown_unit(2e-10, unit) if unit == "m" else (unit, 1.0)
            return factor, label
        return 1.0, lateral if parameter.unit == "nm" else parameter.unit

    def _show(self, parameter: Parameter, value: Value) -> None:
        field = self.fields.get(parameter.name)
        if field is None:
            return
        with QSignalBlocker(field):
            match field:
                case QCheckBox():
                    field.setChecked(bool(value))
                case QComboBox():
                    field.setCurrentIndex(field.findData(value))
                case QSpinBox():
                    field.setValue(int(value))
                case QDoubleSpinBox():
                    shown = float(value) * self._scale(parameter)[0]
                    if abs(field.value() - shown) > 1e-9 * max(abs(shown), 1.0):
                        field.setValue(shown)


def _counted(drawn: str, text: str) -> str:
    match drawn:
        case "strokes":
            count = len([part for part in text.split("/") if part.strip()])
            return f"{count} stroke{'s' * (count != 1)} painted"
        case "spectrum":
            count = len(text.split()) // 3
            return f"{count} wave{'s' * (count != 1)} marked"
    return ""
