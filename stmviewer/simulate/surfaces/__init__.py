"""Pristine surfaces in metres, one material a module, and what they are made of."""

from stmviewer.simulate.surfaces.catalogue import Surface, random_surface, surface_names
from stmviewer.simulate.surfaces.si001h import Si001H

__all__ = ["Si001H", "Surface", "random_surface", "surface_names"]
