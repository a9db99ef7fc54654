"""`stmviewer convert`, as a script uses it."""

import json
import zlib

import h5py
import numpy as np
import pytest

from stmviewer.files import open_scan
from stmviewer.services.converting import FORMATS

from . import scans


@pytest.mark.parametrize("form", FORMATS)
def test_one_file_in_every_format(run, scan_file, tmp_path, form):
    out = run("convert", scan_file, "-o", tmp_path / "new" / "out", "--format", form).done().out
    name = "scan_converted.sxm" if form == "sxm" else f"scan.{form}"
    assert out == f"{tmp_path / 'new' / 'out' / name}: 1 channel of {scan_file}\n"
    assert (tmp_path / "new" / "out" / name).stat().st_size > 1000


def test_a_folder_keeps_its_tree_and_one_failure_does_not_stop_the_rest(run, tmp_path):
    for name in ("b.gwy", "sub/a.gwy", "sub/deep/c.npz"):
        scans.write(tmp_path / "in" / name)
    (tmp_path / "in" / "sub" / "bad.sxm").write_bytes(b"nothing")
    outcome = run("convert", tmp_path / "in", "-o", tmp_path / "out", "--format", "h5")
    assert outcome.code == 2
    assert [str(p.relative_to(tmp_path / "out")) for p in sorted((tmp_path / "out").rglob("*.h5"))] == [
        "b.h5",
        "sub/a.h5",
        "sub/deep/c.h5",
    ]
    assert len(outcome.out.splitlines()) == 3
    said = outcome.err.splitlines()
    assert said[0] == "stmviewer: 1 of 4 b.gwy"
    assert "stmviewer: 4 of 4 c.npz" in said
    assert any("bad.sxm" in line and "is not a scan" in line for line in said)
    assert said[-1] == "stmviewer: 1 of 4 could not be converted"
    with h5py.File(tmp_path / "out" / "sub" / "a.h5") as tree:
        np.testing.assert_array_equal(tree["channels/Z forward raw"][()], scans.lattice())


def test_json_tells_each_file_its_output_or_error(run, scan_file, tmp_path):
    outcome = run("convert", scan_file, tmp_path / "gone", "-o", tmp_path / "out", "--format", "gwy", "--json")
    assert outcome.code == 2
    missing, done = outcome.json
    assert (missing["file"], "no such file" in missing["error"]) == (str(tmp_path / "gone"), True)
    assert done == {"file": str(scan_file), "output": str(tmp_path / "out" / "scan.gwy"), "channels": 1}
    provenance = json.loads((tmp_path / "out" / "scan.gwy.provenance.json").read_text())
    assert provenance["file"] == "scan.gwy"


def test_a_file_given_twice_is_converted_once(run, scan_file, tmp_path):
    run("convert", scan_file, scan_file.parent, "-o", tmp_path / "out", "--format", "csv").done()
    assert [p.name for p in (tmp_path / "out").glob("*.csv")] == ["scan.csv"]


def test_raw_files_stay_as_they_are(run, tmp_path):
    raw = scans.write(tmp_path / "scan.gwy")
    before = raw.read_bytes()
    for _ in range(2):
        run("convert", raw, "-o", tmp_path, "--format", "gwy").done()
    assert raw.read_bytes() == before
    assert sorted(p.name for p in tmp_path.glob("*.gwy")) == ["scan-2.gwy", "scan-3.gwy", "scan.gwy"]


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--format", "docx"], ["--format", "docx"]),
        ([], ["--format"]),
        (["--format", "gwy", "--channel", "Phase"], ["scan.gwy", "Phase", "Z forward"]),
        (["--format", "gwy", "--direction", "backward"], ["scan.gwy", "Z forward"]),
    ],
)
def test_bad_requests_are_one_line(run, scan_file, tmp_path, words, parts):
    run("convert", scan_file, "-o", tmp_path / "out", *words).refused(*parts)
    assert not (tmp_path / "out").exists()


def test_the_output_is_a_folder(run, scan_file, tmp_path):
    (tmp_path / "out").write_text("x")
    run("convert", scan_file, "-o", tmp_path / "out", "--format", "gwy").refused("out", "not a folder")


def test_a_restored_scan_becomes_a_nanonis_file_and_a_labelled_figure(run, scan_file, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("matplotlib").rcParams, "svg.fonttype", "none")
    words = ["--task", "sparse", "--mask", "lines:4", "--model", "linear"]
    (facts,) = run("restore", scan_file, *words, "-o", tmp_path, "--json").done().json
    run("convert", facts["output"], "-o", tmp_path / "out", "--format", "sxm").done()
    (path,) = (tmp_path / "out").glob("*.sxm")
    assert path.name == "scan_Z-forward_sparse_restored.sxm"
    back, before = open_scan(path), open_scan(facts["output"])
    assert [c.role for c in back.channels] == [c.role for c in before.channels]
    assert back.provenance == before.provenance
    run("convert", facts["output"], "-o", tmp_path / "a", "--format", "svg").done()
    run("convert", facts["output"], "-o", tmp_path / "b", "--format", "svg", "--no-label").done()
    with_label, without = (next((tmp_path / f).glob("*.svg")).read_text(encoding="utf-8") for f in "ab")
    assert "restored, 25 % measured" in with_label
    assert "restored," not in without


@pytest.mark.real_data
def test_every_real_scan_is_converted(run, real_data, tmp_path):
    outcome = run("convert", real_data / "scans", "-o", tmp_path, "--format", "h5")
    assert outcome.code == 0, outcome.err
    found = sorted(p.relative_to(tmp_path).with_suffix("") for p in tmp_path.rglob("*.h5"))
    assert len(found) >= 16
    for below in found:
        folder = real_data / "scans" / below.parent
        (source,) = (p for p in folder.iterdir() if p.stem == below.name)
        scan = open_scan(source)
        with h5py.File(tmp_path / below.parent / f"{below.name}.h5") as tree:
            for channel, image in zip(scan.channels, tree["channels"].values(), strict=True):
                np.testing.assert_array_equal(image[()], channel.data)


_GRID = """Grid dim="4 x 3"
Sweep Signal="Bias (V)"
Fixed parameters="Sweep Start;Sweep End"
Experiment parameters="X (m);Y (m);Z (m)"
# Parameters (4 byte)=5
Experiment size (bytes)=40
Points=5
Channels="Current (A);Current [bwd] (A)"
:HEADER_END:
"""
_CREATEC = "[Paramco32]\r\nNum.X=4\r\nNum.Y=3\r\nChannels=1\r\n"


def _spectra(folder):
    """A spectrum, a grid, a Createc image (its suffix is that of spectra), and something else of that suffix."""
    folder.mkdir()
    text = "Experiment\tiv\t\n\n[DATA]\nBias (V)\tCurrent (A)\tCurrent [bwd] (A)\n0\t1e-12\t\n1\t3e-12\t4\n"
    (folder / "iv.dat").write_text(text)
    values = np.random.default_rng(0).normal(size=(12, 15)).astype(">f4")
    (folder / "grid.3ds").write_bytes(_GRID.encode() + values.tobytes())
    pixels = np.arange(13, dtype="<f4").tobytes()
    (folder / "image.dat").write_bytes(_CREATEC.encode() + b"DATA" + zlib.compress(pixels))
    (folder / "notes.dat").write_bytes(b"nothing of the kind")
    return folder


def test_spectra_and_grids_become_tables(run, tmp_path):
    outcome = run("convert", _spectra(tmp_path / "in"), "-o", tmp_path / "out", "--format", "csv")
    assert outcome.code == 0
    assert sorted(p.name for p in (tmp_path / "out").glob("*.csv")) == ["grid.csv", "image.csv", "iv.csv"]
    assert "iv.csv: 2 channels of" in outcome.out and "grid.csv: 2 channels of" in outcome.out
    table = np.genfromtxt(tmp_path / "out" / "iv.csv", delimiter=",", names=True, skip_header=_comments(tmp_path))
    assert table.dtype.names[:2] == ("Bias_V", "Current_forward_A")
    np.testing.assert_array_equal(table["Current_forward_A"], [1e-12, 3e-12])
    provenance = json.loads((tmp_path / "out" / "iv.csv.provenance.json").read_text())
    assert (provenance["file"], provenance["format"]) == ("iv.dat", "Nanonis spectrum")


def _comments(tmp_path):
    return sum(line.startswith("#") for line in (tmp_path / "out" / "iv.csv").read_text().splitlines())


def test_one_channel_of_spectra_alone(run, tmp_path):
    folder = _spectra(tmp_path / "in")
    words = ["-o", tmp_path / "out", "--format", "csv", "--channel", "current", "--direction", "backward"]
    for name in ("iv.dat", "grid.3ds"):
        assert ": 1 channel of" in run("convert", folder / name, *words).done().out
    titles = next(line for line in (tmp_path / "out" / "grid.csv").read_text().splitlines() if line[0] != "#")
    assert titles == "row,column,x (m),y (m),Bias (V),Current backward (A)"
    # a parameter is an image, also as numbers
    run("convert", folder / "grid.3ds", "-o", tmp_path / "z", "--format", "csv", "--channel", "Z").done()
    assert np.loadtxt(tmp_path / "z" / "grid.csv", delimiter=",").shape == (3, 4)
    refused = run("convert", folder / "grid.3ds", "-o", tmp_path / "x", "--format", "csv", "--channel", "Q")
    refused.refused("grid.3ds", "no channel 'Q'", "Current forward", "Z")


def test_a_spectrum_is_no_image(run, tmp_path):
    folder = _spectra(tmp_path / "in")
    outcome = run("convert", folder / "iv.dat", "-o", tmp_path / "out", "--format", "gwy")
    outcome.refused("iv.dat", "is a spectrum", "written as csv")
    sized = run("convert", folder / "iv.dat", "-o", tmp_path / "out", "--format", "csv", "--pixel-nm", "0.1")
    sized.refused("iv.dat", "is a spectrum, which has no pixels")
    # and no reason for a folder of images to fail
    assert run("convert", folder, "-o", tmp_path / "all", "--format", "npz").code == 0
    assert sorted(p.name for p in (tmp_path / "all").glob("*.npz")) == ["grid.npz", "image.npz"]
