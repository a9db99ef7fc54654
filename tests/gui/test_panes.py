import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from stmviewer.gui.colours import heights
from stmviewer.gui.display import FLAT, Frame, Picture
from stmviewer.gui.panes.colour_bar import ColourBar
from stmviewer.gui.panes.image_view import ImagePane
from stmviewer.gui.panes.linking import LinkedViews, Place

FRAME = Frame(0, 0, 20, 20)


def shown_pane(qtbot: QtBot, data: np.ndarray, frame: Frame = FRAME, size: int = 200) -> ImagePane:
    pane = ImagePane("Raw")
    qtbot.addWidget(pane)
    pane.resize(size, size + 26)
    pane.show_picture(Picture(data, frame), FLAT, (0.0, 1.0), heights())
    links = LinkedViews()
    links.add(pane.view)
    pane.links = links  # type: ignore[attr-defined]
    pane.show()
    qtbot.waitExposed(pane)
    links.set_frame(frame, frame.width / data.shape[1])
    return pane


def seen(pane: ImagePane) -> QImage:
    return pane.viewport_widget.grab().toImage()


def colour_at(pane: ImagePane, x: float, y: float) -> QColor:
    at = pane.view.mapViewToScene(QPointF(x, y))
    return seen(pane).pixelColor(pane.viewport_widget.mapFromScene(at))


def test_row_0_is_at_the_top_and_column_0_at_the_left(qtbot: QtBot) -> None:
    data = np.zeros((4, 4))
    data[0, 3] = 1.0
    pane = shown_pane(qtbot, data)
    assert colour_at(pane, 18, 2).lightness() > 240
    for x, y in ((2, 2), (18, 8), (2, 10)):
        assert colour_at(pane, x, y).lightness() < 10
    image = seen(pane)
    assert image.pixelColor(image.width() - 5, 5).lightness() > 240


def test_gaps_are_neither_data_nor_black(qtbot: QtBot) -> None:
    data = np.zeros((8, 8))
    data[2:4] = np.nan
    data[4:6] = np.inf
    pane = shown_pane(qtbot, data)
    for y in (7.0, 12.0):  # in the middle of the NaN and of the inf rows
        colour = colour_at(pane, 10, y)
        assert colour.lightness() > 150
        assert colour.saturation() < 30
    assert colour_at(pane, 10, 1).lightness() < 10


def test_an_image_without_any_value_is_shown(qtbot: QtBot) -> None:
    pane = shown_pane(qtbot, np.full((8, 8), np.nan))
    assert colour_at(pane, 10, 10).lightness() > 150


def test_zoomed_out_every_pixel_counts(qtbot: QtBot) -> None:
    data = np.zeros((2048, 2048))
    data[::2] = 1.0  # picking every n-th row would show black or white
    pane = shown_pane(qtbot, data)
    middle = heights()[127]
    colour = colour_at(pane, 10, 5)
    assert [colour.red(), colour.green(), colour.blue()] == pytest.approx(middle.tolist(), abs=4)


def test_a_large_image_is_right_wherever_one_looks(qtbot: QtBot) -> None:
    data = np.zeros((2600, 2600))
    data[::260] = 1.0  # a line of one pixel every 2 nm
    pane = shown_pane(qtbot, data)
    pane.links.zoom(200)  # type: ignore[attr-defined]
    for k in (1, 4, 9, 2):  # coloured around the first place, then panned beyond
        y = 2.0 * k + 0.5 * 20 / 2600
        pane.links.go(Place(10, y, 0.1))  # type: ignore[attr-defined]
        assert colour_at(pane, 10, y).lightness() > 240
        assert colour_at(pane, 10, y + 0.03).lightness() < 10


def test_pixels_that_are_not_square_keep_their_shape(qtbot: QtBot) -> None:
    data = np.zeros((4, 64))
    data[1] = 1.0
    pane = shown_pane(qtbot, data)
    assert colour_at(pane, 10, 7.5).lightness() > 200
    assert colour_at(pane, 10, 5.4).lightness() > 200  # the line is sharp to its edges
    assert colour_at(pane, 10, 9.6).lightness() > 200
    assert colour_at(pane, 10, 4.6).lightness() < 60
    assert colour_at(pane, 10, 10.4).lightness() < 60


def three(qtbot: QtBot) -> tuple[QWidget, list[ImagePane], LinkedViews]:
    home = QWidget()
    qtbot.addWidget(home)
    links = LinkedViews()
    panes = [ImagePane(name, parent=home) for name in ("raw", "mask", "restored")]
    for k, pane in enumerate(panes):
        rows = 64 if k == 0 else 256
        pane.show_picture(Picture(np.zeros((rows, 256)), FRAME), FLAT, (0.0, 1.0), heights())
        links.add(pane.view)
    place(home, panes, 900, 326)
    home.show()
    qtbot.waitExposed(home)
    links.set_frame(FRAME, 20 / 256)
    return home, panes, links


def place(home: QWidget, panes: list[ImagePane], width: int, height: int) -> None:
    home.resize(width, height)
    for k, pane in enumerate(panes):
        pane.setGeometry(k * width // 3, 0, width // 3, height)
        pane.layout().activate()


def rects(panes: list[ImagePane]) -> list[QRectF]:
    return [pane.view.viewRect() for pane in panes]


def same(a: QRectF, b: QRectF) -> bool:
    return all(
        one == pytest.approx(other, abs=1e-6)
        for one, other in zip(a.getRect(), b.getRect(), strict=True)  # type: ignore[arg-type]
    )


def wheel(qtbot: QtBot, pane: ImagePane, at: QPointF, steps: int) -> None:
    class Event:
        def delta(self) -> int:
            return 120 * steps

        def pos(self) -> QPointF:
            return pane.view.mapFromView(at)

        def accept(self) -> None: ...

        def ignore(self) -> None: ...

    pane.view.updateMatrix()  # as painting does
    pane.view.wheelEvent(Event())


def test_a_zoom_in_one_pane_is_a_zoom_in_all(qtbot: QtBot) -> None:
    _home, panes, links = three(qtbot)
    assert same(rects(panes)[0], QRectF(0, 0, 20, 20))
    wheel(qtbot, panes[1], QPointF(5, 15), 8)
    first, *others = rects(panes)
    assert first.width() < 8
    assert first.contains(QPointF(5, 15))
    assert all(same(first, other) for other in others)
    links.reset()
    assert all(same(rect, QRectF(0, 0, 20, 20)) for rect in rects(panes))


def test_the_zoom_survives_resizes_without_drift(qtbot: QtBot) -> None:
    home, panes, _links = three(qtbot)
    wheel(qtbot, panes[0], QPointF(12, 7), 5)
    before = rects(panes)
    for k in range(20):
        place(home, panes, 900 + 37 * (k % 5) - 61 * (k % 3), 326 + 23 * (k % 4))
        qtbot.wait(1)
    place(home, panes, 900, 326)
    qtbot.wait(1)
    for old, new in zip(before, rects(panes), strict=True):
        assert same(old, new)


def test_one_cannot_lose_the_image(qtbot: QtBot) -> None:
    home, panes, _links = three(qtbot)
    assert home.isVisible()
    wheel(qtbot, panes[0], QPointF(10, 10), -200)
    assert rects(panes)[0].width() <= 60.001
    wheel(qtbot, panes[0], QPointF(10, 10), 400)
    assert rects(panes)[0].width() >= 3 * 20 / 256 - 1e-9


def test_the_scale_bar_is_as_long_as_it_says(qtbot: QtBot) -> None:
    pane = shown_pane(qtbot, np.zeros((64, 64)), size=300)
    bar = pane.overlay.shown_scale_bar()
    assert bar is not None
    assert bar.label == "5 nm"
    left, right = (pane.view.mapViewToScene(QPointF(x, 10)).x() for x in (0, 5))
    assert bar.pixels == pytest.approx(right - left, abs=0.5)
    # it is drawn that long: a white run in its row, at the lower left of a black image
    image = seen(pane)
    row = image.height() - 12
    white = [x for x in range(image.width()) if image.pixelColor(x, row).lightness() > 250]
    assert len(white) == pytest.approx(bar.pixels, abs=1)
    assert white[0] < 15


def test_the_bar_follows_the_zoom(qtbot: QtBot) -> None:
    pane = shown_pane(qtbot, np.zeros((640, 640)), size=300)
    wheel(qtbot, pane, QPointF(10, 10), 8)
    bar = pane.overlay.shown_scale_bar()
    assert bar is not None
    assert bar.value < 5
    assert bar.pixels <= 0.31 * 300


def test_the_cursor_is_reported_in_nm(qtbot: QtBot) -> None:
    pane = shown_pane(qtbot, np.zeros((64, 64)))
    at = pane.viewport_widget.mapFromScene(pane.view.mapViewToScene(QPointF(5, 15)))
    seen_at: list[QPointF | None] = []
    pane.hovered.connect(seen_at.append)
    qtbot.mouseMove(pane.viewport_widget.viewport(), at)
    qtbot.waitUntil(lambda: bool(seen_at))
    position = seen_at[-1]
    assert position is not None
    assert (position.x(), position.y()) == (pytest.approx(5, abs=0.2), pytest.approx(15, abs=0.2))


def test_a_double_click_asks_for_the_whole_image(qtbot: QtBot) -> None:
    pane = shown_pane(qtbot, np.zeros((64, 64)))
    viewport = pane.viewport_widget.viewport()
    with qtbot.waitSignal(pane.reset_asked):
        qtbot.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=QPoint(90, 90))
        qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=QPoint(90, 90))


def test_the_colour_bar_says_what_its_ends_are(qtbot: QtBot) -> None:
    bar = ColourBar()
    qtbot.addWidget(bar)
    bar.resize(300, 150)
    bar.show_range("Z", (-8e-11, 1.2e-10), "m", heights(), np.random.default_rng(0).normal(0, 5e-11, 1000))
    assert bar.tick_texts() == ("−80", "20", "120 pm")
    bar.show()
    image = bar.grab().toImage()
    row = image.height() - 25
    assert image.pixelColor(3, row).lightness() < 20
    assert image.pixelColor(image.width() - 4, row).lightness() > 235
    bar.show_range("Z", (0.0, 1.0), "", heights(), np.array([]))
    bar.grab()
