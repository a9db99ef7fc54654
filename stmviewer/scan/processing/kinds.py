"""How a kind of step is described: its parameters, so that window, command line and JSON read the same ones."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from stmviewer.scan.errors import RequestError
from stmviewer.scan.processing.image import Image
from stmviewer.scan.progress import Progress

Value = float | int | str | bool
Group = Literal["Level", "Lines", "Shape", "Filter", "Mask"]
#: how a step can be drawn on the image: a rectangle, strokes, or circles on the spectrum
Drawn = Literal["", "box", "strokes", "spectrum"]


@dataclass(frozen=True)
class Parameter:
    """One parameter. Its type is that of `default`; a text with `choices` is one of them (value, in words).

    Numbers lie between `low` and `high`. `unit` is shown behind them. `needs` names another parameter and the values
    for which this one counts.
    """

    name: str
    label: str
    default: Value
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[tuple[str, str], ...] = ()
    unit: str = ""
    hint: str = ""
    needs: tuple[str, tuple[str, ...]] | None = None

    def checked(self, value: Value) -> Value:
        """`value` in the type of this parameter. Raises RequestError for another type and beyond the limits."""
        match self.default:
            case bool():
                if not isinstance(value, bool):
                    raise RequestError(f"{self.name} is true or false, not {value!r}")
                return value
            case int() | float():
                return self._number(value)
            case _:
                if not isinstance(value, str):
                    raise RequestError(f"{self.name} is a text, not {value!r}")
                if self.choices and value not in (allowed := [choice for choice, _ in self.choices]):
                    raise RequestError(f"{self.name} is {' or '.join(allowed)}, not '{value}'")
                return value

    def _number(self, value: Value) -> Value:
        if isinstance(value, bool | str) or not math.isfinite(value):
            raise RequestError(f"{self.name} is a number, not {value!r}")
        if isinstance(self.default, int):
            if value != int(value):
                raise RequestError(f"{self.name} is a whole number, not {value:g}")
            value = int(value)
        if not self.low <= value <= self.high:
            limits = f"at least {self.low:g}" if self.high == math.inf else f"{self.low:g} to {self.high:g}"
            raise RequestError(f"{self.name} is {limits}, not {value:g}")
        return value if isinstance(self.default, int) else float(value)

    def read(self, text: str) -> Value:
        """The value that `text` on a command line means. Raises RequestError."""
        match self.default:
            case bool():
                known: dict[str, Value] = {"true": True, "yes": True, "false": False, "no": False}
                return self.checked(known.get(text.casefold(), text))
            case int() | float():
                try:
                    return self.checked(float(text))
                except ValueError:
                    raise RequestError(f"{self.name} is a number, not '{text}'") from None
            case _:
                return self.checked(text)

    def write(self, value: Value) -> str:
        """The text that `read` reads as `value`."""
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, float):
            return repr(int(value)) if value == int(value) and abs(value) < 1e9 else repr(value)
        return str(value)


Apply = Callable[[Image, Mapping[str, Value], Progress], Image]


@dataclass(frozen=True)
class Kind:
    """A kind of step. `alters`: it replaces measured values by others, and that is said wherever it is offered."""

    name: str
    label: str
    group: Group
    apply: Apply
    parameters: tuple[Parameter, ...] = ()
    hint: str = ""
    alters: bool = False
    drawn: Drawn = ""

    def parameter(self, name: str) -> Parameter:
        """Raises RequestError that names what there is."""
        for one in self.parameters:
            if one.name == name:
                return one
        there = ", ".join(p.name for p in self.parameters) or "none"
        raise RequestError(f"step '{self.name}' has no parameter '{name}'; it has: {there}")

    def completed(self, given: Mapping[str, Value]) -> dict[str, Value]:
        """Every parameter: as given, or its default. Raises RequestError for unknown ones and wrong values."""
        for name in given:
            self.parameter(name)
        return {p.name: p.checked(given.get(p.name, p.default)) for p in self.parameters}
