"""The report as PDF, drawn with matplotlib on A4 pages.

Not printed from the HTML: what could do that (a browser, Qt's document) is either not part of stmviewer or not to be
had on a computer without a screen, and Qt's knows little CSS. matplotlib ships, and draws the very same figures.
"""

import io
import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from stmviewer.evaluate.report import plots, wording
from stmviewer.evaluate.report.html import coloured
from stmviewer.evaluate.report.wording import Cell, Table
from stmviewer.evaluate.study.measures import BY_KEY
from stmviewer.evaluate.study.result import Example, Study

#: A4 and its margins in inches; one typographic point
_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 8.27, 11.69, 0.65, 0.65, 0.6
_POINT = 1 / 72
_INNER = _WIDTH - 2 * _LEFT
#: width that figures are drawn with before they are fitted in (inches)
_FIGURE = 8.2
#: every pixel goes into the file; any other word has matplotlib resample images to 100 dots an inch
_AS_IT_IS = "none"
#: size of the words below an image (points)
_SMALL = 6.5
#: columns of a table that fit beside its names
_COLUMNS = 6


class Pages:
    """Puts text, tables and figures below each other, on as many pages as it takes."""

    def __init__(self, file: PdfPages, foot: str) -> None:
        self._file, self._foot, self._number = file, foot, 0
        self._page: Figure | None = None
        self._at = 0.0  # inches from the top

    def finish(self) -> None:
        if self._page is None:
            return
        for x, text, side in ((_LEFT, self._foot, "left"), (_WIDTH - _LEFT, str(self._number), "right")):
            self._page.text(x / _WIDTH, 0.3 / _HEIGHT, text, fontsize=7, color=plots.QUIET, ha=side)
        self._file.savefig(self._page)
        self._page = None

    def room(self, height: float) -> Figure:
        """The page that has so many inches left; a new one where the present one has not."""
        if self._page is None or self._at + height > _HEIGHT - _BOTTOM:
            self.finish()
            self._page, self._at, self._number = Figure(figsize=(_WIDTH, _HEIGHT)), _TOP, self._number + 1
        return self._page

    def space(self, height: float) -> None:
        self._at += height

    def text(
        self,
        words: str,
        size: float = 9,
        bold: bool = False,
        colour: str = plots.INK,
        indent: float = 0.0,
        keep: float = 0.0,
    ) -> None:
        """A paragraph; `keep` more inches must fit below it on the page (a heading and what follows)."""
        # the mean width of a letter is half its size, a little more where it is bold
        width = int((_INNER - indent) / (size * _POINT * (0.54 if bold else 0.5)))
        lines = textwrap.wrap(words, width) or [""]
        step = 1.35 * size * _POINT
        self.room(min(step * len(lines) + keep, _HEIGHT - _TOP - _BOTTOM))
        for line in lines:
            page = self.room(step)
            self._at += step
            x, y = (_LEFT + indent) / _WIDTH, 1 - (self._at - 0.25 * step) / _HEIGHT
            page.text(x, y, line, fontsize=size, color=colour, weight="bold" if bold else "normal", va="baseline")

    def axes(self, height: float, left: float = 0.0, width: float = _INNER) -> Axes:
        """Empty axes over a part of the width, so many inches high; the place is not used up (`space` does that)."""
        page = self.room(height)
        box = ((_LEFT + left) / _WIDTH, 1 - (self._at + height) / _HEIGHT, width / _WIDTH, height / _HEIGHT)
        axes = page.add_axes(box)
        axes.set_axis_off()
        return axes

    def picture(self, figure: Figure) -> None:
        """A figure over the whole width."""
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=220)
        buffer.seek(0)
        from PIL import Image

        with Image.open(buffer) as image:
            data = np.asarray(image.convert("RGB"))
        height = _INNER * data.shape[0] / data.shape[1]
        self.axes(height).imshow(data, aspect="auto", interpolation=_AS_IT_IS)
        self.space(height + 0.12)

    def table(self, table: Table) -> None:
        """In blocks of as many columns as fit."""
        for block in table.blocks(_COLUMNS):
            self._block(block.head, block.rows)

    def _block(self, head: Sequence[str], rows: Sequence[tuple[str, list[Cell]]]) -> None:
        heads = [textwrap.wrap(h, 12) for h in head]
        top = 0.13 * max((len(h) for h in heads), default=1) + 0.08
        deep = any(c.interval for _, cells in rows for c in cells)
        step = 0.29 if deep else 0.18
        height = top + step * len(rows) + 0.12
        axes = self.axes(height)
        axes.set_xlim(0, _INNER)
        axes.set_ylim(height, 0)
        column = (_INNER - 1.6) / _COLUMNS
        axes.text(0, top - 0.07, "Method", fontsize=7.5, weight="bold", va="bottom")
        for k, lines in enumerate(heads):
            axes.text(
                1.6 + (k + 1) * column, top - 0.07, "\n".join(lines), fontsize=7, weight="bold", ha="right", va="bottom"
            )
        axes.plot([0, _INNER], [top - 0.03] * 2, color=plots.INK, linewidth=0.9)
        for n, (name, cells) in enumerate(rows):
            y = top + step * n
            axes.text(0, y + 0.11, "\n".join(textwrap.wrap(name, 27)[:2]), fontsize=7.5, va="center")
            for k, cell in enumerate(cells):
                x = 1.6 + (k + 1) * column
                axes.text(
                    x,
                    y + 0.08,
                    cell.text,
                    fontsize=7.5,
                    ha="right",
                    va="center",
                    weight="bold" if cell.best else "normal",
                )
                axes.text(x, y + 0.2, cell.interval, fontsize=5.6, ha="right", va="center", color=plots.QUIET)
            axes.plot([0, _INNER], [y + step - 0.01] * 2, color="#d5d8dc", linewidth=0.5)
        self.space(height)

    def strip(self, example: Example) -> None:
        """What every method made of one image, side by side, pixel by pixel."""
        count = max(len(example.pictures), 5)
        gap = 0.07
        width = (_INNER - gap * (count - 1)) / count
        shapes = [p.grey.shape for p in example.pictures]
        height = max(width * rows / columns for rows, columns in shapes)
        letters = int(width / (0.52 * _SMALL * _POINT))
        words = [(textwrap.wrap(p.title, letters), textwrap.wrap(p.note, letters)) for p in example.pictures]
        deep = 0.11 * max(len(title) + len(note) for title, note in words)
        self.room(height + deep + 0.18)
        for k, p in enumerate(example.pictures):
            tall = width * p.grey.shape[0] / p.grey.shape[1]
            left = k * (width + gap)
            self.axes(tall, left, width).imshow(coloured(p.grey), aspect="auto", interpolation=_AS_IT_IS)
            page = self.room(0)
            title, note = words[k]
            for n, line in enumerate([*title, *note]):
                y = 1 - (self._at + height + 0.13 + 0.11 * n) / _HEIGHT
                colour = plots.INK if n < len(title) else plots.QUIET
                page.text((_LEFT + left) / _WIDTH, y, line, fontsize=_SMALL, color=colour)
        self.space(height + deep + 0.14)


def write_pdf(study: Study, path: Path | io.BytesIO) -> None:
    """All pages of the report. Model cards are in the HTML alone."""
    # letters as outlines of the font itself: text can be searched and copied
    with rc_context({"pdf.fonttype": 42}), PdfPages(path, metadata={"Title": study.question}) as file:
        pages = Pages(file, f"stmviewer {study.version} · {study.made[:16].replace('T', ' ')} UTC")
        _first(pages, study)
        for task in study.tasks:
            _task(pages, study, task)
        _models(pages, study)
        pages.finish()


def _first(pages: Pages, study: Study) -> None:
    pages.text(study.question, 16, bold=True)
    pages.space(0.06)
    pages.text(
        f"{study.made[:16].replace('T', ' ')} UTC · stmviewer {study.version} · {study.device} · {study.platform} · "
        f"{study.seconds:.0f} s in all",
        7.5,
        colour=plots.QUIET,
    )
    pages.space(0.12)
    for line in wording.in_short(study):
        pages.text("•  " + line, 9.5)
        pages.space(0.03)
    if study.notes:
        pages.space(0.1)
        pages.text("Before you believe it", 11, bold=True, keep=0.3)
        for note in study.notes:
            pages.text(f"•  {note}.", 8.5)
            pages.space(0.02)
    pages.space(0.1)
    pages.text("Data", 11, bold=True, keep=0.3)
    for s in study.sets:
        pages.text(
            f"{s.role}: {s.folder}, {s.images} images of {s.groups} places or sessions, {s.shape} pixels, {s.pixels};"
            f" SHA-256 over its files {s.sha256[:32]}",
            8.5,
        )
    pages.text(
        "Of each scan the middle is taken, 256 pixels a side at most. Intervals are 95 %, by bootstrap over places or "
        "sessions.",
        7.5,
        colour=plots.QUIET,
    )


def _task(pages: Pages, study: Study, task: str) -> None:
    pages.space(0.18)
    pages.text(wording.task_title(study, task), 13, bold=True, keep=2.0)
    pages.space(0.05)
    pages.picture(plots.task_figure(study, task, _FIGURE))
    pages.table(wording.task_table(study, task))
    distances, figure = wording.distance_table(study, task), plots.distance_figure(study, task, _FIGURE)
    if distances is not None and figure is not None:
        pages.text(distances.title, 10, bold=True, keep=1.5)
        pages.picture(figure)
        pages.table(distances)
    ranked = BY_KEY[wording.leading(study, task)].title
    for e in (e for e in study.examples if e.task == task):
        pages.text(f"{e.which.capitalize()} image by {ranked} of {e.by}: {e.image}", 8.5, bold=True, keep=1.8)
        pages.space(0.04)
        pages.strip(e)


def _models(pages: Pages, study: Study) -> None:
    pages.space(0.15)
    pages.text("Models", 13, bold=True, keep=0.5)
    for m in study.models:
        weights = f"; weights SHA-256 {m.sha256[:32]}" if m.sha256 else ""
        pages.text(f"{m.name}: {m.summary}. {m.licence}{weights}", 8.5)
    pages.space(0.12)
    pages.text("What the numbers mean", 13, bold=True, keep=0.5)
    used = {k for task in study.tasks for k in study.measures(task)}
    for measure in BY_KEY.values():
        if measure.key in used:
            unit = f" ({measure.unit})" if measure.unit else ""
            pages.text(f"{measure.title}{unit}: {measure.about}", 8)
    for title, about in study.spaces.values():
        pages.text(f"{title}: {about}.", 8)
