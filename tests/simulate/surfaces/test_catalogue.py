"""What holds for every surface of the catalogue."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from stmviewer.scan import RequestError
from stmviewer.simulate import (
    Au111,
    Ge001,
    GrapheneMoire,
    Graphite,
    Hexagonal,
    Molecules,
    Si001H,
    Si111,
    Square,
    random_surface,
    surface_names,
)

from .waves import peak, step_height

NAMES = [
    "si001h", "si111-7x7", "ge001", "au111", "graphite", "graphene-moire", "hexagonal", "square", "molecules",
]  # fmt: skip
HALF = np.sqrt(0.75)
CLEAN_MOLECULES = Molecules(islands=0, singles_per_m2=0.0, surface_state=0.0, corrugation_m=10e-12)

#: a flawless surface; (direction against its angle, distance between lines) of its lattice planes
LATTICES = {
    "si001h": (
        Si001H(missing_dimers=0.0, dangling_bonds=0.0), [(90, 0.768e-9), (0, 0.384e-9)],
    ),
    "si111-7x7": (Si111(missing_adatoms=0.0), [(d, HALF * 2.688e-9) for d in (-30, 30, 90)]),
    "ge001": (Ge001(missing_dimers=0.0), [(90, 0.8e-9), (0, 0.4e-9)]),
    # across the ridges, and the rows of atoms that run across them
    "au111": (Au111(elbow_m=0.0, corrugation_m=20e-12), [(-30, 6.336e-9), (60, HALF * 0.288e-9)]),
    "graphite": (Graphite(), [(d, HALF * 0.246e-9) for d in (-30, 30, 90)]),
    "graphene-moire": (GrapheneMoire(), [(d, HALF * 0.246e-9) for d in (-30, 30, 90)]),
    "hexagonal": (Hexagonal(lattice_m=0.31e-9), [(d, HALF * 0.31e-9) for d in (-30, 30, 90)]),
    "square": (Square(lattice_m=0.31e-9), [(0, 0.31e-9), (90, 0.31e-9)]),
    "molecules": (CLEAN_MOLECULES, [(d, HALF * 0.2556e-9) for d in (-30, 30, 90)]),
}  # fmt: skip

#: one single-layer step, its height, and a width over which the lattice averages out
STEPS = {
    "si001h": (0.136e-9, 0.5e-9),
    "si111-7x7": (0.314e-9, 1.2e-9),
    "ge001": (0.1414e-9, 0.5e-9),
    "au111": (0.235e-9, 0.2e-9),
    "graphite": (0.335e-9, 0.2e-9),
    "graphene-moire": (0.222e-9, 0.3e-9),
    "hexagonal": (0.208e-9, 0.2e-9),
    "square": (0.208e-9, 0.2e-9),
    "molecules": (0.208e-9, 0.2e-9),
}


def test_the_names():
    assert surface_names() == NAMES
    assert set(LATTICES) == set(STEPS) == set(NAMES)


def test_an_unknown_surface_is_refused_with_what_there_is():
    with pytest.raises(RequestError, match=r"'cheese' is unknown; there are si001h, si111-7x7, .*molecules"):
        random_surface("cheese", np.random.default_rng(0))


@pytest.mark.parametrize(("angle", "pixel"), [(0.0, 0.05e-9), (37.0, 0.08e-9), (143.5, 0.06e-9)])
@pytest.mark.parametrize("name", NAMES)
def test_fourier_peaks_lie_at_the_lattice_spacings(name, angle, pixel):
    surface, planes = LATTICES[name]
    z = replace(surface, angle_deg=angle).make(400, 400, pixel, np.random.default_rng(1))
    for direction, spacing in planes:
        found, at = peak(z, pixel, angle + direction, spacing)
        assert found == pytest.approx(spacing, rel=0.01)
        assert at == pytest.approx(angle + direction, abs=0.6)


@pytest.mark.parametrize("seed", [1, 5])
@pytest.mark.parametrize("name", NAMES)
def test_steps_have_their_heights(name, seed):
    surface, _ = LATTICES[name]
    height, blur = STEPS[name]
    pixel = 0.1e-9
    z = replace(surface, steps=1, angle_deg=20.0).make(300, 300, pixel, np.random.default_rng(seed))
    assert step_height(z, pixel, blur) == pytest.approx(height, rel=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_makes_the_same_heights(name):
    for seed in range(4):
        drawn = [random_surface(name, np.random.default_rng(seed)) for _ in range(2)]
        assert drawn[0] == drawn[1]
        first, second = (s.make(60, 50, 0.11e-9, np.random.default_rng(seed)) for s in drawn)
        np.testing.assert_array_equal(first, second)
        assert not np.array_equal(first, drawn[0].make(60, 50, 0.11e-9, np.random.default_rng(99)))


@pytest.mark.parametrize("pixel", [0.02e-9, 0.15e-9, 1e-9])
@pytest.mark.parametrize("name", NAMES)
def test_random_surfaces_are_heights_at_every_pixel_size(name, pixel):
    for seed in range(8):
        rng = np.random.default_rng(seed)
        surface = random_surface(name, rng)
        z = surface.make(40, 56, pixel, rng)
        assert z.shape == (40, 56)
        assert np.isfinite(z).all()
        assert 0 < np.ptp(z) < 3e-9
        json.dumps(asdict(surface))  # a recipe can be written


@pytest.mark.parametrize("name", NAMES)
def test_a_field_does_not_depend_on_how_it_is_turned(name):
    """The same statistics at any angle: the heights' spread of flawless surfaces."""
    surface, _ = LATTICES[name]
    spread = [
        replace(surface, angle_deg=angle).make(256, 256, 0.07e-9, np.random.default_rng(3)).std()
        for angle in (0.0, 33.0, 90.0)
    ]
    assert np.ptp(spread) < 0.1 * np.mean(spread)


@pytest.mark.parametrize("name", NAMES)
def test_sampling_coarsely_is_looking_at_every_nth_point(name):
    """Pixels are points of one and the same surface: a coarser scan has every third of a finer one's."""
    surface, _ = LATTICES[name]
    fine = surface.make(90, 90, 0.05e-9, np.random.default_rng(4))
    coarse = surface.make(30, 30, 0.15e-9, np.random.default_rng(4))
    np.testing.assert_allclose(coarse, fine[::3, ::3], atol=0.5e-12)
