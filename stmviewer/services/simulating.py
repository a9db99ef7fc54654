"""Simulated pairs as files, the same from the window and the command line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stmviewer.files import save_scan
from stmviewer.files.provenance import to_json
from stmviewer.files.writing import replacing
from stmviewer.scan import Channel, Progress, RequestError, Scan
from stmviewer.services.surface_images import read_surface_images
from stmviewer.simulate import Pair, RealImages, simulate_on_images, simulate_scan, surface_names, to_scan

#: formats that pairs are written in
FORMATS = ("npz", "sxm", "gwy")
_DEFAULT_PIXEL_M = 0.1e-9


@dataclass(frozen=True)
class SimulateRequest:
    """`count` pairs of `rows` x `columns` pixels.

    `surface` is the name of a simulated one, or a scan or folder of good scans. `pixel_m` None: 0.1 nm, or for real
    scans their own pixel size or a random coarser one. `unfinished` is the share of scans that stop early.
    `settings` are parameters of a simulated surface that are not random.
    """

    surface: str
    rows: int
    columns: int
    count: int = 1
    pixel_m: float | None = None
    preset: str = "realistic"
    seed: int = 0
    unfinished: float = 0.0
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the files are called by."""
        surface = self.surface if self.surface in surface_names() else Path(self.surface).resolve().stem
        return f"{surface}-{self.preset}-{self.seed}"


class Simulator:
    """Makes the pairs of a request; pair k depends on the request's seed and k alone."""

    def __init__(self, request: SimulateRequest, progress: Progress) -> None:
        """Reads the good scans, where these are the surface. Raises FileError or RequestError for what is not there."""
        if request.count < 1:
            raise RequestError(f"a series has 1 pair or more, not {request.count}")
        self.request = request
        self.images: RealImages | None = None
        if request.surface not in surface_names():
            if request.settings:
                raise RequestError("parameters are set for simulated surfaces, not for good scans")
            self.images = read_surface_images(request.surface, min(request.rows, request.columns), progress)

    def pair(self, k: int) -> Pair:
        r = self.request
        seed = (r.seed, k)
        if self.images is not None:
            return simulate_on_images(
                self.images, r.rows, r.columns, r.pixel_m, r.preset, seed, unfinished=r.unfinished
            )
        pixel_m = _DEFAULT_PIXEL_M if r.pixel_m is None else r.pixel_m
        return simulate_scan(
            r.surface, r.rows, r.columns, pixel_m, r.preset, seed, unfinished=r.unfinished, settings=r.settings
        )

    def save_all(self, output: Path, file_format: str, progress: Progress) -> Iterator[Path]:
        """Writes every pair, with its recipe as JSON beside it, and says where. Raises Cancelled between two pairs."""
        progress = progress.part(1.0, "Simulating", self.request.count)
        for k in range(self.request.count):
            pair = self.pair(k)
            yield save_pair(pair, output / f"{self.request.name}-{k:05d}.{file_format}")
            progress.tick()


def save_pair(pair: Pair, path: Path) -> Path:
    """Writes a pair in the format of the suffix (npz: forward alone, for training elsewhere), and its recipe."""
    scan = to_scan(pair)
    written = save_scan(_as_result(scan) if path.suffix == ".npz" else scan, path)
    with replacing(written.with_suffix(".json")) as file:
        file.write((to_json(pair.recipe, indent=1) + "\n").encode())
    return written


def _as_result(scan: Scan) -> Scan:
    """The NPZ keys: `raw` is the degraded image, `restored` what a perfect restoration would give."""
    degraded, pristine = scan.channel("Z", "forward"), scan.channel("Z pristine")
    restored = Channel(degraded.name, pristine.unit, pristine.data, "forward", "restored")
    return Scan([degraded, restored], scan.geometry, bias_v=scan.bias_v, provenance=scan.provenance)
