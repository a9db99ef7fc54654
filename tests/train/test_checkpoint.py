import pytest
import torch

from stmviewer.scan import Cancelled, FileError
from stmviewer.train import checkpoint

from . import tiny


def stopped(folder, asked):
    """A training that was cancelled half way; returns its state file."""
    state = folder / "state.safetensors"
    job = tiny.training(asked, tiny.maker())
    with pytest.raises(Cancelled):
        tiny.run(job, state, tiny.stopping_after(0.4))
    assert 0 < job.counters.step < asked.steps
    return state


@pytest.mark.parametrize("kind", ["regression", "flow"])
def test_a_resumed_training_ends_as_one_that_was_never_stopped(tmp_path, kind):
    asked = tiny.spec(kind=kind, name=f"{kind}-tiny", steps=6)
    whole = tiny.training(asked, tiny.maker())
    tiny.run(whole, tmp_path / "whole.safetensors")

    state = stopped(tmp_path, asked)
    resumed = tiny.training(asked, tiny.maker())
    resumed.resume(state)
    assert 0 < resumed.counters.step < 6
    assert resumed.counters.seconds > 0
    tiny.run(resumed, state)

    assert resumed.counters.step == whole.counters.step == 6
    assert tiny.same(tiny.weights(whole.model), tiny.weights(resumed.model))
    assert tiny.same(whole.average, resumed.average)


def test_the_best_weights_so_far_come_back(tmp_path):
    asked = tiny.spec(steps=4)
    job = tiny.training(asked, tiny.maker())
    job.best = {name: torch.full_like(value, 0.5) for name, value in job.average.items()}
    job.counters.best, job.counters.best_step, job.counters.validated = 0.75, 2, 7
    job.counters.highest, job.counters.judged_by = (0.75, 0.85), "these"
    job.save(tmp_path / "state.safetensors")
    other = tiny.training(asked, tiny.maker())
    assert not other.best
    other.resume(tmp_path / "state.safetensors")
    assert tiny.same(other.best, job.best)
    assert (other.counters.best, other.counters.best_step) == (0.75, 2)
    assert (list(other.counters.highest), other.counters.judged_by) == ([0.75, 0.85], "these")
    with other.kept() as model:
        assert all((p == 0.5).all() for p in checkpoint.trainable(model).values())
    assert not tiny.same(tiny.weights(other.model), job.best)


def test_the_optimizer_comes_back(tmp_path):
    asked = tiny.spec(steps=4)
    state = stopped(tmp_path, asked)
    job = tiny.training(asked, tiny.maker())
    job.resume(state)
    for parameter in checkpoint.trainable(job.model).values():
        moments = job.optimizer.state[parameter]
        assert float(moments["step"]) == job.counters.step
        assert moments["exp_avg"].shape == parameter.shape
        assert (moments["exp_avg_sq"] >= 0).all()


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"crop": 32},
        {"batch": 3},
        {"source": "simulated:other"},
        {"listed": ("a.png",)},
        {"kind": "flow"},
        {"start_from": "regression-sim"},
    ],
    ids=lambda c: next(iter(c)),
)
def test_a_checkpoint_of_another_training_is_refused_by_name(tmp_path, changes):
    state = stopped(tmp_path, tiny.spec(steps=4))
    other = tiny.spec(steps=4, **changes)
    with pytest.raises(FileError, match=rf"other settings \({next(iter(changes))}\)") as caught:
        tiny.training(other, tiny.maker()).resume(state)
    assert caught.value.path == state


def test_more_time_is_no_other_training(tmp_path):
    state = stopped(tmp_path, tiny.spec(steps=4))
    longer = tiny.training(tiny.spec(steps=5), tiny.maker())
    longer.resume(state)
    tiny.run(longer, state)
    assert longer.counters.step == 5


@pytest.mark.parametrize("keep", [0, 4, 100, 0.5, 0.999])
def test_a_truncated_checkpoint_is_an_error_that_names_it(tmp_path, keep):
    state = stopped(tmp_path, tiny.spec(steps=4))
    content = state.read_bytes()
    state.write_bytes(content[: keep if isinstance(keep, int) else int(keep * len(content))])
    with pytest.raises(FileError, match="checkpoint") as caught:
        tiny.training(tiny.spec(steps=4), tiny.maker()).resume(state)
    assert caught.value.path == state
    assert "\n" not in str(caught.value)


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    asked = tiny.spec(steps=4)
    state = stopped(tmp_path, asked)
    wider = tiny.training(asked, tiny.maker())
    wider.average["net.nowhere"] = torch.zeros(1)
    with pytest.raises(FileError, match="another network"):
        wider.resume(state)
    other = tiny.training(asked, tiny.maker())
    other.model.net.enter = torch.nn.Conv2d(8, 9, 3)
    with pytest.raises(FileError, match="another network") as caught:
        other.resume(state)
    assert "\n" not in str(caught.value)


def test_weights_that_are_no_checkpoint_are_refused(tmp_path):
    from stmviewer.restore.weights import save_weights

    path = tmp_path / "state.safetensors"
    save_weights(tiny.network(), path)
    with pytest.raises(FileError, match="cannot be read"):
        tiny.training(tiny.spec(), tiny.maker()).resume(path)


def test_a_missing_checkpoint_is_an_error(tmp_path):
    with pytest.raises(FileError, match="cannot be read"):
        tiny.training(tiny.spec(), tiny.maker()).resume(tmp_path / "none.safetensors")


def test_a_failed_write_keeps_the_older_checkpoint(tmp_path, monkeypatch):
    state = stopped(tmp_path, tiny.spec(steps=4))
    before = state.read_bytes()

    def full(tensors, path, header):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(FileError, match="cannot be written"):
        tiny.training(tiny.spec(), tiny.maker()).save(state)
    assert state.read_bytes() == before


def two_generations(folder):
    """A training that was saved twice, at steps 2 and 4; returns its state file."""
    state = folder / "state.safetensors"
    job = tiny.training(tiny.spec(steps=4), tiny.maker())
    for step in (2, 4):
        job.counters.step = step
        job.save(state)
    return state


def test_the_one_before_is_kept_and_used_where_the_newest_is_damaged(tmp_path):
    state = two_generations(tmp_path)
    newest, before = checkpoint.generations(state)
    assert checkpoint.read(state).counters.step == 4
    content = newest.read_bytes()
    damaged = bytearray(content)
    damaged[-5] ^= 1  # a bit of a weight: the length is right, the content is not
    for bad in (content[:1000], b"", bytes(len(content)), bytes(damaged)):
        newest.write_bytes(bad)
        job = tiny.training(tiny.spec(steps=4), tiny.maker())
        job.resume(state)
        assert job.counters.step == 2
    newest.unlink()  # killed between the two renames
    assert checkpoint.exists(state)
    assert checkpoint.read(state).path == before
    before.write_bytes(b"")
    with pytest.raises(FileError, match="cannot be read"):
        checkpoint.read(state)


@pytest.mark.parametrize("at", ["save_file", "synced", "first rename", "second rename"])
def test_killed_at_any_place_of_writing_a_valid_state_is_found(tmp_path, monkeypatch, at):
    state = two_generations(tmp_path)
    renames = []

    class Killed(BaseException):
        pass

    def now(*_):
        raise Killed

    real = type(state).replace

    def rename(self, target):
        renames.append(target)
        if len(renames) == (1 if at == "first rename" else 2):
            raise Killed
        return real(self, target)

    if "rename" in at:
        monkeypatch.setattr(type(state), "replace", rename)
    else:
        monkeypatch.setattr(checkpoint, at, now)
    job = tiny.training(tiny.spec(steps=4), tiny.maker())
    job.counters.step = 6
    with pytest.raises(Killed):
        job.save(state)
    monkeypatch.undo()
    assert checkpoint.read(state).counters.step == 4
    job.save(state)  # and the next one is written whatever that left
    assert checkpoint.read(state).counters.step == 6


def test_a_folder_that_was_taken_away_is_made_again(tmp_path):
    job = tiny.training(tiny.spec(), tiny.maker())
    job.save(tmp_path / "gone" / "state.safetensors")
    assert checkpoint.read(tmp_path / "gone" / "state.safetensors").counters.step == 0


def test_what_fills_the_disk_is_taken_away(tmp_path, monkeypatch):
    state = two_generations(tmp_path)

    def full(tensors, path, header):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(FileError, match=r"No space left on device.*--resume"):
        tiny.training(tiny.spec(), tiny.maker()).save(state)
    assert not list(tmp_path.glob("*.part"))
    assert checkpoint.read(state).counters.step == 4
