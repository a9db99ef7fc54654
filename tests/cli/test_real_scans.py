"""Every vendor file of the collection, restored in both tasks or refused with a reason."""

from pathlib import Path

import numpy as np
import pytest

from stmviewer.files import open_scan

#: why these cannot be restored in their topography
REFUSED = {
    "A170315.172707-00393.sxm": "same value",
    "A170315.180609-00412.sxm": "same value",
    "01581.sxm": "same value",
    "Image_445.sxm": "same value",
    "empty.sxm": "no pixel was measured",
}
pytestmark = pytest.mark.real_data


def vendor_files(data: Path) -> list[Path]:
    found = sorted(p for p in (data / "scans").rglob("*") if p.suffix in (".sxm", ".gwy"))
    assert len(found) >= 15
    return found


def test_every_scan_is_restored_in_both_tasks_or_refused_with_its_cause(run, real_data, tmp_path):
    refused = set()
    for path in vendor_files(real_data):
        before = (path.stat().st_size, path.stat().st_mtime_ns)
        for words in (
            ["--task", "repair", "--model", "row-median"],
            ["--task", "sparse", "--mask", "lines:4", "--model", "cubic"],
        ):
            outcome = run("restore", path, *words, "--format", "npz", "-o", tmp_path, "--json")
            if path.name in REFUSED:
                assert outcome.code == 2
                outcome.one_line(path.name, REFUSED[path.name])
                refused.add(path.name)
                continue
            (facts,) = outcome.done().json
            content = np.load(facts["output"])
            source = open_scan(path).channel()
            assert content["restored"].shape == source.data.shape
            assert np.isfinite(content["restored"]).all()
            assert str(content["unit"]) == source.unit
            if words[1] == "sparse":
                assert facts["scores"][0]["ssim"] > 0.4
                known = content["measured"]
                np.testing.assert_allclose(content["restored"][known], source.data[known], rtol=0, atol=1e-15)
        assert before == (path.stat().st_size, path.stat().st_mtime_ns)
    assert refused == set(REFUSED)


def test_a_refused_scan_names_channels_that_can_be_restored_instead(run, real_data, tmp_path):
    for name in sorted(REFUSED):
        (path,) = real_data.rglob(name)
        outcome = run("restore", path, "--model", "row-median", "-o", tmp_path)
        outcome.refused(name, "Other channels", "Current")
        if name != "empty.sxm":  # there nothing was measured in any
            run("restore", path, "--model", "row-median", "--channel", "Current", "-o", tmp_path).done()


def test_info_of_every_scan(run, real_data):
    for path in vendor_files(real_data):
        facts = run("info", path, "--json").done().json
        scan = open_scan(path)
        assert (facts["rows"], facts["columns"]) == scan.geometry.shape
        assert len(facts["channels"]) == len(scan.channels)
        assert scan.name in run("info", path).done().out


def test_a_cropped_scan_with_few_lines_can_be_taken_for_sparse(run, real_data, tmp_path):
    """512 x 60 pixels that claim 200 x 200 nm: offered, and done when asked for."""
    (path,) = real_data.rglob("A250320.191933.sxm")
    facts = run("info", path, "--json").done().json
    if facts["line_factor"] is None:
        pytest.skip("the header says that it is cropped")
    words = ["--task", "sparse", "--mask", "file", "--model", "linear", "--format", "npz", "-o", tmp_path, "--json"]
    (done,) = run("restore", path, *words).done().json
    image = np.load(done["output"])["restored"]
    assert image.shape == (512, 512)
    assert np.isfinite(image).all()


def test_images_of_other_programs_and_grids_are_restored_and_spectra_refused_by_name(run, real_data, tmp_path):
    others = [p for p in (real_data / "scans").rglob("*") if p.suffix in (".dat", ".3ds", ".sm4")]
    assert len(others) >= 8
    for path in others:
        # the real grid was measured at constant height: its topography is constant
        channel = ["--channel", "Scan:Current"] if path.suffix == ".3ds" else []
        outcome = run("restore", path, *channel, "--model", "row-median", "--format", "npz", "-o", tmp_path)
        if path.suffix == ".dat" and not path.name.startswith("createc"):
            outcome.refused(path.name, "is a Nanonis spectrum, not an image")
        else:
            outcome.done()
            (made,) = tmp_path.glob(f"{path.stem}*.npz")
            assert np.load(made)["restored"].shape == open_scan(path).geometry.shape
        assert path.name in run("info", path).done().out


def test_folders_of_real_scans(run, real_data, tmp_path):
    outcome = run("restore", real_data / "scans" / "alexriss-spmimagetycoon", "--model", "row-median", "-o", tmp_path)
    assert outcome.code == 2  # one of them never ran
    assert len([line for line in outcome.out.splitlines() if not line.startswith(" ")]) == 3
    lines = outcome.err.splitlines()
    assert "empty.sxm" in lines[0]
    assert lines[1] == "stmviewer: 1 of 4 could not be restored"
    run("restore", real_data / "scans", "--model", "row-median", "-o", tmp_path).refused("scans", "subfolders")
