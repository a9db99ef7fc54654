"""Processing steps as data: a name and parameters, replayable on another scan, JSON in and out."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import FloatArray
from stmviewer.scan.levelling import fit_plane, row_offsets

Value = float | int | str | bool


@dataclass(frozen=True)
class Step:
    """One processing step."""

    name: str
    parameters: Mapping[str, Value] = field(default_factory=dict)

    def apply(self, data: FloatArray) -> FloatArray:
        """The processed copy of `data` (rows, columns); NaN stays NaN. Raises RequestError for an unknown step."""
        if self.name not in STEPS:
            raise RequestError(f"processing step '{self.name}' is unknown; there are {', '.join(STEPS)}")
        try:
            return STEPS[self.name](data, **self.parameters)
        except TypeError as error:
            raise RequestError(f"processing step '{self.name}' does not take {dict(self.parameters)}") from error


@dataclass(frozen=True)
class History:
    """Steps in the order of their application. Immutable: undo is an earlier history."""

    steps: tuple[Step, ...] = ()

    def then(self, step: Step) -> "History":
        return History((*self.steps, step))

    def replay(self, data: FloatArray) -> FloatArray:
        """Applies every step to `data` (rows, columns), which is not changed."""
        for step in self.steps:
            data = step.apply(data)
        return data

    def to_json(self) -> str:
        return json.dumps([{"name": s.name, "parameters": dict(s.parameters)} for s in self.steps])

    @classmethod
    def from_json(cls, text: str) -> "History":
        """Reads what `to_json` wrote; raises RequestError for anything else."""
        try:
            return cls(tuple(_read_step(item) for item in json.loads(text)))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise RequestError(f"not a history of processing steps: {error}") from error

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)


def _read_step(item: dict[str, Any]) -> Step:
    name, parameters = item["name"], item.get("parameters", {})
    if not isinstance(name, str) or not all(isinstance(v, Value) for v in parameters.values()):
        raise ValueError(f"{item} is no step")
    return Step(name, parameters)


def _level_plane(data: FloatArray) -> FloatArray:
    result: FloatArray = data - fit_plane(data)
    return result


def _align_rows(data: FloatArray, method: str = "median-difference") -> FloatArray:
    if method != "median-difference":
        raise RequestError(f"rows are aligned by median-difference, not by '{method}'")
    result: FloatArray = data - row_offsets(data)[:, None]
    return result


def _fix_zero(data: FloatArray) -> FloatArray:
    result: FloatArray = data - (np.nanmin(data) if np.isfinite(data).any() else 0.0)
    return result


STEPS: dict[str, Callable[..., FloatArray]] = {
    "level-plane": _level_plane,
    "align-rows": _align_rows,
    "fix-zero": _fix_zero,
}
