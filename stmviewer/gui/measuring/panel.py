"""The Measure page: the tools, and what the one in use has found."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QCheckBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from stmviewer.gui.measuring.tables import Rows
from stmviewer.gui.measuring.work import Mode
from stmviewer.gui.sentences import sentence

TOOLS: dict[Mode, tuple[str, str]] = {
    "profile": ("Line profile", "Heights along lines that you drag on an image"),
    "region": ("Region", "Mean, roughness and range of a rectangle"),
    "spectrum": ("Spectrum", "Fourier spectrum with the periods of the lattice"),
    "autocorrelation": ("Autocorrelation", "How alike the image is to itself when moved"),
    "steps": ("Step heights", "Terraces by the peaks of the height histogram"),
}
_EMPTY = "Choose a tool, then draw on any of the images. Raw and restored are measured at the same place."


class MeasurePanel(QWidget):
    """`mode_asked` gives the tool that is wanted, or an empty text for none."""

    mode_asked = Signal(str)
    width_changed = Signal(int)
    fit_toggled = Signal(bool)
    clear_asked = Signal()
    export_asked = Signal()
    copy_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons: dict[Mode, QPushButton] = {}
        self._group = QButtonGroup(self)
        self._group.setExclusive(False)
        tools = QVBoxLayout()
        tools.setSpacing(4)
        for mode, (text, tip) in TOOLS.items():
            button = QPushButton(text)
            button.setObjectName("tool")
            button.setCheckable(True)
            button.setToolTip(tip)
            button.setMinimumHeight(30)
            button.clicked.connect(lambda on, m=mode: self.mode_asked.emit(m if on else ""))
            self.buttons[mode] = button
            self._group.addButton(button)
            tools.addWidget(button)
        self.hint = QLabel(_EMPTY)
        self.hint.setObjectName("quiet")
        self.hint.setWordWrap(True)
        self.fault = QLabel()
        self.fault.setObjectName("invalid")
        self.fault.setWordWrap(True)
        self.average = QSpinBox()
        self.average.setRange(1, 200)
        self.average.setSuffix(" px")
        self.average.setToolTip("The mean over so many pixels across the line")
        self.average.valueChanged.connect(self.width_changed)
        self.fit = QCheckBox("Fit a step")
        self.fit.setToolTip("Two parallel lines with the edge left out, after ISO 5436-1, to the newest profile")
        self.fit.toggled.connect(self.fit_toggled)
        self.options = QWidget()
        form = QFormLayout(self.options)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Average over", self.average)
        form.addRow(self.fit)
        self.table = _Table()
        self.clear, self.copy, self.export = QPushButton("Clear"), QPushButton("Copy"), QPushButton("Save CSV…")
        row = QHBoxLayout()
        row.setSpacing(4)
        for button, signal in (
            (self.clear, self.clear_asked),
            (self.copy, self.copy_asked),
            (self.export, self.export_asked),
        ):
            button.clicked.connect(signal)
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(tools)
        for widget in (self.hint, self.fault, self.options, self.table):
            layout.addWidget(widget)
        layout.addLayout(row)
        layout.addStretch(1)
        self.show_mode(None, "")

    def show_mode(self, mode: Mode | None, hint: str) -> None:
        """Which tool is in use, and what to do with it."""
        for name, button in self.buttons.items():
            button.setChecked(name == mode)
        self.hint.setText(hint if mode else _EMPTY)
        self.options.setVisible(mode == "profile")
        self.show_fault("")
        self.show_rows([])

    def show_rows(self, rows: Rows) -> None:
        self.table.show_rows(rows)
        profile = self.buttons["profile"].isChecked()
        for button in (self.clear, self.copy):
            button.setVisible(bool(rows))
        self.export.setVisible(bool(rows) and profile)

    def show_fault(self, cause: str) -> None:
        self.fault.setText(sentence(cause))
        self.fault.setVisible(bool(cause))


class _Table(QTableWidget):
    """Rows of texts, as high as they need."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.horizontalHeader().hide()
        self.verticalHeader().hide()
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setObjectName("measured")
        self.rows: Rows = []

    def show_rows(self, rows: Rows) -> None:
        self.rows = rows
        self.setVisible(bool(rows))
        self.setRowCount(len(rows))
        self.setColumnCount(max((len(row) for row in rows), default=0))
        for r, row in enumerate(rows):
            for c, text in enumerate(row):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                if c:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.setItem(r, c, item)
            self.setRowHeight(r, 21)
        self.setFixedHeight(21 * len(rows) + 2)
        self._share()

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._share()

    def _share(self) -> None:
        """The first column takes what the others leave."""
        count = self.columnCount()
        if not count:
            return
        rest = self.viewport().width()
        for column in range(1, count):
            width = max(self.sizeHintForColumn(column) + 6, 52)
            self.setColumnWidth(column, width)
            rest -= width
        self.setColumnWidth(0, max(rest, 50))
