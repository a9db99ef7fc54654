"""What the images mean: the shared colour bar, and what came out of a restoration."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QBoxLayout, QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from stmviewer.gui.panes.colour_bar import ColourBar
from stmviewer.gui.quantities import duration, quantity
from stmviewer.gui.shown import Restored
from stmviewer.restore import HiddenScore, Restoration

#: the least room it needs: width, height in screen pixels
LEAST = (220, 92)
_WIDE = 520


def _expected(tried: Mapping[str, Any], result: Restoration) -> str:
    """What the self-check expects in the gaps of the scan: of what is shown, and of linear interpolation."""
    shown = result.provenance["methods"][0]["name"]
    scores = {s["method"]: s for s in tried["scores"]}

    def amount(method: str) -> str:
        value = scores[method]["expected"]
        return quantity(value, result.unit) if result.unit else f"{100 * value / tried['range']:.2g} %"

    text = f"Self-check: {shown} {amount(shown)} expected in the gaps"
    return text if shown == "linear" or "linear" not in scores else f"{text}, linear {amount('linear')}"


class Legend(QWidget):
    """Colour bars and facts, side by side where it is wide and below each other where it is not."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shared = ColourBar()
        self.extra = ColourBar()  # of the deviation or the difference, while one is shown
        self.extra.hide()
        self._table: list[list[str]] = []
        self._bars = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._bars.setSpacing(20)
        self._bars.addWidget(self.shared, 1)
        self._bars.addWidget(self.extra, 1)
        self._summary = QLabel()
        self._summary.setWordWrap(True)
        self._summary.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._scores = QWidget()
        self._grid = QGridLayout(self._scores)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(14)
        self._grid.setVerticalSpacing(1)
        self._facts = QWidget()
        facts = QVBoxLayout(self._facts)
        facts.setContentsMargins(0, 0, 0, 0)
        facts.setSpacing(4)
        facts.addWidget(self._summary)
        facts.addWidget(self._scores, 0, Qt.AlignmentFlag.AlignLeft)
        facts.addStretch(1)
        self._facts.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._layout = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._layout.setContentsMargins(2, 4, 2, 2)
        self._layout.setSpacing(24)
        column = QVBoxLayout()
        column.addLayout(self._bars, 1)
        column.addStretch(0)
        self._layout.addLayout(column, 3)
        self._layout.addWidget(self._facts, 2)
        self.show_result(None)

    @property
    def summary(self) -> str:
        return self._summary.text()

    def score_texts(self) -> list[list[str]]:
        """The table of scores as it is shown, row by row."""
        return self._table

    def show_result(self, restored: Restored | None) -> None:
        """The facts of a run: its time, the residual where it was measured, the scores where some was hidden."""
        self._table = []
        for label in self._scores.findChildren(QLabel):
            self._grid.removeWidget(label)
            label.hide()
            label.deleteLater()
        self._facts.setVisible(restored is not None)
        if restored is None:
            return
        result = restored.restoration
        lines = [f"{restored.title}, {duration(restored.took_s)}"]
        if result.residual_rms == result.residual_rms:  # NaN where nothing was measured
            rms = quantity(result.residual_rms, result.unit) if result.residual_rms else "0"
            lines.append(f"Residual at measured pixels {rms} rms")
        tried = result.provenance.get("self_check")
        if tried:
            lines.append(_expected(tried, result))
        self._summary.setText("\n".join(lines))
        about = "The residual is restored minus measured, before measured pixels are put back"
        self._summary.setToolTip("\n\n".join([about, *restored.check_texts]))
        self._fill_scores(result.scores, result.unit)

    def _fill_scores(self, scores: Sequence[HiddenScore], unit: str) -> None:
        self._scores.setVisible(bool(scores))
        if not scores:
            return
        self._table = table = [["Hidden pixels", "SSIM", "PSNR", "error"]]
        table += [
            [s.method, f"{s.ssim_hidden:.3f}", f"{s.psnr_hidden_db:.1f} dB", quantity(s.mae_hidden, unit)]
            for s in scores
        ]
        for row, texts in enumerate(table):
            for column, text in enumerate(texts):
                label = QLabel(text)
                if row == 0:
                    label.setObjectName("quiet")
                side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
                self._grid.addWidget(label, row, column, side)
        self._scores.setToolTip(
            "The rest of the scan was hidden from the method and compared afterwards. SSIM: structural similarity, "
            "1 is equal. PSNR: higher is better. Error: mean absolute difference"
        )

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        wide = self.width() >= _WIDE
        direction = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        if self._layout.direction() != direction:
            self._layout.setDirection(direction)
            self._layout.setSpacing(24 if wide else 8)
