"""The Measure page: profiles, regions, spectra, step heights; raw and restored at the same place."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from stmviewer.gui.measuring.profile_tool import Ends, ProfileTool, snapped
from stmviewer.gui.window import MainWindow
from stmviewer.scan import Geometry

from .bench import Bench, make_scan, settled

Opener = Callable[..., MainWindow]
NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def window(bench: Bench, open_window: Opener) -> MainWindow:
    opened = open_window(bench.add("scan.sxm"))
    opened.show_tab("measure")
    return opened


def draw(window: MainWindow, qtbot: QtBot, *lines: tuple[float, float, float, float]) -> None:
    tool = window.workbench.measuring.profiles.tool
    tool.lines = [Ends(QPointF(a, b), QPointF(c, d)) for a, b, c, d in lines]
    tool.changed.emit()
    qtbot.waitUntil(lambda: not window.workbench.measuring.profiles.waiting)


def test_without_a_tool_the_page_says_what_to_do(window: MainWindow) -> None:
    panel = window.workspace.measuring
    assert "Choose a tool" in panel.hint.text()
    assert not window.workspace.strip.isVisible() and not panel.table.isVisible()


def test_a_profile_is_dragged_on_a_pane(window: MainWindow, qtbot: QtBot) -> None:
    window.menus.actions["measure-profile"].trigger()
    assert "Drag a line" in window.workspace.strip.hint.text() and window.workspace.strip.isVisible()
    qtbot.wait(1)  # the strip makes the panes smaller
    widget, view = window.view.panes["raw"].viewport_widget, window.view.panes["raw"].view
    place = [widget.mapFromScene(view.mapViewToScene(QPointF(x, 10.0))) for x in (3.0, 6.0, 12.0, 15.0)]
    before = view.viewRect()
    QTest.mousePress(widget.viewport(), Qt.MouseButton.LeftButton, pos=place[0])
    for at in place[1:]:
        QTest.mouseMove(widget.viewport(), at)
    QTest.mouseRelease(widget.viewport(), Qt.MouseButton.LeftButton, pos=place[-1])
    qtbot.waitUntil(lambda: len(window.workbench.measuring.profiles.found) == 1)
    (ends,) = window.workbench.measuring.profiles.tool.lines
    assert (ends.start.x(), ends.end.x()) == pytest.approx((3, 15), abs=0.4)
    assert view.viewRect() == before  # it is no pan
    ((_, source, spectrum),) = window.workbench.measuring.profiles.found
    assert source.name == "raw"
    assert spectrum.sweep.data[-1] == pytest.approx(ends.length * 1e-9)
    assert window.workspace.strip.page is window.workspace.strip.profiles
    assert "A to B" in window.workspace.strip.readout.text()


def test_the_profile_is_that_of_the_image_as_seen(window: MainWindow, qtbot: QtBot) -> None:
    window.workbench.measuring.use("profile")
    draw(window, qtbot, (2.0, 5.0, 16.0, 5.0))
    ((_, _, spectrum),) = window.workbench.measuring.profiles.found
    curve = spectrum.channels[0].data
    plane = window.session.shown.plane  # type: ignore[union-attr]
    window.view.set_levelled(False)
    raw = window.workbench.measuring.profiles.found[0][2].channels[0].data
    taken = [plane.at(2.0 + 14.0 * t, 5.0) for t in np.linspace(0, 1, curve.size)]
    assert raw - curve == pytest.approx(np.array(taken), abs=1e-20)
    assert np.ptp(raw - curve) > 0


def test_raw_and_restored_are_drawn_on_the_same_axes(bench: Bench, window: MainWindow, qtbot: QtBot) -> None:
    window.show_tab("restore")
    window.restore()
    settled(qtbot, window)
    window.show_tab("measure")
    window.workbench.measuring.use("profile")
    draw(window, qtbot, (2, 2, 10, 10), (2, 12, 12, 12))
    names = [trace.name for trace in window.workspace.strip.profiles.traces]
    assert names == ["1 raw", "1 restored", "2 raw", "2 restored"]
    raw, restored = (t.y for t in window.workspace.strip.profiles.traces[:2])
    assert restored - raw == pytest.approx(np.full(raw.size, 1e-12), abs=1e-16)
    told = window.workspace.strip.readout.text()
    assert "2 raw: Δ" in told and "2 restored: Δ" in told


def test_profiles_go_to_tables(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "lines.csv"), ""))
    window.workbench.measuring.use("profile")
    draw(window, qtbot, (2, 2, 10, 10), (2, 12, 12, 12))
    window.workspace.measuring.average.setValue(5)
    window.workspace.measuring.export.click()
    first, second = tmp_path / "lines.csv", tmp_path / "lines-2.csv"
    assert first.is_file() and second.is_file()
    lines = [line for line in first.read_text().splitlines() if not line.startswith("#")]
    assert lines[0].startswith("Distance (m),Z")
    table = np.array([[float(word) for word in line.split(",")] for line in lines[1:]])
    spectrum = window.workbench.measuring.profiles.found[0][2]
    assert table[:, 0] == pytest.approx(spectrum.sweep.data)
    assert table[:, 1] == pytest.approx(spectrum.channels[0].data)
    assert "levelled for view" in first.read_text()


def test_a_step_is_fitted(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    x = np.mgrid[0:64, 0:96][1]
    data = np.where(x > 50, 1.36e-10, 0.0) + np.random.default_rng(0).normal(0, 4e-12, x.shape)
    window = open_window(bench.add("step.sxm", make_scan(None, data, Geometry(96, 64, 19.2e-9, 12.8e-9))))
    window.view.set_levelled(False)
    window.show_tab("measure")
    window.workbench.measuring.use("profile")
    window.workspace.measuring.fit.setChecked(True)
    draw(window, qtbot, (2, 6, 18, 6))
    rows = window.workspace.measuring.table.rows
    told = rows[-1][-1]
    assert float(told.split()[0]) == pytest.approx(136, abs=6) and told.endswith("pm")
    window.workbench.measuring.use("steps")
    settled(qtbot, window)
    step = window.workspace.measuring.table.rows[1][2]
    assert float(step.split()[0]) == pytest.approx(136, abs=4)
    assert window.workspace.strip.page is window.workspace.strip.histograms


def test_statistics_of_a_rectangle(window: MainWindow, qtbot: QtBot) -> None:
    measuring, table = window.workbench.measuring, window.workspace.measuring.table
    measuring.use("region")
    settled(qtbot, window)
    whole = int(table.rows[-1][1])
    measuring.areas.tool.set_rect(QRectF(2, 2, 5, 4))
    measuring.areas.tool.release(QPointF(), NONE)
    settled(qtbot, window)
    assert 0 < int(table.rows[-1][1]) < whole
    assert table.rows[0] == ["", "raw"] and table.rows[3][0] == "Rms"
    window.workspace.measuring.copy.click()
    assert QApplication.clipboard().text().startswith("\traw\nMean\t")
    window.workspace.measuring.clear.click()
    settled(qtbot, window)
    assert int(table.rows[-1][1]) == whole


def test_spectrum_and_autocorrelation(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    x = np.mgrid[0:128, 0:128][1]
    data = 1e-11 * np.cos(2 * np.pi * x / 8.0) + np.random.default_rng(0).normal(0, 1e-12, x.shape)
    window = open_window(bench.add("lattice.sxm", make_scan(None, data, Geometry(128, 128, 12.8e-9, 12.8e-9))))
    window.show_tab("measure")
    window.menus.actions["measure-spectrum"].trigger()
    settled(qtbot, window)
    strip = window.workspace.strip
    assert strip.page is strip.planes and strip.isVisible()
    assert window.workspace.measuring.table.rows[1][0] == "1: 0.8 nm"
    assert [ring.label for ring in strip.planes.planes[0].rings.rings] == ["1", ""]
    strip.planes.hovered.emit(QPointF(1.25, 0.0))
    assert strip.readout.text().startswith("period 0.8 nm")
    window.workbench.measuring.use("autocorrelation")
    settled(qtbot, window)
    assert "Autocorrelation, raw" in strip.planes.planes[0].title.text()


def test_a_region_without_values_is_said(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    data = np.random.default_rng(0).normal(size=(40, 40)) * 1e-11
    data[:20] = np.nan
    window = open_window(bench.add("half.sxm", make_scan(None, data)))
    window.show_tab("measure")
    measuring = window.workbench.measuring
    measuring.use("region")
    measuring.areas.tool.set_rect(QRectF(1, 1, 6, 3))
    measuring.areas.tool.release(QPointF(), NONE)
    settled(qtbot, window)
    assert window.workspace.measuring.fault.text() == "Nothing was measured in this region"


def test_escape_and_other_pages_leave_the_tool(window: MainWindow, qtbot: QtBot) -> None:
    window.workbench.measuring.use("profile")
    window.menus.actions["leave-tool"].trigger()
    assert window.workbench.measuring.mode is None and not window.workspace.strip.isVisible()
    window.workbench.measuring.use("region")
    window.show_tab("restore")
    assert window.workbench.measuring.mode is None and window.workbench.toolbox.tool is None
    settled(qtbot, window)


def test_lines_are_drawn_moved_and_snapped() -> None:
    tool = ProfileTool()
    tool.press(QPointF(1, 1), 0.5, NONE)
    tool.drag(QPointF(5, 4), NONE)
    tool.release(QPointF(5, 4), NONE)
    assert tool.lines == [Ends(QPointF(1, 1), QPointF(5, 4))]
    tool.press(QPointF(5.2, 4.1), 0.5, NONE)  # at its end: it is moved
    tool.drag(QPointF(5, 1.4), SHIFT)
    tool.release(QPointF(5, 1.4), SHIFT)
    (ends,) = tool.lines
    assert ends.end.y() == pytest.approx(1) and ends.end.x() == pytest.approx(5)
    tool.press(QPointF(8, 8), 0.5, NONE)
    tool.release(QPointF(8, 8), NONE)
    assert len(tool.lines) == 1  # a line of no length is none
    for k in range(7):
        tool.press(QPointF(20, k), 0.1, NONE)
        tool.drag(QPointF(30, k), NONE)
        tool.release(QPointF(30, k), NONE)
    assert len(tool.lines) == 5


@pytest.mark.parametrize("degrees", [3, 44, 88, 137, 181, 269, -46])
def test_shift_turns_in_steps_of_45_degrees(degrees: float) -> None:
    a = np.deg2rad(degrees)
    at = snapped(QPointF(2, 3), QPointF(2 + 7 * np.cos(a), 3 + 7 * np.sin(a)))
    turned = np.rad2deg(np.arctan2(at.y() - 3, at.x() - 2))
    assert turned % 45 == pytest.approx(0, abs=1e-6) or turned % 45 == pytest.approx(45, abs=1e-6)
    assert abs((turned - degrees + 180) % 360 - 180) <= 22.5
