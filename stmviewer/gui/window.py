"""The main window: puts the parts together and passes on what happens. What it shows is in the session."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QLabel,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from stmviewer import paths
from stmviewer.gui import dialogs
from stmviewer.gui.about import show_about
from stmviewer.gui.calibration_dialog import ask_calibration, can_calibrate
from stmviewer.gui.commands import COMMANDS, CommandMenus, Situation, assembled
from stmviewer.gui.companions import Companions
from stmviewer.gui.dressing import Dressing
from stmviewer.gui.drop import DropTarget, DropVeil
from stmviewer.gui.empty_state import EmptyState, app_icon, sample_files
from stmviewer.gui.messages import Messages
from stmviewer.gui.outgoing import Outgoing, outgoing_commands
from stmviewer.gui.recalling import recall, remember, show_files
from stmviewer.gui.recent import Recent, fill_recent
from stmviewer.gui.restore_page import RestorePage
from stmviewer.gui.services_used import Services
from stmviewer.gui.session import Session
from stmviewer.gui.settings import Settings
from stmviewer.gui.side_tabs import TabName
from stmviewer.gui.theme import ThemeChoice
from stmviewer.gui.viewing import Viewing, view_commands
from stmviewer.gui.workbench import Workbench
from stmviewer.gui.workspace import Workspace

#: how long a line in the status bar stays
_SAID_MS = 5000


class MainWindow(QMainWindow):
    """The window of stmviewer. `ended_cleanly` is False when a job would not stop at its close."""

    #: it will be gone, whatever its jobs say
    closing = Signal()

    def __init__(self, services: Services | None = None, settings: Settings | None = None) -> None:
        super().__init__()
        self.setWindowTitle("stmviewer")
        self.setWindowIcon(app_icon())
        self.settings = settings or Settings()
        self.session = Session(services, self)
        self.ended_cleanly = True
        self.recent = Recent(self.settings, self)
        self.messages = Messages()
        self.empty = EmptyState()
        self.workspace = Workspace()
        self.files, self.header, self.view = self.workspace.files, self.workspace.header, self.workspace.view
        self.controls, self.run_controls = self.workspace.controls, self.workspace.run_controls
        self.tabs = self.workspace.tabs
        self.cursor_line = QLabel()
        self.device_line = QLabel()
        #: the run, where its own bar is on a page that is not shown
        self.run_line = QLabel()
        #: False where nobody is there to answer
        self.asks_before_closing = True
        self.companions = Companions(self)
        self.browsing, self.batch, self.live = self.companions.browsing, self.companions.batch, self.companions.live
        self._lay_out()
        self.restore_page = RestorePage(self.session, self.workspace, self.messages, self.settings, self)
        self.viewing = Viewing(
            self, self.view, self.session, self.settings, self.refresh, self.restore_page.start, self.say
        )
        self.outgoing = Outgoing(self, self.view, self.session, self.settings, self.say)
        self.workbench = Workbench(self)
        tables = (
            outgoing_commands(self.outgoing),
            view_commands(self.viewing),
            *self.companions.commands(),
            self.workbench.commands(),
        )
        self.menus = CommandMenus(self, self, assembled(COMMANDS, *tables))
        self.workbench.connect_menus()
        self._recent_menu = self.menus.menu("File").addMenu("Open &recent")
        self.menus.menu("File").insertMenu(self.menus.actions["previous"], self._recent_menu)
        self.drops = DropTarget(self)
        self._veil = DropVeil(self)
        self.drops.watch(self)
        for pane in self.view.panes.values():
            self.drops.watch(pane.viewport_widget.viewport())
        self._connect()
        self.dressing = Dressing(self.settings, self)
        recall(self)
        self._fill_recent()
        self.refresh()
        # the list of models is read when the window is on the screen
        QTimer.singleShot(0, self, self.session.list_models)

    def sizeHint(self) -> QSize:
        return QSize(1280, 800)

    # what the user does: the commands

    def open_paths(self, opened: Sequence[Path]) -> None:
        """Opens files and folders, from wherever they come."""
        self.recent.asked(opened)
        self.messages.dismiss("error")
        self.session.opening.open(tuple(opened))

    def ask_files(self) -> None:
        chosen = dialogs.ask_files(self, self._folder())
        if chosen:
            self.open_paths(chosen)

    def ask_folder(self) -> None:
        chosen = dialogs.ask_folder(self, self._folder())
        if chosen:
            self.open_paths(chosen)

    def step_file(self, by: int) -> None:
        self.files.step(by)

    def step_channel(self) -> None:
        self.header.step_channel()

    def step_direction(self) -> None:
        self.header.step_direction()

    def ask_calibration(self) -> None:
        ask_calibration(self, self.session, self.settings)

    def quit(self) -> None:
        self.close()

    def reset_zoom(self) -> None:
        self.view.links.reset()

    def zoom(self, factor: float) -> None:
        self.view.links.zoom(factor)

    def show_tab(self, name: TabName) -> None:
        self.tabs.show_tab(name)

    def _on_tab(self, name: str) -> None:
        self.settings.set_text("tab", name)
        self.refresh()

    def set_theme(self, choice: ThemeChoice) -> None:
        self.dressing.choose(choice)
        self.refresh()

    def restore(self) -> None:
        self.restore_page.restore()

    def cancel(self) -> None:
        self.session.restoring.cancel()

    def open_log_folder(self) -> None:
        paths.logs().mkdir(parents=True, exist_ok=True)
        dialogs.show_folder(paths.logs())

    def about(self) -> None:
        show_about(self)

    def say(self, text: str) -> None:
        """Shows a line in the status bar for a moment."""
        self.statusBar().showMessage(text, _SAID_MS)

    # what happens: the session's signals

    def _on_opened(self) -> None:
        self.recent.opened()
        files = self.session.opening.files
        self.files.show_files(files, self.session.opening.index)
        show_files(self)
        self.messages.leave_scan(opened=self.session.shown is not None)
        self.show_workspace()
        name = files[self.session.opening.index].name if files else ""
        self.setWindowTitle(f"{name} – stmviewer" if name else "stmviewer")

    def show_workspace(self) -> None:
        if self._pages.currentWidget() is not self.workspace:
            self._pages.setCurrentWidget(self.workspace)
            self.files.list.setFocus()  # or the first line of text would swallow the keys

    def _on_shown(self) -> None:
        shown = self.session.shown
        self.header.setVisible(shown is not None)
        if shown is not None:
            self.header.show_scan(shown.raw.scan, shown.raw.channel, self.session.opening.parts)
        self.messages.tell_notes(shown, self.ask_calibration)
        self.messages.tell_flat(shown, self.session.opening.show_channel)
        self._on_restored()

    def _on_restored(self) -> None:
        self.messages.tell_result(self.session.restored)
        self.refresh()

    def _on_complaint(self, message: str, details: str) -> None:
        self.recent.failed()
        self.header.show_choice()
        self.messages.complain(message, details)

    def _on_exported(self, path: Path) -> None:
        self.messages.dismiss("error")  # why it was refused a moment ago, under another name
        self.messages.tell_done(f"Written: {path}", path.parent)

    # the state of everything

    def situation(self) -> Situation:
        session = self.session
        index, count = self.files.place()
        return Situation(
            run=self.restore_page.look(),
            scan=session.shown is not None,
            can_calibrate=can_calibrate(session.scan),
            result=session.restored is not None,
            result_has_path=session.restoring.command() is not None,
            index=index,
            count=count,
            theme=self.settings.theme,
            tab=self.tabs.current,
        )

    def refresh(self) -> None:
        """Brings menus and run controls in line with the state."""
        situation = self.situation()
        self.menus.refresh(situation)
        self.run_controls.show_look(situation.run)
        elsewhere = situation.run.cancels and self.tabs.current != "restore"
        hint = " (Esc cancels)" if situation.run.enabled else ""
        self.run_line.setText(f"Restoring: {situation.run.status}{hint}" if elsewhere else "")
        self.controls.setEnabled(not situation.run.locked)
        self.header.set_locked(situation.run.locked)

    def closeEvent(self, event: QCloseEvent) -> None:
        under_way = self.companions.under_way() if self.asks_before_closing else []
        if under_way and not dialogs.ask_stop(self, under_way):
            event.ignore()
            return
        self.asks_before_closing = False
        remember(self)
        for part in (self.restore_page, self.workbench, self.companions, self.viewing, self.dressing):
            part.close()
        self.closing.emit()
        self.hide()  # at once; the jobs may need a moment to stop
        self.companions.finish()
        self.ended_cleanly = self.session.close()
        super().closeEvent(event)

    # once

    def _lay_out(self) -> None:
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.workspace)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.live.strip)
        column.addWidget(self.messages)
        column.addWidget(self._pages, 1)
        self.setCentralWidget(body)
        self.device_line.setObjectName("quiet")
        self.statusBar().addWidget(self.cursor_line, 1)
        self.statusBar().addPermanentWidget(self.run_line)
        self.statusBar().addPermanentWidget(self.companions.training.line)
        self.statusBar().addPermanentWidget(self.batch.line)
        self.statusBar().addPermanentWidget(self.device_line)
        self.setMinimumSize(720, 480)

    def _connect(self) -> None:
        session = self.session
        session.opening.opened.connect(self._on_opened)
        session.shown_changed.connect(self._on_shown)
        session.restoring.restored_changed.connect(self._on_restored)
        session.tip.judged.connect(self.header.show_tip)
        session.restoring.device_named.connect(self.device_line.setText)
        session.complained.connect(self._on_complaint)
        session.exporting.exported.connect(self._on_exported)
        self.header.chosen.connect(session.opening.show_channel)
        self.header.part_chosen.connect(session.opening.show_part)
        session.opening.sorted.connect(self.refresh)
        session.opening.kept.connect(self.header.show_choice)
        self.files.wanted_changed.connect(self.refresh)
        self.files.note_changed.connect(self.refresh)
        self.recent.changed.connect(self._fill_recent)
        self.view.cursor_text.connect(self.cursor_line.setText)
        self.tabs.turned.connect(self._on_tab)
        self.restore_page.changed.connect(self.refresh)
        self.empty.open_asked.connect(self.ask_files)
        self.empty.recent_asked.connect(lambda path: self.open_paths([path]))
        self.empty.live_asked.connect(self.menus.actions["live"].trigger)
        self.empty.sample_asked.connect(lambda: self.open_paths(sample_files()))
        self.drops.dropped.connect(self.open_paths)
        self.drops.hovering.connect(self._veil.set_hovering)

    def _folder(self) -> Path:
        return self.recent.folder(self.session.scan.path if self.session.scan else None)

    def _fill_recent(self) -> None:
        self.empty.show_recent(self.recent.paths)
        fill_recent(self._recent_menu, self.recent.paths, lambda path: self.open_paths([path]), self.recent.clear)
