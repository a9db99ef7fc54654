"""Draws one file of the list: picture, name, size and bias, what the tip was like, a star."""

from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from stmviewer.gui.folder.entry import Entry, TipMark
from stmviewer.gui.theme import is_dark, tones
from stmviewer.gui.thumbnailing import ICON_SIDE, blank, picture

_PAD = 4
STAR = "★"
#: marks of tips on light and on dark ground; the word beside them says the same
_TIP_COLOURS: dict[TipMark, tuple[str, str]] = {
    "good": ("#2e7d4f", "#6cc08d"),
    "double": ("#b3541e", "#e8995f"),
    "change": ("#8a5aa8", "#c49be0"),
    "blurry": ("#3f6f9c", "#86b4dd"),
    "unsure": ("#6a6e72", "#9a9ea3"),
    "other": ("#6a6e72", "#9a9ea3"),
}
_STAR_COLOURS = ("#b07a00", "#f0bf4c")


class EntryDelegate(QStyledItemDelegate):
    """Three lines beside the picture. Pictures are made when they are first seen, not when they come."""

    def sizeHint(self, option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        lines = 3 * option.fontMetrics.lineSpacing()
        return QSize(120, max(ICON_SIDE, lines) + 2 * _PAD)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        entry = index.data(Qt.ItemDataRole.UserRole)
        view: Any = option
        self.initStyleOption(option, index)
        view.text, view.icon = "", QIcon()
        style = view.widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, view.widget)
        if isinstance(entry, Entry):
            painter.save()
            self._draw(painter, view, entry)
            painter.restore()

    def _draw(self, painter: QPainter, view: Any, entry: Entry) -> None:
        palette: QPalette = view.palette
        selected = bool(view.state & QStyle.StateFlag.State_Selected)
        gap = tones(palette).gap
        if entry.drawn is None:
            entry.drawn = picture(entry.thumbnail, gap) if entry.thumbnail is not None else blank(gap)
        box: QRect = view.rect.adjusted(_PAD, _PAD, -_PAD, -_PAD)
        icon = QRect(box.left(), box.top() + (box.height() - ICON_SIDE) // 2, ICON_SIDE, ICON_SIDE)
        entry.drawn.paint(painter, icon)
        text = palette.color(QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text)
        quiet = text if selected else tones(palette).quiet
        metrics, left = view.fontMetrics, icon.right() + 8
        height = metrics.lineSpacing()
        top = box.top() + (box.height() - 3 * height) // 2
        right = box.right()
        if entry.note.star:
            wide = metrics.horizontalAdvance(STAR) + 2
            painter.setPen(text if selected else QColor(_STAR_COLOURS[is_dark(palette)]))
            painter.drawText(QRect(right - wide, top, wide, height), Qt.AlignmentFlag.AlignRight, STAR)
            right -= wide + 4

        def line(number: int, said: str, colour: QColor, to: int = box.right()) -> None:
            painter.setPen(colour)
            mode = Qt.TextElideMode.ElideMiddle if number == 0 else Qt.TextElideMode.ElideRight
            at = QRect(left, top + number * height, to - left, height)
            painter.drawText(at, Qt.AlignmentFlag.AlignLeft, metrics.elidedText(said, mode, at.width()))

        line(0, entry.text, text, right)
        line(1, entry.facts_text, quiet)
        if entry.tip_text:
            mark = entry.tip_mark
            colour = text if selected else QColor(_TIP_COLOURS[mark][is_dark(palette)])
            line(2, f"tip {entry.tip_text}", colour)
        elif entry.note.text:
            line(2, entry.note.text.splitlines()[0], quiet)
