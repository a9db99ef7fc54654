"""The physical claims of molecules, their orbitals and the standing waves around them."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree

from stmviewer.simulate.surfaces.huckel import MOLECULES
from stmviewer.simulate.surfaces.lattice import Lattice
from stmviewer.simulate.surfaces.molecules import Molecules
from stmviewer.simulate.surfaces.surface_state import COPPER, GOLD, edges_of
from stmviewer.simulate.surfaces.terraces import Terraces

from .waves import peak, spots

ATOMS = {"pentacene": 22, "coronene": 24, "phthalocyanine": 40, "c60": 60}
BONDS = {"pentacene": 26, "coronene": 30, "phthalocyanine": 48, "c60": 90}
#: degeneracy of the highest filled and the lowest empty level, as group theory has it
LEVELS = {"pentacene": (1, 1), "coronene": (2, 2), "phthalocyanine": (1, 2), "c60": (5, 3)}
BARE = Molecules(corrugation_m=0.1e-12, surface_state=0.0, islands=0, singles_per_m2=0.0)


@pytest.mark.parametrize("name", MOLECULES)
def test_molecules_have_their_atoms_bonds_and_frontier_levels(name):
    molecule = MOLECULES[name][0]()
    distance = np.linalg.norm(molecule.atoms_m[:, None] - molecule.atoms_m[None], axis=-1)
    assert len(molecule.atoms_m) == ATOMS[name]
    assert distance[distance > 0].min() > 0.12e-9
    assert ((distance > 0) & (distance < 0.165e-9)).sum() / 2 == BONDS[name]
    assert (len(molecule.orbitals(True)), len(molecule.orbitals(False))) == LEVELS[name]


def test_hueckel_levels_of_pentacene():
    """The gap of 0.4395 beta, and orbitals that are symmetric and antisymmetric along the molecule's short axis."""
    molecule = MOLECULES["pentacene"][0]()
    homo, lumo = molecule.orbitals(True)[0], molecule.orbitals(False)[0]
    distance = np.linalg.norm(molecule.atoms_m[:, None] - molecule.atoms_m[None], axis=-1)
    bonds = ((distance > 0) & (distance < 0.165e-9)).astype(float)
    energies = [c @ bonds @ c for c in (homo, lumo)]
    assert energies[0] == pytest.approx(0.2197, abs=1e-3)
    assert energies[1] == pytest.approx(-0.2197, abs=1e-3)  # alternant: paired
    np.testing.assert_allclose(homo**2, lumo**2, atol=1e-9)


@pytest.mark.parametrize(("name", "fold"), [("pentacene", 2), ("coronene", 6), ("phthalocyanine", 4), ("c60", 3)])
@pytest.mark.parametrize("filled", [True, False])
def test_densities_have_the_symmetry_of_the_molecule(name, fold, filled):
    picture = MOLECULES[name][0]().density(0.03e-9, 0.4e-9, 11e9, filled, 1.0)
    turned = ndimage.rotate(picture, 360 / fold, reshape=False, order=1)
    assert np.abs(turned - picture).max() < 0.06
    assert picture.max() == pytest.approx(1)


def test_frontier_orbitals_have_nodes_where_the_body_has_none():
    molecule = MOLECULES["pentacene"][0]()
    orbital = molecule.density(0.03e-9, 0.4e-9, 11e9, True, 1.0)
    body = molecule.density(0.03e-9, 0.4e-9, 11e9, True, 0.0)
    middle = orbital.shape[0] // 2
    # the long axis is a nodal plane of every pi orbital of a2u kind; the body is highest there
    assert orbital[middle].max() < 0.05
    assert body[middle].max() > 0.9
    assert spots(orbital, 0.3) >= 10


def test_filled_and_empty_states_of_a_molecule_differ():
    molecule = MOLECULES["phthalocyanine"][0]()
    filled, empty = (molecule.density(0.03e-9, 0.4e-9, 11e9, state, 1.0) for state in (True, False))
    assert np.corrcoef(filled.ravel(), empty.ravel())[0, 1] < 0.9


@pytest.mark.parametrize("name", ["coronene", "phthalocyanine", "pentacene"])
def test_molecules_are_as_high_as_asked_on_every_terrace(name):
    surface = replace(BARE, molecule=name, singles_per_m2=0.03e18, molecule_height_m=0.15e-9, steps=1, angle_deg=15.0)
    pixel = 0.05e-9
    z = surface.make(400, 400, pixel, np.random.default_rng(1))
    bare = replace(surface, singles_per_m2=0.0).make(400, 400, pixel, np.random.default_rng(1))
    tops = ndimage.maximum(z - bare, *ndimage.label(z - bare > 20e-12)[:1], index=None)
    assert tops == pytest.approx(0.15e-9, rel=0.03)


def test_lone_molecules_are_no_more_than_asked_and_never_overlap():
    surface = replace(BARE, molecule="coronene", singles_per_m2=0.01e18, orbital_share=0.0)
    pixel, found = 0.1e-9, 0
    for seed in range(4):
        found += spots(surface.make(400, 400, pixel, np.random.default_rng(seed)), 75e-12)
    expected = 4 * 0.01e18 * (400 * pixel) ** 2
    # those that would lie on another are left out
    assert 0.85 * expected - 4 * np.sqrt(expected) < found < expected + 4 * np.sqrt(expected)
    metal = Lattice.hexagonal(0.2556e-9, 0.0, (0.1, 0.2), pixel)
    many = replace(surface, singles_per_m2=0.3e18)
    x, y, _ = many._singles(400, 400, metal, np.random.default_rng(0))
    assert len(cKDTree(np.stack([x, y], axis=1)).query_pairs(1.14e-9 / pixel)) == 0
    # on sites of the metal
    i, j = metal.coordinates(x, y)
    np.testing.assert_allclose(i, np.rint(i), atol=1e-6)
    np.testing.assert_allclose(j, np.rint(j), atol=1e-6)


@pytest.mark.parametrize(("name", "spacing"), [("coronene", 1.15e-9 * np.sqrt(0.75)), ("phthalocyanine", 1.42e-9)])
def test_islands_have_their_own_lattice(name, spacing):
    surface = replace(
        BARE, molecule=name, islands=1, island_radius_m=100e-9, island_vacancies=0.0, island_angle_deg=12.0,
        orbital_share=0.3,
    )  # fmt: skip
    pixel = 0.1e-9
    z = surface.make(256, 256, pixel, np.random.default_rng(3))
    found = [peak(z, pixel, 12.0 + 90 + turn, spacing) for turn in (0, 60, 120)]
    # one of the three directions that are alike for the metal
    near = [period for period, at in found if abs(period / spacing - 1) < 0.01]
    assert near


def test_vacancies_of_an_island():
    surface = replace(BARE, molecule="coronene", islands=1, island_radius_m=100e-9, island_vacancies=0.1)
    metal = Lattice.hexagonal(0.2556e-9, 0.0, (0.0, 0.0), 0.1e-9)
    x, _, _ = surface._island(400, 400, metal, np.random.default_rng(1))
    full, _, _ = replace(surface, island_vacancies=0.0)._island(400, 400, metal, np.random.default_rng(1))
    assert len(x) / len(full) == pytest.approx(0.9, abs=4 * np.sqrt(0.09 / len(full)))


def test_no_molecule_lies_over_a_step():
    surface = replace(BARE, molecule="phthalocyanine", islands=2, island_radius_m=100e-9, singles_per_m2=0.1e18)
    pixel = 0.1e-9
    rng = np.random.default_rng(2)
    terraces = Terraces.random(300, 300, pixel, steps=1, angle=0.3, lattice_angle=0.0, roughness_m=(0.5e-9,), rng=rng)
    metal = Lattice.hexagonal(0.2556e-9, 0.0, (0.0, 0.0), pixel)
    x, y, _ = surface._places(300, 300, metal, terraces, rng)
    assert len(x) > 100
    distance = ndimage.distance_transform_edt(~edges_of(terraces.field(300, 300))) * pixel
    inside = (x > 0) & (x < 299) & (y > 0) & (y < 299)
    assert distance[np.rint(y[inside]).astype(int), np.rint(x[inside]).astype(int)].min() > 0.5e-9


@pytest.mark.parametrize(("state", "wavelength"), [(COPPER, 3.0e-9), (GOLD, 3.6e-9)])
def test_standing_waves_have_half_the_fermi_wavelength(state, wavelength):
    """Cu(111): 3.0 nm (Crommie et al. 1993); Au(111): 3.6 nm (Hasegawa and Avouris 1993)."""
    assert 2 * np.pi / state.wave_numbers(0.0)[0] == pytest.approx(wavelength, rel=0.04)
    level = np.zeros((40, 400), dtype=int)
    level[:, 200:] = 1
    waves = state.at_edges(edges_of(level), 0.1e-9, 0.0)[20]
    assert waves[199] == pytest.approx(-1)  # the state vanishes at a hard wall
    crests = np.nonzero((waves == ndimage.maximum_filter1d(waves, 7)) & (waves > 0.05))[0]
    gaps = np.diff(crests[crests > 200]) * 0.1e-9
    np.testing.assert_allclose(gaps, wavelength / 2, rtol=0.08)
    np.testing.assert_allclose(waves[199 - 100 : 199], waves[200:300][::-1], atol=1e-12)


def test_rings_around_a_scatterer():
    for pixel in (0.05e-9, 0.15e-9):
        size = int(16e-9 / pixel)
        middle = np.array([size // 2])
        waves = COPPER.at_points(size, size, middle, middle, pixel, 0.0)
        profile = waves[size // 2, size // 2 :]
        crests = np.nonzero((profile == ndimage.maximum_filter1d(profile, 9)) & (profile > 0.01))[0]
        np.testing.assert_allclose(np.diff(crests[:4]) * pixel, 1.5e-9, rtol=0.12)
        down = waves[size // 2 :, size // 2]
        np.testing.assert_allclose(profile, down, atol=0.03)


def test_no_edges_and_no_points_no_waves():
    assert not COPPER.at_edges(np.zeros((5, 5), dtype=bool), 1e-10, 0.1).any()
    far = np.array([1e6])
    assert not COPPER.at_points(9, 9, far, far, 1e-10, 0.1).any()
