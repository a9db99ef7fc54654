import functools
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from stmviewer import paths
from stmviewer.cli.train import read_protocol
from stmviewer.files import save_scan
from stmviewer.scan import Cancelled, Channel, FileError, Geometry, Scan
from stmviewer.train import checkpoint

from . import scans


@pytest.fixture(autouse=True)
def _tiny(monkeypatch):
    """The network and the surfaces of a real training take minutes."""
    import stmviewer.train.coverage
    import stmviewer.train.makers
    from stmviewer.train import spec

    small = {"channels": (8, 16, 16), "crop": 64, "batch": 2, "bank": 2, "bank_size": 160}
    monkeypatch.setattr(spec, "TrainSpec", functools.partial(spec.TrainSpec, **small))
    monkeypatch.setattr(stmviewer.train.makers, "VALIDATION_SAMPLES", 1)
    monkeypatch.setattr(stmviewer.train.coverage, "_IMAGES", 2)


@pytest.fixture
def folder(tmp_path):
    for k, name in enumerate(("a.gwy", "b.gwy")):
        scans.write(tmp_path / "scans" / name, scans.lattice(100, 100, seed=k))
    return tmp_path / "scans"


def lines(text: str) -> list[dict]:
    def refuse(word):
        raise AssertionError(f"{word} is not JSON")

    return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]


def test_a_training_reports_json_lines_and_ends_in_a_model_that_restores(run, tmp_path, scan_file):
    outcome = run("train", "simulated:si001h", "--name", "regression-lab", "--train-steps", 2)
    assert outcome.code == 0
    outcome.one_line("regression-lab", str(paths.user_models()), "--model regression-lab")
    found = lines(outcome.out)
    assert {line["event"] for line in found} == {"started", "train", "validation", "probes", "kept", "saved"}
    started = found[0]
    assert (started["event"], started["name"], started["resumed_from"]) == ("started", "regression-lab", None)
    assert Path(started["work"]) == paths.user_models() / "regression-lab.training"
    assert started["images"] == 2
    assert started["parameters"] > 0
    assert "CPU" in started["device"]
    assert found[-1]["event"] == "saved"
    assert found[-1]["step"] == 2
    assert all(line["seconds"] >= 0 for line in found)
    train = [line for line in found if line["event"] == "train"][-1]
    assert train["loss"] > 0
    assert train["images_per_second"] > 0
    assert train["skipped"] == 0
    assert train["done"] == 1
    assert train["eta_s"] == 0
    assert train["memory_mb"] > 50
    probes = [line["path"] for line in found if line["event"] == "probes"]
    assert len(probes) == len(set(probes)) == 2
    with np.load(probes[0]) as first, np.load(probes[-1]) as last:
        assert set(last) == {"raw", "measured", "restored", "truth"}
        assert last["raw"].shape == last["restored"].shape == last["truth"].shape == last["measured"].shape
        assert (first["truth"] == last["truth"]).all()
        assert not last["measured"].all()
        assert last["measured"].reshape(len(last["raw"]), -1).all(axis=1).any()

    (listed,) = [m for m in run("models", "--json").done().json if m["name"] == "regression-lab"]
    assert (listed["source"], listed["kind"], listed["licence"]) == ("user", "regression", "MIT")
    assert "regression-lab" in run("models").done().out

    words = ["--model", "regression-lab", "-o", tmp_path / "out", "--json"]
    (facts,) = run("restore", scan_file, *words).done().json
    assert facts["model"] == "regression-lab"
    (facts,) = run("restore", scan_file, "--task", "sparse", "--mask", "lines:2", *words).done().json
    assert facts["scores"][0]["method"] == "regression-lab"


def test_a_flow_from_a_regression_in_a_library_of_its_own(run, tmp_path, monkeypatch):
    models = tmp_path / "library"
    base = ["train", "simulated:si001h", "--train-steps", 1, "--models-dir", models]
    assert run(*base, "--name", "regression-a").code == 0
    outcome = run(*base, "--model", "flow", "--from", "regression-a", "--name", "flow-a")
    assert outcome.code == 0, outcome.err
    assert {p.name for p in models.glob("*.safetensors")} == {"regression-a.safetensors", "flow-a.safetensors"}
    assert "flow-a" not in run("models").done().out
    monkeypatch.setenv("STMVIEWER_MODELS", str(models))
    assert "flow-a" in run("models").done().out


def test_the_same_seed_trains_the_same_model(run, tmp_path):
    from safetensors.torch import load_file

    for name in ("1", "2"):
        words = ["--name", "regression-a", "--train-steps", 2, "--seed", 4, "--models-dir", tmp_path / name]
        assert run("train", "simulated:si001h", *words).code == 0
    one, other = (load_file(tmp_path / name / "regression-a.safetensors") for name in ("1", "2"))
    assert one.keys() == other.keys()
    assert all((one[name] == other[name]).all() for name in one)


def test_a_folder_of_good_scans_and_a_protocol(run, tmp_path, folder):
    protocol = tmp_path / "protocol.txt"
    protocol.write_text("# the good ones\n\n b.gwy \n", encoding="utf-8-sig")
    words = ["--name", "regression-lab", "--train-steps", 1, "--protocol", protocol]
    outcome = run("train", folder, *words)
    assert outcome.code == 0, outcome.err
    card = (paths.user_models() / "regression-lab.md").read_text()
    assert "1 scan in the folder scans" in card
    (listed,) = [m for m in run("models", "--json").json if m["name"] == "regression-lab"]
    assert "scans it was trained on" in listed["licence"]


def test_a_name_is_taken_only_once(run):
    words = ["train", "simulated:si001h", "--train-steps", 1, "--name", "regression-lab"]
    assert run(*words).code == 0
    run(*words).refused("regression-lab", "already", "--resume")


def test_resuming_with_more_steps(run):
    words = ["train", "simulated:si001h", "--name", "regression-lab", "--train-steps"]
    assert run(*words, 1).code == 0
    outcome = run(*words, 3, "--resume")
    assert outcome.code == 0
    assert lines(outcome.out)[-1]["step"] == 3
    run(*words, 3, "--resume", "--seed", 9).refused("other settings", "seed")


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--name", "a b"], ["a b", "name"]),
        (["--name", "../x"], ["name"]),
        (["--name", "linear"], ["linear"]),
        (["--name", "a", "--model", "gan"], ["diffusion", "autoencoder"]),
        (["--name", "a", "--from", "nope"], ["nope"]),
        (["--name", "a", "--minutes", "0"], ["minutes"]),
        (["--name", "a", "--minutes", "nan"], ["minutes"]),
        (["--name", "a", "--train-steps", "0"], ["1 step"]),
        (["--name", "a", "--seed=-1"], ["seed"]),
        (["--name", "a", "--seed", "99999999999999999999"], ["seed"]),
        (["--name", "a", "--resume"], ["no training to resume"]),
        (["--name", "a", "--protocol", "gone.txt"], ["gone.txt"]),
        (["--name", "a", "--image-nm", "0"], ["pixel size", "positive"]),
        (["--name", "a", "--image-nm", "0.1", "--size-by-rows"], ["not allowed with"]),
        (["--name", "a", "--validate", "gone"], ["gone", "no such folder"]),
    ],
)
def test_what_cannot_be_trained(run, words, parts):
    run("train", "simulated:si001h", "--train-steps", 1, *words).refused(*parts)
    assert not list(paths.user_models().glob("*.safetensors"))


def test_sources_that_are_none(run, tmp_path):
    (tmp_path / "empty").mkdir()
    scans.write(tmp_path / "small" / "a.gwy")
    words = ["--name", "a", "--train-steps", 1]
    run("train", tmp_path / "gone", *words).refused("gone", "no such folder")
    run("train", tmp_path / "empty", *words).refused("empty", "no scan")
    run("train", tmp_path / "small", *words).refused("small", "a.gwy", "smaller than")
    run("train", "simulated:graphene", *words).refused("graphene", "si001h")
    assert not paths.user_models().exists() or not list(paths.user_models().iterdir())


def constant(path):
    return scans.write(path, np.full((100, 100), 1e-9))


def with_a_gap(path):
    data = scans.lattice(100, 100)
    data[50] = np.nan
    return scans.write(path, data)


def unmeasured(path):
    return scans.write(path, np.full((100, 100), np.nan))


def small(path):
    return scans.write(path, scans.lattice(90, 120))


def tiny(path):
    return scans.write(path, scans.lattice(40, 40))


def a_current(path):
    channel = Channel("Current", "A", scans.lattice(100, 100))
    return save_scan(Scan([channel], Geometry(100, 100, 1e-8, 1e-8)), path)


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (constant, ["the same value", "measured to the last line"]),
        (with_a_gap, ["not measured", "measured to the last line"]),
        (unmeasured, ["no pixel was measured"]),
        (small, ["smaller than 96 pixels a side (90)", "--crop 32"]),
        (tiny, ["smaller than 96 pixels a side (40)", "larger scans"]),
    ],
)
def test_scans_that_cannot_be_trained_on(run, tmp_path, folder, caplog, made, why):
    """Alone they are refused, with the reason and what helps; beside good ones they are left out, with the reason."""
    words = ["--name", "regression-lab", "--train-steps", 1]
    made(tmp_path / "bad" / "bad.gwy")
    outcome = run("train", tmp_path / "bad", *words)
    outcome.refused(tmp_path / "bad", "bad.gwy", *why)
    assert not paths.user_models().exists() or not list(paths.user_models().iterdir())
    made(folder / "bad.gwy")
    outcome = run("train", folder, *words, "--from", "scratch")
    assert outcome.code == 0
    assert f"{folder / 'bad.gwy'} is left out: " in caplog.text
    assert why[0] in caplog.text
    assert lines(outcome.out)[0]["images"] == 2
    assert "2 scans in the folder scans, 1 left out" in (paths.user_models() / "regression-lab.md").read_text()


def test_a_scan_in_another_unit_is_left_out(run, folder, caplog):
    a_current(folder / "current.gwy")
    outcome = run("train", folder, "--name", "regression-lab", "--train-steps", 1, "--from", "scratch")
    assert outcome.code == 0
    assert "current.gwy is left out: in A, where most scans of the folder are in m" in caplog.text
    assert lines(outcome.out)[0]["images"] == 2


@pytest.mark.parametrize("count", [1, 3, 4])
def test_few_scans_are_trained_on_and_it_is_said(run, tmp_path, count):
    for k in range(count):
        scans.write(tmp_path / "scans" / f"{k}.gwy", scans.lattice(100, 100, seed=k))
    outcome = run("train", tmp_path / "scans", "--name", "regression-lab", "--train-steps", 1, "--from", "scratch")
    assert outcome.code == 0
    assert lines(outcome.out)[0]["images"] == count
    assert ("learnt by heart" in outcome.err) == (count < 4)
    assert (paths.user_models() / "regression-lab.safetensors").is_file()


def test_small_scans_are_trained_on_with_small_crops(run, tmp_path):
    scans.write(tmp_path / "scans" / "a.gwy", scans.lattice(64, 70))
    words = ["train", tmp_path / "scans", "--name", "regression-lab", "--train-steps", 2, "--from", "scratch"]
    run(*words).refused("--crop 32 takes scans from 64 pixels a side on")
    outcome = run(*words, "--crop", 32, "--small-share", 1)
    assert outcome.code == 0, outcome.err
    assert lines(outcome.out)[-1]["event"] == "saved"


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process as POSIX has them")
@pytest.mark.parametrize("room", [0, 3_000, 60_000])
def test_a_disk_that_is_full(run, tmp_path, room):
    """For real: no file may grow beyond `room` bytes, and so no log, no picture, no checkpoint or no model is written.

    What was there before is there still, and the training goes on with it.
    """
    import resource

    words = ["train", "simulated:si001h", "--name", "regression-lab", "--train-steps"]
    assert run(*words, 2).code == 0
    model, work = (paths.user_models() / f"regression-lab.{end}" for end in ("safetensors", "training"))
    before = [checkpoint.read(work / "state.safetensors").counters.step, model.read_bytes()]
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        outcome = run(*words, 4, "--resume")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert outcome.code == 2
    outcome.one_line(paths.user_models(), "cannot be written", "File too large", "disk full", "--resume")
    assert before == [checkpoint.read(work / "state.safetensors").counters.step, model.read_bytes()]
    assert not list(paths.user_models().rglob("*.part"))
    outcome = run(*words, 4, "--resume")
    assert outcome.code == 0, outcome.err
    curve = [line["step"] for line in lines((work / "log.jsonl").read_text()) if line["kind"] == "validation"]
    assert curve == sorted(set(curve))
    assert checkpoint.read(work / "state.safetensors").counters.step == 4


def test_a_folder_starts_from_a_shipped_model_unless_told_otherwise(run, folder):
    words = ["train", folder, "--train-steps", 1, "--batch", 2]
    outcome = run(*words, "--model", "flow", "--name", "flow-lab")
    assert outcome.code == 0, outcome.err
    assert "starts from flow-sim; --from scratch starts from nothing" in outcome.err
    assert "learnt by heart" in outcome.err  # two scans
    assert lines(outcome.out)[0]["start"] == "flow-sim"
    assert "- Started from: flow-sim" in (paths.user_models() / "flow-lab.md").read_text()
    outcome = run(*words, "--model", "flow", "--name", "flow-new", "--from", "scratch")
    assert outcome.code == 0, outcome.err
    assert lines(outcome.out)[0]["start"] is None
    assert "- Started from: scratch" in (paths.user_models() / "flow-new.md").read_text()
    outcome = run(*words, "--train-steps", 2, "--name", "flow-lab", "--model", "flow", "--resume")
    assert outcome.code == 0, outcome.err
    assert lines(outcome.out)[0]["resumed_from"] == 1
    assert lines(outcome.out)[0]["start"] == "flow-sim"
    assert "starts from" not in outcome.err
    run(*words, "--name", "a", "--from", "regression-sim", "--size", "small").refused("--size")


def test_a_library_that_cannot_be_made(run, tmp_path):
    (tmp_path / "file").write_text("x")
    words = ["--name", "a", "--train-steps", 1, "--models-dir", tmp_path / "file"]
    run("train", "simulated:si001h", *words).refused("file", "--models-dir")


def test_cuda_that_is_not_there(run, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    run("train", "simulated:si001h", "--name", "a", "--train-steps", 1, "--device", "cuda").refused("cuda")


def test_protocols(tmp_path):
    path = tmp_path / "protocol.txt"
    path.write_text("\ufeffa.png\r\n# a comment\r\n\r\n  folder/b c.sxm  \r\n", encoding="utf-8")
    assert read_protocol(path) == ("a.png", "folder/b c.sxm")
    path.write_text("# nothing\n\n")
    with pytest.raises(FileError, match="names no file"):
        read_protocol(path)
    path.write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(FileError, match="cannot be read"):
        read_protocol(path)
    with pytest.raises(FileError, match="cannot be read"):
        read_protocol(tmp_path)


def test_a_loss_that_is_no_number_is_null(run, monkeypatch):
    from stmviewer.train.loop import Training

    monkeypatch.setattr(Training, "_step", _skip)
    outcome = run("train", "simulated:si001h", "--name", "regression-lab", "--train-steps", 1)
    train = [line for line in lines(outcome.out) if line["event"] == "train"][-1]
    assert train["loss"] is None


def _skip(training, _) -> float:
    training.counters.step += 1
    training.counters.skipped += 1
    return float(np.nan)


@pytest.mark.parametrize(("rank", "said"), [("0", ["stopped"]), ("1", [])])
def test_of_several_processes_the_first_one_says_that_it_stopped(run, monkeypatch, rank, said):
    def cancelled(*_):
        raise Cancelled

    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setattr("stmviewer.cli.train._train", cancelled)
    outcome = run("train", "simulated:si001h", "--name", "regression-lab")
    assert outcome.code == 130
    assert [line["event"] for line in lines(outcome.out)] == said


def test_models_of_the_protocol_are_named_and_need_real_scans(run, monkeypatch):
    monkeypatch.setenv("STMVIEWER_REAL_DATA", "somewhere")
    run("evaluate", "--protocol36").refused("--models")
    run("evaluate", "--protocol36", "--models", "linear").refused("validation_sessions.txt")
    monkeypatch.delenv("STMVIEWER_REAL_DATA")
    run("evaluate", "--protocol36", "--models", "linear").refused("STMVIEWER_REAL_DATA")


@pytest.mark.real_data
def test_the_protocol_of_the_reference_can_be_trained_on(run, real_data):
    words = ["--name", "regression-tiny", "--train-steps", 1]
    folder = real_data / "si100h"
    outcome = run("train", folder, *words, "--protocol", folder / "protocol36.txt")
    assert outcome.code == 0, outcome.err
    card = Path(paths.user_models() / "regression-tiny.md").read_text()
    assert "36 scans in the folder si100h\n" in card
    assert str(real_data) not in card
