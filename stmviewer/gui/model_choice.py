"""Choosing a model: the box, one line on what it is for, and its sampler steps."""

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QDialog, QLabel, QVBoxLayout, QWidget

from stmviewer import paths
from stmviewer.restore import ModelInfo, Task

_SOURCES = {"user": "trained by you", "shipped": "comes with stmviewer", "built-in": "classical method"}


class ModelChoice(QWidget):
    """Offers the models that can do the task, the recommended one first; remembers the choice for each task."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models: tuple[ModelInfo, ...] = ()
        self._task: Task = "repair"
        self._wanted: dict[Task, str] = {}
        self.box = QComboBox()
        self.box.setAccessibleName("Method")
        self.box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.box.setMinimumContentsLength(14)
        self._summary = QLabel("Reading the list of models…")
        self._summary.setObjectName("quiet")
        self._summary.setWordWrap(True)
        self._summary.setTextFormat(Qt.TextFormat.RichText)
        self._summary.linkActivated.connect(lambda _: self.show_card())
        self.steps = QComboBox()  # laid out by the panel, beside the other numbers
        self.steps.setToolTip("More steps take longer; the model's own choice is good in most cases")
        self._wanted_steps: int | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.box)
        layout.addWidget(self._summary)
        self.box.currentIndexChanged.connect(self._chosen)
        self.steps.currentIndexChanged.connect(self._steps_chosen)

    def current(self) -> ModelInfo | None:
        return next((m for m in self._models if m.name == self.box.currentData()), None)

    def show_card(self) -> QDialog | None:
        """What the chosen model was made of, and how well it did; None for a method that learned nothing."""
        from stmviewer.gui.training.card import show_card

        info = self.current()
        return show_card(info.name, paths.user_models(), self) if info is not None and info.learned else None

    def chosen_steps(self) -> int | None:
        """Sampler steps, None for the model's own choice."""
        value = self.steps.currentData()
        return value if isinstance(value, int) else None

    def set_models(self, models: Sequence[ModelInfo]) -> None:
        self._models = tuple(models)
        self._fill()

    def set_task(self, task: Task) -> None:
        if task != self._task:
            self._task = task
            self._fill()

    def choose(self, name: str, steps: int | None = None) -> None:
        """Chooses a model by name, or by kind; also before the list of models has come."""
        self._wanted[self._task] = name
        self._wanted_steps = steps
        self._fill()

    def prefer(self, name: str, tasks: Sequence[Task]) -> None:
        """Chooses a model for these tasks, whichever is on show; also before the list of models has come."""
        self._wanted.update(dict.fromkeys(tasks, name))
        if self._task in tasks:
            self._wanted_steps = None
        self._fill()

    def _fill(self) -> None:
        able = [m for m in self._models if self._task in m.tasks]
        with QSignalBlocker(self.box):
            self.box.clear()
            for info in able:
                self.box.addItem(info.title, info.name)
                self.box.setItemData(self.box.count() - 1, _tooltip(info), Qt.ItemDataRole.ToolTipRole)
            wanted = self._wanted.get(self._task)
            by_name = [k for k, m in enumerate(able) if m.name == wanted]
            by_kind = [k for k, m in enumerate(able) if m.kind == wanted]
            self.box.setCurrentIndex(next(iter([*by_name, *by_kind, 0 if able else -1])))
        self._describe()

    def _describe(self) -> None:
        info = self.current()
        if info is None:
            self._summary.setText("No model can do this task." if self._models else "Reading the list of models…")
        else:
            self._summary.setText(
                f'{escape(info.summary)} <a href="card">Card</a>' if info.learned else escape(info.summary)
            )
            self.box.setToolTip(_tooltip(info))
        with QSignalBlocker(self.steps):
            self.steps.clear()
            self.steps.addItem("Automatic", None)
            for number in info.steps if info else ():
                self.steps.addItem(str(number), number)
            self.steps.setCurrentIndex(max(self.steps.findData(self._wanted_steps), 0))

    def _chosen(self) -> None:
        self._wanted[self._task] = self.box.currentData() or ""
        self._describe()
        self.changed.emit()

    def _steps_chosen(self) -> None:
        self._wanted_steps = self.chosen_steps()
        self.changed.emit()


def _tooltip(info: ModelInfo) -> str:
    if info.kind == "auto":
        return (
            "A part of the measured pixels is hidden from networks and classical methods; what they make of it decides "
            "what the scan is rebuilt with. Notes and provenance say what was chosen, and why\n(auto)"
        )
    licence = f", licence {info.licence}" if info.learned else ""
    return f"{info.summary}\n({info.name}, {_SOURCES[info.source]}{licence})"
