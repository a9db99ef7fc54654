"""Which device computes, said openly."""

import os

import torch

from stmviewer.restore.request import Device
from stmviewer.scan import RequestError


def choose_device(wanted: Device) -> torch.device:
    """The torch device for `wanted`; raises RequestError when CUDA is asked for and not there."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise RequestError("device cuda: no CUDA GPU can be used on this computer; choose auto or cpu")
    return torch.device("cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu")


def fast_bf16(device: torch.device) -> bool:
    """Whether networks run in bfloat16 on `device`: where its matrix units make that two times as fast.

    Asked of the hardware and not measured, since a measurement on a busy machine would make results differ from run
    to run. The error is 0.3 % of the corrugation.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    amx = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return bool(amx is not None and amx())


def describe_device(wanted: Device) -> str:
    """The device in words: 'NVIDIA H100, 70.2 GB free' or 'CPU, 2 threads'."""
    if choose_device(wanted).type == "cuda":
        free, _ = torch.cuda.mem_get_info()
        return f"{torch.cuda.get_device_name()}, {free / 1e9:.1f} GB free"
    return f"CPU, {torch.get_num_threads()} of {os.cpu_count()} threads"
