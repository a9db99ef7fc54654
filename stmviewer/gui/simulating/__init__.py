"""The window in which scans are simulated, with a live preview."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QDialog, QWidget

    from stmviewer.gui.settings import Settings
    from stmviewer.gui.worker import JobDesk
    from stmviewer.scan import Scan


def simulation_dialog(
    desk: "JobDesk", settings: "Settings", open_scan: Callable[["Scan"], None], parent: "QWidget"
) -> "QDialog":
    """The dialog; its modules are imported when it is first opened, so that the window opens without them."""
    from stmviewer.gui.simulating.dialog import SimulateDialog

    return SimulateDialog(desk, settings, open_scan, parent)
