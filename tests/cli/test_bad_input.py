"""Files that are no scans, or scans with nothing in them: exit 2 and one clear line, never a traceback."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from . import scans

RESTORE = ("--model", "row-median", "-o")


def sxm(path: Path, keep: float = 1.0) -> Path:
    """A Nanonis file of one 16 x 8 channel, or its first part."""
    header = (
        b":NANONIS_VERSION:\n2\n:SCANIT_TYPE:\n FLOAT MSBFIRST\n:SCAN_PIXELS:\n 16 8\n:SCAN_RANGE:\n 1.6E-9 8.0E-10\n"
        b":SCAN_DIR:\ndown\n:DATA_INFO:\n\tChannel\tName\tUnit\tDirection\tCalibration\tOffset\n"
        b"\t0\tZ\tm\tforward\t1.0E+0\t0.0E+0\n\n:SCANIT_END:\n\n\n"
    ) + b"\x1a\x04"
    data = header + scans.lattice(8, 16).astype(">f4").tobytes()
    path.write_bytes(data[: round(keep * len(data))])
    return path


def bad_files(folder: Path) -> dict[str, tuple[Path, str]]:
    """Name of the case to file, and a word of the cause."""
    good = scans.write(folder / "good.gwy").read_bytes()
    cases = {
        "empty": ("empty.sxm", b"", "empty"),
        "truncated gwy": ("truncated.gwy", good[: len(good) // 2], ""),
        "header alone": ("header.gwy", good[:4], ""),
        "text": ("text.sxm", b"just some words\nand more\n", "text"),
        "zeros": ("zeros.gwy", bytes(1000), "zero bytes"),
        "noise": ("noise.sxm", np.random.default_rng(0).bytes(5000), "bytes"),
        "a damaged picture": ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(50), "damaged"),
        "a damaged archive": ("archive.npz", b"PK\x03\x04" + bytes(50), "damaged"),
        "a damaged array": ("array.npy", b"\x93NUMPY\x01\x00v\x00{'descr'", "damaged"),
        "another format": ("page.png", b"%PDF-1.7\n", "PDF"),
        "a spectrum": ("spectrum.dat", b"Experiment\tbias spectroscopy\n", "spectrum"),
    }
    found = {}
    for name, (file, content, word) in cases.items():
        (folder / file).write_bytes(content)
        found[name] = (folder / file, word)
    np.save(folder / "cube.npy", np.zeros((4, 4, 4)))
    np.save(folder / "complex.npy", np.zeros((8, 8), dtype=complex))
    np.save(folder / "none.npy", np.zeros((0, 8)))
    return found | {
        "a truncated sxm": (sxm(folder / "truncated.sxm", 0.8), "truncated"),
        "three dimensions": (folder / "cube.npy", "3 dimensions"),
        "complex numbers": (folder / "complex.npy", "complex"),
        "no pixels": (folder / "none.npy", "empty"),
        "a missing file": (folder / "gone.sxm", "no such file"),
    }


CASES = [
    "empty",
    "truncated gwy",
    "header alone",
    "text",
    "zeros",
    "noise",
    "a damaged picture",
    "a damaged archive",
    "a damaged array",
    "another format",
    "a spectrum",
    "a truncated sxm",
    "three dimensions",
    "complex numbers",
    "no pixels",
    "a missing file",
]


@pytest.mark.parametrize("case", CASES)
def test_what_is_no_scan_is_refused_by_name_and_cause(run, tmp_path, case):
    path, word = bad_files(tmp_path)[case]
    run("restore", path, *RESTORE, tmp_path / "out").refused(path.name, word)
    run("restore", path, "--task", "sparse", "--mask", "lines:2", "--model", "linear", "-o", tmp_path / "out").refused(
        path.name, word
    )
    outcome = run("info", path)
    outcome.refused(path.name, word)
    assert not (tmp_path / "out").exists()


def test_every_case_is_tried(tmp_path):
    assert set(bad_files(tmp_path)) == set(CASES)


def test_a_batch_of_bad_files_says_one_line_each(run, tmp_path):
    cases = bad_files(tmp_path)
    scans.write(tmp_path / "one.gwy")
    outcome = run("restore", tmp_path / "one.gwy", *(path for path, _ in cases.values()), *RESTORE, tmp_path / "out")
    assert outcome.code == 2
    assert len(outcome.err.splitlines()) == len(cases) + 1
    assert outcome.err.splitlines()[-1] == f"stmviewer: {len(cases)} of {len(cases) + 1} could not be restored"
    assert len([line for line in outcome.out.splitlines() if not line.startswith(" ")]) == 1


def test_a_wrong_suffix_is_no_hindrance(run, tmp_path):
    """The content says what a file is."""
    path = scans.write(tmp_path / "scan.gwy").rename(tmp_path / "scan.sxm")
    assert "Gwyddion" in run("info", path).done().out
    run("restore", path, *RESTORE, tmp_path / "out").done()


def test_a_nanonis_file_of_the_test_is_one(run, tmp_path):
    assert "16 x 8" in run("info", sxm(tmp_path / "whole.sxm")).done().out


def array(name: str) -> np.ndarray:
    data = scans.lattice(16, 16)
    with_one = np.full((16, 16), np.nan)
    with_one[3, 3] = 1e-9
    return {
        "1 x 1": np.ones((1, 1)),
        "1 x 64": data.reshape(1, -1),
        "7 x 7": data[:7, :7],
        "constant": np.full((16, 16), 3e-9),
        "zero": np.zeros((16, 16)),
        "all NaN": np.full((16, 16), np.nan),
        "all infinite": np.full((16, 16), np.inf),
        "one pixel measured": with_one,
    }[name]


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("1 x 1", "too few"),
        ("1 x 64", "too few"),
        ("7 x 7", "too few"),
        ("constant", "same value"),
        ("zero", "same value"),
        ("all NaN", "no pixel was measured"),
        ("all infinite", "no pixel was measured"),
        ("one pixel measured", "only 1 pixels"),
    ],
)
@pytest.mark.parametrize("form", ["npy", "gwy"])
def test_scans_with_nothing_to_restore_open_and_are_refused_by_name(run, tmp_path, name, word, form):
    path = tmp_path / f"bad.{form}"
    if form == "npy":
        np.save(path, array(name))
    else:
        scans.write(path, array(name))
    run("info", path).done()
    assert run("info", path, "--json").done().json["channels"][0]["not_restorable"]
    run("restore", path, *RESTORE, tmp_path / "out").refused(path.name, word)
    words = ["--task", "sparse", "--mask", "lines:2", "--model", "linear", "-o", tmp_path / "out"]
    run("restore", path, *words).refused(path.name, word)


@pytest.mark.parametrize("model", ["row-median", "tv"])
def test_a_scan_with_gaps_is_repaired_all_the_same(run, tmp_path, model):
    data = scans.lattice()
    data[5, 7], data[6, 8] = np.inf, np.nan
    data[20:23] = np.nan  # lines that were skipped
    np.save(tmp_path / "gaps.npy", data)
    words = ["--model", model, "--format", "npz", "-o", tmp_path / "out", "--json"]
    (facts,) = run("restore", tmp_path / "gaps.npy", *words).done().json
    content = np.load(facts["output"])
    assert np.isfinite(content["restored"]).all()
    np.testing.assert_array_equal(content["measured"], np.isfinite(data))


@pytest.mark.parametrize("scale", [1e-30, 1e-15, 1.0, 1e12, 1e30])
def test_heights_of_every_size_are_restored(run, tmp_path, scale):
    data = scans.lattice() / 3e-11 * scale
    np.save(tmp_path / "a.npy", data)
    words = ["--task", "sparse", "--mask", "lines:2", "--model", "cubic", "--format", "npz", "-o", tmp_path, "--json"]
    (facts,) = run("restore", tmp_path / "a.npy", *words).done().json
    assert facts["scores"][0]["ssim"] > 0.5
    np.testing.assert_allclose(np.load(facts["output"])["restored"], data, atol=1.5 * scale)


def test_small_and_odd_sizes(run, tmp_path):
    for rows, columns in ((8, 8), (9, 31), (33, 12)):
        path = scans.write(tmp_path / f"{rows}x{columns}.gwy", scans.lattice(rows, columns))
        run("restore", path, *RESTORE, tmp_path / "out").done()
        words = ["--task", "sparse", "--mask", "pixels:0.5", "--model", "linear", "-o", tmp_path / "out"]
        run("restore", path, *words).done()


def test_folders_without_scans(run, tmp_path):
    (tmp_path / "none").mkdir()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "notes.txt").write_text("x")
    scans.write(tmp_path / "outer" / "inner" / "scan.gwy")
    run("restore", tmp_path / "none", *RESTORE, tmp_path / "out").refused("none", "no scan")
    run("restore", tmp_path / "texts", *RESTORE, tmp_path / "out").refused("texts", "no scan")
    run("restore", tmp_path / "outer", *RESTORE, tmp_path / "out").refused("outer", "subfolders")
    run("info", tmp_path / "none").refused("none", "folder")


def test_a_file_that_may_not_be_read(run, scan_file, tmp_path, monkeypatch):
    real = Path.open

    def barred(path, *rest, **named):
        if path == scan_file:  # the tests may run as root, who may read everything
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *rest, **named)

    monkeypatch.setattr(Path, "open", barred)
    run("info", scan_file).refused("scan.gwy", "no permission")
    run("restore", scan_file, *RESTORE, tmp_path / "out").refused("scan.gwy", "no permission")


def test_a_picture_in_colours_is_read_by_its_brightness(run, tmp_path):
    colours = np.random.default_rng(0).integers(0, 255, (20, 20, 3), dtype=np.uint8)
    Image.fromarray(colours).save(tmp_path / "a.png")
    assert "Note" in run("info", tmp_path / "a.png").done().out
    run("restore", tmp_path / "a.png", *RESTORE, tmp_path / "out").done()
