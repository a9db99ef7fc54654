"""Dimer rows that the gaps are too wide for are found by their spacing, followed, and told of; nothing else is."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stmviewer.restore import RestoreRequest
from stmviewer.restore import rows as dimer_rows
from stmviewer.restore.case import Case, prepare
from stmviewer.restore.pipeline import restore
from stmviewer.restore.rows import waves
from stmviewer.scan import Cancelled, Channel, Geometry, Progress, Scan, make_mask
from stmviewer.scan.corrugation import ROW_SPACING_M
from stmviewer.scan.metrics import compare
from stmviewer.simulate import simulate_scan

PIXEL_M = 0.154e-9  # five pixels a row


def lattice(angle_deg: float, side: int = 96, noise: float = 0.1, pixel_m: float = PIXEL_M) -> np.ndarray:
    """A wave of 1 across rows at `angle_deg` to the lines and one of 0.6 for the dimers along them, with noise."""
    rng = np.random.default_rng(3)
    x, y = wave_of(angle_deg, pixel_m)
    rows, columns = np.mgrid[:side, :side]
    dimers = 0.6 * np.cos(4 * np.pi * (y * columns - x * rows))
    image: np.ndarray = np.cos(2 * np.pi * (x * columns + y * rows)) + dimers
    return image + noise * rng.standard_normal((side, side))


def other_lattice(between_deg: float, spacing_m: float, side: int = 96) -> np.ndarray:
    """Waves of one spacing at 17 degrees and multiples of `between_deg` further: a hexagonal or a square lattice."""
    rng = np.random.default_rng(4)
    rows, columns = np.mgrid[:side, :side] * 2 * np.pi * PIXEL_M / spacing_m
    turns = np.radians(17.0 + np.arange(0, 180, between_deg))
    waves = sum(np.cos(np.cos(turn) * columns + np.sin(turn) * rows) for turn in turns)
    return np.asarray(waves + 0.1 * rng.standard_normal((side, side)))


def wave_of(angle_deg: float, pixel_m: float = PIXEL_M) -> tuple[float, float]:
    """The wave vector across rows at that angle."""
    turn, frequency = np.radians(angle_deg), pixel_m / ROW_SPACING_M
    return -float(np.sin(turn)) * frequency, float(np.cos(turn)) * frequency


def case_of(image: np.ndarray, mask: str = "lines:4", pixel_m: float = PIXEL_M) -> Case:
    measured = make_mask(mask, *image.shape, 0)
    rows, columns = image.shape
    frame = Geometry(columns, rows, columns * pixel_m, rows * pixel_m)
    return Case(np.where(measured.measured, image, np.nan), measured, frame, truth=image)


def scan_of(image: np.ndarray, pixel_m: float = PIXEL_M) -> Scan:
    return Scan([Channel("Z", "m", 1e-11 * image)], case_of(image, pixel_m=pixel_m).geometry)


def off(found: float, angle_deg: float) -> float:
    """How far a direction as it is told, counter-clockwise, is from that of `lattice`, down the lines."""
    return abs((found + angle_deg + 90) % 180 - 90)


@pytest.mark.parametrize(
    ("angle_deg", "mask"),
    [
        (20.0, "lines:4"),
        (28.0, "lines:4"),
        (45.0, "lines:4"),
        (75.0, "lines:4"),
        (152.0, "lines:4"),
        (28.0, "lines:2"),
        (45.0, "lines:3"),
        (28.0, "grid:2"),
        (40.0, "grid:3"),
    ],
)
def test_rows_are_found_at_their_angle_and_rebuilt(angle_deg: float, mask: str) -> None:
    image = lattice(angle_deg)
    case = case_of(image, mask)
    rows = dimer_rows.find(case, Progress())
    assert rows is not None
    assert off(rows.angles_deg()[0], angle_deg) < 1.5
    fitted = dimer_rows.fit(rows, case, Progress())
    assert fitted is not None
    every = np.arange(96.0)
    error = fitted.at(every, every) - lattice(angle_deg, noise=0)
    assert np.sqrt(np.mean(error[8:-8, 8:-8] ** 2)) < 0.2  # 0.82 without them


def test_a_tilted_sample_with_adsorbates_does_not_hide_them() -> None:
    rows, columns = np.mgrid[:96, :96]
    image = lattice(28.0) + 0.8 * columns - 1.7 * rows
    rng = np.random.default_rng(5)
    for y, x in rng.integers(4, 92, (20, 2)):
        image += 6.0 * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 4)
    found = dimer_rows.find(case_of(image), Progress())
    assert found is not None and off(found.angles_deg()[0], 28.0) < 1.5


def test_lines_between_rows_are_taken_where_they_lie() -> None:
    """Every third line and a half of the pixel size: no line lies on a row of square pixels exactly."""
    lines = np.arange(28) * 3.5 + 1.25
    x, y = wave_of(28.0)
    columns = np.arange(96)
    data = 1e-11 * np.cos(2 * np.pi * (x * columns[None, :] + y * lines[:, None]))
    scan = Scan([Channel("Z", "m", data)], Geometry(96, 28, 96 * PIXEL_M, 98 * PIXEL_M))
    case = prepare(scan, scan.channel(), RestoreRequest(task="sparse", mask="file"))
    assert case.placement is not None and not case.placement.exact
    rows = dimer_rows.find(case, Progress())
    assert rows is not None and off(rows.angles_deg()[0], 28.0) < 1.5
    fitted = dimer_rows.fit(rows, case, Progress())
    assert fitted is not None
    inner = np.arange(10, 88)
    found = fitted.at(inner.astype(float), columns.astype(float))
    shift = case.placement.positions[0] - lines[0]  # the frame is moved by a part of a pixel
    truth = 1e-11 * np.cos(2 * np.pi * (x * columns[None, :] + y * (inner[:, None] - shift)))
    assert np.sqrt(np.mean((found - truth)[:, 8:-8] ** 2)) < 0.2 * truth.std()
    rest = fitted.left_out(case, Progress())
    assert rest.lines is not None
    assert np.abs(rest.lines[3:-3, 8:-8]).mean() < 0.2 * np.abs(data).mean()


def test_what_is_left_out_and_added_again_is_the_measurement() -> None:
    case = case_of(lattice(28.0))
    rows = dimer_rows.find(case, Progress())
    assert rows is not None
    fitted = dimer_rows.fit(rows, case, Progress())
    assert fitted is not None
    rest = fitted.left_out(case, Progress())
    assert np.array_equal(np.isnan(rest.raw), np.isnan(case.raw))
    assert np.nanstd(rest.raw) < 0.4 * np.nanstd(case.raw)
    image = np.array(rest.raw)
    fitted.add_to(image, Progress())
    assert np.nanmax(np.abs(image - case.raw)) < 1e-12


def test_strips_of_places_are_no_boundaries(monkeypatch: pytest.MonkeyPatch) -> None:
    case = case_of(lattice(28.0))
    rows = dimer_rows.find(case, Progress())
    assert rows is not None
    whole = dimer_rows.fit(rows, case, Progress())
    monkeypatch.setattr(waves, "_STRIP", 5)
    parts = dimer_rows.fit(rows, case, Progress())
    assert whole is not None and parts is not None
    assert np.allclose(whole.amplitudes, parts.amplitudes, atol=1e-5)


@pytest.mark.parametrize(
    ("image", "mask", "pixel_m"),
    [
        (lattice(28.0), "pixels:0.25", PIXEL_M),  # scattered pixels: compressed sensing sees them
        (lattice(28.0, pixel_m=0.02e-9), "lines:4", 0.02e-9),  # 38 pixels a row: the gaps carry them and their dimers
        (lattice(28.0, side=16), "lines:4", PIXEL_M),  # three rows
        (np.random.default_rng(0).standard_normal((96, 96)), "lines:4", PIXEL_M),
        (np.mgrid[:96, :96][0].astype(float), "lines:4", PIXEL_M),  # a tilt
        (lattice(28.0, pixel_m=0.06e-9), "lines:4", PIXEL_M),  # another spacing: 1.97 nm
        (other_lattice(60.0, 0.768e-9 * 3**0.5 / 2), "lines:4", PIXEL_M),  # adatoms of Si(111)-7x7
        (other_lattice(90.0, 0.5e-9), "lines:4", PIXEL_M),
        (other_lattice(60.0, 0.6e-9), "grid:3", PIXEL_M),
    ],
)
def test_where_nothing_can_be_followed(image: np.ndarray, mask: str, pixel_m: float) -> None:
    assert dimer_rows.find(case_of(image, mask, pixel_m), Progress()) is None


def test_a_scan_without_a_scale_has_no_known_spacing() -> None:
    case = case_of(lattice(28.0))
    assert dimer_rows.find(replace(case, geometry=Geometry.of_pixels(96, 96)), Progress()) is None


@pytest.mark.parametrize("mask", ["lines:4", "grid:4"])
def test_simulated_silicon_gains_by_far(mask: str) -> None:
    """Terraces of both directions, with what a scan has of noise and adsorbates."""
    pair = simulate_scan("si001h", 192, 192, 0.16e-9, "realistic", 11)
    noise = 0.08 * pair.clean.std() * np.random.default_rng(0).standard_normal(pair.clean.shape)
    frame = Geometry(192, 192, 192 * 0.16e-9, 192 * 0.16e-9)
    scan = Scan([Channel("Z", "m", pair.clean + noise)], frame)
    scores = {}
    for model in ("linear", "dimer-rows"):
        result = restore(scan, RestoreRequest(task="sparse", model=model, mask=mask, check=False), Progress())
        assert result.truth is not None
        scores[model] = compare(result.mean, result.truth, ~result.mask.measured).ssim
    assert scores["dimer-rows"] > scores["linear"] + 0.15


def test_the_result_says_what_was_followed() -> None:
    result = restore(
        scan_of(lattice(28.0)), RestoreRequest(task="sparse", model="dimer-rows", mask="lines:4"), Progress()
    )
    (check,) = [c for c in result.checks if c.about == "rows"]
    assert "Si(001) at 152° were followed" in check.text and not check.warns
    facts = result.provenance["rows"]
    assert facts is not None and off(facts["angles_deg"][0], 28.0) < 1.5 and facts["margin"] > 2


def test_rows_that_were_not_found_are_said() -> None:
    noise = np.random.default_rng(0).standard_normal((64, 64))
    result = restore(scan_of(noise), RestoreRequest(task="sparse", model="dimer-rows", mask="lines:4"), Progress())
    (check,) = [c for c in result.checks if c.about == "rows"]
    assert check.warns and "this is linear interpolation" in check.text
    plain = restore(scan_of(noise), RestoreRequest(task="sparse", model="linear", mask="lines:4"), Progress())
    assert np.array_equal(result.mean, plain.mean)
    assert result.provenance["rows"] is None


def test_other_classical_methods_do_what_they_did() -> None:
    result = restore(scan_of(lattice(28.0)), RestoreRequest(task="sparse", model="linear", mask="lines:4"), Progress())
    assert result.provenance["rows"] is None and not [c for c in result.checks if c.about == "rows"]


def test_auto_and_networks_follow_them(tiny_models: Path) -> None:
    image = lattice(28.0)
    for model in ("auto", "regression-tiny"):
        request = RestoreRequest(task="sparse", model=model, mask="lines:4")
        result = restore(scan_of(image), request, Progress())
        assert [c for c in result.checks if c.about == "rows"]
        assert result.scores[0].ssim > result.scores[1].ssim + 0.2  # the second is linear interpolation
    tried = result.provenance["self_check"]
    assert "dimer-rows" in {s["method"] for s in tried["scores"]}


def terraces(side: int, angle_deg: float = 40.0, noise: float = 0.1) -> np.ndarray:
    """Rows at that angle on the left and turned by 90 degrees on the right, dimers along both."""
    left, right = lattice(angle_deg, side, noise), lattice(angle_deg + 90.0, side, noise)
    image: np.ndarray = np.where(np.arange(side) < side // 2, left, right)
    return image


def test_terraces_get_their_own_direction() -> None:
    image = terraces(96)
    case = case_of(image)
    rows = dimer_rows.find(case, Progress())
    assert rows is not None
    angles = sorted(rows.angles_deg())
    assert len(angles) == 2 and off(angles[0], 130.0) < 1.5 and off(angles[1], 40.0) < 1.5
    fitted = dimer_rows.fit(rows, case, Progress())
    assert fitted is not None
    error = fitted.at(np.arange(96.0), np.arange(96.0)) - terraces(96, noise=0.0)
    inner = np.abs(np.arange(96) - 48) > 10  # about the step both are seen
    assert np.sqrt(np.mean(error[8:-8][:, inner][:, 8:-8] ** 2)) < 0.25


@pytest.mark.parametrize("angle_deg", [12.0, 46.0, 139.0])
def test_five_rows_tell_their_direction(angle_deg: float) -> None:
    """By the dimers: without them every fourth line looks nearly the same for rows and their mirror image."""
    image = lattice(angle_deg, side=25, noise=0.3)
    rows = dimer_rows.find(case_of(image), Progress())
    assert rows is not None and len(rows.angles_deg()) == 1
    assert off(rows.angles_deg()[0], angle_deg) < 3


@pytest.mark.parametrize("pixel_m", [0.97 * PIXEL_M, 1.03 * PIXEL_M])
def test_a_scanner_off_by_three_percent_is_allowed_for(pixel_m: float) -> None:
    rows = dimer_rows.find(case_of(lattice(28.0), pixel_m=pixel_m), Progress())
    assert rows is not None and off(rows.angles_deg()[0], 28.0) < 1.5


def test_drift_shears_the_lattice_and_is_followed() -> None:
    x, y = wave_of(28.0)
    rows, columns = np.mgrid[:96, :96].astype(float)
    columns += 0.03 * rows
    image = np.cos(2 * np.pi * (x * columns + y * rows)) + 0.6 * np.cos(4 * np.pi * (y * columns - x * rows))
    found = dimer_rows.find(case_of(image + 0.1 * np.random.default_rng(0).standard_normal((96, 96))), Progress())
    assert found is not None
    true = np.array([x, y + 0.03 * x])
    both = np.array([found.first, -found.first, found.second, -found.second])
    assert np.linalg.norm(both - true, axis=1).min() < 0.004


def test_dimers_are_followed_where_the_rows_run_along_the_lines() -> None:
    """The rows themselves look like hills in every fourth line."""
    image = lattice(0.0)
    case = case_of(image)
    rows = dimer_rows.find(case, Progress())
    assert rows is not None and any(off(angle, 0.0) < 1.5 for angle in rows.angles_deg())
    fitted = dimer_rows.fit(rows, case, Progress())
    assert fitted is not None
    across = 0.6 * np.cos(4 * np.pi * wave_of(0.0)[1] * np.arange(96.0))
    assert np.corrcoef(fitted.at(np.arange(96.0), np.arange(96.0))[8:-8].mean(axis=0), across)[0, 1] > 0.9


@pytest.mark.parametrize("shape", [(2, 64), (64, 2), (3, 3), (3, 40), (5, 200), (33, 47), (97, 61)])
@pytest.mark.parametrize("mask", ["lines:2", "lines:4", "grid:3", "pixels:0.4"])
def test_any_size_is_looked_through_without_a_warning(shape: tuple[int, int], mask: str) -> None:
    image = lattice(28.0, side=max(shape))[: shape[0], : shape[1]]
    case = case_of(image, mask)
    with np.errstate(all="raise", under="ignore"):
        rows = dimer_rows.find(case, Progress())
        fitted = None if rows is None else dimer_rows.fit(rows, case, Progress())
    if fitted is not None:
        shown = fitted.at(np.arange(float(shape[0])), np.arange(float(shape[1])))
        assert shown.shape == shape
        assert np.isfinite(shown).all()
    if min(shape) < 20:
        assert rows is None


def test_each_step_can_be_stopped() -> None:
    case = case_of(lattice(28.0))
    rows = dimer_rows.find(case, Progress())
    assert rows is not None
    fitted = dimer_rows.fit(rows, case, Progress())
    assert fitted is not None
    stop = threading.Event()
    stop.set()
    stopped, image = Progress(stop=stop), np.zeros((96, 96))
    for step in (
        lambda: dimer_rows.find(case, stopped),
        lambda: dimer_rows.fit(rows, case, stopped),
        lambda: fitted.left_out(case, stopped),
        lambda: fitted.add_to(image, stopped),
    ):
        with pytest.raises(Cancelled):
            step()
    assert not image.any()
