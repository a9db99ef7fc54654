import numpy as np
import pytest

from stmviewer.scan.planning import lookalike

SCAN = ("plan", "--pixels", "512x256", "--size-nm", "50x25", "--line-time", 0.5)


def test_the_table_tells_time_and_what_it_means_for_the_lattice(run):
    out = run(*SCAN, "--period-nm", 0.768).done().out
    assert "0.0977 nm a pixel, tip 100 nm/s" in out
    lines = {line.split()[0]: line for line in out.splitlines()[2:]}
    assert "4.3 min" in lines["full"]
    assert "64 s" in lines["lines:4"] and "4x" in lines["lines:4"]
    assert "models gain most" in lines["lines:2"]
    assert "lattice is guessed" in lines["lines:4"]  # 7.9 pixels a row, every fourth line
    assert "grid:4" in out and "pixels:0.25" in out


def test_numbers_for_machines_and_what_fits_into_a_time(run):
    facts = run(*SCAN, "--within", 2, "--json").done().json
    assert facts["pixels"] == [512, 256]
    assert facts["size_m"] == pytest.approx([50e-9, 25e-9])
    assert facts["tip_speed_m_per_s"] == pytest.approx(100e-9)
    by = {s["pattern"]: s for s in facts["samplings"]}
    assert by["full"]["acquisition_time_s"] == 256
    assert by["lines:3"]["times_faster"] == pytest.approx(256 / 85)
    assert by["full"]["samples_per_period"] is None
    assert facts["fits"] == "lines:3"  # every second line takes 2 min 8 s
    assert run(*SCAN, "--within", 0.01, "--json").done().json["fits"] is None


def test_what_speaks_against_a_plan_is_said(run):
    fast = (
        run("plan", "--pixels", "512x256", "--size-nm", "500x500", "--line-time", 0.5, "--period-nm", 0.25).done().out
    )
    assert "1000 nm/s" in fast and "not square" in fast and "does not resolve the lattice" in fast
    assert "note:" not in run("plan", "--pixels", "64x64", "--size-nm", "5x5", "--line-time", 1).done().out


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--size-nm", "wide"], "WIDTHxHEIGHT"),
        (["--size-nm", "0x5"], "positive"),
        (["--size-nm", "nanx5"], "positive"),
        (["--line-time", "-1"], "line time"),
        (["--line-time", "1e308"], "at most 1e+06 s"),
        (["--backward-time", "1e308"], "1e+06 s"),
        (["--size-nm", "1e300x5"], "at most 1 m"),
        (["--backward-time", "-1"], "back"),
        (["--period-nm", "0"], "period"),
        (["--angle", "45"], "lattice period"),
        (["--period-nm", "0.768", "--angle", "nan"], "angle"),
        (["--within", "0"], "--within"),
        (["--pixels", "0x5"], "--pixels"),
    ],
)
def test_bad_requests_are_refused_in_one_line(run, words, part):
    run(*SCAN, *words).refused(part)


def test_a_scan_of_few_lines_leaves_out_what_does_not_fit(run):
    facts = run("plan", "--pixels", "1x1", "--size-nm", "1x1", "--line-time", 1, "--json").done().json
    assert {s["pattern"] for s in facts["samplings"]} >= {"full", "lines:2"}


def test_rows_that_every_fourth_line_cannot_tell_from_their_mirror_image_are_named(run):
    # 5 pixels a dimer row, rows at 45 degrees: (1/7.07, 1/7.07) is (1/7.07, -1/9.21) on every fourth line
    scan = ("plan", "--pixels", "128x128", "--size-nm", "19.66x19.66", "--line-time", 0.5, "--period-nm", 0.768)
    out = run(*scan, "--angle", 45).done().out
    assert "lines:4 cannot tell this lattice from one of 0.861 nm at 142" in out
    assert "lines:3 cannot" not in out
    facts = run(*scan, "--angle", 0, "--json").done().json  # rows along the columns: nothing is like them
    assert all(s["lookalike"] is None for s in facts["samplings"])


@pytest.mark.parametrize(("gap", "angle"), [(3.0, -50.0), (4.0, 30.0), (4.0, 45.0), (5.0, 30.0), (5.0, 100.0)])
def test_a_lookalike_has_the_same_values_on_every_measured_line(gap, angle):
    found = lookalike(5.0, angle, gap)
    assert found is not None
    y, x = np.mgrid[0:40, 0:30].astype(float)

    def wave(period: float, direction: float) -> np.ndarray:
        turned = np.radians(direction)
        return 2 * np.pi * (x * np.cos(turned) + y * gap * np.sin(turned)) / period

    ours, theirs = wave(5.0, angle), wave(*found)
    # a wave and its negative are one, so either the sum or the difference of the phases is whole
    apart = min(np.abs(np.exp(1j * (ours - sign * theirs)) - 1).max() for sign in (1, -1))
    assert apart < 1e-9
    assert 5 / 1.15 < found[0] < 5 * 1.15
