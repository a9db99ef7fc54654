"""`stmviewer restore` on scans of every format, alone and in batches."""

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from stmviewer.files import open_scan
from stmviewer.scan import make_mask
from stmviewer.scan.metrics import compare
from stmviewer.services.exporting import EXPORT_FORMATS

from . import scans


def written(folder: Path) -> list[str]:
    """Names in a folder, without the provenance that lies beside each."""
    return sorted(p.name for p in folder.iterdir() if not p.name.endswith(".provenance.json"))


@pytest.fixture
def inputs(tmp_path):
    """The same image as .gwy, .npy, 8-bit .png and float .tif."""
    data = scans.lattice()
    folder = tmp_path / "inputs"
    scans.write(folder / "a.gwy", data)
    np.save(folder / "b.npy", data)
    grey = np.round(255 * (data - data.min()) / np.ptp(data)).astype(np.uint8)
    Image.fromarray(grey).save(folder / "c.png")
    tifffile.imwrite(folder / "d.tif", (data * 1e9).astype(np.float32))
    return folder


@pytest.mark.parametrize(
    ("words", "suffix"),
    [
        (["--task", "repair", "--model", "row-median"], "repair"),
        (["--task", "repair", "--model", "tv"], "repair"),
        (["--task", "sparse", "--model", "cubic", "--mask", "lines:2"], "sparse"),
        (["--task", "sparse", "--model", "biharmonic", "--mask", "pixels:0.5", "--seed", 2], "sparse"),
    ],
)
def test_every_readable_format_in_both_tasks(run, inputs, tmp_path, words, suffix):
    out = tmp_path / "out"
    outcome = run("restore", *sorted(inputs.iterdir()), *words, "-o", out, "--json").done()
    assert [Path(one["file"]).name for one in outcome.json] == ["a.gwy", "b.npy", "c.png", "d.tif"]
    for one in outcome.json:
        path = Path(one["output"])
        assert path.parent == out
        assert path.name.endswith(f"_{suffix}.gwy")
        back = open_scan(path)
        source = open_scan(one["file"])
        assert back.geometry.shape == (40, 48)
        assert back.geometry.calibrated == source.geometry.calibrated
        roles = {c.role for c in back.channels}
        assert {"raw", "mask", "restored"} <= roles
        restored = next(c for c in back.channels if c.role == "restored")
        assert restored.measured.all()
        assert restored.unit == source.channel().unit
        assert (one["unit"], one["task"]) == (restored.unit, suffix)
        if suffix == "sparse":
            assert [s["method"] for s in one["scores"]] == [words[3], "linear"]
            assert one["measured_fraction"] == pytest.approx(0.5)
            given = next(c for c in back.channels if c.role == "raw")
            np.testing.assert_allclose(
                restored.data[given.measured], source.channel().data[given.measured], rtol=0, atol=1e-9 * 255
            )


@pytest.mark.parametrize("form", EXPORT_FORMATS)
def test_every_format_is_written_with_its_provenance(run, scan_file, tmp_path, form):
    out = tmp_path / "out"
    words = ["--task", "sparse", "--mask", "lines:2", "--model", "linear", "--format", form]
    run("restore", scan_file, *words, "-o", out).done()
    name = f"scan_Z-forward_sparse{'_restored' if form == 'sxm' else ''}.{form}"
    assert written(out) == [name]
    provenance = json.loads((out / f"{name}.provenance.json").read_text())
    assert provenance["file"] == "scan.gwy"
    assert provenance["model"] == "linear"
    assert provenance["mask"] == "lines:2"
    assert len(provenance["file_sha256"]) == 64
    if form in ("gwy", "sxm", "npz", "tif"):
        assert open_scan(out / name).geometry.shape == (40, 48)


def test_the_npz_has_the_keys_that_scripts_read(run, scan_file, tmp_path):
    words = ["--task", "sparse", "--mask", "lines:2", "--model", "linear", "--format", "npz"]
    (facts,) = run("restore", scan_file, *words, "-o", tmp_path / "out", "--json").done().json
    content = np.load(facts["output"])
    assert {"raw", "measured", "restored", "pixel_size_m", "unit", "provenance"} <= set(content)
    mask = make_mask("lines:2", 40, 48).measured
    np.testing.assert_array_equal(content["measured"], mask)
    assert np.isnan(content["raw"][~mask]).all()
    np.testing.assert_allclose(content["pixel_size_m"], 1e-10)
    assert json.loads(str(content["provenance"]))["request"]["mask"] == "lines:2"


def test_scores_in_the_report_are_those_of_the_written_image(run, scan_file, tmp_path):
    words = ["--task", "sparse", "--mask", "grid:2", "--model", "cubic", "--format", "npz"]
    (facts,) = run("restore", scan_file, *words, "-o", tmp_path / "out", "--json").done().json
    content = np.load(facts["output"])
    truth = open_scan(scan_file).channel().data
    expected = compare(content["restored"], truth, ~content["measured"])
    score = facts["scores"][0]
    assert score["ssim"] == pytest.approx(expected.ssim, abs=1e-5)
    assert score["ssim_hidden"] == pytest.approx(expected.ssim_hidden, abs=1e-5)
    assert score["mae_hidden"] == pytest.approx(expected.mae_hidden, rel=1e-4)
    text = run("restore", scan_file, *words, "-o", tmp_path / "out").done().out
    assert f"SSIM {score['ssim']:.3f}" in text
    assert "linear" in text


def test_the_same_request_gives_the_same_image(run, scan_file, tmp_path, learned):
    images = []
    for k in range(2):
        words = ["--model", learned, "--format", "npz", "--seed", 5, "-o", tmp_path / f"out{k}", "--json"]
        (facts,) = run("restore", scan_file, *words).done().json
        images.append(np.load(facts["output"])["restored"])
    np.testing.assert_array_equal(*images)


def test_nothing_is_overwritten(run, scan_file, tmp_path):
    before = scan_file.read_bytes()
    out = tmp_path / "out"
    first = None
    for expected in ("", "-2", "-3"):
        text = run("restore", scan_file, "--model", "row-median", "-o", out).done().out
        assert f"scan_Z-forward_repair{expected}.gwy: " in text
        first = first or (out / "scan_Z-forward_repair.gwy").read_bytes()
    assert written(out) == [
        "scan_Z-forward_repair-2.gwy",
        "scan_Z-forward_repair-3.gwy",
        "scan_Z-forward_repair.gwy",
    ]
    assert (out / "scan_Z-forward_repair.gwy").read_bytes() == first
    assert scan_file.read_bytes() == before


def test_the_raw_file_stays_when_results_go_beside_it(run, tmp_path):
    path = scans.write(tmp_path / "scan.gwy")
    before = path.read_bytes()
    run("restore", path, "--model", "row-median", "-o", tmp_path).done()
    assert path.read_bytes() == before
    assert written(tmp_path) == ["scan.gwy", "scan_Z-forward_repair.gwy"]


def test_scans_of_one_name_from_two_folders_do_not_meet(run, tmp_path):
    one, other = (
        scans.write(tmp_path / "1" / "scan.gwy"),
        scans.write(tmp_path / "2" / "scan.gwy", scans.lattice(seed=1)),
    )
    run("restore", one, other, "--model", "row-median", "-o", tmp_path / "out").done()
    assert written(tmp_path / "out") == ["scan_Z-forward_repair-2.gwy", "scan_Z-forward_repair.gwy"]


def test_a_folder_is_its_scans(run, tmp_path):
    for name in ("b.gwy", "a.npz"):
        scans.write(tmp_path / "in" / name)
    (tmp_path / "in" / "notes.txt").write_text("not a scan")
    scans.write(tmp_path / "in" / "deeper" / "c.gwy")
    results = run("restore", tmp_path / "in", "--model", "row-median", "-o", tmp_path / "out", "--json").done().json
    assert [Path(r["file"]).name for r in results] == ["a.npz", "b.gwy"]


def test_a_batch_finishes_what_it_can(run, tmp_path, scan_file):
    bad = tmp_path / "bad.gwy"
    bad.write_bytes(b"GWYP and no more")
    other = scans.write(tmp_path / "other.gwy")
    words = ["restore", scan_file, bad, other, tmp_path / "gone.sxm", "--model", "row-median", "-o", tmp_path / "out"]
    outcome = run(*words)
    assert outcome.code == 2
    assert len([line for line in outcome.out.splitlines() if not line.startswith(" ")]) == 2
    errors = outcome.err.splitlines()
    assert len(errors) == 3
    assert "gone.sxm" in errors[0]
    assert "bad.gwy" in errors[1]
    assert errors[2] == "stmviewer: 2 of 4 could not be restored"
    assert written(tmp_path / "out") == ["other_Z-forward_repair.gwy", "scan_Z-forward_repair.gwy"]

    outcome = run(*words, "--json")
    assert outcome.code == 2
    by_name = {Path(r["file"]).name: r for r in outcome.json}
    assert {name for name, r in by_name.items() if "error" in r} == {"bad.gwy", "gone.sxm"}
    assert all("output" in by_name[name] for name in ("scan.gwy", "other.gwy"))


def test_a_fault_in_one_file_stops_no_batch_but_is_ours(run, tmp_path, monkeypatch, scan_file):
    other = scans.write(tmp_path / "other.gwy")
    from stmviewer.services import batch as module

    def one(file, *rest):
        if file == scan_file:
            raise ZeroDivisionError("oops")
        return real(file, *rest)

    real = module.open_calibrated
    monkeypatch.setattr(module, "open_calibrated", one)
    outcome = run("restore", scan_file, other, "--model", "row-median", "-o", tmp_path / "out")
    assert outcome.code == 1
    assert "scan.gwy: a fault of stmviewer: ZeroDivisionError: oops" in outcome.err
    assert "Traceback" not in outcome.err
    assert written(tmp_path / "out") == ["other_Z-forward_repair.gwy"]


def test_a_scan_too_large_for_the_memory_is_told(run, tmp_path, monkeypatch, scan_file):
    def one(*_):
        raise MemoryError

    monkeypatch.setattr("stmviewer.restore.pipeline.restore", one)
    run("restore", scan_file, "--model", "row-median", "-o", tmp_path / "out").refused("scan.gwy", "memory", "--tile")


def test_small_scans_go_together_and_come_out_as_each_alone(run, tmp_path, learned):
    for k in range(3):
        scans.write(tmp_path / "in" / f"{k}.gwy", scans.lattice(64, 64, seed=k))
    scans.write(tmp_path / "in" / "1b.gwy", scans.lattice(300, 300))  # not small: by itself, in its place
    (tmp_path / "in" / "0b.gwy").write_bytes(b"no scan")
    files = sorted((tmp_path / "in").iterdir())
    words = ["--model", learned, "--json", "--no-check", "--format", "npz"]
    outcome = run("restore", tmp_path / "in", *words, "-o", tmp_path / "all")
    assert outcome.code == 2
    assert [r["file"] for r in outcome.json] == [str(f) for f in files]
    assert [("error" in r) for r in outcome.json] == [False, True, False, False, False]
    for file in files:
        if file.name != "0b.gwy":
            run("restore", file, *words, "-o", tmp_path / "alone").done()
    for path in sorted((tmp_path / "alone").glob("*.npz")):
        with np.load(path) as a, np.load(tmp_path / "all" / path.name) as b:
            assert np.abs(a["restored"] - b["restored"]).max() < 1e-5 * np.ptp(a["restored"])


def test_json_of_a_missing_file_is_json_too(run, tmp_path):
    outcome = run("restore", tmp_path / "gone.sxm", "--model", "row-median", "-o", tmp_path / "out", "--json")
    assert outcome.code == 2
    outcome.one_line("gone.sxm")
    assert [r["file"] for r in outcome.json] == [str(tmp_path / "gone.sxm")]


def test_channel_and_direction(run, tmp_path):
    from stmviewer.files import save_scan
    from stmviewer.scan import Channel, Geometry, Scan

    data = scans.lattice()
    channels = [
        Channel("Z", "m", data),
        Channel("Z", "m", data + 1e-9, "backward"),
        Channel("Current", "A", 1e-3 * data, "backward"),
    ]
    path = save_scan(Scan(channels, Geometry(48, 40, 4.8e-9, 4e-9)), tmp_path / "scan.gwy")
    base = ["restore", path, "--model", "row-median", "-o", tmp_path / "out", "--json"]
    assert run(*base).done().json[0]["channel"] == "Z forward"
    assert run(*base, "--direction", "backward").done().json[0]["channel"] == "Z backward"
    (facts,) = run(*base, "--channel", "current").done().json
    assert (facts["channel"], facts["unit"]) == ("Current backward", "A")
    assert "scan_Current-backward_repair.gwy" in facts["output"]
    outcome = run(*base[:-1], "--channel", "Current", "--direction", "forward")
    outcome.refused("scan.gwy", "Current forward", "Current backward")


def test_a_channel_with_a_slash_in_its_name_is_written_into_the_folder(run, tmp_path):
    from stmviewer.files import save_scan
    from stmviewer.scan import Channel, Geometry, Scan

    scan = Scan([Channel("dI/dV: X*", "A", scans.lattice())], Geometry(48, 40, 4.8e-9, 4e-9))
    path = save_scan(scan, tmp_path / "scan.gwy")
    run("restore", path, "--model", "row-median", "-o", tmp_path / "out").done()
    (name,) = written(tmp_path / "out")
    assert not set(name) & set('/\\:*?"<>|')


def test_a_learned_model_of_the_user_restores_by_name_and_by_kind(run, scan_file, tmp_path, learned, no_shipped_models):
    out = tmp_path / "out"
    (facts,) = run("restore", scan_file, "--model", learned, "-o", out, "--json").done().json
    assert facts["model"] == learned
    (facts,) = run("restore", scan_file, "--task", "sparse", "--mask", "lines:2", "-o", out, "--json").done().json
    assert facts["model"] == "auto"
    assert {m["name"] for m in facts["methods"]} <= {learned, "linear", "cubic", "tv", "plate", "dimer-rows"}
    words = ["--model", "regression", "--task", "sparse", "--mask", "lines:2"]
    (facts,) = run("restore", scan_file, *words, "-o", out, "--json").done().json
    assert facts["model"] == learned  # the best of that kind
    back = open_scan(facts["output"])
    assert {c.role for c in back.channels} == {"raw", "mask", "restored", "deviation"}


def test_steps_and_samples_of_a_flow(run, scan_file, tmp_path):
    flow = scans.put_model("flow-tiny", "flow")
    images = []
    for samples in (1, 3):
        words = ["--model", flow, "--steps", 2, "--samples", samples, "--format", "npz", "-o", tmp_path, "--json"]
        (facts,) = run("restore", scan_file, *words).done().json
        content = np.load(facts["output"])
        request = json.loads(str(content["provenance"]))["request"]
        assert (request["steps"], request["samples"]) == (2, samples)
        assert (content["deviation"] > 0).all()
        images.append(content["restored"])
    assert not np.array_equal(*images)  # one sample, and the mean of three


class TestMasks:
    """--mask: a pattern, a file made by `stmviewer mask`, or the scan's own gaps."""

    BASE = ("--task", "sparse", "--model", "linear", "--format", "npz", "--json")

    def test_a_mask_file_is_the_mask(self, run, scan_file, tmp_path):
        path = tmp_path / "mask.npz"
        run("mask", "--pattern", "pixels:0.4", "--pixels", "48x40", "--seed", 9, "-o", path).done()
        (facts,) = run("restore", scan_file, *self.BASE, "--mask", path, "-o", tmp_path / "out").done().json
        np.testing.assert_array_equal(np.load(facts["output"])["measured"], np.load(path)["measured"])
        assert facts["mask"] == "pixels:0.4"
        assert len(facts["scores"]) == 1  # linear is its own baseline

    def test_a_boolean_npy_is_a_mask(self, run, scan_file, tmp_path):
        mask = make_mask("grid:2", 40, 48).measured
        np.save(tmp_path / "mask.npy", mask)
        words = [*self.BASE, "--mask", tmp_path / "mask.npy", "-o", tmp_path / "out"]
        (facts,) = run("restore", scan_file, *words).done().json
        np.testing.assert_array_equal(np.load(facts["output"])["measured"], mask)

    def test_masks_that_do_not_fit(self, run, scan_file, tmp_path):
        words = ["restore", scan_file, *self.BASE[:-1], "-o", tmp_path / "out", "--mask"]
        run("mask", "--pattern", "lines:2", "--pixels", "40x48", "-o", tmp_path / "turned.npz").done()
        run(*words, tmp_path / "turned.npz").refused("turned.npz", "40 x 48", "48 x 40")
        run(*words, tmp_path / "gone.npz").refused("gone.npz", "there is no such file")
        (tmp_path / "text.npz").write_text("not a mask")
        run(*words, tmp_path / "text.npz").refused("text.npz", "not a mask")
        whole = (tmp_path / "turned.npz").read_bytes()
        (tmp_path / "half.npz").write_bytes(whole[: len(whole) // 2])
        run(*words, tmp_path / "half.npz").refused("half.npz", "not a mask")
        np.savez(tmp_path / "other.npz", image=np.ones((40, 48)))
        run(*words, tmp_path / "other.npz").refused("other.npz", "measured")
        np.save(tmp_path / "nothing.npy", np.zeros((40, 48), dtype=bool))
        run(*words, tmp_path / "nothing.npy").refused("nothing.npy", "measures nothing")
        with zipfile.ZipFile(tmp_path / "zip.npz", "w") as archive:
            archive.writestr("a.txt", "b")
        run(*words, tmp_path / "zip.npz").refused("zip.npz")
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("pattern", ["lines", "lines:0", "stars:2", "pixels:0.001", "", "lines:99"])
    def test_patterns_that_are_none(self, run, scan_file, tmp_path, pattern):
        run("restore", scan_file, *self.BASE[:-1], f"--mask={pattern}", "-o", tmp_path / "out").refused("mask")

    def test_a_mask_belongs_to_the_sparse_task(self, run, scan_file, tmp_path):
        words = ["--task", "repair", "--model", "tv", "--mask", "lines:2", "-o", tmp_path / "out"]
        run("restore", scan_file, *words).refused("mask", "--task sparse")

    @pytest.mark.parametrize("mask", [[], ["--mask", "file"]])
    def test_a_whole_scan_needs_a_mask(self, run, scan_file, tmp_path, mask):
        words = ["--task", "sparse", "--model", "linear", *mask, "-o", tmp_path / "out"]
        run("restore", scan_file, *words).refused("scan.gwy", "mask")

    @pytest.mark.parametrize("mask", [[], ["--mask", "file"]])
    def test_unmeasured_pixels_of_a_file_are_filled(self, run, tmp_path, mask):
        data = scans.lattice()
        measured = make_mask("pixels:0.6", 40, 48, 1).measured
        path = tmp_path / "gaps.npy"
        np.save(path, np.where(measured, data, np.nan))
        (facts,) = run("restore", path, *self.BASE, *mask, "-o", tmp_path / "out").done().json
        content = np.load(facts["output"])
        np.testing.assert_array_equal(content["measured"], measured)
        assert np.isfinite(content["restored"]).all()
        np.testing.assert_allclose(content["restored"][measured], data[measured], rtol=0, atol=1e-18)
        assert facts["scores"] == []  # nobody knows what was there

    @pytest.mark.parametrize("factor", [4, 3])
    def test_missing_lines_are_put_where_they_belong(self, run, tmp_path, factor):
        """128 lines of 512 pixels over a square: a square image, measured on every fourth row."""
        truth = scans.lattice(96, 96)
        lines = truth[factor // 2 :: factor]
        path = scans.write(tmp_path / "lines.gwy", lines, height_m=96 * scans.PIXEL_M)
        words = [*self.BASE, "--mask", "file", "-o", tmp_path / "out"]
        (facts,) = run("restore", path, *words).done().json
        content = np.load(facts["output"])
        assert content["restored"].shape == (96, 96)
        np.testing.assert_allclose(content["pixel_size_m"], scans.PIXEL_M, rtol=1e-6)
        rows = np.nonzero(content["measured"].all(axis=1))[0]
        assert len(rows) == len(lines)
        assert set(np.diff(rows)) == {factor}
        np.testing.assert_allclose(content["restored"][rows], lines, rtol=0, atol=1e-16)
        assert facts["measured_fraction"] == pytest.approx(1 / factor)
        assert facts["residual_rms"] < 1e-16

    def test_missing_lines_with_a_model_that_learned(self, run, tmp_path, learned):
        path = scans.write(tmp_path / "lines.gwy", scans.lattice(32, 128), height_m=128 * scans.PIXEL_M)
        words = ["--task", "sparse", "--mask", "file", "--model", learned, "-o", tmp_path / "out", "--json"]
        (facts,) = run("restore", path, *words).done().json
        back = open_scan(facts["output"])
        assert back.geometry.shape == (128, 128)
        assert next(c for c in back.channels if c.role == "restored").measured.all()


class TestRefusals:
    def test_a_model_that_is_not_there_is_told_once_for_all_files(self, run, tmp_path, no_shipped_models):
        for name in ("a.gwy", "b.gwy"):
            scans.write(tmp_path / "in" / name)
        words = ["restore", tmp_path / "in", "-o", tmp_path / "out", "--model"]
        run(*words, "dream").refused("no model 'dream'", "row-median")
        run(*words, "cubic").refused("'cubic' does not do the task repair")
        run(*words[:-1]).done()  # auto takes what there is

    def test_cuda_that_is_not_there(self, run, scan_file, tmp_path, learned, monkeypatch):
        monkeypatch.setattr("torch.cuda.is_available", lambda: False)
        run("restore", scan_file, "--model", learned, "--device", "cuda", "-o", tmp_path / "out").refused("cuda")
        assert not (tmp_path / "out").exists()

    def test_a_channel_that_is_not_there(self, run, scan_file, tmp_path):
        words = ["--channel", "Phase", "--model", "tv", "-o", tmp_path / "out"]
        run("restore", scan_file, *words).refused("scan.gwy", "Phase", "Z forward")

    @pytest.mark.parametrize(
        "words",
        [
            ["--steps", "0"],
            ["--samples", "0"],
            ["--samples", "101"],
            ["--seed=-1"],
            ["--tile", "8"],
            ["--tile", "9999"],
        ],
    )
    def test_values_out_of_range(self, run, scan_file, tmp_path, words):
        run("restore", scan_file, "--model", "tv", *words, "-o", tmp_path / "out").refused(words[0][2:6])

    def test_an_output_that_is_a_file(self, run, scan_file, tmp_path):
        before = scan_file.read_bytes()
        run("restore", scan_file, "--model", "tv", "-o", scan_file).refused("scan.gwy", "is a file, not a folder")
        run("restore", scan_file, "--model", "tv", "-o", scan_file / "deeper").refused("scan.gwy")
        assert scan_file.read_bytes() == before

    def test_weights_that_are_damaged(self, run, scan_file, tmp_path, learned, monkeypatch):
        from stmviewer import paths

        monkeypatch.setattr("stmviewer.restore.loading._loaded", {})  # none of another test
        weights = paths.user_models() / f"{learned}.safetensors"
        content = weights.read_bytes()
        weights.write_bytes(content[:-4] + bytes(4))
        run("restore", scan_file, "--model", learned, "-o", tmp_path / "out").refused(learned)
        weights.unlink()
        run("restore", scan_file, "--model", learned, "-o", tmp_path / "out").refused(learned, "missing")

    def test_a_damaged_list_of_models_is_named(self, run, tmp_path, learned):
        from stmviewer import paths

        (paths.user_models() / "manifest.json").write_text("{")
        run("models").refused("manifest.json")

    def test_a_changed_file_in_mid_run_is_told(self, run, scan_file, tmp_path, monkeypatch):
        """The file is opened, and its data read later: the microscope may have written on."""
        from stmviewer.services import batch as module

        real = module.open_calibrated

        def opened(path, said):
            parts = real(path, said)
            path.write_bytes(path.read_bytes() + b"more")
            return parts

        monkeypatch.setattr(module, "open_calibrated", opened)
        outcome = run("restore", scan_file, "--model", "tv", "-o", tmp_path / "out")
        assert outcome.code in (0, 2)  # what was read at once is whole
        if outcome.code:
            outcome.one_line("scan.gwy", "changed")

    def test_a_full_disk_leaves_nothing_half_written(self, run, scan_file, tmp_path, monkeypatch):
        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        out = tmp_path / "out"
        run("restore", scan_file, "--model", "tv", "-o", out).refused("No space left on device")
        assert written(out) == []


def test_shipped_models_restore_in_every_task(run, tmp_path):
    from stmviewer.services.restoring import available_models

    shipped = [m for m in available_models() if m.source == "shipped"]
    if not shipped:
        pytest.skip("no model is shipped with this version yet")
    path = scans.write(tmp_path / "scan.gwy", scans.lattice(72, 65))
    for model in shipped:
        for task in model.tasks:
            words = ["--task", task, *(["--mask", "lines:2"] if task == "sparse" else []), "--model", model.name]
            (facts,) = run("restore", path, *words, "-o", tmp_path / "out", "--json").done().json
            restored = next(c for c in open_scan(facts["output"]).channels if c.role == "restored")
            assert restored.data.shape == (72, 65)
            assert restored.measured.all()
            assert facts["residual_rms"] < 1e-10


def test_the_bundled_samples_are_restored_as_the_readme_shows(run, tmp_path):
    from stmviewer import paths

    folder = paths.resources() / "samples"
    out = tmp_path / "out"
    run("restore", folder / "si001h-double-tip.gwy", "--model", "row-median", "--format", "png", "-o", out).done()
    sparse = ["--task", "sparse", "--mask", "file", "--model", "linear"]
    run("restore", folder / "si001h-sparse-lines.gwy", *sparse, "--format", "png", "-o", out).done()
    assert written(out) == ["si001h-double-tip_Z-forward_repair.png", "si001h-sparse-lines_Z-forward_sparse.png"]
    for path in out.glob("*.png"):
        with Image.open(path) as picture:
            assert min(picture.size) > 200


def test_the_whole_folder_can_be_moved_away_afterwards(run, scan_file, tmp_path):
    """No file stays open: Windows would refuse."""
    run("restore", scan_file, "--model", "tv", "-o", tmp_path / "out").done()
    shutil.move(tmp_path / "out", tmp_path / "moved")
    scan_file.unlink()
