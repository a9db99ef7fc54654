import pytest

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
        (["--backward-time", "-1"], "back"),
        (["--period-nm", "0"], "period"),
        (["--within", "0"], "--within"),
        (["--pixels", "0x5"], "--pixels"),
    ],
)
def test_bad_requests_are_refused_in_one_line(run, words, part):
    run(*SCAN, *words).refused(part)


def test_a_scan_of_few_lines_leaves_out_what_does_not_fit(run):
    facts = run("plan", "--pixels", "1x1", "--size-nm", "1x1", "--line-time", 1, "--json").done().json
    assert {s["pattern"] for s in facts["samplings"]} >= {"full", "lines:2"}
