import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from stmviewer.restore.models import FlowModel
from stmviewer.scan import Cancelled, Progress
from stmviewer.train.checkpoint import trainable
from stmviewer.train.loop import Training, checked_within, loss_of
from stmviewer.train.validation import Scored, Validation, judged

from . import tiny


class _Poisoned:
    """A maker whose batches number `bad` are not numbers."""

    def __init__(self, *bad: int) -> None:
        self._maker, self._bad = tiny.maker(), bad

    def batch(self, indices, *rest):
        filled, measured, target, task = self._maker.batch(indices, *rest)
        if indices[0] // len(indices) in self._bad:
            target = np.full_like(target, np.nan)
        return filled, measured, target, task


def reports_of(job: Training, folder) -> list:
    lines = []
    tiny.run(job, folder / "state.safetensors", report=lines.append)
    return lines


def without_times(lines) -> list:
    return [
        (line.kind, line.step, {k: v for k, v in line.values.items() if k in ("loss", "skipped") or " " in k})
        for line in lines
    ]


@pytest.mark.parametrize("kind", ["regression", "flow", "cfm", "diffusion", "autoencoder"])
def test_the_same_training_gives_the_same_weights_and_log(tmp_path, kind):
    asked = tiny.spec(kind=kind, name=f"{kind}-tiny", steps=3)
    jobs = [tiny.training(asked, tiny.maker()) for _ in range(2)]
    logs = [without_times(reports_of(job, tmp_path)) for job in jobs]
    first, second = (tiny.weights(job.model) for job in jobs)
    assert tiny.same(first, second)
    assert tiny.same(jobs[0].average, jobs[1].average)
    assert logs[0] == logs[1]
    assert not tiny.same(first, tiny.weights(tiny.network(kind)))  # it did learn


def test_another_seed_gives_other_weights(tmp_path):
    jobs = [tiny.training(tiny.spec(seed=seed, steps=2), tiny.maker(seed=seed)) for seed in (0, 1)]
    for job in jobs:
        tiny.run(job, tmp_path / "state.safetensors")
    assert not tiny.same(tiny.weights(jobs[0].model), tiny.weights(jobs[1].model))


def test_a_flow_leaves_its_regression_as_it_is(tmp_path):
    job = tiny.training(tiny.spec(kind="flow", name="flow-tiny", steps=2), tiny.maker())
    assert isinstance(job.model, FlowModel)
    before = tiny.weights(job.model.regression)
    tiny.run(job, tmp_path / "state.safetensors")
    assert tiny.same(before, tiny.weights(job.model.regression))
    assert not any(name.startswith("regression.") for name in trainable(job.model))


@pytest.mark.parametrize("kind", ["regression", "flow", "cfm", "diffusion", "autoencoder"])
def test_the_loss_falls_when_one_batch_is_learnt_by_heart(kind):
    batch = tuple(torch.from_numpy(a) for a in tiny.maker(32).batch(range(2)))
    model = tiny.network(kind).train()
    optimizer = torch.optim.AdamW(trainable(model).values(), lr=3e-3)
    losses = []
    for _ in range(30):
        # the same flow times and noise in every step: one batch by heart, not the flow
        loss = loss_of(model, batch, torch.Generator().manual_seed(0))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert all(math.isfinite(x) for x in losses)
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])


def test_a_batch_that_is_not_finite_is_skipped_and_counted(tmp_path):
    job = tiny.training(tiny.spec(steps=4), _Poisoned(1, 2))
    lines = reports_of(job, tmp_path)
    assert job.counters.step == 4
    assert job.counters.skipped == 2
    assert all(torch.isfinite(w).all() for w in tiny.weights(job.model).values())
    assert all(torch.isfinite(w).all() for w in job.average.values())
    train = [line for line in lines if line.kind == "train"]
    assert train[-1].values["skipped"] == 2
    assert math.isfinite(train[-1].values["loss"])  # the mean of the good ones


def test_a_skipped_step_changes_nothing():
    job = tiny.training(tiny.spec(), _Poisoned(0))
    before = tiny.weights(job.model)
    batch = tuple(torch.from_numpy(a) for a in job.maker.batch(range(2)))
    assert math.isnan(job._step(batch))
    assert tiny.same(before, tiny.weights(job.model))


def test_a_loss_that_was_never_finite_is_not_reported_as_zero(tmp_path):
    lines = reports_of(tiny.training(tiny.spec(steps=2), _Poisoned(0, 1)), tmp_path)
    assert math.isnan([line for line in lines if line.kind == "train"][-1].values["loss"])


def test_a_gradient_that_is_not_finite_is_skipped_though_the_loss_is():
    job = tiny.training(tiny.spec(), tiny.maker())
    first = next(iter(trainable(job.model).values()))
    job.loss = lambda *_: (0 * first).sum().sqrt()  # nothing, and its slope infinite times nothing
    before, average = tiny.weights(job.model), {k: v.clone() for k, v in job.average.items()}
    batch = tuple(torch.from_numpy(a) for a in job.maker.batch(range(2)))
    assert math.isnan(job._step(batch))
    assert (job.counters.step, job.counters.skipped) == (1, 1)
    assert tiny.same(before, tiny.weights(job.model))
    assert tiny.same(average, job.average)


def test_a_large_gradient_is_clipped():
    norms = []
    for size in (1e-3, 1e3):
        job = tiny.training(tiny.spec(), tiny.maker())
        real = job.loss
        job.loss = lambda *given, real=real, size=size: size * real(*given)
        job._step(tuple(torch.from_numpy(a) for a in job.maker.batch(range(2))))
        norms.append(float(torch.cat([p.grad.flatten() for p in trainable(job.model).values()]).norm()))
    assert 0 < norms[0] < 0.5  # as it is
    assert norms[1] == pytest.approx(1, abs=1e-3)


def test_the_average_follows_the_weights():
    """a <- d a + (1 - d) w with d = (1 + n) / (10 + n) at step n, 0.995 at most."""
    job = tiny.training(tiny.spec(rate=1e-2), tiny.maker())
    expected = {name: value.clone() for name, value in job.average.items()}
    for step in (1, 2, 3, 5000):
        job.counters.step = step - 1
        job._step(tuple(torch.from_numpy(a) for a in job.maker.batch(range(2))))
        decay = min(0.995, (1 + step) / (10 + step))
        for name, p in trainable(job.model).items():
            expected[name] = decay * expected[name] + (1 - decay) * p.detach()
            torch.testing.assert_close(job.average[name], expected[name])


def test_arithmetic_is_mixed_and_weights_are_not():
    """bfloat16 within the network; loss, weights, average and moments in single precision."""
    job, seen = tiny.training(tiny.spec(), tiny.maker()), []
    convolutions = [m for m in job.model.modules() if isinstance(m, torch.nn.Conv2d)]
    handle = convolutions[1].register_forward_hook(lambda _, __, out: seen.append(out.dtype))
    job._step(tuple(torch.from_numpy(a) for a in job.maker.batch(range(2))))
    handle.remove()
    assert seen == [torch.bfloat16]
    moments = [v for state in job.optimizer.state.values() for v in state.values()]
    kept = [*trainable(job.model).values(), *job.average.values(), *moments]
    assert {x.dtype for x in kept} == {torch.float32}


@pytest.mark.parametrize("at", [1, 3, 30, 60, 100])
def test_a_step_that_is_broken_off_is_done_again(tmp_path, at):
    """Between two layers, forwards or backwards: nothing has changed, and the curve goes on as if nothing had been."""
    asked = tiny.spec(steps=3)
    whole, job = (tiny.training(asked, tiny.maker()) for _ in range(2))
    tiny.run(whole, tmp_path / "whole.safetensors")
    batch = tuple(torch.from_numpy(a) for a in job.maker.batch(range(2)))
    before, calls = tiny.weights(job.model), []

    def check() -> None:
        calls.append(1)
        if len(calls) == at:
            raise Cancelled

    with pytest.raises(Cancelled), checked_within(job.model, check):
        job._step(batch)
    assert len(calls) == at
    assert job.counters.step == 0
    assert tiny.same(before, tiny.weights(job.model))
    tiny.run(job, tmp_path / "state.safetensors")
    assert tiny.same(tiny.weights(whole.model), tiny.weights(job.model))
    assert tiny.same(whole.average, job.average)


def test_done_counts_steps_or_minutes():
    by_steps = tiny.training(tiny.spec(steps=4), tiny.maker())
    shares = []
    for step in range(6):
        by_steps.counters.step = step
        shares.append(by_steps.done)
    assert shares == [0, 0.25, 0.5, 0.75, 1, 1]
    by_time = tiny.training(tiny.spec(steps=None, minutes=2), tiny.maker())
    by_time.counters.seconds = 30
    assert by_time.done == 0.25
    by_time.counters.seconds = 200
    assert by_time.done == 1


def test_the_rate_warms_up_and_falls_to_nothing():
    job = tiny.training(tiny.spec(steps=1000), tiny.maker())
    rates = []
    for step in range(1001):
        job.counters.step = step
        rates.append(job._schedule())
    assert rates[0] == 0
    assert rates[50] == pytest.approx(0.5, abs=0.01)
    assert np.argmax(rates) == 100
    assert rates[550] == pytest.approx(0.5 * (1 + math.cos(math.pi * 0.55)), abs=1e-6)
    assert rates[-1] == pytest.approx(0, abs=1e-6)
    assert all(b <= a for a, b in pairwise(rates[100:]))


def test_a_training_by_the_clock_ends(tmp_path):
    job = tiny.training(tiny.spec(steps=None, minutes=0.002), tiny.maker())
    tiny.run(job, tmp_path / "state.safetensors")
    assert job.done == 1
    assert job.counters.step >= 1
    assert job.counters.seconds >= 0.12


def test_progress_goes_from_nothing_to_all(tmp_path):
    fractions = []
    progress = Progress(lambda advance: fractions.append(advance.fraction))
    tiny.run(tiny.training(tiny.spec(steps=4), tiny.maker()), tmp_path / "state.safetensors", progress)
    assert fractions[0] == 0
    assert fractions[-1] == pytest.approx(1)
    assert fractions == sorted(fractions)


def test_cancelling_raises_and_leaves_a_checkpoint(tmp_path):
    state = tmp_path / "state.safetensors"
    job = tiny.training(tiny.spec(steps=6), tiny.maker())
    with pytest.raises(Cancelled):
        tiny.run(job, state, tiny.stopping_after(0.5))
    assert state.is_file()
    assert 3 <= job.counters.step < 6
    assert not list(tmp_path.glob("*.part"))


def test_averaged_weights_are_lent_and_given_back():
    job = tiny.training(tiny.spec(), tiny.maker())
    for value in job.average.values():
        value.fill_(0.25)
    before = tiny.weights(job.model)
    with pytest.raises(KeyError), job.averaged() as model:
        assert not model.training
        assert all((p == 0.25).all() for p in trainable(model).values())
        raise KeyError
    assert tiny.same(before, tiny.weights(job.model))
    assert job.model.training


def test_validation_scores_model_and_start_by_set_and_task(tmp_path):
    sets = {"own": tiny.maker(repair_share=1.0), "other": tiny.maker(repair_share=0.0, seed=3)}
    validation = Validation.of(sets, 2)
    lines = []
    job = tiny.training(tiny.spec(steps=2), tiny.maker())
    job.run(tmp_path / "state.safetensors", validation, lines.append, Progress())
    scored = [line for line in lines if line.kind == "validation"]
    assert scored[-1].step == 2
    names = {"own repair model", "own repair start", "other sparse model", "other sparse start"}
    for line in scored:
        assert set(line.values) == names
        assert all(-1 <= v <= 1 for v in line.values.values())
    # what the model starts from is no matter of training
    starts = [[line.values[n] for n in sorted(names) if n.endswith("start")] for line in scored]
    assert all(s == starts[0] for s in starts)


def test_validation_keeps_measured_pixels_of_sparse_samples():
    """A network that answers nonsense still shows what was measured: the truth at those pixels."""
    maker = tiny.maker(repair_share=0.0)
    model = tiny.network().eval()
    with torch.no_grad():
        for p in model.parameters():
            p.zero_()
    found = Validation.of({"own": maker}, 3).score(model, torch.device("cpu"), Progress()).means
    # all weights zero: the mean is the first guess itself
    assert found["own sparse model"] == pytest.approx(found["own sparse start"], abs=1e-6)


def test_validation_can_be_cancelled():
    progress = Progress(stop=tiny.stopping_after(0)._root.stop)
    progress._root.stop.set()
    with pytest.raises(Cancelled):
        Validation.of({"own": tiny.maker()}, 1).score(tiny.network(), torch.device("cpu"), progress)


class _Scores:
    """A validation that gives its two samples these scores, one after the other."""

    fingerprint = "the same two"

    def __init__(self, *scores: tuple[float, float]) -> None:
        self.scores = list(scores)

    def score(self, *_):
        found = self.scores.pop(0)
        return Scored({"real sparse model": float(np.mean(found))}, found)


@pytest.mark.parametrize(
    ("scores", "kept"),
    [
        ([(0.3, 0.3), (0.9, 0.9), (0.2, 0.2), (0.8, 0.8)], 2),  # each sample by as much: beyond chance
        ([(0.3, 0.3), (0.4, 0.4), (0.5, 0.5), (0.6, 0.6)], 4),
        ([(0.7, 0.7)] * 4, 4),
        ([(0.3, 0.3), (0.8, 0.8), (0.2, 0.2), (0.6, 0.9)], 4),  # one is worse, the other better: chance
    ],
)
def test_the_latest_weights_are_kept_that_are_not_worse(tmp_path, scores, kept):
    """Validated at steps 1, 2, 3 and at the end, 4."""
    averages, lines = {}, []
    job = tiny.training(tiny.spec(steps=4), tiny.maker())

    def note(line):
        lines.append(line)
        averages[line.step] = {name: value.clone() for name, value in job.average.items()}

    validation = _Scores(*scores)
    job.run(tmp_path / "state.safetensors", validation, note, Progress())
    assert not validation.scores
    assert lines[-1].kind == "kept"
    means = [pytest.approx(np.mean(s)) for s in scores]
    assert lines[-1].values == {"best_step": kept, "best": means[kept - 1], "last": means[-1]}
    assert tiny.same(job.best, averages[kept])
    assert kept == 4 or not tiny.same(job.best, averages[4])


def test_what_was_judged_by_is_known_after_resuming(tmp_path):
    """The highest score was at step 2; what comes later is compared with it, though another process made it."""
    state = tmp_path / "state.safetensors"
    asked = tiny.spec(steps=4)
    job = tiny.training(asked, tiny.maker())

    def stop(line) -> None:
        if line.kind == "validation" and line.step == 2:
            progress._root.stop.set()

    progress = Progress()
    with pytest.raises(Cancelled):
        job.run(state, _Scores((0.3, 0.3), (0.9, 0.9)), stop, progress)
    other = tiny.training(asked, tiny.maker())
    other.resume(state)
    assert list(other.counters.highest) == [0.9, 0.9]
    other.run(state, _Scores((0.5, 0.5), (0.6, 0.6)), lambda line: None, Progress())
    assert other.counters.best_step == 2


def test_real_images_decide_then_own_scans_then_simulated_ones():
    scores = {"simulated sparse model": [0.9], "simulated repair model": [0.7], "simulated sparse start": [0.1]}
    assert judged({}) == ()
    assert sorted(judged(scores)) == [0.7, 0.9]
    scores |= {"own scans sparse model": [0.6], "own scans sparse start": [0.9]}
    assert judged(scores) == (0.6,)
    scores |= {"real sparse model": [0.4, 0.5, 0.6], "real repair model": [0.2]}
    assert sorted(judged(scores)) == [0.2, 0.4, 0.5, 0.6]  # each sample alike: few repairs do not decide


def test_samples_are_not_judged_by_their_ssim():
    """The most alike of all samples is the mean, and no sample."""
    scores = {"real sparse model": [0.9], "real sparse loss": [0.3, 0.0], "own scans sparse loss": [0.1]}
    assert judged(scores) == pytest.approx((-math.log(0.3), -math.log(1e-12)))


def test_other_samples_have_another_fingerprint():
    one, same, other = (Validation.of({"own": tiny.maker(seed=seed)}, 2) for seed in (0, 0, 1))
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert one.fingerprint != Validation.of({"real": tiny.maker()}, 2).fingerprint


@pytest.mark.parametrize("kind", ["flow", "cfm", "diffusion"])
def test_the_loss_of_validation_is_the_same_each_time_and_falls_with_training(kind):
    maker = tiny.maker(32)
    validation = Validation.of({"own": maker}, 2)
    job = tiny.training(tiny.spec(kind=kind, name=f"{kind}-tiny", steps=400, rate=1e-2), maker)
    batch = tuple(torch.from_numpy(a) for a in maker.batch(range(2)))  # the samples that are validated
    before, again = (validation.score(job.model.eval(), torch.device("cpu"), Progress()).means for _ in range(2))
    assert before == again
    for _ in range(30):
        job._step(batch)
    after = validation.score(job.model.eval(), torch.device("cpu"), Progress()).means
    keys = [k for k in before if k.endswith("loss")]
    assert sum(after[k] for k in keys) < sum(before[k] for k in keys)
