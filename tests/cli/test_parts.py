"""Files with several scans, and images without a size, on the command line."""

import json
from dataclasses import replace

import numpy as np
import pytest

from stmviewer.files import open_parts, open_scan, save_parts
from stmviewer.scan import Part

from . import scans


@pytest.fixture
def two(tmp_path):
    """A .gwy file of two scans of different sizes."""
    parts = [scans.scan_of(scans.lattice(rows, 48), bias_v=rows / 10) for rows in (40, 24)]
    named = [replace(p, part=Part(k, 2, ("big", "small")[k - 1])) for k, p in enumerate(parts, 1)]
    return save_parts(named, tmp_path / "two.gwy")


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "image.npy"
    np.save(path, scans.lattice() * 1e9)
    return path


def test_info_prints_every_scan_of_a_file(run, two):
    text = run("info", two).done().out
    for part in ("Part:       1 of 2: big", "Part:       2 of 2: small", "48 x 40", "48 x 24"):
        assert part in text
    facts = run("info", two, "--json").done().json
    assert (facts["rows"], [p["rows"] for p in facts["parts"]]) == (40, [40, 24])


@pytest.mark.parametrize("form", ["gwy", "h5", "sxm", "npz", "tif", "csv", "png"])
def test_convert_writes_every_scan(run, two, tmp_path, form):
    outcome = run("convert", two, "-o", tmp_path / "out", "--format", form, "--json").done().json
    names = sorted(p.name for p in (tmp_path / "out").glob(f"*.{form}"))
    match form:
        case "gwy":
            assert names == ["two.gwy"]
            assert [p.geometry.rows for p in open_parts(tmp_path / "out" / "two.gwy")] == [40, 24]
        case "sxm":
            assert names == ["two_converted.sxm", "two_part2_converted.sxm"]
        case _:
            assert names == [f"two.{form}", f"two_part2.{form}"]
    if form in ("npz", "tif"):
        assert open_scan(tmp_path / "out" / names[1]).geometry.rows == 24
    if form != "gwy":
        assert outcome[0]["more_outputs"] == [str(tmp_path / "out" / names[1])]
        beside = json.loads((tmp_path / "out" / f"{names[1]}.provenance.json").read_text())
        assert (beside["part"], beside["part_name"]) == (2, "small")


def test_one_scan_of_a_file_is_restored(run, two, tmp_path):
    common = ("restore", two, "--model", "row-median", "-o", tmp_path / "out")
    outcome = run(*common).done().out
    assert "part 1 of 2" in outcome
    (facts,) = run(*common, "--part", 2, "--json").done().json
    assert facts["output"].endswith("two_part2_Z-forward_repair.gwy")
    restored = open_scan(facts["output"])
    assert restored.geometry.rows == 24
    assert restored.provenance is not None
    assert restored.provenance["part"] == 2
    outcome = run(*common, "--part", 3)
    assert outcome.code == 2
    outcome.one_line("has no part 3; it has: 1: big; 2: small")


def test_a_size_given_by_hand_reaches_every_output(run, picture, tmp_path):
    flags = ("--pixel-nm", "0.1", "--unit", "nm")
    assert "4.8 nm x 4 nm" in run("info", picture, *flags).done().out
    facts = run("info", picture, "--size-nm", "9.6x4", "--json").done().json
    assert (facts["width"], facts["height"]) == (pytest.approx(9.6e-9), pytest.approx(4e-9))
    assert facts["calibration"] == {"said_by": "user", "size_nm": [9.6, 4.0]}
    run("convert", picture, "-o", tmp_path / "out", "--format", "gwy", *flags).done()
    run("restore", picture, "--model", "row-median", "-o", tmp_path / "out", *flags).done()
    written = sorted((tmp_path / "out").glob("*.gwy"))
    assert len(written) == 2
    for path in written:
        scan = open_scan(path)
        assert scan.geometry.width == pytest.approx(4.8e-9)
        assert scan.channel().unit == "m"
        assert np.ptp(scan.channel().data) == pytest.approx(np.ptp(scans.lattice()), rel=0.3)
        assert scan.provenance is not None
        assert scan.provenance["calibration"] == {"said_by": "user", "pixel_nm": [0.1, 0.1], "unit": "nm"}


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--pixel-nm", "wide"), "'wide' is not a length"),
        (("--pixel-nm", "0"), "positive length in nm"),
        (("--pixel-nm", "1e-9"), "1e-06 to 1e+09, not 1e-09"),
        (("--size-nm", "5x"), "not a length"),
        (("--pixel-nm", "1", "--size-nm", "5"), "not both"),
        (("--value-scale", "2"), "needs the unit"),
    ],
)
def test_sizes_that_cannot_be(run, picture, flags, said):
    run("info", picture, *flags).refused(said)


def test_a_scan_with_a_size_keeps_it(run, scan_file, tmp_path):
    run("info", scan_file, "--pixel-nm", "1").refused("says its size itself")
    assert run("convert", scan_file, "-o", tmp_path / "out", "--format", "npz", "--unit", "nm").code == 2
