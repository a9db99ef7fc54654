"""Provenance as JSON: inside the formats that can carry it, and in a file beside every export."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np


def to_json(provenance: Mapping[str, Any], indent: int | None = None, ascii_only: bool = False) -> str:
    """Provenance as strict JSON: no NaN, arrays as lists, what JSON does not know as its text."""
    return json.dumps(_plain(provenance), indent=indent, ensure_ascii=ascii_only, allow_nan=False)


def from_json(text: str | None) -> dict[str, Any] | None:
    """The provenance that `to_json` wrote; None for anything else."""
    try:
        found = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def sidecar(path: Path) -> Path:
    """Where the provenance of an exported file lies: `scan.gwy.provenance.json` beside `scan.gwy`."""
    return path.with_name(path.name + ".provenance.json")


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
    return str(value)
