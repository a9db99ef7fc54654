"""Surfaces by name."""

from typing import ClassVar, Protocol, Self

import numpy as np

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.surfaces.au111 import Au111
from stmviewer.simulate.surfaces.ge001 import Ge001
from stmviewer.simulate.surfaces.graphene_moire import GrapheneMoire
from stmviewer.simulate.surfaces.graphite import Graphite
from stmviewer.simulate.surfaces.molecules import Molecules
from stmviewer.simulate.surfaces.parametric import Hexagonal, Square
from stmviewer.simulate.surfaces.si001h import Si001H
from stmviewer.simulate.surfaces.si111 import Si111


class Surface(Protocol):
    """A surface that the simulator can draw: a frozen dataclass with its parameters in SI units."""

    name: ClassVar[str]

    @property
    def bias_v(self) -> float:
        """Sample bias: negative shows filled states, positive empty states."""

    def make(self, rows: int, columns: int, pixel_m: float, rng: np.random.Generator) -> FloatArray:
        """Heights in metres, shape (rows, columns), on square pixels of `pixel_m`."""

    @classmethod
    def random(cls, rng: np.random.Generator) -> Self:
        """Parameters as laboratories meet them."""


_SURFACES: dict[str, type[Surface]] = {
    surface.name: surface
    for surface in (Si001H, Si111, Ge001, Au111, Graphite, GrapheneMoire, Hexagonal, Square, Molecules)
}


def surface_names() -> list[str]:
    """Names of the surfaces there are."""
    return list(_SURFACES)


def random_surface(name: str, rng: np.random.Generator) -> Surface:
    """A surface of that name with random parameters. Raises RequestError for an unknown name."""
    if name not in _SURFACES:
        raise RequestError(f"surface '{name}' is unknown; there are {', '.join(_SURFACES)}")
    return _SURFACES[name].random(rng)
