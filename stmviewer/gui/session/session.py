"""The session of a window: the stage, and one part for each thing that is done on it."""

from PySide6.QtCore import QObject, Signal

from stmviewer.gui.services_used import Services
from stmviewer.gui.session.exporting import Exporting
from stmviewer.gui.session.opening import Opening
from stmviewer.gui.session.restoring import Restoring
from stmviewer.gui.session.sampling import Sampling
from stmviewer.gui.session.stage import Stage
from stmviewer.gui.session.steps import Steps
from stmviewer.gui.session.tips import TipJudging
from stmviewer.gui.shown import Restored
from stmviewer.restore import ModelInfo
from stmviewer.services import events


class Session(Stage):
    """Each part owns its jobs, what came of them, and the signals that tell so; the session itself lists the models."""

    models_changed = Signal()

    def __init__(self, services: Services | None = None, parent: QObject | None = None) -> None:
        super().__init__(services, parent)
        # before all others: nobody is to see a run or a mask beside a channel that they do not belong to
        self.restoring = Restoring(self)
        self.sampling = Sampling(self)
        self.steps = Steps(self)
        self.tip = TipJudging(self)
        self.opening = Opening(self)
        self.exporting = Exporting(self)
        self.models: list[ModelInfo] = []
        self._listing_models = self.desk.lane(self.desk.files, self._on_models)

    @property
    def restored(self) -> Restored | None:
        """The result for the channel on show, if there is one."""
        return self.restoring.restored

    def list_models(self) -> None:
        self._listing_models.start("Reading the models", lambda _: self.services.available_models())

    def close(self) -> bool:
        """Cancels every job; False when one did not stop in time."""
        self.steps.close()
        self.tip.close()
        return self.desk.close()

    def _on_models(self, event: events.Event) -> None:
        match event:
            case events.Finished(models):
                self.models = models
                self.models_changed.emit()
            case events.Failed(message, details):
                self.complained.emit(message, details)
