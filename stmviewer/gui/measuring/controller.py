"""Between the Measure page, the images and the strip below them."""

from pathlib import Path
from typing import cast

import numpy as np
from PySide6.QtCore import QObject, QPointF, QRectF, QTimer, Signal
from PySide6.QtGui import QColor

from stmviewer.gui.display import Picture
from stmviewer.gui.drawing import BoxTool, Ring, Toolbox
from stmviewer.gui.measuring.panel import MeasurePanel
from stmviewer.gui.measuring.planes import PlaneLook
from stmviewer.gui.measuring.plots import Trace
from stmviewer.gui.measuring.profile_tool import COLOURS, ProfileTool
from stmviewer.gui.measuring.strip import Strip
from stmviewer.gui.measuring.tables import as_text, statistics_table, terraces_table, waves_table
from stmviewer.gui.measuring.work import (
    Likeness,
    Mode,
    Result,
    Source,
    Waves,
    finite_range,
    likeness_frame,
    measured_all,
    profile_of,
    sources_of,
)
from stmviewer.gui.processing.spectrum_marks import spectrum_look
from stmviewer.gui.quantities import quantity, scale_for
from stmviewer.gui.scan_view import ScanView
from stmviewer.gui.session import Session
from stmviewer.scan import RequestError, Spectrum
from stmviewer.scan.statistics import Histogram, Statistics, step_across
from stmviewer.services import events

_BOX = QColor("#ffd24d")
_RAW, _RESTORED = QColor("#8a93a0"), QColor("#22b8cf")
_REGION_HINT = "Drag a rectangle for a part of the image; click for all of it. Esc: leave."
_STEPS_HINT = _REGION_HINT + "\n\nTerraces must be level first: Process › Level › Facets."
_DELAY_MS = 30


class Measuring(QObject):
    """Which tool is in use, and what it has found on what is on show. `changed` for the menus."""

    changed = Signal()
    copied = Signal(str)

    def __init__(
        self, session: Session, view: ScanView, panel: MeasurePanel, strip: Strip, toolbox: Toolbox, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._session, self._view, self._panel, self._strip, self._toolbox = session, view, panel, strip, toolbox
        self.mode: Mode | None = None
        self.profile = ProfileTool(self)
        self.box = BoxTool(_BOX, _REGION_HINT, self)
        self.found: list[tuple[Source, Result]] = []
        self.profiles: list[tuple[int, Source, Spectrum]] = []
        self._sources: list[Source] = []
        self._frame = QRectF()
        self._levelled = True
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DELAY_MS)
        self._lane = session.desk.lane(session.desk.files, self._on_result)
        self._connect()

    def _connect(self) -> None:
        self._panel.mode_asked.connect(self._ask)
        self._panel.width_changed.connect(lambda _: self._again())
        self._panel.fit_toggled.connect(lambda _: self._show_profiles())
        self._panel.clear_asked.connect(self.clear)
        self._panel.copy_asked.connect(lambda: self.copied.emit(as_text(self._panel.table.rows)))
        self.profile.changed.connect(self._timer.start)
        self.box.drawn.connect(lambda _: self._measure())
        self.box.cleared.connect(self._measure)
        self._timer.timeout.connect(self._draw_profiles)
        self._strip.profiles.cursors_moved.connect(self._read_cursors)
        self._strip.planes.hovered.connect(self._hovered)
        self._session.shown_changed.connect(self._on_shown)
        self._session.restoring.restored_changed.connect(self._again)
        self._view.changed.connect(self._on_view)
        self._toolbox.turned.connect(self._on_turned)

    # what the user does

    def use(self, mode: Mode | None) -> None:
        """Takes a tool; None leaves it."""
        if mode is not None and self._session.shown is None:
            mode = None
        self.mode = mode
        tool = None if mode is None else self.profile if mode == "profile" else self.box
        self._strip.readout.setText(" ")
        hints: dict[Mode, str] = {"profile": self.profile.hint, "steps": _STEPS_HINT}
        self._panel.show_mode(mode, hints.get(mode, _REGION_HINT) if mode else "")
        if mode is None:
            self._lane.drop()
            self._strip.hide()
            if self._toolbox.tool in (self.profile, self.box):
                self._toolbox.use(None)
        else:
            self._toolbox.use(tool)
            self._again()
        self.changed.emit()

    def leave(self) -> None:
        self.use(None)

    def clear(self) -> None:
        """Takes away what was drawn."""
        if self.mode == "profile":
            self.profile.clear()
        else:
            self.box.set_rect(QRectF())
            self._measure()

    def _ask(self, mode: str) -> None:
        self.use(cast(Mode, mode) if mode else None)

    def close(self) -> None:
        self._timer.stop()

    # what happens

    def _on_turned(self) -> None:
        if self.mode is not None and self._toolbox.tool not in (self.profile, self.box):
            self.use(None)

    def _on_shown(self) -> None:
        shown = self._session.shown
        if shown is None:
            self.use(None)
            return
        frame = shown.picture.frame
        rect = QRectF(frame.x, frame.y, frame.width, frame.height)
        if rect != self._frame:
            # another place of the sample: lines of the last one mean nothing here
            self._frame, self.box.rect = rect, QRectF()
            self.profile.lines.clear()
        self.box.set_frame(frame)
        self._again()

    def _on_view(self) -> None:
        """Levelling for view is that of profiles, too; other changes of the panes are none."""
        if self._sources and self._view.levelled != self._levelled:
            self._again()

    def _again(self) -> None:
        """What is in use is measured anew on what is on show now."""
        shown = self._session.shown
        if self.mode is None or shown is None:
            return
        self._levelled = self._view.levelled
        self._sources = sources_of(shown, self._session.restored, levelled=self._view.levelled)
        frame = shown.picture.frame
        pixels = self._panel.average.value()
        self.profile.width = (pixels - 1) * frame.width / shown.picture.data.shape[1] if pixels > 1 else 0.0
        if self.mode == "profile":
            self.profile.changed.emit()
            self._draw_profiles()
        else:
            self._measure()

    # profiles

    def _draw_profiles(self) -> None:
        if self.mode != "profile":
            return
        self._panel.show_fault("")
        found = []
        for number, ends in enumerate(self.profile.lines):
            for source in self._sources if ends.length > 0 else ():
                start, end = (ends.start.x(), ends.start.y()), (ends.end.x(), ends.end.y())
                try:
                    found.append((number, source, profile_of(source, start, end, self.profile.width)))
                except RequestError as error:
                    self._panel.show_fault(str(error))
        self.profiles = found
        self._show_profiles()

    def _show_profiles(self) -> None:
        if self.mode != "profile":
            return
        if not self.profiles:
            self._strip.show_hint("Drag a line on an image to see its profile")
            self._panel.show_rows([])
            return
        lateral, factor = self._lateral()
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
            for number, source, spectrum in self.profiles
        ]
        self._strip.profiles.show_traces(traces, lateral, self.profiles[0][1].channel.unit)
        self._strip.show_page(self._strip.profiles)
        self._read_cursors()
        self._panel.show_rows(self._profile_rows())

    def _profile_rows(self) -> list[list[str]]:
        rows = [["Profile", "length", "lowest to highest"]]
        for number, source, spectrum in self.profiles:
            length = float(spectrum.sweep.data[-1])
            values = spectrum.channels[0].data
            span = float(np.nanmax(values) - np.nanmin(values)) if np.isfinite(values).any() else float("nan")
            told = quantity(length, "m") if source.geometry.calibrated else f"{length:.4g} px"
            rows.append([f"{number + 1} {source.name}", told, quantity(span, source.channel.unit)])
        if self._panel.fit.isChecked():
            newest = max(number for number, _, _ in self.profiles)
            rows.append(["Step", "", "height"])
            for number, source, spectrum in self.profiles:
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
        if self.mode != "profile" or not plot.traces:
            return
        lateral, _ = self._lateral()
        newest = plot.traces[-1].name.split()[0]
        told = [f"A to B: {plot.between:.4g} {lateral}"]
        for trace in plot.traces:
            if trace.name.split()[0] == newest:
                first, second = plot.at_cursors(trace)
                told.append(f"{trace.name}: Δ {plot.scale_y.text(second - first)}")
        self._strip.readout.setText("     ".join(told))

    def _lateral(self) -> tuple[str, float]:
        calibrated = bool(self._sources) and self._sources[0].geometry.calibrated
        return ("nm", 1e9) if calibrated else ("px", 1.0)

    def export(self, path: Path) -> list[Path]:
        """Writes the profiles as tables, one file a line; returns them. Raises FileError."""
        from dataclasses import replace

        from stmviewer.files.curves_csv import save_spectrum

        shown = self._session.shown
        facts = {"task": "profile", "file": shown.raw.scan.name} if shown is not None else {}
        if shown is not None and shown.history.enabled:
            facts["steps"] = shown.history.completed().to_list()  # type: ignore[assignment]
        written = []
        for number in dict.fromkeys(n for n, _, _ in self.profiles):
            spectra = [(source, s) for n, source, s in self.profiles if n == number]
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

    # regions

    def _measure(self) -> None:
        mode = self.mode
        if mode is None or mode == "profile":
            return
        box = self.box.rect
        rect = None if box.isEmpty() else (box.x(), box.y(), box.width(), box.height())
        sources = list(self._sources)
        self._panel.show_fault("")
        self._lane.start("Measuring", lambda _: (mode, measured_all(mode, sources, rect)))

    def _on_result(self, event: events.Event) -> None:
        match event:
            case events.Finished((mode, found)) if mode == self.mode:
                self.found = found
                self._show_found()
            case events.Failed(message):
                self.found = []
                self._panel.show_rows([])
                self._panel.show_fault(message)
                self._strip.hide()

    def _show_found(self) -> None:
        strip = self._strip
        match self.mode:
            case "region":
                strip.hide()
                self._panel.show_rows(statistics_table([(s, r) for s, r in self.found if isinstance(r, Statistics)]))
            case "spectrum":
                waves = [(s, r) for s, r in self.found if isinstance(r, Waves)]
                self._panel.show_rows(waves_table(waves))
                strip.planes.show_looks([self._waves_look(s, r) for s, r in waves])
                strip.show_page(strip.planes)
            case "autocorrelation":
                alike = [(s, r) for s, r in self.found if isinstance(r, Likeness)]
                strip.planes.show_looks(
                    [
                        PlaneLook(
                            f"Autocorrelation, {s.name}", Picture(r.values, likeness_frame(r)), finite_range(r.values)
                        )
                        for s, r in alike
                    ]
                )
                strip.show_page(strip.planes)
                self._panel.show_rows([])
            case "steps":
                self._show_steps([(s, r) for s, r in self.found if isinstance(r, Histogram)])

    def _waves_look(self, source: Source, found: Waves) -> PlaneLook:
        factor = 1e-9 if found.geometry.calibrated else 1.0
        size = 1.2 * max(found.spectrum.step_x, found.spectrum.step_y) * factor
        size = max(size, 0.012 * max(found.spectrum.most) * factor)
        rings = [
            Ring(QPointF(sign * w.kx * factor, sign * w.ky * factor), size, _BOX, str(number) if sign > 0 else "")
            for number, w in enumerate(found.waves[:6], 1)
            for sign in (1, -1)
        ]
        return spectrum_look(f"Spectrum, {source.name}", found.spectrum, found.geometry, rings)

    def _show_steps(self, found: list[tuple[Source, Histogram]]) -> None:
        self._panel.show_rows(terraces_table(found))
        traces = []
        marks = []
        for source, h in found:
            colour = _RESTORED if source.wide else _RAW
            traces.append(Trace(source.name, h.heights, h.counts, colour, wide=source.wide))
            marks += [(t.height, colour) for t in h.terraces]
        if found:
            self._strip.histograms.show_histograms(traces, marks, found[0][0].channel.unit)
            self._strip.show_page(self._strip.histograms)

    def _hovered(self, at: object) -> None:
        """Period and direction under the cursor on a spectrum, distance on an autocorrelation."""
        if self.mode not in ("spectrum", "autocorrelation") or at is None:
            self._strip.readout.setText(" ")
            return
        x, y = at.x(), at.y()  # type: ignore[attr-defined]
        size = float(np.hypot(x, y))
        angle = float(np.degrees(np.arctan2(-y, x))) % 180
        lateral, _ = self._lateral()
        if self.mode == "spectrum":
            told = f"period {1 / size:.4g} {lateral}" if size > 0 else "the mean"
        else:
            told = f"moved by {size:.4g} {lateral}"
        self._strip.readout.setText(f"{told}     {angle:.0f}°")


def _alike_look(source: Source, found: Likeness) -> PlaneLook:
    picture = Picture(found.values, likeness_frame(found))
    return PlaneLook(f"Autocorrelation, {source.name}", picture, finite_range(found.values))
