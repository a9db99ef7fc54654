"""The drawer of a training form that most never open: start, seed, rate, mixture, another folder to check on."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QSpinBox,
    QWidget,
)

from stmviewer.gui.reporting.paths import PathLine
from stmviewer.restore import ModelInfo, title
from stmviewer.services.training import TrainingRequest, start_models

KINDS = (
    ("One best answer (regression)", "regression"),
    ("Several answers, shows how sure (flow)", "flow"),
    ("Flow from noise (cfm)", "cfm"),
    ("Diffusion", "diffusion"),
    ("Autoencoder (baseline)", "autoencoder"),
)
DEVICES = (("Automatic", "auto"), ("Processor (CPU)", "cpu"), ("Graphics card (CUDA)", "cuda"))
FROM_SCRATCH = ""
#: a model that is only to learn something more must not forget what it knows: smaller than from scratch
_GENTLE_RATE = 6e-4


class ExpertDrawer(QWidget):
    """Widgets in, a TrainingRequest's values out. `changed` is emitted for every change."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models: tuple[ModelInfo, ...] = ()
        self.kind, self.start, self.device, self.mix = (compact_box() for _ in range(4))
        for text, value in KINDS:
            self.kind.addItem(text, value)
        for text, value in DEVICES:
            self.device.addItem(text, value)
        self.mix.addItem("These scans alone", None)
        self.mix.setToolTip(
            "Simulated surfaces beside few scans of one's own: the model forgets less of other samplings"
        )
        self.start.setToolTip("The model that goes on learning. From scratch takes hours instead of minutes")
        self.share = QSpinBox()
        self.share.setRange(1, 99)
        self.share.setValue(50)
        self.share.setSuffix(" %")
        self.share.setAccessibleName("Share of simulated surfaces")
        self.rate = QDoubleSpinBox()
        self.rate.setDecimals(5)
        self.rate.setRange(0.0, 0.1)
        self.rate.setSingleStep(0.0001)
        self.rate.setSpecialValueText("Automatic")
        self.rate.setToolTip("Largest learning rate")
        self.seed = QSpinBox()
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setToolTip("The same seed on the same computer gives the same training")
        self.validation = PathLine("Folder to check on", "Without: what is kept aside here", self._ask_folder)
        self.form = QFormLayout(self)
        self.form.setContentsMargins(0, 0, 0, 0)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        for label, widget in (
            ("Kind of model", self.kind),
            ("Start from", self.start),
            ("Mix with", self.mix),
            ("Share of it", self.share),
            ("Check on", self.validation),
            ("Learning rate", self.rate),
            ("Seed", self.seed),
            ("Compute on", self.device),
        ):
            self.form.addRow(label, widget)
        for spin in (self.share, self.rate, self.seed):  # as tall as the choosers between them
            spin.setMinimumHeight(self.kind.sizeHint().height())
        self.kind.currentIndexChanged.connect(self._kind_changed)
        for box in (self.start, self.mix, self.device):
            box.currentIndexChanged.connect(self._changed)
        for spin in (self.share, self.seed):
            spin.valueChanged.connect(self.changed)
        self.rate.valueChanged.connect(self.changed)
        self.validation.changed.connect(self.changed)
        self._refresh()

    def set_models(self, models: Sequence[ModelInfo]) -> None:
        """The models that can be started from; a choice that is still possible stays."""
        self._models = tuple(models)
        self._fill_starts(self.start.currentData())

    def set_surfaces(self, names: Sequence[str]) -> None:
        """What can be simulated beside the scans."""
        with QSignalBlocker(self.mix):
            while self.mix.count() > 1:
                self.mix.removeItem(1)
            for name in names:
                self.mix.addItem(f"Simulated {name}", f"simulated:{name}")

    @property
    def from_scratch(self) -> bool:
        return not self.start.currentData()

    def problem(self) -> str:
        folder = self.validation.path()
        if folder is not None and not folder.is_dir():
            return f"There is no folder {folder} to check on"
        return ""

    def values(self) -> dict[str, object]:
        """By the names of a TrainingRequest."""
        folder = self.validation.path()
        rate = self.rate.value() or (None if self.from_scratch else _GENTLE_RATE)
        return {
            "kind": self.kind.currentData(),
            "start_from": self.start.currentData() or None,
            "mix": self.mix.currentData(),
            "mix_share": self.share.value() / 100,
            "validation": str(folder) if folder is not None else None,
            "rate": rate,
            "seed": self.seed.value(),
            "device": self.device.currentData(),
        }

    def show_request(self, request: TrainingRequest) -> None:
        """Sets every widget to `request`."""
        before = self.blockSignals(True)
        self.kind.setCurrentIndex(max(self.kind.findData(request.kind), 0))
        if request.mix is not None and self.mix.findData(request.mix) < 0:
            self.mix.addItem(request.mix, request.mix)
        self.mix.setCurrentIndex(max(self.mix.findData(request.mix), 0))
        self._fill_starts(request.start_from or FROM_SCRATCH)
        self.share.setValue(round(100 * request.mix_share))
        self.validation.set_path(request.validation or "")
        self.rate.setValue(0.0 if request.rate in (None, _GENTLE_RATE) else request.rate)
        self.seed.setValue(request.seed)
        self.device.setCurrentIndex(max(self.device.findData(request.device), 0))
        self.blockSignals(before)
        self._refresh()

    def _fill_starts(self, wanted: str | None) -> None:
        names = start_models(self.kind.currentData(), self._models)
        with QSignalBlocker(self.start):
            self.start.clear()
            for name in names:
                self.start.addItem(title(name), name)
                self.start.setItemData(self.start.count() - 1, name, Qt.ItemDataRole.ToolTipRole)
            self.start.addItem("From scratch", FROM_SCRATCH)
            self.start.setCurrentIndex(max(self.start.findData(wanted) if wanted is not None else 0, 0))
        self._changed()

    def _kind_changed(self) -> None:
        self._fill_starts(None)

    def _changed(self) -> None:
        self._refresh()
        self.changed.emit()

    def _refresh(self) -> None:
        self.form.setRowVisible(self.share, self.mix.currentData() is not None)

    def _ask_folder(self, before: str) -> str:
        start = before if Path(before).is_dir() else str(Path.home())
        return QFileDialog.getExistingDirectory(self, "Folder of scans to check on", start)


def compact_box() -> QComboBox:
    """A chooser whose long entries do not widen the panel."""
    box = QComboBox()
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(14)
    return box
