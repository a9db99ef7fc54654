"""Editing a history with undo and redo. No Qt."""

from dataclasses import dataclass, field

from stmviewer.scan import History, Step
from stmviewer.scan.processing.kinds import Value

_MOST_UNDOS = 200


@dataclass
class Editor:
    """The steps of one channel, and what they were before.

    `selected` is the place of the step whose parameters are shown, -1 for none. Changes of the same parameter one
    after the other are one undo, or every notch of a spin box would be.
    """

    history: History = field(default_factory=History)
    selected: int = -1
    _undo: list[tuple[History, int]] = field(default_factory=list)
    _redo: list[tuple[History, int]] = field(default_factory=list)
    _latest: tuple[int, str] | None = None

    @property
    def step(self) -> Step | None:
        """The selected step."""
        return self.history.steps[self.selected] if 0 <= self.selected < len(self.history) else None

    @property
    def can_undo(self) -> bool:
        return bool(self._undo)

    @property
    def can_redo(self) -> bool:
        return bool(self._redo)

    def add(self, step: Step) -> None:
        """Puts a step at the end and selects it."""
        self._change(self.history.then(step), len(self.history))

    def remove(self, index: int) -> None:
        if 0 <= index < len(self.history):
            self._change(self.history.without(index), min(index, len(self.history) - 2))

    def move(self, index: int, to: int) -> None:
        if index != to:
            self._change(self.history.moved(index, to), to)

    def enable(self, index: int, enabled: bool) -> None:
        step = self.history.steps[index]
        if step.enabled != enabled:
            self._change(self.history.replaced(index, Step(step.name, step.parameters, enabled)), index)

    def set_value(self, name: str, value: Value) -> None:
        """Changes a parameter of the selected step."""
        step = self.step
        if step is None or step.value(name) == value:
            return
        latest = (self.selected, name)
        changed = self.history.replaced(self.selected, step.with_values(**{name: value}))
        if latest == self._latest:
            self.history = changed
            return
        self._change(changed, self.selected)
        self._latest = latest

    def set_values(self, **values: Value) -> None:
        """Changes parameters of the selected step as one undo."""
        if self.step is not None:
            self._change(self.history.replaced(self.selected, self.step.with_values(**values)), self.selected)

    def replace(self, history: History) -> None:
        """Takes other steps as a whole: pasted or read ones."""
        if history != self.history:
            self._change(history, len(history) - 1)

    def undo(self) -> None:
        if self._undo:
            self._redo.append((self.history, self.selected))
            self.history, self.selected = self._undo.pop()
            self._latest = None

    def redo(self) -> None:
        if self._redo:
            self._undo.append((self.history, self.selected))
            self.history, self.selected = self._redo.pop()
            self._latest = None

    def _change(self, history: History, selected: int) -> None:
        self._undo = [*self._undo, (self.history, self.selected)][-_MOST_UNDOS:]
        self._redo.clear()
        self.history, self.selected, self._latest = history, selected, None
