"""Training a model on one's own scans: a look at them first, four numbers, and then how it goes."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QHBoxLayout,
    QInputDialog,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from stmviewer.gui import dialogs
from stmviewer.gui.beside import BesideDialog
from stmviewer.gui.drop import DropTarget
from stmviewer.gui.info_bar import InfoArea
from stmviewer.gui.quantities import duration
from stmviewer.gui.scrolled import scrolled
from stmviewer.gui.sentences import sentence
from stmviewer.gui.settings import Settings
from stmviewer.gui.training.card import show_card
from stmviewer.gui.training.control import TrainingControl
from stmviewer.gui.training.course import progress_text
from stmviewer.gui.training.examples_page import ExamplesPage
from stmviewer.gui.training.foot import Foot
from stmviewer.gui.training.form import TrainingForm
from stmviewer.gui.training.progress_page import ProgressPage
from stmviewer.gui.training.runner import Phase
from stmviewer.gui.training.scans_page import ScansPage
from stmviewer.scan import StmviewerError
from stmviewer.services import events
from stmviewer.services.simulation_preview import Catalogue, catalogue_job
from stmviewer.services.training import (
    StoppedTraining,
    TrainingRequest,
    command_line,
    delete_stopped,
    prepare,
    stopped_trainings,
    why_not_name,
)
from stmviewer.services.training_events import TrainingStep
from stmviewer.services.training_look import CROP

_PANEL_WIDTH = 372
_SCANS, _EXAMPLES, _PROGRESS = range(3)


class TrainingDialog(BesideDialog):
    """Not modal; a training goes on when it is closed. What the buttons show follows from the runner's phase."""

    def __init__(self, control: TrainingControl, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Train on your own scans")
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint, True)
        self.control, self.runner, self._settings = control, control.runner, settings
        session = control.session
        self.messages = InfoArea()
        self.form = TrainingForm(settings, lambda: control.models)
        self.scans = ScansPage(session.desk, session.services)
        self.examples = ExamplesPage(session.desk)
        self.course = ProgressPage()
        self.pages = QTabWidget()
        self.pages.setDocumentMode(True)
        for page, title in ((self.scans, "Scans"), (self.examples, "Examples"), (self.course, "Progress")):
            self.pages.addTab(page, title)
        self.foot = Foot()
        self._lay_out()
        self.drops = DropTarget(self)
        self.drops.watch(self)
        self._reading = session.desk.lane(session.desk.files, self._on_catalogue)
        self._connect()
        self.form.set_models(session.models)
        self._fill_resume()
        if self.runner.phase is Phase.IDLE:
            self.form.look()
        else:
            self._show_running()
        layout = settings.layout("training")
        if layout is not None:
            self.restoreGeometry(layout)
        self.refresh()

    def sizeHint(self) -> QSize:
        return QSize(1240, 760)

    @property
    def busy(self) -> bool:
        """Whether the folder is looked at, or pairs are made; a training is the runner's."""
        return self.scans.busy or self.examples.busy or self._reading.busy

    def request(self) -> TrainingRequest:
        """What would be trained if it were started now."""
        look = self.scans.look
        crop = look.crop if look is not None and look.crop != CROP else None
        return replace(self.form.request(self.scans.trained(), self.scans.aside()), crop=crop)

    def problem(self) -> str:
        """Why it cannot be started now; '' when it can."""
        problem = self.form.problem()
        if problem and not self.form.folder.path():
            return problem
        if self.scans.look is None:
            return "Looking at the folder" if self.scans.busy else "Choose a folder of good scans"
        if not self.scans.look.usable:
            return "No scan in this folder can be used"
        if not self.scans.trained():
            return "Every scan is left out or kept aside: choose one to train on at least"
        return problem

    # what the user does

    def act(self) -> None:
        """The primary button: start, stop or go on, whichever there is."""
        runner = self.runner
        if runner.phase is Phase.RUNNING:
            runner.stop()
        elif (stopped := runner.resumable) is not None:
            runner.resume(stopped)
        elif not runner.busy and not self.problem():
            self.form.remember()
            self.messages.dismiss("fault")
            runner.start(self.request())
            if runner.phase is Phase.RUNNING:
                self.pages.setCurrentIndex(_PROGRESS)

    def drop(self, paths: list[Path]) -> None:
        """A folder, or the folder of a scan, was dropped on the dialog."""
        if paths and self.form.isEnabled():
            folder = paths[0] if paths[0].is_dir() else paths[0].parent
            self.form.folder.set_path(str(folder))

    def show_stopped(self, stopped: StoppedTraining) -> None:
        """Shows a stopped training, to be gone on with."""
        self.runner.show(stopped)
        self._show_running()
        self.refresh()

    def new(self) -> None:
        """Back to the choices."""
        self.runner.forget()
        self.form.name.clear()
        self.pages.setCurrentIndex(_SCANS)
        if self.scans.look is None:
            self.form.look_again()

    def copy(self) -> None:
        """Copies the command line; the lists of scans that it names are written, or it would not run."""
        if self._choosing:
            try:
                prepare(self.request(), self.control.models)
            except StmviewerError as error:
                self.messages.show_message("kept", "error", sentence(str(error)))
                return
        QApplication.clipboard().setText(self.foot.command.text())

    def delete(self) -> None:
        """Deletes the stopped training on show, when that is confirmed."""
        stopped = self.runner.resumable
        if stopped is None or self.runner.busy or not dialogs.ask_delete(self, stopped.request.name):
            return
        name = stopped.request.name
        try:
            delete_stopped(stopped)
        except StmviewerError as error:
            self.messages.show_message("kept", "error", sentence(str(error)))
        else:
            self.messages.show_message("kept", "offer", f"The stopped training '{name}' is deleted")
            self._fill_resume()
            self.new()

    def keep(self) -> None:
        """Asks for a name and keeps the present state under it."""
        request, last = self.runner.request, self.runner.course.last
        start = f"{request.name if request else 'model'}-step{last.step if last else 0}"
        name, given = QInputDialog.getText(self, "Keep this state", "Name of the model:", text=start)
        if given:
            self.keep_as(name.strip())

    def keep_as(self, name: str) -> None:
        reason = why_not_name(name, self.control.models)
        if reason:
            self.messages.show_message("kept", "error", reason)
        else:
            self.runner.keep(name)

    def use(self) -> None:
        """Chooses the new model in the window."""
        if self.runner.request is not None:
            self._use(self.runner.request.name)

    def _use(self, name: str) -> None:
        self.control.use(name)
        self.messages.show_message("kept", "offer", f"'{name}' is chosen in the window")

    # what happens

    def _read_catalogue(self, opened: bool) -> None:
        """What can be simulated beside the scans: when the drawer is first opened, since that loads the simulator."""
        if opened and not self._reading.busy and self.form.expert.mix.count() == 1:
            self._reading.start("Reading what can be simulated", catalogue_job())

    def _on_catalogue(self, event: events.Event) -> None:
        if isinstance(event, events.Finished) and isinstance(event.result, Catalogue):
            self.form.expert.set_surfaces(event.result.surfaces)

    def _on_told(self, text: str, name: str) -> None:
        use = ("Use it", lambda: self._use(name)) if name else None
        self.messages.show_message("kept", "offer" if name else "error", sentence(text), use)

    def _on_selection(self) -> None:
        if (look := self.scans.look) is not None:
            self.form.tell_pixels(sum(s.pixel_m is None for s in look.usable), len(look.usable))
        self._show_examples()
        self.refresh()

    def _show_examples(self) -> None:
        if self.pages.currentIndex() == _EXAMPLES:
            self.examples.show_request(self.request() if self.scans.look is not None else None)

    def _show_running(self) -> None:
        """The form and the scans of the training on show."""
        request = self.runner.request
        if request is not None:
            self.form.show_request(request)
            folder = self.form.folder.path()
            if folder is not None:
                self.scans.show_folder(folder, request)
        self.pages.setCurrentIndex(_PROGRESS)

    def _on_phase(self) -> None:
        if not self.runner.busy:
            self._fill_resume()
        self.refresh()

    def _fill_resume(self) -> None:
        self.foot.resume_menu.clear()
        for stopped in stopped_trainings(self.control.models):
            steps = [e for e in stopped.events if isinstance(e, TrainingStep)]
            so_far = f", {duration(steps[-1].seconds)} of {stopped.request.minutes:g} min" if steps else ""
            self.foot.resume_menu.addAction(f"{stopped.request.name}{so_far}", lambda s=stopped: self.show_stopped(s))

    @property
    def _choosing(self) -> bool:
        """Whether nothing is under way or on show."""
        phase = self.runner.phase
        return phase is Phase.IDLE or (phase is Phase.FAILED and self.runner.resumable is None)

    def refresh(self) -> None:
        """Brings everything in line with the runner and the form."""
        runner, phase = self.runner, self.runner.phase
        resumable = runner.resumable
        choosing = self._choosing
        problem = self.problem() if choosing else ""
        self.form.setEnabled(choosing)
        self.scans.set_locked(not choosing)
        last = runner.course.last
        self.foot.show_phase(
            phase, choosing=choosing, resumable=resumable is not None, problem=problem, trained=last is not None
        )
        self.foot.progress.show_fraction((last.done or 0) if last is not None else 0)
        self.foot.status.show_text(self._status(phase, problem))
        request = runner.request if not choosing else self.request() if not problem else None
        self.foot.show_command(command_line(request, self.control.models) if request is not None else "")
        self.course.show_course(runner.course)
        if runner.fault and phase is Phase.FAILED:
            self._tell_fault(resumable is not None)
        else:
            self.messages.dismiss("fault")

    def _tell_fault(self, resumable: bool) -> None:
        more = " What it has learned by its last saved state is kept: it can be resumed." if resumable else ""
        text = sentence(self.runner.fault) + ("." if more and not self.runner.fault.endswith(".") else "") + more
        self.messages.show_message("fault", "error", text, details=self.runner.details)

    def _status(self, phase: Phase, problem: str) -> str:
        course, request = self.runner.course, self.runner.request
        name = request.name if request is not None else ""
        match phase:
            case Phase.RUNNING:
                return f"Training {name}: {progress_text(course)}"
            case Phase.STOPPING:
                return "Writes down what it has learned, and stops"
            case Phase.DONE:
                return f"Done: the model '{name}' is in the list of models"
            case Phase.STOPPED:
                return f"{name} is stopped" + (f" at {progress_text(course).partition(',')[0]}" if course.last else "")
            case Phase.FAILED if self.runner.resumable is not None:
                return f"{name} ended before its time"
        return problem or "Ready to start"

    def end(self) -> None:
        """Nothing more is wanted of what is under way; a training goes on."""
        self._settings.set_layout("training", self.saveGeometry())
        self.scans.end()
        self.examples.end()
        self._reading.drop()

    # once

    def _connect(self) -> None:
        self.foot.run_button.clicked.connect(lambda _: self.act())
        self.foot.new_button.clicked.connect(lambda _: self.new())
        self.foot.copy_button.clicked.connect(lambda _: self.copy())
        self.foot.delete_button.clicked.connect(lambda _: self.delete())
        self.foot.keep_button.clicked.connect(lambda _: self.keep())
        self.foot.use_button.clicked.connect(lambda _: self.use())
        self.foot.card_button.clicked.connect(lambda _: self.show_card())
        self.form.drawer_button.toggled.connect(self._read_catalogue)
        self.form.changed.connect(self._on_selection)
        self.form.folder_chosen.connect(self.scans.show_folder)
        self.scans.changed.connect(self._on_selection)
        self.pages.currentChanged.connect(lambda _: self._show_examples())
        self.drops.dropped.connect(self.drop)
        self.runner.changed.connect(self._on_phase)
        self.control.told.connect(self._on_told)
        self.control.session.models_changed.connect(self._on_models)

    def _on_models(self) -> None:
        if not self.runner.busy:
            self.form.set_models(self.control.session.models)

    def show_card(self) -> QDialog | None:
        """The card of the new model."""
        request = self.runner.request
        return show_card(request.name, self.control.models, self) if request is not None else None

    def _lay_out(self) -> None:
        scroll = scrolled(self.form, _PANEL_WIDTH)
        left = QVBoxLayout()
        left.setSpacing(6)
        left.addWidget(self.messages)
        left.addWidget(self.pages, 1)
        left.addWidget(self.foot)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 10, 12, 10)
        row.setSpacing(14)
        row.addLayout(left, 1)
        row.addWidget(scroll)
        self.resize(self.sizeHint())
