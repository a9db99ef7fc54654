"""The physical claims of Si(111) 7x7."""

from dataclasses import replace

import numpy as np
import pytest

from stmviewer.simulate.surfaces.lattice import Lattice
from stmviewer.simulate.surfaces.si111 import ATOM_SPACING_M, CELL_M, Si111, _sites

from .waves import maxima, peak, spots

PERFECT = Si111(missing_adatoms=0.0)
CELL_M2 = np.sqrt(0.75) * CELL_M**2


def distances(sites, others):
    """Sorted distances (m) from the first site to the others, in all cells around."""
    vectors = CELL_M * np.array([[1, 0], [0.5, np.sqrt(0.75)]])
    cells = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)])
    places = (np.asarray(others)[None] + cells[:, None]).reshape(-1, 2) @ vectors
    return np.sort(np.linalg.norm(places - sites @ vectors, axis=1))


def test_corner_holes_are_269_nm_apart():
    z = replace(PERFECT, angle_deg=12.0).make(400, 400, 0.06e-9, np.random.default_rng(0))
    rows, columns = maxima(-z, 12, -np.percentile(z, 2))
    assert len(rows) > 20
    places = np.stack([columns, rows], axis=1) * 0.06e-9
    nearest = np.sort(np.linalg.norm(places[:, None] - places[None], axis=-1), axis=1)[:, 1:7]
    inner = nearest[nearest[:, -1] < 3e-9]
    assert len(inner) > 10
    assert inner.mean() == pytest.approx(2.69e-9, rel=0.01)
    assert inner.std() < 0.05e-9
    spacing, _ = peak(z, 0.06e-9, 12.0 + 90, np.sqrt(0.75) * 2.69e-9)
    assert spacing * 2 / np.sqrt(3) == pytest.approx(2.69e-9, rel=0.01)


def test_adatoms_are_two_atom_spacings_apart_and_rest_atoms_between_three():
    adatoms, rest = _sites()
    assert adatoms.shape == (12, 2)
    assert rest.shape == (6, 2)
    a = ATOM_SPACING_M
    # a corner adatom: its twin across the corner hole's edge, and its neighbours in the half
    np.testing.assert_allclose(distances(adatoms[0], adatoms)[1:5], [np.sqrt(3) * a] * 2 + [2 * a] * 2, rtol=1e-6)
    # six of them around a hole
    np.testing.assert_allclose(distances(np.zeros(2), adatoms)[:6], np.sqrt(3) * a, rtol=1e-6)
    for site in rest:
        np.testing.assert_allclose(distances(site, adatoms)[:3], 2 * a / np.sqrt(3), rtol=1e-6)


def test_twelve_adatoms_alike_in_empty_states():
    pixel = 0.05e-9
    z = PERFECT.make(420, 420, pixel, np.random.default_rng(1))
    rows, columns = maxima(z, 4, np.median(z))
    cells = (420 - 8) ** 2 * pixel**2 / CELL_M2
    assert len(rows) / cells == pytest.approx(12, rel=0.05)
    assert np.ptp(z[rows, columns]) < 5e-12


def test_filled_states_tell_the_halves_and_corner_from_centre_adatoms():
    surface = replace(PERFECT, bias_v=-2.0)
    pixel = 0.04e-9
    rng = np.random.default_rng(2)
    z = surface.make(400, 400, pixel, rng)
    first, second = np.random.default_rng(2).random(2)
    lattice = Lattice.hexagonal(CELL_M, 0.0, (first, second), pixel)
    i, j = lattice.sample(400, 400, -3e-9, 1.0, rng)
    height = []
    for site in _sites()[0]:
        x, y = lattice.place(i + site[0], j + site[1])
        height.append(z[np.rint(y).astype(int), np.rint(x).astype(int)].mean())
    faulted, unfaulted = np.reshape(height, (2, 6))
    assert faulted.mean() - unfaulted.mean() == pytest.approx(surface.fault_contrast_m, rel=0.2)
    for half in (faulted, unfaulted):
        assert half[:3].mean() - half[3:].mean() == pytest.approx(surface.corner_contrast_m, rel=0.35)


def test_rest_atoms_are_seen_around_08_v_below_the_fermi_level_only():
    def lift(bias):
        low = replace(PERFECT, bias_v=bias, tip_height_m=0.3e-9)
        z = low.make(300, 300, 0.05e-9, np.random.default_rng(3))
        without = replace(low, rest_height_m=0.0).make(300, 300, 0.05e-9, np.random.default_rng(3))
        return (z - without).max()

    assert lift(-0.8) > 25e-12
    assert lift(-2.2) < 1e-12
    assert lift(1.0) == 0


def test_missing_adatoms_are_as_many_as_asked():
    share, pixel = 0.03, 0.06e-9
    surface = replace(PERFECT, missing_adatoms=share)
    lost = sum(
        spots(
            PERFECT.make(400, 400, pixel, np.random.default_rng(seed))
            - surface.make(400, 400, pixel, np.random.default_rng(seed)),
            30e-12,
        )
        for seed in range(3)
    )
    expected = 3 * share * 12 * (400 * pixel) ** 2 / CELL_M2
    assert abs(lost - expected) < 4 * np.sqrt(expected)


def test_corner_holes_are_as_deep_as_asked():
    for depth in (50e-12, 100e-12):
        sharp = replace(PERFECT, hole_depth_m=depth, adatom_height_m=0.1e-12)
        z = sharp.make(300, 300, 0.05e-9, np.random.default_rng(4))
        assert np.ptp(z) == pytest.approx(depth, rel=0.06)
