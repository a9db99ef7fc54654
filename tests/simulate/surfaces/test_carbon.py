"""The physical claims of graphite and of graphene with a moire."""

from dataclasses import replace

import numpy as np
import pytest

from stmviewer.simulate.surfaces.graphene_moire import SUBSTRATES_M, GrapheneMoire
from stmviewer.simulate.surfaces.graphite import Graphite

from .waves import maxima, peak, spots, wave

HALF = np.sqrt(0.75)


def test_graphite_shows_every_other_atom():
    pixel = 0.02e-9
    z = Graphite(alpha=0.3, angle_deg=10.0).make(300, 300, pixel, np.random.default_rng(0))
    rows, _ = maxima(z, 3, np.median(z) + 10e-12)
    cell = HALF * 0.246e-9**2
    assert len(rows) == pytest.approx(294**2 * pixel**2 / cell, rel=0.05)
    free = Graphite(alpha=1.0, angle_deg=10.0).make(300, 300, pixel, np.random.default_rng(0))
    rows, _ = maxima(free, 3, np.median(free))
    assert len(rows) == pytest.approx(2 * 294**2 * pixel**2 / cell, rel=0.05)


@pytest.mark.parametrize("corrugation", [30e-12, 100e-12])
def test_the_corrugation_is_as_asked(corrugation):
    z = Graphite(corrugation_m=corrugation).make(200, 200, 0.01e-9, np.random.default_rng(1))
    assert np.ptp(z) == pytest.approx(corrugation, rel=0.03)


def test_point_defects_carry_the_root_3_pattern():
    pixel = 0.05e-9
    surface = Graphite(defects_per_m2=0.02e18, interference=0.6, interference_decay_m=2e-9, angle_deg=10.0)
    z = surface.make(300, 300, pixel, np.random.default_rng(2))
    clean = replace(surface, defects_per_m2=0.0).make(300, 300, pixel, np.random.default_rng(2))
    # lines 0.369 nm apart, 30 degrees turned against those of the atoms
    spacing = HALF * np.sqrt(3) * 0.246e-9
    assert wave(z, pixel, 10.0, spacing) > 20 * wave(clean, pixel, 10.0, spacing)
    assert wave(z, pixel, 10.0, spacing) > 3 * wave(z, pixel, 25.0, spacing)


def test_point_defects_are_as_many_as_asked():
    surface = Graphite(defects_per_m2=0.03e18, interference=0.0)
    pixel, found = 0.1e-9, 0
    for seed in range(4):
        z = surface.make(250, 250, pixel, np.random.default_rng(seed))
        clean = replace(surface, defects_per_m2=0.0).make(250, 250, pixel, np.random.default_rng(seed))
        found += spots(z - clean, 70e-12)
    expected = 4 * 0.03e18 * (250 * pixel) ** 2
    assert abs(found - expected) < 4 * np.sqrt(expected)


@pytest.mark.parametrize("substrate", SUBSTRATES_M)
@pytest.mark.parametrize("twist", [0.0, 2.0, -6.0])
def test_the_moire_has_the_period_of_its_formula(substrate, twist):
    surface = GrapheneMoire(substrate_m=substrate, twist_deg=twist, angle_deg=20.0, corrugation_m=0.1e-12)
    ratio, angle = substrate / 0.246e-9, np.deg2rad(twist)
    mismatch = ratio - 1
    # Yankowitz et al., Nat. Phys. 8, 382 (2012)
    formula = ratio * 0.246e-9 / np.sqrt(2 * ratio * (1 - np.cos(angle)) + mismatch**2) if twist or mismatch else np.inf
    assert surface.period_m == pytest.approx(formula)
    if not 0.8e-9 < formula < 16e-9:
        return
    pixel = formula / 20
    z = surface.make(160, 160, pixel, np.random.default_rng(3))
    # the waves of the moire are turned against the lattice, the more the smaller the mismatch
    first = np.array([np.cos(-np.pi / 6), np.sin(-np.pi / 6)]) / 0.246e-9
    second = np.array([np.cos(angle - np.pi / 6), np.sin(angle - np.pi / 6)]) / substrate
    direction = 20.0 + np.rad2deg(np.arctan2(*(first - second)[::-1]))
    found, at = peak(z, pixel, direction, HALF * formula)
    assert found == pytest.approx(HALF * formula, rel=0.01)
    assert at == pytest.approx(direction, abs=1.1)


def test_twisted_layers_have_the_textbook_period():
    surface = GrapheneMoire(substrate_m=0.246e-9, twist_deg=3.0)
    assert surface.period_m == pytest.approx(0.246e-9 / (2 * np.sin(np.deg2rad(1.5))))
    assert GrapheneMoire(substrate_m=0.246e-9, twist_deg=0.0).period_m == np.inf
    assert GrapheneMoire().period_m == pytest.approx(2.62e-9, rel=0.01)


@pytest.mark.parametrize("moire", [40e-12, -40e-12])
def test_the_moire_is_as_high_as_asked_and_may_be_inverted(moire):
    pixel = 0.1e-9
    z = GrapheneMoire(moire_corrugation_m=moire, corrugation_m=0.0).make(200, 200, pixel, np.random.default_rng(4))
    assert np.ptp(z) == pytest.approx(abs(moire), rel=0.02)
    # hills are the rarer ones: three cosines reach farther up than down
    assert np.sign(np.mean(z) - (z.max() + z.min()) / 2) == -np.sign(moire)


def test_no_mismatch_no_moire():
    z = GrapheneMoire(substrate_m=0.246e-9, twist_deg=0.0, corrugation_m=0.0).make(
        100, 100, 0.1e-9, np.random.default_rng(5)
    )
    assert np.ptp(z) < 1e-15


def test_sublattices_differ_between_the_hills():
    pixel = 0.025e-9
    even = GrapheneMoire(sublattice_contrast=0.0, moire_corrugation_m=0.0, corrugation_m=20e-12)
    plain = even.make(300, 300, pixel, np.random.default_rng(6))
    z = replace(even, sublattice_contrast=0.6).make(300, 300, pixel, np.random.default_rng(6))
    rows, columns = maxima(plain, 3, np.median(plain))
    assert np.ptp(plain[rows, columns]) < 0.3e-12 + 0.1 * np.ptp(plain)
    assert np.ptp(z[rows, columns]) > 5e-12
