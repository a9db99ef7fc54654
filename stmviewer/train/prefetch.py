"""Batches made ahead in threads (loader processes are unreliable in a frozen application)."""

import queue
import threading
from collections.abc import Iterator

import torch
from torch import Tensor

from stmviewer.scan import Progress
from stmviewer.train.dataset import Maker
from stmviewer.train.distributed import World

Batch = tuple[Tensor, Tensor, Tensor, Tensor]


class _Closed(Exception):
    """Nobody wants the batch that is being made."""


class Prefetcher:
    """Iterates over batches from sample `start` on, in order, made by one thread while the network computes.

    Of several processes (`world`) each makes its share of the samples of a batch. Who waits for a batch is Cancelled
    when `progress` is.

    Close it (or leave the `with` block): its thread ends within one sample, and who still reads is told so.
    """

    def __init__(
        self,
        maker: Maker,
        batch_size: int,
        start_step: int = 0,
        depth: int = 4,
        world: World | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._maker, self._size, self._world = maker, batch_size, world or World()
        self._progress = progress or Progress()
        self._queue: queue.Queue[Batch | BaseException] = queue.Queue(maxsize=depth)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, args=(start_step,), name="stmviewer-batches", daemon=True)
        self._thread.start()

    def _work(self, step: int) -> None:
        try:
            while not self._stop.is_set():
                first, last = step * self._size, (step + 1) * self._size
                mine = range(first + self._world.rank, last, self._world.size)
                arrays = self._maker.batch(mine, first, self._check)
                self._put(tuple(torch.from_numpy(a) for a in arrays))  # type: ignore[arg-type]
                step += 1
        except BaseException as error:
            self._put(error)

    def _check(self) -> None:
        if self._stop.is_set():
            raise _Closed

    def _put(self, item: Batch | BaseException) -> None:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=0.2)
                return
            except queue.Full:
                continue

    def __iter__(self) -> Iterator[Batch]:
        while True:
            item = self._next()
            if isinstance(item, BaseException):
                raise item
            yield item

    def _next(self) -> Batch | BaseException:
        """Waits for a batch, never for a thread that has ended: that one brings no more."""
        while True:
            working = self._thread.is_alive()  # asked before looking: its last word may come in between
            try:
                return self._queue.get(timeout=0.2 if working else 0)
            except queue.Empty:
                self._progress.check()
                if not working:
                    return RuntimeError("the thread that makes the batches has ended")

    def __enter__(self) -> "Prefetcher":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._stop.set()
        while not self._queue.empty():
            self._queue.get_nowait()
        self._thread.join(timeout=10)
