import numpy as np
import pytest

from stmviewer.simulate.surfaces.terraces import KINK_M, Terraces


def levels(steps, angle=0.3, seed=0, lattice_angle=0.0, roughness=(0.2e-9, 1.0e-9), size=200, pixel=0.1e-9):
    terraces = Terraces.random(
        size, size, pixel, steps=steps, angle=angle, lattice_angle=lattice_angle, roughness_m=roughness,
        rng=np.random.default_rng(seed),
    )  # fmt: skip
    return terraces.levels(np.arange(size)[None, :], np.arange(size)[:, None])


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
@pytest.mark.parametrize("seed", range(5))
def test_every_level_is_in_the_field(steps, seed):
    assert set(np.unique(levels(steps, seed=seed))) == set(range(steps + 1))


def test_edges_in_any_direction_run_along_the_lattice_with_kinks():
    level = levels(1, angle=np.pi / 4, roughness=(0.0, 0.0))
    edge = np.argmax(level, axis=0)[60:140]  # first row of the upper level in each column
    jumps = np.diff(edge)
    assert (jumps == 0).mean() > 0.8  # straight pieces
    assert np.abs(jumps[jumps != 0]).min() * 0.1e-9 == pytest.approx(KINK_M, abs=0.11e-9)


def test_edges_are_smooth_and_rough_in_turn():
    wander = []
    for seed in range(20):
        level = levels(2, angle=0.0, seed=seed, roughness=(0.1e-9, 2e-9), size=300)
        wander.append([np.argmax(level > k, axis=0).std() for k in (0, 1)])
    smooth, rough = np.mean(wander, axis=0)
    assert rough > 4 * smooth
