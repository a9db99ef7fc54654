"""Times bfloat16 and memory layouts on this processor, once: the answer is kept for this machine and torch version."""

import json
import logging
import platform
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

from stmviewer import paths


@dataclass(frozen=True)
class Arithmetic:
    """How networks compute on a device: bfloat16 or float32, and whether with the channels innermost in memory."""

    bf16: bool
    channels_last: bool

    @property
    def layout(self) -> torch.memory_format:
        return torch.channels_last if self.channels_last else torch.contiguous_format


_log = logging.getLogger(__name__)
_lock = threading.Lock()
_kept: dict[str, Arithmetic] = {}
#: a gain under this is not worth a rounding of 0.3 %, nor sure on a busy machine
_LEAST_GAIN = 1.2
_ROUNDS = 5


def verdict(*, bf16_possible: bool) -> Arithmetic:
    """What was found fastest on this processor: from this process, from the disk, or timed now (under a second)."""
    key = f"{_processor()}, torch {torch.__version__}, bfloat16 {'there' if bf16_possible else 'not there'}"
    with _lock:
        if key not in _kept:
            found = _read(key)
            if found is None:
                found = choose(timings(bf16_possible))
                _write(key, found)
            _kept[key] = found
        return _kept[key]


def choose(seconds: dict[tuple[bool, bool], float]) -> Arithmetic:
    """The fastest of (bf16, channels_last): bfloat16 only where it is clearly faster than float32.

    Channels innermost unless the other layout is clearly faster: with them the result has the same bits for any number
    of threads, which convolutions in the plain layout do not have.
    """
    least = {bf16: min(s for (b, _), s in seconds.items() if b == bf16) for bf16 in {b for b, _ in seconds}}
    bf16 = True in least and least[False] > _LEAST_GAIN * least[True]
    return Arithmetic(bf16, seconds[bf16, True] < _LEAST_GAIN * seconds[bf16, False])


def timings(bf16_possible: bool) -> dict[tuple[bool, bool], float]:
    """Least seconds of convolutions like those of the networks, by (bf16, channels_last).

    Taken in turns, and the least of several: what else runs on the machine slows all of them, and rarely every time.
    """
    generator = torch.Generator().manual_seed(0)
    shapes = ((48, 128), (96, 64), (128, 32))
    images = [torch.randn(1, c, n, n, generator=generator) for c, n in shapes]
    weights = [torch.randn(c, c, 3, 3, generator=generator) / (9 * c) ** 0.5 for c, _ in shapes]
    least: dict[tuple[bool, bool], float] = {}
    with torch.inference_mode():
        for round_ in range(_ROUNDS + 1):
            for bf16 in (False, True) if bf16_possible else (False,):
                for last in (False, True):
                    layout = Arithmetic(bf16, last).layout
                    moved = [(x.contiguous(memory_format=layout), w.contiguous(memory_format=layout))
                             for x, w in zip(images, weights, strict=True)]  # fmt: skip
                    begun = time.perf_counter()
                    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                        for x, w in moved:
                            F.silu(F.conv2d(x, w, padding=1))
                    seconds = time.perf_counter() - begun
                    if round_:  # the first warms up
                        least[bf16, last] = min(seconds, least.get((bf16, last), seconds))
    return least


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _file() -> Path:
    return paths.cache() / "arithmetic.json"


def _read(key: str) -> Arithmetic | None:
    try:
        said = json.loads(_file().read_text(encoding="utf-8"))[key]
        if isinstance(said["bf16"], bool) and isinstance(said["channels_last"], bool):
            return Arithmetic(said["bf16"], said["channels_last"])
    except (OSError, ValueError, LookupError, TypeError):
        pass
    return None


def _write(key: str, found: Arithmetic) -> None:
    path = _file()
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        known = known if isinstance(known, dict) else {}
    except (OSError, ValueError):
        known = {}
    known[key] = {"bf16": found.bf16, "channels_last": found.channels_last}
    temporary = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        temporary.replace(path)
    except OSError as error:  # kept for this process then
        _log.info("%s cannot be written: %s", path, error)
