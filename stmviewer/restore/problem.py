"""What a restorer gets and gives back, on the normalised scale."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from stmviewer.restore.info import ModelInfo
from stmviewer.restore.request import Task
from stmviewer.scan import BoolArray, FloatArray, Progress


@dataclass(frozen=True)
class Problem:
    """One normalised image to restore.

    `image` (rows, columns) has its unmeasured pixels filled with a first guess; `measured` says which were given.
    `sharp` is a second guess for networks (cubic for sparse scans, rows aligned for repairs; None: the first again),
    `pixel_m` the size of the square pixels where it is known.
    """

    image: FloatArray
    measured: BoolArray
    task: Task
    sharp: FloatArray | None = None
    pixel_m: float | None = None


@dataclass(frozen=True)
class Options:
    """How hard to try: sampler `steps` (None: the model's choice), `samples`, `seed`, `tile` side, `device` name."""

    steps: int | None = None
    samples: int = 1
    seed: int = 0
    tile: int | None = None
    device: str = "cpu"


@dataclass(frozen=True)
class Answer:
    """The restored image, normalised: mean over samples and, where the method has one, a deviation.

    `smaller_tile` is the side of the tiles where memory was too small for those that were asked for.
    """

    mean: FloatArray
    deviation: FloatArray | None = None
    smaller_tile: int | None = None


class Restorer(Protocol):
    """A method of restoration. Classical and learned ones look the same from outside."""

    @property
    def info(self) -> ModelInfo: ...

    def restore(self, problem: Problem, options: Options, progress: Progress) -> Answer:
        """Restores one image; ticks `progress`, so that it can be cancelled within a second."""
        ...


#: a function that restores (image, measured) without samples or deviation
PlainMethod = Callable[[FloatArray, BoolArray, Progress], FloatArray]
