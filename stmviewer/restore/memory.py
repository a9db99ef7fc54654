"""Too little memory: told from other faults, and answered with smaller pieces of the same work."""

import gc
import logging
from collections.abc import Callable
from typing import TypeVar

from stmviewer.scan.errors import out_of_memory

T = TypeVar("T")

#: smaller tiles than this would be mostly overlap
LEAST_TILE = 64
_log = logging.getLogger(__name__)


def in_smaller_tiles(work: Callable[[int], T], tile: int, side: int) -> tuple[T, int | None]:
    """`work(tile)`; where memory is too small for that, with half the tile, down to 64 pixels.

    `side` is the longer side of the image: a tile larger than it counts as that. Returns what was made, and the tile
    that it took where it was a smaller one (else None). Raises MemoryError where even the smallest does not fit.
    """
    now = tile
    while True:
        try:
            return work(now), None if now == tile else now
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            if min(now, side) <= LEAST_TILE:
                raise MemoryError(f"not enough memory even for tiles of {min(now, side)} pixels") from error
            smaller = max(LEAST_TILE, min(now, side) // 2)
            _log.warning("out of memory with tiles of %d pixels, trying %d: %s", now, smaller, error)
            now = smaller
        # outside of the handler: there the error would hold what did not fit
        release()


def release() -> None:
    """Gives back what is no longer used, also what torch keeps of a GPU's memory."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
