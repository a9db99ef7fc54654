"""What models and methods are called where people read: `regression-sim` is "Network · any surface".

The names themselves stand on command lines, in cards, provenance and reports, where they must be exact.
"""

import re
from collections.abc import Mapping

#: what divides a title from what it is of
_OF = " · "
_METHODS: Mapping[str, str] = {
    "auto": "Automatic",
    "linear": "Linear interpolation",
    "cubic": "Cubic splines",
    "dimer-rows": "Dimer rows followed",
    "unit-cell": "Unit cell followed",
    "laplace": "Membrane (Laplace)",
    "biharmonic": "Thin plate (biharmonic)",
    "plate": "Thin plate",
    "tv": "Total variation",
    "cs-dct": f"Compressed sensing{_OF}waves",
    "cs-wavelet": f"Compressed sensing{_OF}wavelets",
    "row-median": "Aligned lines and median",
    "nlm": "Average of like places",
}
_KINDS: Mapping[str, str] = {
    "regression": "Network",
    "flow": "Texture network",
    "cfm": "Sampling network",
    "diffusion": "Diffusion network",
    "autoencoder": "Baseline network",
}
_FAMILIES: Mapping[str, str] = {"sim": "any surface", "si100h": "Si(001):H"}
#: where the family alone would promise too much
_SHIPPED: Mapping[str, str] = {"flow-sim": f"{_KINDS['flow']}{_OF}simulated"}
#: a name within a sentence; "linear interpolation" is one already
_NAME = re.compile(
    rf"(?:\bmodel )?(?<![\w-])({'|'.join(map(re.escape, _METHODS))}|(?:{'|'.join(_KINDS)})-\w[\w.+-]*\b)"
    r"(?![\w-])(?! interpolation)"
)


def title(name: str) -> str:
    """The title of a model or method; a name that says nothing of its kind, such as one of the user's, is its own."""
    if name in _METHODS:
        return _METHODS[name]
    kind, _, family = name.partition("-")
    if kind not in _KINDS:
        return name
    if not family:
        return _KINDS[kind]
    return _SHIPPED.get(name) or f"{_KINDS[kind]}{_OF}{_FAMILIES.get(family, family)}"


def in_titles(text: str) -> str:
    """A sentence with titles, in quotes, in place of the names in it."""
    return _NAME.sub(lambda found: f"“{title(found[1])}”", text)
