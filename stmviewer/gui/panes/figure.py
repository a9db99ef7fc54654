"""Panes and colour bars as one picture, as they are seen: for the clipboard and for a file."""

from collections.abc import Sequence

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QWidget

import stmviewer
from stmviewer.files.ownership import SOFTWARE_KEY
from stmviewer.gui.panes.colour_bar import ColourBar
from stmviewer.gui.panes.image_view import TITLE_HEIGHT, Pane

_MARGIN, _GAP, _HEADING, _BAR_HEIGHT = 10, 10, 24, 74
#: a bar alone under a narrow pane may be no narrower
_LEAST_BAR = 180
#: texts stay sharp in a document that prints finer than a screen
_RATIO = 2.0


def figure_of(heading: str, panes: Sequence[Pane], bars: Sequence[ColourBar]) -> QImage:
    """`panes` where they stand to each other on the screen, their titles above, `heading` over and `bars` below them.

    Nothing is drawn anew but for a finer screen: range, colours, place and scale bars are those on show.
    """
    area = QRect()
    for pane in panes:
        area = area.united(pane.geometry())
    ratio = max(_RATIO, panes[0].devicePixelRatioF())
    rows = _rows_of_bars(len(bars), area.width())
    heading_height = _HEADING if heading else 0
    width = area.width() + 2 * _MARGIN
    height = heading_height + area.height() + rows * (_BAR_HEIGHT + _GAP) + 2 * _MARGIN
    image = QImage(round(width * ratio), round(height * ratio), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    palette = panes[0].palette()
    image.fill(palette.window().color())
    painter = QPainter(image)
    try:
        painter.setFont(_bold(panes[0].font()))
        painter.setPen(palette.text().color())
        if heading:
            _write(painter, QRectF(_MARGIN, _MARGIN, area.width(), _HEADING - 4), heading)
        shift = QPoint(_MARGIN, _MARGIN + heading_height) - area.topLeft()
        for pane in panes:
            place = pane.geometry().translated(shift)
            _write(painter, QRectF(place.x(), place.y(), place.width(), TITLE_HEIGHT), pane.title)
            view = pane.viewport_widget
            at = place.topLeft() + view.pos()
            painter.drawPixmap(at, _rendered(view, ratio, palette.window().color()))
        _draw_bars(painter, bars, QRect(_MARGIN, height - _MARGIN - rows * (_BAR_HEIGHT + _GAP), area.width(), 0), rows)
    finally:
        painter.end()  # an image that is being painted cannot go
    return image


def copy(image: QImage | None) -> bool:
    """Puts an image on the clipboard; whether there was one."""
    if image is not None:
        QApplication.clipboard().setImage(image)
    return image is not None


def png_of(image: QImage) -> bytes:
    """The image as a PNG file that says who made it, so that it may be written over by another of ours."""
    signed = image.copy()
    signed.setText(SOFTWARE_KEY, f"stmviewer {stmviewer.__version__}")
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    signed.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(data.data())


def _rows_of_bars(count: int, width: int) -> int:
    if not count:
        return 0
    beside = max(width // _LEAST_BAR, 1)
    return -(-count // beside)


def _draw_bars(painter: QPainter, bars: Sequence[ColourBar], area: QRect, rows: int) -> None:
    if not rows:
        return
    columns = -(-len(bars) // rows)
    width = (area.width() - (columns - 1) * 2 * _GAP) / columns
    for k, bar in enumerate(bars):
        row, column = divmod(k, columns)
        place = QRectF(
            area.x() + column * (width + 2 * _GAP), area.y() + _GAP + row * (_BAR_HEIGHT + _GAP), width, _BAR_HEIGHT
        )
        bar.draw(painter, place)


def _rendered(widget: QWidget, ratio: float, ground: QColor) -> QPixmap:
    pixmap = QPixmap(widget.size() * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(ground)
    QWidget.render(widget, pixmap, QPoint())  # a view's own `render` is another one
    return pixmap


def _write(painter: QPainter, place: QRectF, text: str) -> None:
    fitted = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(place.width()))
    painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, fitted)


def _bold(font: QFont) -> QFont:
    bold = QFont(font)
    bold.setBold(True)
    return bold
