"""Simulate a scan and look at it at once: pristine and degraded, opened in the window or written as pairs."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from stmviewer.gui.beside import BesideDialog
from stmviewer.gui.delayed import delayed
from stmviewer.gui.elided_label import ElidedLabel
from stmviewer.gui.quantities import duration
from stmviewer.gui.scrolled import scrolled
from stmviewer.gui.sentences import sentence
from stmviewer.gui.settings import Settings
from stmviewer.gui.simulating.form import SimulationForm
from stmviewer.gui.simulating.view import Preview, PreviewPanes
from stmviewer.gui.slim_bar import SlimBar
from stmviewer.gui.worker import JobDesk
from stmviewer.scan import Scan
from stmviewer.services import events
from stmviewer.services.jobs import Context
from stmviewer.services.simulation_preview import PAIR_FORMATS, Catalogue, SceneKeeper, catalogue_job, save_pairs_job

#: after the last change, before a new image is made
_DELAY_MS = 150
_PANEL_WIDTH = 384


class SimulateDialog(BesideDialog):
    """Not modal: one can restore the opened scan and come back. `open_scan` is called with the scan to open."""

    def __init__(
        self, desk: JobDesk, settings: Settings, open_scan: Callable[[Scan], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Simulate a scan")
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint, True)
        self._settings, self._open_scan = settings, open_scan
        self._keeper = SceneKeeper()
        self.form = SimulationForm()
        self.panes = PreviewPanes()
        self.status = ElidedLabel()
        self.status.setObjectName("quiet")
        self.count = QSpinBox()
        self.count.setRange(1, 100_000)
        self.count.setValue(10)
        self.count.setFixedWidth(84)
        self.count.setAccessibleName("Number of pairs")
        self.format = QComboBox()
        for suffix, text in PAIR_FORMATS.items():
            self.format.addItem(f".{suffix}", suffix)
            self.format.setItemData(self.format.count() - 1, text, Qt.ItemDataRole.ToolTipRole)
        self.format.setAccessibleName("Format of the pairs")
        self.save_button = QPushButton("Save pairs…")
        self.save_button.setToolTip("Pairs of other seeds, each with its recipe as JSON beside it")
        self.open_button = QPushButton("Open as scan")
        self.open_button.setToolTip("Shows this scan in the window, where it can be restored")
        self.open_button.setObjectName("primary")
        self.progress = SlimBar(keeps_place=True)
        self._lay_out()
        self._timer = delayed(self, self._start_preview, _DELAY_MS)
        self._cataloguing = desk.lane(desk.files, self._on_catalogue)
        self._previewing = desk.lane(desk.files, self._on_preview)
        self._saving = desk.lane(desk.files, self._on_saving)
        self._stopping = False
        self.form.changed.connect(self._changed)
        self.panes.cursor_text.connect(self._show_cursor)
        self.open_button.clicked.connect(self._open)
        self.save_button.clicked.connect(self._save_or_cancel)
        self.form.setEnabled(False)
        self._refresh()
        self._cataloguing.start("Reading what can be simulated", catalogue_job())

    @property
    def busy(self) -> bool:
        """Whether an image is on its way."""
        return self._timer.isActive() or self._previewing.busy or self._cataloguing.busy

    # the preview

    def _changed(self) -> None:
        self._timer.start()
        self._refresh()

    def _start_preview(self) -> None:
        request, keeper = self.form.request(), self._keeper

        def job(context: Context) -> Preview:
            made = keeper.job(request)(context)
            context.progress.check()
            return Preview.of(made)

        self._previewing.start("Simulation", job)
        self._refresh()

    def _on_catalogue(self, event: events.Event) -> None:
        match event:
            case events.Finished(Catalogue() as catalogue):
                self.form.set_catalogue(catalogue)
                self.form.setEnabled(True)
                self._start_preview()
            case events.Failed(message):
                self._fail(message)

    def _on_preview(self, event: events.Event) -> None:
        match event:
            case events.Finished(Preview() as preview):
                self.panes.show_preview(preview)
                self.form.wishes.show_happened(preview.simulated.happened)
            case events.Failed(message):
                self._fail(message)
        self._refresh()

    def _fail(self, message: str) -> None:
        self.panes.show_fault(sentence(message))
        self.form.wishes.show_happened(())

    def _open(self) -> None:
        if self.panes.preview is not None and not self.busy:
            self._open_scan(self.panes.preview.simulated.scan)

    # pairs in files

    def _save_or_cancel(self) -> None:
        if self._saving.busy:
            self._stopping = True
            self._saving.cancel()
            self._refresh()
            return
        before = self._settings.text("pairs-folder", str(Path.home()))
        folder = QFileDialog.getExistingDirectory(self, "Folder for the pairs", before)
        if folder:
            self._settings.set_text("pairs-folder", folder)
            self.save_to(Path(folder))

    def save_to(self, folder: Path) -> None:
        """Writes as many pairs as asked for, of the request on show."""
        self._stopping = False
        job = save_pairs_job(self.form.request(), self.count.value(), folder, self.format.currentData())
        self.progress.show_fraction(0)
        self._saving.start("Pairs", job)
        self._tell("Simulating pairs")
        self._refresh()

    def _on_saving(self, event: events.Event) -> None:
        match event:
            case events.Advanced(fraction, step, eta_s):
                self.progress.show_fraction(fraction)
                left = f" · about {duration(eta_s)} left" if eta_s is not None and not self._stopping else ""
                self._tell(f"{step}{left}")
            case events.Finished(files):
                self._tell(f"Written: {len(files)} pairs in {files[0].parent}")
            case events.Failed(message):
                self._tell(sentence(message))
            case events.Cancelled():
                self._tell("Cancelled; the pairs written so far are whole")
        self._refresh()

    # what is shown

    def _tell(self, text: str) -> None:
        self._told = text
        self.status.show_text(text)

    def _show_cursor(self, text: str) -> None:
        self.status.show_text(text or self._told)

    def _refresh(self) -> None:
        saving = self._saving.busy
        self.open_button.setEnabled(self.panes.preview is not None and not self.busy)
        self.save_button.setText(("Cancelling…" if self._stopping else "Cancel") if saving else "Save pairs…")
        ready = self.form.isEnabled() and self.panes.preview is not None
        self.save_button.setEnabled(not self._stopping if saving else ready)
        for widget in (self.count, self.format):
            widget.setEnabled(not saving)
        self.progress.setVisible(saving)

    def end(self) -> None:
        """Nothing more is wanted of what is under way."""
        self._timer.stop()
        for lane in (self._cataloguing, self._previewing, self._saving):
            lane.drop()

    def _lay_out(self) -> None:
        self._told = ""
        scroll = scrolled(self.form, _PANEL_WIDTH)
        bottom = QHBoxLayout()
        bottom.setSpacing(8)
        for widget in (self.count, QLabel("pairs as"), self.format, self.save_button):
            bottom.addWidget(widget)
        bottom.addStretch(1)
        bottom.addWidget(self.open_button)
        right = QVBoxLayout()
        right.setSpacing(6)
        right.addWidget(self.panes, 1)
        right.addWidget(self.status)
        right.addWidget(self.progress)
        right.addLayout(bottom)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 10, 12, 10)
        row.setSpacing(14)
        row.addLayout(right, 1)
        row.addWidget(scroll)
        self.resize(1120, 680)
