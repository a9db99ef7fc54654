"""Lines on the images: the curves along them, their table, what the cursors read, and files of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject

from stmviewer.gui.delayed import delayed
from stmviewer.gui.measuring.panel import MeasurePanel
from stmviewer.gui.measuring.plots import Trace
from stmviewer.gui.measuring.profile_tool import COLOURS, ProfileTool
from stmviewer.gui.measuring.strip import Strip
from stmviewer.gui.measuring.work import Source, profile_of
from stmviewer.gui.quantities import quantity, scale_for
from stmviewer.gui.shown import Shown
from stmviewer.scan import RequestError, Spectrum
from stmviewer.scan.statistics import step_across

#: a line that is being dragged is followed that closely
_DELAY_MS = 30


class Profiles(QObject):
    """Shows the profiles of all sources while lines are the tool in use."""

    def __init__(self, panel: MeasurePanel, strip: Strip, parent: QObject) -> None:
        super().__init__(parent)
        self._panel, self._strip = panel, strip
        self.tool = ProfileTool(self)
        #: number of the line, source, and what lies along it
        self.found: list[tuple[int, Source, Spectrum]] = []
        #: what is measured; None while another tool is in use
        self._sources: list[Source] | None = None
        self._timer = delayed(self, self._draw, _DELAY_MS)
        self.tool.changed.connect(self._timer.start)
        panel.fit_toggled.connect(lambda _: self._show())
        strip.profiles.cursors_moved.connect(self._read_cursors)

    @property
    def waiting(self) -> bool:
        """Whether lines have changed and are not drawn yet."""
        return self._timer.isActive()

    def measure(self, sources: list[Source]) -> None:
        """Measures these along all lines, now and when the lines change."""
        self._sources = sources
        frame, pixels = sources[0].frame, self._panel.average.value()
        columns = sources[0].channel.data.shape[1]
        self.tool.width = (pixels - 1) * frame.width / columns if pixels > 1 else 0.0
        self.tool.changed.emit()
        self._draw()

    def leave(self) -> None:
        """Another tool is in use, or none."""
        self._sources = None

    def close(self) -> None:
        self._timer.stop()

    def _draw(self) -> None:
        if self._sources is None:
            return
        self._panel.show_fault("")
        found = []
        for number, ends in enumerate(self.tool.lines):
            for source in self._sources if ends.length > 0 else ():
                start, end = (ends.start.x(), ends.start.y()), (ends.end.x(), ends.end.y())
                try:
                    found.append((number, source, profile_of(source, start, end, self.tool.width)))
                except RequestError as error:
                    self._panel.show_fault(str(error))
        self.found = found
        self._show()

    def _show(self) -> None:
        if self._sources is None:
            return
        if not self.found:
            self._strip.show_hint("Drag a line on an image to see its profile")
            self._panel.show_rows([])
            return
        lateral, factor = self._sources[0].lateral
        several = len(self._sources) > 1
        traces = [
            Trace(
                f"{number + 1} {source.name}",
                spectrum.sweep.data * factor,
                spectrum.channels[0].data,
                COLOURS[number],
                dashed=several and not source.wide,
                wide=source.wide,
            )
            for number, source, spectrum in self.found
        ]
        self._strip.profiles.show_traces(traces, lateral, self.found[0][1].channel.unit)
        self._strip.show_page(self._strip.profiles)
        self._read_cursors()
        self._panel.show_rows(self._rows())

    def _rows(self) -> list[list[str]]:
        rows = [["Profile", "length", "lowest to highest"]]
        for number, source, spectrum in self.found:
            length = float(spectrum.sweep.data[-1])
            values = spectrum.channels[0].data
            span = float(np.nanmax(values) - np.nanmin(values)) if np.isfinite(values).any() else float("nan")
            told = quantity(length, "m") if source.geometry.calibrated else f"{length:.4g} px"
            rows.append([f"{number + 1} {source.name}", told, quantity(span, source.channel.unit)])
        if self._panel.fit.isChecked():
            newest = max(number for number, _, _ in self.found)
            rows.append(["Step", "", "height"])
            for number, source, spectrum in self.found:
                if number != newest:
                    continue
                try:
                    fit = step_across(spectrum.sweep.data, spectrum.channels[0].data)
                except RequestError as error:
                    self._panel.show_fault(str(error))
                    continue
                scale = scale_for(0.0, fit.height, source.channel.unit)
                told = f"{scale.number(fit.height)} ± {scale.number(fit.error)} {scale.label}"
                rows.append([f"{number + 1} {source.name}", "", told])
        return rows

    def _read_cursors(self) -> None:
        plot = self._strip.profiles
        if self._sources is None or not plot.traces:
            return
        lateral, _ = self._sources[0].lateral
        newest = plot.traces[-1].name.split()[0]
        told = [f"A to B: {plot.between:.4g} {lateral}"]
        for trace in plot.traces:
            if trace.name.split()[0] == newest:
                first, second = plot.at_cursors(trace)
                told.append(f"{trace.name}: Δ {plot.scale_y.text(second - first)}")
        self._strip.readout.setText("     ".join(told))

    def export(self, path: Path, shown: Shown | None) -> list[Path]:
        """Writes them as tables, one file a line, with what they are of; returns the files. Raises FileError."""
        from stmviewer.files.curves_csv import save_spectrum

        facts: dict[str, object] = {}
        if shown is not None:
            facts = {"task": "profile", "file": shown.raw.scan.name}
            if shown.history.enabled:
                facts["steps"] = shown.history.completed().to_list()
        written = []
        for number in dict.fromkeys(n for n, _, _ in self.found):
            spectra = [(source, s) for n, source, s in self.found if n == number]
            first = spectra[0][1]
            curves = [s.channels[0] for _, s in spectra]
            sweep = first.sweep.data
            same = [
                c if c.data.shape == sweep.shape else replace(c, data=np.interp(sweep, s.sweep.data, c.data))
                for c, (_, s) in zip(curves, spectra, strict=True)
            ]
            where = path if number == 0 else path.with_stem(f"{path.stem}-{number + 1}")
            written.append(save_spectrum(replace(first, channels=tuple(same)), where, facts))
        return written
