"""What a chooser shows of a model, read from its card and never from its weights."""

from dataclasses import dataclass
from typing import Literal

from stmviewer.restore.request import Task
from stmviewer.restore.titles import title

#: sampler steps of each kind where the request leaves the choice: a few give the best SSIM, more give more texture
DEFAULT_STEPS = {"flow": 4, "cfm": 8, "diffusion": 16}


@dataclass(frozen=True)
class ModelInfo:
    """A model that can be chosen.

    `name` is KIND-FAMILY or the name of a classical method, `summary` one line on what it is for, `steps` the
    sampler steps worth offering (empty where it has none), `samples` whether several samples differ.
    """

    name: str
    kind: str
    family: str
    summary: str
    tasks: tuple[Task, ...]
    learned: bool
    steps: tuple[int, ...] = ()
    samples: bool = False
    licence: str = "MIT"
    #: smallest and largest pixel size (m) that it was trained on; empty where that is not known
    pixels_m: tuple[float, ...] = ()
    source: Literal["shipped", "user", "built-in"] = "built-in"
    #: the same for what `ranges.facts_of` finds of a scan: noise over corrugation, corrugation (m), pixels per period
    noise: tuple[float, ...] = ()
    contrast_m: tuple[float, ...] = ()
    periods_px: tuple[float, ...] = ()
    #: what its predicted deviations are multiplied with, by task family (repair, lines, grid, scattered)
    deviation_scale: tuple[tuple[str, float], ...] = ()

    @property
    def title(self) -> str:
        """What it is called where people read."""
        return title(self.name)
