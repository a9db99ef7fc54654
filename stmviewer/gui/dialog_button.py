"""Buttons of dialogs that have lines of text."""

from collections.abc import Callable

from PySide6.QtWidgets import QPushButton


def dialog_button(text: str, tip: str = "", act: Callable[[], object] | None = None) -> QPushButton:
    """One that Return in a line of text does not press: it may begin hours of work."""
    made = QPushButton(text)
    made.setAutoDefault(False)
    made.setToolTip(tip)
    if act is not None:
        made.clicked.connect(lambda _: act())
    return made
