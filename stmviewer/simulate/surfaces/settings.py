"""Parameters of a surface set by hand, as text."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np

from stmviewer.scan.errors import RequestError
from stmviewer.simulate.surfaces.catalogue import Surface

#: what has a sign
_SIGNED = ("bias_v", "_deg", "moire_corrugation_m")
#: ranges (SI) outside of which nothing of matter is described and a field may take hours or all memory
_LIMITS = {
    "kappa_per_m": (3e9, 20e9),
    "lattice_m": (0.1e-9, 3e-9),
    "substrate_m": (0.1e-9, 3e-9),
    "tip_height_m": (0.05e-9, 3e-9),
    "step_height_m": (0, 1e-9),
    "ridge_m": (0, 1e-9),
    "dihydride_period": (1, 3),
    "missing_run": (1, 100),
    "vacancy_line_spacing_m": (0, 1e-6),
    "defect_width_m": (0.05e-9, 10e-9),
    "dangling_width_m": (0.1e-9, 10e-9),
    "interference_decay_m": (0.05e-9, 20e-9),
    "cluster_radius_m": (0.05e-9, 50e-9),
}
#: the same by the end of the name, the first that fits
_LIMITS_BY_KIND = {
    "height_m": (0, 3e-9),
    "depth_m": (0, 3e-9),
    "corrugation_m": (0, 1e-9),
    "contrast_m": (0, 1e-9),
    "per_m2": (0, 2e18),
    "steps": (0, 12),
    "patches": (0, 50),
    "islands": (0, 50),
    "_m": (0, 1e-6),
    "_deg": (0, 720),
    "_v": (0, 10),
}


def with_settings(surface: Surface, settings: Mapping[str, str]) -> Surface:
    """`surface` with parameters replaced: the text of one number (SI units), or of several with commas, or a word.

    Raises RequestError for a parameter or a value that the surface does not have.
    """
    known = {field.name: getattr(surface, field.name) for field in fields(surface)}  # type: ignore[arg-type]
    changes = {}
    for name, text in settings.items():
        if name not in known:
            raise RequestError(f"surface '{surface.name}' has no parameter '{name}'; it has {', '.join(known)}")
        changes[name] = _value(name, text, known[name])
    return replace(surface, **changes)  # type: ignore[type-var]


def _value(name: str, text: str, present: Any) -> Any:
    """The text as what the parameter is now: a word, a number or several."""
    if isinstance(present, str):
        return text
    parts = text.split(",")
    several = present if isinstance(present, tuple) else (present,)
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        raise RequestError(f"'{text}' is no value for {name}; now it is {_text(present)}") from None
    if len(numbers) != len(several):
        raise RequestError(f"{name} takes {len(several)} numbers, not {len(numbers)}: {text}")
    low, high = _limits(name)
    for number in numbers:
        if not (np.isfinite(number) and low <= number <= high):
            raise RequestError(f"{name} is between {low:g} and {high:g}, not {number:g} (in SI units)")
        if isinstance(several[0], int) and number != int(number):
            raise RequestError(f"{name} is a whole number, not {number:g}")
    values = tuple(int(number) if isinstance(several[0], int) else number for number in numbers)
    return values if isinstance(present, tuple) else values[0]


def _limits(name: str) -> tuple[float, float]:
    kinds = (limits for end, limits in _LIMITS_BY_KIND.items() if name.endswith(end))
    # what is left are shares of one
    low, high = _LIMITS.get(name) or next(kinds, (0.0, 1.0))
    return (-high if name.endswith(_SIGNED) else low), high


def _text(value: Any) -> str:
    return ",".join(f"{part:g}" for part in value) if isinstance(value, tuple) else f"{value:g}"
