"""What is to be trained."""

from dataclasses import dataclass, field
from pathlib import Path

from stmviewer.scan import RequestError

SIMULATED = "simulated:"


@dataclass(frozen=True)
class TrainSpec:
    """A training as asked for.

    source      folder of good scans, or `simulated:SURFACE`
    minutes     training time; the learning rate falls to nothing over it
    steps       instead of minutes: exactly so many steps, the same curve on every run
    start_from  name of a model whose weights are the start; a flow needs a regression model either way
    listed      file names below the folder that may be used (a protocol); None: all
    validation  folder of scans that are never trained on, scored as sparse scans beside interpolation
    """

    kind: str
    name: str
    source: str
    minutes: float = 10.0
    steps: int | None = None
    seed: int = 0
    crop: int = 96
    batch: int = 16
    rate: float = 1e-3
    channels: tuple[int, ...] = (48, 96, 128)
    repair_share: float = 0.4
    start_from: str | None = None
    listed: tuple[str, ...] | None = None
    validation: Path | None = None
    validation_listed: tuple[str, ...] | None = None
    #: simulated surfaces kept in memory: how many, their side in pixels, their pixel size in m
    bank: int = 600
    bank_size: int = 320
    pixel_range_m: tuple[float, float] = field(default=(0.03e-9, 0.26e-9))
    #: samples over which training widens from the middle of that range to the whole
    widening: int = 32_000

    def __post_init__(self) -> None:
        if self.kind not in ("regression", "flow"):
            raise RequestError(f"models of kind regression or flow can be trained, not '{self.kind}'")
        if not self.minutes > 0:
            raise RequestError(f"minutes must be positive, not {self.minutes}")
        if self.crop % 8 or self.crop < 32:
            raise RequestError(f"the crop must be a multiple of 8 of at least 32 pixels, not {self.crop}")
        if not self.name or any(c in self.name for c in '/\\:*?"<>| '):
            raise RequestError(f"'{self.name}' is no model name: use letters, digits, dash and underscore")

    def settings(self) -> dict[str, object]:
        """What must agree between a checkpoint and the training that resumes it."""
        return {
            "kind": self.kind,
            "source": self.source,
            "seed": self.seed,
            "crop": self.crop,
            "batch": self.batch,
            "channels": list(self.channels),
            "start_from": self.start_from,
        }
