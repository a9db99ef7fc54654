"""The second page: pairs that the training would learn from, as it makes them of the chosen scans."""

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from stmviewer.gui.sentences import sentence
from stmviewer.gui.training.picture_grid import PictureGrid, Tile, limits_of
from stmviewer.gui.worker import JobDesk
from stmviewer.services import events
from stmviewer.services.training import TrainingRequest
from stmviewer.services.training_preview import ExamplePair, pairs_job

_HELLO = "Choose a folder first: the pairs are made of the scans to train on"
#: pairs beside each other at most, and the width (pixels) that one needs with what is said below it
_MOST_BESIDE, _PAIR_WIDTH = 3, 200
_ABOUT = (
    "Pieces of the chosen scans, damaged by simulation: the model is given the left one and learns to find the right "
    "one. Grey is not measured."
)


class ExamplesPage(QWidget):
    """Makes pairs in the background when it is looked at, and anew when the choices are others."""

    def __init__(self, desk: JobDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._made_for: object = None
        self._seed = 0
        self._request: TrainingRequest | None = None
        self.pairs: tuple[ExamplePair, ...] = ()
        about = QLabel(_ABOUT)
        about.setObjectName("quiet")
        about.setWordWrap(True)
        self.grid = PictureGrid()
        self.grid.show_hint(_HELLO)
        self.others = QPushButton("Other pieces")
        self.others.clicked.connect(lambda _: self.make_others())
        self._making = desk.lane(desk.files, self._on_pairs)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(self.grid)
        top = QHBoxLayout()
        top.addWidget(about, 1)
        top.addWidget(self.others)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.setSpacing(6)
        layout.addLayout(top)
        layout.addWidget(scroll, 1)
        self.others.setEnabled(False)

    @property
    def busy(self) -> bool:
        return self._making.busy

    def show_request(self, request: TrainingRequest | None) -> None:
        """Makes the pairs of a request, unless those are on show; None where nothing is chosen."""
        self._request = request
        if request is None or not request.trained:
            self.end()
            self._made_for = None
            self.grid.show_hint(_HELLO)
            self.others.setEnabled(False)
            return
        sizes = request.size_by_rows, request.image_nm, request.crop
        choices = (request.folder, request.trained, request.task, sizes, self._seed)
        if choices == self._made_for:
            return
        self._made_for = choices
        self.grid.show_hint("Making pairs…")
        self._making.start("Pairs", pairs_job(request, self._seed))
        self.others.setEnabled(False)

    def make_others(self) -> None:
        """Pairs of other pieces with other damage."""
        self._seed += 1
        self.show_request(self._request)

    def end(self) -> None:
        self._making.drop()

    def _on_pairs(self, event: events.Event) -> None:
        match event:
            case events.Finished(tuple() as pairs):
                self.pairs = pairs
                self._show()
            case events.Failed(message):
                self.grid.show_hint(sentence(message))
        self.others.setEnabled(not self._making.busy)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.grid.rows and len(self.grid.heads) != 2 * self._beside():
            self._show()

    def _beside(self) -> int:
        return min(max(self.width() // _PAIR_WIDTH, 1), _MOST_BESIDE)

    def _show(self) -> None:
        tiles = [tile for pair in self.pairs for tile in _tiles(pair)]
        beside = self._beside()
        rows = [tiles[k : k + 2 * beside] for k in range(0, len(tiles), 2 * beside)]
        self.grid.show_tiles(("given", "wanted") * beside, rows)


def _tiles(pair: ExamplePair) -> tuple[Tile, Tile]:
    limits = limits_of(pair.wanted)
    what = "bad tip" if pair.task == "repair" else f"{100 * float(pair.measured.mean()):.0f} % measured"
    size = f", {1e9 * pair.pixel_m:.2g} nm per pixel" if pair.pixel_m is not None else ", size not told"
    return Tile(pair.given, limits, pair.measured, what + size), Tile(pair.wanted, limits)
