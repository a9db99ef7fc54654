"""The physical claims of the surface, each measured on the heights it makes."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from stmviewer.simulate.surfaces.dimers import DimerLattice
from stmviewer.simulate.surfaces.si001h import STEP_HEIGHT_M, Si001H

from .waves import peak, spots, step_height, wave

PERFECT = Si001H(missing_dimers=0.0, dangling_bonds=0.0)


def strongest_period(z, pixel, direction_deg, expected):
    return peak(z, pixel, direction_deg, expected)[0]


@pytest.mark.parametrize("pixel", [0.05e-9, 0.1e-9, 0.17e-9])
@pytest.mark.parametrize("bias", [-2.0, 2.0])
@pytest.mark.parametrize("angle", [0.0, 37.0])
def test_rows_and_dimers_have_their_spacings(pixel, bias, angle):
    z = replace(PERFECT, bias_v=bias, angle_deg=angle).make(200, 200, pixel, np.random.default_rng(0))
    assert strongest_period(z, pixel, angle + 90, 0.768e-9) == pytest.approx(0.768e-9, rel=0.01)
    assert strongest_period(z, pixel, angle, 0.384e-9) == pytest.approx(0.384e-9, rel=0.01)
    # nothing of the row period along the rows
    assert wave(z, pixel, angle, 0.768e-9) < 0.02 * wave(z, pixel, angle + 90, 0.768e-9)


@pytest.mark.parametrize("bias", [-2.0, 2.0])
@pytest.mark.parametrize("corrugation", [20e-12, 40e-12])
def test_corrugation_is_as_asked(bias, corrugation):
    surface = replace(PERFECT, bias_v=bias, corrugation_m=corrugation)
    z = surface.make(300, 300, 0.02e-9, np.random.default_rng(1))
    assert np.ptp(z) == pytest.approx(corrugation, rel=0.02)


def test_filled_states_peak_on_the_row_and_empty_states_beside_it():
    profiles = {}
    for bias in (-2.0, 2.0):
        z = replace(PERFECT, bias_v=bias).make(384, 384, 0.01e-9, np.random.default_rng(2))
        profiles[bias] = z.mean(axis=1)  # rows lie along the columns axis: a profile across them
    trench = int(np.argmin(profiles[-2.0][:77]))
    middle = trench + 38  # half a row spacing of 76.8 pixels
    assert np.argmax(profiles[-2.0][trench : trench + 77]) == pytest.approx(38, abs=2)
    lobe = profiles[2.0][trench : trench + 77].argmax() - 38
    assert 8 <= abs(lobe) <= 20
    assert profiles[2.0][middle] < profiles[2.0].max() - 1e-12


def test_rows_dominate_dimers():
    z = PERFECT.make(256, 256, 0.05e-9, np.random.default_rng(3))
    rows, dimers = wave(z, 0.05e-9, 90, 0.768e-9), wave(z, 0.05e-9, 0, 0.384e-9)
    assert 2 < rows / dimers < 12


@pytest.mark.parametrize("bias", [-2.0, 2.0])
def test_a_step_is_0136_nm_high_and_the_rows_turn_across_it(bias):
    surface = replace(PERFECT, bias_v=bias, steps=1, angle_deg=0.0, step_angle_deg=0.0, edge_roughness_m=(0.0, 0.0))
    pixel = 0.05e-9
    z = surface.make(480, 240, pixel, np.random.default_rng(4))
    edge = int(np.argmax(np.diff(ndimage.gaussian_filter(z.mean(axis=1), 10))))
    # whole unit cells of both row directions (0.768 nm) on either side, away from the edge
    cells = int((min(edge, 480 - edge) - 20) * pixel / 0.768e-9)
    span = round(cells * 0.768e-9 / pixel)
    across = round(int(240 * pixel / 0.768e-9) * 0.768e-9 / pixel)
    lower, upper = z[edge - 15 - span : edge - 15, :across], z[edge + 15 : edge + 15 + span, :across]
    assert upper.mean() - lower.mean() == pytest.approx(STEP_HEIGHT_M, rel=0.01)
    along, turned = wave(lower, pixel, 90, 0.768e-9), wave(lower, pixel, 0, 0.768e-9)
    assert along > 10 * turned
    along, turned = wave(upper, pixel, 90, 0.768e-9), wave(upper, pixel, 0, 0.768e-9)
    assert turned > 10 * along


def test_missing_dimers_are_as_many_as_asked_and_dark():
    share, pixel, size = 0.01, 0.08e-9, 256
    surface = replace(PERFECT, missing_dimers=share, missing_run=1.0)
    pits = 0
    for seed in range(6):
        z = surface.make(size, size, pixel, np.random.default_rng(seed))
        pits += ndimage.label(z < z.max() - 75e-12)[1]
    expected = 6 * share * (size * pixel) ** 2 / (0.768e-9 * 0.384e-9)
    # neighbours merge into one pit and pits at the edge are seen from outside: a few per cent each way
    assert abs(pits - expected) < 4 * np.sqrt(expected)


@pytest.mark.parametrize("run", [1.0, 2.0])
def test_share_of_missing_dimers_does_not_depend_on_their_runs(run):
    surface = replace(PERFECT, missing_dimers=0.03, missing_run=run)
    rng = np.random.default_rng(7)
    terraces = surface.terraces(1000, 1000, 0.1e-9, rng)
    dimers = surface.dimers(1000, 1000, DimerLattice(0.3, (0.0, 0.0), 0.1e-9), terraces, 0, rng)
    assert len(dimers.missing[0]) / dimers.count == pytest.approx(0.03, rel=0.1)


def test_a_dangling_bond_is_bright_round_08_nm_wide_and_off_the_row():
    pixel = 0.03e-9
    # faint rows: where the bond adds most is where its state is centred, not where the row is lowest
    faint = replace(PERFECT, corrugation_m=1e-12)
    surface = replace(faint, dangling_bonds=0.003, charged=0.0, dangling_height_m=0.15e-9)
    rows = faint.make(400, 400, pixel, np.random.default_rng(11))
    z = surface.make(400, 400, pixel, np.random.default_rng(11))
    raised = z - rows
    labels, count = ndimage.label(raised > 75e-12)
    assert count > 0
    whole = [s for s in ndimage.find_objects(labels) if s[0].start > 20 and s[0].stop < 380 and s[1].stop < 380]
    profile = rows.mean(axis=1)
    for number, place in enumerate(whole, 1):
        peak = raised[place].max()
        assert peak == pytest.approx(0.15e-9, rel=0.2)
        area = (labels[place] > 0).sum() * pixel**2
        assert 2 * np.sqrt(area / np.pi) == pytest.approx(0.8e-9, abs=0.1e-9), number
        top = place[0].start + np.unravel_index(raised[place].argmax(), raised[place].shape)[0]
        near = profile[top - 13 : top + 14]  # one row spacing
        assert abs(int(near.argmax()) - 13) * pixel == pytest.approx(0.12e-9, abs=0.05e-9)


def test_charged_dangling_bonds_have_a_dark_halo():
    quiet = replace(PERFECT, dangling_bonds=0.002, charged=0.0)
    seed, pixel = 12, 0.1e-9
    without = quiet.make(200, 200, pixel, np.random.default_rng(seed))
    charged = replace(quiet, charged=1.0, halo_depth_m=30e-12).make(200, 200, pixel, np.random.default_rng(seed))
    assert (charged - without).min() < -25e-12
    assert (charged - without).max() < 1e-15


def test_clusters_stand_high():
    z = replace(PERFECT, clusters_per_m2=0.02e18).make(200, 200, 0.1e-9, np.random.default_rng(13))
    assert np.ptp(z) > 0.1e-9


def test_heights_depend_on_the_seed_alone():
    for seed in range(8):
        surfaces = [Si001H.random(np.random.default_rng(seed)) for _ in range(2)]
        assert surfaces[0] == surfaces[1]
        first, second = (s.make(70, 50, 0.12e-9, np.random.default_rng(seed)) for s in surfaces)
        np.testing.assert_array_equal(first, second)
        assert first.shape == (70, 50)
        assert np.isfinite(first).all()
    assert not np.array_equal(first, surfaces[0].make(70, 50, 0.12e-9, np.random.default_rng(99)))


@pytest.mark.parametrize("pixel", [0.02e-9, 0.3e-9, 1e-9])
def test_every_random_surface_is_finite_at_the_ends_of_the_pixel_range(pixel):
    for seed in range(30):
        rng = np.random.default_rng(seed)
        z = Si001H.random(rng).make(48, 48, pixel, rng)
        assert np.isfinite(z).all()
        assert np.ptp(z) < 3e-9


def test_a_double_layer_step_is_twice_as_high_and_the_rows_keep_their_direction():
    surface = replace(PERFECT, steps=1, step_angle_deg=90.0, double_steps=1.0)
    pixel = 0.06e-9
    z = surface.make(300, 420, pixel, np.random.default_rng(3))
    assert step_height(z, pixel, 0.5e-9) == pytest.approx(2 * STEP_HEIGHT_M, rel=0.02)
    edge = int(np.argmax(np.abs(np.diff(ndimage.gaussian_filter(z.mean(axis=0), 10)))))
    for terrace in (z[:, : edge - 30], z[:, edge + 30 :]):
        assert wave(terrace, pixel, 90, 0.768e-9) > 10 * wave(terrace, pixel, 0, 0.768e-9)


def test_only_edges_that_rows_run_into_are_double():
    for angle, layers in ((0.0, 1), (90.0, 2)):
        surface = replace(PERFECT, steps=3, step_angle_deg=angle, double_steps=1.0)
        terraces = surface.terraces(200, 200, 0.1e-9, np.random.default_rng(0))
        assert terraces.layers[0] == layers
    # after a single-layer step the rows have turned, and the next edge is one that they run into
    along = replace(PERFECT, steps=3, step_angle_deg=0.0, double_steps=1.0)
    assert list(along.terraces(200, 200, 0.1e-9, np.random.default_rng(0)).layers) == [1, 2, 2]


def test_sa_edges_are_smooth_and_sb_edges_rough():
    surface = replace(PERFECT, steps=2, edge_roughness_m=(0.1e-9, 2e-9))
    wander = {0.0: [], 90.0: []}
    for angle, found in wander.items():
        for seed in range(20):
            terraces = replace(surface, step_angle_deg=angle).terraces(300, 300, 0.1e-9, np.random.default_rng(seed))
            found.append(terraces.wander_m.std(axis=1))
    # at 0 degrees the rows of level 1 run into the edge below them (SB), those of level 2 along it (SA)
    sb, sa = np.mean(wander[0.0], axis=0)
    assert sb > 10 * sa
    sa, sb = np.mean(wander[90.0], axis=0)
    assert sb > 10 * sa


@pytest.mark.parametrize("spacing", [3e-9, 6e-9])
def test_vacancy_lines_run_across_the_rows_at_their_spacing(spacing):
    surface = replace(PERFECT, vacancy_line_spacing_m=spacing)
    rng = np.random.default_rng(5)
    pixel, size = 0.1e-9, 500
    lattice = DimerLattice(0.0, (0.0, 0.0), pixel)
    dimers = surface.dimers(size, size, lattice, surface.terraces(size, size, pixel, rng), 0, rng)
    share = len(dimers.missing[0]) / dimers.count
    assert share == pytest.approx(0.85 * 0.384e-9 / spacing, rel=0.12)
    missing = set(zip(*(part.tolist() for part in dimers.missing), strict=True))
    continued = [any((i + 1, j + k) in missing for k in (-1, 0, 1)) for i, j in missing]
    assert np.mean(continued) > 0.8
    z = surface.make(size, size, pixel, np.random.default_rng(5))
    assert (z < -40e-12).mean() > 0.5 * share


def test_dihydride_is_a_pair_of_lower_lobes_without_a_bond_between():
    pixel = 0.02e-9
    plain = PERFECT.make(400, 400, pixel, np.random.default_rng(4))
    surface = replace(PERFECT, dihydride=0.01, dihydride_depth_m=20e-12)
    lost = plain - surface.make(400, 400, pixel, np.random.default_rng(4))
    assert spots(lost, 8e-12) >= 1
    row, column = np.unravel_index(lost.argmax(), lost.shape)
    profile = lost[max(row - 25, 0) : row + 26, column]
    # what is lost is the middle of the dimer
    top = plain[max(row - 19, 0) : row + 20, column].argmax()
    assert abs(top - min(row, 19)) * pixel < 0.1e-9
    assert profile.max() > 10e-12


@pytest.mark.parametrize("bias", [-2.0, 2.0])
@pytest.mark.parametrize("period", [1, 3])
def test_dihydride_phases_have_their_periods(bias, period):
    surface = replace(
        PERFECT, bias_v=bias, angle_deg=25.0, dihydride_patches=1, dihydride_period=period, dihydride_size_m=1e-6
    )
    pixel = 0.06e-9
    z = surface.make(256, 256, pixel, np.random.default_rng(2))
    across = period * 0.384e-9
    assert peak(z, pixel, 115.0, across) == (pytest.approx(across, rel=0.01), pytest.approx(115, abs=0.6))
    assert peak(z, pixel, 25.0, 0.384e-9)[0] == pytest.approx(0.384e-9, rel=0.01)
    assert wave(z, pixel, 115.0, 0.768e-9) < 0.1 * wave(z, pixel, 115.0, across)


@pytest.mark.parametrize("bias", [-2.0, 2.0])
def test_bare_dimers_stand_out_with_one_lobe_filled_and_two_empty(bias):
    surface = replace(
        PERFECT, bias_v=bias, bare_patches=1, bare_length_m=1e-6, bare_width_m=1e-6, bare_left=0.0, bare_height_m=0.1e-9
    )
    pixel = 0.01e-9
    plain = replace(surface, bare_patches=0).make(231, 231, pixel, np.random.default_rng(6))
    z = surface.make(231, 231, pixel, np.random.default_rng(6))
    assert z.mean() - plain.mean() == pytest.approx(0.1e-9, abs=0.015e-9)
    rows = plain.mean(axis=1)
    profile = z.mean(axis=1)
    # the trench between hydrogenated rows is the trench between bare ones: the dimers stay where they were
    trench = (
        20 + int(np.argmin(rows[20:97])) if bias < 0 else 20 + int(np.argmin(ndimage.uniform_filter1d(rows, 20)[20:97]))
    )
    cell = profile[trench : trench + 77]
    if bias < 0:
        assert abs(int(cell.argmax()) - 38) <= 3
    else:
        assert 12 <= abs(int(cell.argmax()) - 38) <= 26
        assert cell[38] < cell.max() - 3e-12


def test_bare_patches_have_the_area_asked_and_whole_dimers():
    surface = replace(PERFECT, bare_patches=1, bare_length_m=8e-9, bare_width_m=4e-9, bare_left=0.0)
    areas = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        pixel, size = 0.1e-9, 300
        lattice = surface.lattices(pixel, rng)[0]
        bare, _ = surface._patches(size, size, pixel, rng)
        dimers = surface.dimers(size, size, lattice, surface.terraces(size, size, pixel, rng), 0, rng, bare)
        if bare.x[0] > 80 and bare.x[0] < 220 and bare.y[0] > 80 and bare.y[0] < 220:
            asked = 4 * bare.half_length[0] * bare.half_width[0] * pixel**2
            areas.append(len(dimers.bare[0]) * 0.768e-9 * 0.384e-9 / asked)
    assert len(areas) > 5
    assert np.mean(areas) == pytest.approx(1, abs=0.1)


def test_what_lithography_left_has_hydrogen_or_one_dangling_bond():
    surface = replace(PERFECT, bare_patches=1, bare_length_m=1e-6, bare_width_m=1e-6, bare_left=0.2)
    rng = np.random.default_rng(1)
    pixel, size = 0.1e-9, 300
    bare, _ = surface._patches(size, size, pixel, rng)
    lattice = surface.lattices(pixel, rng)[0]
    dimers = surface.dimers(size, size, lattice, surface.terraces(size, size, pixel, rng), 0, rng, bare)
    assert len(dimers.bare[0]) / dimers.count == pytest.approx(0.8, abs=0.03)
    assert len(dimers.dangling[0]) / dimers.count == pytest.approx(0.1, abs=0.02)
