"""What to simulate: widgets in, SimulationRequest out."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from stmviewer.gui.number_box import NumberBox
from stmviewer.gui.simulating.wishes import WishList
from stmviewer.services.simulation_preview import Catalogue, SimulationRequest

_SIDES = (32, 1024)
_BIASES = (("As it comes", "drawn"), ("Filled states (negative)", "filled"), ("Empty states (positive)", "empty"))
#: what the surfaces are called where people read; the names themselves are for command lines
_SURFACES: Mapping[str, str] = {
    "si001h": "Si(001):H",
    "si111-7x7": "Si(111) 7×7",
    "ge001": "Ge(001)",
    "au111": "Au(111), herringbone",
    "graphite": "Graphite",
    "graphene-moire": "Graphene moiré",
    "hexagonal": "Hexagonal lattice",
    "square": "Square lattice",
    "molecules": "Molecules on metal",
}


class SimulationForm(QWidget):
    """`changed` is emitted for every change that the user makes."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.surface, self.preset = QComboBox(), QComboBox()
        self.bias = QComboBox()
        for text, value in _BIASES:
            self.bias.addItem(text, value)
        self.bias.setToolTip("The sign of the sample bias, where the surface shows another image at the other one")
        self.pixel = NumberBox()
        self.pixel.setRange(0.02, 1.0)
        self.pixel.setDecimals(3)
        self.pixel.setSingleStep(0.01)
        self.pixel.setSuffix(" nm")
        self.columns, self.rows = QSpinBox(), QSpinBox()
        for box, name in ((self.columns, "Pixels per line"), (self.rows, "Lines")):
            box.setRange(*_SIDES)
            box.setSingleStep(32)
            box.setAccessibleName(name)
            box.setToolTip(name)
        self.seed = QSpinBox()
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setToolTip("The same seed gives the same scan")
        self.another = QPushButton("Another")
        self.another.setToolTip("The next seed: another place, other accidents")
        self.another.clicked.connect(lambda: self.seed.setValue(self.seed.value() + 1))
        self.wishes = WishList()
        self._show(SimulationRequest())
        self._lay_out()
        for combo in (self.surface, self.bias):
            combo.currentIndexChanged.connect(self.changed)
        self.preset.currentIndexChanged.connect(self._preset_changed)
        for spin in (self.pixel, self.columns, self.rows, self.seed):
            spin.setKeyboardTracking(False)  # not for every digit that is typed
            spin.valueChanged.connect(self.changed)
        self.wishes.changed.connect(self.changed)

    def set_catalogue(self, catalogue: Catalogue) -> None:
        """Fills the choices, once."""
        start = SimulationRequest()
        for box, names, chosen in (
            (self.surface, catalogue.surfaces, start.surface),
            (self.preset, catalogue.presets, start.preset),
        ):
            before = box.blockSignals(True)
            self._fill(box, names, chosen)
            box.blockSignals(before)
        self.wishes.set_entries(catalogue.degradations)
        self.wishes.show_preset(self.preset.currentText())

    def request(self) -> SimulationRequest:
        """What is asked for now."""
        return SimulationRequest(
            surface=self.surface.currentData() or "",
            bias=self.bias.currentData(),
            pixel_nm=round(self.pixel.value(), 3),
            columns=self.columns.value(),
            rows=self.rows.value(),
            preset=self.preset.currentText(),
            seed=self.seed.value(),
            wishes=self.wishes.wishes(),
        )

    @staticmethod
    def _fill(box: QComboBox, names: Sequence[str], chosen: str) -> None:
        box.clear()
        for name in names:
            box.addItem(_SURFACES.get(name, name), name)
            box.setItemData(box.count() - 1, name, Qt.ItemDataRole.ToolTipRole)
        box.setCurrentIndex(max(box.findData(chosen), 0))

    def _show(self, request: SimulationRequest) -> None:
        self.pixel.setValue(request.pixel_nm)
        self.columns.setValue(request.columns)
        self.rows.setValue(request.rows)
        self.seed.setValue(request.seed)

    def _preset_changed(self) -> None:
        self.wishes.show_preset(self.preset.currentText())
        self.changed.emit()

    def _lay_out(self) -> None:
        pixels, seed = QHBoxLayout(), QHBoxLayout()
        pixels.addWidget(self.columns, 1)
        pixels.addWidget(QLabel("×"))
        pixels.addWidget(self.rows, 1)
        seed.addWidget(self.seed, 1)
        seed.addWidget(self.another)
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        form.addRow("Surface", self.surface)
        form.addRow("Bias", self.bias)
        form.addRow("Pixel size", self.pixel)
        form.addRow("Pixels", pixels)
        form.addRow("Seed", seed)
        form.addRow("Preset", self.preset)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 10, 0)
        layout.setSpacing(8)
        layout.addLayout(form)
        layout.addWidget(self.wishes)
        layout.addStretch(1)
