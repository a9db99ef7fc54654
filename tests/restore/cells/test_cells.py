"""A unit cell that repeats is found, followed through the gaps and told of; nothing else is taken for one."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stmviewer.files import open_scan
from stmviewer.restore import RestoreRequest, cells
from stmviewer.restore.case import Case, prepare
from stmviewer.restore.cells.index import index, lookalikes, reduced
from stmviewer.restore.cells.overtones import overtones
from stmviewer.restore.cells.peaks import peaks_of
from stmviewer.restore.cells.seen import measured
from stmviewer.restore.filling import fill
from stmviewer.restore.pipeline import restore
from stmviewer.restore.selfcheck import factor
from stmviewer.scan import Cancelled, Channel, Geometry, Progress, Scan, make_mask
from stmviewer.scan.metrics import compare
from stmviewer.simulate import simulate_scan

PIXEL_M = 0.15e-9
SIDE = 128
#: two sides of a hexagonal cell (x, y; px), 16 px long
HEXAGON = 16.0 * np.array([[np.cos(0.3), np.sin(0.3)], [np.cos(0.3 + 2 * np.pi / 3), np.sin(0.3 + 2 * np.pi / 3)]])
#: two atoms and a hole: place in the cell, height, width (px)
MOTIF = (((0.0, 0.0), 1.0, 2.4), ((0.36, 0.3), 0.7, 2.0), ((0.7, 0.62), -0.8, 2.8))


def crystal(
    cell: np.ndarray = HEXAGON,
    side: int = SIDE,
    noise: float = 0.05,
    bend: float = 0.0,
    tilt: float = 0.0,
    left_out: tuple[int, ...] = (),
) -> np.ndarray:
    """Atoms at their places, without those of the cells `left_out`; the lattice bent by so many pixels at the edges."""
    y, x = np.mgrid[:side, :side].astype(float)
    y = y + bend * ((x / side - 0.5) ** 2 + (y / side - 0.5) * 0.5)
    image = np.zeros((side, side))
    reach = int(2 * side / np.sqrt(abs(np.linalg.det(cell)))) + 2
    n = 0
    for i in range(-reach, reach):
        for j in range(-reach, reach):
            corner = i * cell[0] + j * cell[1]
            if not (-24 < corner[0] < side + 24 and -24 < corner[1] < side + 24):
                continue
            n += 1
            for place, height, width in MOTIF:
                if n in left_out and height > 0:
                    continue
                cx, cy = corner + place[0] * cell[0] + place[1] * cell[1]
                image += height * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * width**2))
    image += tilt * (2 * x - y)
    result: np.ndarray = image + noise * np.random.default_rng(3).standard_normal(image.shape)
    return result


def case_of(image: np.ndarray, mask: str = "lines:4", pixel_m: float = PIXEL_M) -> Case:
    chosen = make_mask(mask, *image.shape, 0)
    rows, columns = image.shape
    frame = Geometry(columns, rows, columns * pixel_m, rows * pixel_m)
    return Case(np.where(chosen.measured, image, np.nan), chosen, frame, truth=image)


def scan_of(image: np.ndarray) -> Scan:
    return Scan([Channel("Z", "m", 1e-11 * image)], case_of(image).geometry)


def gain(image: np.ndarray, case: Case) -> float:
    """SSIM of linear interpolation of what the cells leave, less that of linear interpolation."""
    found = cells.find(case, Progress())
    assert found is not None
    cell = found.fit(case, Progress())
    assert cell is not None
    at = np.arange(float(len(image)))
    repeated, given = cell.at(at, at), case.mask.measured
    scores = [
        compare(np.where(given, image, fill(np.where(given, image - part, 0.0), given) + part), image, ~given).ssim
        for part in (repeated, np.zeros_like(repeated))
    ]
    return scores[0] - scores[1]


@pytest.mark.parametrize(
    ("mask", "least"), [("lines:4", 0.05), ("grid:3", 0.03), ("grid:4", 0.1), ("pixels:0.25", 0.05), ("lines:3", 0.02)]
)
def test_a_crystal_is_recognised_and_rebuilt(mask: str, least: float) -> None:
    image = crystal(side=208)
    case = case_of(image, mask)
    found = cells.find(case, Progress())
    assert found is not None
    assert found.sides() == pytest.approx((16 * PIXEL_M, 16 * PIXEL_M), rel=0.02)
    assert found.peaks >= 6 and found.evidence > 25
    assert gain(image, case) > least


@pytest.mark.parametrize(
    "cell", [[[15.0, 2.0], [-3.0, 14.0]], [[18.0, 4.0], [-2.0, 13.0]], [[13.0, 5.0], [-5.0, 13.0]]]
)
def test_cells_of_any_shape_are(cell: list[list[float]]) -> None:
    image = crystal(np.array(cell), side=192)
    case = case_of(image, "lines:4")
    assert gain(image, case) > 0.03
    found = cells.find(case, Progress())
    assert found is not None
    long, short = sorted((PIXEL_M * np.hypot(*side) for side in cell), reverse=True)
    assert found.sides() == pytest.approx((long, short), rel=0.02)


def test_drift_bends_the_lattice_and_is_followed() -> None:
    image = crystal(bend=8.0, tilt=0.05)
    assert gain(image, case_of(image)) > 0.05
    found = cells.find(case_of(image), Progress())
    assert found is not None and found.fitted is not None
    assert np.ptp(found.fitted[1].shifts, axis=(1, 2)).max() > 0.06  # cells


def test_the_cells_end_where_the_crystal_does() -> None:
    image = crystal(side=240)
    image[:, 150:] = 0.05 * np.random.default_rng(1).standard_normal((240, 90))
    case = case_of(image)
    found = cells.find(case, Progress())
    assert found is not None and found.fitted is not None
    cell = found.fitted[1]
    at = np.arange(240.0)
    repeated = cell.at(at, at)
    assert repeated[:, :130].std() > 8 * repeated[:, 190:].std()
    assert cell.strength[:, cell.across < 130].mean() > 0.6 > 5 * cell.strength[:, cell.across > 190].mean()


def test_a_defect_that_was_measured_stays_and_one_in_a_gap_is_told_of() -> None:
    image = crystal(noise=0.02, left_out=(60,), side=160)
    result = restore(scan_of(image), RestoreRequest(task="sparse", model="unit-cell", mask="lines:4"), Progress())
    given = result.mask.measured
    assert np.allclose(result.mean[given], 1e-11 * image[given])
    hole = np.abs(image - crystal(noise=0.02, side=160)) > 0.5
    missed = np.abs(result.mean - 1e-11 * image)[hole].mean() / 1e-11
    assert missed < 0.35  # of an atom of 1: its neighbours on the lines say that it is not there
    (check,) = [c for c in result.checks if c.about == "cells"]
    assert "2.4 × 2.4 nm" in check.text and "A defect that lies in a gap is drawn as an intact cell" in check.text
    assert not check.warns
    facts = result.provenance["cells"]
    assert facts["sides_m"] == pytest.approx([2.4e-9, 2.4e-9], rel=0.02)
    assert facts["left"] < 0.2 and facts["waves"] > 20 and result.provenance["rows"] is None


def test_what_is_told_of_it_agrees() -> None:
    """In a mixture plate follows the cell, too; and what was followed is finer than hidden lines can show."""
    request = RestoreRequest(task="sparse", mask="lines:4")
    result = restore(scan_of(crystal(side=208)), request, Progress())
    told = {c.about: c.text for c in result.checks}
    assert "unless the lattice is another one or something else is finer than" in told["self-check"]
    assert "all but linear interpolation follow the unit cell" in told["choice"]
    assert told["cells"].endswith("to compare, plate alone follows nothing")
    # gaps twice as wide, as beside a hidden line, cost interpolation more than those that follow a cell
    corrected = {s["method"]: s["expected"] / s["error"] for s in result.provenance["self_check"]["scores"]}
    plain = {method: factor("lines", method)[0] for method in corrected}
    assert corrected["linear"] == pytest.approx(plain["linear"])
    for method in ("plate", "regression-sim", "unit-cell"):
        assert plain[method] < corrected[method] < 1


def test_lines_between_rows_are_followed_where_they_lie() -> None:
    image = crystal(side=160)
    lines = np.stack([image[round(k)] for k in np.arange(0, 160, 4)])  # every fourth: a scan with fewer lines
    frame = Geometry(160, 40, 160 * PIXEL_M, 160 * PIXEL_M)
    scan = Scan([Channel("Z", "m", 1e-11 * lines)], frame)
    case = prepare(scan, scan.channel(), RestoreRequest(task="sparse", model="unit-cell"))
    found = cells.find(case, Progress())
    assert found is not None
    assert found.sides() == pytest.approx((16 * PIXEL_M, 16 * PIXEL_M), rel=0.03)
    cell = found.fit(case, Progress())
    assert cell is not None
    left = cell.left_out(case, Progress())
    assert left.lines is not None and case.lines is not None and left.placement is case.placement
    assert np.std(left.lines) < 0.5 * np.std(case.lines)
    image_of = np.zeros(case.raw.shape)
    cell.add_to(image_of, Progress())
    assert image_of.std() == pytest.approx(1e-11 * crystal(side=160, noise=0).std(), rel=0.25)


def _rough() -> np.ndarray:
    spectrum = np.fft.fft2(np.random.default_rng(5).standard_normal((SIDE, SIDE)))
    k = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.fftfreq(SIDE)[None]) + 0.01
    image: np.ndarray = np.fft.ifft2(spectrum / k**1.5).real
    return image / image.std()


NOTHING = {
    "noise": np.random.default_rng(0).standard_normal((SIDE, SIDE)),
    "a plane": np.add.outer(np.arange(SIDE) * 0.1, np.arange(SIDE) * 0.3),
    "nothing at all": np.ones((SIDE, SIDE)),
    "hills": _rough(),
    "one wave": np.cos(0.4 * np.arange(SIDE))[None, :] + 0.1 * np.random.default_rng(1).standard_normal((SIDE, SIDE)),
    "steps": np.floor(np.add.outer(np.arange(SIDE), 2 * np.arange(SIDE)) / 90.0)
    + 0.05 * np.random.default_rng(2).standard_normal((SIDE, SIDE)),
    "three large cells": crystal(3.0 * HEXAGON),
}


@pytest.mark.parametrize("what", NOTHING)
@pytest.mark.parametrize("mask", ["lines:2", "lines:4", "grid:4", "pixels:0.25"])
def test_nothing_else_is_taken_for_a_crystal(what: str, mask: str) -> None:
    assert cells.find(case_of(NOTHING[what], mask), Progress()) is None


@pytest.mark.parametrize("mask", ["lines:4", "grid:4"])
@pytest.mark.parametrize("length", [5.0, 6.3, 7.1, 8.9])
def test_a_lattice_too_fine_for_the_gaps_does_no_harm(mask: str, length: float) -> None:
    """Its waves look like those of another lattice there: it is left alone, or taken for what it is."""
    image = crystal(length / 16 * HEXAGON)
    case = case_of(image, mask)
    found = cells.find(case, Progress())
    if found is not None:
        assert found.sides() == pytest.approx((length * PIXEL_M, length * PIXEL_M), rel=0.05)
        assert gain(image, case) > 0


def test_waves_of_lookalikes_are_the_same_in_what_was_measured() -> None:
    case = case_of(crystal(), "grid:4")
    seen = measured(case)
    assert seen is not None
    peaks = peaks_of(seen)
    found = index(peaks, seen)
    others = lookalikes(found[:1], peaks, seen, 6)
    assert np.array_equal(others[0], found[0].vectors) and 2 <= len(others) <= 6
    y, x = np.meshgrid(seen.rows, seen.columns, indexing="ij")
    places = np.stack([x.ravel(), y.ravel()], axis=1)
    for other in others[1:]:
        # some whole combination of its vectors has the values of each vector of the lattice
        h, k = (a.ravel() for a in np.mgrid[-4:5, -4:5])
        waves = np.exp(2j * np.pi * places @ (np.stack([h, k], axis=1) @ other).T)
        for vector in found[0].vectors:
            same = np.exp(2j * np.pi * places @ vector)
            assert np.abs(waves.conj().T @ same).max() > 0.999 * len(places)


@pytest.mark.parametrize("mask", ["lines:4", "lines:2", "grid:4"])
def test_cells_as_high_as_some_gaps_meet_them_at_few_places(mask: str) -> None:
    """Each line sees them at one of four heights: smaller cells, with aliases, then explain all peaks as well."""
    image = crystal(np.array([[16.0, 0.0], [0.0, 16.0]]), side=208)
    case = case_of(image, mask)
    found = cells.find(case, Progress())
    if found is not None:
        assert found.sides() == pytest.approx((16 * PIXEL_M, 16 * PIXEL_M), rel=0.02)
        assert gain(image, case) > -0.01


def test_the_shortest_vectors_span_a_lattice() -> None:
    vectors = np.array([[0.05, 0.01], [-0.01, 0.06]])
    long = np.array([[3, 2], [4, 3]]) @ vectors
    found = reduced(long)
    assert found is not None
    times = found @ np.linalg.inv(vectors)
    assert np.allclose(times, np.rint(times), atol=1e-9)
    assert abs(np.linalg.det(times)) == pytest.approx(1)
    assert np.hypot(*found.T).max() < 0.062
    assert reduced(np.array([[0.1, 0.2], [0.2, 0.4]])) is None


@pytest.mark.parametrize("mask", ["lines:4", "grid:3"])
def test_overtones_can_be_told_apart_in_what_was_measured(mask: str) -> None:
    seen = measured(case_of(crystal(), mask))
    assert seen is not None
    orders, waves = overtones(np.linalg.inv(HEXAGON).T, seen, 2.0)
    assert len(orders) > 20 and np.all(np.diff(np.hypot(*waves.T)) > -1e-12)
    y, x = np.meshgrid(seen.rows, seen.columns, indexing="ij")
    phases = 2 * np.pi * (x.ravel()[:, None] * waves[:, 0] + y.ravel()[:, None] * waves[:, 1])
    window = np.outer(np.hanning(len(seen.rows) + 2)[1:-1], np.hanning(len(seen.columns) + 2)[1:-1]).ravel()[:, None]
    basis = np.concatenate([np.cos(phases), np.sin(phases)], axis=1) * window
    basis /= np.linalg.norm(basis, axis=0)
    assert np.linalg.cond(basis.T @ basis) < 50


def test_auto_and_networks_follow_them(tiny_models: Path) -> None:
    image = crystal()
    for model in ("auto", "regression-tiny"):
        request = RestoreRequest(task="sparse", model=model, mask="lines:4")
        result = restore(scan_of(image), request, Progress())
        assert [c for c in result.checks if c.about == "cells"]
        assert result.scores[0].ssim > result.scores[1].ssim + 0.05  # the second is linear interpolation
    tried = result.provenance["self_check"]
    assert "unit-cell" in {s["method"] for s in tried["scores"]}


def test_what_was_not_found_is_said() -> None:
    scan = scan_of(NOTHING["noise"])
    result = restore(scan, RestoreRequest(task="sparse", model="unit-cell", mask="lines:4"), Progress())
    (check,) = [c for c in result.checks if c.about == "cells"]
    assert check.warns and "this is linear interpolation" in check.text
    plain = restore(scan, RestoreRequest(task="sparse", model="linear", mask="lines:4"), Progress())
    assert np.array_equal(result.mean, plain.mean)


def test_other_classical_methods_do_what_they_did() -> None:
    result = restore(scan_of(crystal()), RestoreRequest(task="sparse", model="plate", mask="lines:4"), Progress())
    assert result.provenance["cells"] is None and not [c for c in result.checks if c.about == "cells"]


def test_the_large_cell_of_si111_is_not_taken_for_dimer_rows() -> None:
    pair = simulate_scan("si111-7x7", 160, 160, 0.2e-9, "realistic", 7)
    noise = 0.1 * pair.clean.std() * np.random.default_rng(0).standard_normal(pair.clean.shape)
    scan = Scan([Channel("Z", "m", pair.clean + noise)], Geometry(160, 160, 160 * 0.2e-9, 160 * 0.2e-9))
    result = restore(scan, RestoreRequest(task="sparse", model="auto", mask="grid:2"), Progress())
    assert result.provenance["rows"] is None
    assert result.provenance["cells"]["sides_m"] == pytest.approx([2.69e-9, 2.69e-9], rel=0.05)
    assert result.scores[0].ssim > result.scores[1].ssim + 0.05


@pytest.mark.parametrize("mask", ["lines:4", "grid:4"])
def test_real_si111_gains_by_far(mask: str, real_data: Path) -> None:
    scan = open_scan(real_data / "scans" / "ethz-matlab_nanonis" / "Si_7x7_028.sxm")
    results = {}
    for model in ("linear", "unit-cell"):
        request = RestoreRequest(task="sparse", model=model, mask=mask, check=False)
        results[model] = restore(scan, request, Progress())
    assert results["unit-cell"].scores[0].ssim > results["linear"].scores[0].ssim + 0.1


@pytest.mark.parametrize("shape", [(2, 64), (64, 2), (3, 3), (5, 200), (33, 47), (97, 61)])
@pytest.mark.parametrize("mask", ["lines:2", "lines:4", "grid:3", "pixels:0.4"])
def test_any_size_is_looked_through_without_a_warning(shape: tuple[int, int], mask: str) -> None:
    image = crystal(0.5 * HEXAGON)[: shape[0], : shape[1]]
    case = case_of(np.resize(image, shape), mask)
    with np.errstate(all="raise", under="ignore"):
        found = cells.find(case, Progress())
    if found is not None:
        cell = found.fit(case, Progress())
        assert cell is not None
        assert np.isfinite(cell.at(np.arange(float(shape[0])), np.arange(float(shape[1])))).all()
    if min(shape) < 20:
        assert found is None


def test_without_a_scale_sides_are_told_in_pixels() -> None:
    case = replace(case_of(crystal()), geometry=Geometry.of_pixels(SIDE, SIDE))
    found = cells.find(case, Progress())
    assert found is not None and not found.is_large
    assert found.sides() == pytest.approx((16.0, 16.0), rel=0.02)
    assert "sides_px" in found.facts()
    (check,) = cells.cell_checks(found, ["unit-cell"], networks=False)
    assert check.text.startswith("A unit cell of 16 × 16 pixels was followed")


def test_steps_at_the_edges_do_not_hide_the_lattice_of_the_middle() -> None:
    pair = simulate_scan("si111-7x7", 512, 512, 0.2e-9, "realistic", 3)
    noise = 0.1 * pair.clean.std() * np.random.default_rng(0).standard_normal(pair.clean.shape)
    case = case_of((pair.clean + noise) / pair.clean.std(), pixel_m=0.2e-9)
    found = cells.find(case, Progress())
    assert found is not None
    assert found.sides() == pytest.approx((2.69e-9, 2.69e-9), rel=0.03)


def test_large_scans_are_left_alone() -> None:
    case = case_of(np.resize(crystal(), (1100, 1100)))
    assert cells.find(case, Progress()) is None


def test_each_step_can_be_stopped() -> None:
    case = case_of(crystal())
    found = cells.find(case, Progress())
    assert found is not None
    cell = found.fit(case, Progress())
    assert cell is not None
    stop = threading.Event()
    stop.set()
    stopped, image = Progress(stop=stop), np.zeros((SIDE, SIDE))
    for step in (
        lambda: cells.find(case, stopped),
        lambda: cells.fit(found.vectors, case, stopped),
        lambda: cell.left_out(case, stopped),
        lambda: cell.add_to(image, stopped),
    ):
        with pytest.raises(Cancelled):
            step()
    assert not image.any()


def test_a_mirrored_scan_shows_the_same_lattice() -> None:
    """Just as surely: which points its backgrounds are taken at must not prefer a side."""
    image = crystal(np.array([[9.3, 3.1], [-4.2, 12.0]]), side=97, noise=0.3)
    for mask in ("lines:2", "grid:2", "pixels:0.3"):
        case = case_of(image, mask)
        found = []
        for turn in (np.s_[:, :], np.s_[:, ::-1], np.s_[::-1]):
            turned = replace(case.mask, measured=case.mask.measured[turn])
            seen = measured(replace(case, raw=case.raw[turn], mask=turned))
            assert seen is not None
            found.append(index(peaks_of(seen), seen)[0])
        assert [one.explained for one in found] == 3 * [found[0].explained]
        assert [one.evidence for one in found] == pytest.approx(3 * [found[0].evidence], abs=0.1)


@pytest.mark.parametrize("mask", ["lines-random:0.25", "lines-random:0.5"])
def test_random_lines_are_taken_where_they_lie(mask: str) -> None:
    """Their distances are no gap that aliases have."""
    pair = simulate_scan("si111-7x7", 200, 200, 0.2e-9, "mild", 909)
    case = case_of(pair.degraded / pair.degraded.std(), mask, pixel_m=0.2e-9)
    found = cells.find(case, Progress())
    assert found is not None
    assert found.sides() == pytest.approx((2.69e-9, 2.69e-9), rel=0.01)
    assert case.truth is not None and gain(case.truth, case) > 0.2


@pytest.mark.parametrize("mask", ["lines:4", "grid:4"])
def test_bad_lines_that_were_left_out_do_not_hide_the_lattice(mask: str) -> None:
    image = crystal(side=208)
    whole = case_of(image, mask)
    given = np.array(whole.mask.measured)
    lines = np.nonzero(given.any(axis=1))[0]
    given[lines[[9, 17, 26, 27]]] = False
    case = replace(whole, raw=np.where(given, image, np.nan), mask=replace(whole.mask, measured=given))
    found, intact = (cells.find(one, Progress()) for one in (case, whole))
    assert found is not None and intact is not None
    assert found.evidence > 0.8 * intact.evidence
    assert found.sides() == pytest.approx(intact.sides(), rel=0.02)
    assert gain(image, case) > 0.05
