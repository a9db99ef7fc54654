"""Pristine surfaces in metres, one material a module, and what they are made of."""

from stmviewer.simulate.surfaces.au111 import Au111
from stmviewer.simulate.surfaces.catalogue import Surface, random_surface, surface_names
from stmviewer.simulate.surfaces.ge001 import Ge001
from stmviewer.simulate.surfaces.graphene_moire import GrapheneMoire
from stmviewer.simulate.surfaces.graphite import Graphite
from stmviewer.simulate.surfaces.molecules import Molecules
from stmviewer.simulate.surfaces.parametric import Hexagonal, Square
from stmviewer.simulate.surfaces.si001h import Si001H
from stmviewer.simulate.surfaces.si111 import Si111

__all__ = [
    "Au111",
    "Ge001",
    "GrapheneMoire",
    "Graphite",
    "Hexagonal",
    "Molecules",
    "Si001H",
    "Si111",
    "Square",
    "Surface",
    "random_surface",
    "surface_names",
]
