"""Marking waves on the spectrum of the image that is processed."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QObject, QPointF, Signal
from PySide6.QtGui import QColor

from stmviewer.gui.display import Frame, Picture
from stmviewer.gui.drawing import Ring
from stmviewer.gui.measuring.planes import PlaneLook
from stmviewer.gui.measuring.strip import Strip
from stmviewer.scan import FloatArray, Geometry, RequestError
from stmviewer.scan.processing.filters import Circle
from stmviewer.scan.waves import PowerSpectrum, peaks_of, spectrum_of

_RING = QColor("#ffd24d")


def spectrum_look(title: str, spectrum: PowerSpectrum, geometry: Geometry, rings: Sequence[Ring] = ()) -> PlaneLook:
    """The logarithm of a spectrum; axes in waves per nm (or pixel)."""
    factor = 1e-9 if geometry.calibrated else 1.0
    rows, columns = spectrum.amplitude.shape
    step_x, step_y = spectrum.step_x * factor, spectrum.step_y * factor
    # the cell of zero frequency has its centre at zero
    frame = Frame(-(columns // 2 + 0.5) * step_x, -(rows // 2 + 0.5) * step_y, columns * step_x, rows * step_y, "px")
    floor = float(np.median(spectrum.amplitude))
    values = np.log10(np.maximum(spectrum.amplitude, max(floor, 1e-300) * 1e-2))
    high = float(np.percentile(values, 99.98))
    low = min(float(np.percentile(values, 40)), high - 1e-6)
    waves = peaks_of(spectrum, geometry)
    focus = 1.8 * max(float(np.hypot(w.kx, w.ky)) for w in waves) * factor if waves else None
    return PlaneLook(title, Picture(values, frame), (low, high), tuple(rings), focus)


class SpectrumMarks(QObject):
    """Shows the spectrum in the strip while waves are marked. `marked` gives all circles as the text of the step."""

    marked = Signal(str)
    hint = "Drag a circle around each spot on the spectrum below; a click marks a point. Esc: leave."

    def __init__(self, strip: Strip, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._strip = strip
        self.active = False
        self._circles: list[Circle] = []
        self._least = 0.0
        self._source: FloatArray | None = None
        self._spectrum: PowerSpectrum | None = None
        self._geometry: Geometry | None = None
        strip.planes.drawn.connect(self._drawn)

    def begin(self) -> None:
        self.active = True
        self._source = self._spectrum = None
        self._strip.show_hint(self.hint)

    def finish(self) -> None:
        if self.active:
            self.active = False
            self._strip.hide()

    @property
    def ready(self) -> bool:
        """Whether there is a spectrum to mark."""
        return self.active and self._spectrum is not None

    def show_image(self, data: FloatArray, geometry: Geometry) -> None:
        """Takes the image before the step, whose spectrum is marked."""
        if data is self._source and self._spectrum is not None:
            return
        try:
            self._source, self._spectrum, self._geometry = data, spectrum_of(data, geometry), geometry
        except RequestError as error:
            self._source = self._spectrum = None
            self._strip.show_hint(str(error))

    def show_circles(self, circles: Sequence[Circle]) -> None:
        """Shows what is marked."""
        self._circles = list(circles)
        spectrum, geometry = self._spectrum, self._geometry
        if spectrum is None or geometry is None:
            return
        self._least = self._least_radius(geometry)
        rings: list[Ring] = []
        for x, y, radius in self._circles:
            rings += [Ring(QPointF(s * x, s * y), max(radius, self._least), _RING) for s in (1, -1)]
        look = spectrum_look("Spectrum before this step", spectrum, geometry, rings)
        self._strip.planes.show_looks([look], makes=True)
        self._strip.show_page(self._strip.planes)

    @staticmethod
    def _least_radius(geometry: Geometry) -> float:
        factor = 1e9 if geometry.calibrated else 1.0
        return 1.5 / (min(geometry.width, geometry.height) * factor)

    def _drawn(self, centre: QPointF, radius: float) -> None:
        if not self.active:
            return
        circle = (centre.x(), centre.y(), max(radius, self._least))
        # a click on a marked spot takes the mark away
        kept = [c for c in self._circles if min(_away(c, centre), _away(c, -centre)) > c[2]]
        if radius > 0 or len(kept) == len(self._circles):
            kept.append(circle)
        self.marked.emit(" ".join(f"{v:.5g}" for c in kept for v in c))


def _away(circle: Circle, at: QPointF) -> float:
    return float(np.hypot(circle[0] - at.x(), circle[1] - at.y()))
