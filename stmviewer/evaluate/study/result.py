"""What a study found, as it is reported and as JSON."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stmviewer.files.provenance import to_json
from stmviewer.scan import FileError

FORMAT = "stmviewer-report-1"


@dataclass(frozen=True)
class ImageSet:
    """A folder of images. `sha256` is over the hashes of its files."""

    role: str
    folder: str
    images: int
    groups: int
    sha256: str
    shape: str
    pixels: str


@dataclass(frozen=True)
class ModelFacts:
    """A model that was used; `card` is its text."""

    name: str
    kind: str
    licence: str
    sha256: str
    summary: str
    card: str


@dataclass(frozen=True)
class Row:
    """One image by one method."""

    task: str
    method: str
    image: str
    group: str
    sha256: str
    numbers: dict[str, float]


@dataclass(frozen=True)
class Mean:
    """One measure of one method: mean over images, its 95 % interval by bootstrap over groups, and how much more it is
    than that of the baseline on the same images, with the interval of that."""

    task: str
    method: str
    measure: str
    value: float
    interval: tuple[float, float]
    images: int
    gain: float
    gain_interval: tuple[float, float]


@dataclass(frozen=True)
class Apart:
    """How far the images of a method are from the good set in one space; `gain` is against the baseline's distance."""

    task: str
    method: str
    space: str
    value: float
    interval: tuple[float, float]
    unbiased: float
    images: int
    reference: int
    gain: float
    gain_interval: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Picture:
    title: str
    note: str
    grey: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Example:
    """The best, median or worst image of a task by one method, and what every method made of it."""

    task: str
    which: str
    image: str
    by: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Study:
    """`baselines` are what methods are compared with by task; `paired` the tasks with a known truth; `spaces` titles
    and definitions by key; `spectra` the mean spectrum ratio by task and method. Examples are not in the JSON."""

    question: str
    request: dict[str, Any]
    made: str
    version: str
    device: str
    platform: str
    seconds: float
    sets: list[ImageSet]
    models: list[ModelFacts]
    baselines: dict[str, str]
    paired: list[str]
    spaces: dict[str, list[str]]
    rows: list[Row]
    means: list[Mean]
    distances: list[Apart]
    spectra: dict[str, dict[str, list[float]]]
    notes: list[str]
    examples: list[Example] = field(default_factory=list, compare=False, repr=False)

    @property
    def tasks(self) -> list[str]:
        return list(self.baselines)

    def methods(self, task: str) -> list[str]:
        return list(dict.fromkeys(r.method for r in self.rows if r.task == task))

    def mean(self, task: str, method: str, measure: str) -> Mean | None:
        wanted = (task, method, measure)
        return next((m for m in self.means if (m.task, m.method, m.measure) == wanted), None)

    def measures(self, task: str) -> list[str]:
        return list(dict.fromkeys(m.measure for m in self.means if m.task == task))

    def values(self, task: str, method: str, measure: str) -> list[float]:
        nothing = float("nan")
        return [r.numbers.get(measure, nothing) for r in self.rows if (r.task, r.method) == (task, method)]

    def to_json(self) -> str:
        facts = {k: v for k, v in vars(self).items() if k != "examples"}
        for name in ("sets", "models", "rows", "means", "distances"):
            facts[name] = [asdict(one) for one in facts[name]]
        return to_json({"format": FORMAT, **facts}, indent=1)


def read_study(path: Path) -> Study:
    """The study that `to_json` wrote. Raises FileError for anything else."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(facts, dict) or facts.pop("format", None) != FORMAT:
            raise FileError(path, "is no report of stmviewer", "Give the JSON file of evaluate --report --json")
        made = {
            name: [kind(**_numbers(one)) for one in facts.pop(name)]
            for name, kind in (
                ("sets", ImageSet), ("models", ModelFacts), ("rows", Row), ("means", Mean), ("distances", Apart),
            )
        }  # fmt: skip
        facts["spectra"] = {
            t: {m: [_number(v) for v in c] for m, c in by.items()} for t, by in facts["spectra"].items()
        }
        return Study(**facts, **made)  # type: ignore[arg-type]
    except OSError as error:
        raise FileError(path, f"cannot be read ({error.strerror or error})") from error
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise FileError(path, f"is no whole report of stmviewer ({error})", "Make the report again") from error


def _number(value: Any) -> Any:
    return float("nan") if value is None else value


def _numbers(one: dict[str, Any]) -> dict[str, Any]:
    """null, which stands for NaN in JSON, as NaN again; intervals as tuples."""
    result: dict[str, Any] = {}
    for key, value in one.items():
        if isinstance(value, dict):
            result[key] = {k: _number(v) for k, v in value.items()}
        elif isinstance(value, list):
            result[key] = tuple(_number(v) for v in value)
        else:
            result[key] = _number(value)
    return result
