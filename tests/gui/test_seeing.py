"""Looking at images in the window: ranges, colours, comparing, the space bar, marks, copies."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from stmviewer.gui import dialogs
from stmviewer.gui.colours import table
from stmviewer.gui.panes.compare import ComparePane
from stmviewer.gui.panes.image_view import ImagePane
from stmviewer.gui.seen import figure, pane_figure, pane_menu
from stmviewer.gui.window import MainWindow
from stmviewer.restore import RestoreRequest
from stmviewer.scan import Geometry

from .bench import NETWORK, TEXTURE, Bench, make_scan, settled, surface

Opener = Callable[..., MainWindow]


@pytest.fixture
def restored(bench: Bench, open_window: Opener, qtbot: QtBot) -> Iterator[MainWindow]:
    """A window with a scan that has been restored."""
    window = open_window(bench.add("scan.sxm"))
    restore(qtbot, window, RestoreRequest("repair", model="flow-sim", samples=4))
    yield window


def restore(qtbot: QtBot, window: MainWindow, request: RestoreRequest) -> None:
    window.controls.show_request(request)
    settled(qtbot, window)
    window.restore()
    settled(qtbot, window)


def raster(window: MainWindow, name: str = "raw") -> ImagePane:
    pane = window.view.panes[name]  # type: ignore[index]
    assert isinstance(pane, ImagePane)
    return pane


# colours and their range


def test_an_end_of_the_colour_bar_is_dragged(restored: MainWindow, qtbot: QtBot) -> None:
    window = restored
    bar = window.view.legend.shared
    low, high = bar.limits
    x = round(bar._at(high, bar.width()))
    y = bar.height() - 25
    qtbot.mousePress(bar, Qt.MouseButton.LeftButton, pos=QPoint(x, y))
    qtbot.mouseMove(bar, QPoint(x - 60, y))
    qtbot.mouseRelease(bar, Qt.MouseButton.LeftButton, pos=QPoint(x - 60, y))
    assert bar.limits[0] == low
    assert bar.limits[1] < high - 0.1 * (high - low)
    for name in ("raw", "restored"):
        assert raster(window, name).raster.limits == bar.limits
    assert bar.auto.isVisible()
    bar.auto.click()
    assert bar.limits == (low, high)
    assert not bar.auto.isVisible()


def test_between_the_ends_both_are_dragged_and_a_double_click_goes_back(restored: MainWindow, qtbot: QtBot) -> None:
    bar = restored.view.legend.shared
    low, high = bar.limits
    middle = round(bar._at((low + high) / 2, bar.width()))
    assert bar.grip_at(middle) == "both"
    qtbot.mousePress(bar, Qt.MouseButton.LeftButton, pos=QPoint(middle, 40))
    qtbot.mouseMove(bar, QPoint(middle + 30, 40))
    qtbot.mouseRelease(bar, Qt.MouseButton.LeftButton, pos=QPoint(middle + 30, 40))
    assert bar.limits[0] > low
    assert bar.limits[1] - bar.limits[0] == pytest.approx(high - low)
    qtbot.mouseDClick(bar, Qt.MouseButton.LeftButton, pos=QPoint(middle, 40))
    assert bar.limits == (low, high)


def test_a_range_is_typed(restored: MainWindow) -> None:
    window = restored
    popup = window.view.legend.open_range("heights")
    assert popup is not None
    assert popup.by_part.isChecked()
    popup.values[0].setText("-40 pm")
    popup.values[0].textEdited.emit("-40 pm")
    popup.values[1].setText("0.05 nm")
    popup.apply()
    assert window.view.limits() == pytest.approx((-4e-11, 5e-11))
    # a channel of another unit has its own
    popup = window.view.legend.open_range("heights")
    assert popup is not None
    assert popup.by_value.isChecked()
    popup.values[1].setText("-1 nm")
    popup.apply()
    assert popup.isVisible()
    assert "higher than the lower" in popup.fault.text()
    popup.automatic.click()
    assert window.view.display.heights.range.fixed is None


def test_percentages_are_remembered_and_values_are_not(bench: Bench, open_window: Opener) -> None:
    path = bench.add("scan.sxm")
    window = open_window(path)
    popup = window.view.legend.open_range("heights")
    assert popup is not None
    popup.percents[0].setText("10 %")
    popup.percents[1].setText("90 %")
    popup.apply()
    shown = window.session.shown
    assert shown is not None
    levelled = shown.picture.sample(shown.plane)
    assert window.view.limits() == pytest.approx(tuple(np.percentile(levelled, (10, 90))))
    window.close()
    again = open_window(path)
    assert again.view.display.heights.range.low == 10
    again.menus.actions["auto-range"].trigger()
    assert again.view.limits() == again.session.shown.limits(True)  # type: ignore[union-attr]


def test_a_colour_map_is_chosen_from_swatches(restored: MainWindow) -> None:
    window = restored
    popup = window.view.legend.open_colours("heights")
    texts = [popup.list.item(k).text() for k in range(popup.list.count())]
    assert texts[0] == "Gwyddion.net"
    popup.list.setCurrentRow(texts.index("Viridis"))
    assert (raster(window).raster.lut == table("bids:viridis")).all()
    popup.invert.click()
    assert (raster(window).raster.lut == table("bids:viridis")[::-1]).all()
    popup.close()
    window.view.set_pane_visible("difference", True)
    other = window.view.legend.open_colours("difference")
    other.list.setCurrentRow(1)
    other.close()
    assert (raster(window, "difference").raster.lut == table("crameri:vik")).all()
    assert (raster(window).raster.lut == table("bids:viridis")[::-1]).all()


# which panes


def test_chips_show_and_hide_panes(restored: MainWindow) -> None:
    window = restored
    chips = window.view.bar.chips
    assert [name for name, chip in chips.items() if chip.isVisible()] == [
        "raw", "restored", "difference", "deviation", "compare",
    ]  # fmt: skip
    for name in ("difference", "deviation", "compare"):
        chips[name].click()  # type: ignore[index]
    assert window.view.placed() == ["raw", "restored", "difference", "deviation", "compare"]
    for name in window.view.placed():
        assert window.view.rect().contains(window.view.panes[name].geometry())
    assert len({window.view.panes[name].size().toTuple() for name in window.view.placed()}) == 1
    for name in window.view.placed()[:-1]:
        chips[name].click()
    chips["compare"].click()
    assert window.view.placed() == ["compare"]  # the last one stays
    assert chips["compare"].isChecked()


def test_in_a_narrow_window_the_chips_become_a_menu(restored: MainWindow) -> None:
    window = restored
    window.resize(720, 600)
    QApplication.processEvents()
    bar = window.view.bar
    assert bar.menu_button.isVisible()
    assert not bar.chips["raw"].isVisible()
    bar._fill_menu()
    action = next(a for a in bar._menu.actions() if a.text() == "Difference")
    action.trigger()
    assert "difference" in window.view.placed()


def test_panes_link_scans_of_different_pixel_size(restored: MainWindow) -> None:
    view = restored.view
    view.set_pane_visible("compare", True)
    QApplication.processEvents()
    view.links.zoom(3)
    first = view.panes["raw"].view.viewRect()
    for name in view.placed():
        rect = view.panes[name].view.viewRect()
        assert rect.center().toTuple() == pytest.approx(first.center().toTuple())
        assert min(rect.width(), rect.height()) == pytest.approx(min(first.width(), first.height()))


# comparing


def test_results_lie_under_dividers_that_can_be_dragged(restored: MainWindow, qtbot: QtBot, bench: Bench) -> None:
    window = restored
    compare = window.view.compare
    window.view.set_pane_visible("compare", True)
    window.view.fill_candidates()
    tries = {a.text(): a for a in window.view.candidate_menu.tries.actions()}
    assert list(tries) == [f"{TEXTURE}, seed 1", NETWORK]
    for text in (f"{TEXTURE}, seed 1", NETWORK):
        window.view.fill_candidates()
        next(a for a in window.view.candidate_menu.tries.actions() if a.text() == text).trigger()
        settled(qtbot, window)
    assert [r.model for r in bench.restorer.requests] == ["flow-sim", "flow-sim", "regression-sim"]
    assert compare.overlay.labels == [
        "Raw",
        f"{TEXTURE}, 4 samples, seed 0",
        f"{TEXTURE}, 4 samples, seed 1",
        NETWORK,
    ]
    assert compare.cuts == pytest.approx([0.25, 0.5, 0.75])
    compare.move_divider(0, 0.6)  # pushes the second one
    assert compare.cuts[0] == pytest.approx(0.6)
    assert compare.cuts[0] < compare.cuts[1] < compare.cuts[2] == 0.75
    compare.move_divider(2, -1)
    assert 0 < compare.cuts[0] < compare.cuts[1] < compare.cuts[2] < 0.1
    # the value under the cursor is that of the image that is seen there
    compare.move_divider(2, 0.9)
    compare.move_divider(1, 0.8)
    compare.move_divider(0, 0.5)
    raw = raster(window).value_at(5, 5)
    assert raw is not None
    assert compare.value_at(5, 5) == raw
    assert compare.value_at(13, 5) == pytest.approx(raster(window).value_at(13, 5) + 1e-12)  # type: ignore[operator]


def test_a_divider_is_dragged_with_the_mouse(restored: MainWindow, qtbot: QtBot) -> None:
    window = restored
    window.view.set_wanted(["compare"])
    QApplication.processEvents()
    compare = window.view.compare
    viewport = compare.viewport_widget.viewport()
    left, right = compare._span()
    scene = compare.view.mapToScene(QPointF((left + right) / 2, compare.view.height() / 2))
    start = compare.viewport_widget.mapFromScene(scene)
    before = compare.view.viewRect()
    qtbot.mouseMove(viewport, start)
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=start)
    for step in range(1, 6):
        QTest.mouseMove(viewport, start + QPoint(20 * step, 0))
        QApplication.processEvents()
        qtbot.wait(20)
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=start + QPoint(100, 0))
    assert compare.cuts[0] == pytest.approx(0.5 + 100 / (right - left), abs=0.03)
    assert compare.view.viewRect() == before  # it is no pan


def test_each_side_of_a_divider_shows_its_image(qtbot: QtBot, restored: MainWindow) -> None:
    view = restored.view
    view.set_wanted(["compare"])
    QApplication.processEvents()
    looks = view.compare.looks
    dark, bright = (np.full((8, 8), v) for v in (-1.0, 1.0))
    frame = looks[0].picture.frame  # type: ignore[union-attr]
    pictures = [
        replace(looks[0], picture=type(looks[0].picture)(data, frame), plane=type(looks[0].plane)())
        for data in (dark, bright)
    ]
    view.compare.show_looks(pictures)
    view.compare.move_divider(0, 0.25)
    image = view.compare.viewport_widget.grab().toImage()

    def lightness(x: float) -> int:
        at = view.compare.viewport_widget.mapFromScene(view.compare.view.mapViewToScene(QPointF(x, 12.0)))
        return image.pixelColor(at).lightness()

    assert lightness(2.0) < 20
    assert lightness(8.0) > 235


def test_what_is_compared_can_be_ticked(restored: MainWindow) -> None:
    view = restored.view
    view.set_pane_visible("compare", True)
    menu = view.candidate_menu
    view.fill_candidates()
    ticks = [a for a in menu.actions() if a.isCheckable()]
    assert [a.isChecked() for a in ticks] == [True, True]
    menu.tick(0)
    assert view.compare.overlay.labels == [f"{TEXTURE}, 4 samples"]
    menu.tick(1)  # the last one stays
    assert view.compare.overlay.labels == [f"{TEXTURE}, 4 samples"]


def test_an_older_result_can_be_shown_again(restored: MainWindow, qtbot: QtBot) -> None:
    window = restored
    first = window.session.restored
    restore(qtbot, window, RestoreRequest("repair", model="regression-sim"))
    box = window.view._result_box
    assert box.isVisible()
    assert [box.itemText(k) for k in range(box.count())] == [
        f"{TEXTURE}, 4 samples",
        NETWORK,
    ]
    assert box.currentIndex() == 1
    assert raster(window, "restored").title == "Restored"
    box.setCurrentIndex(0)
    box.activated.emit(0)
    assert window.session.restored is first
    assert window.view.legend.summary.startswith(f"{TEXTURE}, 4 samples")
    assert window.menus.actions["pane-deviation"].isEnabled()


def test_only_the_last_results_are_kept(restored: MainWindow, qtbot: QtBot) -> None:
    window = restored
    for seed in range(1, 8):
        restore(qtbot, window, RestoreRequest("repair", model="flow-sim", samples=4, seed=seed))
    assert len(window.session.restoring.results) == 6
    assert window.session.restoring.results[-1] is window.session.restored
    assert window.session.restoring.results[0].restoration.request.seed == 2


def test_an_image_is_kept_to_compare_with_another_scan(restored: MainWindow, bench: Bench, qtbot: QtBot) -> None:
    window = restored
    window.menus.actions["pin"].trigger()
    half = make_scan(data=surface(32, 32), geometry=Geometry(32, 32, 20e-9, 20e-9))
    window.open_paths([bench.add("later.sxm", half)])
    settled(qtbot, window)
    assert "compare" in window.view.available()
    window.menus.actions["pane-compare"].trigger()
    assert window.view.compare.overlay.labels == ["Raw", f"scan.sxm, {TEXTURE}, 4 samples"]
    shapes = [look.picture.data.shape for look in window.view.compare.looks if look.picture]
    assert shapes == [(32, 32), (64, 64)]
    window.view.unpin()
    assert "compare" not in window.view.available()


# raw while the space bar is held


def press(window: MainWindow) -> None:
    QTest.keyPress(window.windowHandle(), Qt.Key.Key_Space)
    QApplication.processEvents()


def release(window: MainWindow) -> None:
    QTest.keyRelease(window.windowHandle(), Qt.Key.Key_Space)
    QApplication.processEvents()


@pytest.mark.parametrize("focus", ["window", "button", "combo", "chooser"])
def test_space_shows_raw_wherever_the_focus_is(restored: MainWindow, qtbot: QtBot, focus: str) -> None:
    window = restored
    window.view.set_pane_visible("compare", True)
    window.activateWindow()
    runs = len(window.session.restoring.results)
    widget = {
        "window": window,
        "button": window.run_controls.button,
        "combo": window.controls.device_box,
        "chooser": window.header.channel,
    }[focus]
    widget.setFocus()
    pane = raster(window, "restored")
    press(window)
    assert window.view.raw_held
    assert pane.value_at(5, 5) == raster(window).value_at(5, 5)
    assert pane.title.startswith("Raw")
    assert window.view.compare.overlay.labels == ["Raw"]
    press(window)  # it repeats
    release(window)
    assert not window.view.raw_held
    assert pane.title.startswith("Restored")
    assert window.view.compare.overlay.labels == ["Raw", f"{TEXTURE}, 4 samples"]
    settled(qtbot, window)
    assert len(window.session.restoring.results) == runs  # no button was pressed


def test_in_a_text_field_space_is_a_letter(restored: MainWindow, qtbot: QtBot) -> None:
    window = restored
    field = QLineEdit(window)
    field.show()
    window.activateWindow()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    press(window)
    release(window)
    assert field.text() == " "
    assert not window.view.raw_held


def test_before_a_result_space_is_what_it_always_was(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(bench.add("scan.sxm"))
    button = QPushButton("press me", window)
    button.show()
    window.activateWindow()
    button.setFocus()
    qtbot.waitUntil(button.hasFocus)
    with qtbot.waitSignal(button.clicked):
        press(window)
        release(window)


def test_raw_goes_with_the_focus_of_the_window(restored: MainWindow) -> None:
    window = restored
    press(window)
    assert window.view.raw_held
    window.hide()
    assert not window.view.raw_held
    window.show()


# trust


def test_inferred_pixels_are_tinted(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(bench.add("scan.sxm"))
    assert not window.menus.actions["tint"].isEnabled()
    restore(qtbot, window, RestoreRequest("sparse", model="flow-sim", mask="lines:4"))
    window.view.set_wanted(["restored"])
    QApplication.processEvents()
    pane = raster(window, "restored")
    before = pane.viewport_widget.grab().toImage()
    window.view.bar.tint.click()
    assert window.menus.actions["tint"].isChecked()
    assert pane.overlay.badge == "residual 1 pm rms   75 % inferred"
    after = pane.viewport_widget.grab().toImage()
    mask = window.session.restored.restoration.mask.measured  # type: ignore[union-attr]
    for row in (8, 20, 33, 50):
        y = (row + 0.5) * 20 / 64
        at = pane.viewport_widget.mapFromScene(pane.view.mapViewToScene(QPointF(10.1, y)))
        changed = before.pixelColor(at) != after.pixelColor(at)
        assert changed == (not mask[row, 32])
        if changed:
            assert after.pixelColor(at).red() < before.pixelColor(at).red() + 2
    window.menus.actions["tint"].trigger()
    assert pane.viewport_widget.grab().toImage() == before


def test_findings_stand_beside_the_result_and_open(restored: MainWindow, qtbot: QtBot) -> None:
    rows = restored.view.legend.trust.rows
    marks = {row.finding.about: row.finding.mark for row in rows}
    assert marks["Residual"] == "unknown"
    assert marks["Lattice"] == "ok"
    row = rows[0]
    assert not row.meaning.isVisible()
    qtbot.mouseClick(row, Qt.MouseButton.LeftButton)
    assert row.meaning.isVisible()
    assert row.finding.meaning in row.meaning.text()
    restored.menus.actions["levelled"].trigger()
    assert restored.view.legend.trust.rows[0].meaning.isVisible()  # stays open
    row.setFocus()
    qtbot.keyClick(row, Qt.Key.Key_Return)
    assert not row.meaning.isVisible()


# copies


def test_the_figure_on_the_clipboard_is_what_is_seen(restored: MainWindow) -> None:
    window = restored
    window.view.set_pane_visible("difference", True)
    QApplication.processEvents()
    QApplication.clipboard().clear()
    window.menus.actions["copy-figure"].trigger()
    image = QApplication.clipboard().image()
    assert not image.isNull()
    seen = figure(window.view)
    assert seen is not None
    ratio = seen.devicePixelRatio()
    panes = [window.view.panes[name] for name in window.view.placed()]
    width = max(p.geometry().right() for p in panes) - min(p.geometry().left() for p in panes) + 1
    assert seen.width() / ratio == pytest.approx(width + 20, abs=1)
    # the colours of the middle of each pane are those on the screen
    left, top = min(p.x() for p in panes), min(p.y() for p in panes)
    for pane in panes:
        view = pane.viewport_widget
        on_screen = view.grab().toImage()
        middle = QPoint(view.width() // 2, view.height() // 2)
        x = 10 + pane.x() - left + view.x() + middle.x()
        y = 10 + 24 + pane.y() - top + view.y() + middle.y()
        assert close(seen, x, y, on_screen.pixelColor(middle).getRgb())
    # both colour bars are there: many colours in the rows below the panes
    row = seen.height() - round(ratio * (10 + 18 + 8))
    assert len({seen.pixel(x, row) for x in range(0, seen.width(), 3)}) > 100


def close(image: QImage, x: int, y: int, colour: tuple[int, ...]) -> bool:
    """Whether a pixel near (x, y) has about that colour: a copy is drawn finer than the screen."""
    ratio = image.devicePixelRatio()
    for dx in range(-2, 3):
        for dy in range(-2, 3):
            here = image.pixelColor(round(x * ratio) + dx, round(y * ratio) + dy).getRgb()
            if max(abs(a - b) for a, b in zip(here, colour, strict=True)) < 40:
                return True
    return False


def test_one_pane_is_copied_with_its_bar(restored: MainWindow) -> None:
    view = restored.view
    view.panes["restored"].hovered.emit(QPointF(5, 5))
    assert view.active == "restored"
    image = pane_figure(view)
    assert image is not None
    assert image.width() / image.devicePixelRatio() == view.panes["restored"].width() + 20
    assert view.panes["restored"].overlay.cursor_at is None
    menu = pane_menu(view, "restored")
    texts = [action.text() for action in menu.actions()]
    assert {"Copy this pane", "Copy figure", "Try also", "Hide this pane"} <= set(texts)
    QApplication.clipboard().clear()
    menu.actions()[0].trigger()
    assert QApplication.clipboard().image().size() == image.size()
    menu.deleteLater()


def test_a_figure_is_saved_but_never_over_a_measurement(
    restored: MainWindow, bench: Bench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, path = restored, bench.folder / "seen.png"
    monkeypatch.setattr(dialogs, "ask_picture_path", lambda *_: path)
    for _ in range(2):  # the second takes the place of the first
        window.menus.actions["save-figure"].trigger()
        settled(qtbot, window)
        assert window.messages.message("done") is not None
    assert QImage(str(path)).width() == figure(window.view).width()  # type: ignore[union-attr]
    foreign = bench.folder / "theirs.png"
    QImage(8, 8, QImage.Format.Format_RGB32).save(str(foreign))
    before = foreign.read_bytes()
    monkeypatch.setattr(dialogs, "ask_picture_path", lambda *_: foreign)
    window.menus.actions["save-figure"].trigger()
    settled(qtbot, window)
    error = window.messages.message("error")
    assert error is not None
    assert "never written over" in error.text
    assert foreign.read_bytes() == before


def test_nothing_is_copied_of_nothing(open_window: Opener) -> None:
    window = open_window()
    assert figure(window.view) is None
    assert pane_figure(window.view) is None
    assert not window.menus.actions["copy-figure"].isEnabled()


def test_the_compare_pane_without_images_says_what_to_do(qtbot: QtBot) -> None:
    pane = ComparePane("Restore first")
    qtbot.addWidget(pane)
    pane.resize(200, 200)
    pane.show()
    assert pane._hint.isVisible()
    assert pane.value_at(1, 1) is None
    assert pane.frame() is None
