"""Models compared on sets of scans: choose, run, look at the tables, open the report. Two reports beside each other."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from stmviewer.gui.beside import BesideDialog
from stmviewer.gui.elided_label import ElidedLabel
from stmviewer.gui.quantities import duration
from stmviewer.gui.reporting.form import ReportForm
from stmviewer.gui.scrolled import scrolled
from stmviewer.gui.sentences import sentence
from stmviewer.gui.settings import Settings
from stmviewer.gui.slim_bar import SlimBar
from stmviewer.gui.worker import JobDesk
from stmviewer.restore import ModelInfo
from stmviewer.services import events
from stmviewer.services.reporting import ReportDone, comparison_job, study_job

_PANEL_WIDTH = 400
_HELLO = """<h3>How good are the models on your scans?</h3>
<p>Choose a folder of good scans. Their pixels are hidden and rebuilt, so that the truth is known. For repairs choose a
folder of degraded scans, too; without it damage is simulated.</p>
<p>The report is one HTML file with tables, figures and examples, and a PDF and a table of every image beside it. A run
that is stopped goes on from there when it is started again.</p>"""


class ReportDialog(BesideDialog):
    """Not modal: the window can be used while a report is made."""

    def __init__(
        self, desk: JobDesk, settings: Settings, models: Sequence[ModelInfo], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Reports")
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint, True)
        self._settings = settings
        self._report: Path | None = None
        self._stopping = False
        self.form = ReportForm(settings, models)
        self.shown = QTextBrowser()
        self.shown.setOpenLinks(False)
        self.shown.setHtml(_HELLO)
        self.shown.setAccessibleName("Results")
        self.status = ElidedLabel()
        self.status.setObjectName("quiet")
        self.progress = SlimBar(keeps_place=True)
        self.run_button = QPushButton("Run")
        self.run_button.setObjectName("primary")
        self.open_button = QPushButton("Open report")
        self.open_button.setToolTip("In the web browser, from where it can be printed")
        self.compare_button = QPushButton("Compare two reports…")
        self.compare_button.setToolTip("The JSON files that lie beside the reports")
        self._lay_out()
        self._running = desk.lane(desk.reports, self._on_run)
        self._comparing = desk.lane(desk.files, self._on_comparison)
        self.form.changed.connect(self._form_changed)
        self.run_button.clicked.connect(self._run_or_cancel)
        self.open_button.clicked.connect(self._open)
        self.compare_button.clicked.connect(self._ask_reports)
        self._form_changed()

    @property
    def busy(self) -> bool:
        return self._running.busy or self._comparing.busy

    # a run

    def _run_or_cancel(self) -> None:
        if self._running.busy:
            self._stopping = True
            self._running.cancel()
            self._refresh()
            return
        report = self.form.report.path()
        if self.form.problem() or report is None:
            return
        self.form.remember()
        self._stopping, self._report = False, None
        self.progress.show_fraction(0)
        self._running.start("Report", study_job(self.form.values(), report))
        self._tell("Starting")
        self._refresh()

    def _on_run(self, event: events.Event) -> None:
        match event:
            case events.Advanced(fraction, step, eta_s):
                self.progress.show_fraction(fraction)
                left = f" · about {duration(eta_s)} left" if eta_s is not None and not self._stopping else ""
                self._tell(f"{step}{left}")
            case events.Finished(ReportDone() as done):
                self.shown.setHtml(done.html)
                self._report = next((p for p in done.files if p.suffix in (".html", ".htm", ".pdf")), None)
                self._tell("Written: " + ", ".join(p.name for p in done.files) + f" in {done.files[0].parent}")
            case events.Failed(message):
                self._tell(sentence(message))
            case events.Cancelled():
                self._tell("Stopped. The same choices go on from here")
        self._refresh()

    def _open(self) -> None:
        if self._report is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._report.absolute())))

    # two reports

    def _ask_reports(self) -> None:
        report = self.form.report.path()
        before = str(report.parent) if report is not None else str(Path.home())
        files, _ = QFileDialog.getOpenFileNames(self, "Two reports (hold Ctrl)", before, "Reports (*.json)")
        if len(files) == 2:
            self.compare(Path(files[0]), Path(files[1]))
        elif files:
            self._tell("Choose two reports: hold Ctrl while you click")

    def compare(self, first: Path, second: Path) -> None:
        """Shows what became better and worse from the first to the second."""
        self._comparing.start("Comparison", comparison_job(first, second))
        self._refresh()

    def _on_comparison(self, event: events.Event) -> None:
        match event:
            case events.Finished(str() as html):
                self.shown.setHtml(html)
                self._tell("")
            case events.Failed(message):
                self._tell(sentence(message))
        self._refresh()

    # what is shown

    def _form_changed(self) -> None:
        self._tell(self.form.problem())
        self._refresh()

    def _tell(self, text: str) -> None:
        self.status.show_text(text)

    def _refresh(self) -> None:
        running, problem = self._running.busy, self.form.problem()
        self.form.setEnabled(not running)
        self.run_button.setText(("Cancelling…" if self._stopping else "Cancel") if running else "Run")
        self.run_button.setEnabled(not self._stopping if running else not problem)
        self.run_button.setToolTip("" if running else problem)
        self.open_button.setEnabled(self._report is not None and not running)
        self.compare_button.setEnabled(not self.busy)
        self.progress.setVisible(running)

    def end(self) -> None:
        """What is under way stops; what is done of it is kept in its work file."""
        for lane in (self._running, self._comparing):
            lane.drop()

    def _lay_out(self) -> None:
        scroll = scrolled(self.form, _PANEL_WIDTH)
        bottom = QHBoxLayout()
        bottom.setSpacing(8)
        bottom.addWidget(self.compare_button)
        bottom.addStretch(1)
        bottom.addWidget(self.open_button)
        bottom.addWidget(self.run_button)
        left = QVBoxLayout()
        left.setSpacing(6)
        left.addWidget(self.shown, 1)
        left.addWidget(self.status)
        left.addWidget(self.progress)
        left.addLayout(bottom)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 10, 12, 10)
        row.setSpacing(14)
        row.addLayout(left, 1)
        row.addWidget(scroll)
        self.resize(1180, 720)
