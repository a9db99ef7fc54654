"""The panel at the right: what is asked of a restoration. Its state is a RestoreRequest and nothing else."""

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QRadioButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from stmviewer.gui.model_choice import ModelChoice
from stmviewer.restore import FILE_MASK, ModelInfo, RestoreRequest, Task
from stmviewer.scan import RequestError
from stmviewer.scan.masks import PATTERNS, parse_pattern

#: patterns that a seed changes
_SEEDED = ("lines-random", "pixels", "grid-jitter")
_CUSTOM = "custom"
_MASKS = (
    ("Every 2nd line", "lines:2"),
    ("Every 4th line", "lines:4"),
    ("Grid of every 2nd pixel", "grid:2"),
    ("Grid of every 4th pixel", "grid:4"),
    ("Random pixels, 25 %", "pixels:0.25"),
    ("Random lines, 25 %", "lines-random:0.25"),
    ("The file's own gaps", FILE_MASK),
    ("Another pattern…", _CUSTOM),
)
_TRUST = (("Keep them as measured", "keep"), ("Let them be smoothed", "consistent"))
_DEVICES = (("Automatic", "auto"), ("Processor (CPU)", "cpu"), ("Graphics card (CUDA)", "cuda"))


class Controls(QWidget):
    """Widgets in, RestoreRequest out. `changed` is emitted for every change that the user makes."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.repair = QRadioButton("Repair a bad tip")
        self.repair.setToolTip("Undo what a double, blunt or changing tip and jumping lines did to the image")
        self.sparse = QRadioButton("Rebuild a sparse scan")
        self.sparse.setToolTip("Fill in what was not measured, from the part that was")
        self._tasks = QButtonGroup(self)
        self._tasks.addButton(self.repair)
        self._tasks.addButton(self.sparse)
        self.repair.setChecked(True)
        self.align_rows = QCheckBox("Align the lines first")
        self.align_rows.setToolTip("Takes out height jumps from line to line before the tip is repaired")
        self.tips = QCheckBox("Take out a second tip end first")
        self.tips.setToolTip(
            "Where steps or adsorbates are seen twice at one offset, the second image is subtracted before the repair. "
            "Compare with the repair without it: which end is the main one cannot be told"
        )

        self.mask_box = _combo(_MASKS, "lines:4")
        self.mask_box.setAccessibleName("Measured pixels")
        self.custom = QLineEdit()
        self.custom.setAcceptDrops(False)  # files dropped here are to be opened, too
        self.custom.setPlaceholderText("such as lines:3 or spiral:0.2")
        self.custom.setToolTip("Patterns: " + ", ".join(PATTERNS) + "; N is a whole number, F the measured part")
        self.invalid = QLabel()
        self.invalid.setObjectName("invalid")
        self.invalid.setWordWrap(True)
        self.saving = QLabel()
        self.saving.setObjectName("quiet")
        self.saving.setWordWrap(True)
        self.trust_box = _combo(_TRUST, "keep")
        self.trust_box.setAccessibleName("Treatment of measured pixels")
        self.trust_box.setToolTip("Smoothing lets noise go: the result agrees with the measurement on the larger scale")
        self.model = ModelChoice()
        self.samples = QSpinBox()
        self.samples.setRange(1, 100)
        self.samples.setToolTip(
            "Several samples differ where the measurement leaves room: the deviation shows how much"
        )
        self.seed = QSpinBox()
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setToolTip("The same seed gives the same random mask and the same result")
        self.device_box = _combo(_DEVICES, "auto")
        self.process = ""
        self.process_line = QLabel()
        self.process_line.setObjectName("quiet")
        self.process_line.setWordWrap(True)
        self.process_line.hide()
        self._lay_out()

        self.repair.toggled.connect(self._task_changed)
        for box in (self.mask_box, self.trust_box, self.device_box):
            box.currentIndexChanged.connect(self._changed)
        self.mask_box.activated.connect(self._on_mask_chosen)
        self.align_rows.toggled.connect(self._changed)
        self.tips.toggled.connect(self._changed)
        self.custom.textChanged.connect(self._changed)
        self.model.changed.connect(self._changed)
        self.samples.valueChanged.connect(self._changed)
        self.seed.valueChanged.connect(self._changed)
        self._refresh()

    @property
    def task(self) -> Task:
        return "repair" if self.repair.isChecked() else "sparse"

    def pattern(self) -> str | None:
        """The chosen mask pattern, None for the repair task."""
        if self.task == "repair":
            return None
        chosen: str = self.mask_box.currentData()
        return self.custom.text().strip() if chosen == _CUSTOM else chosen

    def sampling(self) -> RestoreRequest:
        """The part of the request that decides what counts as measured. Raises RequestError for a bad pattern."""
        pattern = self.pattern()
        if pattern == "":
            raise RequestError("write a pattern such as lines:3")
        if pattern is not None and pattern != FILE_MASK:
            parse_pattern(pattern)
        return RestoreRequest(task=self.task, mask=pattern, seed=self.seed.value())

    def request(self) -> RestoreRequest:
        """What is asked for now. Raises RequestError when a custom pattern makes no sense or there is no model."""
        sampling = self.sampling()
        info = self.model.current()
        if info is None:
            raise RequestError("no model can do this task")
        return sampling.replaced(
            model=info.name,
            steps=self.model.chosen_steps() if info.steps else None,
            samples=self.samples.value() if info.samples else 1,
            trust=self.trust_box.currentData() if self.task == "sparse" else "keep",
            align_rows=self.task == "repair" and self.align_rows.isChecked(),
            tips=self._takes_tips_out and self.tips.isChecked(),
            device=self.device_box.currentData(),
            process=self.process,
        )

    def show_request(self, request: RestoreRequest) -> None:
        """Sets every widget to `request`, as one change."""
        before = self.blockSignals(True)
        (self.repair if request.task == "repair" else self.sparse).setChecked(True)
        if request.mask is not None:
            known = self.mask_box.findData(request.mask)
            self.mask_box.setCurrentIndex(known if known >= 0 else self.mask_box.findData(_CUSTOM))
            if known < 0:
                self.custom.setText(request.mask)
        _choose(self.trust_box, request.trust)
        _choose(self.device_box, request.device)
        self.align_rows.setChecked(request.align_rows)
        self.tips.setChecked(request.tips)
        self.model.choose(request.model, request.steps)
        self.samples.setValue(request.samples)
        self.seed.setValue(request.seed)
        self.blockSignals(before)
        self._changed()

    def set_process(self, steps: str, words: str) -> None:
        """The processing steps that come first; they belong to the scan and are set on the page Process."""
        if steps != self.process:
            self.process = steps
            self.process_line.setText(f"After: {words}")
            self.process_line.setToolTip(steps)
            self.process_line.setVisible(bool(steps))

    def set_models(self, models: Sequence[ModelInfo]) -> None:
        self.model.set_models(models)
        self._changed()

    def set_file_mask(self, available: bool) -> None:
        """Whether the shown channel has gaps of its own to fill; a choice that is impossible now is left."""
        index = self.mask_box.findData(FILE_MASK)
        item = self.mask_box.model().item(index)  # type: ignore[attr-defined]
        item.setEnabled(available)
        item.setToolTip("" if available else "Every pixel of this channel was measured")
        if not available and self.mask_box.currentIndex() == index:
            _choose(self.mask_box, "lines:4")

    def take_offer(self) -> None:
        """Chooses to fill the gaps that the file itself has."""
        self.sparse.setChecked(True)
        _choose(self.mask_box, FILE_MASK)
        self._changed()

    def set_saving(self, text: str) -> None:
        """What the mask would save, in words."""
        self.saving.setText(text)
        self.saving.setVisible(bool(text) and self.task == "sparse")

    def _on_mask_chosen(self) -> None:
        if self.mask_box.currentData() == _CUSTOM:
            self.custom.setFocus()  # else what is typed next would be taken for shortcuts

    def _task_changed(self) -> None:
        self.model.set_task(self.task)
        self._changed()

    def _changed(self) -> None:
        self._refresh()
        self.changed.emit()

    def _refresh(self) -> None:
        """Shows what belongs to the task and the model, hides the rest."""
        sparse, info = self.task == "sparse", self.model.current()
        for widget in self._only_sparse:
            widget.setVisible(sparse)
        self.align_rows.setVisible(not sparse)
        self.tips.setVisible(self._takes_tips_out)
        custom = sparse and self.mask_box.currentData() == _CUSTOM
        self.custom.setVisible(custom)
        self.invalid.setText(self._pattern_fault() if custom else "")
        self.invalid.setVisible(bool(self.invalid.text()))
        self.saving.setVisible(sparse and bool(self.saving.text()) and not self.invalid.text())
        self._form.setRowVisible(self.model.steps, bool(info and info.steps))
        self._form.setRowVisible(self.samples, bool(info and info.samples))
        random_mask = (self.pattern() or "").startswith(_SEEDED)
        self._form.setRowVisible(self.seed, bool(info and info.samples) or random_mask)
        self._form.setRowVisible(self.device_box, bool(info and (info.learned or info.kind == "auto")))

    @property
    def _takes_tips_out(self) -> bool:
        """Whether the chosen method can be told to: networks only, in repairs."""
        info = self.model.current()
        return self.task == "repair" and bool(info and (info.learned or info.kind == "auto"))

    def _pattern_fault(self) -> str:
        text = self.custom.text().strip()
        if not text:
            return ""
        try:
            parse_pattern(text)
        except RequestError as error:
            return str(error)
        return ""

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        layout.addWidget(_heading("Task"))
        layout.addWidget(self.repair)
        below = QVBoxLayout()
        below.setContentsMargins(22, 0, 0, 0)
        below.addWidget(self.align_rows)
        below.addWidget(self.tips)
        layout.addLayout(below)
        layout.addWidget(self.sparse)
        mask_heading, trust_heading = _heading("Which pixels count as measured"), _heading("Measured pixels")
        for widget in (
            mask_heading,
            self.mask_box,
            self.custom,
            self.invalid,
            self.saving,
            trust_heading,
            self.trust_box,
        ):
            layout.addWidget(widget)
        self._only_sparse = (mask_heading, self.mask_box, trust_heading, self.trust_box)
        layout.addWidget(_heading("Method"))
        layout.addWidget(self.model)
        self._form = QFormLayout()
        self._form.setContentsMargins(0, 6, 0, 0)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        self._form.addRow("Steps", self.model.steps)
        self._form.addRow("Samples", self.samples)
        self._form.addRow("Seed", self.seed)
        self._form.addRow("Compute on", self.device_box)
        layout.addLayout(self._form)
        layout.addWidget(self.process_line)
        layout.addStretch(1)


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName("heading")
    label.setIndent(0)
    return label


def _combo(entries: Sequence[tuple[str, str]], chosen: str) -> QComboBox:
    box = QComboBox()
    # a long entry must not widen the panel
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(14)
    for text, value in entries:
        box.addItem(text, value)
    box.setCurrentIndex(box.findData(chosen))
    return box


def _choose(box: QComboBox, value: str) -> None:
    with QSignalBlocker(box):
        box.setCurrentIndex(max(box.findData(value), 0))
