"""What a job tells the window or the console: small frozen events, and nothing else.

A panel is one `match` over these; it never looks into a job.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stmviewer.scan import FloatArray
from stmviewer.services.file_facts import FileFacts


@dataclass(frozen=True)
class Started:
    """The job runs now."""

    title: str


@dataclass(frozen=True)
class Advanced:
    """Progress: `fraction` in [0, 1], the present step, seconds left where they can be guessed."""

    fraction: float
    step: str
    eta_s: float | None


@dataclass(frozen=True)
class Preview:
    """An intermediate image (rows, columns) in the channel's unit, to be shown while the job goes on."""

    image: FloatArray


@dataclass(frozen=True)
class Metric:
    """A number as it develops, such as a loss or a validation score at a training step."""

    name: str
    step: int
    value: float


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """A small levelled picture of a file, for lists: grey values (rows, columns), 0 where nothing was measured.

    `label` is the channel on it, `facts` what else the list says of the file. `fault` is the line that says why there
    is no picture; then `image` is empty and there are no facts.
    """

    path: Path
    image: NDArray[np.uint8]
    label: str
    fault: str = ""
    facts: FileFacts | None = None


@dataclass(frozen=True)
class Part:
    """A part of the result that is there before the job is done; what it is, the job says."""

    value: Any


@dataclass(frozen=True)
class Message:
    """A line for the user."""

    text: str


@dataclass(frozen=True)
class Finished:
    """The job is done; `result` is what it returns."""

    result: Any


@dataclass(frozen=True)
class Failed:
    """The job failed. `message` is one clear line; `details` is the traceback when the fault is ours, else empty."""

    message: str
    details: str = ""


@dataclass(frozen=True)
class Cancelled:
    """The job stopped because the user asked."""


Event = Started | Advanced | Preview | Metric | Thumbnail | Part | Message | Finished | Failed | Cancelled
#: after one of these nothing more comes from a job
FINAL = (Finished, Failed, Cancelled)
