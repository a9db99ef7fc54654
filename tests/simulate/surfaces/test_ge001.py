"""The physical claims of Ge(001)."""

from dataclasses import replace

import numpy as np
import pytest

from stmviewer.simulate.surfaces.dimers import DimerOrbital
from stmviewer.simulate.surfaces.ge001 import Ge001

from .waves import amplitudes, spots, step_height, wave

PERFECT = Ge001(missing_dimers=0.0, phase_defects=0.0, alternation=1.0)
R, D = 0.8e-9, 0.4e-9


def at(z, pixel, *waves):
    """Amplitudes at (across the rows, along the rows) in 1/m; the rows lie along the columns axis."""
    return amplitudes(z, pixel, [(along, across) for across, along in waves])


def test_c4x2_and_p2x2_have_their_own_spots():
    pixel = 0.05e-9
    zigzag, straight = (1 / (2 * R), 1 / (2 * D)), (1 / R, 1 / (2 * D))
    c4x2 = PERFECT.make(320, 320, pixel, np.random.default_rng(0))
    p2x2 = replace(PERFECT, alternation=0.0).make(320, 320, pixel, np.random.default_rng(0))
    symmetric = replace(PERFECT, buckling=0.0).make(320, 320, pixel, np.random.default_rng(0))
    c, p, s = (at(z, pixel, zigzag, straight) for z in (c4x2, p2x2, symmetric))
    assert c[0] > 20 * c[1]
    assert p[1] > 20 * p[0]
    assert s.max() < 0.02 * c[0]
    for z in (c4x2, p2x2, symmetric):
        assert wave(z, pixel, 90, R) > 2e-12


def test_the_zigzag_turns_over_with_the_bias():
    pixel = 0.04e-9
    filled, empty = (
        replace(PERFECT, bias_v=bias).make(240, 240, pixel, np.random.default_rng(1)) for bias in (-1.5, 1.5)
    )
    symmetric = [
        replace(PERFECT, bias_v=bias, buckling=0.0).make(240, 240, pixel, np.random.default_rng(1))
        for bias in (-1.5, 1.5)
    ]
    upper, lower = filled - symmetric[0], empty - symmetric[1]
    assert np.corrcoef(upper.ravel(), lower.ravel())[0, 1] < -0.6


def test_buckling_moves_density_from_one_end_to_the_other():
    orbital = DimerOrbital(0.12e-9, 0.14e-9, 0.2, R, D)
    u = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    sides = orbital.sides(u)
    assert sides[np.argmax(sides)] == pytest.approx(-sides.min())
    assert u[np.argmax(sides)] / (2 * np.pi) * R == pytest.approx(0.16e-9, abs=0.03e-9)
    # nothing midway between rows and between dimers, where the phase may jump
    assert abs(orbital.sides(np.array([np.pi]))[0]) < 1e-9
    turns = orbital.turns(np.array([0.0, np.pi, 2 * np.pi]))
    assert turns[0] == pytest.approx(-turns[2])
    assert abs(turns[1]) < 1e-9
    # as in the sum over atoms
    v = np.arange(-8, 9)[:, None] * D
    direct = ((-1.0) ** np.arange(-8, 9)[:, None] * np.exp(-0.5 * ((0.1e-9 - v) / 0.12e-9) ** 2)).sum()
    direct *= D / np.sqrt(2 * np.pi) / 0.12e-9
    assert orbital.turns(np.array([2 * np.pi * 0.1e-9 / D]))[0] == pytest.approx(direct, rel=0.01)


@pytest.mark.parametrize("buckling", [0.0, 0.5, 1.0])
def test_corrugation_is_as_asked(buckling):
    z = replace(PERFECT, buckling=buckling, corrugation_m=40e-12).make(200, 200, 0.02e-9, np.random.default_rng(2))
    assert np.ptp(z) == pytest.approx(40e-12, rel=0.05)


def test_phase_defects_are_as_many_as_asked():
    share = 0.01
    surface = replace(PERFECT, phase_defects=share)
    sign = surface._phases(0, 199, 0, 199, np.random.default_rng(3))
    flips = (sign[:, 1:] != sign[:, :-1]).sum()
    expected = share * 200 * 199
    assert abs(flips - expected) < 4 * np.sqrt(expected)
    clean = PERFECT._phases(0, 9, 0, 9, np.random.default_rng(3))
    assert (clean[1:] == -clean[:-1]).all()


def test_missing_dimers_are_as_many_as_asked():
    pixel, share = 0.08e-9, 0.01
    surface = replace(PERFECT, missing_dimers=share, missing_run=1.0)
    lost = sum(
        spots(
            PERFECT.make(256, 256, pixel, np.random.default_rng(seed))
            - surface.make(256, 256, pixel, np.random.default_rng(seed)),
            35e-12,
        )
        for seed in range(5)
    )
    expected = 5 * share * (256 * pixel) ** 2 / (R * D)
    assert abs(lost - expected) < 4 * np.sqrt(expected)


def test_rows_turn_from_layer_to_layer():
    surface = replace(PERFECT, steps=1, edge_roughness_m=(0.0, 0.0))
    pixel = 0.05e-9
    z = surface.make(480, 240, pixel, np.random.default_rng(4))
    assert step_height(z, pixel, 0.5e-9) == pytest.approx(0.1414e-9, rel=0.02)
    edge = int(np.argmax(np.diff(z.mean(axis=1).cumsum()[15:] - z.mean(axis=1).cumsum()[:-15]))) + 7
    lower, upper = z[: edge - 20], z[edge + 20 :]
    assert wave(lower, pixel, 90, R) > 5 * wave(lower, pixel, 0, R)
    assert wave(upper, pixel, 0, R) > 5 * wave(upper, pixel, 90, R)
