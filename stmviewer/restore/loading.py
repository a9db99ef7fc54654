"""Loads learned models once a process: hash checked, kept for the next restoration."""

import threading
from dataclasses import replace

import torch

from stmviewer.files import file_sha256
from stmviewer.restore.devices import arithmetic, choose_device
from stmviewer.restore.entry import Entry
from stmviewer.restore.learned import LearnedRestorer
from stmviewer.restore.request import Device
from stmviewer.restore.weights import laid_out, load_weights
from stmviewer.scan import FileError

_lock = threading.Lock()
_loaded: dict[tuple[str, str], LearnedRestorer] = {}
#: models are small, but a long session tries many
_KEPT = 6


def load_restorer(entry: Entry, wanted: Device) -> LearnedRestorer:
    """The restorer of `entry` on the wanted device.

    Raises FileError when the weights are missing, damaged or not those that the manifest names.
    """
    device = choose_device(wanted)
    key = (entry.sha256, str(device))
    with _lock:
        if key not in _loaded:
            if not entry.weights.is_file():
                raise FileError(entry.weights, "the weights are missing", "Install again, or choose another model")
            if file_sha256(entry.weights) != entry.sha256:
                raise FileError(
                    entry.weights,
                    "the weights are not those that the list of models names (wrong hash)",
                    "Install stmviewer again, or train the model again",
                )
            while len(_loaded) >= _KEPT:
                del _loaded[next(iter(_loaded))]
            model = laid_out(load_weights(entry.weights, device), arithmetic(device).layout)
            _loaded[key] = LearnedRestorer(entry.info, model, torch.device(device))
        elif _loaded[key].info != entry.info:  # the same weights, calibrated since
            _loaded[key] = replace(_loaded[key], info=entry.info)
        return _loaded[key]
