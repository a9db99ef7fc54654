"""What all parts of a session look at: the channel on show, and the restoration of it that is under way."""

from PySide6.QtCore import QObject, Signal

from stmviewer.gui.services_used import Services
from stmviewer.gui.shown import Shown
from stmviewer.gui.state import Run
from stmviewer.gui.worker import JobDesk
from stmviewer.scan import Scan


class Stage(QObject):
    """The parts set `shown` and `run`, and tell so by the signals; everything here happens on the GUI thread.

    `left` tells, before `shown_changed` does, that it is the channel of another file: nothing of the one before is
    wanted any more. `complained` carries one clear line and, when the fault is ours, a traceback.
    """

    left = Signal()
    shown_changed = Signal()
    run_changed = Signal()
    complained = Signal(str, str)

    def __init__(self, services: Services | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.services = services or Services()
        self.desk = JobDesk(self)
        self.shown: Shown | None = None
        self.run = Run()

    @property
    def scan(self) -> Scan | None:
        """The scan on show, as it was measured."""
        return self.shown.raw.scan if self.shown else None
