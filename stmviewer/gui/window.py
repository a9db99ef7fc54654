"""The main window: puts the parts together and passes on what happens. What it shows is in the session."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from stmviewer import paths
from stmviewer.gui import dialogs
from stmviewer.gui.about import show_about
from stmviewer.gui.beside import BesideWindow
from stmviewer.gui.calibration_dialog import ask_calibration, can_calibrate
from stmviewer.gui.commands import COMMANDS, CommandMenus, Situation, assembled
from stmviewer.gui.companions import Companions
from stmviewer.gui.display import Frame
from stmviewer.gui.drop import DropTarget, DropVeil
from stmviewer.gui.empty_state import EmptyState, app_icon, sample_files
from stmviewer.gui.info_bar import InfoArea
from stmviewer.gui.messages import sentence, tell_result, tell_scan
from stmviewer.gui.recalling import recall, remember, show_files
from stmviewer.gui.recent import Recent, fill_recent
from stmviewer.gui.reporting import report_dialog
from stmviewer.gui.services_used import Services
from stmviewer.gui.session import Session
from stmviewer.gui.settings import Settings
from stmviewer.gui.side_tabs import TabName
from stmviewer.gui.simulating import simulation_dialog
from stmviewer.gui.state import look
from stmviewer.gui.theme import ThemeChoice, apply_theme
from stmviewer.gui.viewing import Viewing, view_commands
from stmviewer.gui.workbench import Workbench
from stmviewer.gui.workspace import Workspace
from stmviewer.restore import FILE_MASK
from stmviewer.scan import RequestError, Scan

#: after the last change of the settings, before the mask is drawn anew
_PREVIEW_DELAY_MS = 120
_BAD_PATTERN = "The pattern is not right yet"


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
        self._follows_desktop = False
        self.recent = Recent(self.settings, self)
        self._simulation = BesideWindow(lambda: simulation_dialog(self.session.desk, self.settings, self._take, self))
        self.reports = BesideWindow(lambda: report_dialog(self.session.desk, self.settings, self.session.models, self))

        self.messages = InfoArea()
        self.empty = EmptyState()
        self.workspace = Workspace()
        self.files, self.header, self.view = self.workspace.files, self.workspace.header, self.workspace.view
        self.controls, self.run_controls = self.workspace.controls, self.workspace.run_controls
        self.tabs = self.workspace.tabs
        self.cursor_line = QLabel()
        self.device_line = QLabel()
        #: False where nobody is there to answer
        self.asks_before_closing = True
        self.companions = Companions(self)
        self.browsing, self.batch, self.live = self.companions.browsing, self.companions.batch, self.companions.live
        self._lay_out()
        self.viewing = Viewing(
            self, self.view, self.session, self.settings, lambda: self.refresh(), lambda: self._clear_messages()
        )
        self.workbench = Workbench(self)
        tables = view_commands(self.viewing), *self.companions.commands(), self.workbench.commands()
        self.menus = CommandMenus(self, self, assembled(COMMANDS, *tables))
        self.workbench.connect_menus()
        self._recent_menu = self.menus.menu("File").addMenu("Open &recent")
        self.menus.menu("File").insertMenu(self.menus.actions["previous"], self._recent_menu)
        self.drops = DropTarget(self)
        self._veil = DropVeil(self)
        self.drops.watch(self)
        for pane in self.view.panes.values():
            self.drops.watch(pane.viewport_widget.viewport())
        self._preview_timer = QTimer(self)
        self._preview_timer.setSingleShot(True)
        self._preview_timer.setInterval(_PREVIEW_DELAY_MS)
        self._connect()
        self._same_place = False
        self._frame: Frame | None = None
        self._dress()
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

    def ask_export(self) -> None:
        scan, restored = self.session.scan, self.session.restored
        if scan is None or restored is None:
            return
        folder = Path(self.settings.text("export-folder") or (scan.path.parent if scan.path else Path.home()))
        path = dialogs.ask_export_path(self, restored.restoration, scan, folder, self.settings.text("export-format"))
        if path is not None:
            self.settings.set_text("export-folder", str(path.parent))
            self.settings.set_text("export-format", path.suffix.lower().lstrip("."))
            self.session.exporting.export(restored.restoration, path)

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
        self.settings.theme = choice
        self._dress()
        self.refresh()

    def restore(self) -> None:
        if self.obstacle():
            return  # it stands under the button
        request = self.controls.request()
        self._clear_messages()
        self.session.restoring.start(request)

    def _clear_messages(self) -> None:
        for topic in ("error", "warnings", "done"):
            self.messages.dismiss(topic)

    def cancel(self) -> None:
        self.session.restoring.cancel()

    def simulate(self) -> None:
        self._simulation.show()

    def report(self) -> None:
        self.reports.show()

    def _take(self, scan: Scan) -> None:
        self.messages.dismiss("error")
        self.session.opening.take(scan)

    def copy_command(self) -> None:
        command = self.session.restoring.command()
        if command:
            QApplication.clipboard().setText(command)
            self.statusBar().showMessage(f"Copied: {command}", 5000)

    def open_log_folder(self) -> None:
        paths.logs().mkdir(parents=True, exist_ok=True)
        dialogs.show_folder(paths.logs())

    def about(self) -> None:
        show_about(self)

    # what happens: the session's signals

    def _on_opened(self) -> None:
        self.recent.opened()
        files = self.session.opening.files
        self.files.show_files(files, self.session.opening.index)
        show_files(self)
        for topic in ("warnings", "done", "error")[: 2 if self.session.shown is None else 3]:
            self.messages.dismiss(topic)
        self.show_workspace()
        name = files[self.session.opening.index].name if files else ""
        self.setWindowTitle(f"{name} – stmviewer" if name else "stmviewer")
        self._same_place = False

    def show_workspace(self) -> None:
        if self._pages.currentWidget() is not self.workspace:
            self._pages.setCurrentWidget(self.workspace)
            self.files.list.setFocus()  # or the first line of text would swallow the keys

    def _on_shown(self) -> None:
        shown = self.session.shown
        frame = shown.picture.frame if shown else None
        self.view.show_scan(shown, keep_place=self._same_place and frame == self._frame)
        self._same_place, self._frame = True, frame
        self.header.setVisible(shown is not None)
        if shown is not None:
            self.header.show_scan(shown.raw.scan, shown.raw.channel, self.session.opening.parts)
            self.controls.set_file_mask(shown.has_own_gaps)
        wanted = self.controls.pattern() != FILE_MASK
        tell_scan(self.messages, shown, self.controls.take_offer, self.ask_calibration, wanted=wanted)
        self._on_restored()
        self._preview_timer.start(0)
        self.refresh()

    def _on_mask(self) -> None:
        mask = self.session.sampling.mask
        self.view.show_mask(mask, sentence(self.session.sampling.fault))
        self.controls.set_saving(mask.saving if mask else "")
        self.refresh()

    def _on_restored(self) -> None:
        self.viewing.show_results()
        tell_result(self.messages, self.session.restored)
        self.refresh()

    def _on_complaint(self, message: str, details: str) -> None:
        self.recent.failed()
        self.messages.show_message("error", "error", sentence(message), details=details)

    def _on_exported(self, path: Path) -> None:
        show = ("Show folder", lambda: dialogs.show_folder(path.parent))
        self.messages.show_message("done", "offer", f"Written: {path}", show)

    def _on_controls(self) -> None:
        with suppress(RequestError):  # half-typed, or the models are not known yet: the last good one stays
            self.settings.set_text("request", self.controls.request().replaced(process="").to_json())
        if self.controls.pattern() == FILE_MASK:
            self.messages.dismiss("offer")
        self._preview_timer.start(_PREVIEW_DELAY_MS)
        self.refresh()

    def _preview(self) -> None:
        try:
            self.session.sampling.preview(self.controls.sampling())
        except RequestError:
            self.view.show_mask(None, _BAD_PATTERN)

    # the state of everything

    def obstacle(self) -> str | None:
        """Why nothing can be restored now, in one line; None when it can."""
        shown = self.session.shown
        if shown is None:
            return "Open a scan first"
        if shown.obstacle:
            return f"Cannot be restored: {shown.obstacle}"
        if self.controls.invalid.text():
            return _BAD_PATTERN  # what is wrong with it stands below it
        try:
            self.controls.request()
        except RequestError as error:
            return sentence(str(error))
        return sentence(self.session.sampling.fault) or None

    def situation(self) -> Situation:
        session = self.session
        index, count = self.files.place()
        return Situation(
            run=look(session.run, self.obstacle()),
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
        self.controls.setEnabled(not situation.run.locked)
        self.view.set_waiting(self.session.run.busy)
        self.header.set_locked(situation.run.locked)

    def closeEvent(self, event: QCloseEvent) -> None:
        under_way = self.companions.under_way() if self.asks_before_closing else []
        if under_way and not dialogs.ask_stop(self, under_way):
            event.ignore()
            return
        self.asks_before_closing = False
        remember(self)
        self._preview_timer.stop()  # its job would find the runners closed
        self.companions.close()
        self.viewing.close()
        self._simulation.close()
        self.reports.close()
        if self._follows_desktop:  # a window that is gone must not dress the application any more
            self._follows_desktop = False
            QApplication.styleHints().colorSchemeChanged.disconnect(self._on_system_theme)
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
        self.statusBar().addPermanentWidget(self.companions.training.line)
        self.statusBar().addPermanentWidget(self.batch.line)
        self.statusBar().addPermanentWidget(self.device_line)
        self.setMinimumSize(720, 480)

    def _connect(self) -> None:
        session = self.session
        session.opening.opened.connect(self._on_opened)
        session.shown_changed.connect(self._on_shown)
        session.sampling.changed.connect(self._on_mask)
        session.run_changed.connect(self.refresh)
        session.restoring.restored_changed.connect(self._on_restored)
        session.models_changed.connect(lambda: self.controls.set_models(session.models))
        session.tip.judged.connect(self.header.show_tip)
        session.restoring.device_named.connect(self.device_line.setText)
        session.complained.connect(self._on_complaint)
        session.exporting.exported.connect(self._on_exported)
        self.header.chosen.connect(session.opening.show_channel)
        self.header.part_chosen.connect(session.opening.show_part)
        session.opening.sorted.connect(self.refresh)
        self.files.wanted_changed.connect(self.refresh)
        self.files.note_changed.connect(self.refresh)
        self.recent.changed.connect(self._fill_recent)
        self.view.cursor_text.connect(self.cursor_line.setText)
        self.controls.changed.connect(self._on_controls)
        self.tabs.turned.connect(self._on_tab)
        self.run_controls.restore_asked.connect(self.restore)
        self.run_controls.cancel_asked.connect(self.cancel)
        self.empty.open_asked.connect(self.ask_files)
        self.empty.recent_asked.connect(lambda path: self.open_paths([path]))
        self.empty.live_asked.connect(self.menus.actions["live"].trigger)
        self.empty.sample_asked.connect(lambda: self.open_paths(sample_files()))
        self.drops.dropped.connect(self.open_paths)
        self.drops.hovering.connect(self._veil.set_hovering)
        self._preview_timer.timeout.connect(self._preview)
        QApplication.styleHints().colorSchemeChanged.connect(self._on_system_theme)
        self._follows_desktop = True

    def _folder(self) -> Path:
        return self.recent.folder(self.session.scan.path if self.session.scan else None)

    def _fill_recent(self) -> None:
        self.empty.show_recent(self.recent.paths)
        fill_recent(self._recent_menu, self.recent.paths, lambda path: self.open_paths([path]), self.recent.clear)

    def _dress(self) -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        apply_theme(app, self.settings.theme)

    def _on_system_theme(self) -> None:
        if self.settings.theme == "system":
            self._dress()
