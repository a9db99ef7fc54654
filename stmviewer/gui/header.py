"""The line above the images: which scan, which channel, and the facts of the measurement."""

import re

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from stmviewer.gui.elided_label import ElidedLabel
from stmviewer.gui.quantities import MINUS, quantity
from stmviewer.scan import Channel, Role, Scan
from stmviewer.services.judging import TipState

_ROLES: dict[Role, str] = {
    "raw": "",
    "processed": "processed",
    "mask": "sampling mask",
    "restored": "restored",
    "deviation": "deviation",
    "residual": "residual",
}
#: the chooser of scans may be no wider, whatever they are called; the list it opens is as wide as they are
_WIDEST_PART = 260
#: so is the name: the facts of the measurement stand beside it
_WIDEST_NAME = 320
_SEPARATOR = "   ·   "
_CLOCK = re.compile(r"(?<=\d{4}-\d\d-\d\d) \d\d:\d\d$")
#: nobody tells scans apart by the second
_SECONDS = re.compile(r"(?<=\d\d:\d\d):\d\d(\.\d+)?$")


def facts(scan: Scan) -> list[str]:
    """Size, pixels, bias, setpoint, line time and when: what the file says, and nothing for what it does not say."""
    geometry = scan.geometry
    found = []
    if geometry.calibrated:
        largest = max(geometry.width, geometry.height)
        factor, unit = (1e6, "µm") if largest >= 0.9995e-6 else (1e9, "nm")
        found.append(f"{geometry.width * factor:.4g} × {geometry.height * factor:.4g} {unit}")
    found.append(f"{geometry.columns} × {geometry.rows} px")
    if not geometry.calibrated:
        found.append("size unknown")
    if scan.bias_v is not None:
        # as one says it: -0.4 V rather than -400 mV
        bias = f"{scan.bias_v:.3g} V".replace("-", MINUS) if abs(scan.bias_v) >= 0.1 else quantity(scan.bias_v, "V")
        found.append(f"bias {bias}")
    if scan.setpoint_a is not None:
        found.append(f"setpoint {quantity(scan.setpoint_a, 'A')}")
    if scan.line_time_s is not None:
        found.append(f"{quantity(scan.line_time_s[0], 's')} per line")
    if scan.recorded:
        found.append(_SECONDS.sub("", scan.recorded))
    return found


def brief(found: list[str]) -> str:
    """The facts in less room: what the unit says by itself is not named, and the day is enough."""
    return " · ".join(_CLOCK.sub("", fact.removeprefix("bias ").removeprefix("setpoint ")) for fact in found)


def channel_label(channel: Channel) -> str:
    """`Z`, and `Z (restored)` for what a restoration has made."""
    role = _ROLES[channel.role]
    return f"{channel.name} ({role})" if role else channel.name


class Header(QWidget):
    """Scan name, choosers of scan (where the file holds several), channel and direction, facts.

    `chosen` gives the wanted Channel, `part_chosen` the wanted Scan.
    """

    chosen = Signal(object)
    part_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._groups: dict[str, list[Channel]] = {}
        self._name = QLabel()
        self._name.setObjectName("scanName")
        self._name.setTextFormat(Qt.TextFormat.PlainText)  # a file may be called what looks like markup
        self._parts: tuple[Scan, ...] = ()
        #: what each chooser says is on show
        self._current: dict[QComboBox, str] = {}
        self.part = QComboBox()
        self.part.setToolTip("The file holds several scans")
        self.part.setAccessibleName("Scan of the file")
        self.part.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.part.setMaximumWidth(_WIDEST_PART)
        self.part.hide()
        self.channel = QComboBox()
        self.channel.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.channel.setToolTip("Channel (C: next)")
        self.channel.setAccessibleName("Channel")
        self.direction = QComboBox()
        self.direction.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.direction.setToolTip("Scan direction of the lines (D: other)")
        self.direction.setAccessibleName("Direction")
        self._facts = ElidedLabel()
        self._facts.setObjectName("quiet")
        self.tip = ElidedLabel()
        self.tip.setObjectName("quiet")
        self.tip.setAccessibleName("State of the tip")
        # the images do not move when the judge's answer comes
        policy = self.tip.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.tip.setSizePolicy(policy)
        self.tip.hide()
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(2)
        layout = QHBoxLayout()
        layout.setSpacing(8)
        lines.addLayout(layout)
        lines.addWidget(self.tip)
        for widget in (self._name, self.part, self.channel, self.direction):
            layout.addWidget(widget)
        layout.addSpacing(6)
        layout.addWidget(self._facts, 1)
        self.part.activated.connect(lambda row: self.part_chosen.emit(self._parts[row]))
        self.channel.activated.connect(lambda _: self._choose())
        self.direction.activated.connect(lambda _: self._choose())

    def show_scan(self, scan: Scan, channel: Channel, parts: tuple[Scan, ...] = ()) -> None:
        """Shows `channel` of `scan`, which is one of `parts`, the scans of its file."""
        self._parts = parts
        self.tip.hide()
        labels = [part.part.label for part in parts]
        self._fill(self.part, labels, scan.part.label)
        self.part.view().setMinimumWidth(
            self.part.fontMetrics().horizontalAdvance(max(labels, key=len, default="")) + 40
        )
        self.part.setToolTip(f"{scan.part.label}\nThe file holds {len(parts)} scans")
        self.part.setVisible(len(parts) > 1)
        self._name.ensurePolished()  # its letters are bold, which the style sheet says
        self._name.setText(self._name.fontMetrics().elidedText(scan.name, Qt.TextElideMode.ElideMiddle, _WIDEST_NAME))
        self._name.setToolTip(str(scan.path or ""))
        text = _SEPARATOR.join(facts(scan))
        self._facts.show_text(text, text + (f"\n{scan.comment}" if scan.comment else ""), brief(facts(scan)))
        self._groups = {}
        for each in scan.channels:
            self._groups.setdefault(channel_label(each), []).append(each)
        self._fill(self.channel, list(self._groups), channel_label(channel))
        self._fill(self.direction, [c.direction for c in self._groups[channel_label(channel)]], channel.direction)
        self.direction.setEnabled(self.direction.count() > 1)

    def show_choice(self) -> None:
        """The choosers name what is on show again, where the user has chosen what could not be read."""
        for box, text in self._current.items():
            with QSignalBlocker(box):
                box.setCurrentText(text)

    def show_tip(self, state: TipState) -> None:
        """What the judge of tips says of the channel on show; it stays until another is shown."""
        shares = ", ".join(f"{name} {100 * share:.0f} %" for name, share in state.probabilities.items())
        self.tip.show_text(
            state.text,
            f"Judged by {state.model}: {shares}.\nIt has learned from H:Si(100) alone; on other surfaces it is a hint.",
        )
        self.tip.show()

    def step_channel(self) -> None:
        """Goes to the next channel, round and round."""
        self._step(self.channel)

    def step_direction(self) -> None:
        self._step(self.direction)

    def set_locked(self, locked: bool) -> None:
        self.part.setEnabled(not locked)
        self.channel.setEnabled(not locked)
        self.direction.setEnabled(not locked and self.direction.count() > 1)

    def _step(self, box: QComboBox) -> None:
        if box.isEnabled() and box.count() > 1:
            box.setCurrentIndex((box.currentIndex() + 1) % box.count())
            self._choose()

    def _choose(self) -> None:
        group = self._groups[self.channel.currentText()]
        wanted = self.direction.currentText()
        self.chosen.emit(next((c for c in group if c.direction == wanted), group[0]))

    def _fill(self, box: QComboBox, texts: list[str], current: str) -> None:
        self._current[box] = current
        with QSignalBlocker(box):
            box.clear()
            box.addItems(list(dict.fromkeys(texts)))
            box.setCurrentText(current)
