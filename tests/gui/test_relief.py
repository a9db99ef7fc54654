"""The relief: what stands in front hides what is behind, gaps are seen through, and it follows the window."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from stmviewer.gui import colours
from stmviewer.gui.display import FLAT, Frame, Picture
from stmviewer.gui.looks import PaneLook
from stmviewer.gui.relief import ReliefDialog
from stmviewer.gui.relief.dialog import field
from stmviewer.gui.relief.surface import Camera, draw

GREY = colours.table("grey")
ABOVE = Camera(turn=0, tilt=90, relief=0.1)


def look(data: np.ndarray, title: str = "Raw", width: float = 10.0, height: float = 10.0) -> PaneLook:
    return PaneLook(title, Picture(data, Frame(0, 0, width, height)), FLAT, (0.0, 1.0), GREY)


def test_from_straight_above_it_is_the_image() -> None:
    level = np.zeros((40, 40))
    level[:20, 20:] = 1.0  # the upper right quarter
    seen = draw(level, GREY, ABOVE, 200, 200)[..., :3].mean(axis=2)
    assert seen[60, 140] > 200 > 60 > max(seen[60, 60], seen[140, 60], seen[140, 140])


def test_a_quarter_turn_moves_the_corners() -> None:
    level = np.zeros((40, 40))
    level[:20, 20:] = 1.0
    seen = draw(level, GREY, Camera(90, 90, 0.1), 200, 200)[..., :3].mean(axis=2)
    bright = [seen[60, 60], seen[60, 140], seen[140, 60], seen[140, 140]]
    assert sorted(bright)[-1] > 200 > 60 > sorted(bright)[-2]
    assert max(bright) != seen[60, 140]


def test_a_ridge_hides_what_is_behind_it() -> None:
    lut = np.zeros((256, 3), dtype=np.uint8)
    lut[126:130, 0], lut[200:, 2] = 255, 255  # the far field red, the ridge blue, the ground black
    level = np.zeros((60, 60))
    level[:12] = 0.5
    without = draw(level, lut, Camera(0, 20, 0.5), 200, 200)
    level[30:34] = 1.0  # as high as half the field is long
    behind = draw(level, lut, Camera(0, 20, 0.5), 200, 200)
    assert (without[..., 0] > 60).sum() > 1000
    assert (behind[..., 2] > 60).sum() > 1000
    assert (behind[..., 0] > 60).sum() < 0.3 * (without[..., 0] > 60).sum()


def test_what_is_drawn_can_be_laid_upon_any_ground() -> None:
    level = np.random.default_rng(0).uniform(size=(40, 40))
    for tilt in (10, 42, 80):
        seen = draw(level, GREY, Camera(30, tilt, 0.3), 200, 200)
        assert (seen[..., :3] <= seen[..., 3:]).all()  # premultiplied: else colours turn round where it is light
        assert set(np.unique(seen[..., 3])) == {0, 255}


def test_around_it_nothing_and_gaps_are_seen_through() -> None:
    level = np.full((40, 40), 0.7)
    level[10:30, 10:30] = np.nan
    seen = draw(level, GREY, ABOVE, 200, 200)
    assert seen[100, 100, 3] == 0
    assert seen[20, 20, 3] == 255
    assert seen[0, 0, 3] == 0


@pytest.mark.parametrize("shape", [(1, 50), (50, 1), (2, 2), (300, 20)])
@pytest.mark.parametrize("turn", [0, 45, 123])
def test_any_shape(shape: tuple[int, int], turn: int) -> None:
    seen = draw(np.random.default_rng(0).uniform(size=shape), GREY, Camera(turn, 35, 0.2), 120, 90)
    assert seen.shape == (90, 120, 4)
    assert seen[..., 3].any()


def test_nothing_but_gaps_is_nothing() -> None:
    assert not draw(np.full((20, 20), np.nan), GREY, Camera(), 60, 60).any()


def test_a_field_has_square_pixels_and_no_more_of_them_than_are_seen() -> None:
    tall = field(look(np.zeros((16, 64)), width=10, height=10))
    assert tall is not None and tall.shape == (64, 64)
    large = field(look(np.zeros((2048, 2048))))
    assert large is not None and max(large.shape) <= 700
    assert field(PaneLook("")) is None


@pytest.fixture
def dialog(qtbot: QtBot) -> ReliefDialog:
    rng = np.random.default_rng(0)
    made = ReliefDialog(lambda: [look(rng.uniform(size=(64, 64)), "Restored: flow"), look(np.zeros((64, 64)))])
    qtbot.addWidget(made)
    made.show()
    return made


def test_a_drag_turns_it_and_the_wheel_raises_it(dialog: ReliefDialog) -> None:
    before = dialog.view.camera
    QTest.mousePress(dialog.view, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    QTest.mouseMove(dialog.view, QPoint(160, 120))
    QTest.mouseRelease(dialog.view, Qt.MouseButton.LeftButton, pos=QPoint(160, 120))
    assert dialog.view.camera.turn != before.turn
    assert dialog.view.camera.tilt > before.tilt
    wheel = QWheelEvent(
        QPointF(50, 50), QPointF(50, 50), QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    dialog.view.wheelEvent(wheel)
    assert dialog.view.camera.relief > before.relief
    assert dialog.height_slider.value() == round(100 * dialog.view.camera.relief)
    dialog.height_slider.setValue(40)
    assert dialog.view.camera.relief == pytest.approx(0.4)


def test_it_shows_the_image_that_is_chosen_and_copies_it(dialog: ReliefDialog) -> None:
    assert [dialog.which.itemText(k) for k in range(2)] == ["Restored: flow", "Raw"]
    first = dialog.view.picture(100, 100)
    dialog.which.setCurrentIndex(1)
    dialog.refresh()
    second = dialog.view.picture(100, 100)
    assert first is not None and second is not None and first != second
    QApplication.clipboard().clear()
    (copying,) = [b for b in dialog.findChildren(QPushButton) if b.text() == "Copy picture"]
    copying.click()
    assert QApplication.clipboard().image().width() == 2 * dialog.view.width()


def test_without_a_scan_it_says_what_to_do(qtbot: QtBot) -> None:
    empty = ReliefDialog(list)
    qtbot.addWidget(empty)
    empty.show()
    assert empty.view.picture(50, 50) is None
    assert not empty.which.isEnabled()
    empty.grab()
