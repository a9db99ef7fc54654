"""The first page: what is in the folder, what cannot be used and why, and which scans are trained on."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from stmviewer.gui.info_bar import InfoArea
from stmviewer.gui.sentences import sentence
from stmviewer.gui.services_used import Services
from stmviewer.gui.slim_bar import SlimBar
from stmviewer.gui.training.gallery import BAD_TIPS, Gallery, GalleryModel, Part
from stmviewer.gui.worker import JobDesk
from stmviewer.services import events
from stmviewer.services.thumbnails import ThumbnailRequest
from stmviewer.services.training import TrainingRequest
from stmviewer.services.training_look import CROP, FolderLook, look_job, summary

_HELLO = "Train a model on your own scans"
_INVITATION = (
    "Choose a folder of good scans, or drop one here.\n\nA few minutes on some 36 good scans of one's own surface gain "
    "more than anything else.\nWhat is wrong with a bad tip or a sparse scan is learned from simulation."
)
_ICON_PIXELS = 88


class ScansPage(QWidget):
    """Looks at a folder in the background. `changed` when the selection is another, or a look has ended."""

    changed = Signal()

    def __init__(self, desk: JobDesk, services: Services, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self.look: FolderLook | None = None
        #: a selection to be shown when the look has ended: that of a stopped training
        self._wanted: TrainingRequest | None = None
        self.model = GalleryModel(self)
        self.gallery = Gallery(self.model)
        self.messages = InfoArea()
        self.summary = QLabel(_HELLO)
        self.summary.setObjectName("scanName")
        self.invitation = QLabel(_INVITATION)
        self.invitation.setObjectName("quiet")
        self.invitation.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.split = QLabel()
        self.split.setObjectName("quiet")
        for label in (self.summary, self.split, self.invitation):
            label.setWordWrap(True)
        self.step = QLabel()
        self.step.setObjectName("quiet")
        self.bar = SlimBar()
        self.cancel_button = self._button("Cancel", self.cancel)
        self.rejected = QListWidget()
        self.rejected.setAccessibleName("Files that cannot be used")
        self.rejected.setMaximumHeight(104)
        self.rejected.setWordWrap(True)
        self.rejected.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.counts = QLabel()
        self.suggest_button = self._button("Suggested split", self.suggest)
        self.suggest_button.setToolTip("Whole sessions are kept aside, never parts of a scan")
        self.all_button = self._button("Train on all", self.train_on_all)
        self._looking = desk.lane(desk.files, self._on_look)
        self._picturing = desk.lane(desk.thumbnails, self._on_thumbnail)
        self._judging = desk.lane(desk.restoring, self._on_tip)
        self._lay_out()
        self.model.changed.connect(self._selection_changed)
        self._refresh()

    @property
    def busy(self) -> bool:
        """Whether the folder is being looked at; pictures and tips may still come."""
        return self._looking.busy

    def show_folder(self, folder: Path, wanted: TrainingRequest | None = None) -> None:
        """Looks at a folder; `wanted` says what is chosen of it."""
        self.end()
        self.look, self._wanted = None, wanted
        self.model.show_scans((), ())
        self.messages.dismiss("tips")
        self.messages.dismiss("error")
        self.summary.setText(f"Looking at {folder}")
        self.rejected.clear()
        self.bar.show_fraction(0)
        self._looking.start("Looking at the folder", look_job(folder))
        self._refresh()

    def cancel(self) -> None:
        """Ends what is under way: the look itself, or the judging of tips after it."""
        if self._looking.busy:
            self._looking.cancel()
        elif self._judging.busy:
            self._judging.drop()
            self._refresh()

    def end(self) -> None:
        """Nothing more is wanted of what is under way."""
        for lane in (self._looking, self._picturing, self._judging):
            lane.drop()

    def suggest(self) -> None:
        """The suggested split, all usable scans taken."""
        if self.look is not None:
            self.model.suggest(self.look.aside)

    def train_on_all(self) -> None:
        self.model.set_part(range(len(self.model.scans)), Part.TRAIN)

    def set_locked(self, locked: bool) -> None:
        """While a training goes on its scans are shown, and stay as they are."""
        self.gallery.set_locked(locked)
        for widget in (self.suggest_button, self.all_button):
            widget.setEnabled(not locked)

    def trained(self) -> list[str]:
        return self.model.names(Part.TRAIN)

    def aside(self) -> list[str]:
        return self.model.names(Part.ASIDE)

    # what happens

    def _on_look(self, event: events.Event) -> None:
        match event:
            case events.Advanced(fraction, step):
                self.bar.show_fraction(fraction)
                self.step.setText(step)
                return
            case events.Finished(FolderLook() as look):
                self._show_look(look)
            case events.Failed(message, details):
                self.summary.setText(_HELLO)
                self.messages.show_message("error", "error", sentence(message), details=details)
            case events.Cancelled():
                self.summary.setText("The look at the folder was cancelled")
        self._refresh()
        self.changed.emit()

    def _show_look(self, look: FolderLook) -> None:
        self.look = look
        self.summary.setText(summary(look))
        for scan in look.rejected:
            item = QListWidgetItem(f"{scan.name}: {scan.reason}")
            item.setToolTip(str(scan.path))
            self.rejected.addItem(item)
        usable = look.usable
        self.model.show_scans(usable, look.aside)
        if self._wanted is not None:
            chosen = self._wanted
            self.model.choose(chosen.trained or [s.name for s in usable], chosen.checked)
        if not usable:
            why = "No scan in this folder can be used; below it says why"
            self.messages.show_message("error", "error", why)
            return
        request = ThumbnailRequest(_ICON_PIXELS)
        self._picturing.start("Thumbnails", self._services.thumbnails_job([s.path for s in usable], request))
        self._judge_next()

    def _on_thumbnail(self, event: events.Event) -> None:
        if isinstance(event, events.Thumbnail):
            self.model.show_thumbnail(event)

    def _judge_next(self) -> None:
        """One after the other, so that a restoration of the window has its turn between."""
        waiting = [e for e in self.model.entries if e.tip is None]
        if not waiting:
            self._offer_tips()
            self._refresh()
            return
        total = len(self.model.entries)
        self.bar.show_fraction((total - len(waiting)) / total)
        self.step.setText(f"Judging the tips: {total - len(waiting) + 1} of {total}")
        self._judging.start("Tips", self._services.file_tip_job(waiting[0].path, None, None))

    def _on_tip(self, event: events.Event) -> None:
        match event:
            case events.Finished((Path() as path, judged)):
                self.model.show_tip(path, judged)
                self._judge_next()
            case events.Failed():  # no judge on this computer: the rest would fail, too
                self._refresh()

    def _offer_tips(self) -> None:
        rows = self.model.rows_with_tips(*BAD_TIPS)
        if rows:
            some = f"{len(rows)} scans look" if len(rows) > 1 else "1 scan looks"
            text = (
                f"{some} as if the tip was double, blurry or changing. A model learns such tips as if they were good."
            )
            self.messages.show_message("tips", "offer", text, ("Leave out", self.leave_out_tips))

    def leave_out_tips(self) -> None:
        """Leaves out the scans whose tip looks bad."""
        self.model.set_part(self.model.rows_with_tips(*BAD_TIPS), Part.OUT)
        self.messages.dismiss("tips")

    def _selection_changed(self) -> None:
        train, aside, out = (len(self.model.names(part)) for part in Part)
        self.counts.setText(
            f"{train} to train on,  {aside} kept aside to check,  {out} left out" if self.model.scans else ""
        )
        mixed = self.model.mixed_places()
        if mixed:
            text = f"{mixed} place{'s are' if mixed > 1 else ' is'} shown on both sides: the check will flatter"
            self.messages.show_message("mixed", "note", text)
        else:
            self.messages.dismiss("mixed")
        self.changed.emit()

    def _refresh(self) -> None:
        under_way = self._looking.busy or self._judging.busy
        for widget in (self.step, self.bar, self.cancel_button):
            widget.setVisible(under_way)
        self.cancel_button.setText("Cancel" if self._looking.busy else "Skip")
        self.rejected.setVisible(self.rejected.count() > 0)
        shown: tuple[QWidget, ...] = (self.gallery, self.counts, self.suggest_button, self.all_button)
        for part in shown:
            part.setVisible(bool(self.model.scans))
        self.invitation.setVisible(not self.model.scans)
        self.invitation.setText("" if under_way or self.look is not None else _INVITATION)
        split = f"Suggested split: {self.look.split_by}" if self.look is not None and self.look.split_by else ""
        crop = self.look.crop if self.look is not None else CROP
        small = f"Small scans: learned in pieces of {crop} × {crop} pixels" if crop < CROP else ""
        self.split.setText(".  ".join(filter(None, (split, small, self.model.tips()))))
        self.split.setVisible(bool(self.split.text()))

    def _button(self, text: str, act: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.clicked.connect(lambda _: act())
        return button

    def _lay_out(self) -> None:
        busy = QHBoxLayout()
        busy.addWidget(self.step)
        busy.addWidget(self.bar, 1)
        busy.addWidget(self.cancel_button)
        below = QHBoxLayout()
        below.addWidget(self.counts, 1)
        below.addWidget(self.suggest_button)
        below.addWidget(self.all_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.setSpacing(6)
        layout.addWidget(self.summary)
        layout.addWidget(self.split)
        layout.addLayout(busy)
        layout.addWidget(self.messages)
        layout.addWidget(self.gallery, 1)
        layout.addWidget(self.invitation, 1)
        layout.addLayout(below)
        layout.addWidget(self.rejected)
