"""What stands beside the window, for `pictures.py`: relief, simulation, reports, size and unit, faults, menus."""

import os
from collections.abc import Callable

import numpy as np
from picture_stage import DOUBLE, SPARSE, Stage, State, until
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget

from stmviewer import paths
from stmviewer.evaluate import clip_weights
from stmviewer.files import save_scan
from stmviewer.gui.about import LicenceDialog, show_about
from stmviewer.gui.calibration_dialog import CalibrationDialog
from stmviewer.gui.error_report import ErrorDialog
from stmviewer.gui.relief import ReliefDialog
from stmviewer.gui.reporting.dialog import ReportDialog
from stmviewer.gui.simulating.dialog import SimulateDialog
from stmviewer.gui.training.card import show_card
from stmviewer.scan import Channel, Geometry, Scan


def _relief(stage: Stage) -> QWidget:
    stage.sample(SPARSE)
    stage.restore(task="sparse", mask="file")
    stage.window.viewing.show_relief()
    dialog = stage.window.viewing.relief.dialog
    assert isinstance(dialog, ReliefDialog)
    dialog.which.setCurrentIndex(dialog.which.count() - 1)
    dialog.refresh()
    stage.rest(0.4)
    return dialog


def _relief_empty(stage: Stage) -> QWidget:
    stage.window.viewing.show_relief()
    dialog = stage.window.viewing.relief.dialog
    assert dialog is not None
    stage.rest(0.3)
    return dialog


def _simulation(stage: Stage) -> QWidget:
    stage.window.companions.simulation.show()
    dialog = stage.window.companions.simulation.dialog
    assert isinstance(dialog, SimulateDialog)
    stage.settle()
    dialog.form.wishes.set_wish("SeveralTips", "always", 0.7)
    stage.rest(0.3)
    until(stage, lambda: not dialog.busy)
    stage.settle()
    return dialog


def _reports(stage: Stage) -> ReportDialog:
    stage.window.companions.reports.show()
    dialog = stage.window.companions.reports.dialog
    assert isinstance(dialog, ReportDialog)
    stage.settle()
    return dialog


def _report_done(stage: Stage) -> QWidget:
    """A report of three small scans, with two quick methods."""
    os.environ.pop(clip_weights.VARIABLE, None)
    folder = stage.folder / "good"
    y, x = np.mgrid[0:48, 0:48]
    for k in range(3):
        noise = np.random.default_rng(k).standard_normal(x.shape)
        data = 3e-11 * np.sin(x / 2.1 + k) * np.cos(y / 3.1) + 1e-12 * noise + 1e-12 * y
        save_scan(Scan([Channel("Z", "m", data)], Geometry(48, 48, 4e-9, 4e-9)), folder / f"p{k}_1.gwy")
    dialog = _reports(stage)
    dialog.form.pristine.set_path(str(folder))
    dialog.form.report.set_path(str(stage.folder / "report.html"))
    dialog.form.choose_models(["linear", "cs-dct"])
    for task, box in dialog.form.tasks.items():
        box.setChecked(task == "lines:2")
    dialog.form.question.setText("Is every second line enough?")
    dialog.run_button.click()
    until(stage, lambda: not dialog.busy)
    stage.settle()
    return dialog


def _size_and_unit(stage: Stage) -> QWidget:
    path = stage.folder / "picture_07.npy"
    np.save(path, np.random.default_rng(0).normal(size=(120, 200)).cumsum(axis=1))
    stage.open(path)
    scan = stage.window.session.scan
    assert scan is not None
    dialog = CalibrationDialog(scan, lambda *_: None, stage.window)
    dialog.open()
    return dialog


def _about(stage: Stage) -> QWidget:
    return show_about(stage.window)


def _licences(stage: Stage) -> QWidget:
    dialog = LicenceDialog(stage.window)
    dialog.open()
    return dialog


def _fault(stage: Stage) -> QWidget:
    trace = "Traceback (most recent call last):\n" + 9 * '  File "stmviewer/gui/window.py", line 1, in show\n'
    dialog = ErrorDialog("list index out of range", trace + "IndexError: list index out of range", stage.window)
    dialog.show()
    return dialog


def _card(stage: Stage) -> QWidget:
    return show_card("regression-sim", paths.shipped_models(), stage.window)


def _menu(title: str) -> Callable[[Stage], QWidget]:
    """The menu of that title, opened over a restored scan."""

    def act(stage: Stage) -> QWidget:
        stage.sample(DOUBLE)
        stage.restore(task="sparse", mask="lines:4", model="linear")
        # as the window keeps them: those that the menu bar gives may be wrappers of a window before
        menu = stage.window.menus.menu(title)
        menu.popup(stage.window.mapToGlobal(QPoint(0, 26)))
        return menu

    return act


DIALOGS: dict[str, State] = {
    "relief": State(_relief),
    "relief-dark": State(_relief, theme="dark"),
    "relief-empty": State(_relief_empty),
    "simulation": State(_simulation),
    "simulation-dark": State(_simulation, theme="dark"),
    "simulation-150": State(_simulation, scale=1.5),
    "reports": State(_reports),
    "reports-dark": State(_reports, theme="dark"),
    "report-done": State(_report_done),
    "size-and-unit": State(_size_and_unit),
    "size-and-unit-dark": State(_size_and_unit, theme="dark"),
    "about": State(_about),
    "about-dark": State(_about, theme="dark"),
    "licences": State(_licences),
    "fault": State(_fault),
    "fault-dark": State(_fault, theme="dark"),
    "card": State(_card),
    **{
        f"menu-{title.lower()}": State(_menu(title))
        for title in ("File", "View", "Restore", "Process", "Measure", "Simulate", "Help")
    },
}
