"""What happens in the list of files: pictures, order, stars and notes, the state of the tips, the channel of all."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtWidgets import QApplication, QMenu

from stmviewer.gui import dialogs
from stmviewer.gui.delayed import delayed
from stmviewer.gui.folder.entry import Entry, in_order
from stmviewer.gui.folder.keeping import NoteKeeper
from stmviewer.gui.folder.panel import FolderPanel
from stmviewer.gui.session import Session
from stmviewer.gui.settings import Settings
from stmviewer.gui.shown import ChannelWish, pick_channel
from stmviewer.gui.thumbnailing import Thumbnailer
from stmviewer.scan import Direction
from stmviewer.services import events, thumbnails
from stmviewer.services.judging import TipState

#: after the list was last moved, before the tips of the files in view are judged
_CALM_MS = 900
#: after the last picture came, before the list of channels is drawn up
_CHANNELS_MS = 200


class Browsing(QObject):
    """Connects the panel, the session and the services of a folder; owns what they need in the background.

    Tips are judged one file at a time, and only while nothing is being restored: first the files in view, all of them
    when the list is filtered or ordered by tips. `batch_asked` carries the files that the user wants in the batch.
    """

    batch_asked = Signal(object)

    def __init__(self, session: Session, panel: FolderPanel, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session, self.panel, self._settings = session, panel, settings
        self._services = session.services
        desk = session.desk
        self.thumbnails = Thumbnailer(desk, self._services.thumbnails_job, self)
        self._sorting = desk.lane(desk.files, self._on_sorted)
        self._judging = desk.lane(desk.restoring, self._on_tip)
        self.notes = NoteKeeper(desk, self._services, panel, self)
        self._listed: frozenset[Path] = frozenset()
        self._calm = delayed(self, self._judge_next, _CALM_MS)
        self._channels = delayed(self, self._list_channels, _CHANNELS_MS)
        #: whether the tips of the files in the list are judged in the background
        self.judges = settings.flag("judge-folder", True)
        self._order = settings.text("file-order", "name")
        session.opening.order = "newest" if self._order == "newest" else "name"
        panel.set_order(self._order)
        self._connect()

    # what the user does

    def sort(self, order: str) -> None:
        """Lists the files in another order; the one on show stays on show."""
        self._order = order
        self._settings.set_text("file-order", order)
        self.session.opening.order = "newest" if order == "newest" else "name"
        self.panel.set_order(order)
        files = self.session.opening.files
        if order in ("name", "newest"):
            by: thumbnails.Order = "newest" if order == "newest" else "name"
            self._sorting.start("Sorting", lambda _: tuple(thumbnails.in_order(files, by)))
        else:
            self.session.opening.reorder(tuple(in_order(self.panel.model.entries, order)))  # type: ignore[arg-type]
            self._judge_later()

    def set_channel(self, name: str, direction: str) -> None:
        """Shows this channel and direction for the whole folder; '' each for: as the file on show has it."""
        which: Direction | None = "backward" if direction == "backward" else "forward" if direction else None
        self.session.opening.wish_for(ChannelWish(name or None, which) if name or which else None)
        self.panel.model.forget_tips()
        self._judge_later()

    def set_judging(self, on: bool) -> None:
        """Whether tips are judged in the background."""
        self.judges = on
        self._settings.set_flag("judge-folder", on)
        if on:
            self._judge_later()
        else:
            self._judging.drop()
            self.panel.show_progress("")

    def toggle_star(self) -> None:
        self.panel.toggle_star()

    def edit_note(self) -> None:
        self.panel.show()
        self.panel.edit_note()

    def look_again(self, paths: Sequence[Path]) -> None:
        """These files have changed: pictures, facts and tips are made anew."""
        self.panel.model.forget_tips(paths)
        self.thumbnails.look_again()
        self._judge_later()

    def show_menu(self, at: QPoint) -> None:
        """The menu on the marked files."""
        files, entry = self.panel.selected(), self.panel.entry()
        if not files or entry is None:
            return
        menu = QMenu(self.panel)
        many = f" {len(files)} files" if len(files) > 1 else ""
        menu.addAction("Remove the star" if entry.note.star else "Star", self.toggle_star)
        menu.addAction("Note…", self.edit_note)
        menu.addSeparator()
        menu.addAction(f"Add{many} to the batch", partial(self.batch_asked.emit, files))
        menu.addSeparator()
        menu.addAction("Copy path" + "s" * (len(files) > 1), partial(_copy, files))
        menu.addAction("Show in the file manager", partial(dialogs.show_folder, files[0].parent))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(at)

    def close(self) -> None:
        """Nothing is begun any more but the note that is being typed; `notes.finish` waits until it is kept."""
        self.panel.keep_note()
        self.judges = False
        self._calm.stop()
        self._channels.stop()

    # what happens

    def _connect(self) -> None:
        session, panel = self.session, self.panel
        session.opening.listed.connect(self._on_listed)
        session.opening.sorted.connect(lambda: panel.show_files(session.opening.files, session.opening.index))
        session.run_changed.connect(self._on_run)
        session.tip.judged.connect(self._on_shown_tip)
        session.shown_changed.connect(self._judge_later)
        self.thumbnails.ready.connect(self._on_thumbnail)
        self.thumbnails.done.connect(self._on_thumbnails)
        panel.chosen.connect(session.opening.show_file)
        panel.order_chosen.connect(self.sort)
        panel.channel_chosen.connect(self.set_channel)
        panel.note_changed.connect(self.notes.write)
        panel.menu_asked.connect(self.show_menu)
        panel.looked_at.connect(self._judge_later)
        panel.wanted_changed.connect(self._judge_later)

    def _on_listed(self, wish: ChannelWish | None) -> None:
        files = self.session.opening.files
        self.thumbnails.show_files(files, wish)
        if frozenset(files) != self._listed:
            self._listed = frozenset(files)
            self.notes.read(files)

    def _on_thumbnail(self, thumbnail: events.Thumbnail) -> None:
        self.panel.model.show_thumbnail(thumbnail)
        if not self._channels.isActive():
            self._channels.start()

    def _on_thumbnails(self) -> None:
        """Every file is known now: what is ordered by its facts can be."""
        if self._order not in ("name", "newest"):
            self.sort(self._order)
        self._judge_later()

    def _list_channels(self) -> None:
        self.panel.set_channels(self.panel.model.channels())

    def _on_sorted(self, event: events.Event) -> None:
        match event:
            case events.Finished(files):
                self.session.opening.reorder(files)

    # the tips

    def _on_run(self) -> None:
        if self.session.run.busy:
            self._judging.drop()
            self.panel.show_progress("")
        else:
            self._judge_later()

    def _on_shown_tip(self, state: object) -> None:
        """The scan on show was judged: the list knows it, too, where it shows the same channel."""
        scan, shown = self.session.scan, self.session.shown
        if scan is None or scan.path is None or shown is None or not scan.part.alone:
            return
        if pick_channel(scan, self.session.opening.wish) is shown.raw.channel and isinstance(state, TipState):
            self.panel.model.show_tip(scan.path, state)

    def _wish(self) -> ChannelWish:
        return self.session.opening.wish or ChannelWish()

    def _to_judge(self) -> list[Entry]:
        every = self.panel.filtered.wanted.asks_for_tips or self._order == "tip"
        # a filter by tips lets nothing through that is not judged yet: look at all files
        entries: Sequence[Entry] = self.panel.model.entries if every else self.panel.entries(in_view=True)
        return [e for e in entries if e.tip is None and e.thumbnail is not None and not e.thumbnail.fault]

    def _judge_next(self) -> None:
        session = self.session
        if not self.judges or len(session.opening.files) < 2 or self._judging.busy:
            return
        if session.run.busy or session.opening.busy:
            self._judge_later()
            return
        waiting = self._to_judge()
        if not waiting:
            self.panel.show_progress("")
            return
        self.panel.show_progress(f"Judging tips: {len(waiting)} to go" if len(waiting) > 1 else "")
        wish = self._wish()
        self._judging.start("Tips", self._services.file_tip_job(waiting[0].path, wish.name, wish.direction))

    def _on_tip(self, event: events.Event) -> None:
        match event:
            case events.Finished((Path() as path, judged)):
                self.panel.model.show_tip(path, judged)
                self._judge_later(0)
            case events.Failed():  # a fault of ours in the judge: it is in the log, and the next file would meet it too
                self.judges = False
                self.panel.show_progress("")

    def _judge_later(self, delay_ms: int = _CALM_MS) -> None:
        if self.judges:
            self._calm.start(delay_ms)


def _copy(files: Sequence[Path]) -> None:
    QApplication.clipboard().setText("\n".join(map(str, files)))
