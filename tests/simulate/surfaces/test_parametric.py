"""The physical claims of lattices from parameters."""

from dataclasses import replace

import numpy as np
import pytest

from stmviewer.simulate.surfaces.parametric import Hexagonal, Square
from stmviewer.simulate.surfaces.terraces import Terraces

from .waves import maxima, peak, spots

CELL = {Hexagonal: np.sqrt(0.75), Square: 1.0}


@pytest.mark.parametrize("constant", [0.25e-9, 0.5e-9])
@pytest.mark.parametrize("kind", [Hexagonal, Square])
def test_one_maximum_a_cell_as_high_as_asked(kind, constant):
    surface = kind(lattice_m=constant, corrugation_m=15e-12, angle_deg=11.0)
    pixel = constant / 12
    z = surface.make(240, 240, pixel, np.random.default_rng(0))
    rows, _ = maxima(z, 3, np.median(z))
    assert len(rows) == pytest.approx(234**2 * pixel**2 / (CELL[kind] * constant**2), rel=0.05)
    assert np.ptp(z) == pytest.approx(15e-12, rel=0.05)


@pytest.mark.parametrize("kind", [Hexagonal, Square])
@pytest.mark.parametrize(("defect", "sign"), [("vacancies", -1), ("adatoms", 1)])
def test_defects_are_as_many_as_asked(kind, defect, sign):
    share, pixel = 0.004, 0.06e-9
    clean = kind(corrugation_m=5e-12)
    surface = replace(clean, **{defect: share})
    found = 0
    for seed in range(4):
        change = surface.make(256, 256, pixel, np.random.default_rng(seed)) - clean.make(
            256, 256, pixel, np.random.default_rng(seed)
        )
        assert np.percentile(sign * change, 0.1) > -3e-12
        found += spots(sign * change, 30e-12)
    expected = 4 * share * (256 * pixel) ** 2 / (CELL[kind] * clean.lattice_m**2)
    assert abs(found - expected) < 4 * np.sqrt(expected)


def test_adatoms_are_as_wide_and_high_as_asked():
    pixel = 0.02e-9
    surface = Hexagonal(corrugation_m=0.0, adatoms=0.002, adatom_height_m=0.1e-9, defect_width_m=0.4e-9)
    z = surface.make(400, 400, pixel, np.random.default_rng(6))
    count = spots(z, 50e-12)
    area = (z > 50e-12).sum() * pixel**2 / count
    assert count > 2
    assert 2 * np.sqrt(area / np.pi) == pytest.approx(0.4e-9, rel=0.15)
    assert np.median([z.max()]) == pytest.approx(0.1e-9, rel=0.15)


@pytest.mark.parametrize("kind", [Hexagonal, Square])
def test_layers_are_stacked_as_in_the_bulk(kind):
    """After the period of the stacking the atoms are over each other again; before that they are not."""
    pixel = 0.05e-9
    surface = kind(corrugation_m=15e-12)
    shift, period = kind.stacking
    lattice = surface.lattice(pixel, (0.0, 0.0))
    places = np.array([lattice.place(k * shift, k * shift) for k in range(period + 1)]) * pixel
    i, j = (np.asarray(lattice.coordinates(*(places[period] / pixel)))).round(9)
    assert i == round(float(i))
    assert j == round(float(j))
    for k in range(1, period):
        fraction = np.asarray(lattice.coordinates(*(places[k] / pixel))) % 1
        assert fraction.min() > 0.3
    # and the spacing goes on across a step
    z = replace(surface, steps=1).make(300, 300, pixel, np.random.default_rng(3))
    expected = CELL[kind] * surface.lattice_m
    assert peak(z, pixel, 90.0, expected)[0] == pytest.approx(expected, rel=0.01)


def test_edges_of_hexagonal_crystals_follow_their_directions():
    terraces = Terraces.random(
        400, 400, 0.05e-9, steps=1, angle=np.deg2rad(30), lattice_angle=0.0, roughness_m=(0.0,), kink_m=2e-9,
        kink_angle=np.pi / 3, rng=np.random.default_rng(0),
    )  # fmt: skip
    level = terraces.field(400, 400)
    edge = np.argmax(level, axis=0)[np.ptp(level, axis=0) > 0]  # row of the edge in each column
    # pieces of 2 nm along 0 and 60 degrees, 40 and 20 columns wide
    slope = (edge[10:] - edge[:-10]) / 10
    flat, steep = np.abs(slope) < 0.05, np.abs(slope - np.sqrt(3)) < 0.08
    assert flat.mean() > 0.25
    assert steep.mean() > 0.08
    assert slope.min() > -0.05
    assert slope.max() < np.sqrt(3) + 0.08
