"""The window in which models are compared on sets of scans, and reports are made."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QDialog, QWidget

    from stmviewer.gui.settings import Settings
    from stmviewer.gui.worker import JobDesk
    from stmviewer.restore import ModelInfo


def report_dialog(desk: "JobDesk", settings: "Settings", models: "Sequence[ModelInfo]", parent: "QWidget") -> "QDialog":
    """The dialog; its modules are imported when it is first opened, so that the window opens without them."""
    from stmviewer.gui.reporting.dialog import ReportDialog

    return ReportDialog(desk, settings, models, parent)
