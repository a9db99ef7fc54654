"""What the tests of the window hold in their hands: scans, a restorer that waits when told to, files that open."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
from pytestqt.qtbot import QtBot

from stmviewer.gui.services_used import Services
from stmviewer.gui.window import MainWindow
from stmviewer.restore import HiddenScore, ModelInfo, Restoration, RestoreRequest, title
from stmviewer.scan import Channel, FloatArray, Geometry, Mask, Scan, make_mask
from stmviewer.services import events
from stmviewer.services.jobs import Context, Job
from stmviewer.services.judging import TipState

MODELS = [
    ModelInfo("regression-sim", "regression", "sim", "Fast, one answer", ("repair", "sparse"), True, source="shipped"),
    ModelInfo("flow-sim", "flow", "sim", "Several answers", ("repair", "sparse"), True, (1, 4, 16), True),
    ModelInfo("linear", "linear", "", "Interpolation, the baseline", ("sparse",), False),
]
TEXTURE, NETWORK = title("flow-sim"), title("regression-sim")


class FakeRestorer:
    """Restores by a known rule, when it is let go.

    The restored image is the truth plus 1 pm. `gate` holds the job in the middle of its work, where it can be
    cancelled as a real one at its next tick.
    """

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.at_gate = threading.Event()
        self.error: Exception | None = None
        self.requests: list[RestoreRequest] = []

    def job(self, scan: Scan, request: RestoreRequest) -> Job:
        self.requests.append(request)

        def job(context: Context) -> Restoration:
            context.emit(events.Advanced(0.5, "Sampling", 12.0))  # not by tick(), which may leave out what comes fast
            self.at_gate.set()
            while not self.gate.wait(0.005):
                context.progress.check()
            if self.error is not None:
                raise self.error
            return restoration_of(scan, request)

        return job


def restoration_of(scan: Scan, request: RestoreRequest) -> Restoration:
    channel = scan.channel(request.channel, request.direction)
    rows, columns = channel.data.shape
    mask = Mask(channel.measured, "as measured")
    truth, scores = None, ()
    if request.task == "sparse" and request.mask not in (None, "file"):
        assert request.mask is not None
        mask, truth = make_mask(request.mask, rows, columns, request.seed), channel.data
        scores = (
            HiddenScore(request.model, 0.95, 31.0, 0.93, 30.0, 2e-12),
            HiddenScore("linear", 0.85, 25.0, 0.81, 24.0, 6e-12),
        )
    raw = np.where(mask.measured, channel.data, np.nan)
    return Restoration(
        raw=raw,
        mask=mask,
        mean=np.nan_to_num(channel.data) + 1e-12,
        deviation=np.full((rows, columns), 3e-12) if request.samples > 1 else None,
        residual=np.where(mask.measured, 1e-12, np.nan),
        geometry=scan.geometry,
        unit=channel.unit,
        channel=channel,
        request=request,
        model=request.model,
        truth=truth,
        scores=scores,
        warnings=("this is only a test",) if request.seed == 13 else (),
    )


def surface(rows: int = 64, columns: int = 64, seed: int = 0) -> FloatArray:
    """A tilted lattice of 100 pm with a little noise, as heights in m."""
    y, x = np.mgrid[0:rows, 0:columns]
    noise = np.random.default_rng(seed).normal(0, 2e-12, (rows, columns))
    heights: FloatArray = 1e-10 * np.sin(x / 3) * np.cos(y / 4) + 1e-11 * x + 3e-12 * y - 1.2e-7 + noise
    return heights


def make_scan(
    path: Path | None = None,
    data: FloatArray | None = None,
    geometry: Geometry | None = None,
    notes: tuple[str, ...] = (),
) -> Scan:
    """A scan with Z and Current, forward and backward."""
    data = surface() if data is None else data
    rows, columns = data.shape
    geometry = geometry or Geometry(columns, rows, 20e-9, 20e-9 * rows / columns)
    channels = [
        Channel("Z", "m", data),
        Channel("Z", "m", data + 5e-12, "backward"),
        Channel("Current", "A", np.where(np.isfinite(data), 5e-11 + data / 1e3, np.nan)),
    ]
    return Scan(
        channels,
        geometry,
        path,
        bias_v=-1.8,
        setpoint_a=5e-11,
        line_time_s=(0.9, 0.9),
        recorded="2024-05-01",
        notes=notes,
    )


class Bench:
    """Everything a test of the window needs to hold."""

    def __init__(self, services: Services, restorer: FakeRestorer, scans: dict[Path, Scan], tmp_path: Path) -> None:
        self.services, self.restorer, self.scans = services, restorer, scans
        self.folder = tmp_path
        self.settings_path = tmp_path / "settings" / "window.ini"
        self.exported: list[Path] = []
        self.judged: list[Channel] = []
        self.tip = TipState({"good": 0.1, "double": 0.8, "change": 0.05, "blurry": 0.05})

    def add(self, name: str, scan: Scan | None = None) -> Path:
        """Puts a file into the folder that opens as `scan`."""
        path = self.folder / name
        path.write_bytes(b"a scan")
        self.scans[path] = replace(scan or make_scan(), path=path)
        return path


def real_services() -> Services:
    """The real ones, but no tip is judged: the first import of torch may take longer than a test waits."""
    return Services(
        tip_state_job=lambda _scan, _channel: lambda _: None,
        file_tip_job=lambda path, *_: lambda _: (path, "not judged"),
    )


def settled(qtbot: QtBot, window: MainWindow, timeout: int = 5000) -> None:
    """Waits until neither a job nor a delayed one is under way; but the tip may still be judged."""
    session, page = window.session, window.restore_page
    qtbot.waitUntil(lambda: not (session.desk.busy or session.steps.busy or page.waiting), timeout=timeout)


def listed(window: MainWindow) -> list[str]:
    """The names in the list at the left, as they are seen."""
    panel = window.files
    return [panel.filtered.index(row, 0).data() for row in range(panel.filtered.rowCount())]
