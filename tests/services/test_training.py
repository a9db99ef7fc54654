"""What a training is asked for, what it says, and what of it is found again."""

import json
import math
import os
from pathlib import Path

import pytest

from stmviewer import paths
from stmviewer.restore import ModelInfo
from stmviewer.scan import FileError, RequestError
from stmviewer.services import training
from stmviewer.services.training import TrainingRequest, prepare, start_models, stopped_trainings, why_not_name
from stmviewer.services.training_events import (
    CheckpointMade,
    ProbesMade,
    Saved,
    Stopped,
    TrainingStarted,
    TrainingStep,
    Validated,
    parse_line,
)
from stmviewer.train.work import Work, locked

REQUEST = TrainingRequest(
    "/scans", "mylab", trained=("a.sxm", "#b.sxm"), checked=("c.sxm",), start_from="regression-sim"
)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def test_each_line_of_a_training_is_an_event() -> None:
    said = {"event": "train", "step": 5, "seconds": 2.5, "loss": 0.25, "done": 0.1, "eta_s": 30, "skipped": 1}
    step = parse_line(json.dumps(said))
    assert isinstance(step, TrainingStep)
    assert (step.step, step.seconds, step.loss, step.done, step.eta_s, step.skipped) == (5, 2.5, 0.25, 0.1, 30.0, 1)
    assert step.memory_mb is None and math.isnan(step.images_per_second)
    scores = parse_line('{"event": "validation", "step": 5, "seconds": 3, "real sparse model": 0.9, "x": null}')
    assert scores == Validated(5, 3.0, {"real sparse model": 0.9})
    started = parse_line('{"event": "started", "name": "m", "work": "/w", "device": "CPU", "images": 36, "step": 7}')
    assert started == TrainingStarted("m", Path("/w"), "CPU", 0, 36)
    assert parse_line('{"event": "probes", "step": 1, "path": "/p.npz"}') == ProbesMade(1, Path("/p.npz"))
    assert parse_line('{"event": "checkpoint", "step": 1, "path": "/c", "name": null}') == CheckpointMade(
        1, "", Path("/c")
    )
    assert parse_line('{"kind": "saved", "step": 9}') == Saved(9)
    assert parse_line('{"event": "stopped", "step": 9, "path": null}') == Stopped(9)


@pytest.mark.parametrize(
    "line", ["", "hello", "3", '{"event": "train"', '{"event": "later"}', '{"event": "train"}', "[]"]
)
def test_what_is_no_event_is_none(line: str) -> None:
    assert parse_line(line) is None


def test_a_loss_that_was_never_finite_is_nan() -> None:
    step = parse_line('{"event": "train", "step": 1, "seconds": 1, "loss": null}')
    assert isinstance(step, TrainingStep) and math.isnan(step.loss)


def test_the_words_of_a_request_are_those_of_the_command(models: Path) -> None:
    from stmviewer.cli.main import parser

    request = TrainingRequest(
        "/s", "n", "flow", 3.5, "sparse", None, True, None, "flow-sim", ("a",), ("b",), rate=1e-4, seed=4
    )
    words = request.arguments(models / "n.training", commands=False)
    read = parser("train").parse_args(words)
    assert (read.folder, read.model, read.name, read.minutes, read.start_from) == ("/s", "flow", "n", 3.5, "flow-sim")
    assert (read.repair_share, read.size_by_rows, read.rate, read.seed, read.resume) == (0.0, True, 1e-4, 4, False)
    assert read.protocol == models / "n.training" / "train.txt"
    assert (str(read.validate), read.validate_protocol) == ("/s", models / "n.training" / "validate.txt")
    other = TrainingRequest("/s", "n", validation="/v", checked=("b",), mix="simulated:si001h", mix_share=0.3)
    read = parser("train").parse_args(other.arguments(models, resume=True, commands=False))
    assert (str(read.validate), read.validate_protocol, read.resume) == ("/v", None, True)
    sized = parser("train").parse_args(TrainingRequest("/s", "n", image_nm=0.0975).arguments(models, commands=False))
    assert (sized.image_nm, sized.size_by_rows) == (0.0975, False)
    assert (read.mix, read.mix_share, read.start_from, read.protocol) == ("simulated:si001h", 0.3, "scratch", None)


def test_a_request_survives_json() -> None:
    assert TrainingRequest.from_json(REQUEST.to_json()) == REQUEST
    for text in ("", "3", '{"name": 1}'):
        with pytest.raises((ValueError, TypeError, KeyError)):
            TrainingRequest.from_json(text)


def test_lists_are_what_the_command_reads(models: Path) -> None:
    from stmviewer.cli.train import read_protocol

    work = prepare(REQUEST, models)
    assert read_protocol(work / "train.txt") == ("a.sxm", "./#b.sxm")
    assert read_protocol(work / "validate.txt") == ("c.sxm",)


def test_a_taken_name_is_told(models: Path) -> None:
    assert "letters" in why_not_name("a b", models)
    assert "method" in why_not_name("flow", models)
    assert why_not_name("mylab", models) == ""
    assert "already" in why_not_name("regression-sim", models)  # a shipped one would be hidden
    work = prepare(REQUEST, models)
    (work / "state.safetensors").write_bytes(b"x")
    assert "stopped" in why_not_name("mylab", models)
    with pytest.raises(RequestError, match="stopped"):
        prepare(REQUEST, models)
    (models / "mylab.safetensors").write_bytes(b"x")
    assert "already" in why_not_name("mylab", models)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(FileError, match="cannot be written"):
        prepare(REQUEST, tmp_path / "file")


def test_stopped_trainings_are_found_with_what_they_said(models: Path) -> None:
    assert stopped_trainings(models) == []
    work = prepare(REQUEST, models)
    assert stopped_trainings(models) == []  # it never came to a state
    (work / "state.safetensors").write_bytes(b"x")
    (work / "log.jsonl").write_text('{"kind": "train", "step": 3, "seconds": 1, "loss": 1.0}\n{"kind": "tr')
    (models / "strange.training").mkdir()
    (models / "strange.training" / "state.safetensors").write_bytes(b"x")
    found = stopped_trainings(models)
    assert [s.request for s in found] == [REQUEST]
    (step,) = found[0].events
    assert isinstance(step, TrainingStep) and (step.step, step.loss) == (3, 1.0)
    weights = models / "mylab.safetensors"
    weights.write_bytes(b"x")
    later = (work / "state.safetensors").stat().st_mtime_ns + 10**9
    os.utime(weights, ns=(later, later))
    assert stopped_trainings(models) == []  # it is done


def test_what_a_killed_training_has_half_written_is_taken_away(models: Path) -> None:
    work = prepare(REQUEST, models)
    halves = [work / ".tmpAbc", work / "state.safetensors.part", work / "probes" / "3.npz.part"]
    wholes = [work / "state.safetensors", work / "probes" / "1.npz"]
    (work / "probes").mkdir()
    for path in (*halves, *wholes):
        path.write_bytes(b"x")
    training.clean_up("mylab", models)
    assert not any(p.exists() for p in halves) and all(p.exists() for p in (*wholes, work / "request.json"))
    assert not (work / "lock").exists()


def test_what_another_process_trains_stays(models: Path) -> None:
    work = prepare(REQUEST, models)
    with locked(Work(models, "mylab")):
        (work / "state.safetensors.part").write_bytes(b"being written")
        training.clean_up("mylab", models)
        assert (work / "state.safetensors.part").exists() and (work / "train.txt").exists()


def test_a_stopped_training_can_be_deleted_and_its_models_stay(models: Path) -> None:
    work = prepare(REQUEST, models)
    for name in ("state.safetensors", "previous-state.safetensors", "log.jsonl"):
        (work / name).write_bytes(b"x")
    (work / "checkpoints").mkdir()
    (work / "checkpoints" / "good.safetensors").write_bytes(b"x")
    (models / "kept.safetensors").write_bytes(b"x")
    (stopped,) = stopped_trainings(models)
    training.delete_stopped(stopped)
    assert [p.name for p in models.iterdir()] == ["kept.safetensors"]
    assert why_not_name("mylab", models) == ""


def test_what_names_another_folder_is_no_stopped_training(models: Path) -> None:
    """A request that was copied or tampered with must not lead a deletion elsewhere."""
    work = prepare(REQUEST, models)
    (work / "state.safetensors").write_bytes(b"x")
    (work / "request.json").write_text(TrainingRequest("/s", "../../precious").to_json())
    assert stopped_trainings(models) == []


def test_a_training_without_a_state_leaves_nothing(models: Path) -> None:
    work = prepare(REQUEST, models)
    training.clean_up("mylab", models)
    assert not work.exists()
    work = prepare(REQUEST, models)
    (work / "state.safetensors").write_bytes(b"x")
    training.clean_up("mylab", models)
    assert work.exists()


def test_a_kind_starts_from_its_own_first() -> None:
    def info(name: str, kind: str, *, learned: bool = True) -> ModelInfo:
        return ModelInfo(name, kind, "", "", ("sparse",), learned)

    models = [info("regression-sim", "regression"), info("flow-sim", "flow"), info("tv", "tv", learned=False)]
    assert start_models("flow", models) == ["flow-sim", "regression-sim"]
    assert start_models("regression", models) == ["regression-sim"]
    assert start_models("autoencoder", models) == []


def test_a_card_is_read_or_empty(models: Path) -> None:
    models.mkdir()
    (models / "m.md").write_text("# m")
    assert training.read_card("m", models) == "# m"
    assert training.read_card("other", models) == ""
    assert training.read_card("regression-sim", models).startswith("# ")  # a shipped one


def test_the_program_is_this_one() -> None:
    assert paths.command()[1:] == ["-m", "stmviewer"]
