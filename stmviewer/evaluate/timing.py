"""Timing one thing a few times, in this process or as a process of its own."""

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

_REPEATS = 3


@dataclass(frozen=True)
class Timing:
    """Median, least and most seconds of a few runs of one thing, after a first one that is not counted."""

    what: str
    median_s: float
    least_s: float
    most_s: float
    note: str = ""


def timed(what: str, action: Callable[[], object], note: str = "") -> Timing:
    """Times `action`: a few runs after a first one that warms up."""
    action()
    seconds = []
    for _ in range(_REPEATS):
        begun = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - begun)
    return Timing(what, float(np.median(seconds)), min(seconds), max(seconds), note)


def whole_process(what: str, command: Sequence[str]) -> Timing:
    """Times a command from its start to its end, the interpreter included."""
    return timed(what, lambda: subprocess.run(command, check=True, capture_output=True))
