import json
import shutil

import pytest

from stmviewer import paths
from stmviewer.restore import library
from stmviewer.restore.weights import load_weights
from stmviewer.scan import Cancelled, FileError, Progress, RequestError
from stmviewer.train import checkpoint, coverage, makers, named, probes
from stmviewer.train import run as run_module
from stmviewer.train.run import train
from stmviewer.train.starts import usual_start
from stmviewer.train.work import Journal, Work, locked

from . import tiny
from .test_folder import lattice, save


@pytest.fixture(autouse=True)
def _few_samples(monkeypatch):
    monkeypatch.setattr(makers, "VALIDATION_SAMPLES", 1)
    monkeypatch.setattr(coverage, "_IMAGES", 2)
    monkeypatch.setattr(probes, "_COUNT", 1)


@pytest.fixture
def work():
    return Work(paths.user_models(), "regression-tiny")


def trained(progress=None, report=lambda line: None, resume=False, **changes):
    asked = tiny.spec(**({"steps": 2} | changes))
    return train(asked, paths.user_models(), report, progress or Progress(), device="cpu", resume=resume)


def test_two_trainings_of_one_name_are_kept_apart(work):
    with locked(work), pytest.raises(RequestError, match="another process trains 'regression-tiny'"):
        trained()
    assert not work.folder.exists()  # nothing was in it
    trained()
    assert not (work.folder / "lock").exists()


def test_a_lock_that_a_dead_process_left_locks_nobody_out(work):
    work.folder.mkdir(parents=True)
    (work.folder / "lock").write_bytes(b"1234")
    trained()
    assert (work.models / "regression-tiny.safetensors").is_file()


def lines(path) -> list:
    return [json.loads(text) for text in path.read_text().splitlines()]


def test_the_log_goes_on_where_the_checkpoint_is(tmp_path):
    path = tmp_path / "log.jsonl"
    journal = Journal(path)
    for step in range(1, 6):
        journal.write({"kind": "train", "step": step})
        journal.write({"kind": "validation", "step": step})
    with path.open("a") as file:
        file.write('{"kind": "tra')  # killed while writing
    content = path.read_text()
    for count, step, over, expected in (
        (6, 3, False, 6),
        (None, 3, False, 6),  # checkpoints of before do not count
        (6, 3, True, 5),  # the last validation will be repeated
        (10, 5, False, 10),
    ):
        path.write_text(content)
        journal.go_on(count, step, over=over)
        assert journal.lines == len(lines(path)) == expected
        assert all(line["step"] <= step for line in lines(path))
    path.unlink()
    journal.go_on(4, 2, over=False)
    assert journal.lines == 0


def test_a_disk_that_is_full_ends_a_training_and_loses_nothing(work, monkeypatch):
    with pytest.raises(Cancelled):
        trained(tiny.stopping_after(0.5), steps=6)
    before = checkpoint.read(work.state).counters.step
    real = checkpoint.save_file

    def full(tensors, path, header):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(FileError, match="No space left on device"):
        trained(steps=6, resume=True)
    monkeypatch.setattr(checkpoint, "save_file", real)
    assert checkpoint.read(work.state).counters.step == before
    trained(steps=6, resume=True)
    steps = [line["step"] for line in lines(work.log) if line["kind"] == "validation"]
    assert steps == sorted(set(steps))


def test_a_disk_that_is_full_at_the_end_leaves_the_whole_training(work, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(run_module, "save_weights", full)
        with pytest.raises(FileError, match=r"regression-tiny\.safetensors: cannot be written.*--resume"):
            trained()
    assert not library.read_manifest(work.models)
    trained(resume=True)
    assert checkpoint.read(work.state).counters.step == 2


def test_scans_that_vanish_meanwhile_are_in_memory(work, tmp_path):
    for k in range(2):
        save(tmp_path / "scans" / f"{k}.gwy", lattice(112, 112, seed=k))

    def report(line):
        if line.kind == "started":
            shutil.rmtree(tmp_path / "scans")

    trained(report=report, source=str(tmp_path / "scans"))
    assert (work.models / "regression-tiny.safetensors").is_file()


def test_a_library_that_vanishes_meanwhile_is_made_again(work):
    def report(line):
        if line.kind == "validation" and line.step == 1:
            shutil.rmtree(work.models)

    trained(report=report)
    assert (work.models / "regression-tiny.safetensors").is_file()
    assert [line["kind"] for line in lines(work.log)][-1] == "kept"
    assert checkpoint.read(work.state).counters.step == 2


def test_a_checkpoint_that_is_asked_for_during_the_last_check_is_kept(work):
    waiting = []

    def report(line):
        if line.kind == "validation" and line.step == 2:
            waiting.append("late")

    def asked():
        found = list(waiting)
        waiting.clear()
        return found

    train(tiny.spec(steps=2), work.models, report, Progress(), device="cpu", asked=asked)
    assert [one.name for one in named.named_checkpoints(work)] == ["late"]


def test_a_stopped_training_leaves_a_checkpoint_that_can_be_used(work):
    told = []
    with pytest.raises(Cancelled):
        trained(tiny.stopping_after(0.5), told.append, steps=6)
    assert [line.kind for line in told][-3:] == ["checkpoint", "checkpoint", "stopped"]
    (left,) = named.named_checkpoints(work)
    assert left.name == "stopped"
    assert left.step == told[-1].step
    info = named.adopt(left.path, "regression-early", work.models)
    assert (info.name, info.family, info.source) == ("regression-early", "early", "user")
    assert "regression-early" in {i.name for i in library.model_infos()}
    one, other = (load_weights(p) for p in (left.path, work.models / "regression-early.safetensors"))
    assert tiny.same(tiny.weights(one), tiny.weights(other))
    (left.path.with_suffix(".json")).write_text("{}")
    with pytest.raises(FileError, match="cannot be read"):
        named.adopt(left.path, "regression-other", work.models)
    assert not named.named_checkpoints(work)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("regression", "regression-sim"),
        ("flow", "flow-sim"),
        ("cfm", "regression-sim"),
        ("diffusion", "regression-sim"),
        ("autoencoder", "autoencoder-si100h"),
    ],
)
def test_what_a_training_starts_from_unless_told_otherwise(kind, expected):
    found = usual_start(kind)
    assert found is not None
    assert found.name == expected


def test_without_shipped_models_everything_is_from_scratch(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "shipped_models", lambda: tmp_path)
    assert usual_start("flow") is None


def test_a_flow_from_scratch_learns_its_mean_too(work):
    trained(kind="flow", name="flow-tiny", steps=3)
    made = load_weights(work.models / "flow-tiny.safetensors")
    other = tiny.Training(tiny.spec(kind="flow"), tiny.network("flow"), tiny.maker(), tiny.torch.device("cpu"))
    assert set(checkpoint.trainable(other.model)) < set(made.state_dict())
    stored = checkpoint.read(work.models / "flow-tiny.training" / "state.safetensors")
    assert any(name.startswith("average/regression.") for name in stored.tensors)
