"""Surfaces, tips and scanners: makes pristine scans in metres and degrades them. No Qt, no torch, no files."""

from stmviewer.simulate.bank import PristineBank
from stmviewer.simulate.pairs import simulate_on_images, simulate_scan, to_scan
from stmviewer.simulate.presets import PRESETS, Pair, degrade, degrade_both_ways
from stmviewer.simulate.real_images import RealImages
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
    "RealImages",
    "Si001H",
    "Si111",
    "Square",
    "Surface",
    "degrade",
    "degrade_both_ways",
    "random_surface",
    "simulate_on_images",
    "simulate_scan",
    "surface_names",
    "to_scan",
]
