import re

import numpy as np
import pytest
from PIL import Image

from stmviewer.files import save_scan
from stmviewer.scan import Channel, Geometry, Scan

from . import scans


def test_text_has_what_a_microscopist_asks_first(run, tmp_path):
    path = scans.write(
        tmp_path / "scan.gwy", bias_v=-2.0, setpoint_a=50e-12, line_time_s=(0.4, 0.2), comment="Si(001):H"
    )
    text = run("info", path).done().out
    for part in (
        "scan.gwy (Gwyddion)",
        "48 x 40",
        "4.8 nm x 4 nm",
        "100 pm",
        "-2 V (filled states)",
        "50 pA",
        "400 ms forward, 200 ms backward",
        "24 s",  # 40 lines, there and back
        "Si(001):H",
        "Z forward",
    ):
        assert part in text


def test_a_setpoint_that_is_no_current_and_the_place_of_the_scan(run, tmp_path):
    controller = "\tName\ton\tSetpoint\tP-gain\n\tAtom tracking df\t1\t-1.4E+1 Hz\t1E-12"
    frame = Geometry(48, 40, 4.8e-9, 4e-9, centre=(-1.366789e-7, 2.5e-8))
    scan = Scan([Channel("Z", "m", scans.lattice())], frame, header={"Z-CONTROLLER": controller})
    text = run("info", save_scan(scan, tmp_path / "afm.gwy")).done().out
    assert "Setpoint:   -14 Hz (Atom tracking df)" in text
    assert "Centre:     x -136.7 nm, y 25 nm" in text
    assert "Measured:   100 %" in text


def test_ends_of_a_range_differ_and_degrees_take_no_prefix(run, tmp_path):
    rng = np.random.default_rng(0)
    channels = [
        Channel("Z", "m", -73.8e-9 + rng.uniform(0, 1e-10, (40, 40))),
        Channel("Phase", "deg", rng.uniform(-0.5, 0.5, (40, 40))),
        Channel("Bias", "V", np.full((40, 40), 0.5)),
    ]
    text = run("info", save_scan(Scan(channels, Geometry(40, 40, 4e-9, 4e-9)), tmp_path / "a.gwy")).done().out
    assert re.search(r"Z forward +-73\.799 nm to -73\.701 nm \(9\d(\.\d)? pm\)", text)
    assert re.search(r"Phase forward +-0\.4\d+ deg to 0\.4\d+ deg\n", text)
    assert re.search(r"Bias forward +500 mV, constant\n", text)


def test_json_has_the_same_in_si_units(run, tmp_path):
    data = scans.lattice()
    path = scans.write(tmp_path / "scan.gwy", data, bias_v=1.5, setpoint_a=50e-12, line_time_s=(0.4, 0.2))
    facts = run("info", path, "--json").done().json
    assert facts["file"] == str(path)
    assert (facts["columns"], facts["rows"]) == (48, 40)
    assert facts["width"] == pytest.approx(4.8e-9)
    assert facts["pixel_height"] == pytest.approx(0.1e-9)
    assert facts["lateral_unit"] == "m"
    assert facts["bias_v"] == 1.5
    assert facts["line_time_s"] == [0.4, 0.2]
    assert facts["line_factor"] is None
    (channel,) = facts["channels"]
    assert channel["unit"] == "m"
    assert channel["range_1_99"] == pytest.approx(np.percentile(data, (1, 99)), rel=1e-3)
    assert channel["measured_fraction"] == 1
    assert channel["not_restorable"] is None


def test_what_was_not_measured_is_said(run, tmp_path):
    data = scans.lattice()
    data[10:] = np.nan
    path = scans.write(tmp_path / "aborted.gwy", data)
    assert "25.0 % measured" in run("info", path).done().out
    assert run("info", path, "--json").done().json["channels"][0]["measured_fraction"] == 0.25


def test_a_scan_that_never_ran_opens_and_says_so(run, tmp_path):
    path = tmp_path / "empty.npy"
    np.save(path, np.full((20, 30), np.nan))
    assert "Measured:   nothing" in run("info", path).done().out
    (channel,) = run("info", path, "--json").done().json["channels"]
    assert channel["range_1_99"] is None
    assert channel["measured_fraction"] == 0
    assert "no pixel was measured" in channel["not_restorable"]


def test_infinite_values_count_as_not_measured(run, tmp_path):
    data = scans.lattice()
    data[0, 0], data[1, 1], data[2, 2] = np.inf, -np.inf, np.nan
    np.save(tmp_path / "inf.npy", data)
    facts = run("info", tmp_path / "inf.npy", "--json").done().json
    assert facts["channels"][0]["measured_fraction"] == pytest.approx(1 - 3 / data.size)


def test_a_constant_channel_says_why_it_is_not_restorable(run, tmp_path):
    np.save(tmp_path / "flat.npy", np.full((20, 30), 7.0))
    facts = run("info", tmp_path / "flat.npy", "--json").done().json
    assert "same value" in facts["channels"][0]["not_restorable"]


def test_fewer_lines_than_their_range_are_offered_as_sparse(run, tmp_path):
    path = scans.write(tmp_path / "lines.gwy", scans.lattice(16, 64), height_m=64 * scans.PIXEL_M)
    assert run("info", path, "--json").done().json["line_factor"] == pytest.approx(4)
    text = run("info", path).done().out
    assert "16 lines for 64 pixels" in text
    assert "--mask file" in text


def test_a_picture_has_no_size(run, tmp_path):
    Image.fromarray(np.arange(600, dtype=np.uint8).reshape(20, 30) % 251).save(tmp_path / "a.png")
    text = run("info", tmp_path / "a.png").done().out
    assert "unknown" in text
    facts = run("info", tmp_path / "a.png", "--json").done().json
    assert facts["lateral_unit"] == "px"
    assert facts["width"] == 30


def test_a_restoration_tells_how_it_was_made(run, scan_file, tmp_path):
    run("restore", scan_file, "--model", "row-median", "-o", tmp_path / "out").done()
    (path,) = (tmp_path / "out").glob("*.gwy")
    facts = run("info", path, "--json").done().json
    assert {c["role"] for c in facts["channels"]} == {"raw", "mask", "restored"}
    assert facts["provenance"]["model"] == "row-median"
    assert facts["provenance"]["file"] == "scan.gwy"
    assert "[restored]" in run("info", path).done().out


def test_a_spectrum_tells_its_sweep_and_its_channels(run, tmp_path):
    path = tmp_path / "iv.dat"
    path.write_bytes(
        b"Experiment\tbias spectroscopy\t\nX (m)\t1E-9\t\nY (m)\t2E-9\t\nZ (m)\t3E-9\t\n\n[DATA]\n"
        b"Bias calc (V)\tCurrent (A)\tCurrent [bwd] (A)\n-1\t1E-12\t2E-12\n1\t3E-12\t4E-12\n"
    )
    text = run("info", path).done().out
    for part in (
        "iv.dat (Nanonis spectrum)",
        "Bias calc, -1 V to 1 V, 2 points",
        "x 1 nm, y 2 nm, z 3 nm",
        "backward  2 pA to 4 pA",
    ):
        assert part in text
    facts = run("info", path, "--json").done().json
    assert facts["sweep"] == {"name": "Bias calc", "unit": "V", "start": -1, "end": 1}
    assert facts["position"] == [1e-9, 2e-9, 3e-9]


def test_a_grid_tells_its_images_and_its_spectra(run, tmp_path):
    path = tmp_path / "grid.3ds"
    header = (
        b'Grid dim="2 x 2"\nGrid settings=0;0;2E-9;2E-9;0\nSweep Signal="Bias (V)"\nFixed parameters="Sweep Start;'
        b'Sweep End"\nExperiment parameters="Z (m)"\n# Parameters (4 byte)=3\nExperiment size (bytes)=12\nPoints=3\n'
        b'Channels="Current (A)"\n:HEADER_END:\n'
    )
    path.write_bytes(header + np.tile([-1, 1, 5e-9, 1, 2, 3], 3).astype(">f4").tobytes())
    text = run("info", path).done().out
    for part in ("2 x 2", "Z forward", "3 of 4 points", "Bias, -1 V to 1 V, 3 points", "Current forward (A)"):
        assert part in text
    facts = run("info", path, "--json").done().json
    assert facts["spectra"]["measured_fraction"] == 0.75
    assert facts["spectra"]["points"] == 3


def test_the_tip_is_judged_when_asked(run, tmp_path):
    pytest.importorskip("torch")
    image = np.random.default_rng(0).standard_normal((80, 96)) * 1e-11
    path = save_scan(Scan([Channel("Z", "m", image)], Geometry(96, 80, 9.6e-9, 8e-9)), tmp_path / "a.gwy")
    assert "Tip:" not in run("info", path).done().out
    assert "Tip:  " in run("info", path, "--tip-state").done().out
    facts = run("info", path, "--tip-state", "--json").done().json["tip_state"]
    assert sum(facts["probabilities"].values()) == pytest.approx(1)
    assert facts["kind"] in facts["probabilities"]
    assert facts["advice"]
    assert facts["second_end"] is None
    small = save_scan(Scan([Channel("Z", "m", image[:40])], Geometry(96, 40, 9.6e-9, 4e-9)), tmp_path / "b.gwy")
    assert "64 whole lines" in run("info", small, "--tip-state").done().out
