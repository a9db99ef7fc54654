"""Surfaces, tips and scanners: makes pristine scans in metres and degrades them. No Qt, no torch, no files."""

from stmviewer.simulate.bank import PristineBank
from stmviewer.simulate.pairs import simulate_scan, to_scan
from stmviewer.simulate.presets import PRESETS, Pair, degrade
from stmviewer.simulate.surfaces import (
    Au111,
    Ge001,
    GrapheneMoire,
    Graphite,
    Hexagonal,
    Molecules,
    Si001H,
    Si111,
    Square,
    Surface,
    random_surface,
    surface_names,
)

__all__ = [
    "PRESETS",
    "Au111",
    "Ge001",
    "GrapheneMoire",
    "Graphite",
    "Hexagonal",
    "Molecules",
    "Pair",
    "PristineBank",
    "Si001H",
    "Si111",
    "Square",
    "Surface",
    "degrade",
    "random_surface",
    "simulate_scan",
    "surface_names",
    "to_scan",
]
