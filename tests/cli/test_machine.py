"""`models`, `bench` and `smoke-test`: what this installation has and can."""

from functools import partial

import pytest

from stmviewer.cli import bench
from stmviewer.files import file_sha256
from stmviewer.restore import library
from stmviewer.services import file_bench

from .outcome import Outcome


def test_models_lists_classical_methods_with_their_tasks(run):
    text = run("models").done().out
    for name, task in (("linear", "sparse"), ("row-median", "repair"), ("tv", "sparse and repair")):
        (line,) = [line for line in text.splitlines() if line.split()[0] == name]
        assert task in line
        assert line.endswith("[classical]")


def test_models_as_json(run, learned):
    models = run("models", "--json").done().json
    assert [m["name"] for m in models[:2]] == ["auto", learned]  # the choice by itself, then the user's own
    assert models[1]["source"] == "user"
    by_name = {m["name"]: m for m in models}
    assert by_name["linear"]["learned"] is False
    assert by_name["linear"]["tasks"] == ["sparse"]
    assert {"name", "kind", "family", "summary", "tasks", "steps", "samples", "licence", "source"} <= set(models[0])


def test_models_without_any_that_learned(run, no_shipped_models):
    assert not any(m["learned"] for m in run("models", "--json").done().json)


def test_shipped_models_are_listed_with_their_licence(run):
    from stmviewer import paths

    manifest = library.read_manifest(paths.shipped_models())
    if not manifest:
        pytest.skip("no model is shipped with this version yet")
    by_name = {m["name"]: m for m in run("models", "--json").done().json}
    for name in manifest:
        assert by_name[name]["source"] == "shipped"
        assert by_name[name]["licence"]
        assert (paths.shipped_models() / f"{name}.md").is_file()
        weights = paths.shipped_models() / f"{name}.safetensors"
        assert file_sha256(weights) == manifest[name]["sha256"]


@pytest.fixture
def _quick_methods(monkeypatch):
    monkeypatch.setattr("stmviewer.evaluate.timing._REPEATS", 1)
    monkeypatch.setattr(file_bench, "bench_files", partial(file_bench.bench_files, count=3))
    monkeypatch.setattr(bench, "_FILES", 12)
    monkeypatch.setattr(library, "CLASSICAL", {k: library.CLASSICAL[k] for k in ("linear", "row-median")})


@pytest.mark.usefixtures("_quick_methods", "no_shipped_models")
def test_bench_reports_every_timing(run, learned):
    report = run("bench", "--size", 64, "--json").done().json
    assert report["device"]
    whats = [t["what"] for t in report["timings"]]
    assert {"sparse 64 x 64, linear", f"repair 64 x 64, {learned}"} <= set(whats)
    assert "open and level 64 x 64 .sxm" in whats and "thumbnails of 3 files" in whats
    assert any(what.startswith("window opened") for what in whats)
    for timing in report["timings"]:
        assert 0 < timing["least_s"] <= timing["median_s"] <= timing["most_s"]
    text = run("bench", "--size", 32, "--only", "restoring").done().out
    assert "median (least to most) of 3 runs" in text
    assert "repair 32 x 32, row-median" in text


def test_bench_can_be_asked_for_a_part(run):
    report = run("bench", "--only", "arithmetic", "--json").done().json
    assert report["timings"] and all(t["what"].startswith("convolutions") for t in report["timings"])
    run("bench", "--only", "everything").refused("everything")


def test_a_large_scan_is_measured_by_a_process_of_its_own(run, learned):
    report = run("bench", "--measure-large", learned, "repair", 64).done().json
    assert report["peak_bytes"] > 0 and report["seconds"] > 0
    run("bench", "--measure-large", learned, "nothing", 64).refused("--measure-large")


@pytest.mark.parametrize("size", ["0", "8", "5000", "-1"])
def test_sizes_that_cannot_be_timed(run, size):
    run("bench", f"--size={size}").refused("--size")


#: `training`, `samples` and `child` take long enough to have tests of their own, or none: `make installer` runs them
PARTS = {"resources", "formats", "figures", "libraries", "colours", "torch", "classical", "models", "judges", "report"}
QUICK = ("--skip", "training", "--skip", "samples", "--skip", "child")


def test_the_smoke_test_of_a_whole_installation(run, learned):
    report = run("smoke-test", "--no-window", *QUICK).done().json
    assert report["ok"] is True
    assert (report["frozen"], report["portable"]) == (False, False)
    assert report["settings"] and report["version"]
    assert set(report["checks"]) == PARTS
    assert all(check["ok"] and check["seconds"] >= 0 for check in report["checks"].values())
    assert learned in report["checks"]["models"]["detail"]
    assert "gwy, npz, tif" in report["checks"]["formats"]["detail"]


def test_the_smoke_test_names_what_is_broken(run, no_shipped_models, monkeypatch, tmp_path):
    """An installation without models and without its samples."""
    from stmviewer import paths

    monkeypatch.setattr(paths, "resources", lambda: tmp_path / "none")
    outcome = run("smoke-test", "--no-window", *QUICK)
    assert outcome.code == 1
    report = outcome.json
    assert report["ok"] is False
    bad = {name for name, check in report["checks"].items() if not check["ok"]}
    assert {"resources", "models"} <= bad
    assert "there is no model" in report["checks"]["models"]["detail"]
    assert report["checks"]["classical"]["ok"]
    assert "trace" in report["checks"]["models"]


def test_the_smoke_test_opens_a_window_without_a_display(start, learned):
    process = start("smoke-test", *QUICK, "--skip", "report", "--skip", "models", "--skip", "classical")
    out, err = process.communicate()
    assert process.returncode == 0, out
    checks = Outcome(0, out, err).json["checks"]
    assert set(checks) == {*PARTS, "window"} - {"report", "models", "classical"}
    assert "pixels opened, drawn and closed" in checks["window"]["detail"]
    assert "Traceback" not in err


def test_one_check_of_the_smoke_test_alone(run):
    report = run("smoke-test", "--only", "torch").done().json
    assert list(report["checks"]) == ["torch"]
    assert report["ok"] is True
    run("smoke-test", "--only", "nonsense").refused("nonsense")


def test_the_smoke_test_starts_the_program_once_more(run, learned, monkeypatch):
    """As the window does for training; with a program that fails, it says so."""
    from stmviewer import paths

    monkeypatch.setenv("PYTHONPATH", str(paths.shipped_models().parent))
    assert "JSON" in run("smoke-test", "--only", "child").done().json["checks"]["child"]["detail"]
    monkeypatch.setattr(paths, "command", lambda: ["false"])
    outcome = run("smoke-test", "--only", "child")
    assert outcome.code == 1
    assert "ended with 1" in outcome.json["checks"]["child"]["detail"]
