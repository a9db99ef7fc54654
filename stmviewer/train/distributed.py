"""One training on several processes: torchrun starts them, each has its share of every batch, one of them writes.

What torchrun says of a process is in its environment (RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT). The
gradients are averaged by torch's DistributedDataParallel; when to stop and how long it took is agreed on at every step,
since processes with clocks of their own would have learning rates of their own.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn.parallel import DistributedDataParallel

from stmviewer.scan import RequestError
from stmviewer.scan.errors import out_of_memory

#: the writer scores its validation alone while the others wait
_PATIENCE = timedelta(minutes=30)


@dataclass(frozen=True)
class World:
    """Which of how many processes this one is; `local` counts those on this machine."""

    rank: int = 0
    size: int = 1
    local: int = 0

    @property
    def writes(self) -> bool:
        """Whether this process is the one that writes files and reports."""
        return self.rank == 0

    @property
    def alone(self) -> bool:
        return self.size == 1

    @classmethod
    def from_environment(cls) -> "World":
        """As torchrun started this process; alone without it. Raises RequestError where the environment makes no
        sense."""
        said = {k: os.environ.get(k, "") for k in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
        if not said["WORLD_SIZE"] or said["WORLD_SIZE"] == "1":
            return cls()
        try:
            world = cls(int(said["RANK"]), int(said["WORLD_SIZE"]), int(said["LOCAL_RANK"] or 0))
        except ValueError:
            world = cls(-1)
        if not 0 <= world.rank < world.size or not os.environ.get("MASTER_ADDR"):
            given = ", ".join(f"{k}={v}" for k, v in said.items())
            raise RequestError(f"the environment asks for several processes and is incomplete ({given}): use torchrun")
        return world

    def device(self, chosen: torch.device) -> torch.device:
        """The GPU of this process, where GPUs are used."""
        if self.alone or chosen.type != "cuda":
            return chosen
        if self.local >= torch.cuda.device_count():
            raise RequestError(
                f"process {self.local + 1} on this machine has no GPU, there are {torch.cuda.device_count()}: start "
                "as many processes as there are GPUs (torchrun --nproc-per-node)"
            )
        return torch.device("cuda", self.local)

    @contextmanager
    def joined(self, device: torch.device) -> Iterator[None]:
        """Within the block the processes can talk: by NCCL between GPUs, by gloo between processors."""
        if self.alone:
            yield
            return
        if device.type == "cuda":
            torch.cuda.set_device(device)
        backend = "nccl" if device.type == "cuda" else "gloo"
        with together():
            dist.init_process_group(backend, rank=self.rank, world_size=self.size, timeout=_PATIENCE)
        try:
            yield
        finally:
            dist.destroy_process_group()

    def averaging(self, module: nn.Module, device: torch.device) -> nn.Module:
        """`module`, its gradients averaged over the processes, its weights those of the first."""
        if self.alone:
            return module
        with together():
            devices = [device.index] if device.type == "cuda" else None
            # of 1 x 1 convolutions, whose channels lie last either way
            warnings.filterwarnings("ignore", message="Grad strides do not match bucket view strides")
            return DistributedDataParallel(module, device_ids=devices)

    def mean(self, values: Tensor) -> Tensor:
        """The mean of `values` over the processes; one that is not finite makes it so everywhere."""
        if self.alone:
            return values
        with together():
            dist.all_reduce(values)
        return values / self.size

    def agreed(self, stop: bool, seconds: float, device: torch.device) -> tuple[bool, float]:
        """Whether any process is asked to stop, and the time by the clock of the first."""
        if self.alone:
            return stop, seconds
        told = torch.tensor([float(stop), seconds if self.writes else 0.0], dtype=torch.float64, device=device)
        with together():
            dist.all_reduce(told)
        return bool(told[0] > 0), float(told[1])

    def shared(self, tensors: list[Tensor]) -> None:
        """Fills tensors with those of the first process."""
        for tensor in tensors:
            with together():
                dist.broadcast(tensor, 0)

    def told(self, value: object) -> object:
        """`value` of the first process."""
        found = [value]
        with together():
            dist.broadcast_object_list(found, 0)
        return found[0]


@contextmanager
def together() -> Iterator[None]:
    """A process that dies is an error that says so, and no fault of the program."""
    try:
        yield
    except RuntimeError as error:
        if out_of_memory(error) or not (isinstance(error, dist.DistError) or _disconnected(error)):
            raise
        said = str(error).splitlines()[0].partition(". This is")[0].rpartition("] ")[2][:200]
        raise RequestError(
            f"another process of this training ended or cannot be reached ({said}); what was saved is kept: start them "
            "all again with --resume"
        ) from error


def _disconnected(error: RuntimeError) -> bool:
    """gloo reports a lost peer as a plain RuntimeError."""
    text = str(error).lower()
    return any(word in text for word in ("gloo", "nccl", "connection", "peer", "timed out", "broken pipe"))
