"""What the images mean: the colour bars, and what is known of a restoration."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QGridLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from stmviewer.gui.colours import KINDS, Kind
from stmviewer.gui.looks import BarLook
from stmviewer.gui.panes.colour_bar import ColourBar
from stmviewer.gui.panes.colour_popups import ColoursPopup, RangePopup, swatch
from stmviewer.gui.panes.trust_list import TrustList
from stmviewer.gui.quantities import duration, quantity
from stmviewer.gui.ranges import Colouring, ColourRange, Display
from stmviewer.gui.shown import Restored
from stmviewer.gui.trust import findings
from stmviewer.restore import HiddenScore, title

#: the least room it needs: width, height in screen pixels
LEAST = (220, 92)
_WIDE = 560
#: highest histograms: beside the findings, and above them, where they need the room
_HIGH, _LOW = 420, 120
_SWATCH = QSize(40, 10)
_NAMES: Mapping[Kind, str] = {"heights": "heights", "difference": "difference", "deviation": "deviation"}


class AdjustableBar(ColourBar):
    """A colour bar with the buttons that open the choice of colours and of range."""

    def __init__(self, kind: Kind, parent: QWidget | None = None) -> None:
        super().__init__(parent, adjustable=True)
        self.kind: Kind = kind
        self.look: BarLook | None = None
        self.auto = self._button("Auto", "Back to the automatic range (double click on the bar)")
        self.colours_button = self._button("", "Another colour map")
        self.range_button = self._button("Range…", "The range of the colours, in percent or in values")
        self.colours_button.setAccessibleName(f"Colour map of {_NAMES[kind]}")
        self.colours_button.setIconSize(_SWATCH)
        self.auto.clicked.connect(self.automatic_asked)
        self.auto.hide()

    def _button(self, text: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setObjectName("barButton")
        button.setText(text)
        button.setToolTip(tip)
        button.setAutoRaise(True)
        self.buttons.addWidget(button)
        return button

    def show_look(self, look: BarLook) -> None:
        self.look = look
        self.auto.setVisible(look.range != ColourRange())
        self.colours_button.setIcon(swatch(look.lut, _SWATCH))
        self.show_range(look.caption, look.limits, look.unit, look.lut, *look.samples)


class Legend(QWidget):
    """Colour bars and facts, side by side where it is wide and below each other where it is not.

    `colouring_changed` gives a Kind and its new Colouring.
    """

    colouring_changed = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._display = Display()
        self.bars: dict[Kind, AdjustableBar] = {kind: AdjustableBar(kind) for kind in KINDS}
        self.shared = self.bars["heights"]
        self._table: list[list[str]] = []
        self._bars = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._bars.setSpacing(16)
        for kind, bar in self.bars.items():
            self._bars.addWidget(bar, 1)
            bar.range_dragged.connect(lambda low, high, k=kind: self._dragged(k, low, high))
            bar.automatic_asked.connect(lambda k=kind: self._ranged(k, ColourRange()))
            bar.range_button.clicked.connect(lambda _=False, k=kind: self.open_range(k))
            bar.colours_button.clicked.connect(lambda _=False, k=kind: self.open_colours(k))
            bar.setVisible(kind == "heights")
        self._summary = QLabel()
        self._summary.setObjectName("resultSummary")
        self._summary.setWordWrap(True)
        self._summary.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._scores = QWidget()
        self._grid = QGridLayout(self._scores)
        self._grid.setContentsMargins(20, 0, 0, 2)
        self._grid.setHorizontalSpacing(14)
        self._grid.setVerticalSpacing(1)
        self.trust = TrustList()
        self.trust.put_above(self._summary, self._scores)
        self._layout = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._layout.setContentsMargins(2, 4, 2, 2)
        self._layout.setSpacing(24)
        column = QVBoxLayout()
        column.addLayout(self._bars, 1)
        column.addStretch(0)
        self._layout.addLayout(column, 3)
        self._layout.addWidget(self.trust, 2)
        self.show_result(None)

    # colours

    def show_bars(self, looks: Mapping[Kind, BarLook | None], display: Display) -> None:
        """The bars of what is in the panes now."""
        self._display = display
        for kind, bar in self.bars.items():
            look = looks.get(kind)
            bar.setVisible(look is not None)
            if look is not None:
                bar.show_look(look)
        self._arrange()

    def open_colours(self, kind: Kind) -> ColoursPopup:
        popup = ColoursPopup(kind, self._display.of(kind), self)
        popup.map_chosen.connect(lambda name: self._change(kind, map=name))
        popup.inverted.connect(lambda on: self._change(kind, inverted=on))
        popup.show_above(self.bars[kind].colours_button)
        return popup

    def open_range(self, kind: Kind) -> RangePopup | None:
        bar = self.bars[kind]
        if bar.look is None:
            return None
        popup = RangePopup(bar.look, bar.scale, self)
        popup.chosen.connect(lambda wanted: self._ranged(kind, wanted))
        popup.show_above(bar.range_button)
        return popup

    def _dragged(self, kind: Kind, low: float, high: float) -> None:
        look = self.bars[kind].look
        if look is not None:
            self._ranged(kind, look.range.with_fixed(low, high, look.unit, look.levelled))

    def _ranged(self, kind: Kind, wanted: ColourRange) -> None:
        self._change(kind, range=wanted)

    def _change(self, kind: Kind, **changes: object) -> None:
        colouring: Colouring = self._display.with_colouring(kind, **changes).of(kind)
        self.colouring_changed.emit(kind, colouring)

    # the result

    @property
    def summary(self) -> str:
        return self._summary.text()

    def score_texts(self) -> list[list[str]]:
        """The table of scores as it is shown, row by row."""
        return self._table

    def show_result(self, restored: Restored | None) -> None:
        """What is known of a run: its time, the scores where some was hidden, what was checked."""
        self._table = []
        for label in self._scores.findChildren(QLabel):
            self._grid.removeWidget(label)
            label.hide()
            label.deleteLater()
        self.trust.setVisible(restored is not None)
        if restored is None:
            self.trust.show_findings([])
            return
        result = restored.restoration
        self._summary.setText(f"{restored.title}, {duration(restored.took_s)}")
        self._summary.setToolTip(restored.names)
        self._fill_scores(result.scores, result.unit)
        self.trust.show_findings(findings(result), table=bool(result.scores))

    def _fill_scores(self, scores: Sequence[HiddenScore], unit: str) -> None:
        if not scores:
            return
        self._table = table = [["Hidden pixels", "SSIM", "PSNR", "error"]]
        table += [
            [title(s.method), f"{s.ssim_hidden:.3f}", f"{s.psnr_hidden_db:.1f} dB", quantity(s.mae_hidden, unit)]
            for s in scores
        ]
        for row, texts in enumerate(table):
            for column, text in enumerate(texts):
                label = QLabel(text)
                if row == 0:
                    label.setObjectName("quiet")
                side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
                self._grid.addWidget(label, row, column, side)
        self._grid.setColumnStretch(4, 1)
        self._scores.setToolTip(
            "The rest of the scan was hidden from the method and compared afterwards. SSIM: structural similarity, "
            "1 is equal. PSNR: higher is better. Error: mean absolute difference"
        )

    # where things are

    def least_height(self) -> int:
        """The least height at the present width in which no bar is cut off."""
        count = sum(not bar.isHidden() for bar in self.bars.values())
        bar = self.shared.minimumSizeHint().height()
        stacked = self._bars.direction() == QBoxLayout.Direction.TopToBottom
        return max(LEAST[1], count * (bar + 8) if stacked else bar + 10)

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._arrange()

    def _arrange(self) -> None:
        wide = self.width() >= _WIDE
        direction = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        if self._layout.direction() != direction:
            self._layout.setDirection(direction)
            self._layout.setSpacing(24 if wide else 8)
        # above the findings the bars take no more than they show
        for part, stretch in enumerate((3, 2) if wide else (1, 3)):
            self._layout.setStretch(part, stretch)
        for bar in self.bars.values():
            bar.limit_histogram(_HIGH if wide else _LOW)
        count = sum(not bar.isHidden() for bar in self.bars.values())
        # several bars below each other need height, side by side width
        room = (0.6 if wide and not self.trust.isHidden() else 1.0) * self.width()
        beside = count <= 1 or room / count >= 210
        self._bars.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)
        self._bars.setSpacing(16 if beside else 4)
