"""Processing steps as data: a name and parameters, replayable on another scan; as JSON, and as text on a command line.

The text is `plane; align-rows:median; crop:10,10,200,200`: steps between semicolons, parameters in their order between
commas or as `name=value`.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import FloatArray
from stmviewer.scan.processing.catalogue import KINDS
from stmviewer.scan.processing.image import Image
from stmviewer.scan.processing.kinds import Kind, Value
from stmviewer.scan.progress import Progress

#: more steps than this are no history but a mistake
_MOST_STEPS = 1000


class StepError(RequestError):
    """A step that cannot be done. `index` is its place in the history, from 0."""

    def __init__(self, index: int, name: str, cause: str) -> None:
        self.index = index
        self.cause = cause
        super().__init__(f"processing step {index + 1} ({name}): {cause}")


@dataclass(frozen=True)
class Step:
    """One processing step. What is not `enabled` stays in the history and does nothing."""

    name: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    enabled: bool = True

    @property
    def kind(self) -> Kind:
        """Raises RequestError for an unknown step."""
        if self.name not in KINDS:
            raise RequestError(f"processing step '{self.name}' is unknown; there are {', '.join(KINDS)}")
        return KINDS[self.name]

    def value(self, name: str) -> Value:
        """A parameter, as given or its default."""
        return self.parameters.get(name, self.kind.parameter(name).default)

    def with_values(self, **changes: Value) -> "Step":
        return replace(self, parameters={**self.parameters, **changes})

    def apply(self, image: Image, progress: Progress | None = None) -> Image:
        """The processed image; `image` is not changed. Raises RequestError when that is not possible."""
        kind = self.kind
        return kind.apply(image, kind.completed(self.parameters), progress or Progress())

    def to_text(self) -> str:
        """`crop:10,10,200,200`; parameters at the end that nobody gave are left out."""
        kind = self.kind
        values = [(p, self.value(p.name)) for p in kind.parameters]
        while values and values[-1][0].name not in self.parameters:
            values.pop()
        return ":".join(filter(None, (self.name, ",".join(p.write(v) for p, v in values))))

    @classmethod
    def from_text(cls, text: str) -> "Step":
        """Reads what `to_text` wrote. Raises RequestError."""
        name, _, rest = text.strip().partition(":")
        kind = cls(name.strip()).kind
        given: dict[str, Value] = {}
        for place, word in enumerate(rest.split(",") if rest.strip() else []):
            key, equals, value = word.partition("=")
            if equals:
                parameter = kind.parameter(key.strip())
            elif place < len(kind.parameters):
                parameter, value = kind.parameters[place], word
            else:
                there = ", ".join(p.name for p in kind.parameters) or "none"
                raise RequestError(f"step '{name}' takes {len(kind.parameters)} parameters ({there}), not '{rest}'")
            try:
                given[parameter.name] = parameter.read(value.strip())
            except RequestError as error:
                raise RequestError(f"step '{name}': {error}") from error
        return cls(kind.name, given)


@dataclass(frozen=True)
class History:
    """Steps in the order of their application. Immutable: undo is an earlier history."""

    steps: tuple[Step, ...] = ()

    def then(self, step: Step) -> "History":
        return History((*self.steps, step))

    def before(self, index: int) -> "History":
        """The steps before the one at `index`."""
        return History(self.steps[:index])

    def replaced(self, index: int, step: Step) -> "History":
        return History((*self.steps[:index], step, *self.steps[index + 1 :]))

    def without(self, index: int) -> "History":
        return History((*self.steps[:index], *self.steps[index + 1 :]))

    def moved(self, index: int, to: int) -> "History":
        """The step at `index` moved so that it comes at `to`."""
        steps = list(self.steps)
        steps.insert(to, steps.pop(index))
        return History(tuple(steps))

    @property
    def enabled(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.enabled)

    def completed(self) -> "History":
        """The enabled steps with every parameter said, for provenance: defaults may change with the version."""
        return History(tuple(Step(s.name, s.kind.completed(s.parameters)) for s in self.enabled))

    @property
    def needs_other_direction(self) -> bool:
        return any(step.name == "drift" and step.parameters.get("by") == "directions" for step in self.enabled)

    @property
    def alters(self) -> bool:
        """Whether a step replaces measured values by others."""
        return any(step.name in KINDS and KINDS[step.name].alters for step in self.enabled)

    def replay(self, image: Image, progress: Progress | None = None) -> Image:
        """Applies every enabled step to `image`, whose arrays are not changed.

        Raises StepError that names the step which cannot be done, and Cancelled.
        """
        progress = progress or Progress()
        if self.enabled and not image.measured.any():
            raise RequestError("nothing was measured: there is nothing to process")
        share = 1 / max(len(self.enabled), 1)
        for index, step in enumerate(self.steps):
            if not step.enabled:
                continue
            try:
                image = step.apply(image, progress.part(share, step.kind.label))
            except RequestError as error:
                raise StepError(index, step.name, str(error)) from error
            if not image.measured.any():
                raise StepError(index, step.name, "nothing of the measured image would be left")
        return image

    def replay_data(self, data: FloatArray) -> FloatArray:
        """The same on an array (rows, columns) without a known size."""
        return self.replay(Image.of_pixels(data)).data

    def to_list(self) -> list[dict[str, Any]]:
        """For JSON: name and parameters of each step, and whether it is switched off."""
        return [
            {"name": s.name, "parameters": dict(s.parameters)} | ({} if s.enabled else {"enabled": False})
            for s in self.steps
        ]

    def to_json(self) -> str:
        return json.dumps(self.to_list())

    @classmethod
    def from_json(cls, text: str) -> "History":
        """Reads what `to_json` wrote; raises RequestError for anything else."""
        try:
            return cls.from_list(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise RequestError(f"not a history of processing steps: {error}") from error

    @classmethod
    def from_list(cls, items: Any) -> "History":
        """Reads what `to_list` gave; raises RequestError for anything else."""
        try:
            if not isinstance(items, list) or len(items) > _MOST_STEPS:
                raise ValueError("it is no list of steps")
            return cls(tuple(_read_step(item) for item in items))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise RequestError(f"not a history of processing steps: {error}") from error

    def to_text(self) -> str:
        """The enabled steps for a command line."""
        return "; ".join(step.to_text() for step in self.enabled)

    @classmethod
    def from_text(cls, text: str) -> "History":
        """Reads what `to_text` wrote. Raises RequestError for unknown steps, unknown parameters and wrong values."""
        return cls(tuple(Step.from_text(part) for part in text.split(";") if part.strip()))

    def in_words(self) -> str:
        """`Plane, Align lines`: what is done, for titles."""
        return ", ".join(step.kind.label for step in self.enabled)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)


def _read_step(item: dict[str, Any]) -> Step:
    name, parameters, enabled = item["name"], item.get("parameters", {}), item.get("enabled", True)
    if not isinstance(name, str) or not isinstance(enabled, bool):
        raise ValueError(f"{item} is no step")
    if not all(isinstance(v, Value) for v in parameters.values()):
        raise ValueError(f"{item} is no step")
    return Step(name, parameters, enabled)
