"""A thin bar without words: how far something is."""

from PySide6.QtWidgets import QProgressBar, QWidget

_WHOLE = 1000


class SlimBar(QProgressBar):
    """`keeps_place`: what is around it does not move when it is hidden."""

    def __init__(self, parent: QWidget | None = None, *, keeps_place: bool = False) -> None:
        super().__init__(parent)
        self.setRange(0, _WHOLE)
        self.setTextVisible(False)
        self.setFixedHeight(8)
        policy = self.sizePolicy()
        policy.setRetainSizeWhenHidden(keeps_place)
        self.setSizePolicy(policy)

    def show_fraction(self, fraction: float) -> None:
        """How much is done, from 0 to 1."""
        self.setRange(0, _WHOLE)
        self.setValue(round(_WHOLE * fraction))

    def show_motion(self) -> None:
        """Something is under way that does not say how far it is."""
        self.setRange(0, 0)
