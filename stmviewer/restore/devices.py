"""Which device computes, in which number format, and with how many threads; said openly."""

import os
import time

import torch

from stmviewer.restore import probe
from stmviewer.restore.probe import Arithmetic
from stmviewer.restore.request import Device
from stmviewer.scan import RequestError


def choose_device(wanted: Device) -> torch.device:
    """The torch device for `wanted`; raises RequestError when CUDA is asked for and not there."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise RequestError("device cuda: no CUDA GPU can be used on this computer; choose auto or cpu")
    return torch.device("cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu")


def arithmetic(device: torch.device) -> Arithmetic:
    """What is fastest on `device`. The error of bfloat16 is 0.3 % of the corrugation.

    GPUs and matrix units (AMX) are known to gain. Processors that merely have bfloat16 instructions are timed once
    (`stmviewer.restore.probe`) and the answer is kept: a timing made anew on a busy machine would make results differ
    from run to run. Without such instructions bfloat16 is emulated and never faster.
    """
    if device.type == "cuda":
        return Arithmetic(bool(torch.cuda.is_bf16_supported(including_emulation=False)), True)
    if _supported("_is_amx_tile_supported"):
        return Arithmetic(True, True)
    return probe.verdict(bf16_possible=bf16_possible())


def bf16_possible() -> bool:
    """Whether the processor has instructions for bfloat16: without them it is emulated."""
    return _supported("_is_amx_tile_supported") or _supported("_is_avx512_bf16_supported")


def fast_bf16(device: torch.device) -> bool:
    """Whether networks run in bfloat16 on `device`."""
    return arithmetic(device).bf16


def _supported(name: str) -> bool:
    asked = getattr(torch.cpu, name, None)
    return bool(asked is not None and asked())


def free_threads() -> int:
    """How many threads to compute with: as many processors as nothing else is running on, at least one.

    Two OpenMP threads that wait for each other on a busy machine were five times slower than one. What runs at this
    moment is counted where the system tells (Linux); elsewhere every processor is taken. OMP_NUM_THREADS overrides it.
    """
    said = os.environ.get("OMP_NUM_THREADS", "")
    if said.isdigit() and int(said) > 0:
        return int(said)
    affinity = getattr(os, "sched_getaffinity", None)
    processors = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    return max(1, min(processors, processors - _running_elsewhere()))


def _running_elsewhere() -> int:
    """Threads that run or wait for a processor now, other than this one; 0 where the system does not say."""
    counts = []
    for k in range(5):
        if k:
            time.sleep(0.002)
        try:
            with open("/proc/loadavg", encoding="ascii") as file:  # noqa: PTH123 (no file of ours)
                counts.append(int(file.read().split()[3].partition("/")[0]) - 1)
        except (OSError, ValueError, IndexError):
            return 0
    return max(0, sorted(counts)[len(counts) // 2])


def describe_device(wanted: Device) -> str:
    """The device in words: 'NVIDIA H100, 70.2 GB free' or 'CPU, 2 of 2 threads, bfloat16'."""
    if choose_device(wanted).type == "cuda":
        free, _ = torch.cuda.mem_get_info()
        return f"{torch.cuda.get_device_name()}, {free / 1e9:.1f} GB free"
    return f"CPU, {torch.get_num_threads()} of {os.cpu_count()} threads"
