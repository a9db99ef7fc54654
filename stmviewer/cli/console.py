"""What commands share: progress on a terminal, numbers with units, JSON on stdout."""

import _thread
import json
import math
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stmviewer.scan.progress import Advance, Cancelled, Progress

_PREFIXES = (
    (1e9, "G"),
    (1e6, "M"),
    (1e3, "k"),
    (1, ""),
    (1e-3, "m"),
    (1e-6, "µ"),
    (1e-9, "n"),
    (1e-12, "p"),
    (1e-15, "f"),
)
#: after a fault of ours
ADVICE = "\nstmviewer: run again with STMVIEWER_DEBUG=1 for the details to report"
#: units that are customary as they are: no millidegrees, no kilopercent
_BARE = ("deg", "°", "%", "px", "rad", "a.u.")


def quantity(value: float, unit: str, digits: int = 3) -> str:
    """A number with an SI prefix, such as '136 pm'; without a unit, or with one that takes none, the plain number."""
    if not math.isfinite(value):
        return "none"
    if not unit or value == 0 or unit in _BARE:
        return f"{value:.{digits}g} {unit}".rstrip()
    size = abs(value)
    scale, prefix = next((p for p in _PREFIXES if size >= p[0] * 0.9995), _PREFIXES[-1])
    return f"{value / scale:.{digits}g} {prefix}{unit}"


def to_json(value: Any, indent: int | None = 1) -> str:
    """JSON in ASCII, whatever the encoding of stdout; NaN and infinity become null, since JSON has neither."""
    return json.dumps(_plain(value), indent=indent)


def print_json(value: Any) -> None:
    """JSON on stdout."""
    print(to_json(value))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def debugging() -> bool:
    """Whether tracebacks are wanted."""
    return bool(os.environ.get("STMVIEWER_DEBUG"))


def fault(error: Exception) -> str:
    """What to say of an error that no user can cause; with STMVIEWER_DEBUG the traceback goes to stderr."""
    if debugging():
        traceback.print_exception(error)
    return f"a fault of stmviewer: {type(error).__name__}: {error}{'' if debugging() else ADVICE}"


class Console:
    """Progress on stderr, one line that is written over; Ctrl-C asks the work to stop at its next step.

    A second one ends it where it is, unless it comes within `echo_s` of the first: torchrun passes on to its processes
    what the terminal or Slurm has sent them already.
    """

    def __init__(self, echo_s: float = 0.0) -> None:
        self._stop = threading.Event()
        self._echo_s = echo_s
        self._heard: float | None = None
        self._loading = False
        self._shown = ""
        self._live = sys.stderr.isatty()
        self.prefix = ""

    def __enter__(self) -> "Console":
        self._before = [(s, signal.signal(s, self._interrupt)) for s in (signal.SIGINT, signal.SIGTERM)]
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()
        for number, handler in self._before:
            signal.signal(number, handler)

    def progress(self) -> Progress:
        """A progress of its own for the next piece of work."""
        return Progress(self._report, self._stop)

    def say(self, text: str) -> None:
        """A line for the user, on stderr."""
        self.clear()
        print(text, file=sys.stderr)

    def clear(self) -> None:
        if self._shown:
            print("\r" + " " * len(self._shown) + "\r", end="", file=sys.stderr, flush=True)
            self._shown = ""

    def stop(self) -> None:
        """Asks the work to stop at its next step, as Ctrl-C does; from any thread."""
        self._stop.set()
        if self._loading:
            _thread.interrupt_main()

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Within the block a stop is heard at once: loading modules takes seconds, on a busy machine many, and has no
        steps. Raises Cancelled where the work is at that moment; it must leave nothing half done."""
        self.progress().check()
        self._loading = True
        try:
            yield
        finally:
            self._loading = False
        self.progress().check()  # the work may have caught the exception

    def _interrupt(self, *_: object) -> None:
        self._stop.set()
        if self._loading:
            self._loading = False
            raise Cancelled
        now = time.monotonic()
        if self._heard is None:
            self._heard = now
        elif now - self._heard >= self._echo_s:
            raise KeyboardInterrupt  # asked twice: at once

    def _report(self, advance: Advance) -> None:
        if not self._live:
            return
        eta = f", {duration(advance.eta_s)} left" if advance.eta_s is not None else ""
        line = f"{self.prefix}{advance.step} {100 * advance.fraction:.0f} %{eta}"[:110]
        print("\r" + line.ljust(len(self._shown)), end="", file=sys.stderr, flush=True)
        self._shown = line


def duration(seconds: float) -> str:
    """A time for people: 12 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
