"""What is to be trained."""

import math
import re
from dataclasses import dataclass, field
from pathlib import Path

from stmviewer.files.calibration import Calibration
from stmviewer.restore.classical import CLASSICAL
from stmviewer.restore.library import KINDS
from stmviewer.restore.request import Task
from stmviewer.scan import RequestError

SIMULATED = "simulated:"
#: a file name everywhere, and nothing that a list with commas or a command line would misread
_NAME = re.compile(r"\w[\w.-]{0,63}")


@dataclass(frozen=True)
class TrainSpec:
    """A training as asked for.

    source      folder of good scans, or `simulated:SURFACE`
    minutes     training time; the learning rate falls to nothing over it
    steps       instead of minutes: exactly so many steps, the same curve on every run
    mixed_with  a second source, of which `mixed_share` of the batches are: simulated surfaces beside few real scans
    small_share share of batches of small crops (3/8 of `crop`), so that coarse versions of small scans fit in
    start_from  name of a model whose weights are the start; a flow starts from a flow or a regression
    train_mean  the regression that is inside a flow is trained on, too (in a flow from scratch it always is)
    mean_from   name of the regression whose mean a flow starts at, where `start_from` is a flow of another one
    listed      file names below the folder that may be used (a protocol); None: all
    size_by_rows  scans without a pixel size get it from the dimer rows of Si(001)
    image_pixel_m  or this one (m), which somebody who knows has said; None: they count as 0.06 nm
    licence     of the weights, when the scans have one that they inherit
    validation  folder of scans that are never trained on, scored as sparse scans beside interpolation
    """

    kind: str
    name: str
    source: str
    minutes: float = 10.0
    steps: int | None = None
    seed: int = 0
    crop: int = 64
    batch: int = 16
    rate: float = 1.5e-3
    channels: tuple[int, ...] = (48, 96, 128)
    repair_share: float = 0.4
    mixed_with: str | None = None
    mixed_share: float = 0.5
    small_share: float = 0.25
    start_from: str | None = None
    mean_from: str | None = None
    train_mean: bool = False
    listed: tuple[str, ...] | None = None
    size_by_rows: bool = False
    image_pixel_m: float | None = None
    licence: str | None = None
    validation: Path | None = None
    validation_listed: tuple[str, ...] | None = None
    #: simulated surfaces kept in memory: how many, their side in pixels, their pixel size in m
    bank: int = 600
    bank_size: int = 320
    pixel_range_m: tuple[float, float] = field(default=(0.015e-9, 0.26e-9))
    #: samples over which training widens from the middle of that range to the whole
    widening: int = 32_000

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise RequestError(
                f"models of kind {', '.join(KINDS[:-1])} or {KINDS[-1]} can be trained, not '{self.kind}'"
            )
        if self.mean_from is not None and self.kind != "flow":
            raise RequestError(f"only a flow starts at the mean of another model, a model of kind {self.kind} does not")
        if self.train_mean and self.kind != "flow":
            raise RequestError(f"only a flow has a regression inside, a model of kind {self.kind} has none")
        if not 0 < self.minutes < math.inf:
            raise RequestError(f"minutes must be positive, not {self.minutes}")
        if self.steps is not None and self.steps < 1:
            raise RequestError(f"a training takes 1 step or more, not {self.steps}")
        if not 0 <= self.seed < 2**32:
            raise RequestError(f"the seed of a training must be 0 to {2**32 - 1}, not {self.seed}")
        if self.crop % 8 or self.crop < 32:
            raise RequestError(f"the crop must be a multiple of 8 of at least 32 pixels, not {self.crop}")
        if not 0 < self.pixel_range_m[0] <= self.pixel_range_m[1] < math.inf:
            low, high = (f"{1e9 * p:g}" for p in self.pixel_range_m)
            raise RequestError(f"pixel sizes go from a small to a large positive one, not from {low} to {high} nm")
        if self.image_pixel_m is not None:
            Calibration(pixel_nm=(1e9 * self.image_pixel_m, 1e9 * self.image_pixel_m))  # refuses what none can be
            if self.size_by_rows:
                raise RequestError("the pixel size of images is either given or told by their dimer rows, not both")
        shares = {
            "second source": self.mixed_share,
            "small crops": self.small_share,
            "repairs": self.repair_share,
        }
        for what, share in shares.items():
            if not 0 <= share <= 1:
                raise RequestError(f"the share of {what} must be 0 to 1, not {share}")
        check_name(self.name, self.kind)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What it is trained for: a model that never saw a repair does none."""
        if self.repair_share in (0, 1):
            return ("repair",) if self.repair_share else ("sparse",)
        return "repair", "sparse"

    def settings(self) -> dict[str, object]:
        """What must agree between a checkpoint and the training that resumes it."""
        return {
            "kind": self.kind,
            "source": self.source,
            "seed": self.seed,
            "crop": self.crop,
            "batch": self.batch,
            "channels": list(self.channels),
            "mixed_with": self.mixed_with,
            "mixed_share": self.mixed_share if self.mixed_with else None,
            "start_from": self.start_from,
            # checkpoints of before do not have these
            "size_by_rows": self.size_by_rows or None,
            "image_pixel_m": self.image_pixel_m,
            "task_alone": self.tasks[0] if len(self.tasks) == 1 else None,
            "mean_from": self.mean_from,
            "train_mean": self.train_mean or None,
            "listed": None if self.listed is None else list(self.listed),
        }


def check_name(name: str, kind: str) -> None:
    """Raises RequestError for what cannot be the name of a model."""
    if not _NAME.fullmatch(name):
        raise RequestError(f"'{name}' is no model name: use letters, digits, dash and underscore, 64 at most")
    if name in (*CLASSICAL, *KINDS):
        raise RequestError(f"'{name}' is the name of a method or kind; call the model {kind}-mylab, say")


def checkpoint_name(name: str) -> str:
    """`name`, or '' where none is given. Raises ValueError for what cannot be the name of a checkpoint."""
    if name and not _NAME.fullmatch(name):
        raise ValueError(f"'{name[:80]}' is no name of a checkpoint: use letters, digits, dash and underscore")
    return name
