"""What opens from a colour bar: the choice of colours, and of the range that they stand for."""

import numpy as np
from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QImage, QPainter, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from stmviewer.gui import colours
from stmviewer.gui.colours import Kind
from stmviewer.gui.display import Lut
from stmviewer.gui.looks import BarLook
from stmviewer.gui.quantities import Scale
from stmviewer.gui.ranges import HIGH, LOW, Colouring, ColourRange
from stmviewer.gui.sentences import sentence
from stmviewer.scan import RequestError

SWATCH = QSize(112, 14)
_RIM = QColor("#85898e")


def swatch(lut: Lut, size: QSize = SWATCH) -> QIcon:
    """A strip of the colours of a map."""
    row = np.ascontiguousarray(lut[None])
    image = QImage(row.data, 256, 1, 768, QImage.Format.Format_RGB888).copy()
    strip = QPixmap.fromImage(image.scaled(size))
    painter = QPainter(strip)  # the light end of a map would not be seen on a light ground
    painter.setPen(_RIM)
    painter.drawRect(strip.rect().adjusted(0, 0, -1, -1))
    painter.end()
    return QIcon(strip)


class Popup(QFrame):
    """A small panel that goes away when one clicks elsewhere."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("popup")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def show_above(self, anchor: QWidget) -> None:
        """Opens over `anchor`, inside of its screen."""
        self.adjustSize()
        at = anchor.mapToGlobal(QPoint(0, 0))
        room = anchor.screen().availableGeometry()
        below = at.y() + anchor.height() + 2
        y = below if below + self.height() <= room.bottom() else at.y() - self.height() - 2
        x = min(max(at.x(), room.left()), room.right() - self.width())
        self.move(x, max(y, room.top()))
        self.show()


class ColoursPopup(Popup):
    """All colour maps of one kind as swatches. `map_chosen` gives a name, `inverted` whether to turn it round."""

    map_chosen = Signal(str)
    inverted = Signal(bool)

    def __init__(self, kind: Kind, colouring: Colouring, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = QListWidget()
        self.list.setIconSize(SWATCH)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for name, text in colours.MAPS[kind].items():
            item = QListWidgetItem(swatch(colours.table(name, colouring.inverted)), text)
            item.setData(Qt.ItemDataRole.UserRole, name)
            self.list.addItem(item)
            if name == colouring.map:
                self.list.setCurrentItem(item)
        rows = self.list.count()
        self.list.setFixedHeight(min(rows * self.list.sizeHintForRow(0) + 4, 480))
        self.list.setMinimumWidth(self.list.sizeHintForColumn(0) + 24)
        self.list.currentItemChanged.connect(lambda item, _: self.map_chosen.emit(item.data(Qt.ItemDataRole.UserRole)))
        self.list.itemClicked.connect(lambda _: self.close())
        self.list.itemActivated.connect(lambda _: self.close())
        invert = QCheckBox("Invert")
        invert.setChecked(colouring.inverted)
        invert.toggled.connect(self.inverted)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.addWidget(self.list)
        column.addWidget(invert)
        self.invert = invert


class RangePopup(Popup):
    """A range by percentages or by values with units. `chosen` gives a ColourRange."""

    chosen = Signal(object)

    def __init__(self, look: BarLook, scale: Scale, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look, self._scale = look, scale
        fixed = look.range.fixed_for(look.unit, look.levelled)
        self.by_part = QRadioButton("A part of the values")
        self.by_value = QRadioButton("From value to value")
        (self.by_value if fixed else self.by_part).setChecked(True)
        self.percents = tuple(QLineEdit(f"{p:g} %") for p in (look.range.low, look.range.high))
        self.values = tuple(QLineEdit(scale.text(v)) for v in look.limits)
        self.fault = QLabel()
        self.fault.setObjectName("invalid")
        self.fault.setWordWrap(True)
        self.fault.hide()
        grid = QGridLayout()
        for row, (button, edits) in enumerate(((self.by_part, self.percents), (self.by_value, self.values))):
            grid.addWidget(button, row, 0)
            for column, edit in enumerate(edits):
                edit.setFixedWidth(96)
                edit.returnPressed.connect(self.apply)
                edit.textEdited.connect(lambda _, b=button: b.setChecked(True))
                grid.addWidget(edit, row, 1 + 2 * column)
            grid.addWidget(QLabel("to"), row, 2)
        self.automatic = QPushButton(f"Automatic ({LOW:g} to {HIGH:g} %)")
        self.automatic.clicked.connect(lambda: self._choose(look.range.automatic()))
        self.apply_button = QPushButton("Apply")
        self.apply_button.clicked.connect(self.apply)
        buttons = QHBoxLayout()
        buttons.addWidget(self.automatic)
        buttons.addStretch(1)
        buttons.addWidget(self.apply_button)
        column_ = QVBoxLayout(self)
        column_.setContentsMargins(10, 8, 10, 8)
        column_.addWidget(QLabel(f"Colour range of {look.caption}"))
        column_.addLayout(grid)
        column_.addWidget(self.fault)
        column_.addLayout(buttons)

    def apply(self) -> None:
        """Takes what was typed, or says what is wrong with it."""
        look = self._look
        try:
            if self.by_part.isChecked():
                wanted = ColourRange.percentiles(*(e.text() for e in self.percents))
            else:
                low, high = (e.text() for e in self.values)
                wanted = ColourRange.typed(low, high, look.unit, self._scale, look.levelled)
        except RequestError as error:
            text = str(error)
            self.fault.setText(sentence(text))
            self.fault.show()
            self.adjustSize()
            return
        self._choose(wanted)

    def _choose(self, wanted: ColourRange) -> None:
        self.chosen.emit(wanted)
        self.close()
