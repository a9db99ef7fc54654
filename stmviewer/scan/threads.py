"""Work that numpy and scipy do on parts of an array, by several threads at once."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")

#: more threads than this gain nothing on parts of this size
_MOST = 4
#: larger images fit into memory few times
_LARGE = 4_000_000


def in_threads(work: Callable[[Part], Result], parts: Sequence[Part], pixels: int = 0) -> list[Result]:
    """What `work` gives for each of the parts, in their order.

    These threads never spin while they wait, so that a busy machine does not slow down by them. Of images of many
    `pixels` the parts are worked one after the other: what threads have freed stays with them for a while (0.1 GB).
    """
    affinity = getattr(os, "sched_getaffinity", None)
    processors = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    threads = min(processors, _MOST, len(parts))
    if threads < 2 or pixels > _LARGE:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(threads, thread_name_prefix="stmviewer-parts") as pool:
        return list(pool.map(work, parts))


def slices(count: int, size: int) -> list[slice]:
    """`count` things in equal parts of at most `size`, an even number of them where there are several."""
    parts = -(-count // size)
    parts += parts % 2 if parts > 1 else 0
    ends = [count * k // max(1, parts) for k in range(parts + 1)]
    return [slice(begin, end) for begin, end in pairwise(ends)]
