"""Drawing for a step: a rectangle or strokes on the images, or waves on their spectrum."""

from PySide6.QtCore import QObject, QPointF, QRectF, Signal
from PySide6.QtGui import QColor

from stmviewer.gui.drawing import BoxTool, BrushTool, Tool, Toolbox
from stmviewer.gui.processing.panel import ProcessPanel
from stmviewer.gui.processing.spectrum_marks import SpectrumMarks
from stmviewer.gui.shown import Shown
from stmviewer.scan import Step
from stmviewer.scan.processing.catalogue import KINDS
from stmviewer.scan.processing.filters import circles_of

_COLOUR = QColor("#ffd24d")


class StepTools(QObject):
    """One tool for each way of drawing. `drawn` carries what it means for the step, as a dict of its parameters;
    `finished` tells that no more can be drawn, `taken` that another tool is in use now.
    """

    drawn = Signal(dict)
    finished = Signal()
    taken = Signal()

    def __init__(self, panel: ProcessPanel, toolbox: Toolbox, marks: SpectrumMarks, parent: QObject) -> None:
        super().__init__(parent)
        self._panel, self._toolbox, self.marks = panel, toolbox, marks
        self.box = BoxTool(_COLOUR, "Drag a rectangle on the image. Esc: leave.", self)
        self.brush = BrushTool(_COLOUR, "Paint on the image. Esc: leave.", self)
        #: whether a step is being drawn
        self.active = False
        #: the image that is drawn on, and the step that is drawn further; None for one that begins
        self._shown: Shown | None = None
        self._step: Step | None = None
        self.box.drawn.connect(self._on_box)
        self.brush.painted.connect(self._on_stroke)
        marks.marked.connect(self._on_circles)
        toolbox.turned.connect(self._on_turned)

    def begin(self, name: str) -> None:
        """Takes the tool for that kind of step."""
        tool: Tool | None = {"box": self.box, "strokes": self.brush}.get(KINDS[name].drawn)
        self.box.rect = QRectF()
        if tool is None:
            self._toolbox.use(None)
            self.marks.begin()
        else:
            self.marks.finish()
            self._toolbox.use(tool)
        self._panel.show_hint(tool.hint if tool is not None else self.marks.hint)
        self.active = True  # only now: the tool that was in use may be told to leave

    def end(self) -> None:
        """Puts the tool away."""
        self.active = False
        self._panel.show_hint("")
        self.marks.finish()
        if self._toolbox.tool in (self.box, self.brush):
            self._toolbox.use(None)

    def fit(self, shown: Shown | None, step: Step | None, *, before: bool) -> None:
        """Gives the tools the image on show, and the step as it is; `before`: the image is what the step begins from,
        whose spectrum is the one to mark waves on."""
        self._shown, self._step = shown, step
        if shown is None or not self.active:
            return
        self.box.set_frame(shown.picture.frame)
        pixel = shown.picture.frame.width / shown.picture.data.shape[1]
        painting = step is not None and step.name == "mask-brush"
        radius = step.value("radius") if step and painting else KINDS["mask-brush"].parameter("radius").default
        self.brush.radius = float(radius) * pixel
        if self.marks.active:
            if before:
                self.marks.show_image(shown.channel.data, shown.scan.geometry)
            text = str(step.value("circles")) if step is not None and step.name == "fft-filter" else ""
            self.marks.show_circles(circles_of(text) if text else [])

    def _on_box(self, rect: QRectF) -> None:
        if self._shown is None or not self.active:
            return
        rows, columns = self._shown.picture.data.shape
        ends = (self._pixel(rect.topLeft()), self._pixel(rect.bottomRight()))
        (left, right), (top, bottom) = ([round(v) for v in pair] for pair in zip(*ends, strict=True))
        left, top = min(max(left, 0), columns - 1), min(max(top, 0), rows - 1)
        width, height = max(min(right, columns) - left, 1), max(min(bottom, rows) - top, 1)
        self.drawn.emit({"left": left, "top": top, "width": width, "height": height})
        self.finished.emit()

    def _on_stroke(self, points: list[QPointF]) -> None:
        if self._shown is None or not self.active:
            return
        stroke = " ".join(f"{x:.1f} {y:.1f}" for x, y in map(self._pixel, points))
        before = str(self._step.value("path")) if self._step is not None else ""
        self.drawn.emit({"path": " / ".join(filter(None, (before, stroke)))})

    def _on_circles(self, text: str) -> None:
        if self.active:
            self.drawn.emit({"circles": text})

    def _on_turned(self) -> None:
        if self.active and self._toolbox.tool not in (self.box, self.brush) and not self.marks.active:
            self.taken.emit()

    def _pixel(self, at: QPointF) -> tuple[float, float]:
        """Column and row of a place on the image."""
        assert self._shown is not None
        frame, (rows, columns) = self._shown.picture.frame, self._shown.picture.data.shape
        return (at.x() - frame.x) / frame.width * columns, (at.y() - frame.y) / frame.height * rows
