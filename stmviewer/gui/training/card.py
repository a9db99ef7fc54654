"""The card of a model in a dialog: what it was made of, and how well it did."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QTextBrowser, QVBoxLayout, QWidget

from stmviewer.services.training import read_card


def show_card(name: str, models: Path, parent: QWidget) -> QDialog:
    """Opens the card of a model of the folder `models`; the dialog is gone when it is closed."""
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(f"Model {name}")
    text = QTextBrowser()
    text.setOpenLinks(False)
    text.setMarkdown(read_card(name, models) or "This model has no card.")
    layout = QVBoxLayout(dialog)
    layout.addWidget(text)
    dialog.resize(720, 520)
    dialog.show()
    return dialog
